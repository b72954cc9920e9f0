"""Types of the compiled module. Written by `make stubs`; do not edit."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Self

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
    def is_floating_point(self) -> builtins.bool: ...

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

class Generator:
    def __new__(cls, seed: int = 0) -> Self: ...
    def manual_seed(self, seed: int) -> Generator: ...
    def get_state(self) -> tuple[int, int]: ...
    def set_state(self, state: tuple[int, int]) -> None: ...

class Tensor:
    def __new__(
        cls, data: Any, dtype: DTypeLike | None = None, device: str | None = None, requires_grad: builtins.bool = False
    ) -> Self: ...
    requires_grad: builtins.bool
    grad: Tensor | None
    data: Tensor
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> DType: ...
    @property
    def device(self) -> str: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def itemsize(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def T(self) -> Tensor: ...
    @property
    def mT(self) -> Tensor: ...
    @property
    def is_leaf(self) -> builtins.bool: ...
    @property
    def grad_fn(self) -> str | None: ...
    def numel(self) -> int: ...
    def dim(self) -> int: ...
    def is_contiguous(self) -> builtins.bool: ...
    def item(self) -> Any: ...
    def tolist(self) -> Any: ...
    def numpy(self) -> NDArray[Any]: ...
    def to(
        self,
        *targets: str | DTypeLike,
        device: str | None = None,
        dtype: DTypeLike | None = None,
        copy: builtins.bool = False,
    ) -> Tensor: ...
    def astype(self, dtype: DTypeLike, copy: builtins.bool = True) -> Tensor: ...
    def to_device(self, device: str, /, *, stream: None = None) -> Tensor: ...
    def cpu(self) -> Tensor: ...
    def clone(self) -> Tensor: ...
    def contiguous(self) -> Tensor: ...
    def copy_(self, value: Any) -> Self: ...
    def zero_(self) -> Self: ...
    def fill_(self, value: complex) -> Self: ...
    def detach(self) -> Tensor: ...
    def requires_grad_(self, requires_grad: builtins.bool = True) -> Self: ...
    def retain_grad(self) -> None: ...
    def _row_grad(self) -> tuple[Tensor, Tensor] | None: ...
    def _set_row_grad(self, index: Tensor, values: Tensor) -> None: ...
    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle: ...
    def backward(
        self, gradient: Any = None, retain_graph: builtins.bool | None = None, create_graph: builtins.bool = False
    ) -> None: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> builtins.bool: ...
    def __int__(self) -> int: ...
    def __float__(self) -> float: ...
    def __complex__(self) -> complex: ...
    def __index__(self) -> int: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __getitem__(self, key: Any, /) -> Tensor: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __neg__(self) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __hash__(self) -> int: ...
    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any: ...
    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> NDArray[Any]: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __dlpack__(
        self,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: builtins.bool | None = None,
    ) -> Any: ...
    def __add__(self, other: Any, /) -> Tensor: ...
    def __radd__(self, other: Any, /) -> Tensor: ...
    def __iadd__(self, other: Any, /) -> Self: ...
    def __sub__(self, other: Any, /) -> Tensor: ...
    def __rsub__(self, other: Any, /) -> Tensor: ...
    def __isub__(self, other: Any, /) -> Self: ...
    def __mul__(self, other: Any, /) -> Tensor: ...
    def __rmul__(self, other: Any, /) -> Tensor: ...
    def __imul__(self, other: Any, /) -> Self: ...
    def __truediv__(self, other: Any, /) -> Tensor: ...
    def __rtruediv__(self, other: Any, /) -> Tensor: ...
    def __itruediv__(self, other: Any, /) -> Self: ...
    def __floordiv__(self, other: Any, /) -> Tensor: ...
    def __rfloordiv__(self, other: Any, /) -> Tensor: ...
    def __ifloordiv__(self, other: Any, /) -> Self: ...
    def __mod__(self, other: Any, /) -> Tensor: ...
    def __rmod__(self, other: Any, /) -> Tensor: ...
    def __imod__(self, other: Any, /) -> Self: ...
    def __pow__(self, other: Any, /) -> Tensor: ...
    def __rpow__(self, other: Any, /) -> Tensor: ...
    def __ipow__(self, other: Any, /) -> Self: ...
    def __matmul__(self, other: Any, /) -> Tensor: ...
    def __rmatmul__(self, other: Any, /) -> Tensor: ...
    def __imatmul__(self, other: Any, /) -> Self: ...
    def __and__(self, other: Any, /) -> Tensor: ...
    def __rand__(self, other: Any, /) -> Tensor: ...
    def __iand__(self, other: Any, /) -> Self: ...
    def __or__(self, other: Any, /) -> Tensor: ...
    def __ror__(self, other: Any, /) -> Tensor: ...
    def __ior__(self, other: Any, /) -> Self: ...
    def __xor__(self, other: Any, /) -> Tensor: ...
    def __rxor__(self, other: Any, /) -> Tensor: ...
    def __ixor__(self, other: Any, /) -> Self: ...
    def __lshift__(self, other: Any, /) -> Tensor: ...
    def __rlshift__(self, other: Any, /) -> Tensor: ...
    def __ilshift__(self, other: Any, /) -> Self: ...
    def __rshift__(self, other: Any, /) -> Tensor: ...
    def __rrshift__(self, other: Any, /) -> Tensor: ...
    def __irshift__(self, other: Any, /) -> Self: ...
    def __lt__(self, other: Any, /) -> Tensor: ...
    def __le__(self, other: Any, /) -> Tensor: ...
    def __eq__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]
    def __ne__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]
    def __gt__(self, other: Any, /) -> Tensor: ...
    def __ge__(self, other: Any, /) -> Tensor: ...
    def acos(self, **torch_names: Any) -> Tensor: ...
    def acosh(self, **torch_names: Any) -> Tensor: ...
    def asin(self, **torch_names: Any) -> Tensor: ...
    def asinh(self, **torch_names: Any) -> Tensor: ...
    def atan(self, **torch_names: Any) -> Tensor: ...
    def atanh(self, **torch_names: Any) -> Tensor: ...
    def bitwise_invert(self, **torch_names: Any) -> Tensor: ...
    def ceil(self, **torch_names: Any) -> Tensor: ...
    def conj(self, **torch_names: Any) -> Tensor: ...
    def cos(self, **torch_names: Any) -> Tensor: ...
    def cosh(self, **torch_names: Any) -> Tensor: ...
    def erf(self, **torch_names: Any) -> Tensor: ...
    def exp(self, **torch_names: Any) -> Tensor: ...
    def exp2(self, **torch_names: Any) -> Tensor: ...
    def expm1(self, **torch_names: Any) -> Tensor: ...
    def floor(self, **torch_names: Any) -> Tensor: ...
    def log(self, **torch_names: Any) -> Tensor: ...
    def log1p(self, **torch_names: Any) -> Tensor: ...
    def log2(self, **torch_names: Any) -> Tensor: ...
    def log10(self, **torch_names: Any) -> Tensor: ...
    def negative(self, **torch_names: Any) -> Tensor: ...
    def positive(self, **torch_names: Any) -> Tensor: ...
    def reciprocal(self, **torch_names: Any) -> Tensor: ...
    def round(self, **torch_names: Any) -> Tensor: ...
    def rsqrt(self, **torch_names: Any) -> Tensor: ...
    def sign(self, **torch_names: Any) -> Tensor: ...
    def sin(self, **torch_names: Any) -> Tensor: ...
    def sinh(self, **torch_names: Any) -> Tensor: ...
    def sqrt(self, **torch_names: Any) -> Tensor: ...
    def square(self, **torch_names: Any) -> Tensor: ...
    def tan(self, **torch_names: Any) -> Tensor: ...
    def tanh(self, **torch_names: Any) -> Tensor: ...
    def trunc(self, **torch_names: Any) -> Tensor: ...
    def abs(self, **torch_names: Any) -> Tensor: ...
    def imag(self, **torch_names: Any) -> Tensor: ...
    def real(self, **torch_names: Any) -> Tensor: ...
    def add(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def atan2(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def bitwise_and(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def bitwise_left_shift(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def bitwise_or(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def bitwise_right_shift(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def bitwise_xor(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def copysign(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def divide(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def floor_divide(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def hypot(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def logaddexp(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def maximum(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def minimum(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def multiply(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def nextafter(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def pow(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def remainder(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def subtract(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def equal(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def greater(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def greater_equal(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def isfinite(self, **torch_names: Any) -> Tensor: ...
    def isinf(self, **torch_names: Any) -> Tensor: ...
    def isnan(self, **torch_names: Any) -> Tensor: ...
    def less(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def less_equal(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def logical_and(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def logical_not(self, **torch_names: Any) -> Tensor: ...
    def logical_or(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def logical_xor(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def not_equal(self, x2: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def signbit(self, **torch_names: Any) -> Tensor: ...
    def clip(self, min: Tensor | complex | None = None, max: Tensor | complex | None = None, **torch_names: Any) -> Tensor: ...
    def masked_fill(self, mask: Tensor, value: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def _astype(self, dtype: DTypeLike, **torch_names: Any) -> Tensor: ...
    def celu(self, alpha: float = 1.0, **torch_names: Any) -> Tensor: ...
    def elu(self, alpha: float = 1.0, **torch_names: Any) -> Tensor: ...
    def hardshrink(self, lambd: float = 0.5, **torch_names: Any) -> Tensor: ...
    def hardsigmoid(self, **torch_names: Any) -> Tensor: ...
    def hardswish(self, **torch_names: Any) -> Tensor: ...
    def hardtanh(self, min_val: float = -1.0, max_val: float = 1.0, **torch_names: Any) -> Tensor: ...
    def leaky_relu(self, negative_slope: float = 0.01, **torch_names: Any) -> Tensor: ...
    def logsigmoid(self, **torch_names: Any) -> Tensor: ...
    def mish(self, **torch_names: Any) -> Tensor: ...
    def relu(self, **torch_names: Any) -> Tensor: ...
    def relu6(self, **torch_names: Any) -> Tensor: ...
    def selu(self, **torch_names: Any) -> Tensor: ...
    def sigmoid(self, **torch_names: Any) -> Tensor: ...
    def silu(self, **torch_names: Any) -> Tensor: ...
    def softplus(self, beta: float = 1.0, threshold: float = 20.0, **torch_names: Any) -> Tensor: ...
    def softshrink(self, lambd: float = 0.5, **torch_names: Any) -> Tensor: ...
    def softsign(self, **torch_names: Any) -> Tensor: ...
    def tanhshrink(self, **torch_names: Any) -> Tensor: ...
    def threshold(self, threshold: float = 0.0, value: float = 0.0, **torch_names: Any) -> Tensor: ...
    def gelu(self, approximate: str = "none", **torch_names: Any) -> Tensor: ...
    def prelu(self, weight: Tensor, **torch_names: Any) -> Tensor: ...
    def tril(self, k: int = 0, **torch_names: Any) -> Tensor: ...
    def triu(self, k: int = 0, **torch_names: Any) -> Tensor: ...
    def broadcast_to(self, shape: int | Sequence[int], **torch_names: Any) -> Tensor: ...
    def expand_dims(self, axis: int | Sequence[int] = 0, **torch_names: Any) -> Tensor: ...
    def flip(self, axis: int | Sequence[int] | None = None, **torch_names: Any) -> Tensor: ...
    def matrix_transpose(self, **torch_names: Any) -> Tensor: ...
    def moveaxis(self, source: int | Sequence[int], destination: int | Sequence[int], **torch_names: Any) -> Tensor: ...
    def permute_dims(self, axes: int | Sequence[int], **torch_names: Any) -> Tensor: ...
    def reshape(self, shape: int | Sequence[int], copy: builtins.bool | None = None, **torch_names: Any) -> Tensor: ...
    def squeeze(self, axis: int | Sequence[int] | None = None, **torch_names: Any) -> Tensor: ...
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1, **torch_names: Any) -> Tensor: ...
    def expand(self, sizes: int | Sequence[int], **torch_names: Any) -> Tensor: ...
    def flatten(self, start_dim: int = 0, end_dim: int = -1, **torch_names: Any) -> Tensor: ...
    def narrow(self, axis: int, start: int, length: int, **torch_names: Any) -> Tensor: ...
    def permute(self, axes: int | Sequence[int], **torch_names: Any) -> Tensor: ...
    def transpose(self, axis0: int, axis1: int, **torch_names: Any) -> Tensor: ...
    def unsqueeze(self, axis: int, **torch_names: Any) -> Tensor: ...
    def view(self, shape: int | Sequence[int], **torch_names: Any) -> Tensor: ...
    def all(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def any(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def argmax(self, axis: int | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def argmin(self, axis: int | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def count_nonzero(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def max(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def mean(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def min(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def prod(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, dtype: DTypeLike | None = None, **torch_names: Any) -> Tensor: ...
    def std(self, axis: int | Sequence[int] | None = None, correction: float = 0.0, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def sum(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, dtype: DTypeLike | None = None, **torch_names: Any) -> Tensor: ...
    def var(self, axis: int | Sequence[int] | None = None, correction: float = 0.0, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def cumulative_sum(self, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def cumulative_prod(self, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def diff(self, axis: int = -1, n: int = 1, prepend: Tensor | None = None, append: Tensor | None = None, **torch_names: Any) -> Tensor: ...
    def argsort(self, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True, **torch_names: Any) -> Tensor: ...
    def nonzero(self, **torch_names: Any) -> tuple[Tensor, ...]: ...
    def sort(self, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True, **torch_names: Any) -> Tensor: ...
    def unique_values(self, **torch_names: Any) -> Tensor: ...
    def bincount(self, weights: Tensor | None = None, minlength: int = 0, **torch_names: Any) -> Tensor: ...
    def cummax(self, axis: int, **torch_names: Any) -> tuple[Tensor, Tensor]: ...
    def cummin(self, axis: int, **torch_names: Any) -> tuple[Tensor, Tensor]: ...
    def cumprod(self, axis: int, dtype: DTypeLike | None = None, **torch_names: Any) -> Tensor: ...
    def cumsum(self, axis: int, dtype: DTypeLike | None = None, **torch_names: Any) -> Tensor: ...
    def kthvalue(self, k: int, axis: int = -1, keepdims: builtins.bool = False, **torch_names: Any) -> tuple[Tensor, Tensor]: ...
    def median(self, axis: int | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def topk(self, k: int, axis: int = -1, largest: builtins.bool = True, sorted: builtins.bool = True, **torch_names: Any) -> tuple[Tensor, Tensor]: ...
    def repeat(self, repeats: Tensor | complex, axis: int | None = None, **torch_names: Any) -> Tensor: ...
    def roll(self, shift: int | Sequence[int], axis: int | Sequence[int] | None = None, **torch_names: Any) -> Tensor: ...
    def take(self, indices: Tensor, axis: int | None = None, **torch_names: Any) -> Tensor: ...
    def take_along_axis(self, indices: Tensor, axis: int = -1, **torch_names: Any) -> Tensor: ...
    def tile(self, repetitions: int | Sequence[int], **torch_names: Any) -> Tensor: ...
    def unstack(self, axis: int = 0, **torch_names: Any) -> tuple[Tensor, ...]: ...
    def chunk(self, chunks: int, axis: int = 0, **torch_names: Any) -> tuple[Tensor, ...]: ...
    def gather(self, axis: int, index: Tensor, **torch_names: Any) -> Tensor: ...
    def index_add(self, axis: int, index: Tensor, src: Tensor, **torch_names: Any) -> Tensor: ...
    def index_select(self, axis: int, index: Tensor, **torch_names: Any) -> Tensor: ...
    def one_hot(self, num_classes: int = -1, **torch_names: Any) -> Tensor: ...
    def pad(self, pad: int | Sequence[int], mode: str = "constant", value: complex | None = None, **torch_names: Any) -> Tensor: ...
    def scatter(self, axis: int, index: Tensor, src: Tensor | complex, **torch_names: Any) -> Tensor: ...
    def scatter_add(self, axis: int, index: Tensor, src: Tensor, **torch_names: Any) -> Tensor: ...
    def select(self, axis: int, index: int, **torch_names: Any) -> Tensor: ...
    def split(self, split_size_or_sections: int | Sequence[int], axis: int = 0, **torch_names: Any) -> tuple[Tensor, ...]: ...
    def unbind(self, axis: int = 0, **torch_names: Any) -> tuple[Tensor, ...]: ...
    def matmul(self, x2: Tensor, **torch_names: Any) -> Tensor: ...
    def tensordot(self, x2: Tensor, axes: int | tuple[Sequence[int], Sequence[int]] = 2, **torch_names: Any) -> Tensor: ...
    def vecdot(self, x2: Tensor, axis: int = -1, **torch_names: Any) -> Tensor: ...
    def dot(self, other: Tensor, **torch_names: Any) -> Tensor: ...
    def glu(self, axis: int = -1, **torch_names: Any) -> Tensor: ...
    def logsumexp(self, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, **torch_names: Any) -> Tensor: ...
    def log_softmax(self, axis: int = -1, dtype: DTypeLike | None = None, **torch_names: Any) -> Tensor: ...
    def softmax(self, axis: int = -1, dtype: DTypeLike | None = None, **torch_names: Any) -> Tensor: ...

__all__: list[str]
__ops__: list[str]

def asarray(
    obj: Any, /, *, dtype: DTypeLike | None = None, device: str | None = None, copy: builtins.bool | None = None
) -> Tensor: ...
def from_dlpack(x: Any, /, *, device: str | None = None, copy: builtins.bool | None = None) -> Tensor: ...
def is_grad_enabled() -> builtins.bool: ...
def manual_seed(seed: int) -> None: ...
def get_rng_state() -> tuple[int, int]: ...
def set_rng_state(state: tuple[int, int]) -> None: ...
def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def set_flush_denormal(mode: builtins.bool) -> builtins.bool: ...
def set_float32_matmul_precision(precision: Literal["highest", "high", "medium"]) -> None: ...
def get_float32_matmul_precision() -> str: ...
def cpu_level() -> str: ...
def _stub() -> str: ...
def _shaders() -> dict[str, str]: ...
def _dtype(name: Any) -> DType: ...
def _promote(a: DType, b: DType) -> DType: ...
def _weak_dtype(number: complex, dtype: DType) -> DType: ...
def _from_bytes(
    data: bytes | memoryview, shape: Sequence[int], dtype: DTypeLike, requires_grad: builtins.bool = False
) -> Tensor: ...
def _set_grad_enabled(on: builtins.bool) -> builtins.bool: ...
def _gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Tensor | None] | None = None,
    create_graph: builtins.bool = False,
    retain_graph: builtins.bool = False,
) -> list[Tensor | None]: ...
def _backward(outputs: Sequence[Tensor], seeds: Sequence[Tensor]) -> None: ...
def _record(outputs: Sequence[Tensor], inputs: Sequence[Tensor], backward: Callable[..., Any]) -> list[Tensor]: ...
def _gpu_devices() -> list[str]: ...
def _gpu_memory_stats(device: int) -> dict[str, int]: ...
def _gpu_synchronize(device: int) -> None: ...
def _gpu_empty_cache(device: int) -> None: ...
def _cpu_memory_stats() -> dict[str, int]: ...
def _cpu_roofline(bytes: int) -> tuple[float, float, float]: ...
def _cpu_empty_cache() -> None: ...
def _profile_start() -> None: ...
def _profile_stop() -> list[tuple[str, int, float, int, int, int]]: ...
def acos(x: Tensor, /) -> Tensor:
    """The inverse cosine, in radians.
    
    Computes acos(x)."""

def acosh(x: Tensor, /) -> Tensor:
    """The inverse hyperbolic cosine.
    
    Computes acosh(x)."""

def asin(x: Tensor, /) -> Tensor:
    """The inverse sine, in radians.
    
    Computes asin(x)."""

def asinh(x: Tensor, /) -> Tensor:
    """The inverse hyperbolic sine.
    
    Computes asinh(x)."""

def atan(x: Tensor, /) -> Tensor:
    """The inverse tangent, in radians.
    
    Computes atan(x)."""

def atanh(x: Tensor, /) -> Tensor:
    """The inverse hyperbolic tangent.
    
    Computes atanh(x)."""

def bitwise_invert(x: Tensor, /) -> Tensor:
    """Every bit flipped; for bool, the opposite.
    
    Computes invert(x)."""

def ceil(x: Tensor, /) -> Tensor:
    """The smallest integer not below x.
    
    Computes ceil(x)."""

def conj(x: Tensor, /) -> Tensor:
    """The number with its imaginary part negated; real numbers stay.
    
    Computes conj(x)."""

def cos(x: Tensor, /) -> Tensor:
    """The cosine of x radians.
    
    Computes cos(x)."""

def cosh(x: Tensor, /) -> Tensor:
    """The hyperbolic cosine.
    
    Computes cosh(x)."""

def erf(x: Tensor, /) -> Tensor:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x.
    
    Computes erf(x)."""

