"""Losses of numbers."""

from __future__ import annotations

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.loss.base import Loss, Reduction


class MSELoss(Loss):
    """(input - target)^2; both of one shape (*).

    >>> import ferrograd as fg
    >>> fg.nn.MSELoss()(fg.tensor([1.0, 3.0]), fg.zeros(2)).item()
    5.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """|input - target|; both of one shape (*).

    >>> import ferrograd as fg
    >>> fg.nn.L1Loss()(fg.tensor([1.0, 3.0]), fg.zeros(2)).item()
    2.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """0.5 d^2 / beta where d = |input - target| < beta, else d - 0.5 beta.

    >>> import ferrograd as fg
    >>> fg.nn.SmoothL1Loss()(fg.tensor([2.0]), fg.zeros(1)).item()
    1.5
    """

    def __init__(self, reduction: Reduction = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """0.5 d^2 where d = |input - target| < delta, else delta (d - 0.5 delta) (Huber 1964).

    >>> import ferrograd as fg
    >>> fg.nn.HuberLoss(delta=2.0)(fg.tensor([3.0]), fg.zeros(1)).item()
    4.0
    """

    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class PoissonNLLLoss(Loss):
    """exp(x) - target x, for counts with a Poisson distribution of mean exp(x); all of one shape (*).

    Args:
        log_input: False takes input as the mean itself: x - target log(x + eps).
        full: whether Stirling's approximation of log(target!) is added where target > 1.
        eps: keeps the logarithm finite.
        reduction: "mean", "sum" or "none".

    >>> import ferrograd as fg
    >>> fg.nn.PoissonNLLLoss()(fg.zeros(1), fg.tensor([3.0])).item()
    1.0
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(input, target, self.log_input, self.full, self.eps, self.reduction)


class GaussianNLLLoss(Loss):
    """0.5 (log var + (input - target)^2 / var), for targets with a normal distribution (Nix & Weigend 1994).

    Args:
        full: whether the constant 0.5 log(2 pi) is added.
        eps: least variance.
        reduction: "mean", "sum" or "none".

    input and target (*); var (*), with a last dimension of 1, or without the last dimension. Raises ValueError for a
    negative variance.

    >>> import ferrograd as fg
    >>> fg.nn.GaussianNLLLoss()(fg.tensor([3.0]), fg.tensor([1.0]), fg.ones(1)).item()
    2.0
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
