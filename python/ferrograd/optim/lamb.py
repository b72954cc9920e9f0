"""LAMB: Adam's direction with a length that follows each tensor's norm, for large batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.adam import AdamFamily
from ferrograd.optim.fused import descend
from ferrograd.optim.optimizer import Params


class LAMB(AdamFamily):
    """p -= lr norm(p) / norm(u) u, with u = m' / (sqrt(v') + eps) + weight_decay p as in AdamW (You et al. 2020).

    m' and v' are the bias-corrected running means of g and g^2; the ratio of norms, of each tensor for itself, is 1
    where one of them is 0.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate.
        betas: decay of the running means of g and of g^2.
        eps: added to the root.
        weight_decay: part of p in the direction.
        maximize: climb instead of descending.
        l1_decay: L1 penalty.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([3.0, 4.0]))
    >>> w.grad = fg.tensor([1.0, 1.0])
    >>> fg.optim.LAMB([w], lr=2**-0.5, weight_decay=0.0).step()
    >>> [round(x, 3) for x in w.tolist()]
    [0.5, 1.5]
    """

    rule = "lamb"

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 1e-2,
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
        return ("exp_avg", "exp_avg_sq")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:
        numbers = super()._numbers(group, state)
        del numbers["lr"]
        return {**numbers, "decay": group["weight_decay"]}

    def _fused(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], numbers: dict[str, float], scale: float
    ) -> None:
        numbers |= {"scale": scale, "l1_decay": group["l1_decay"]}
        for parameter, grad in zip(params, grads, strict=True):
            direction, state = _core.zeros_like(grad), self.state[parameter]
            states = [[state["exp_avg"]], [state["exp_avg_sq"]], [direction]]
            _core.fused_step(self.rule, [parameter], [grad], states, numbers)
            own, length = _core.global_norm([parameter]), _core.global_norm([direction])
            ratio = own / length if own > 0.0 and length > 0.0 else 1.0
            descend([parameter], [direction], group["lr"] * ratio)
