"""Dropout layers; all of them do nothing in eval mode. `inplace` is accepted as in PyTorch: tensors are values."""

from __future__ import annotations

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module
from ferrograd.nn.sizes import check_probability


class _Dropout(Module):
    inplace = False

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        # Shown by repr where it was asked for.
        if inplace:
            self.inplace = True
        self.p = check_probability(self, "p", p)


class Dropout(_Dropout):
    """Zero each element with probability p and scale the others by 1 / (1 - p) (Srivastava et al. 2014).

    Raises ValueError unless 0 <= p <= 1.

    >>> import ferrograd as fg
    >>> fg.nn.Dropout(0.5).eval()(fg.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training)


class Dropout1d(_Dropout):
    """Dropout of whole channels of (N, C, L) or (C, L).

    >>> import ferrograd as fg
    >>> fg.nn.Dropout1d(1.0)(fg.ones((1, 2, 3))).sum().item()
    0.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training)


class Dropout2d(_Dropout):
    """Dropout of whole channels of (N, C, H, W) or (C, H, W) (Tompson et al. 2015).

    >>> import ferrograd as fg
    >>> fg.nn.Dropout2d(0.0)(fg.ones((1, 2, 3, 3))).sum().item()
    18.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training)


class Dropout3d(_Dropout):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W).

    >>> import ferrograd as fg
    >>> fg.nn.Dropout3d(0.0)(fg.ones((1, 1, 2, 2, 2))).sum().item()
    8.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1 of SELU networks (Klambauer et al. 2017).

    Dropped elements become -1.7580993...; the result is a x + b with a and b chosen to restore the moments.

    >>> import ferrograd as fg
    >>> fg.nn.AlphaDropout(0.1).eval()(fg.ones(2)).tolist()
    [1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of (N, C, *).

    >>> import ferrograd as fg
    >>> fg.nn.FeatureAlphaDropout(0.1).eval()(fg.ones((1, 2, 1))).tolist()
    [[[1.0], [1.0]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
