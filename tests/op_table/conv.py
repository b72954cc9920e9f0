"""Convolutions and their transposes, against sums over windows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from op_table.row import Call, Row, Shape, Source, call, refuses


def spread(value: Any, dims: int) -> tuple[int, ...]:
    return (value,) * dims if isinstance(value, int) else tuple(value)


def dilated(x: np.ndarray, factors: tuple[int, ...]) -> np.ndarray:
    """Zeros between the values of the last axes."""
    lead = x.ndim - len(factors)
    shape = (*x.shape[:lead], *((side - 1) * f + 1 for side, f in zip(x.shape[lead:], factors, strict=True)))
    result = np.zeros(shape, x.dtype)
    result[(..., *(slice(None, None, f) for f in factors))] = x
    return result


def correlate(x: np.ndarray, weight: np.ndarray, stride: tuple[int, ...]) -> np.ndarray:
    """(N, C, *X) with (O, C, *K): every output position is one product of a window with all filters."""
    kernel = weight.shape[2:]
    counts = [(side - k) // s + 1 for side, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    result = np.zeros((x.shape[0], weight.shape[0], *counts), np.result_type(x, weight))
    for position in itertools.product(*map(range, counts)):
        corner = [p * s for p, s in zip(position, stride, strict=True)]
        window = x[(..., *(slice(c, c + k) for c, k in zip(corner, kernel, strict=True)))]
        result[(..., *position)] = np.tensordot(window, weight, (range(1, x.ndim), range(1, x.ndim)))
    return result


def in_groups(x: np.ndarray, weight: np.ndarray, groups: int, stride: tuple[int, ...]) -> np.ndarray:
    pieces = zip(np.split(x, groups, 1), np.split(weight, groups, 0), strict=True)
    return np.concatenate([correlate(*piece, stride) for piece in pieces], 1)


def with_bias(y: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    return y if bias is None else y + bias.reshape(-1, *[1] * (y.ndim - 2))


def conv(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> np.ndarray:
    dims = weight.ndim - 2
    unbatched = x.ndim == dims + 1
    x = x[None] if unbatched else x
    dilation, stride = spread(dilation, dims), spread(stride, dims)
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        widths = [(total // 2, total - total // 2) for total in totals]
    else:
        widths = [(p, p) for p in spread(0 if padding == "valid" else padding, dims)]
    padded = np.pad(x, [(0, 0), (0, 0), *widths])
    y = with_bias(in_groups(padded, dilated(weight, dilation), groups, stride), bias)
    return y[0] if unbatched else y


def conv_transpose(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> np.ndarray:
    """Correlation of the stretched input with the flipped filters, weight (C, O / groups, *K)."""
    dims = weight.ndim - 2
    stride, padding, extra, dilation = (spread(value, dims) for value in (stride, padding, output_padding, dilation))
    filters = np.concatenate([np.swapaxes(part, 0, 1) for part in np.split(weight, groups, 0)], 0)
    filters = dilated(np.flip(filters, tuple(range(2, dims + 2))), dilation)
    widths = [(k - 1, k - 1 + e) for k, e in zip(filters.shape[2:], extra, strict=True)]
    stretched = np.pad(dilated(x, stride), [(0, 0), (0, 0), *widths])
    y = in_groups(stretched, filters, groups, (1,) * dims)
    crop = [slice(p, side - p) for p, side in zip(padding, y.shape[2:], strict=True)]
    return with_bias(y[(..., *crop)], bias)


def sides(source: Source, dims: int, low: int, high: int) -> Shape:
    return tuple(source.integer(low, high) for _ in range(dims))


def conv_cases(dims: int) -> Any:
    longest = {1: 8, 2: 6, 3: 4}[dims]

    def cases(source: Source) -> Call:
        groups = source.choice(1, 2)
        kernel = sides(source, dims, 1, 3 if dims < 3 else 2)
        dilation = source.choice(1, 2)
        stride = source.choice(1, 2, sides(source, dims, 1, 3))
        padding = source.choice(0, 1, sides(source, dims, 0, 2), "valid", "same" if stride == 1 else 1)
        spatial = tuple(
            max(side, (k - 1) * dilation + 1) for side, k in zip(sides(source, dims, 3, longest), kernel, strict=True)
        )
        batch = source.choice((), (1,), (2,))
        x = source.array((*batch, 2 * groups, *spatial), special=False)
        weight = source.array((2 * groups, 2, *kernel), special=False)
        bias = source.array((2 * groups,), special=False) if source.flag() else None
        return call(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)

    return cases


def transpose_cases(dims: int) -> Any:
    def cases(source: Source) -> Call:
        groups = source.choice(1, 2)
        stride, dilation = source.choice(1, 2), source.choice(1, 2)
        x = source.array((2, 2 * groups, *sides(source, dims, 2, 4 if dims < 3 else 3)), special=False)
        weight = source.array((2 * groups, 2, *sides(source, dims, 2, 3)), special=False)
        bias = source.array((2 * groups,), special=False) if source.flag() else None
        options = {"stride": stride, "padding": source.choice(0, 1), "output_padding": stride - 1, "dilation": dilation}
        return call(x, weight, bias, groups=groups, **options)

    return cases


def refused(name: str, dims: int) -> tuple[Any, ...]:
    x, weight = np.ones((1, 2, *[4] * dims)), np.ones((2, 2, *[3] * dims))
    return (
        refuses("ValueError", name, x, weight, stride=0),
        refuses("ValueError", name, x, weight, dilation=0),
        refuses("ValueError", name, x, weight, padding=-1),
        refuses("ValueError", name, x, weight, groups=0),
        refuses("ValueError", name, x, weight, groups=3),
        refuses("ShapeError", name, x, np.ones((3, 3, *[3] * dims))),
        refuses("ShapeError", name, x, weight, np.ones(5)),
        refuses("ShapeError", name, np.ones(3), weight),
    )


ROWS = tuple(
    row
    for dims in (1, 2, 3)
    for row in (
        Row(
            f"conv{dims}d",
            conv,
            conv_cases(dims),
            slack=64,
            refusals=(
                *refused(f"conv{dims}d", dims),
                refuses("ShapeError", f"conv{dims}d", np.ones((1, 2, *[2] * dims)), np.ones((2, 2, *[5] * dims))),
                refuses(
                    "ValueError", "same", np.ones((1, 2, *[4] * dims)), np.ones((2, 2, *[3] * dims)), None, 2, "same"
                ),
            ),
        ),
        Row(
            f"conv_transpose{dims}d",
            conv_transpose,
            transpose_cases(dims),
            slack=64,
            refusals=refused(f"conv_transpose{dims}d", dims),
        ),
    )
)
