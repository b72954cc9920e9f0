"""Reductions, cumulative functions, differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from op_table.row import Call, Row, Source, call, refuses

# Sums of the values drawn stay exact or nearly so: what cancellation and overflow do is tested on its own.
TAME = (0.0, 1.0, -1.0, 0.5)


def default_sum_dtype(x: np.ndarray) -> np.dtype[Any]:
    """The standard sums small integers in the default integer of their sign."""
    small = {"i": "int64", "u": "uint64", "b": "int64"}
    return np.dtype(small.get(x.dtype.kind, x.dtype))


def reduction(name: str, reference: Callable[..., Any], special: Any = TAME, min_side: int = 0, **row: Any) -> Row:
    def cases(source: Source) -> Call:
        x = source.array(source.shape(min_side=min_side), special=special)
        return call(x, axis=source.axes(x.shape), keepdims=source.flag())

    row.setdefault(
        "refusals",
        (
            refuses("IndexError", name, np.ones((2, 3)), axis=2),
            refuses("ValueError", name, np.ones((2, 3)), axis=(0, 0)),
        ),
    )
    return Row(name, reference, cases, **row)


def summed(function: Callable[..., Any]) -> Callable[..., Any]:
    def reference(x: np.ndarray, axis: Any, keepdims: bool) -> Any:
        return function(x, axis=axis, keepdims=keepdims, dtype=default_sum_dtype(x))

    return reference


def spread(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis, correction, keepdims: function(x, axis=axis, ddof=correction, keepdims=keepdims)


def spread_cases(source: Source) -> Call:
    """At least two values in each set, so that a correction of 1 is defined."""
    shape = source.shape(min_dims=1, min_side=1)
    axis = source.axis(shape)
    shape = tuple(side + (index == axis % len(shape)) for index, side in enumerate(shape))
    return call(source.array(shape, special=TAME), axis=axis, correction=source.choice(0, 1), keepdims=source.flag())


def extremum_smooth(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1))
    return call(x, axis=source.axis(x.shape))


def position_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), low=-2, high=3)
    return call(x, axis=source.choice(None, source.axis(x.shape)), keepdims=source.flag())


def position(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis, keepdims: function(x, axis=axis, keepdims=keepdims)


def scan_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1), low=-2, high=3, special=TAME)
    return call(x, axis=source.axis(x.shape), include_initial=source.flag())


def scan(ufunc: np.ufunc) -> Callable[..., Any]:
    def reference(x: np.ndarray, axis: int, include_initial: bool) -> np.ndarray:
        dtype = default_sum_dtype(x)
        result = ufunc.accumulate(x, axis=axis, dtype=dtype)
        first = np.full_like(np.take(result, [], axis=axis), ufunc.identity)
        edge = np.full([1 if d == axis % x.ndim else s for d, s in enumerate(x.shape)], ufunc.identity, first.dtype)
        return np.concatenate([edge, result], axis=axis) if include_initial else result

    return reference


def running_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), low=-2, high=3, special=(0.0, 1.0))
    return call(x, source.axis(x.shape))


def running(ufunc: np.ufunc) -> Callable[..., Any]:
    """Values and the last position that holds them, as PyTorch has it."""

    def reference(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        values = ufunc.accumulate(x, axis)
        shape = [-1 if d == axis % x.ndim else 1 for d in range(x.ndim)]
        positions = np.where(x == values, np.arange(x.shape[axis]).reshape(shape), 0)
        return values, np.maximum.accumulate(positions, axis)

    return reference


def plain_scan(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda x, axis: ufunc.accumulate(x, axis=axis, dtype=default_sum_dtype(x))


def plain_scan_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1), low=-2, high=3, special=TAME)
    return call(x, source.axis(x.shape))


def median_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), special=TAME)
    return call(x, source.axis(x.shape), source.flag())


def median(x: np.ndarray, axis: int, keepdims: bool) -> np.ndarray:
    """The lower of the two middle values, as PyTorch has it."""
    return kthvalue(x, (x.shape[axis] - 1) // 2 + 1, axis, keepdims)[0]


def kth_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), special=TAME)
    axis = source.axis(x.shape)
    return call(x, source.integer(1, x.shape[axis]), axis, source.flag())


def kthvalue(x: np.ndarray, k: int, axis: int, keepdims: bool) -> tuple[np.ndarray, np.ndarray]:
    order = np.take(np.argsort(x, axis=axis, kind="stable"), [k - 1], axis=axis)
    found = np.take_along_axis(x, order, axis), order
    return found if keepdims else (found[0].squeeze(axis), found[1].squeeze(axis))


def counted_cases(source: Source) -> Call:
    x = source.indices(source.shape(min_dims=1, max_dims=1), 5)
    weights = source.choice(None, source.array(x.shape, dtype="float64", special=False))
    return call(x, weights, source.integer(0, 7))


def diff_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), special=TAME)
    axis = source.axis(x.shape)
    edge = source.array(tuple(2 if d == axis % x.ndim else s for d, s in enumerate(x.shape)), special=TAME)
    if source.flag():
        return call(x, axis=axis, n=source.integer(0, 2))
    return call(x, axis=axis, n=source.integer(1, 2), **{source.choice("prepend", "append"): edge})


def logsumexp(x: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
    return np.logaddexp.reduce(x, axis=axis, keepdims=keepdims)


def topk_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1))
    axis = source.axis(x.shape)
    return call(x, source.integer(0, x.shape[axis]), axis=axis, largest=source.flag())


def topk(x: np.ndarray, k: int, axis: int, largest: bool) -> tuple[np.ndarray, np.ndarray]:
    """NaN counts as the largest value; among equals the first position wins."""
    if largest:
        order = np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    else:
        order = np.argsort(x, axis=axis, kind="stable")
    chosen = np.take(order, np.arange(k), axis=axis)
    return np.take_along_axis(x, chosen, axis), chosen


def sorting_cases(source: Source) -> Call:
    # Few distinct values, so that stability is seen; NaN is placed by the conformance suite's rule, not NumPy's.
    special = (0.0, -1.0, 1.0, np.inf) if source.dtype in dtypes.FLOATS else True
    x = source.array(source.shape(min_dims=1), low=-2, high=3, special=special)
    return call(x, axis=source.axis(x.shape), descending=source.flag())


def argsort(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # Stable and descending: sort the reversed array ascending, then reverse what came out.
    return np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


def sort(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    return np.take_along_axis(x, argsort(x, axis, descending), axis)


def searchsorted_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, max_dims=1), special=False)
    return call(np.sort(x), source.array(source.shape(min_side=0), special=False), side=source.choice("left", "right"))


POSITIONS = "positions are integers"

ROWS = (
    reduction("sum", summed(np.sum), dtypes=dtypes.NUMERIC, result=None, slack=8),
    reduction("prod", summed(np.prod), dtypes=dtypes.NUMERIC, result=None, slack=32),
    reduction("mean", np.mean, dtypes=dtypes.FLOATS + dtypes.COMPLEX, slack=8),
    reduction("max", np.max, min_side=1, special=True, dtypes=dtypes.REAL, smooth=extremum_smooth),
    reduction("min", np.min, min_side=1, special=True, dtypes=dtypes.REAL, smooth=extremum_smooth),
    reduction("all", np.all, dtypes=dtypes.ALL, result="bool", gradient="boolean result"),
    reduction("any", np.any, dtypes=dtypes.ALL, result="bool", gradient="boolean result"),
    reduction("count_nonzero", np.count_nonzero, dtypes=dtypes.ALL, result="int64", gradient="a count"),
    reduction("logsumexp", logsumexp, special=True, slack=4),
    Row("var", spread(np.var), spread_cases, slack=16),
    Row("std", spread(np.std), spread_cases, slack=16),
    Row(
        "argmax",
        position(np.argmax),
        position_cases,
        dtypes.REAL,
        result="int64",
        gradient=POSITIONS,
        refusals=(refuses("ValueError", "argmax", np.ones((0,))),),
    ),
    Row(
        "argmin",
        position(np.argmin),
        position_cases,
        dtypes.REAL,
        result="int64",
        gradient=POSITIONS,
        refusals=(refuses("ValueError", "argmin", np.ones((0,))),),
    ),
    Row("cumulative_sum", scan(np.add), scan_cases, dtypes.NUMERIC, result=None, slack=8),
    Row("cumulative_prod", scan(np.multiply), scan_cases, dtypes.NUMERIC, result=None, slack=32),
    Row("cummax", running(np.maximum), running_cases, dtypes.REAL, result=None),
    Row("cummin", running(np.minimum), running_cases, dtypes.REAL, result=None),
    Row("cumsum", plain_scan(np.add), plain_scan_cases, dtypes.NUMERIC, result=None, slack=8),
    Row("cumprod", plain_scan(np.multiply), plain_scan_cases, dtypes.NUMERIC, result=None, slack=32),
    Row("median", median, median_cases, dtypes.REAL),
    Row(
        "kthvalue",
        kthvalue,
        kth_cases,
        dtypes.REAL,
        result=None,
        refusals=(refuses("ValueError", "kthvalue", np.ones(3), 4), refuses("ValueError", "kthvalue", np.ones(3), 0)),
    ),
    Row("bincount", np.bincount, counted_cases, ("int64",), result=None, gradient="counts"),
    Row("diff", np.diff, diff_cases, dtypes.NUMERIC, slack=8),
    Row("sort", sort, sorting_cases, dtypes.REAL, refusals=(refuses("IndexError", "sort", np.ones(2), axis=1),)),
    Row("argsort", argsort, sorting_cases, dtypes.REAL, result="int64", gradient=POSITIONS),
    Row(
        "topk",
        topk,
        topk_cases,
        dtypes.REAL,
        result=None,
        refusals=(
            refuses("ValueError", "topk", np.ones(3), 4),
            refuses("ValueError", "topk", np.ones(3), -1),
        ),
    ),
    Row(
        "searchsorted",
        np.searchsorted,
        searchsorted_cases,
        dtypes.REAL,
        result="int64",
        gradient=POSITIONS,
        structured=True,
        refusals=(refuses("ValueError", "searchsorted", np.ones(3), np.ones(3), side="middle"),),
    ),
)
