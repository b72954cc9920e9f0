"""Softmax and its relatives as layers. Shapes stay as they are."""

from __future__ import annotations

from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module


class Softmax(Module):
    """exp(x) / sum(exp(x)) along `dim`.

    >>> import ferrograd as fg
    >>> fg.nn.Softmax(-1)(fg.zeros(2)).tolist()
    [0.5, 0.5]
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)


class LogSoftmax(Module):
    """log(softmax(x)) along `dim`, computed without overflow.

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.LogSoftmax(-1)(fg.zeros(2)).tolist()]
    [-0.69, -0.69]
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)


class Softmin(Module):
    """exp(-x) / sum(exp(-x)) along `dim`.

    >>> import ferrograd as fg
    >>> fg.nn.Softmin(-1)(fg.zeros(2)).tolist()
    [0.5, 0.5]
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)


class Softmax2d(Module):
    """Softmax over the channels at every pixel of (N, C, H, W) or (C, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.Softmax2d()(fg.zeros((2, 1, 1))).tolist()
    [[[0.5]], [[0.5]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected (N, C, H, W) or (C, H, W), got {tuple(input.shape)}")
        return F.softmax(input, -3)
