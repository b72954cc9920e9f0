"""Padding layers.

`padding` is one integer for all sides, or (left, right, top, bottom, front, back) as far as the layer has dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module


class _Pad(Module):
    dimensions: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: int | Sequence[int]) -> None:
        kind = type(self).__name__
        sides = (padding,) * (2 * self.dimensions) if isinstance(padding, int) else tuple(padding)
        if len(sides) != 2 * self.dimensions or not all(isinstance(side, int) for side in sides):
            raise ValueError(f"{kind}: expected an integer or {2 * self.dimensions} of them, got {padding!r}")
        self.padding = sides

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self.dimensions + 1, self.dimensions + 2):
            raise ShapeError(
                f"{type(self).__name__}: expected {self.dimensions + 1} or {self.dimensions + 2} dimensions, "
                f"got shape {tuple(input.shape)}"
            )
        return F.pad(input, self.padding, mode=self.mode)


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, mode="constant", value=self.value)


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)


class ConstantPad1d(_ConstantPad):
    """A number around the input: (N, C, L) or (C, L).

    >>> import ferrograd as fg
    >>> fg.nn.ConstantPad1d(1, 7.0)(fg.tensor([[[1.0, 2.0]]])).tolist()
    [[[7.0, 1.0, 2.0, 7.0]]]
    """

    dimensions = 1


class ConstantPad2d(_ConstantPad):
    """A number around the input: (N, C, H, W) or (C, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ConstantPad2d(1, 7.0)(fg.ones((1, 1, 2, 3))).shape
    (1, 1, 4, 5)
    """

    dimensions = 2


class ConstantPad3d(_ConstantPad):
    """A number around the input: (N, C, D, H, W) or (C, D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ConstantPad3d(1, 7.0)(fg.ones((1, 1, 2, 2, 2))).shape
    (1, 1, 4, 4, 4)
    """

    dimensions = 3


class ZeroPad1d(_ZeroPad):
    """Zeros around the input: (N, C, L) or (C, L).

    >>> import ferrograd as fg
    >>> fg.nn.ZeroPad1d(1)(fg.tensor([[[1.0, 2.0]]])).tolist()
    [[[0.0, 1.0, 2.0, 0.0]]]
    """

    dimensions = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around the input: (N, C, H, W) or (C, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ZeroPad2d(1)(fg.ones((1, 1, 2, 3))).shape
    (1, 1, 4, 5)
    """

    dimensions = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around the input: (N, C, D, H, W) or (C, D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ZeroPad3d(1)(fg.ones((1, 1, 2, 2, 2))).shape
    (1, 1, 4, 4, 4)
    """

    dimensions = 3


class ReflectionPad1d(_Pad):
    """The input mirrored at its first and last elements: (N, C, L) or (C, L).

    Padding must be smaller than the input; raises ShapeError if it is not.

    >>> import ferrograd as fg
    >>> fg.nn.ReflectionPad1d(1)(fg.tensor([[[1.0, 2.0]]])).tolist()
    [[[2.0, 1.0, 2.0, 1.0]]]
    """

    dimensions = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """The input mirrored at its first and last elements: (N, C, H, W) or (C, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ReflectionPad2d(1)(fg.ones((1, 1, 2, 3))).shape
    (1, 1, 4, 5)
    """

    dimensions = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """The input mirrored at its first and last elements: (N, C, D, H, W) or (C, D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ReflectionPad3d(1)(fg.ones((1, 1, 2, 2, 2))).shape
    (1, 1, 4, 4, 4)
    """

    dimensions = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """The outermost elements repeated: (N, C, L) or (C, L).

    >>> import ferrograd as fg
    >>> fg.nn.ReplicationPad1d(1)(fg.tensor([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """

    dimensions = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """The outermost elements repeated: (N, C, H, W) or (C, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ReplicationPad2d(1)(fg.ones((1, 1, 2, 3))).shape
    (1, 1, 4, 5)
    """

    dimensions = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """The outermost elements repeated: (N, C, D, H, W) or (C, D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.ReplicationPad3d(1)(fg.ones((1, 1, 2, 2, 2))).shape
    (1, 1, 4, 4, 4)
    """

    dimensions = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """The input continued periodically: (N, C, L) or (C, L).

    >>> import ferrograd as fg
    >>> fg.nn.CircularPad1d(1)(fg.tensor([[[1.0, 2.0]]])).tolist()
    [[[2.0, 1.0, 2.0, 1.0]]]
    """

    dimensions = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """The input continued periodically: (N, C, H, W) or (C, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.CircularPad2d(1)(fg.ones((1, 1, 2, 3))).shape
    (1, 1, 4, 5)
    """

    dimensions = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """The input continued periodically: (N, C, D, H, W) or (C, D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.CircularPad3d(1)(fg.ones((1, 1, 2, 2, 2))).shape
    (1, 1, 4, 4, 4)
    """

    dimensions = 3
    mode = "circular"
