"""Elementwise functions of two tensors, comparisons, selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from op_table.row import Call, Row, Source, call, refuses

FLOATING = dtypes.FLOATS + dtypes.COMPLEX
BITS = ("bool", *dtypes.INTEGERS)


def pair(source: Source, **values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays whose shapes broadcast, either of them the smaller one."""
    shape = source.shape()
    shapes = [shape, source.broadcastable(shape)]
    if source.flag():
        shapes.reverse()
    first, second = (source.array(each, **values) for each in shapes)
    return first, second


def binary(
    name: str,
    reference: Callable[..., Any],
    low: float = -4.0,
    high: float = 4.0,
    smooth: tuple[float, float] | None = None,
    **row: Any,
) -> Row:
    def cases(source: Source) -> Call:
        return call(*pair(source, low=low, high=high, special=source.dtype not in dtypes.COMPLEX))

    def smooth_cases(source: Source) -> Call:
        first, last = smooth or (low, high)
        return call(*pair(source, low=first, high=last))

    first = row.get("dtypes", ("float64",))[0]
    row.setdefault("refusals", (refuses("ShapeError", name, np.ones((2, 3), first), np.ones((2, 4), first)),))
    return Row(name, reference, cases, smooth=smooth_cases, **row)


def comparison(name: str, reference: Callable[..., Any], types: tuple[str, ...]) -> Row:
    def cases(source: Source) -> Call:
        # Few distinct values, so that ties occur.
        return call(*pair(source, low=-1, high=2))

    return Row(name, reference, cases, types, result="bool", gradient="boolean result")


def bitwise(name: str, reference: Callable[..., Any]) -> Row:
    refusals = (refuses("DTypeError", name, np.ones(2), np.ones(2)),)
    return binary(name, reference, dtypes=BITS, gradient="integers", refusals=refusals)


def divisors(source: Source) -> Call:
    """Integers divide by anything but zero; what they give there is checked with the boundary values."""
    # By infinity the standard and NumPy differ, and the conformance suite knows the standard.
    first, second = pair(source, special=(0.0, 0.5, -1.0, 1.0) if source.dtype in dtypes.FLOATS else True)
    if second.dtype.kind in "iu":
        second = np.where(second == 0, np.array(1, second.dtype), second)
        second = np.where((second == -1) & (second.dtype.kind == "i"), np.array(3, second.dtype), second)
    return call(first, second)


def shifts(source: Source) -> Call:
    shape = source.shape()
    return call(source.array(shape), source.array(source.broadcastable(shape), low=0, high=7, special=False))


def powers(source: Source) -> Call:
    shape = source.shape()
    if source.dtype in dtypes.INTEGERS:
        return call(
            source.array(shape, low=-3, high=3, special=False), source.array(shape, low=0, high=4, special=False)
        )
    return call(*pair(source, special=source.dtype not in dtypes.COMPLEX))


def clip_cases(source: Source) -> Call:
    x = source.array(source.shape())
    low = source.choice(None, -1, source.array(source.broadcastable(x.shape), low=-2, high=0, special=False))
    if source.dtype in dtypes.UNSIGNED and isinstance(low, int):
        low = 1
    high = source.choice(None, 2, source.array(source.broadcastable(x.shape), low=1, high=3, special=False))
    return call(x, low, high)


def clip(x: np.ndarray, low: Any, high: Any) -> np.ndarray:
    # np.clip would broadcast a float64 bound into the result's type; the standard keeps x's.
    x = x if low is None else np.where(np.isnan(x), x, np.maximum(x, low)).astype(x.dtype)
    return x if high is None else np.where(np.isnan(x), x, np.minimum(x, high)).astype(x.dtype)


def where_cases(source: Source) -> Call:
    first, second = pair(source)
    shape = np.broadcast_shapes(first.shape, second.shape)
    return call(source.array(source.broadcastable(shape), dtype="bool"), first, second)


def masked_fill_cases(source: Source) -> Call:
    x = source.array(source.shape())
    value = True if source.dtype == "bool" else 2 if source.dtype in dtypes.INTEGERS else 2.5
    return call(x, source.array(source.broadcastable(x.shape), dtype="bool"), value)


ROWS = (
    binary("add", np.add, dtypes=dtypes.NUMERIC),
    binary("subtract", np.subtract, dtypes=dtypes.NUMERIC),
    binary("multiply", np.multiply, dtypes=dtypes.NUMERIC, slack=4),
    binary("divide", np.divide, smooth=(0.3, 4), dtypes=FLOATING, slack=4),
    binary("maximum", np.maximum, dtypes=dtypes.REAL),
    binary("minimum", np.minimum, dtypes=dtypes.REAL),
    binary("atan2", np.arctan2, smooth=(0.2, 4)),
    binary("hypot", np.hypot, smooth=(0.2, 4)),
    binary("logaddexp", np.logaddexp),
    binary("copysign", np.copysign),
    binary("nextafter", np.nextafter, dtypes=dtypes.WIDE_FLOATS, exact=True, gradient="a step of one bit"),
    Row("pow", np.power, powers, dtypes.NUMERIC, smooth=lambda s: call(*pair(s, low=0.3, high=3)), slack=20),
    Row("floor_divide", np.floor_divide, divisors, dtypes.INTEGERS + dtypes.WIDE_FLOATS, exact=True),
    Row(
        "remainder",
        np.remainder,
        divisors,
        dtypes.INTEGERS + dtypes.WIDE_FLOATS,
        exact=True,
        smooth=lambda s: call(s.array(s.shape(), low=-3.9, high=-3.1), np.array(2.0)),
    ),
    comparison("equal", np.equal, dtypes.ALL),
    comparison("not_equal", np.not_equal, dtypes.ALL),
    comparison("less", np.less, dtypes.REAL),
    comparison("less_equal", np.less_equal, dtypes.REAL),
    comparison("greater", np.greater, dtypes.REAL),
    comparison("greater_equal", np.greater_equal, dtypes.REAL),
    comparison("logical_and", np.logical_and, ("bool",)),
    comparison("logical_or", np.logical_or, ("bool",)),
    comparison("logical_xor", np.logical_xor, ("bool",)),
    bitwise("bitwise_and", np.bitwise_and),
    bitwise("bitwise_or", np.bitwise_or),
    bitwise("bitwise_xor", np.bitwise_xor),
    Row("bitwise_left_shift", np.left_shift, shifts, dtypes.INTEGERS, gradient="integers"),
    Row("bitwise_right_shift", np.right_shift, shifts, dtypes.INTEGERS, gradient="integers"),
    Row("clip", clip, clip_cases, dtypes.REAL, refusals=(refuses("ShapeError", "broadcast", np.ones(2), np.ones(3)),)),
    Row(
        "where",
        np.where,
        where_cases,
        dtypes.ALL,
        refusals=(refuses("DTypeError", "where", np.ones(2), np.ones(2), np.ones(2)),),
    ),
    Row(
        "masked_fill",
        lambda x, mask, value: np.where(mask, np.array(value, x.dtype), x),
        masked_fill_cases,
        dtypes.ALL,
        refusals=(refuses("DTypeError", "bool", np.ones(2), np.ones(2), 1.0),),
    ),
)
