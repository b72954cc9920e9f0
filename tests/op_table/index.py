"""Gathering, scattering, embedding, positions and sets."""

from __future__ import annotations

import numpy as np

from harness import dtypes
from op_table.row import Call, Row, Source, call, refuses

BEYOND = np.array([0, 3])


def axis_of(source: Source, **bounds: int) -> tuple[np.ndarray, int]:
    x = source.array(source.shape(min_dims=1, min_side=1, **bounds))
    return x, source.axis(x.shape)


def take_cases(source: Source) -> Call:
    x, axis = axis_of(source)
    return call(x, source.indices(source.shape(min_dims=1, max_dims=1), x.shape[axis]), axis=axis)


def reordered(example: Call) -> Call:
    """torch's order: the axis before the index."""
    return call(example.args[0], example.kwargs["axis"], example.args[1])


def along_axis_cases(source: Source) -> Call:
    x, axis = axis_of(source)
    shape = tuple(source.integer(1, 4) if d == axis % x.ndim else s for d, s in enumerate(x.shape))
    return call(x, source.indices(shape, x.shape[axis]), axis=axis)


def smaller_index(source: Source, x: np.ndarray, axis: int) -> np.ndarray:
    """torch's rule: the index may be smaller than the input on the other axes and of any length on `axis`."""
    shape = tuple(source.integer(1, 4) if d == axis % x.ndim else source.integer(1, s) for d, s in enumerate(x.shape))
    return source.indices(shape, x.shape[axis])


def positions(index: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    grid = list(np.indices(index.shape))
    grid[axis] = index
    return tuple(grid)


def gather_cases(source: Source) -> Call:
    x, axis = axis_of(source)
    return call(x, axis, smaller_index(source, x, axis))


def gather(x: np.ndarray, axis: int, index: np.ndarray) -> np.ndarray:
    return x[positions(index, axis)]


def scatter_add_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), special=False)
    axis = source.axis(x.shape)
    index = smaller_index(source, x, axis)
    return call(x, axis, index, source.array(index.shape, special=False))


def scatter_cases(source: Source) -> Call:
    """Every target once: which of two writes wins is nobody's promise."""
    x, axis = axis_of(source)
    index = np.argsort(source.random.random(x.shape), axis=axis)
    return call(x, axis, index, source.array(index.shape))


def scatter(x: np.ndarray, axis: int, index: np.ndarray, src: np.ndarray) -> np.ndarray:
    result = x.copy()
    result[positions(index, axis)] = src
    return result


def scatter_add(x: np.ndarray, axis: int, index: np.ndarray, src: np.ndarray) -> np.ndarray:
    result = x.copy()
    np.add.at(result, positions(index, axis), src)
    return result


def index_add_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), special=False)
    axis = source.axis(x.shape)
    index = source.indices((source.integer(1, 4),), x.shape[axis])
    shape = tuple(index.size if d == axis % x.ndim else s for d, s in enumerate(x.shape))
    return call(x, axis, index, source.array(shape, special=False))


def index_add(x: np.ndarray, axis: int, index: np.ndarray, src: np.ndarray) -> np.ndarray:
    result = x.copy()
    np.add.at(np.moveaxis(result, axis, 0), index, np.moveaxis(src, axis, 0))
    return result


def embedding_cases(source: Source) -> Call:
    weight = source.array((source.integer(1, 6), source.integer(1, 4)))
    return call(source.indices(source.shape(max_dims=2), len(weight)), weight)


def sparse_array(source: Source) -> Call:
    return call(source.array(source.shape(min_dims=1), low=-1, high=2, special=False))


def nonzero(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.nonzero(x)


def few_values(source: Source) -> np.ndarray:
    values = source.array(source.shape(), low=-2, high=3, special=(0.0, 1.0))
    return np.round(values.real).astype(values.dtype) if values.dtype.kind in "fc" else values


def isin_cases(source: Source) -> Call:
    return call(few_values(source), few_values(source), invert=source.flag())


def set_cases(source: Source) -> Call:
    return call(few_values(source))


def unique_all(x: np.ndarray) -> tuple[np.ndarray, ...]:
    found = np.unique(x, return_index=True, return_inverse=True, return_counts=True, equal_nan=False)
    values, first, inverse, counts = found
    return values, first, inverse.reshape(x.shape), counts


POSITIONS = "positions are integers"
OUT_OF_RANGE = "index|range|bounds"


ROWS = (
    Row(
        "take",
        lambda x, indices, axis: np.take(x, indices, axis),
        take_cases,
        dtypes.ALL,
        refusals=(refuses("IndexError", OUT_OF_RANGE, np.ones(3), BEYOND, axis=0),),
    ),
    Row(
        "index_select",
        lambda x, axis, index: np.take(x, index, axis),
        lambda source: reordered(take_cases(source)),
        dtypes.ALL,
        refusals=(refuses("IndexError", OUT_OF_RANGE, np.ones(3), 0, BEYOND),),
    ),
    Row(
        "take_along_axis",
        np.take_along_axis,
        along_axis_cases,
        dtypes.ALL,
        refusals=(refuses("IndexError", OUT_OF_RANGE, np.ones(3), BEYOND, axis=0),),
    ),
    Row(
        "gather",
        gather,
        gather_cases,
        dtypes.ALL,
        refusals=(
            refuses("IndexError", OUT_OF_RANGE, np.ones(3), 0, BEYOND),
            refuses("DTypeError", "gather", np.ones(3), 0, np.ones(2)),
        ),
    ),
    Row(
        "scatter",
        scatter,
        scatter_cases,
        dtypes.ALL,
        structured=True,
        refusals=(refuses("IndexError", OUT_OF_RANGE, np.ones(3), 0, BEYOND, np.ones(2)),),
    ),
    Row(
        "scatter_add",
        scatter_add,
        scatter_add_cases,
        dtypes.NUMERIC,
        slack=8,
        refusals=(refuses("IndexError", OUT_OF_RANGE, np.ones(3), 0, BEYOND, np.ones(2)),),
    ),
    Row(
        "index_add",
        index_add,
        index_add_cases,
        dtypes.NUMERIC,
        slack=8,
        refusals=(
            refuses("IndexError", OUT_OF_RANGE, np.ones(3), 0, BEYOND, np.ones(2)),
            refuses("ShapeError", "index_add", np.ones(3), 0, np.array([0, 1]), np.ones(3)),
        ),
    ),
    Row(
        "embedding",
        lambda indices, weight: weight[indices],
        embedding_cases,
        result=None,
        refusals=(refuses("IndexError", OUT_OF_RANGE, np.array([3]), np.ones((3, 2))),),
    ),
    Row("nonzero", nonzero, sparse_array, dtypes.ALL, result="int64", gradient=POSITIONS),
    Row("isin", np.isin, isin_cases, dtypes.NUMERIC, result="bool", gradient="boolean result"),
    Row(
        "unique_values",
        lambda x: np.unique(x, equal_nan=False),
        set_cases,
        dtypes.REAL,
        gradient="a set has no derivative",
    ),
    Row("unique_all", unique_all, set_cases, dtypes.REAL, result=None, gradient="a set has no derivative"),
    Row(
        "unique_counts",
        lambda x: np.unique(x, return_counts=True, equal_nan=False),
        set_cases,
        dtypes.REAL,
        result=None,
        gradient="a set has no derivative",
    ),
    Row(
        "unique_inverse",
        lambda x: (unique_all(x)[0], unique_all(x)[2]),
        set_cases,
        dtypes.REAL,
        result=None,
        gradient="a set has no derivative",
    ),
)
