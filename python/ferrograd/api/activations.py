"""Activations by Keras's names: functions of one tensor. `softmax` and `sigmoid` remember their logits for the loss."""

from __future__ import annotations

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.functional import elu, gelu, relu, relu6, selu, silu, softplus, softsign, tanh
from ferrograd.train.logits import remember_logits

__all__ = [
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_swish",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
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
hard_swish = F.hardswish
mish = F.mish

ELEMENTWISE = frozenset(
    (linear, relu, relu6, elu, selu, gelu, silu, softplus, softsign, tanh, exponential, hard_sigmoid, hard_swish, mish)
)
"""May be applied in any memory layout; the others need the channels where the caller put them."""