def exp(x: Tensor, /) -> Tensor:
    """e to the power of x.
    
    Computes exp(x)."""

def exp2(x: Tensor, /) -> Tensor:
    """2 to the power of x.
    
    Computes exp2(x)."""

def expm1(x: Tensor, /) -> Tensor:
    """exp(x) - 1, accurate near zero.
    
    Computes expm1(x)."""

def floor(x: Tensor, /) -> Tensor:
    """The largest integer not above x.
    
    Computes floor(x)."""

def log(x: Tensor, /) -> Tensor:
    """The natural logarithm.
    
    Computes log(x)."""

def log1p(x: Tensor, /) -> Tensor:
    """log(1 + x), accurate near zero.
    
    Computes log1p(x)."""

def log2(x: Tensor, /) -> Tensor:
    """The logarithm to base 2.
    
    Computes log2(x)."""

def log10(x: Tensor, /) -> Tensor:
    """The logarithm to base 10.
    
    Computes log10(x)."""

def negative(x: Tensor, /) -> Tensor:
    """The number with the other sign.
    
    Computes -x."""

def positive(x: Tensor, /) -> Tensor:
    """The number itself.
    
    Computes x."""

def reciprocal(x: Tensor, /) -> Tensor:
    """1 / x.
    
    Computes divide(1.0, x)."""

