"""The array API's functions about dtypes and the namespace itself. https://data-apis.org/array-api/2025.12"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ferrograd import _core
from ferrograd._core import DType, Tensor

__all__ = [
    "FInfo",
    "IInfo",
    "UniqueAll",
    "UniqueCounts",
    "UniqueInverse",
    "astype",
    "broadcast_arrays",
    "broadcast_shapes",
    "can_cast",
    "concat",
    "e",
    "einsum",
    "finfo",
    "iinfo",
    "inf",
    "isdtype",
    "meshgrid",
    "nan",
    "newaxis",
    "pi",
    "result_type",
    "unique_all",
    "unique_counts",
    "unique_inverse",
]

e = 2.718281828459045
pi = 3.141592653589793
inf = float("inf")
nan = float("nan")
newaxis = None

_NAMES = {
    "bool": ["bool"],
    "signed integer": ["int8", "int16", "int32", "int64"],
    "unsigned integer": ["uint8", "uint16", "uint32", "uint64"],
    "real floating": ["float32", "float64"],
    "complex floating": ["complex64", "complex128"],
}
_NAMES["integral"] = _NAMES["signed integer"] + _NAMES["unsigned integer"]
_NAMES["numeric"] = _NAMES["integral"] + _NAMES["real floating"] + _NAMES["complex floating"]
_HALVES = {"real floating": ["float16", "bfloat16"], "numeric": ["float16", "bfloat16"]}


def astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: str | None = None) -> Tensor:
    """x in another dtype; with copy=False the same tensor when nothing changes.

    >>> import ferrograd as fg
    >>> fg.astype(fg.tensor([1.7, -1.7]), fg.int32)
    tensor([ 1, -1], dtype=int32)
    """
    out = _core._astype(x, dtype)
    if device is not None:
        out = out.to(device=device)
    return out.clone() if copy and out.dtype == x.dtype and out.device == x.device else out


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """Every tensor stretched to their common shape.

    >>> import ferrograd as fg
    >>> [x.shape for x in fg.broadcast_arrays(fg.zeros((3, 1)), fg.zeros(2))]
    [(3, 2), (3, 2)]
    """
    return _core._broadcast_arrays(arrays)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape that these shapes stretch to.

    >>> import ferrograd as fg
    >>> fg.broadcast_shapes((3, 1), (2,))
    (3, 2)
    """
    out: list[int] = []
    for shape in shapes:
        lead = [1] * (len(shape) - len(out)) + out
        padded = [1] * (len(lead) - len(shape)) + list(shape)
        for a, b in zip(lead, padded, strict=True):
            if a != b and 1 not in (a, b):
                raise _core.ShapeError(f"broadcast_shapes: shapes do not broadcast, got {shapes}")
        out = [b if a == 1 else a for a, b in zip(lead, padded, strict=True)]
    return tuple(out)


