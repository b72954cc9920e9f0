"""Losses of one class among several, and of probabilities."""

from __future__ import annotations

from typing import Literal

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.loss.base import Loss, Reduction
from ferrograd.nn.module import Module


class CrossEntropyLoss(Loss):
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


class NLLLoss(Loss):
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


class BCELoss(Loss):
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


class BCEWithLogitsLoss(Loss):
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
