"""Elementwise functions of one tensor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from op_table.row import Call, Row, Source, call, refuses

FLOATING = dtypes.FLOATS + dtypes.COMPLEX
erf = np.vectorize(math.erf, otypes=[float])


def unary(
    name: str,
    reference: Callable[..., Any],
    low: float = -4.0,
    high: float = 4.0,
    smooth: tuple[float, float] | None = None,
    **row: Any,
) -> Row:
    """Values from [low, high) and special ones; `smooth` is the interval of the gradient test."""

    def cases(source: Source) -> Call:
        # Complex special values are the conformance suite's: the standard and NumPy differ there.
        return call(source.array(source.shape(), low=low, high=high, special=source.dtype not in dtypes.COMPLEX))

    def smooth_cases(source: Source) -> Call:
        first, last = smooth or (low, high)
        return call(source.array(source.shape(), low=first, high=last))

    row.setdefault("refusals", (refuses("TypeError", name, "not a tensor"),))
    return Row(name, reference, cases, smooth=smooth_cases, **row)


def predicate(name: str, reference: Callable[..., Any], dtypes: tuple[str, ...], **row: Any) -> Row:
    return unary(name, reference, dtypes=dtypes, result="bool", gradient="boolean result", **row)


ROWS = (
    unary("abs", np.abs, dtypes=dtypes.NUMERIC, result=None),
    unary("negative", np.negative, dtypes=dtypes.NUMERIC),
    unary("positive", np.positive, dtypes=dtypes.NUMERIC),
    unary("square", np.square, dtypes=dtypes.NUMERIC),
    unary("sign", np.sign, dtypes=dtypes.NUMERIC),
    unary("reciprocal", np.reciprocal, smooth=(0.3, 4), dtypes=FLOATING),
    unary("sqrt", np.sqrt, smooth=(0.1, 4), dtypes=FLOATING),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), smooth=(0.1, 4)),
    unary("exp", np.exp, dtypes=FLOATING, slack=2),
    unary("exp2", np.exp2, slack=2),
    unary("expm1", np.expm1, dtypes=FLOATING, slack=2),
    unary("log", np.log, smooth=(0.1, 4), dtypes=FLOATING),
    unary("log1p", np.log1p, smooth=(-0.8, 4), dtypes=FLOATING),
    unary("log2", np.log2, smooth=(0.1, 4), dtypes=FLOATING),
    unary("log10", np.log10, smooth=(0.1, 4), dtypes=FLOATING),
    unary("sin", np.sin, dtypes=FLOATING),
    unary("cos", np.cos, dtypes=FLOATING),
    unary("tan", np.tan, smooth=(-1, 1), dtypes=FLOATING, slack=8),
    unary("asin", np.arcsin, smooth=(-0.9, 0.9), dtypes=FLOATING),
    unary("acos", np.arccos, smooth=(-0.9, 0.9), dtypes=FLOATING),
    unary("atan", np.arctan, dtypes=FLOATING),
    unary("sinh", np.sinh, dtypes=FLOATING, slack=2),
    unary("cosh", np.cosh, dtypes=FLOATING, slack=2),
    unary("tanh", np.tanh, dtypes=FLOATING),
    unary("asinh", np.arcsinh, dtypes=FLOATING),
    unary("acosh", np.arccosh, smooth=(1.2, 4), dtypes=FLOATING),
    unary("atanh", np.arctanh, smooth=(-0.9, 0.9), dtypes=FLOATING),
    unary("erf", erf),
    unary("floor", np.floor, dtypes=dtypes.REAL),
    unary("ceil", np.ceil, dtypes=dtypes.REAL),
    unary("trunc", np.trunc, dtypes=dtypes.REAL),
    unary("round", np.round, dtypes=dtypes.REAL),
    unary("conj", np.conj, dtypes=dtypes.NUMERIC),
    unary("real", np.real, dtypes=dtypes.NUMERIC, result=None),
    unary("imag", np.imag, dtypes=dtypes.COMPLEX, result=None, gradient="complex input"),
    predicate("isfinite", np.isfinite, dtypes.NUMERIC),
    predicate("isinf", np.isinf, dtypes.NUMERIC),
    predicate("isnan", np.isnan, dtypes.NUMERIC),
    predicate("signbit", np.signbit, dtypes.FLOATS),
    predicate("logical_not", np.logical_not, ("bool",)),
    unary("bitwise_invert", np.invert, dtypes=("bool", *dtypes.INTEGERS), gradient="integers"),
)
