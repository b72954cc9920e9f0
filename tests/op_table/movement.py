"""Ops that move values and compute nothing: shapes, order, joining, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import dtypes
from op_table.row import Call, DType, Row, Shape, Source, call, refuses


def shaped(source: Source, **bounds: int) -> np.ndarray:
    return source.array(source.shape(**bounds))


def reshape_cases(source: Source) -> Call:
    x = shaped(source)
    target = list(source.choice((x.size,), x.shape[::-1], (1, *x.shape), (*x.shape, 1)))
    if x.size and target and source.flag():
        target[source.integer(0, len(target) - 1)] = -1
    return call(x, tuple(target))


def permutation(source: Source, ndim: int) -> tuple[int, ...]:
    return tuple(int(axis) for axis in source.random.permutation(ndim))


def permute_cases(source: Source) -> Call:
    x = shaped(source)
    return call(x, permutation(source, x.ndim))


def moveaxis_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1)
    count = source.integer(1, x.ndim)
    return call(x, permutation(source, x.ndim)[:count], permutation(source, x.ndim)[:count])


def expand_dims_cases(source: Source) -> Call:
    x = shaped(source)
    return call(x, axis=source.choice(source.integer(-x.ndim - 1, x.ndim), (0, x.ndim + 1)))


def squeeze_cases(source: Source) -> Call:
    x = shaped(source)
    axis = source.integer(0, x.ndim)
    return call(np.expand_dims(x, axis), axis=source.choice(axis, (axis - x.ndim - 1,)))


def broadcast_to_cases(source: Source) -> Call:
    shape = source.shape()
    return call(source.array(source.broadcastable(shape)), shape)


def broadcast_arrays_cases(source: Source) -> Call:
    shape = source.shape()
    return call(source.array(shape), source.array(source.broadcastable(shape)))


def broadcast_shapes_cases(source: Source) -> Call:
    shape = source.shape()
    return call(shape, source.broadcastable(shape))


def flip_cases(source: Source) -> Call:
    x = shaped(source)
    return call(x, axis=source.axes(x.shape))


def roll_cases(source: Source) -> Call:
    x = shaped(source)
    shift = source.integer(-7, 7)
    if not x.ndim or source.flag():
        return call(x, shift)
    return call(x, (shift, 2), axis=(source.axis(x.shape), source.axis(x.shape)))


def joined(source: Source, axis: int, shape: Shape) -> list[np.ndarray]:
    sides = [shape[axis], source.integer(0, 3), shape[axis]]
    return [source.array(tuple(side if d == axis else s for d, s in enumerate(shape))) for side in sides]


def concat_cases(source: Source) -> Call:
    shape = source.shape(min_dims=1)
    axis = source.axis(shape)
    return call(joined(source, axis % len(shape), shape), axis=axis)


def stack_cases(source: Source) -> Call:
    shape = source.shape(max_dims=2)
    return call([source.array(shape) for _ in range(3)], axis=source.integer(-len(shape) - 1, len(shape)))


def unstack_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1, min_side=1)
    return call(x, axis=source.axis(x.shape))


def unstack(x: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    return tuple(np.moveaxis(x, axis, 0))


def repeat_cases(source: Source) -> Call:
    x = shaped(source, min_dims=1)
    if source.flag():
        return call(x, source.integer(0, 3))
    axis = source.axis(x.shape)
    return call(x, source.random.integers(0, 3, x.shape[axis]), axis=axis)


def tile_cases(source: Source) -> Call:
    return call(shaped(source), source.shape(max_dims=4, max_side=3))


def triangle_cases(source: Source) -> Call:
    return call(shaped(source, min_dims=2), k=source.integer(-6, 6))


def meshgrid_cases(source: Source) -> Call:
    arrays = [source.array(source.shape(min_dims=1, max_dims=1)) for _ in range(source.integer(1, 3))]
    return call(*arrays, indexing=source.choice("xy", "ij"))


def pad_cases(source: Source) -> Call:
    """torch's order: the last axis first, (before, after) for each; `circular` and friends pad the last axes only."""
    mode = source.choice("constant", "reflect", "replicate", "circular")
    shape = source.shape(min_dims=3, max_dims=4, min_side=1)
    shape = (*shape[:2], *(side + 2 for side in shape[2:]))
    widths = tuple(source.integer(0, 2) for _ in range(2 * (len(shape) - 2)))
    if mode == "constant":
        value = True if source.dtype == "bool" else 2
        return call(source.array(shape), tuple(width - 1 for width in widths), mode, value)
    return call(source.array(shape), widths, mode)


