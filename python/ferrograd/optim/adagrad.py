"""Adagrad, Adadelta and RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.fused import FusedOptimizer
from ferrograd.optim.optimizer import Params


class Adagrad(FusedOptimizer):
    """p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps), s the sum of all g^2 so far (Duchi et al. 2011).

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        lr_decay: how fast the rate falls.
        weight_decay: L2 penalty.
        initial_accumulator_value: what s begins with.
        eps: added to the root.
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    Without decay only the rows of an embedding that the batch looked up are read and written.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.Adagrad([w], lr=0.25).step()
    >>> round(w.item(), 4)
    0.75
    """

    rule = "adagrad"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative(group, "lr_decay", "initial_accumulator_value", "eps")

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:  # noqa: ARG002
        return ("sum",)

    def _by_row(self, group: dict[str, Any]) -> bool:
        return not self._decays(group)

    def _start(self, group: dict[str, Any], parameter: Tensor) -> dict[str, Any]:
        return {"step": 0, "sum": _core.full_like(parameter.detach(), group["initial_accumulator_value"])}

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:
        return {"lr": group["lr"], "lr_decay": group["lr_decay"], "eps": group["eps"], "step": state["step"]}


class Adadelta(FusedOptimizer):
    """p -= lr d, d = sqrt(u + eps) / sqrt(v + eps) g, with running means v of g^2 and u of d^2 (Zeiler 2012).

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: factor of the step.
        rho: decay of both running means.
        eps: added under both roots.
        weight_decay: L2 penalty.
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.Adadelta([w], eps=1e-2).step()
    >>> w.item() < 1.0
    True
    """

    rule = "adadelta"

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative(group, "eps")
        if not 0.0 <= group["rho"] <= 1.0:
            raise ValueError(f"Adadelta: rho must be between 0 and 1, got {group['rho']}")

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:  # noqa: ARG002
        return ("square_avg", "acc_delta")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:  # noqa: ARG002
        return {"lr": group["lr"], "rho": group["rho"], "eps": group["eps"]}


class RMSprop(FusedOptimizer):
    """p -= lr g / (sqrt(v) + eps), v the running mean of g^2 (Hinton 2012).

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        alpha: decay of the running mean.
        eps: added to the root.
        weight_decay: L2 penalty.
        momentum: factor of the previous step.
        centered: subtract the squared running mean of g from v (Graves 2013).
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.RMSprop([w], lr=0.25, alpha=0.75).step()
    >>> round(w.item(), 4)
    0.5
    """

    rule = "rmsprop"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative(group, "alpha", "eps", "momentum")

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:
        mean = "grad_avg" if group["centered"] else None
        return ("square_avg", mean, "momentum_buffer" if group["momentum"] > 0.0 else None)

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:  # noqa: ARG002
        return {
            "lr": group["lr"],
            "alpha": group["alpha"],
            "eps": group["eps"],
            "momentum": group["momentum"],
            "centered": float(group["centered"]),
        }
