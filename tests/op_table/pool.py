"""Pooling, against a loop over windows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from op_table.conv import sides, spread
from op_table.row import Call, Row, Source, call, refuses


def output_side(side: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    span = side + 2 * padding - dilation * (kernel - 1) - 1
    count = (math.ceil(span / stride) if ceil_mode else span // stride) + 1
    # A window that would start in the right padding is dropped.
    return count - 1 if ceil_mode and (count - 1) * stride >= side + padding else count


def windows(x: np.ndarray, dims: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Any:
    """Yields (output position, one range of input positions per axis); also returns the output's sides."""
    kernel, padding, dilation = (spread(value, dims) for value in (kernel, padding, dilation))
    stride = spread(kernel if stride is None else stride, dims)
    spatial = x.shape[-dims:]
    counts = [output_side(*axis, ceil_mode) for axis in zip(spatial, kernel, stride, padding, dilation, strict=True)]
    each = [
        [(o, [o * s - p + d * j for j in range(k)]) for o in range(count)]
        for count, k, s, p, d in zip(counts, kernel, stride, padding, dilation, strict=True)
    ]
    return counts, itertools.product(*each)


def max_pool(dims: int) -> Callable[..., Any]:
    def reference(
        x: np.ndarray,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        counts, walk = windows(x, dims, kernel_size, stride, padding, dilation, ceil_mode)
        values = np.zeros((*x.shape[:-dims], *counts), x.dtype)
        flat_index = np.zeros(values.shape, np.int64)
        numbering = np.arange(math.prod(x.shape[-dims:])).reshape(x.shape[-dims:])
        for axes in walk:
            inside = np.ix_(
                *([i for i in line if 0 <= i < side] for (_, line), side in zip(axes, x.shape[-dims:], strict=True))
            )
            position = (..., *(o for o, _ in axes))
            window = x[(..., *inside)].reshape(*x.shape[:-dims], -1)
            values[position] = window.max(-1)
            flat_index[position] = numbering[inside].ravel()[window.argmax(-1)]
        return (values, flat_index) if return_indices else values

    return reference


def avg_pool(dims: int) -> Callable[..., Any]:
    def reference(
        x: np.ndarray,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> np.ndarray:
        counts, walk = windows(x, dims, kernel_size, stride, padding, 1, ceil_mode)
        values = np.zeros((*x.shape[:-dims], *counts), x.dtype)
        for axes in walk:
            lines = [line for _, line in axes]
            inside = [[i for i in line if 0 <= i < side] for line, side in zip(lines, x.shape[-dims:], strict=True)]
            padded = [
                [i for i in line if i < side + p]
                for line, side, p in zip(lines, x.shape[-dims:], spread(padding, dims), strict=True)
            ]
            count = math.prod(map(len, padded if count_include_pad else inside))
            total = x[(..., *np.ix_(*inside))].sum(tuple(range(-dims, 0)))
            values[(..., *(o for o, _ in axes))] = total / count
        return values

    return reference


def adaptive(dims: int, reduce: Callable[..., Any]) -> Callable[..., Any]:
    def reference(x: np.ndarray, output_size: Any) -> np.ndarray:
        spatial = x.shape[-dims:]
        wanted = [w if w is not None else s for w, s in zip(spread_optional(output_size, dims), spatial, strict=True)]
        result = np.zeros((*x.shape[:-dims], *wanted), x.dtype)
        for position in itertools.product(*map(range, wanted)):
            box = [
                slice(p * side // count, -(-(p + 1) * side // count))
                for p, side, count in zip(position, spatial, wanted, strict=True)
            ]
            result[(..., *position)] = reduce(x[(..., *box)], tuple(range(-dims, 0)))
        return result

    return reference


def spread_optional(value: Any, dims: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * dims


def images(source: Source, dims: int, low: int) -> np.ndarray:
    batch = source.choice((2,), (1, 2), (2, 2))
    return source.array((*batch, *sides(source, dims, low, {1: 9, 2: 7, 3: 5}[dims])), special=False)


def max_cases(dims: int) -> Any:
    def cases(source: Source) -> Call:
        kernel = source.choice(2, 3, sides(source, dims, 1, 3))
        padding = source.choice(0, 1) if min(spread(kernel, dims)) > 1 else 0
        options: dict[str, Any] = {"return_indices": True} if source.flag() else {}
        return call(
            images(source, dims, 4 if dims == 3 else 5),
            kernel,
            source.choice(None, 1, 2),
            padding,
            source.choice(1, 2) if kernel == 2 else 1,
            source.flag(),
            **options,
        )

    return cases


def avg_cases(dims: int) -> Any:
    def cases(source: Source) -> Call:
        kernel = source.choice(2, 3, sides(source, dims, 1, 3))
        padding = source.choice(0, 1) if min(spread(kernel, dims)) > 1 else 0
        return call(images(source, dims, 3), kernel, source.choice(None, 1, 2), padding, source.flag(), source.flag())

    return cases


def adaptive_cases(dims: int) -> Any:
    def cases(source: Source) -> Call:
        size = source.choice(1, 2, 3, sides(source, dims, 1, 4))
        return call(images(source, dims, 3), size)

    return cases


def refused(name: str, dims: int) -> tuple[Any, ...]:
    x = np.ones((1, 1, *[4] * dims))
    return (
        refuses("ValueError", name, x, 0),
        refuses("ValueError", name, x, 2, stride=0),
        refuses("ValueError", name, x, 2, padding=2),
        refuses("ValueError", name, x, 2, padding=-1),
        refuses("ShapeError", name, x, 9),
        refuses("ShapeError", name, np.ones(()), 2),
    )


ROWS = tuple(
    row
    for dims in (1, 2, 3)
    for row in (
        Row(
            f"max_pool{dims}d",
            max_pool(dims),
            max_cases(dims),
            dtypes.FLOATS,
            result=None,
            refusals=refused(f"max_pool{dims}d", dims),
        ),
        Row(f"avg_pool{dims}d", avg_pool(dims), avg_cases(dims), slack=8, refusals=refused(f"avg_pool{dims}d", dims)),
        Row(
            f"adaptive_avg_pool{dims}d",
            adaptive(dims, np.mean),
            adaptive_cases(dims),
            slack=8,
            refusals=(refuses("ValueError", "adaptive_avg_pool", np.ones((1, 1, *[4] * dims)), -1),),
        ),
        Row(
            f"adaptive_max_pool{dims}d",
            adaptive(dims, np.max),
            adaptive_cases(dims),
            result=None,
            refusals=(refuses("ValueError", "adaptive_max_pool", np.ones((1, 1, *[4] * dims)), -1),),
        ),
    )
)
