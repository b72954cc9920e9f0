"""Pooling: maxima and means over windows of one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module

Sizes = int | tuple[int, ...]


class _MaxPool(Module):
    _function: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        return self._function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class MaxPool1d(_MaxPool):
    """Largest value in each window: (N, C, L) -> (N, C, L_out). Arguments as in `MaxPool2d`.

    >>> import ferrograd as fg
    >>> fg.nn.MaxPool1d(2)(fg.tensor([[[1.0, 3.0, 2.0, 0.0]]])).tolist()
    [[[3.0, 2.0]]]
    """

    _function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """Largest value in each window: (N, C, H, W) -> (N, C, H_out, W_out).

    Args:
        kernel_size: window, an integer or (kH, kW).
        stride: step between windows; None means kernel_size.
        padding: minus infinity added on both sides, at most half the kernel.
        dilation: step inside the window.
        return_indices: whether to return where the values were, too, as `MaxUnpool2d` takes it.
        ceil_mode: also take windows that start inside but reach over the end.

    Raises ShapeError or ValueError if a window does not fit.

    >>> import ferrograd as fg
    >>> fg.nn.MaxPool2d(2)(fg.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    _function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """Largest value in each window: (N, C, D, H, W) -> (N, C, D_out, H_out, W_out). Arguments as in `MaxPool2d`.

    >>> import ferrograd as fg
    >>> fg.nn.MaxPool3d(2)(fg.ones((1, 1, 4, 4, 4))).shape
    (1, 1, 2, 2, 2)
    """

    _function = staticmethod(F.max_pool3d)


class AvgPool1d(Module):
    """Mean of each window: (N, C, L) -> (N, C, L_out). Arguments as in `AvgPool2d`, without divisor_override.

    >>> import ferrograd as fg
    >>> fg.nn.AvgPool1d(2)(fg.tensor([[[1.0, 3.0, 2.0, 0.0]]])).tolist()
    [[[2.0, 1.0]]]
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class _AvgPool(Module):
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return self._function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool2d(_AvgPool):
    """Mean of each window: (N, C, H, W) -> (N, C, H_out, W_out).

    Args:
        kernel_size, stride, padding, ceil_mode: as in `MaxPool2d`; the padding is zeros.
        count_include_pad: whether padding counts in the divisor.
        divisor_override: divide by this instead of the window's size.

    >>> import ferrograd as fg
    >>> fg.nn.AvgPool2d(2)(fg.ones((1, 1, 4, 4))).tolist()
    [[[[1.0, 1.0], [1.0, 1.0]]]]
    """

    _function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """Mean of each window: (N, C, D, H, W) -> (N, C, D_out, H_out, W_out). Arguments as in `AvgPool2d`.

    >>> import ferrograd as fg
    >>> fg.nn.AvgPool3d(2)(fg.ones((1, 1, 4, 4, 4))).shape
    (1, 1, 2, 2, 2)
    """

    _function = staticmethod(F.avg_pool3d)


class _AdaptivePool(Module):
    _function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def forward(self, input: Tensor) -> Any:
        return self._function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means over windows chosen so that the output has `output_size` positions: (N, C, L) -> (N, C, output_size).

    >>> import ferrograd as fg
    >>> fg.nn.AdaptiveAvgPool1d(1)(fg.tensor([[[1.0, 3.0]]])).tolist()
    [[[2.0]]]
    """

    _function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means over windows chosen so that the output is `output_size`, an integer or (H, W); None keeps the input's.

    >>> import ferrograd as fg
    >>> fg.nn.AdaptiveAvgPool2d((2, 1))(fg.ones((1, 3, 5, 7))).shape
    (1, 3, 2, 1)
    """

    _function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptivePool):
    """Means over windows chosen so that the output is `output_size`, an integer or (D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.AdaptiveAvgPool3d(2)(fg.ones((1, 1, 4, 5, 6))).shape
    (1, 1, 2, 2, 2)
    """

    _function = staticmethod(F.adaptive_avg_pool3d)


class _AdaptiveMaxPool(_AdaptivePool):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return self._function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Maxima over windows chosen so that the output has `output_size` positions: (N, C, L) -> (N, C, output_size).

    >>> import ferrograd as fg
    >>> fg.nn.AdaptiveMaxPool1d(1)(fg.tensor([[[1.0, 3.0]]])).tolist()
    [[[3.0]]]
    """

    _function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Maxima over windows chosen so that the output is `output_size`, an integer or (H, W); None keeps the input's.

    >>> import ferrograd as fg
    >>> fg.nn.AdaptiveMaxPool2d(2)(fg.ones((1, 3, 5, 7))).shape
    (1, 3, 2, 2)
    """

    _function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Maxima over windows chosen so that the output is `output_size`, an integer or (D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.AdaptiveMaxPool3d(2)(fg.ones((1, 1, 4, 5, 6))).shape
    (1, 1, 2, 2, 2)
    """

    _function = staticmethod(F.adaptive_max_pool3d)


class _LPPool(Module):
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        self.norm_type, self.kernel_size, self.ceil_mode = norm_type, kernel_size, ceil_mode
        self.stride = kernel_size if stride is None else stride

    def forward(self, input: Tensor) -> Tensor:
        return self._function(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    """(sum of x^p)^(1/p) of each window: (N, C, L) -> (N, C, L_out). Arguments as in `LPPool2d`.

    >>> import ferrograd as fg
    >>> fg.nn.LPPool1d(2, 2)(fg.tensor([[[3.0, 4.0]]])).tolist()
    [[[5.0]]]
    """

    _function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """(sum of x^p)^(1/p) of each window: (N, C, H, W) -> (N, C, H_out, W_out).

    Args:
        norm_type: p; 1 gives sums, large values come near maxima.
        kernel_size, stride, ceil_mode: as in `MaxPool2d`.

    >>> import ferrograd as fg
    >>> fg.nn.LPPool2d(1, 2)(fg.ones((1, 1, 2, 2))).tolist()
    [[[[4.0]]]]
    """

    _function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """(sum of x^p)^(1/p) of each window: (N, C, D, H, W) -> (N, C, D_out, H_out, W_out). Arguments as in `LPPool2d`.

    >>> import ferrograd as fg
    >>> fg.nn.LPPool3d(1, 2)(fg.ones((1, 1, 2, 2, 2))).tolist()
    [[[[[8.0]]]]]
    """

    _function = staticmethod(F.lp_pool3d)
