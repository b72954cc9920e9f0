"""Losses of margins between classes, and of several classes at once."""

from __future__ import annotations

from typing import Literal

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.loss.base import Loss, Reduction


class MultiMarginLoss(Loss):
    """sum over i != y of max(0, margin - x[y] + x[i])^p / C, for scores x (N, C) and classes y (N,).

    Args:
        p: 1 or 2.
        margin: wanted lead of the right class.
        weight: (C,) factor of each class.
        reduction: "mean", "sum" or "none".

    >>> import ferrograd as fg
    >>> fg.nn.MultiMarginLoss()(fg.tensor([[0.5, 1.0]]), fg.tensor([1])).item()
    0.25
    """

    weight: Tensor | None

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: expected p 1 or 2, got {p}")
        self.p, self.margin = p, margin
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, self.reduction)


class MultiLabelMarginLoss(Loss):
    """sum over right classes j and wrong classes i of max(0, 1 - x[j] + x[i]) / C.

    Scores (N, C) or (C,); targets of the same shape list the right classes and end at the first -1.

    >>> import ferrograd as fg
    >>> x, y = fg.tensor([0.1, 0.2, 0.4, 0.8]), fg.tensor([3, 0, -1, 1])
    >>> round(fg.nn.MultiLabelMarginLoss()(x, y).item(), 2)
    0.85
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, self.reduction)


class MultiLabelSoftMarginLoss(Loss):
    """Binary cross-entropy of sigmoid(input), averaged over the C classes: input and target (N, C) -> (N,).

    Args:
        weight: (C,) factor of each class.
        reduction: "mean", "sum" or "none".

    >>> import ferrograd as fg
    >>> round(fg.nn.MultiLabelSoftMarginLoss()(fg.zeros((1, 3)), fg.ones((1, 3))).item(), 4)
    0.6931
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, self.weight, self.reduction)


class SoftMarginLoss(Loss):
    """log(1 + exp(-y x)) for targets y of 1 and -1; input and target (*).

    >>> import ferrograd as fg
    >>> round(fg.nn.SoftMarginLoss()(fg.zeros(2), fg.tensor([1.0, -1.0])).item(), 4)
    0.6931
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, self.reduction)


class FocalLoss(Loss):
    """Cross-entropy times (1 - p)^gamma, p the probability of the right class: easy samples count less (Lin 2017).

    Args:
        gamma: 0 is cross-entropy.
        weight: (C,) factor of each class, alpha in the paper.
        ignore_index: targets of this value count for nothing.
        reduction: "mean" (over the targets that count), "sum" or "none".

    Input logits (N, C) or (N, C, d1, ...); target class indices (N,) or (N, d1, ...).

    >>> import ferrograd as fg
    >>> round(fg.nn.FocalLoss(gamma=2.0)(fg.zeros((1, 2)), fg.tensor([0])).item(), 4)
    0.1733
    """

    weight: Tensor | None

    def __init__(
        self,
        gamma: float = 2.0,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        self.gamma, self.ignore_index = gamma, ignore_index
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.focal_loss(input, target, self.gamma, self.weight, self.ignore_index, self.reduction)


class DiceLoss(Loss):
    """1 - 2 |p t| / (|p| + |t|) per sample and class, over all positions: overlap of areas (Milletari et al. 2016).

    Args:
        smooth: added above and below, so that an absent class that is not predicted costs nothing.
        mode: "multiclass" takes the softmax over C and class indices (N, d1, ...); "binary" takes the sigmoid and
            targets of 0 and 1 in the input's shape.
        reduction: "mean", "sum" or "none" (N, C).

    Input logits (N, C, d1, ...).

    >>> import ferrograd as fg
    >>> logits, mask = fg.tensor([[[9.0, -9.0]]]) * 9, fg.tensor([[[1.0, 0.0]]])
    >>> round(fg.nn.DiceLoss(mode="binary")(logits, mask).item(), 4)
    0.0
    """

    def __init__(
        self,
        smooth: float = 1.0,
        mode: Literal["multiclass", "binary"] = "multiclass",
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        if mode not in ("multiclass", "binary"):
            raise ValueError(f"DiceLoss: expected mode 'multiclass' or 'binary', got {mode!r}")
        self.smooth, self.mode = smooth, mode

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.dice_loss(input, target, self.smooth, self.mode, self.reduction)
