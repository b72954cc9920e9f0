"""Adam and AdamW."""

from __future__ import annotations

from typing import Any, ClassVar

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.optimizer import Optimizer, Params


class Adam(Optimizer):
    """p -= lr m' / (sqrt(v') + eps), m' and v' the bias-corrected running means of g and g^2 (Kingma & Ba 2015).

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        betas: decay of the running means of g and of g^2.
        eps: added to the root.
        weight_decay: L2 penalty, added to the gradient.
        maximize: climb instead of descending.

    Raises ValueError for negative settings or betas outside [0, 1). One fused kernel per group and step.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.Adam([w], lr=0.25).step()
    >>> round(w.item(), 4)
    0.75
    """

    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        if not group["eps"] >= 0.0:
            raise ValueError(f"{self._name}: eps must not be negative, got {group['eps']}")
        if len(group["betas"]) != 2 or not all(0.0 <= beta < 1.0 for beta in group["betas"]):
            raise ValueError(f"{self._name}: betas must be two numbers in [0, 1), got {group['betas']}")

    def _update(self, group: dict[str, Any], params: list[Tensor], grad_scale: float) -> None:
        by_step: dict[int, list[Tensor]] = {}
        for parameter in params:
            if parameter not in self.state:
                zeros = _core.zeros_like(parameter.detach())
                self.state[parameter] = {"step": 0, "exp_avg": zeros, "exp_avg_sq": _core.zeros_like(zeros)}
            state = self.state[parameter]
            state["step"] += 1
            by_step.setdefault(state["step"], []).append(parameter)
        # Parameters unfrozen later count their own steps; usually there is one count and one kernel.
        for step, some in by_step.items():
            _core.adam_step(
                some,
                [p.grad for p in some if p.grad is not None],
                [self.state[p]["exp_avg"] for p in some],
                [self.state[p]["exp_avg_sq"] for p in some],
                step,
                group["lr"],
                group["betas"][0],
                group["betas"][1],
                group["eps"],
                group["weight_decay"],
                self.decoupled,
                -grad_scale if group["maximize"] else grad_scale,
            )


class AdamW(Adam):
    """Adam with decoupled weight decay: p *= 1 - lr weight_decay before the step (Loshchilov & Hutter 2019).

    Arguments as in `Adam`; weight_decay is 0.01 by default.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.0])
    >>> fg.optim.AdamW([w], lr=0.5, weight_decay=0.5).step()
    >>> w.tolist()
    [0.75]
    """

    decoupled = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)
