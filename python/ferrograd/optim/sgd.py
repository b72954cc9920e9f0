"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.fused import FusedOptimizer
from ferrograd.optim.optimizer import Params


class SGD(FusedOptimizer):
    """p -= lr v, with v = momentum v + (1 - dampening) g and g = grad + weight_decay p; the first v is g.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        momentum: factor of the previous step; 0 keeps no state.
        dampening: share of the gradient left out of v.
        weight_decay: L2 penalty.
        nesterov: step along g + momentum v instead of v; needs momentum and no dampening (Sutskever et al. 2013).
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    Raises ValueError for negative settings. One fused kernel per group and step. Without momentum and decay only the
    rows of an embedding that the batch looked up are read and written.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.SGD([w], lr=0.5).step()
    >>> w.tolist()
    [0.75]
    """

    rule = "sgd"

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
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative(group, "momentum")
        if group["nesterov"] and (group["momentum"] <= 0.0 or group["dampening"] != 0.0):
            raise ValueError("SGD: nesterov needs momentum > 0 and dampening 0")

    def _states(self, group: dict[str, Any]) -> list[str | None]:
        return ["momentum_buffer" if group["momentum"] != 0.0 else None]

    def _descent(self, group: dict[str, Any], dampening: float) -> dict[str, float]:
        return {
            "lr": group["lr"],
            "momentum": group["momentum"],
            "keep": 1.0 - dampening,
            "nesterov": float(group["nesterov"]),
        }

    def _by_row(self, group: dict[str, Any]) -> bool:
        return group["momentum"] == 0.0 and not self._decays(group)

    def _update_rows(
        self, group: dict[str, Any], parameter: Tensor, index: Tensor, values: Tensor, scale: float
    ) -> None:
        numbers = self._descent(group, 0.0) | self._shared(group, scale)
        _core.fused_step(self.rule, [parameter], [values], [[]], numbers, index)

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], scale: float) -> None:
        fresh, going = list(range(len(params))), []
        if group["momentum"] != 0.0:
            fresh = [i for i, p in enumerate(params) if "momentum_buffer" not in self.state.get(p, {})]
            going = [i for i, p in enumerate(params) if "momentum_buffer" in self.state.get(p, {})]
            for i in fresh:
                self.state[params[i]] = {"momentum_buffer": _core.zeros_like(params[i].detach())}
        # The first momentum buffer is the gradient itself: zeros without dampening.
        for some, dampening in ((fresh, 0.0), (going, group["dampening"])):
            if some:
                numbers = self._descent(group, dampening)
                self._fused(group, [params[i] for i in some], [grads[i] for i in some], numbers, scale)
