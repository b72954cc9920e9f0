"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.optimizer import Optimizer, Params


class SGD(Optimizer):
    """p -= lr v, with v = momentum v + (1 - dampening) g and g = grad + weight_decay p; the first v is g.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        momentum: factor of the previous step; 0 keeps no state.
        dampening: share of the gradient left out of v.
        weight_decay: L2 penalty.
        nesterov: step along g + momentum v instead of v; needs momentum and no dampening (Sutskever et al. 2013).
        maximize: climb instead of descending.

    Raises ValueError for negative settings. One fused kernel per group and step.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.SGD([w], lr=0.5).step()
    >>> w.tolist()
    [0.75]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        if not group["momentum"] >= 0.0:
            raise ValueError(f"SGD: momentum must not be negative, got {group['momentum']}")
        if group["nesterov"] and (group["momentum"] <= 0.0 or group["dampening"] != 0.0):
            raise ValueError("SGD: nesterov needs momentum > 0 and dampening 0")

    def _update(self, group: dict[str, Any], params: list[Tensor], grad_scale: float) -> None:
        if group["momentum"] == 0.0:
            self._step(group, params, [], group["dampening"], grad_scale)
            return
        # The first momentum buffer is the gradient itself: zeros without dampening.
        fresh = [p for p in params if "momentum_buffer" not in self.state.get(p, {})]
        going = [p for p in params if "momentum_buffer" in self.state.get(p, {})]
        for parameter in fresh:
            self.state[parameter] = {"momentum_buffer": _core.zeros_like(parameter.detach())}
        for some, dampening in ((fresh, 0.0), (going, group["dampening"])):
            if some:
                buffers = [self.state[p]["momentum_buffer"] for p in some]
                self._step(group, some, buffers, dampening, grad_scale)

    def _step(
        self, group: dict[str, Any], params: list[Tensor], buffers: list[Tensor], dampening: float, scale: float
    ) -> None:
        _core.sgd_step(
            params,
            [p.grad for p in params if p.grad is not None],
            buffers,
            group["lr"],
            group["momentum"],
            dampening,
            group["weight_decay"],
            group["nesterov"],
            -scale if group["maximize"] else scale,
        )
