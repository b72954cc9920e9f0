"""Activations by Keras's names: functions of one tensor. `softmax` and `sigmoid` remember their logits for the loss."""

from __future__ import annotations

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.functional import celu, elu, gelu, glu, mish, relu, relu6, selu, silu, softplus, softsign, tanh
from ferrograd.train.logits import remember_logits

__all__ = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
    "tanh_shrink",
]


def linear(x: Tensor) -> Tensor:
    """x itself."""
    return x


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) over the axis."""
    y = F.softmax(x, axis=axis)
    return remember_logits(y, "softmax", x) if axis in (-1, x.ndim - 1) else y


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return remember_logits(F.sigmoid(x), "sigmoid", x)


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Logarithm of the softmax over the axis."""
    return F.log_softmax(x, axis=axis)


def exponential(x: Tensor) -> Tensor:
    """exp(x)."""
    return _core.exp(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """x above zero, else negative_slope x."""
    return F.leaky_relu(x, negative_slope)


swish = silu
hard_sigmoid = F.hardsigmoid
hard_swish = hard_silu = F.hardswish
hard_tanh = F.hardtanh
hard_shrink, soft_shrink, tanh_shrink = F.hardshrink, F.softshrink, F.tanhshrink
log_sigmoid = F.logsigmoid

ELEMENTWISE = frozenset(
    (
        *(linear, relu, relu6, elu, celu, selu, gelu, silu, mish, softplus, softsign, tanh, exponential, log_sigmoid),
        *(hard_sigmoid, hard_swish, hard_tanh, hard_shrink, soft_shrink, tanh_shrink),
    )
)
"""May be applied in any memory layout; the others need the channels where the caller put them."""