def round(x: Tensor, /) -> Tensor:
    """The nearest integer; halves go to the even one.
    
    Computes round(x)."""

def rsqrt(x: Tensor, /) -> Tensor:
    """1 / sqrt(x).
    
    Computes rsqrt(x)."""

def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1.
    
    Computes sign(x)."""

def sin(x: Tensor, /) -> Tensor:
    """The sine of x radians.
    
    Computes sin(x)."""

def sinh(x: Tensor, /) -> Tensor:
    """The hyperbolic sine.
    
    Computes sinh(x)."""

def sqrt(x: Tensor, /) -> Tensor:
    """The square root.
    
    Computes sqrt(x)."""

def square(x: Tensor, /) -> Tensor:
    """x * x.
    
    Computes x * x."""

def tan(x: Tensor, /) -> Tensor:
    """The tangent of x radians.
    
    Computes tan(x)."""

def tanh(x: Tensor, /) -> Tensor:
    """The hyperbolic tangent.
    
    Computes tanh(x)."""

def trunc(x: Tensor, /) -> Tensor:
    """The integer part.
    
    Computes trunc(x)."""

def abs(x: Tensor, /) -> Tensor:
    """The magnitude.
    
    Computes abs(x)."""

def imag(x: Tensor, /) -> Tensor:
    """The imaginary part; zero for a real number.
    
    Computes imag(x)."""

def real(x: Tensor, /) -> Tensor:
    """The real part.
    
    Computes real(x)."""

def add(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The sum.
    
    Computes a + b."""

