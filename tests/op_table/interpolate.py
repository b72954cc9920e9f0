"""Resampling of images, axis by axis: every mode is a matrix per axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from op_table.row import Call, Row, Source, call, refuses


def positions(count: int, side: int, align_corners: bool, scale: float | None) -> np.ndarray:
    """Where each output pixel's centre lies in the input."""
    if align_corners:
        return np.arange(count) * ((side - 1) / (count - 1) if count > 1 else 0.0)
    return (np.arange(count) + 0.5) * (1 / scale if scale else side / count) - 0.5


def nearest_matrix(count: int, side: int, align_corners: bool, scale: float | None) -> np.ndarray:
    step = 1 / scale if scale else side / count
    matrix = np.zeros((count, side))
    matrix[np.arange(count), np.minimum(np.floor(np.arange(count) * step).astype(int), side - 1)] = 1
    return matrix


def linear_matrix(count: int, side: int, align_corners: bool, scale: float | None) -> np.ndarray:
    where = np.maximum(positions(count, side, align_corners, scale), 0)
    low = np.minimum(np.floor(where).astype(int), side - 1)
    matrix, rows = np.zeros((count, side)), np.arange(count)
    matrix[rows, low] += 1 - (where - low)
    matrix[rows, np.minimum(low + 1, side - 1)] += where - low
    return matrix


def cubic_matrix(count: int, side: int, align_corners: bool, scale: float | None) -> np.ndarray:
    """Keys' kernel with a = -0.75; pixels beyond the edge repeat it."""

    def kernel(t: float, a: float = -0.75) -> float:
        t = abs(t)
        if t <= 1:
            return (a + 2) * t**3 - (a + 3) * t**2 + 1
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0

    matrix = np.zeros((count, side))
    for row, where in enumerate(positions(count, side, align_corners, scale)):
        low = math.floor(where)
        for tap in range(low - 1, low + 3):
            matrix[row, min(max(tap, 0), side - 1)] += kernel(where - tap)
    return matrix


MATRICES: dict[str, Callable[..., np.ndarray]] = {
    "nearest": nearest_matrix,
    "linear": linear_matrix,
    "bilinear": linear_matrix,
    "bicubic": cubic_matrix,
}


def interpolate(
    x: np.ndarray, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None
) -> np.ndarray:
    result = x
    for axis in range(2, x.ndim):
        side = x.shape[axis]
        count = math.floor(side * scale_factor) if size is None else size[axis - 2] if isinstance(size, tuple) else size
        matrix = MATRICES[mode](count, side, bool(align_corners), scale_factor)
        result = np.moveaxis(np.tensordot(matrix, result, (1, axis)), 0, axis)
    return result


def cases(source: Source) -> Call:
    mode = source.choice("nearest", "linear", "bilinear", "bicubic")
    dims = {"nearest": source.integer(1, 3), "linear": 1}.get(mode, 2)
    x = source.array((2, source.integer(1, 2), *(source.integer(1, 4) for _ in range(dims))), special=False)
    options: dict[str, Any] = {"mode": mode}
    if source.flag():
        options["size"] = tuple(source.integer(1, 6) for _ in range(dims))
    else:
        options["scale_factor"] = source.choice(1.0, 2.0, 3.0)
    if mode != "nearest":
        options["align_corners"] = source.flag()
    return call(x, **options)


IMAGE = np.ones((1, 1, 4, 4))

ROWS = (
    Row(
        "interpolate",
        interpolate,
        cases,
        slack=64,
        refusals=(
            refuses("ValueError", "interpolate", IMAGE),
            refuses("ValueError", "interpolate", IMAGE, size=(2, 2), scale_factor=2.0),
            refuses("ValueError", "interpolate", IMAGE, size=(0, 2)),
            refuses("ValueError", "interpolate", IMAGE, size=(2, 2), mode="cubist"),
            refuses("ValueError|ShapeError", "interpolate", IMAGE, size=(2, 2), mode="linear"),
        ),
    ),
)
