"""DCGAN: a generator and a discriminator of convolutions that train against each other (Radford et al. 2016)."""

from __future__ import annotations

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor
from ferrograd.nn import functional as F


class DCGAN(nn.Module):
    """Images of 28 pixels from noise, judged by a discriminator.

    Args:
        noise_size: length of the noise.
        width: channels of the largest maps; deeper ones have up to four times as many.
        in_channels: of the images, whose values are in -1 ... 1.

    >>> import ferrograd as fg
    >>> model = fg.models.DCGAN(noise_size=8, width=4)
    >>> images = model.sample(2)
    >>> images.shape, model.discriminator(images).shape
    ((2, 1, 28, 28), (2, 1))
    """

    def __init__(self, noise_size: int = 64, width: int = 32, in_channels: int = 1) -> None:
        self.noise_size = noise_size
        self.generator = nn.Sequential(
            nn.Unflatten(1, (noise_size, 1, 1)),
            nn.ConvTranspose2d(noise_size, 4 * width, kernel_size=7, bias=False),
            nn.BatchNorm2d(4 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(4 * width, 2 * width, kernel_size=4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, in_channels, kernel_size=4, stride=2, padding=1),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Conv2d(in_channels, width, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, kernel_size=4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * width * 7 * 7, 1),
        )
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm2d) and module.weight is not None:
                nn.init.normal_(module.weight, 1.0, 0.02)

    def noise(self, count: int) -> Tensor:
        """Standard normal (count, noise_size)."""
        return fg.randn((count, self.noise_size))

    def forward(self, noise: Tensor) -> Tensor:
        return self.generator(noise)

    def discriminator_loss(self, real: Tensor) -> Tensor:
        """How badly the discriminator tells real images from as many generated ones; the generator gets no gradient."""
        with fg.no_grad():
            made = self.generator(self.noise(len(real)))
        wanted = fg.ones((len(real), 1)), fg.zeros((len(real), 1))
        scores = self.discriminator(real), self.discriminator(made)
        return sum(
            (F.binary_cross_entropy_with_logits(s, w) for s, w in zip(scores, wanted, strict=True)), fg.zeros(())
        )

    def generator_loss(self, count: int) -> Tensor:
        """How little of `count` generated images passes for real."""
        scores = self.discriminator(self.generator(self.noise(count)))
        return F.binary_cross_entropy_with_logits(scores, fg.ones((count, 1)))

    def sample(self, count: int) -> Tensor:
        """Generated images (count, C, 28, 28) in -1 ... 1, in eval mode if the model is."""
        with fg.no_grad():
            return self.generator(self.noise(count))
