"""Dropout layers; all of them do nothing in eval mode."""

from __future__ import annotations

from typing import ClassVar

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module


class _Dropout(Module):
    def __init__(self, p: float = 0.5) -> None:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{type(self).__name__}: p must be between 0 and 1, got {p}")
        self.p = p


class Dropout(_Dropout):
    """Zero each element with probability p and scale the others by 1 / (1 - p) (Srivastava et al. 2014).

    Raises ValueError unless 0 <= p <= 1.

    >>> import ferrograd as fg
    >>> fg.nn.Dropout(0.5).eval()(fg.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training)


class _ChannelDropout(_Dropout):
    """Whole channels are dropped: one draw per (n, c)."""

    spatial: ClassVar[int]

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self.spatial + 1, self.spatial + 2):
            raise ShapeError(
                f"{type(self).__name__}: expected {self.spatial + 2} dimensions (N, C, ...) or one fewer, "
                f"got shape {tuple(input.shape)}"
            )
        if not self.training or self.p == 0.0:
            return input
        shape = tuple(input.shape[: -self.spatial]) + (1,) * self.spatial
        return input * F.dropout(_core.ones(shape, dtype=input.dtype, device=input.device), self.p, True)


class Dropout1d(_ChannelDropout):
    """Dropout of whole channels of (N, C, L) or (C, L).

    >>> import ferrograd as fg
    >>> fg.nn.Dropout1d(1.0)(fg.ones((1, 2, 3))).sum().item()
    0.0
    """

    spatial = 1


class Dropout2d(_ChannelDropout):
    """Dropout of whole channels of (N, C, H, W) or (C, H, W) (Tompson et al. 2015).

    >>> import ferrograd as fg
    >>> fg.nn.Dropout2d(0.0)(fg.ones((1, 2, 3, 3))).sum().item()
    18.0
    """

    spatial = 2


class Dropout3d(_ChannelDropout):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.Dropout3d(0.0)(fg.ones((1, 1, 2, 2, 2))).sum().item()
    8.0
    """

    spatial = 3


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1 of SELU networks (Klambauer et al. 2017).

    Dropped elements become -1.7580993...; the result is a x + b with a and b chosen to restore the moments.

    >>> import ferrograd as fg
    >>> fg.nn.AlphaDropout(0.1).eval()(fg.ones(2)).tolist()
    [1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return input
        if self.p == 1.0:
            return input * 0.0
        saturation = -1.7580993408473766
        a = ((1 - self.p) * (1 + self.p * saturation**2)) ** -0.5
        b = -a * saturation * self.p
        kept = _core.rand(input.shape, dtype=input.dtype, device=input.device) >= self.p
        return _core.where(kept, input, _core.full_like(input, saturation)) * a + b
