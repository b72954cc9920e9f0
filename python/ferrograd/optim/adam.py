"""Adam, AdamW, SparseAdam and Adamax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferrograd.optim.fused import FusedOptimizer
from ferrograd.optim.optimizer import Params


class AdamFamily(FusedOptimizer):
    """What the relatives of Adam share: `betas` and `eps`, running means, a step count."""

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative(group, "eps")
        self._check_fractions(group, "betas")

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:  # noqa: ARG002
        return ("exp_avg", "exp_avg_sq")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:
        beta1, beta2 = group["betas"]
        return {"lr": group["lr"], "beta1": beta1, "beta2": beta2, "eps": group["eps"], "step": state["step"]}


class Adam(AdamFamily):
    """p -= lr m' / (sqrt(v') + eps), m' and v' the bias-corrected running means of g and g^2 (Kingma & Ba 2015).

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        betas: decay of the running means of g and of g^2.
        eps: added to the root.
        weight_decay: L2 penalty, added to the gradient.
        amsgrad: divide by the largest v so far (Reddi et al. 2018).
        maximize: climb instead of descending.
        decoupled_weight_decay: shrink p by 1 - lr weight_decay instead: AdamW.
        l1_decay: L1 penalty.

    Raises ValueError for negative settings or betas outside [0, 1). One fused kernel per group and step.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.Adam([w], lr=0.25).step()
    >>> round(w.item(), 4)
    0.75
    """

    rule = "adam"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq" if group["amsgrad"] else None)


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

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
            l1_decay=l1_decay,
        )


class SparseAdam(AdamFamily):
    """Adam for embeddings: rows that the batch did not look up keep value and means, without a read or a write.

    A row that was looked up makes the step of `Adam`, with the number of the optimizer's steps so far. A gradient that
    is not of rows (see `nn.Embedding`) changes the whole tensor as `Adam` does.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        betas: decay of the running means of g and of g^2.
        eps: added to the root.
        maximize: climb instead of descending.

    >>> import ferrograd as fg
    >>> table = fg.nn.Embedding(1000, 1)
    >>> table.weight.data = fg.ones((1000, 1))
    >>> optimizer = fg.optim.SparseAdam(table.parameters(), lr=0.25)
    >>> table(fg.tensor([3])).sum().backward()
    >>> optimizer.step()
    >>> [round(row, 4) for row in table.weight[2:5, 0].tolist()]
    [1.0, 0.75, 1.0]
    """

    rule = "adam"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:  # noqa: ARG002
        return ("exp_avg", "exp_avg_sq", None)

    def _by_row(self, group: dict[str, Any]) -> bool:  # noqa: ARG002
        return True


class Adamax(AdamFamily):
    """p -= lr m' / u, u = max(beta2 u, abs(g) + eps), m' the bias-corrected mean of g (Kingma & Ba 2015, section 7).

    Arguments as in `Adam`.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.Adamax([w], lr=0.25).step()
    >>> round(w.item(), 4)
    0.75
    """

    rule = "adamax"

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:  # noqa: ARG002
        return ("exp_avg", "exp_inf")
