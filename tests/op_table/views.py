"""Views and splits under the names that PyTorch's users write."""

from __future__ import annotations

import numpy as np

from harness import dtypes
from op_table.movement import permutation, permute_cases, shaped, unstack
from op_table.row import Call, Row, Source, call, refuses


def diagonal_cases(source: Source) -> Call:
    x = shaped(source, min_dims=2)
    first, second = permutation(source, x.ndim)[:2]
    return call(x, source.integer(-3, 3), first, second)


def expand_cases(source: Source) -> Call:
    shape = source.shape(min_side=1)
    x = source.array(source.broadcastable(shape))
    kept = len(shape) - x.ndim
    sizes = tuple(
        -1 if i >= kept and x.shape[i - kept] == side and source.flag() else side for i, side in enumerate(shape)
    )
    return call(x, sizes)


def expand(x: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    kept = len(sizes) - x.ndim
    return np.broadcast_to(x, [x.shape[i - kept] if size == -1 else size for i, size in enumerate(sizes)])


def flatten_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1)
    start = source.integer(0, x.ndim - 1)
    return call(x, start, source.integer(start, x.ndim - 1))


def flatten(x: np.ndarray, start: int, end: int) -> np.ndarray:
    return x.reshape(*x.shape[:start], int(np.prod(x.shape[start : end + 1])), *x.shape[end + 1 :])


def narrow_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1)
    axis = source.axis(x.shape)
    start = source.integer(0, x.shape[axis])
    return call(x, axis, start, source.integer(0, x.shape[axis] - start))


def narrow(x: np.ndarray, axis: int, start: int, length: int) -> np.ndarray:
    return np.take(x, np.arange(start, start + length), axis)


def transpose_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1)
    return call(x, source.axis(x.shape), source.axis(x.shape))


def unsqueeze_cases(source: Source) -> Call:
    x = shaped(source)
    return call(x, source.integer(-x.ndim - 1, x.ndim))


def view_cases(source: Source) -> Call:
    x = shaped(source)
    return call(x, x.shape[::-1])


def pieces_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1, min_side=1)
    return call(x, source.integer(1, 4), source.axis(x.shape))


def split(x: np.ndarray, size: int, axis: int) -> list[np.ndarray]:
    return np.split(x, range(size, x.shape[axis], size), axis)


def chunk(x: np.ndarray, count: int, axis: int) -> list[np.ndarray]:
    return split(x, -(-x.shape[axis] // count), axis)


def select_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1, min_side=1)
    axis = source.axis(x.shape)
    return call(x, axis, source.integer(-x.shape[axis], x.shape[axis] - 1))


def unbind_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1, min_side=1)
    return call(x, source.axis(x.shape))


ROWS = (
    Row(
        "select",
        lambda x, axis, index: np.take(x, index, axis),
        select_cases,
        dtypes.ALL,
        refusals=(refuses("IndexError", "select", np.ones(3), 0, 3),),
    ),
    Row("unbind", unstack, unbind_cases, dtypes.ALL),
    Row("diagonal", np.diagonal, diagonal_cases, dtypes.ALL),
    Row(
        "expand",
        expand,
        expand_cases,
        dtypes.ALL,
        refusals=(refuses("ShapeError", "expand", np.ones(3), (-2,)), refuses("ShapeError", "", np.ones(3), (2,))),
    ),
    Row("flatten", flatten, flatten_cases, dtypes.ALL),
    Row(
        "narrow",
        narrow,
        narrow_cases,
        dtypes.ALL,
        refusals=(refuses("IndexError|ValueError", "narrow", np.ones(3), 0, 2, 2),),
    ),
    Row(
        "permute",
        np.transpose,
        permute_cases,
        dtypes.ALL,
        refusals=(refuses("ValueError", "permute", np.ones((2, 3)), (1, 1)),),
    ),
    Row(
        "transpose",
        np.swapaxes,
        transpose_cases,
        dtypes.ALL,
        refusals=(refuses("IndexError", "axis|axes", np.ones((2, 3)), 0, 2),),
    ),
    Row(
        "unsqueeze",
        np.expand_dims,
        unsqueeze_cases,
        dtypes.ALL,
        refusals=(refuses("IndexError", "axis|axes", np.ones(2), 3),),
    ),
    Row(
        "view",
        np.reshape,
        view_cases,
        dtypes.ALL,
        refusals=(refuses("ShapeError", "", np.ones(6), (4, 2)),),
    ),
    Row("split", split, pieces_cases, dtypes.ALL, refusals=(refuses("ValueError", "split", np.ones(3), 0),)),
    Row("chunk", chunk, pieces_cases, dtypes.ALL, refusals=(refuses("ValueError", "chunk", np.ones(3), 0),)),
)
