"""Pools over all positions. `keepdims` keeps dimensions of size 1 in their place."""

from __future__ import annotations

from typing import ClassVar

from ferrograd._core import ShapeError, Tensor
from ferrograd.nn.module import Module


class _GlobalPool(Module):
    dimensions: ClassVar[int]

    def __init__(self, keepdims: bool = False) -> None:
        self.keepdims = keepdims

    def _positions(self, input: Tensor) -> tuple[int, ...]:
        if input.ndim != self.dimensions + 2:
            raise ShapeError(
                f"{type(self).__name__}: expected {self.dimensions + 2} dimensions (N, C, ...), "
                f"got shape {tuple(input.shape)}"
            )
        return tuple(range(2, input.ndim))


class _GlobalAvgPool(_GlobalPool):
    def forward(self, input: Tensor) -> Tensor:
        return input.mean(axis=self._positions(input), keepdims=self.keepdims)


class _GlobalMaxPool(_GlobalPool):
    def forward(self, input: Tensor) -> Tensor:
        return input.max(axis=self._positions(input), keepdims=self.keepdims)


class GlobalAvgPool1d(_GlobalAvgPool):
    """Mean of each channel over all positions: (N, C, L) -> (N, C).

    >>> import ferrograd as fg
    >>> fg.nn.GlobalAvgPool1d()(fg.rand((2, 3, 5))).shape
    (2, 3)
    """

    dimensions = 1


class GlobalAvgPool2d(_GlobalAvgPool):
    """Mean of each channel over all positions: (N, C, H, W) -> (N, C).

    >>> import ferrograd as fg
    >>> fg.nn.GlobalAvgPool2d()(fg.rand((2, 3, 4, 5))).shape
    (2, 3)
    """

    dimensions = 2


class GlobalAvgPool3d(_GlobalAvgPool):
    """Mean of each channel over all positions: (N, C, D, H, W) -> (N, C).

    >>> import ferrograd as fg
    >>> fg.nn.GlobalAvgPool3d()(fg.rand((2, 3, 2, 4, 5))).shape
    (2, 3)
    """

    dimensions = 3


class GlobalMaxPool1d(_GlobalMaxPool):
    """Largest value of each channel over all positions: (N, C, L) -> (N, C).

    >>> import ferrograd as fg
    >>> fg.nn.GlobalMaxPool1d()(fg.rand((2, 3, 5))).shape
    (2, 3)
    """

    dimensions = 1


class GlobalMaxPool2d(_GlobalMaxPool):
    """Largest value of each channel over all positions: (N, C, H, W) -> (N, C).

    >>> import ferrograd as fg
    >>> fg.nn.GlobalMaxPool2d()(fg.rand((2, 3, 4, 5))).shape
    (2, 3)
    """

    dimensions = 2


class GlobalMaxPool3d(_GlobalMaxPool):
    """Largest value of each channel over all positions: (N, C, D, H, W) -> (N, C).

    >>> import ferrograd as fg
    >>> fg.nn.GlobalMaxPool3d()(fg.rand((2, 3, 2, 4, 5))).shape
    (2, 3)
    """

    dimensions = 3
