"""Losses of pairs and triplets, by distance or rank."""

from __future__ import annotations

from collections.abc import Callable

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.loss.base import Loss, Reduction


class CosineEmbeddingLoss(Loss):
    """1 - cos(x1, x2) where target is 1, max(0, cos(x1, x2) - margin) where it is -1; inputs (N, D), target (N,).

    >>> import ferrograd as fg
    >>> x = fg.tensor([[1.0, 0.0]])
    >>> fg.nn.CosineEmbeddingLoss()(x, x, fg.tensor([-1.0])).item()
    1.0
    """

    def __init__(self, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(Loss):
    """x where target is 1, max(0, margin - x) where it is -1; input and target (*).

    >>> import ferrograd as fg
    >>> fg.nn.HingeEmbeddingLoss(reduction="none")(fg.tensor([0.25, 0.25]), fg.tensor([1.0, -1.0])).tolist()
    [0.25, 0.75]
    """

    def __init__(self, margin: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """max(|a - p| - |a - n| + margin, 0) with p-norm distances of anchors, positives and negatives (N, D).

    Args:
        margin: wanted difference of the distances.
        p: order of the norm.
        eps: added to the differences.
        swap: whether |p - n| replaces |a - n| where it is smaller.
        reduction: "mean", "sum" or "none".

    >>> import ferrograd as fg
    >>> a, n = fg.tensor([[0.0]]), fg.tensor([[0.25]])
    >>> round(fg.nn.TripletMarginLoss()(a, a, n).item(), 4)
    0.75
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Loss):
    """max(d(a, p) - d(a, n) + margin, 0) with any distance d of anchors, positives and negatives (N, D).

    Args:
        distance_function: takes two tensors, gives (N,); None means `PairwiseDistance()`.
        margin: wanted difference of the distances.
        swap: whether d(p, n) replaces d(a, n) where it is smaller.
        reduction: "mean", "sum" or "none".

    >>> import ferrograd as fg
    >>> loss = fg.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: abs(x - y).sum(axis=1))
    >>> loss(fg.tensor([[0.0]]), fg.tensor([[0.0]]), fg.tensor([[0.25]])).item()
    0.75
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        self.distance_function, self.margin, self.swap = distance_function, margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class MarginRankingLoss(Loss):
    """max(0, -y (x1 - x2) + margin): x1 should rank above x2 where y is 1, below where it is -1; all (*).

    >>> import ferrograd as fg
    >>> fg.nn.MarginRankingLoss()(fg.tensor([1.0]), fg.tensor([3.0]), fg.tensor([1.0])).item()
    2.0
    """

    def __init__(self, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)
