"""Variational autoencoder: images from codes that are normally distributed (Kingma & Welling 2014)."""

from __future__ import annotations

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Generator, Tensor
from ferrograd.nn import functional as F


class VAE(nn.Module):
    """Encoder to mean and log variance of a code, decoder back to pixel logits.

    Args:
        code_size: length of the code.
        image_size: height and width S of the images.
        hidden: width of the hidden layers.

    `forward` maps images (N, 1, S, S) in 0 ... 1 to (logits (N, 1, S, S), mean (N, code_size), log variance).

    >>> import ferrograd as fg
    >>> model = fg.models.VAE(code_size=4, image_size=8, hidden=16)
    >>> model.loss(fg.rand((5, 1, 8, 8))).shape, model.sample(3).shape
    ((), (3, 1, 8, 8))
    """

    def __init__(self, code_size: int = 20, image_size: int = 28, hidden: int = 400) -> None:
        self.code_size, self.image_size = code_size, image_size
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(image_size**2, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, code_size)
        self.log_variance = nn.Linear(hidden, code_size)
        self.decoder = nn.Sequential(
            nn.Linear(code_size, hidden),
            nn.ReLU(),
            nn.Linear(hidden, image_size**2),
            nn.Unflatten(1, (1, image_size, image_size)),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        # Drawn as mean + noise, so that the gradient reaches mean and variance.
        code = mean + fg.exp(0.5 * log_variance) * fg.randn(mean.shape, device=x.device)
        return self.decoder(code), mean, log_variance

    def loss(self, x: Tensor) -> Tensor:
        """Minus the evidence lower bound, summed over pixels and averaged over images."""
        logits, mean, log_variance = self(x)
        pixels = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = -0.5 * (1.0 + log_variance - mean * mean - fg.exp(log_variance)).sum()
        return (pixels + divergence) / len(x)

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        """New images (count, 1, S, S): what the decoder makes of codes from the standard normal distribution."""
        with fg.no_grad():
            return F.sigmoid(self.decoder(fg.randn((count, self.code_size), generator=generator)))
