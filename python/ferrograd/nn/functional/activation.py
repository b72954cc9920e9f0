"""Activations, noise and normalisation that are sums of other ops."""

from __future__ import annotations

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor

# What a dropped SELU activation becomes: minus its scale times its alpha (Klambauer et al. 2017).
SELU_FLOOR = -1.7580993408473766


def softmin(input: Tensor, dim: int = -1) -> Tensor:
    """softmax(-input) along `dim`."""
    return (-input).softmax(axis=dim)


def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """x where x >= 0, else x times a slope: random in [lower, upper) while training, else their mean."""
    if not lower <= upper:
        raise ValueError(f"rrelu: expected lower <= upper, got {lower} and {upper}")
    if not training:
        return input.leaky_relu((lower + upper) / 2)
    slope = _core.rand(input.shape, dtype=input.dtype, device=input.device) * (upper - lower) + lower
    return _core.where(input >= 0, input, input * slope)


def gumbel_softmax(logits: Tensor, tau: float = 1.0, hard: bool = False, dim: int = -1) -> Tensor:
    """A random point of the simplex, softmax((logits + Gumbel noise) / tau) (Jang et al. 2017).

    With `hard` it is one-hot, with the gradient of the soft point.
    """
    uniform = _core.rand(logits.shape, dtype=logits.dtype, device=logits.device)
    # rand may give 0, whose logarithm is not finite.
    noise = -(-(uniform + 1e-20).log()).log()
    soft = ((logits + noise) / tau).softmax(axis=dim)
    if not hard:
        return soft
    best = _core.argmax(soft, axis=dim, keepdims=True)
    chosen = _core.scatter(_core.zeros_like(soft), dim, best, 1.0)
    return chosen - soft.detach() + soft


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False) -> Tensor:
    """Alpha dropout of whole channels of (N, C, *): they become SELU's floor, and mean and variance are restored."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"feature_alpha_dropout: p must be between 0 and 1, got {p}")
    if not training or p == 0.0:
        return input
    if input.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: expected (N, C, *), got {tuple(input.shape)}")
    if p == 1.0:
        return input * 0.0
    shape = (*input.shape[:2], *[1] * (input.ndim - 2))
    kept = _core.rand(shape, device=input.device) >= p
    scale = ((1.0 - p) * (1.0 + p * SELU_FLOOR**2)) ** -0.5
    output: Tensor = _core.where(kept, input, SELU_FLOOR) * scale - scale * p * SELU_FLOOR
    return output


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta, for (N, C, *) (Krizhevsky et al. 2012)."""
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: expected (N, C, *) of at least 3 dimensions, got {tuple(input.shape)}")
    if size < 1:
        raise ValueError(f"local_response_norm: expected size >= 1, got {size}")
    squares = input.square().reshape((input.shape[0], 1, input.shape[1], -1))
    padded = _core.pad(squares, (0, 0, size // 2, (size - 1) // 2))
    means = _core.avg_pool2d(padded, (size, 1), 1).reshape(input.shape)
    divisor: Tensor = (k + alpha * means) ** beta
    return input / divisor


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T A x2 + b: (*, in1), (*, in2), weight (out, in1, in2) -> (*, out)."""
    if (
        weight.ndim != 3
        or input1.shape[:-1] != input2.shape[:-1]
        or (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:])
    ):
        raise ShapeError(
            f"bilinear: expected (*, in1), (*, in2) and weight (out, in1, in2), got {tuple(input1.shape)}, "
            f"{tuple(input2.shape)} and {tuple(weight.shape)}"
        )
    out, first, second = weight.shape
    # One product for x1 with every A, then a dot product with x2.
    products = (input1.reshape((-1, first)) @ weight.permute((1, 0, 2)).reshape((first, out * second))).reshape(
        (-1, out, second)
    )
    output = (products @ input2.reshape((-1, second, 1))).reshape((*input1.shape[:-1], out))
    return output if bias is None else output + bias
