"""NAdam and RAdam."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

from ferrograd._core import Tensor
from ferrograd.optim.adam import AdamFamily
from ferrograd.optim.optimizer import Params


class NAdam(AdamFamily):
    """Adam with Nesterov's momentum (Dozat 2016).

    p -= lr ((1 - mu_t) / (1 - prod mu) g + mu_t+1 / (1 - prod mu mu_t+1) m) / (sqrt(v') + eps), with
    mu_t = beta1 (1 - 0.5 * 0.96 ^ (t momentum_decay)).

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        betas: decay of the running means of g and of g^2.
        eps: added to the root.
        weight_decay: L2 penalty, added to the gradient.
        momentum_decay: how fast the momentum rises to beta1.
        decoupled_weight_decay: shrink p by 1 - lr weight_decay instead.
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.NAdam([w], lr=0.25).step()
    >>> 0.6 < w.item() < 0.9
    True
    """

    rule = "nadam"
    _scalars: ClassVar[dict[str, Callable[[Any], Any]]] = {"step": int, "mu_product": float}

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative(group, "momentum_decay")

    def _start(self, group: dict[str, Any], parameter: Tensor) -> dict[str, Any]:
        return {**super()._start(group, parameter), "mu_product": 1.0}

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> None:
        super()._advance(group, state)
        state["mu_product"] *= self._mu(group, state["step"])

    def _cohort(self, state: dict[str, Any]) -> Hashable:
        return state["step"], state["mu_product"]

    def _mu(self, group: dict[str, Any], step: int) -> float:
        """The momentum of a step."""
        return float(group["betas"][0] * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"])))

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:
        momenta = {"mu": self._mu(group, state["step"]), "mu_next": self._mu(group, state["step"] + 1)}
        return {**super()._numbers(group, state), **momenta, "mu_product": state["mu_product"]}


class RAdam(AdamFamily):
    """Adam with a rectified rate: plain momentum until the variance of v is known well enough (Liu et al. 2020).

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        betas: decay of the running means of g and of g^2.
        eps: added to the root.
        weight_decay: L2 penalty, added to the gradient.
        decoupled_weight_decay: shrink p by 1 - lr weight_decay instead.
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> w.grad = fg.tensor([0.5])
    >>> fg.optim.RAdam([w], lr=0.5).step()
    >>> round(w.item(), 4)
    0.75
    """

    rule = "radam"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        l1_decay: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "l1_decay": l1_decay,
        }
        super().__init__(params, defaults)
