"""The inverses of maximum pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module
from ferrograd.nn.pool import Sizes


class _MaxUnpool(Module):
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return self._function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """Values of a `MaxPool1d` put back to where they were, zeros elsewhere. Arguments as in `MaxUnpool2d`.

    >>> import ferrograd as fg
    >>> values, indices = fg.nn.MaxPool1d(2, return_indices=True)(fg.rand((1, 1, 4)))
    >>> fg.nn.MaxUnpool1d(2)(values, indices).shape
    (1, 1, 4)
    """

    _function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Values of a `MaxPool2d` put back to where they were, zeros elsewhere: (N, C, H, W).

    Args:
        kernel_size, stride, padding: those of the pool that was applied with return_indices=True.

    `forward(input, indices, output_size=None)`; output_size chooses among the sizes that the pool maps to one.

    >>> import ferrograd as fg
    >>> values, indices = fg.nn.MaxPool2d(2, return_indices=True)(fg.rand((1, 1, 4, 4)))
    >>> fg.nn.MaxUnpool2d(2)(values, indices).shape
    (1, 1, 4, 4)
    """

    _function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Values of a `MaxPool3d` put back to where they were, zeros elsewhere. Arguments as in `MaxUnpool2d`.

    >>> import ferrograd as fg
    >>> values, indices = fg.nn.MaxPool3d(2, return_indices=True)(fg.rand((1, 1, 4, 4, 4)))
    >>> fg.nn.MaxUnpool3d(2)(values, indices).shape
    (1, 1, 4, 4, 4)
    """

    _function = staticmethod(F.max_unpool3d)
