"""One `Call` of the op table, as the op sees it and as its reference sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness import compare, dtypes
from harness.layouts import LAYOUTS, Placed
from op_table.row import Call, DrawnSource, DType, Row


@st.composite
def calls(draw: Any, row: Row, dtype: str, smooth: bool = False) -> Call:
    make = row.smooth if smooth and row.smooth else row.cases
    return make(DrawnSource(draw, dtype, smooth))


def mapped(call: Call, change: Callable[[Any], Any]) -> Call:
    """The call with `change` applied to every argument, those inside lists of tensors included."""

    def each(value: Any) -> Any:
        if isinstance(value, list):
            return [each(item) for item in value]
        return change(value)

    return Call(tuple(map(each, call.args)), {name: each(value) for name, value in call.kwargs.items()})


def arrays(call: Call) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    mapped(call, lambda value: found.append(value) if isinstance(value, np.ndarray) else None)
    return found


def placed(call: Call, row: Row, layout: str) -> tuple[Call, Call]:
    """(the call with `Placed` arrays, the call with the values that they have in this layout)."""

    def place(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        if layout == "broadcast" and row.structured:
            return LAYOUTS["contiguous"](value)
        return LAYOUTS[layout](value)

    laid = mapped(call, place)
    return laid, mapped(laid, lambda value: value.values if isinstance(value, Placed) else value)


def array_dtype(values: np.ndarray, dtype: str) -> str:
    """The tensor's dtype: NumPy's own, except that bfloat16 values travel in float32."""
    return "bfloat16" if dtype == "bfloat16" and values.dtype == np.float32 else values.dtype.name


def for_op(fg: Any, call: Call, dtype: str, device: str = "cpu") -> Call:
    """Tensors for arrays and placed arrays, `fg`'s dtypes for their names."""

    def convert(value: Any) -> Any:
        if isinstance(value, Placed):
            leaf = compare.to_tensor(fg, value.leaf, array_dtype(value.leaf, dtype), device)
            return value.view(fg, leaf)
        if isinstance(value, np.ndarray):
            return compare.to_tensor(fg, value, array_dtype(value, dtype), device)
        return getattr(fg, value) if isinstance(value, DType) else value

    return mapped(call, convert)


def for_reference(row: Row, call: Call) -> Call:
    def convert(value: Any) -> Any:
        if isinstance(value, DType):
            return dtypes.storage(value)
        return value if row.exact else dtypes.wide(value)

    return mapped(call, convert)


def expected(row: Row, call: Call) -> Any:
    arguments = for_reference(row, call)
    with np.errstate(all="ignore"):
        return row.reference(*arguments.args, **arguments.kwargs)
