"""What users pass by mistake and attackers on purpose: the values at the edge of every argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Make = Callable[[Any], Any]

INTEGERS = (-1, 0, 1, 64, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63), -(2**63) - 1)
FLOATS = (float("nan"), float("inf"), float("-inf"), -0.5, 1.5, 1e308, 5e-324)
SHAPES = (
    (),
    (0,),
    (-1,),
    (-1, -1),
    (0, 2**62, 2**62),
    (2**31, 2**33),
    (2**32, 2**32),
    (2**62, 4),
    (2**63,),
    (10**30,),
    (1,) * 65,
    (1.5,),
    (None,),
)
TEXTS = ("", "x", "\ud800", "a\0b", "mean", "same", "ij,jk->ik", b"x")


class LyingLength:
    """A sequence that claims more than it has."""

    def __len__(self) -> int:
        return 2**40

    def __getitem__(self, index: int) -> float:
        if index > 2:
            raise IndexError(index)
        return 1.0


class NegativeLength(LyingLength):
    def __len__(self) -> int:
        return -1


class RefusedError(Exception):
    """Raised by the objects below: it has to arrive unchanged."""


class RaisingIndex:
    def __index__(self) -> int:
        raise RefusedError("index")

    def __float__(self) -> float:
        raise RefusedError("float")

    def __len__(self) -> int:
        raise RefusedError("len")

    def __getitem__(self, index: int) -> float:
        raise RefusedError("getitem")


def nested_list() -> list[Any]:
    value: list[Any] = [1.0]
    for _ in range(10_000):
        value = [value]
    return value


def endless_list() -> list[Any]:
    value: list[Any] = [1.0]
    value.append(value)
    return value


def unaligned() -> np.ndarray:
    return np.zeros(33, np.uint8)[1:33].view(np.float64)


NUMPY_ARRAYS: dict[str, Callable[[], np.ndarray]] = {
    "negative strides": lambda: np.arange(6.0).reshape(2, 3)[::-1, ::-1],
    "zero strides": lambda: np.broadcast_to(np.float32(1), (2, 3)),
    "unaligned": unaligned,
    "byte-swapped": lambda: np.ones(3, ">f4"),
    "object": lambda: np.array([1, "x", None], object),
    "structured": lambda: np.zeros(2, [("a", "i4"), ("b", "f8")]),
    "text": lambda: np.array(["a", "bc"]),
    "dates": lambda: np.array(["2020-01-01"], "datetime64[D]"),
    "long double": lambda: np.ones(2, np.longdouble),
    "empty and long": lambda: np.empty((0, 2**31)),
    "64 axes": lambda: np.ones((1,) * 64),
}

TENSORS: dict[str, Make] = {
    "empty tensor": lambda fg: fg.ones((0,)),
    "empty matrix": lambda fg: fg.ones((3, 0)),
    "0-d tensor": lambda fg: fg.asarray(1.0),
    "one value": lambda fg: fg.ones((1, 1)),
    "seven axes": lambda fg: fg.ones((1,) * 7),
    "other shape": lambda fg: fg.ones((2, 7)),
    "NaN and inf": lambda fg: fg.asarray([float("nan"), float("inf"), -float("inf")]),
    "bool tensor": lambda fg: fg.asarray([True, False]),
    "complex tensor": lambda fg: fg.asarray([1j, 2]),
    "half tensor": lambda fg: fg.ones((2, 2), dtype=fg.bfloat16),
    "small integers": lambda fg: fg.asarray([-128, 127], dtype=fg.int8),
    "largest uint64": lambda fg: fg.asarray([2**64 - 1], dtype=fg.uint64),
    "zeros": lambda fg: fg.zeros((2, 2), dtype=fg.int64),
    "past the end": lambda fg: fg.asarray([0, 5]),
    "before the start": lambda fg: fg.asarray([-7]),
    "far past the end": lambda fg: fg.asarray([2**63 - 1, -(2**63)]),
    "broadcast": lambda fg: fg.broadcast_to(fg.ones((1, 1)), (3, 3)),
    "needs gradient": lambda fg: fg.tensor([1.0, 2.0], requires_grad=True),
}


def constant(value: Any) -> Make:
    return lambda fg: value


def fresh(make: Callable[[], Any]) -> Make:
    return lambda fg: make()


VALUES: dict[str, Make] = {
    **{f"{value!r}": constant(value) for value in (*INTEGERS, *FLOATS, *SHAPES, *TEXTS, None, True)},
    **{name: fresh(make) for name, make in NUMPY_ARRAYS.items()},
    **TENSORS,
    "list": fresh(lambda: [1.0, 2.0]),
    "ragged list": fresh(lambda: [[1.0, 2.0], [3.0]]),
    "mixed list": fresh(lambda: [1, "x", None]),
    "nested 10,000 deep": fresh(nested_list),
    "contains itself": fresh(endless_list),
    "dict": fresh(dict),
    "object": fresh(object),
    "lying length": fresh(LyingLength),
    "negative length": fresh(NegativeLength),
    "raising index": fresh(RaisingIndex),
    "a class": constant(int),
    "a dtype": lambda fg: fg.float64,
    "list of tensors": lambda fg: [fg.ones(2), fg.ones(3)],
}
