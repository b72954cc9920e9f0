"""Losses as layers: `loss = criterion(input, target)`. `reduction` is "mean", "sum" or "none" everywhere."""

from __future__ import annotations

from typing import Literal

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module

Reduction = Literal["none", "mean", "sum"]


class _Loss(Module):
    def __init__(self, reduction: Reduction = "mean") -> None:
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"{type(self).__name__}: expected reduction 'none', 'mean' or 'sum', got {reduction!r}")
        self.reduction = reduction


class CrossEntropyLoss(_Loss):
    """-log softmax(input)[target] over classes.

    Args:
        weight: (C,) factor of each class; the mean divides by the weights met.
        ignore_index: targets of this value count for nothing.
        reduction: "mean", "sum" or "none".
        label_smoothing: share of the target spread evenly over all classes, 0 ... 1.

    Input logits (N, C), (C,) or (N, C, d1, ...); target int64 class indices of the input's shape without C, or
    probabilities of the input's shape. Raises ShapeError for other shapes, IndexError for a class outside.

    >>> import ferrograd as fg
    >>> loss = fg.nn.CrossEntropyLoss()(fg.zeros((2, 4)), fg.tensor([0, 3]))
    >>> round(loss.item(), 4)
    1.3863
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """-input[target], for input of log probabilities (N, C) or (N, C, d1, ...). Arguments as in `CrossEntropyLoss`.

    >>> import ferrograd as fg
    >>> fg.nn.NLLLoss()(fg.tensor([[-1.0, -3.0]]), fg.tensor([1])).item()
    3.0
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(_Loss):
    """(input - target)^2; both of one shape (*).

    >>> import ferrograd as fg
    >>> fg.nn.MSELoss()(fg.tensor([1.0, 3.0]), fg.zeros(2)).item()
    5.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """|input - target|; both of one shape (*).

    >>> import ferrograd as fg
    >>> fg.nn.L1Loss()(fg.tensor([1.0, 3.0]), fg.zeros(2)).item()
    2.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
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


class HuberLoss(_Loss):
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


class BCELoss(_Loss):
    """-(y log p + (1 - y) log(1 - p)) for probabilities p (*) and targets y (*); logarithms are cut at -100.

    Args:
        weight: factors that broadcast to the shape.
        reduction: "mean", "sum" or "none".

    >>> import ferrograd as fg
    >>> round(fg.nn.BCELoss()(fg.tensor([0.5]), fg.tensor([1.0])).item(), 4)
    0.6931
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of sigmoid(input), accurate for any logit; input and target of one shape (*).

    Args:
        weight: factors that broadcast to the shape.
        reduction: "mean", "sum" or "none".
        pos_weight: factors of the positive targets, broadcast from the right.

    >>> import ferrograd as fg
    >>> fg.nn.BCEWithLogitsLoss()(fg.tensor([-1e4]), fg.tensor([1.0])).item()
    10000.0
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, reduction: Reduction = "mean", pos_weight: Tensor | None = None
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Module):
    """target (log target - input), input being log probabilities (*); also reduction="batchmean" (sum / N).

    Args:
        reduction: "mean", "batchmean" (the mathematical definition), "sum" or "none".
        log_target: whether the target holds log probabilities too.

    >>> import ferrograd as fg
    >>> p = fg.tensor([[0.5, 0.5]])
    >>> fg.nn.KLDivLoss(reduction="batchmean")(fg.log(p), p).item()
    0.0
    """

    def __init__(
        self, reduction: Literal["none", "mean", "sum", "batchmean"] = "mean", log_target: bool = False
    ) -> None:
        if reduction not in ("none", "mean", "sum", "batchmean"):
            raise ValueError(f"KLDivLoss: expected reduction none, mean, sum or batchmean, got {reduction!r}")
        self.reduction, self.log_target = reduction, log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class CosineEmbeddingLoss(_Loss):
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


class TripletMarginLoss(_Loss):
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


class HingeEmbeddingLoss(_Loss):
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


class CTCLoss(_Loss):
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
