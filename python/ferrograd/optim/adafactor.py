"""Adafactor: second moments of matrices kept as one row and one column."""

from __future__ import annotations

import math
from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd._namespace import finfo
from ferrograd.optim.fused import descend
from ferrograd.optim.optimizer import Optimizer, Params


class Adafactor(Optimizer):
    """p -= a u, u = g / sqrt(v) divided by max(1, rms(u) / d), v the running mean of g^2 (Shazeer & Stern 2018).

    For tensors of two or more axes v is the outer product of the running means over rows and columns, which need little
    memory. The step a = min(lr, 1 / sqrt(t)) max(eps2, rms(p)) is relative to the parameter; the decay of v in step t
    is 1 - t^beta2_decay.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: largest relative step.
        beta2_decay: exponent of the decay.
        eps: least value under the root (None for the dtype's epsilon), and least rms(p).
        d: largest rms(u).
        weight_decay: decoupled, p is multiplied with 1 - lr weight_decay.
        maximize: climb instead of descending.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.ones((2, 2)))
    >>> w.grad = fg.ones((2, 2))
    >>> fg.optim.Adafactor([w], lr=0.25).step()
    >>> round(w[0, 0].item(), 4)
    0.75
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        if not group["beta2_decay"] <= 0.0:
            raise ValueError(f"Adafactor: beta2_decay must not be positive, got {group['beta2_decay']}")
        if not group["d"] >= 1.0:
            raise ValueError(f"Adafactor: d must be at least 1, got {group['d']}")
        if len(group["eps"]) != 2 or any(eps is not None and eps < 0.0 for eps in group["eps"]):
            raise ValueError(f"Adafactor: eps must be two numbers that are not negative, got {group['eps']}")

    def _state_shape(self, name: str, parameter: Tensor) -> tuple[int, ...]:
        shape = tuple(parameter.shape)
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, *shape[-1:])}.get(name, shape)

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], scale: float) -> None:
        for parameter, grad in zip(params, grads, strict=True):
            state = self.state.setdefault(parameter, {"step": 0})
            if len(state) == 1:
                for name in ("row_var", "col_var") if grad.ndim > 1 else ("variance",):
                    state[name] = _core.zeros(self._state_shape(name, parameter), dtype=grad.dtype, device=grad.device)
            state["step"] += 1
            self._step(group, state, parameter, grad if scale == 1.0 else grad * scale)

    def _step(self, group: dict[str, Any], state: dict[str, Any], parameter: Tensor, grad: Tensor) -> None:
        step, (eps1, eps2) = state["step"], group["eps"]
        eps1 = finfo(grad.dtype).eps if eps1 is None else eps1
        root = math.sqrt(max(grad.numel(), 1))
        size = max(eps2, _core.global_norm([parameter]) / root) * min(group["lr"], 1.0 / math.sqrt(step))
        variance = self._variance(state, grad, step ** group["beta2_decay"], eps1)
        update = grad * _core.rsqrt(_core.clip(variance, eps1 * eps1))
        clipped = size / max(1.0, _core.global_norm([update]) / (root * group["d"]))
        descend([parameter], [update], clipped, 1.0 - group["lr"] * group["weight_decay"])

    def _variance(self, state: dict[str, Any], grad: Tensor, rest: float, eps1: float) -> Tensor:
        """Moves the running means by the part `rest` and estimates that of g^2."""
        squares = grad * grad
        if grad.ndim < 2:
            variance: Tensor = state["variance"] + rest * (squares - state["variance"])
            state["variance"] = variance
            return variance
        rows: Tensor = state["row_var"] + rest * (_core.mean(squares, axis=-1, keepdims=True) - state["row_var"])
        columns: Tensor = state["col_var"] + rest * (_core.mean(squares, axis=-2, keepdims=True) - state["col_var"])
        state["row_var"], state["col_var"] = rows, columns
        return _core.matmul(rows, columns) / _core.clip(_core.mean(rows, axis=-2, keepdims=True), eps1)
