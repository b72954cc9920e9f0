"""Types of the compiled module. Written by `make stubs`; do not edit."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

from numpy.typing import NDArray

__version__: str

class ShapeError(ValueError): ...
class DTypeError(TypeError): ...
class DeviceError(RuntimeError): ...
class GradError(RuntimeError): ...
class OutOfMemoryError(MemoryError): ...
class FormatError(ValueError): ...

class DType:
    @property
    def name(self) -> str: ...
    @property
    def itemsize(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def is_floating_point(self) -> bool: ...

DTypeLike = DType | str | type

bool: DType
int8: DType
int16: DType
int32: DType
int64: DType
uint8: DType
uint16: DType
uint32: DType
uint64: DType
float16: DType
bfloat16: DType
float32: DType
float64: DType
complex64: DType
complex128: DType

class HookHandle:
    def remove(self) -> None: ...

class Tensor:
    def __new__(
        cls, data: Any, dtype: DTypeLike | None = None, device: str | None = None, requires_grad: bool = False
    ) -> Self: ...
    # METHODS