def pad(x: np.ndarray, pad: tuple[int, ...], mode: str = "constant", value: Any = 0) -> np.ndarray:
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    if mode != "constant":
        numpy_mode = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
        return np.pad(x, pairs, numpy_mode)
    crop = tuple(
        slice(max(-before, 0), side - max(-after, 0)) for (before, after), side in zip(pairs, x.shape, strict=True)
    )
    widths = [(max(before, 0), max(after, 0)) for before, after in pairs]
    return np.pad(x[crop], widths, constant_values=value)


def astype_cases(source: Source) -> Call:
    # What a float beyond the integer's range becomes is checked with the boundary values.
    narrow = dtypes.UNSIGNED if source.dtype in dtypes.UNSIGNED else dtypes.SIGNED
    targets = ("bool", *narrow, *dtypes.WIDE_FLOATS) if source.dtype not in dtypes.COMPLEX else dtypes.COMPLEX
    return call(source.array(source.shape(), special=False), DType(source.choice(*targets)))


MOVES = dtypes.ALL

ROWS = (
    Row(
        "reshape",
        np.reshape,
        reshape_cases,
        MOVES,
        refusals=(
            refuses("ShapeError", "reshape", np.ones(6), (4, 2)),
            refuses("ValueError", "reshape", np.ones(6), (-1, -1)),
            refuses("ValueError", "reshape", np.ones(6), (-2, 3)),
        ),
    ),
    Row(
        "permute_dims",
        np.transpose,
        permute_cases,
        MOVES,
        refusals=(
            refuses("ValueError", "permute_dims", np.ones((2, 3)), (0, 0)),
            refuses("ValueError", "permute_dims", np.ones((2, 3)), (0,)),
        ),
    ),
    Row("moveaxis", np.moveaxis, moveaxis_cases, MOVES),
    Row(
        "matrix_transpose",
        lambda x: np.swapaxes(x, -1, -2),
        lambda source: call(shaped(source, min_dims=2)),
        MOVES,
        refusals=(refuses("ShapeError", "matrix_transpose", np.ones(2)),),
    ),
    Row(
        "expand_dims",
        np.expand_dims,
        expand_dims_cases,
        MOVES,
        refusals=(refuses("IndexError", "expand_dims", np.ones(2), axis=3),),
    ),
    Row(
        "squeeze",
        np.squeeze,
        squeeze_cases,
        MOVES,
        refusals=(refuses("ValueError", "squeeze", np.ones((2, 1)), axis=0),),
    ),
    Row(
        "broadcast_to",
        np.broadcast_to,
        broadcast_to_cases,
        MOVES,
        refusals=(refuses("ShapeError", "broadcast_to", np.ones(3), (2,)),),
    ),
    Row("broadcast_arrays", np.broadcast_arrays, broadcast_arrays_cases, MOVES),
    Row(
        "broadcast_shapes",
        np.broadcast_shapes,
        broadcast_shapes_cases,
        ("float32",),
        result=None,
        gradient="works on shapes",
        refusals=(refuses("ShapeError", "broadcast_shapes", (2,), (3,)),),
    ),
    Row("flip", np.flip, flip_cases, MOVES),
    Row("roll", np.roll, roll_cases, MOVES),
    Row(
        "concat",
        np.concatenate,
        concat_cases,
        MOVES,
        refusals=(
            refuses("ValueError", "concat", []),
            refuses("ShapeError", "concat", [np.ones((2, 3)), np.ones((2, 2))], axis=0),
        ),
    ),
    Row(
        "stack",
        np.stack,
        stack_cases,
        MOVES,
        refusals=(refuses("ShapeError", "stack", [np.ones(2), np.ones(3)]),),
    ),
    Row("unstack", unstack, unstack_cases, MOVES),
    Row(
        "repeat",
        np.repeat,
        repeat_cases,
        MOVES,
        structured=True,
        refusals=(refuses("ValueError", "repeat", np.ones(2), -1),),
    ),
    Row("tile", np.tile, tile_cases, MOVES),
    Row("tril", np.tril, triangle_cases, MOVES, refusals=(refuses("ShapeError", "tril", np.ones(2)),)),
    Row("triu", np.triu, triangle_cases, MOVES, refusals=(refuses("ShapeError", "triu", np.ones(2)),)),
    Row("meshgrid", np.meshgrid, meshgrid_cases, dtypes.NUMERIC),
    Row(
        "pad",
        pad,
        pad_cases,
        MOVES,
        refusals=(
            refuses("ValueError", "pad", np.ones((1, 1, 3)), (1, 1), "mirror"),
            refuses("ValueError", "pad", np.ones((1, 1, 3)), (3, 3), "reflect"),
        ),
    ),
    Row("astype", lambda x, dtype: x.astype(dtype), astype_cases, MOVES, result=None),
)
