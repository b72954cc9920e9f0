"""Layers that move elements: images to patches and back, channels to pixels and back."""

from __future__ import annotations

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.functional.rearrange import Sizes
from ferrograd.nn.module import Module


class Unfold(Module):
    """Every window of an image as a column: (N, C, H, W) -> (N, C kH kW, windows), also without N.

    Args:
        kernel_size, dilation, padding, stride: as in `Conv2d`; the padding is zeros.

    >>> import ferrograd as fg
    >>> fg.nn.Unfold(2)(fg.zeros((1, 3, 4, 4))).shape
    (1, 12, 9)
    """

    def __init__(self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> None:
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Module):
    """Columns added up to an image, the adjoint of `Unfold`: (N, C kH kW, windows) -> (N, C, H, W), also without N.

    Args:
        output_size: (H, W).
        kernel_size, dilation, padding, stride: as in `Unfold`.

    Raises ShapeError if the number of windows is not that of an image of this size.

    >>> import ferrograd as fg
    >>> fg.nn.Fold((4, 4), kernel_size=2, stride=2)(fg.ones((1, 12, 4))).shape
    (1, 3, 4, 4)
    """

    def __init__(
        self, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        self.output_size = output_size
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)


class PixelShuffle(Module):
    """Channels to pixels: (*, C r^2, H, W) -> (*, C, H r, W r), r the upscale_factor (Shi et al. 2016).

    >>> import ferrograd as fg
    >>> fg.nn.PixelShuffle(2)(fg.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]])).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Module):
    """Pixels to channels, the inverse of `PixelShuffle`: (*, C, H r, W r) -> (*, C r^2, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.PixelUnshuffle(2)(fg.ones((1, 4, 4))).shape
    (4, 2, 2)
    """

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Module):
    """Channels of `groups` groups interleaved: (N, C, *) -> (N, C, *) (Zhang et al. 2018).

    >>> import ferrograd as fg
    >>> fg.nn.ChannelShuffle(2)(fg.arange(4.0).reshape((1, 4, 1))).tolist()
    [[[0.0], [2.0], [1.0], [3.0]]]
    """

    def __init__(self, groups: int) -> None:
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)
