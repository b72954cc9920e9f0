"""A convolutional autoencoder: images through a narrow code and back (Hinton & Salakhutdinov 2006)."""

from __future__ import annotations

from ferrograd import nn
from ferrograd._core import Tensor


class Autoencoder(nn.Module):
    """Two strided convolutions down to a code, two transposed ones back: (N, C, S, S) -> (N, C, S, S) in 0 ... 1.

    Args:
        code_size: length of the code.
        image_size: S, a multiple of 4.
        in_channels: C.
        width: channels of the first convolution; the second has twice as many.

    >>> import ferrograd as fg
    >>> model = fg.models.Autoencoder(code_size=8)
    >>> model.encoder(fg.zeros((2, 1, 28, 28))).shape, model(fg.zeros((2, 1, 28, 28))).shape
    ((2, 8), (2, 1, 28, 28))
    """

    def __init__(self, code_size: int = 16, image_size: int = 28, in_channels: int = 1, width: int = 16) -> None:
        if image_size % 4:
            raise ValueError(f"Autoencoder: image_size must be a multiple of 4, got {image_size}")
        small = image_size // 4
        self.encoder = nn.Sequential(
            nn.Conv2d(in_channels, width, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * small**2, code_size),
        )
        self.decoder = nn.Sequential(
            nn.Linear(code_size, 2 * width * small**2),
            nn.ReLU(),
            nn.Unflatten(1, (2 * width, small, small)),
            nn.ConvTranspose2d(2 * width, width, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, in_channels, kernel_size=4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))
