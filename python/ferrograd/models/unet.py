"""U-Net: a contracting and an expanding path with links between them (Ronneberger et al. 2015)."""

from __future__ import annotations

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import ShapeError, Tensor


class DoubleConv(nn.Sequential):
    """Twice: 3 x 3 convolution, batch normalisation, ReLU; the size of the image stays."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class UNet(nn.Module):
    """A class for every pixel: (N, in_channels, H, W) -> logits (N, num_classes, H, W).

    Args:
        in_channels: of the image.
        num_classes: channels of the output.
        width: channels at full size, 64 in the paper; each level has twice as many.
        depth: number of times the size is halved; H and W are multiples of 2^depth.

    Unlike the paper's, convolutions are padded, so that the output is as large as the input.

    >>> import ferrograd as fg
    >>> fg.models.UNet(1, 2, width=4, depth=2)(fg.zeros((1, 1, 16, 16))).shape
    (1, 2, 16, 16)
    """

    def __init__(self, in_channels: int = 1, num_classes: int = 2, width: int = 64, depth: int = 4) -> None:
        sizes = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList([DoubleConv(a, b) for a, b in zip([in_channels, *sizes], sizes, strict=False)])
        self.pool = nn.MaxPool2d(2)
        pairs = list(zip(sizes[:0:-1], sizes[-2::-1], strict=True))
        self.up = nn.ModuleList([nn.ConvTranspose2d(wide, narrow, 2, stride=2) for wide, narrow in pairs])
        self.merge = nn.ModuleList([DoubleConv(wide, narrow) for wide, narrow in pairs])
        self.output = nn.Conv2d(width, num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        step = 2 ** len(self.up)
        if x.ndim != 4 or x.shape[2] % step or x.shape[3] % step:
            raise ShapeError(f"UNet: expected (N, C, H, W) with H and W multiples of {step}, got {tuple(x.shape)}")
        links = []
        for level, convolutions in enumerate(self.down):
            x = convolutions(self.pool(x) if level else x)
            links.append(x)
        for enlarge, convolutions, link in zip(self.up, self.merge, reversed(links[:-1]), strict=True):
            x = convolutions(fg.concat([link, enlarge(x)], axis=1))
        return self.output(x)
