"""Parameter: a tensor that belongs to a layer and is trained."""

from __future__ import annotations

from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor


class Parameter(Tensor):
    """A tensor that a `Module` lists among its parameters once it is assigned to an attribute.

    Args:
        data: a tensor or anything `fg.asarray` takes; its value is used, not its history.
        requires_grad: whether training changes it; only floating dtypes may ask for a gradient.

    >>> import ferrograd as fg
    >>> weight = fg.nn.Parameter(fg.zeros((2, 3)))
    >>> weight.shape, weight.requires_grad
    ((2, 3), True)
    """

    def __new__(cls, data: Any, requires_grad: bool = True) -> Parameter:
        value = data.detach() if isinstance(data, Tensor) else _core.asarray(data)
        return super().__new__(cls, value, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        copy = type(self)(self, self.requires_grad)
        memo[id(self)] = copy
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (_core.asarray(self.detach()), self.requires_grad)


class UninitializedParameter:
    """Holds the place of a parameter whose shape is found at the layer's first call, or in a checkpoint.

    Args:
        shape: the sizes, None where still unknown.
        device, dtype: what the parameter will have.
    """

    def __init__(self, shape: tuple[int | None, ...], device: Any = None, dtype: Any = None) -> None:
        self.shape, self.device, self.dtype = shape, device, dtype or _core.float32

    def __repr__(self) -> str:
        return f"UninitializedParameter(shape={self.shape})"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of this shape can take the place."""
        return len(shape) == len(self.shape) and all(own in (None, n) for own, n in zip(self.shape, shape, strict=True))

    def materialize(self, value: Tensor) -> Parameter:
        """The parameter with this value, on the device and of the dtype the layer asked for."""
        return Parameter(value.detach().to(device=self.device or value.device, dtype=self.dtype))


def uninitialized(shape: tuple[int | None, ...], device: Any = None, dtype: Any = None) -> Any:
    """An `UninitializedParameter`, typed so that it can stand where a parameter will be."""
    return UninitializedParameter(shape, device, dtype)


def is_sized(place: object) -> bool:
    """Whether a layer's parameter is there, rather than its place holder."""
    return not isinstance(place, UninitializedParameter)


def assign(target: Tensor, value: Tensor) -> None:
    """Give `target` a new value, device and dtype; it stays the same object, which optimizers know."""
    target.data = value.detach()
