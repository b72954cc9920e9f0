"""Optimizers that look at signs: Rprop and Lion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.fused import FusedOptimizer
from ferrograd.optim.optimizer import Params


class Rprop(FusedOptimizer):
    """p -= sign(g) s, where each s grows while g keeps its sign and shrinks when it turns (Riedmiller & Braun 1993).

    For whole batches: the noise of small ones turns signs.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: the first s.
        etas: factors of s after a turn and after a step without one.
        step_sizes: smallest and largest s.
        maximize: climb instead of descending.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([100.0])
    >>> fg.optim.Rprop([w], lr=0.25).step()
    >>> w.tolist()
    [0.75]
    """

    rule = "rprop"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        minus, plus = group["etas"]
        if not 0.0 < minus < 1.0 < plus:
            raise ValueError(f"Rprop: etas must be a number below 1 and one above 1, got {group['etas']}")

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:  # noqa: ARG002
        return ("prev", "step_size")

    def _start(self, group: dict[str, Any], parameter: Tensor) -> dict[str, Any]:
        value = parameter.detach()
        return {"step": 0, "prev": _core.zeros_like(value), "step_size": _core.full_like(value, group["lr"])}

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:  # noqa: ARG002
        (minus, plus), (smallest, largest) = group["etas"], group["step_sizes"]
        return {"eta_minus": minus, "eta_plus": plus, "step_min": smallest, "step_max": largest}


class Lion(FusedOptimizer):
    """p -= lr sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g (Chen et al. 2023).

    Steps are longer than Adam's: take a third to a tenth of its lr, and that much more weight decay.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate, the size of every step.
        betas: share of m in the step, and decay of m.
        weight_decay: decoupled, p is multiplied with 1 - lr weight_decay.
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([100.0])
    >>> fg.optim.Lion([w], lr=0.25).step()
    >>> w.tolist()
    [0.75]
    """

    rule = "lion"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize, "l1_decay": l1_decay}
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_fractions(group, "betas")

    def _decoupled(self, group: dict[str, Any]) -> bool:  # noqa: ARG002
        return True

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:  # noqa: ARG002
        return ("exp_avg",)

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:  # noqa: ARG002
        beta1, beta2 = group["betas"]
        return {"lr": group["lr"], "beta1": beta1, "beta2": beta2}
