"""What one row of the op table says, and how its inputs are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness import dtypes

Array = np.ndarray
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """The arguments of one call; arrays are NumPy arrays, dtypes are `DType` names."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


def call(*args: Any, **kwargs: Any) -> Call:
    """A call with these arguments; NumPy's scalars become 0-d arrays, which is what they stand for."""

    def whole(value: Any) -> Any:
        return np.asarray(value) if isinstance(value, np.generic) else value

    return Call(tuple(map(whole, args)), {name: whole(value) for name, value in kwargs.items()})


class DType(str):
    """A dtype argument, by name: becomes `fg.<name>` for the op and NumPy's dtype for the reference."""

    __slots__ = ()


@dataclass(frozen=True)
class Refusal:
    """A call that has to fail, with the exception's name and a part of its message."""

    exception: str
    match: str
    call: Call


def refuses(exception: str, match: str, *args: Any, **kwargs: Any) -> Refusal:
    return Refusal(exception, match, Call(args, kwargs))


class Source:
    """Draws the inputs of one example. `smooth` asks for points where the op is differentiable."""

    def __init__(self, random: np.random.Generator, dtype: str, smooth: bool = False) -> None:
        self.random, self.dtype, self.smooth = random, dtype, smooth

    def integer(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high, endpoint=True))

    def choice(self, *options: Any) -> Any:
        return options[self.integer(0, len(options) - 1)]

    def flag(self) -> bool:
        return self.choice(False, True)

    def shape(self, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 5) -> Shape:
        """A shape; 0-d and empty ones included where the bounds allow."""
        dims = self.integer(min_dims, max_dims)
        sides = (self.integer(1, max_side) for _ in range(dims))
        shape = tuple(sides)
        if min_side == 0 and dims and not self.smooth and self.integer(0, 9) == 0:
            hole = self.integer(0, dims - 1)
            shape = (*shape[:hole], 0, *shape[hole + 1 :])
        return shape

    def broadcastable(self, shape: Shape) -> Shape:
        """A shape that broadcasts to `shape`: leading axes dropped, some sides 1."""
        kept = shape[self.integer(0, len(shape)) :]
        return tuple(1 if self.flag() else side for side in kept)

    def axis(self, shape: Shape) -> int:
        return self.integer(-len(shape), len(shape) - 1)

    def axes(self, shape: Shape) -> Any:
        """None, one axis, or a tuple of distinct axes (the empty one included)."""
        kind = self.choice("none", "one", "several") if shape else "none"
        if kind == "none":
            return None
        if kind == "one":
            return self.axis(shape)
        chosen = [axis for axis in self.random.permutation(len(shape)) if self.flag()]
        return tuple(int(axis) - len(shape) if self.flag() else int(axis) for axis in chosen)

    def array(
        self,
        shape: Shape,
        dtype: str | None = None,
        low: float = -4.0,
        high: float = 4.0,
        special: bool | tuple[float, ...] = True,
    ) -> Array:
        """Values in [low, high) with the precision of `dtype`; special ones among them unless `smooth`."""
        return dtypes.random_values(
            self.random, shape, dtype or self.dtype, low, high, special if not self.smooth else ()
        )

    def indices(self, shape: Shape, size: int, dtype: str = "int64") -> Array:
        """Valid indices of an axis of `size` elements, negative ones not included."""
        return self.random.integers(0, max(size, 1), shape).astype(dtype)


class DrawnSource(Source):
    """Hypothesis makes the choices, so that shapes and options shrink; values follow one drawn seed, which is cheap."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], dtype: str, smooth: bool = False) -> None:
        super().__init__(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), dtype, smooth)
        self.draw = draw

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))


@dataclass(frozen=True, repr=False)
class Row:
    """One op: how to call it, what it has to return, and what it has to refuse."""

    name: str
    reference: Callable[..., Any]
    cases: Callable[[Source], Call]
    dtypes: tuple[str, ...] = dtypes.FLOATS
    result: str | None = "same"  # "same" as the promoted inputs, a dtype name, or None where the driver cannot know
    slack: float = 1.0  # multiplies the dtype's tolerance
    exact: bool = False  # the reference has to run in the op's own dtype, not in a wider one
    gradient: bool | str = True  # or why there is none
    smooth: Callable[[Source], Call] | None = None  # inputs for the gradient test where `cases` will not do
    constants: tuple[int | str, ...] = ()  # arguments that the op takes as given: targets, class weights
    around: Callable[[Any, Callable[..., Any]], Callable[..., Any]] | None = (
        None  # the op as the gradient test calls it
    )
    structured: bool = False  # values carry structure that repeating them along an axis would break
    check: Callable[[Any, Call], None] | None = (
        None  # replaces the comparison of values where several answers are right
    )
    refusals: tuple[Refusal, ...] = ()
    find: Callable[[Any], Callable[..., Any]] | None = None  # default: the name, in fg or nn.functional, or a method

    def __repr__(self) -> str:
        return f"Row({self.name!r})"

    def function(self, fg: Any) -> Callable[..., Any]:
        if self.find:
            return self.find(fg)
        owner, name = fg, self.name
        while "." in name:
            head, name = name.split(".", 1)
            owner = getattr(owner, head)
        places = [owner, fg.nn.functional, fg.Tensor]
        return getattr(next((place for place in places if hasattr(place, name)), owner), name)
