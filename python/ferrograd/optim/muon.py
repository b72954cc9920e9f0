"""Muon: momentum whose matrices are made orthogonal."""

from __future__ import annotations

import math
from typing import Any, Literal

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.fused import descend
from ferrograd.optim.optimizer import Optimizer, Params


def orthogonalize(
    x: Tensor,
    coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
    steps: int = 5,
    eps: float = 1e-7,
) -> Tensor:
    """About U V^T of the matrix x = U S V^T, by Newton-Schulz iterations: x = a x + (b x x^T + c (x x^T)^2) x.

    The default coefficients bring singular values between 0.7 and 1.2 in five steps, not exactly to 1.

    >>> import ferrograd as fg
    >>> x = fg.optim.orthogonalize(fg.tensor([[3.0, 0.0], [0.0, 0.5]]))
    >>> bool((abs(x - fg.eye(2)) < 0.35).all())
    True
    """
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = (x.mT if tall else x) / max(_core.global_norm([x]), eps)
    for _ in range(steps):
        gram = _core.matmul(x, x.mT)
        x = a * x + _core.matmul(b * gram + c * _core.matmul(gram, gram), x)
    return x.mT if tall else x


class Muon(Optimizer):
    """p -= lr' orthogonalize(u), u = g + momentum (m - g) with the running mean m of g (Jordan et al. 2024).

    For the weight matrices of hidden layers; kernels of convolutions are seen as (out, rest). Give embeddings, the last
    layer, biases and norms to another optimizer, usually AdamW:

    Args:
        params: tensors of two or more axes, or groups, see `Optimizer`.
        lr: learning rate.
        weight_decay: decoupled, p is multiplied with 1 - lr weight_decay.
        momentum: decay of the running mean.
        nesterov: look ahead as above; otherwise u = m.
        ns_coefficients, eps, ns_steps: of the iteration, see `orthogonalize`.
        adjust_lr_fn: "original" (None): lr' = lr sqrt(max(1, rows / columns)); "match_rms_adamw": lr' = 0.2 lr
            sqrt(max(rows, columns)), so that rates of AdamW can be used (Liu et al. 2025).

    Raises ValueError for tensors with fewer than two axes. The iteration runs in the parameter's dtype, for halves in
    float32.

    >>> import ferrograd as fg
    >>> model = fg.nn.Linear(4, 4)
    >>> matrices = [p for p in model.parameters() if p.ndim >= 2]
    >>> others = [p for p in model.parameters() if p.ndim < 2]
    >>> optimizers = [fg.optim.Muon(matrices, lr=0.02), fg.optim.AdamW(others, lr=3e-4)]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative(group, "momentum", "eps")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', got {group['adjust_lr_fn']!r}"
            )
        for parameter in group["params"]:
            if parameter.ndim < 2:
                raise ValueError(f"Muon: expected tensors of two or more axes, got shape {tuple(parameter.shape)}")

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], scale: float) -> None:
        shrink = 1.0 - group["lr"] * group["weight_decay"]
        for parameter, grad in zip(params, grads, strict=True):
            state = self.state.setdefault(parameter, {})
            if not state:
                state["momentum_buffer"] = _core.zeros_like(grad)
            mean, momentum = state["momentum_buffer"], group["momentum"]
            average = {"weight": 1.0 - momentum}
            scaled = grad if scale == 1.0 else grad * scale
            _core.fused_step("average", [mean], [scaled], [], average)
            direction = scaled + momentum * (mean - scaled) if group["nesterov"] else mean
            descend([parameter], [self._orthogonal(group, direction)], self._rate(group, direction), shrink)

    def _orthogonal(self, group: dict[str, Any], x: Tensor) -> Tensor:
        matrix = _core.reshape(x, (x.shape[0], -1))
        wide = matrix if x.dtype == _core.float64 else matrix.astype(_core.float32)
        out = orthogonalize(wide, group["ns_coefficients"], group["ns_steps"], group["eps"])
        return _core.reshape(out, tuple(x.shape)).astype(x.dtype)

    def _rate(self, group: dict[str, Any], x: Tensor) -> float:
        rows, columns = x.shape[0], x.numel() // max(x.shape[0], 1)
        if group["adjust_lr_fn"] == "match_rms_adamw":
            return float(group["lr"] * 0.2 * math.sqrt(max(rows, columns)))
        return float(group["lr"] * math.sqrt(max(1.0, rows / max(columns, 1))))
