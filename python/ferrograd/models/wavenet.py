"""WaveNet: dilated causal convolutions that predict the next audio sample (van den Oord et al. 2016)."""

from __future__ import annotations

import math

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Generator, Tensor
from ferrograd.models.sampling import sample
from ferrograd.nn import functional as F


def mu_law_encode(x: Tensor, classes: int = 256) -> Tensor:
    """Samples in -1 ... 1 to classes 0 ... classes - 1, finer near zero (ITU-T G.711).

    >>> import ferrograd as fg
    >>> mu_law_encode(fg.tensor([-1.0, 0.0, 1.0])).tolist()
    [0, 128, 255]
    """
    mu = classes - 1
    compressed = fg.sign(x) * fg.log1p(mu * fg.abs(x)) / math.log1p(mu)
    return fg.floor((fg.clip(compressed, -1.0, 1.0) + 1.0) / 2.0 * mu + 0.5).astype(fg.int64)


def mu_law_decode(ids: Tensor, classes: int = 256) -> Tensor:
    """The samples in the middle of the classes: the inverse of `mu_law_encode` up to rounding.

    >>> import ferrograd as fg
    >>> mu_law_decode(fg.tensor([0, 255])).tolist()
    [-1.0, 1.0]
    """
    mu = classes - 1
    compressed = 2.0 * ids.astype(fg.float32) / mu - 1.0
    return fg.sign(compressed) * fg.expm1(fg.abs(compressed) * math.log1p(mu)) / mu


class ResidualLayer(nn.Module):
    """tanh(filter) * sigmoid(gate) of a dilated causal convolution; one 1x1 convolution goes on, one to the output."""

    def __init__(self, channels: int, skip_channels: int, kernel_size: int, dilation: int, last: bool) -> None:
        self.padding = (kernel_size - 1) * dilation
        self.gated = nn.Conv1d(channels, 2 * channels, kernel_size, dilation=dilation)
        self.skip = nn.Conv1d(channels, skip_channels, 1)
        self.residual = None if last else nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        filtered, gate = self.gated(F.pad(x, (self.padding, 0))).chunk(2, axis=1)
        z = F.tanh(filtered) * F.sigmoid(gate)
        return (x if self.residual is None else x + self.residual(z)), self.skip(z)


class WaveNet(nn.Module):
    """A network of audio samples that sees exponentially far back.

    Args:
        classes: values a sample can have, see `mu_law_encode`.
        channels, skip_channels: width of the residual path and of the output's.
        layers: convolutions in a stack, with dilations 1, 2, 4, ...
        stacks: how often that is repeated.
        kernel_size: samples that one convolution looks at.

    Maps samples (N, T) as classes to logits (N, classes, T) of the sample after each.

    >>> import ferrograd as fg
    >>> model = fg.models.WaveNet(classes=16, channels=4, skip_channels=8, layers=3, stacks=1)
    >>> model(fg.zeros((2, 10), dtype=fg.int64)).shape, model.receptive_field
    ((2, 16, 10), 8)
    """

    def __init__(
        self,
        classes: int = 256,
        channels: int = 32,
        skip_channels: int = 128,
        layers: int = 8,
        stacks: int = 2,
        kernel_size: int = 2,
    ) -> None:
        dilations = [2**layer for layer in range(layers)] * stacks
        self.receptive_field = 1 + (kernel_size - 1) * sum(dilations)
        self.input = nn.Embedding(classes, channels)
        self.layers = nn.ModuleList(
            [
                ResidualLayer(channels, skip_channels, kernel_size, dilation, last=number == len(dilations))
                for number, dilation in enumerate(dilations, start=1)
            ]
        )
        self.output = nn.Sequential(
            nn.ReLU(), nn.Conv1d(skip_channels, skip_channels, 1), nn.ReLU(), nn.Conv1d(skip_channels, classes, 1)
        )

    def forward(self, ids: Tensor) -> Tensor:
        x = self.input(ids).transpose(1, 2)  # (N, channels, T)
        total: Tensor | float = 0.0
        for layer in self.layers:
            x, skip = layer(x)
            total = total + skip
        return self.output(total)

    def loss(self, ids: Tensor) -> Tensor:
        """Mean cross-entropy of each sample of `ids` (N, T) but the first, given those before it."""
        return F.cross_entropy(self(ids[:, :-1]), ids[:, 1:])

    def generate(
        self, ids: Tensor, max_new_samples: int, temperature: float = 1.0, generator: Generator | None = None
    ) -> Tensor:
        """Continue `ids` (N, T) by drawn samples, each from the receptive field before it; see `sample`."""
        with fg.no_grad():
            for _ in range(max_new_samples):
                logits = self(ids[:, -self.receptive_field :])[:, :, -1]
                ids = fg.concat([ids, sample(logits, temperature, generator=generator)[:, None]], axis=1)
        return ids
