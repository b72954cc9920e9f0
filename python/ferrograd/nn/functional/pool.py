"""Pools that are sums of other ops: power means, the inverse of maxima, pools over all positions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor

Sizes = int | Sequence[int]


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x^p)^(1/p) over windows of one dimension."""
    return _lp_pool(_core.avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x^p)^(1/p) over windows of two dimensions."""
    return _lp_pool(_core.avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x^p)^(1/p) over windows of three dimensions."""
    return _lp_pool(_core.avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(
    average: Callable[..., Tensor],
    dimensions: int,
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None,
    ceil_mode: bool,
) -> Tensor:
    kernel = _each(kernel_size, dimensions)
    means = average(input**norm_type, kernel, stride, 0, ceil_mode)
    if norm_type == 1:
        return means * math.prod(kernel)
    # A window of zeros gets no gradient; the root has none there.
    zero = means == 0
    return ((means.masked_fill(zero, 1.0) * math.prod(kernel)) ** (1.0 / norm_type)).masked_fill(zero, 0.0)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Values put where `max_pool1d(..., return_indices=True)` took them from, zeros elsewhere."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Values put where `max_pool2d(..., return_indices=True)` took them from, zeros elsewhere."""
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Values put where `max_pool3d(..., return_indices=True)` took them from, zeros elsewhere."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    dimensions: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[int] | None,
) -> Tensor:
    op = f"max_unpool{dimensions}d"
    if input.shape != indices.shape or input.ndim not in (dimensions + 1, dimensions + 2):
        raise ShapeError(
            f"{op}: expected input and indices of one shape, of {dimensions + 1} or {dimensions + 2} dimensions, "
            f"got {tuple(input.shape)} and {tuple(indices.shape)}"
        )
    kernel, pads = _each(kernel_size, dimensions), _each(padding, dimensions)
    steps = kernel if stride is None else _each(stride, dimensions)
    lead, sizes = tuple(input.shape[:-dimensions]), input.shape[-dimensions:]
    default = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(sizes, steps, pads, kernel, strict=True))
    size = default if output_size is None else tuple(output_size)[-dimensions:]
    if len(size) != dimensions or any(abs(n - d) >= s for n, d, s in zip(size, default, steps, strict=True)):
        raise ShapeError(f"{op}: expected output_size within a stride {steps} of {default}, got {output_size}")
    flat = _core.zeros((*lead, math.prod(size)), dtype=input.dtype, device=input.device)
    placed = _core.scatter(flat, -1, indices.reshape((*lead, -1)), input.reshape((*lead, -1)))
    return placed.reshape((*lead, *size))


def _each(value: Sizes, dimensions: int) -> tuple[int, ...]:
    return (value,) * dimensions if isinstance(value, int) else tuple(value)
