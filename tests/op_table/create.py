"""Creation, and functions about dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from op_table.row import Call, DType, Row, Source, call, refuses

CREATES = "takes no tensor, or not its values"


def filled_cases(source: Source) -> Call:
    return call(source.shape(), dtype=DType(source.dtype))


def full_cases(source: Source) -> Call:
    value = True if source.dtype == "bool" else 3
    return call(source.shape(), value, dtype=DType(source.dtype))


def like_cases(source: Source) -> Call:
    return call(source.array(source.shape()))


def any_values(result: Any, example: Call) -> None:
    """The values of `empty` are nobody's business; the driver compares shape and dtype."""


def arange_cases(source: Source) -> Call:
    start, stop = source.integer(-5, 5), source.integer(-5, 9)
    if source.dtype in dtypes.UNSIGNED:
        start, stop = abs(start), abs(stop)
    return call(start, stop, source.choice(1, 2, 3), dtype=DType(source.dtype))


def linspace_cases(source: Source) -> Call:
    start, stop = source.random.uniform(-5, 5, 2)
    return call(float(start), float(stop), source.integer(0, 9), endpoint=source.flag(), dtype=DType(source.dtype))


def linspace(start: float, stop: float, num: int, endpoint: bool, dtype: Any) -> np.ndarray:
    return np.linspace(start, stop, num, endpoint=endpoint, dtype="float64")


def eye_cases(source: Source) -> Call:
    return call(
        source.integer(0, 4),
        source.choice(None, source.integer(0, 4)),
        k=source.integer(-5, 5),
        dtype=DType(source.dtype),
    )


def creation(name: str, reference: Callable[..., Any], cases: Callable[[Source], Call], **row: Any) -> Row:
    return Row(name, reference, cases, row.pop("dtypes", dtypes.ALL), result=None, gradient=CREATES, **row)


def one_hot_cases(source: Source) -> Call:
    return call(source.indices(source.shape(max_dims=2), 4), source.integer(4, 6))


def one_hot(indices: np.ndarray, num_classes: int) -> np.ndarray:
    return (indices[..., None] == np.arange(num_classes)).astype("int64")


def about_dtypes(name: str, reference: Callable[..., Any], cases: Callable[[Source], Call], **row: Any) -> Row:
    return Row(name, reference, cases, ("float32",), result=None, gradient="works on dtypes", **row)


NUMPY_NAMES = tuple(name for name in dtypes.ALL if name != "bfloat16")

ROWS = (
    creation("zeros", np.zeros, filled_cases, refusals=(refuses("ValueError", "zeros", (-1,)),)),
    creation("ones", np.ones, filled_cases, refusals=(refuses("MemoryError", "out of memory", (2**40,)),)),
    creation(
        "empty",
        np.empty,
        filled_cases,
        check=any_values,
        refusals=(refuses("ValueError", "too many elements", (2**62, 4)),),
    ),
    creation("full", np.full, full_cases, refusals=(refuses("TypeError", "full", (2,), "x"),)),
    Row("zeros_like", np.zeros_like, like_cases, dtypes.ALL, gradient=CREATES),
    Row("ones_like", np.ones_like, like_cases, dtypes.ALL, gradient=CREATES),
    Row("empty_like", np.empty_like, like_cases, dtypes.ALL, gradient=CREATES, check=any_values),
    Row(
        "full_like",
        lambda x, value: np.full_like(x, value),
        lambda source: call(source.array(source.shape()), source.dtype == "bool" or 3),
        dtypes.ALL,
        gradient=CREATES,
    ),
    creation(
        "arange",
        np.arange,
        arange_cases,
        dtypes=dtypes.REAL,
        refusals=(refuses("ValueError", "arange", 0, 5, 0),),
    ),
    creation(
        "linspace",
        linspace,
        linspace_cases,
        dtypes=dtypes.FLOATS,
        refusals=(refuses("ValueError", "linspace", 0.0, 1.0, -1),),
        slack=4,
    ),
    creation("eye", np.eye, eye_cases, refusals=(refuses("ValueError", "eye", -1),)),
    creation("asarray", np.asarray, like_cases, refusals=(refuses("ValueError", "ragged", [[1, 2], [3]]),)),
    creation("tensor", np.asarray, like_cases),
    creation("from_dlpack", lambda x: x, like_cases),
    Row(
        "one_hot",
        one_hot,
        one_hot_cases,
        ("int64",),
        result="int64",
        gradient="integer result",
        refusals=(
            refuses("IndexError", "one_hot", np.array([0, 5]), 5),
            refuses("IndexError", "one_hot", np.array([-1]), 5),
        ),
    ),
    about_dtypes(
        "can_cast",
        np.can_cast,
        lambda source: call(DType(source.choice(*NUMPY_NAMES)), DType(source.choice("int64", "float64", "complex128"))),
    ),
    about_dtypes(
        "isdtype",
        np.isdtype,
        lambda source: call(
            DType(source.choice(*NUMPY_NAMES)), source.choice("bool", "integral", "real floating", "numeric")
        ),
    ),
    about_dtypes(
        "result_type",
        lambda *dtypes: str(np.result_type(*dtypes)),
        lambda source: call(DType(source.choice(*dtypes.SIGNED)), DType(source.choice("int32", "uint8", "uint32"))),
        find=lambda fg: lambda *dtypes: str(fg.result_type(*dtypes)),
    ),
    about_dtypes(
        "finfo",
        lambda dtype: np.finfo(dtype).bits,
        lambda source: call(DType(source.choice("float16", "float32", "float64"))),
        find=lambda fg: lambda dtype: fg.finfo(dtype).bits,
    ),
    about_dtypes(
        "iinfo",
        lambda dtype: np.iinfo(dtype).bits,
        lambda source: call(DType(source.choice(*dtypes.INTEGERS))),
        find=lambda fg: lambda dtype: fg.iinfo(dtype).bits,
    ),
)