def atan2(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The angle of the point (b, a), in radians, in its quadrant.
    
    Computes atan2(a, b)."""

def bitwise_and(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Bits set in both.
    
    Computes a & b."""

def bitwise_left_shift(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The bits of a moved up by b places; everything falls out from the width on.
    
    Computes shift_left(a, b)."""

def bitwise_or(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Bits set in one or both.
    
    Computes a | b."""

def bitwise_right_shift(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The bits of a moved down by b places, the sign filling up.
    
    Computes shift_right(a, b)."""

def bitwise_xor(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Bits set in one but not both.
    
    Computes a ^ b."""

def copysign(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The magnitude of a with the sign of b.
    
    Computes copysign(a, b)."""

def divide(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The quotient.
    
    Computes divide(a, b)."""

def floor_divide(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The quotient rounded to minus infinity; integers divided by zero give zero.
    
    Computes floor_divide(a, b)."""

def hypot(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """sqrt(a * a + b * b) without overflow on the way.
    
    Computes hypot(a, b)."""

def logaddexp(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """log(exp(a) + exp(b)) without overflow on the way.
    
    Computes logaddexp(a, b)."""

def maximum(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The larger one; NaN if one is NaN. Where both are equal, each gets half of the gradient.
    
    Computes maximum(a, b)."""

def minimum(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The smaller one; NaN if one is NaN. Where both are equal, each gets half of the gradient.
    
    Computes minimum(a, b)."""

def multiply(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The product.
    
    Computes a * b."""

def nextafter(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The next number after a in the direction of b.
    
    Computes nextafter(a, b)."""

def pow(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """a to the power of b.
    
    Computes pow(a, b)."""

def remainder(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The rest of a floor division, with the sign of the divisor; integers modulo zero give zero.
    
    Computes remainder(a, b)."""

def subtract(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The difference.
    
    Computes a - b."""

def equal(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """a is the same number as b.
    
    Computes a == b."""

def greater(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """a is above b.
    
    Computes a > b."""

def greater_equal(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """a is above b or equal to it.
    
    Computes a >= b."""

def isfinite(x: Tensor, /) -> Tensor:
    """x is neither infinite nor NaN.
    
    Computes is_finite(x)."""

def isinf(x: Tensor, /) -> Tensor:
    """x is infinite.
    
    Computes is_inf(x)."""

def isnan(x: Tensor, /) -> Tensor:
    """x is not a number.
    
    Computes is_nan(x)."""

def less(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """a is below b.
    
    Computes a < b."""

def less_equal(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """a is below b or equal to it.
    
    Computes a <= b."""

def logical_and(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Both hold; numbers hold where they are not zero.
    
    Computes a & b."""

def logical_not(x: Tensor, /) -> Tensor:
    """x does not hold.
    
    Computes !x."""

def logical_or(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """One of them holds, or both.
    
    Computes a | b."""

def logical_xor(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """One of them holds, but not both.
    
    Computes a != b."""

def not_equal(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """a is not the same number as b.
    
    Computes a != b."""

def signbit(x: Tensor, /) -> Tensor:
    """The sign bit is set: true for -0.0.
    
    Computes is_negative(x)."""

def clip(x: Tensor, /, min: Tensor | complex | None = None, max: Tensor | complex | None = None) -> Tensor:
    """x kept between two bounds, each a number, a tensor or None; the dtype stays."""

def masked_fill(x: Tensor, mask: Tensor, /, value: Tensor | complex) -> Tensor:
    """x with value where the mask holds."""

def _astype(x: Tensor, dtype: DTypeLike, /) -> Tensor:
    """"""

def where(condition: Tensor, x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """x1 where the condition holds, else x2; broadcast against each other."""

def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable exponential linear unit: x above zero, else alpha * (exp(x / alpha) - 1).
    
    Computes if_gt(x, 0.0, x, alpha * expm1(minimum(x, 0.0) / alpha))."""

def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: x above zero, else alpha * (exp(x) - 1).
    
    Computes if_gt(x, 0.0, x, alpha * expm1(minimum(x, 0.0)))."""

def hardshrink(x: Tensor, lambd: float = 0.5) -> Tensor:
    """x where its magnitude exceeds lambd, else zero.
    
    Computes if_le(abs(x), lambd, 0.0, x)."""

def hardsigmoid(x: Tensor) -> Tensor:
    """A sigmoid of straight lines: x / 6 + 1 / 2, kept in [0, 1].
    
    Computes minimum(maximum(x / 6.0 + 0.5, 0.0), 1.0)."""

def hardswish(x: Tensor) -> Tensor:
    """x times hardsigmoid(x).
    
    Computes maximum(x, -3.0) * minimum(maximum(x / 6.0 + 0.5, 0.0), 1.0)."""

def hardtanh(x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x kept in [min_val, max_val].
    
    Computes minimum(maximum(x, min_val), max_val)."""

def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x above zero, else negative_slope * x.
    
    Computes if_gt(x, 0.0, x, negative_slope * x)."""

def logsigmoid(x: Tensor) -> Tensor:
    """The logarithm of sigmoid(x).
    
    Computes minimum(x, 0.0) - log1p(exp(-abs(x)))."""

def mish(x: Tensor) -> Tensor:
    """x * tanh(softplus(x)).
    
    Computes maximum(x, -1000.0) * tanh(log1p(exp(minimum(x, 30.0))))."""

def relu(x: Tensor) -> Tensor:
    """Rectified linear unit: x above zero, else zero.
    
    Computes maximum(x, 0.0)."""

def relu6(x: Tensor) -> Tensor:
    """x kept in [0, 6].
    
    Computes minimum(maximum(x, 0.0), 6.0)."""

def selu(x: Tensor) -> Tensor:
    """Scaled exponential linear unit, with the constants that keep mean zero and variance one.
    
    Computes 1.0507009873554805 * if_gt(x, 0.0, x, 1.6732632423543772 * expm1(minimum(x, 0.0)))."""

def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)).
    
    Computes sigmoid(x)."""

def silu(x: Tensor) -> Tensor:
    """Sigmoid linear unit: x * sigmoid(x).
    
    Computes if_lt(x, -1000.0, -1000.0, x) * sigmoid(x)."""

def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x exceeds threshold.
    
    Computes if_gt(beta * x, threshold, x, (maximum(beta * x, 0.0) + log1p(exp(-abs(beta * x)))) / beta)."""

def softshrink(x: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards zero by lambd; zero where it would cross.
    
    Computes x - minimum(maximum(x, -lambd), lambd)."""

def softsign(x: Tensor) -> Tensor:
    """x / (1 + abs(x)).
    
    Computes x / (1.0 + abs(x))."""

def tanhshrink(x: Tensor) -> Tensor:
    """x - tanh(x).
    
    Computes x - tanh(x)."""

def threshold(x: Tensor, threshold: float = 0.0, value: float = 0.0) -> Tensor:
    """x above threshold, else value.
    
    Computes if_le(x, threshold, value, x)."""

def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """Gaussian error linear unit, exact (approximate="none") or by tanh."""

def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """x above zero, else weight * x: one weight, or one for each channel (axis 1)."""

def arange(start: complex, /, stop: complex | None = None, step: complex = 1, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Evenly spaced values from start up to but without stop. One argument is the stop.
    
    Raises ValueError for a zero step or values outside the dtype."""

def empty(shape: int | Sequence[int], *more: int, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Memory of this shape; the values are zeros, so that nothing undefined can be read."""

def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Ones on diagonal k of an n_rows by n_cols matrix."""

def full(shape: int | Sequence[int], fill_value: complex, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """A tensor of one value; without dtype the value's own kind decides."""

def linspace(start: complex, stop: complex, /, num: int, *, dtype: DTypeLike | None = None, device: str | None = None, endpoint: builtins.bool = True) -> Tensor:
    """num evenly spaced values from start to stop."""

def ones(shape: int | Sequence[int], *more: int, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """A tensor of ones."""

def zeros(shape: int | Sequence[int], *more: int, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """A tensor of zeros."""

def empty_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Memory like that of x; the values are zeros."""

def full_like(x: Tensor, /, fill_value: complex, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """One value in the shape of x."""

def ones_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Ones in the shape of x."""

def zeros_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Zeros in the shape of x."""

def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The lower triangle of the last two axes, at and below diagonal k; zeros elsewhere."""

def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The upper triangle of the last two axes, at and above diagonal k; zeros elsewhere."""

def broadcast_to(x: Tensor, /, shape: int | Sequence[int]) -> Tensor:
    """x stretched to a shape, without copying."""

def expand_dims(x: Tensor, /, axis: int | Sequence[int] = 0) -> Tensor:
    """New axes of size one at the given places of the result."""

def flip(x: Tensor, /, *, axis: int | Sequence[int] | None = None) -> Tensor:
    """Elements in reversed order along the axes (all of them by default)."""

def matrix_transpose(x: Tensor, /) -> Tensor:
    """The last two axes exchanged."""

def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """Axes moved to other places, the rest keeping their order."""

def permute_dims(x: Tensor, /, axes: int | Sequence[int]) -> Tensor:
    """Axes in another order."""

def reshape(x: Tensor, /, shape: int | Sequence[int], *, copy: builtins.bool | None = None) -> Tensor:
    """The same elements in another shape; one -1 takes what is left."""

def squeeze(x: Tensor, /, axis: int | Sequence[int] | None = None) -> Tensor:
    """Axes of size one removed; without axis all of them."""

def diagonal(x: Tensor, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Diagonal `offset` of two axes, as a new last axis."""

def expand(x: Tensor, /, sizes: int | Sequence[int]) -> Tensor:
    """x stretched to sizes; -1 keeps a size."""

def flatten(x: Tensor, /, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from start_dim to end_dim, both included, as one."""

def narrow(x: Tensor, /, axis: int, start: int, length: int) -> Tensor:
    """length elements from start along one axis."""

def permute(x: Tensor, /, axes: int | Sequence[int]) -> Tensor:
    """Axes in another order."""

def transpose(x: Tensor, /, axis0: int, axis1: int) -> Tensor:
    """Two axes exchanged."""

def unsqueeze(x: Tensor, /, axis: int) -> Tensor:
    """A new axis of size one."""

def view(x: Tensor, /, shape: int | Sequence[int]) -> Tensor:
    """The same elements in another shape."""

def _broadcast_arrays(arrays: Sequence[Tensor], /) -> tuple[Tensor, ...]:
    """Every tensor stretched to their common shape."""

def _meshgrid(arrays: Sequence[Tensor], indexing: str = "xy", /) -> tuple[Tensor, ...]:
    """Coordinate tensors of a grid."""

def all(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Whether all elements along the axes are true; not a number counts as true."""

def any(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Whether any element along the axes is true."""

def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Where the largest element is, the first of equals; without axis in the flattened tensor."""

def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Where the smallest element is, the first of equals; without axis in the flattened tensor."""

def count_nonzero(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False) -> Tensor:
    """How many elements are not zero."""

def max(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False) -> Tensor:
    """The largest element; NaN if there is one."""

def mean(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False) -> Tensor:
    """The arithmetic mean."""

def min(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False) -> Tensor:
    """The smallest element; NaN if there is one."""

def prod(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """The product of the elements along the axes."""

def std(x: Tensor, /, *, axis: int | Sequence[int] | None = None, correction: float = 0.0, keepdims: builtins.bool = False) -> Tensor:
    """The standard deviation: the root of `var`."""

def sum(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """The sum, accumulated pairwise."""

def var(x: Tensor, /, *, axis: int | Sequence[int] | None = None, correction: float = 0.0, keepdims: builtins.bool = False) -> Tensor:
    """The mean squared distance from the mean, divided by n - correction."""

def cumulative_sum(x: Tensor, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: builtins.bool = False) -> Tensor:
    """Running sums along an axis."""

def cumulative_prod(x: Tensor, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: builtins.bool = False) -> Tensor:
    """Running products along an axis."""

def diff(x: Tensor, /, *, axis: int = -1, n: int = 1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """Differences of neighbours along an axis, n times over."""

def argsort(x: Tensor, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Tensor:
    """Places of the elements in sorted order; equal elements keep theirs."""

def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Coordinates of the elements that are not zero, one tensor an axis."""

def sort(x: Tensor, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Tensor:
    """Elements in ascending (or descending) order along an axis; NaN counts as largest."""

def unique_values(x: Tensor, /) -> Tensor:
    """The distinct elements in ascending order."""

def isin(x1: Tensor | complex, x2: Tensor | complex, /, *, invert: builtins.bool = False) -> Tensor:
    """Whether each element of x1 is among the elements of x2."""

def searchsorted(x1: Tensor, x2: Tensor | complex, /, *, side: str = "left", sorter: Tensor | None = None) -> Tensor:
    """Where values would be inserted in the sorted 1-d tensor x1 to keep it sorted; before equals (left) or behind (right)."""

def _unique_all(x: Tensor, /) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """"""

def bincount(x: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each value of a 1-d integer tensor occurs, or the sum of its weights."""

def cummax(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Running maxima along an axis, and where they are."""

def cummin(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Running minima along an axis, and where they are."""

def cumprod(x: Tensor, axis: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """Running products along an axis."""

def cumsum(x: Tensor, axis: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """Running sums along an axis."""

def kthvalue(x: Tensor, k: int, axis: int = -1, keepdims: builtins.bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest element along an axis, counted from one, and where it is."""

def median(x: Tensor, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
    """The middle element; the lower one of two."""

def topk(x: Tensor, k: int, axis: int = -1, largest: builtins.bool = True, sorted: builtins.bool = True) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) elements along an axis, in order, and where they are."""

def repeat(x: Tensor, repeats: Tensor | complex, /, *, axis: int | None = None) -> Tensor:
    """Each element (or slice along axis) repeated so many times."""

def roll(x: Tensor, /, shift: int | Sequence[int], *, axis: int | Sequence[int] | None = None) -> Tensor:
    """Elements shifted along the axes, coming in again at the other end."""

def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """Slices along an axis, in the order of a 1-d index."""

def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """One element per index along an axis; the other axes are walked together."""

def tile(x: Tensor, repetitions: int | Sequence[int], /) -> Tensor:
    """The tensor laid side by side so many times along each axis."""

def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis as separate tensors."""

def _concat(arrays: Sequence[Tensor], /, axis: int | None) -> Tensor:
    """Tensors joined along an axis that is there; axis=None flattens them first."""

def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis."""

def chunk(x: Tensor, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """count parts of nearly equal size along an axis."""

def gather(x: Tensor, axis: int, index: Tensor) -> Tensor:
    """One element of x per index along axis: out[i][j] = x[index[i][j]][j] for axis 0."""

def index_add(x: Tensor, axis: int, index: Tensor, src: Tensor) -> Tensor:
    """x with the slices of src added at the places of a 1-d index."""

def index_select(x: Tensor, axis: int, index: Tensor) -> Tensor:
    """Slices along an axis, in the order of a 1-d index."""

def one_hot(x: Tensor, num_classes: int = -1) -> Tensor:
    """A 1 in the place of each class, in a new last axis; num_classes=-1 counts them."""

def pad(x: Tensor, pad: int | Sequence[int], mode: str = "constant", value: complex | None = None) -> Tensor:
    """x widened at the ends of its last axes: pairs (before, after), the last axis first.
    
    mode is "constant", "reflect", "replicate" or "circular"."""

def scatter(x: Tensor, axis: int, index: Tensor, src: Tensor | complex) -> Tensor:
    """x with the elements of src written where index says, along axis; where several meet, the last one wins."""

def scatter_add(x: Tensor, axis: int, index: Tensor, src: Tensor) -> Tensor:
    """x with the elements of src added where index says, along axis."""

def select(x: Tensor, axis: int, index: int) -> Tensor:
    """One slice along an axis."""

def split(x: Tensor, split_size_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Parts of a size, or of the sizes given, along an axis."""

def unbind(x: Tensor, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis as separate tensors."""

def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Rows of weight (num, width) by integer index; those at padding_idx get no gradient."""

def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The matrix product; leading axes broadcast, 1-d operands are rows or columns."""

def tensordot(x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over the named axes of both tensors."""

def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The sum of products along one axis; complex x1 is conjugated."""

def dot(x: Tensor, other: Tensor) -> Tensor:
    """The inner product of two 1-d tensors."""

def _einsum(equation: str, operands: Sequence[Tensor], /) -> Tensor:
    """"""

def glu(x: Tensor, axis: int = -1) -> Tensor:
    """The first half of x along an axis times the sigmoid of the second."""

def logsumexp(x: Tensor, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False) -> Tensor:
    """log(sum(exp(x))) along the axes, without overflow."""

def log_softmax(x: Tensor, axis: int = -1, *, dtype: DTypeLike | None = None) -> Tensor:
    """The logarithm of softmax, without overflow."""

def softmax(x: Tensor, axis: int = -1, *, dtype: DTypeLike | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) along an axis, without overflow."""

def batch_norm(x: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None, bias: Tensor | None = None, training: builtins.bool = False, momentum: float = 0.1, eps: float = 1e-5, residual: Tensor | None = None, relu: builtins.bool = False) -> Tensor:
    """Each channel of x (N, C, ...) scaled to mean 0 and variance 1 over the batch, then times weight plus bias.
    
    In training the running statistics are moved in place; otherwise they are used. A residual of the shape of x is
    added to the result, and relu sets what is below zero to zero, in the same pass over memory."""

def group_norm(x: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """Groups of channels of x (N, C, ...) scaled to mean 0 and variance 1, then times weight plus bias by channel."""

def instance_norm(x: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: builtins.bool = True, momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
    """Each channel of each sample of x (N, C, ...) scaled to mean 0 and variance 1."""

def layer_norm(x: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """The last axes of x scaled to mean 0 and variance 1, then times weight plus bias."""

def rms_norm(x: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """The last axes of x divided by their root mean square, then times weight."""

def add_layer_norm(x: Tensor, residual: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> tuple[Tensor, Tensor]:
    """x + residual, and its layer norm over the last axes: a residual connection and the norm behind it in one pass."""

def add_rms_norm(x: Tensor, residual: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, eps: float | None = None) -> tuple[Tensor, Tensor]:
    """x + residual, and its RMS norm over the last axes, in one pass. eps defaults to the machine epsilon of the dtype."""

def alpha_dropout(x: Tensor, p: float = 0.5, training: builtins.bool = False) -> Tensor:
    """Dropout that keeps mean 0 and variance 1 of SELU networks."""

def dropout(x: Tensor, p: float = 0.5, training: builtins.bool = True) -> Tensor:
    """Elements zeroed with probability p, the rest scaled by 1 / (1 - p)."""

def dropout1d(x: Tensor, p: float = 0.5, training: builtins.bool = True) -> Tensor:
    """Whole channels of x (N, C, L) zeroed with probability p."""

def dropout2d(x: Tensor, p: float = 0.5, training: builtins.bool = True) -> Tensor:
    """Whole channels of x (N, C, H, W) zeroed with probability p."""

def dropout3d(x: Tensor, p: float = 0.5, training: builtins.bool = True) -> Tensor:
    """Whole channels of x (N, C, D, H, W) zeroed with probability p."""

def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ weight.T + bias: x (..., in), weight (out, in), bias (out,)."""

def rotate_positions(x: Tensor, cos: Tensor, sin: Tensor, interleaved: builtins.bool = False) -> Tensor:
    """Pairs of features of x (..., T, D) turned by angles with these cosines and sines, (..., T, D / 2).
    
    The pairs are (i, i + D / 2), as in Llama, or, if interleaved, (2 i, 2 i + 1), as in RoFormer (Su et al. 2021)."""

def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0, is_causal: builtins.bool = False, scale: float | None = None, enable_gqa: builtins.bool = False) -> Tensor:
    """softmax(query @ key.mT * scale + mask) @ value over (..., L, E), (..., S, E), (..., S, V).
    
    A row whose keys are all masked gives zeros. scale defaults to 1 / sqrt(E)."""

def gru(x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None = None, bias_hh: Tensor | None = None, h0: Tensor | None = None, lengths: Tensor | None = None, reverse: builtins.bool = False) -> tuple[Tensor, Tensor]:
    """A GRU layer (Cho et al. 2014) over x (T, B, input): outputs (T, B, hidden) and the final h (B, hidden).
    
    weight_ih is (3 * hidden, input), weight_hh (3 * hidden, hidden), gates r, z, n; h0 is (B, hidden), zero if None.
    lengths (B,) ends each row early: its outputs are zero from there on. reverse goes from the last step to the first."""

def lstm(x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None = None, bias_hh: Tensor | None = None, h0: Tensor | None = None, c0: Tensor | None = None, lengths: Tensor | None = None, reverse: builtins.bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """An LSTM layer (Hochreiter and Schmidhuber 1997) over x (T, B, input): outputs (T, B, hidden), the final h and c.
    
    weight_ih is (4 * hidden, input), weight_hh (4 * hidden, hidden), gates i, f, g, o; h0 and c0 are (B, hidden), zero if
    None. lengths (B,) ends each row early: its outputs are zero from there on. reverse goes from the last step to the first."""

def rnn(x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None = None, bias_hh: Tensor | None = None, h0: Tensor | None = None, lengths: Tensor | None = None, reverse: builtins.bool = False, nonlinearity: str = "tanh") -> tuple[Tensor, Tensor]:
    """A plain recurrent layer over x (T, B, input), h = act(W_ih x + b_ih + W_hh h + b_hh): outputs and the final h.
    
    nonlinearity is "tanh" or "relu", weight_ih (hidden, input), weight_hh (hidden, hidden), h0 (B, hidden), zero if None.
    lengths (B,) ends each row early: its outputs are zero from there on. reverse goes from the last step to the first."""

def fused_step(rule: str, params: Sequence[Tensor], grads: Sequence[Tensor], states: Sequence[Sequence[Tensor]], numbers: dict[str, float], /, rows: Tensor | None = None) -> None:
    """One fused step of the optimizer rule over all parameters, in place.
    
    states holds a list of tensors for each state of the rule, empty where it is not kept. With rows (rising numbers,
    int64) only these rows of the one parameter change, and its gradient has only these."""

def global_norm(tensors: Sequence[Tensor], /) -> float:
    """The Euclidean norm of all tensors together."""

def conv1d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] | str = 0, dilation: int | Sequence[int] = 1, groups: int = 1) -> Tensor:
    """Convolution over 1 spatial axes: x (N, C, ...), weight (O, C / groups, ...), bias (O,); unbatched x as well.
    
    padding is numbers, "same" or "valid". Raises ShapeError or ValueError where sizes do not fit."""

def conv_transpose1d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, dilation: int | Sequence[int] = 1) -> Tensor:
    """The adjoint of conv1d: x (N, C, ...), weight (C, O / groups, ...), bias (O,)."""

def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] | str = 0, dilation: int | Sequence[int] = 1, groups: int = 1) -> Tensor:
    """Convolution over 2 spatial axes: x (N, C, ...), weight (O, C / groups, ...), bias (O,); unbatched x as well.
    
    padding is numbers, "same" or "valid". Raises ShapeError or ValueError where sizes do not fit."""

def conv_transpose2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, dilation: int | Sequence[int] = 1) -> Tensor:
    """The adjoint of conv2d: x (N, C, ...), weight (C, O / groups, ...), bias (O,)."""

def conv3d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] | str = 0, dilation: int | Sequence[int] = 1, groups: int = 1) -> Tensor:
    """Convolution over 3 spatial axes: x (N, C, ...), weight (O, C / groups, ...), bias (O,); unbatched x as well.
    
    padding is numbers, "same" or "valid". Raises ShapeError or ValueError where sizes do not fit."""

def conv_transpose3d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, dilation: int | Sequence[int] = 1) -> Tensor:
    """The adjoint of conv3d: x (N, C, ...), weight (C, O / groups, ...), bias (O,)."""

def max_pool1d(x: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False) -> Any:
    """The largest element of each window, over 1 spatial axes; with return_indices also where it is."""

def avg_pool1d(x: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window, over 1 spatial axes."""

def adaptive_avg_pool1d(x: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The mean of windows chosen so that the result has output_size; None keeps an axis."""

def adaptive_max_pool1d(x: Tensor, output_size: int | Sequence[int | None] | None, return_indices: builtins.bool = False) -> Any:
    """The largest element of windows chosen so that the result has output_size; None keeps an axis."""

def max_pool2d(x: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False) -> Any:
    """The largest element of each window, over 2 spatial axes; with return_indices also where it is."""

def avg_pool2d(x: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window, over 2 spatial axes."""

def adaptive_avg_pool2d(x: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The mean of windows chosen so that the result has output_size; None keeps an axis."""

def adaptive_max_pool2d(x: Tensor, output_size: int | Sequence[int | None] | None, return_indices: builtins.bool = False) -> Any:
    """The largest element of windows chosen so that the result has output_size; None keeps an axis."""

def max_pool3d(x: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False) -> Any:
    """The largest element of each window, over 3 spatial axes; with return_indices also where it is."""

def avg_pool3d(x: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window, over 3 spatial axes."""

def adaptive_avg_pool3d(x: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The mean of windows chosen so that the result has output_size; None keeps an axis."""

def adaptive_max_pool3d(x: Tensor, output_size: int | Sequence[int | None] | None, return_indices: builtins.bool = False) -> Any:
    """The largest element of windows chosen so that the result has output_size; None keeps an axis."""

def interpolate(x: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None, mode: str = "nearest", align_corners: builtins.bool = False, recompute_scale_factor: builtins.bool = False) -> Tensor:
    """x (N, C, ...) resampled to size or by scale_factor; mode "nearest", "linear", "bilinear", "bicubic", "trilinear"."""

def binary_cross_entropy(x: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """-(target log(x) + (1 - target) log(1 - x)) of probabilities; logarithms are kept above -100."""

def binary_cross_entropy_with_logits(x: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None) -> Tensor:
    """Binary cross entropy of logits, stable at any magnitude; pos_weight scales the positive term."""

def cosine_embedding_loss(x1: Tensor, x2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean") -> Tensor:
    """1 - cos(x1, x2) for target 1, max(0, cos - margin) for target -1."""

def cross_entropy(x: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0) -> Tensor:
    """-log softmax(x)[target] of logits (N, C, ...) and class indices (N, ...), or probabilities in the shape of x.
    
    weight (C,) scales classes, ignore_index is left out, label_smoothing mixes in the uniform distribution."""

def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: int = 0, reduction: str = "mean", zero_infinity: builtins.bool = False) -> Tensor:
    """Connectionist temporal classification: log_probs (T, N, C), targets (N, S) or joined (Graves et al. 2006)."""

def hinge_embedding_loss(x: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """x for target 1, max(0, margin - x) for target -1."""

def huber_loss(x: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Squared error below delta, linear beyond."""

def kl_div(x: Tensor, target: Tensor, reduction: str = "mean", log_target: builtins.bool = False) -> Tensor:
    """target (log(target) - x) with x a logarithm; reduction "batchmean" is the divergence itself."""

def l1_loss(x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The absolute error."""

def mse_loss(x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The squared error."""

def nll_loss(x: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """-x[target] of log-probabilities (N, C, ...) and class indices (N, ...)."""

def smooth_l1_loss(x: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Squared error divided by beta below beta, linear beyond."""

def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: builtins.bool = False, reduction: str = "mean") -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) with the p-norm distance."""

def linalg_cholesky(x: Tensor, /, *, upper: builtins.bool = False) -> Tensor:
    """The triangular L with x = L L^H (or U with x = U^H U)."""

def linalg_cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The cross product of 3-vectors along an axis."""

def linalg_det(x: Tensor, /) -> Tensor:
    """Determinants of square matrices."""

def linalg_diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """Diagonals of matrices."""

def _eig(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """"""

def _eigh(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """"""

def linalg_eigvals(x: Tensor, /) -> Tensor:
    """Eigenvalues of square matrices, complex."""

def linalg_eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of symmetric or Hermitian matrices, ascending."""

def linalg_inv(x: Tensor, /) -> Tensor:
    """Inverses of square matrices; a singular one is an error."""

def linalg_matrix_norm(x: Tensor, /, *, keepdims: builtins.bool = False, ord: float | str = "fro") -> Tensor:
    """Norms of matrices: "fro", "nuc", 1, -1, 2, -2, inf or -inf."""

def linalg_matrix_power(x: Tensor, n: int, /) -> Tensor:
    """Square matrices multiplied with themselves n times; negative n inverts."""

def linalg_matrix_rank(x: Tensor, /, *, rtol: Tensor | complex | None = None) -> Tensor:
    """How many singular values exceed rtol times the largest."""

def linalg_outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """All products of an element of x1 with one of x2."""

def linalg_pinv(x: Tensor, /, *, rtol: Tensor | complex | None = None) -> Tensor:
    """Pseudo-inverses; singular values below rtol times the largest count as zero."""

def _qr(x: Tensor, mode: str = "reduced", /) -> tuple[Tensor, Tensor]:
    """"""

def _slogdet(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """"""

def linalg_solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The solution of x1 @ y = x2 for square x1."""

def _svd(x: Tensor, full_matrices: builtins.bool = True, /) -> tuple[Tensor, Tensor, Tensor]:
    """"""

def linalg_svdvals(x: Tensor, /) -> Tensor:
    """Singular values, descending."""

def linalg_trace(x: Tensor, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """Sums of the diagonals of matrices."""

def linalg_vector_norm(x: Tensor, /, *, axis: int | Sequence[int] | None = None, keepdims: builtins.bool = False, ord: float = 2.0) -> Tensor:
    """Vector norms over the axes, or of all elements."""

def fft_fft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The discrete Fourier transform along an axis."""

def fft_ifft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of fft."""

def fft_rfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The Fourier transform of real values: the half of the spectrum that says all."""

def fft_irfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of rfft: real values from half a spectrum."""

def fft_hfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The transform of a signal with Hermitian symmetry: real values."""

def fft_ihfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of hfft."""

def fft_fftn(x: Tensor, /, *, s: int | Sequence[int] | None = None, axes: int | Sequence[int] | None = None, norm: str = "backward") -> Tensor:
    """The Fourier transform along several axes."""

def fft_ifftn(x: Tensor, /, *, s: int | Sequence[int] | None = None, axes: int | Sequence[int] | None = None, norm: str = "backward") -> Tensor:
    """The inverse of fftn."""

def fft_rfftn(x: Tensor, /, *, s: int | Sequence[int] | None = None, axes: int | Sequence[int] | None = None, norm: str = "backward") -> Tensor:
    """The Fourier transform of real values along several axes."""

def fft_irfftn(x: Tensor, /, *, s: int | Sequence[int] | None = None, axes: int | Sequence[int] | None = None, norm: str = "backward") -> Tensor:
    """The inverse of rfftn."""

def fft_fftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Frequencies of the bins of an n-point transform of samples d apart."""

def fft_rfftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Frequencies of the bins of rfft."""

def fft_fftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The zero frequency moved to the middle."""

def fft_ifftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of fftshift."""

def bernoulli(x: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Ones with the probabilities that x holds, else zeros."""

def rand(shape: int | Sequence[int], *more: int, dtype: DTypeLike | None = None, device: str | None = None, generator: Generator | None = None) -> Tensor:
    """Uniform draws from [0, 1)."""

def randn(shape: int | Sequence[int], *more: int, dtype: DTypeLike | None = None, device: str | None = None, generator: Generator | None = None) -> Tensor:
    """Normal draws with mean 0 and variance 1."""

def randint(low: int, high: int, shape: int | Sequence[int], *, dtype: DTypeLike | None = None, device: str | None = None, generator: Generator | None = None) -> Tensor:
    """Integers from low up to but without high."""

def randperm(n: int, *, dtype: DTypeLike | None = None, device: str | None = None, generator: Generator | None = None) -> Tensor:
    """The integers from 0 to n - 1 in random order."""