def concat(arrays: tuple[Tensor, ...] | list[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Tensors joined along an axis that is there; axis=None flattens them first.

    >>> import ferrograd as fg
    >>> fg.concat([fg.zeros(2), fg.ones(1)])
    tensor([0., 0., 1.])
    """
    return _core._concat(arrays, axis)


class UniqueAll(NamedTuple):
    """Distinct values, where each first occurs, which one each element is, and how often each occurs."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """Distinct values and how often each occurs."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """Distinct values and which one each element is."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Tensor, /) -> UniqueAll:
    """Distinct elements in ascending order with all that is known about them; every NaN is its own.

    >>> import ferrograd as fg
    >>> fg.unique_all(fg.tensor([3, 1, 3])).counts
    tensor([1, 2])
    """
    return UniqueAll(*_core._unique_all(x))


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """Distinct elements in ascending order and how often each occurs.

    >>> import ferrograd as fg
    >>> fg.unique_counts(fg.tensor([3, 1, 3])).values
    tensor([1, 3])
    """
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """Distinct elements in ascending order and which one each element of x is.

    >>> import ferrograd as fg
    >>> fg.unique_inverse(fg.tensor([3, 1, 3])).inverse_indices
    tensor([1, 0, 1])
    """
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Coordinate tensors of the grid that 1-d tensors span.

    >>> import ferrograd as fg
    >>> [g.shape for g in fg.meshgrid(fg.zeros(2), fg.zeros(3))]
    [(3, 2), (3, 2)]
    """
    return _core._meshgrid(arrays, indexing)


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """Sums of products in Einstein's notation, e.g. "bij,bjk->bik"; the whole grammar of NumPy.

    >>> import ferrograd as fg
    >>> fg.einsum("ij->ji", fg.tensor([[1.0, 2.0]])).shape
    (2, 1)
    """
    return _core._einsum(equation, operands)


@dataclass(frozen=True)
class FInfo:
    """Limits of a floating-point dtype, as Python numbers."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IInfo:
    """Limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: DType


# Bits of the fraction and the largest exponent (IEEE 754; bfloat16 is float32 cut to 16 bits).
_FLOATS = {"float16": (10, 15), "bfloat16": (7, 127), "float32": (23, 127), "float64": (52, 1023)}
_PARTS = {"complex64": "float32", "complex128": "float64"}


def _dtype_of(kind: DType | Tensor | str) -> DType:
    return kind.dtype if isinstance(kind, Tensor) else _core._dtype(kind)


def finfo(type: DType | Tensor | str, /) -> FInfo:
    """Limits of a floating-point dtype; of its parts for a complex one.

    >>> import ferrograd as fg
    >>> fg.finfo(fg.float32).eps
    1.1920928955078125e-07
    """
    dtype = _dtype_of(type)
    name = _PARTS.get(dtype.name, dtype.name)
    if name not in _FLOATS:
        raise _core.DTypeError(f"finfo: expected a floating-point dtype, got {dtype}")
    fraction, top = _FLOATS[name]
    largest = (2.0 - 2.0**-fraction) * 2.0**top
    part = _core._dtype(name)
    return FInfo(part.itemsize * 8, 2.0**-fraction, largest, -largest, 2.0 ** (1 - top), part)


def iinfo(type: DType | Tensor | str, /) -> IInfo:
    """Limits of an integer dtype.

    >>> import ferrograd as fg
    >>> fg.iinfo(fg.int8).max
    127
    """
    dtype = _dtype_of(type)
    bits = dtype.itemsize * 8
    if dtype.name in _NAMES["signed integer"]:
        return IInfo(bits, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), dtype)
    if dtype.name in _NAMES["unsigned integer"]:
        return IInfo(bits, 2**bits - 1, 0, dtype)
    raise _core.DTypeError(f"iinfo: expected an integer dtype, got {dtype}")


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> bool:
    """Whether a dtype is of a kind ("real floating", "integral", ...), equal to a dtype, or any of a tuple of these.

    >>> import ferrograd as fg
    >>> fg.isdtype(fg.float32, "real floating"), fg.isdtype(fg.int8, ("bool", "unsigned integer"))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, DType):
        return dtype == kind
    if kind not in _NAMES:
        raise ValueError(f"isdtype: unknown kind, expected one of {sorted(_NAMES)}, got {kind!r}")
    return dtype.name in _NAMES[kind] + _HALVES.get(kind, [])


def can_cast(from_: DType | Tensor, to: DType, /) -> bool:
    """Whether promotion may turn one dtype into the other.

    >>> import ferrograd as fg
    >>> fg.can_cast(fg.int8, fg.int16), fg.can_cast(fg.float32, fg.int32)
    (True, False)
    """
    try:
        return _core._promote(_dtype_of(from_), to) == to
    except _core.DTypeError:
        return False


def result_type(*arrays_and_dtypes: Tensor | DType | complex) -> DType:
    """The dtype that an operation of these gives; Python numbers are weak.

    >>> import ferrograd as fg
    >>> fg.result_type(fg.int8, fg.uint8), fg.result_type(fg.float32, 2.0)
    (ferrograd.int16, ferrograd.float32)
    """
    numbers = [v for v in arrays_and_dtypes if isinstance(v, (bool, int, float, complex))]
    strong = [_dtype_of(v) for v in arrays_and_dtypes if not isinstance(v, (bool, int, float, complex))]
    if not strong:
        raise ValueError("result_type: expected at least one tensor or dtype")
    result = strong[0]
    for dtype in strong[1:]:
        result = _core._promote(result, dtype)
    for number in numbers:
        result = _core._weak_dtype(number, result)
    return result


class _Info:
    """What `__array_namespace_info__` returns."""

    def capabilities(self) -> dict[str, Any]:
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        return "cpu"

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        self._check(device)
        names = {"real floating": "float32", "complex floating": "complex64", "integral": "int64", "indexing": "int64"}
        return {kind: _core._dtype(name) for kind, name in names.items()}

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def dtypes(self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        self._check(device)
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        return {name: _core._dtype(name) for k in kinds for name in _NAMES[k]}

    @staticmethod
    def _check(device: str | None) -> None:
        if device not in (None, "cpu"):
            raise ValueError(f"array namespace info: unknown device, expected 'cpu' or None, got {device!r}")


def __array_namespace_info__() -> _Info:
    """The inspection API of the standard.

    >>> import ferrograd as fg
    >>> fg.__array_namespace_info__().default_device()
    'cpu'
    """
    return _Info()
