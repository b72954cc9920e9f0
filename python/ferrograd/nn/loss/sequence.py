"""Losses of sequences without alignment."""

from __future__ import annotations

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.loss.base import Loss, Reduction


class CTCLoss(Loss):
    """-log of the probability of all alignments of a label sequence (Graves et al. 2006).

    Args:
        blank: index of the blank label.
        reduction: "mean" (each loss divided by its target length first), "sum" or "none".
        zero_infinity: whether impossible alignments count as zero.

    log_probs (T, N, C), targets (N, S) or (sum of lengths,), input_lengths (N,), target_lengths (N,).

    >>> import ferrograd as fg
    >>> log_probs = fg.log(fg.full((2, 1, 2), 0.5))
    >>> loss = fg.nn.CTCLoss()(log_probs, fg.tensor([[1]]), fg.tensor([2]), fg.tensor([1]))
    >>> round(loss.item(), 4)
    0.2877
    """

    def __init__(self, blank: int = 0, reduction: Reduction = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            blank=self.blank,
            reduction=self.reduction,
            zero_infinity=self.zero_infinity,
        )
