"""Metrics of one class among several."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.metrics.base import Array, Metric, class_pairs, ratio

Average = Literal["auto", "binary", "micro", "macro", "weighted"]


class Accuracy(Metric):
    """Share of samples whose largest score is at the target class.

    Scores (N, C) or (N, C, d1, ...), targets integers (N,) or (N, d1, ...), or one-hot rows (N, C). Scores (N, 1) or
    (N,) are probabilities of class 1, which is predicted from `threshold` on; integers are predicted classes.

    Args:
        axis: of the classes; -1 for channels last.
        threshold: 0.5 for probabilities, 0.0 for logits.
        ignore_index: targets of this value count for nothing.

    >>> import ferrograd as fg
    >>> accuracy = fg.metrics.Accuracy()
    >>> accuracy.update(fg.tensor([[0.1, 0.9], [0.8, 0.2]]), fg.tensor([1, 1]))
    >>> accuracy.compute()
    0.5
    """

    name = "accuracy"

    def __init__(self, axis: int = 1, threshold: float = 0.5, ignore_index: int | None = None) -> None:
        self.axis, self.threshold, self.ignore_index = axis, threshold, ignore_index
        self.reset()

    def reset(self) -> None:
        self.right = self.total = 0

    def update(self, output: Tensor, target: Tensor) -> None:
        predicted, classes, _ = class_pairs(self, output, target, self.axis, self.threshold)
        counts = classes != self.ignore_index
        self.right += int(np.count_nonzero((predicted == classes) & counts))
        self.total += int(np.count_nonzero(counts))

    def compute(self) -> float:
        return self.right / self.total if self.total else float("nan")


class TopKAccuracy(Metric):
    """Share of samples whose target class is among the k largest scores; scores (N, C), targets (N,).

    >>> import ferrograd as fg
    >>> top2 = fg.metrics.TopKAccuracy(k=2)
    >>> top2.update(fg.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), fg.tensor([1, 2]))
    >>> top2.compute(), top2.name
    (0.5, 'top2_accuracy')
    """

    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ValueError(f"TopKAccuracy: expected k >= 1, got {k}")
        self.k, self.name = k, f"top{k}_accuracy"
        self.reset()

    def reset(self) -> None:
        self.right = self.total = 0

    def update(self, output: Tensor, target: Tensor) -> None:
        if output.ndim != 2 or target.shape != output.shape[:1]:
            raise ShapeError(
                f"TopKAccuracy: expected scores (N, C) and targets (N,), got {tuple(output.shape)} "
                f"and {tuple(target.shape)}"
            )
        _, best = _core.topk(output.detach(), min(self.k, output.shape[1]), axis=1)
        self.right += int(_core.count_nonzero(best == target.unsqueeze(1)))
        self.total += len(target)

    def compute(self) -> float:
        return self.right / self.total if self.total else float("nan")


class _ClassCounts(Metric):
    """Per class: how often it was right, predicted, and the target."""

    def __init__(self, axis: int, threshold: float, ignore_index: int | None) -> None:
        self.axis, self.threshold, self.ignore_index = axis, threshold, ignore_index
        self.reset()

    def reset(self) -> None:
        self._counts: Array = np.zeros((3, 0), np.int64)
        self._binary = True

    def update(self, output: Tensor, target: Tensor) -> None:
        predicted, classes, number = class_pairs(self, output, target, self.axis, self.threshold)
        kept = classes != self.ignore_index
        predicted, classes = predicted[kept], classes[kept]
        if min(predicted.min(initial=0), classes.min(initial=0)) < 0:
            raise IndexError(f"{type(self).__name__}: expected classes >= 0, got a negative one")
        self._binary &= output.ndim < 2 or output.shape[self.axis] == 1
        needed = max(number, int(predicted.max(initial=-1)) + 1, int(classes.max(initial=-1)) + 1)
        if needed > self._counts.shape[1]:
            self._counts = np.pad(self._counts, [(0, 0), (0, needed - self._counts.shape[1])])
        size = self._counts.shape[1]
        for row, chosen in enumerate((classes[predicted == classes], predicted, classes)):
            self._counts[row] += np.bincount(chosen, minlength=size)


class _Averaged(_ClassCounts):
    """A figure per class, averaged."""

    def __init__(
        self,
        average: Average | None = "auto",
        axis: int = 1,
        threshold: float = 0.5,
        ignore_index: int | None = None,
    ) -> None:
        if average not in ("auto", "binary", "micro", "macro", "weighted", None):
            raise ValueError(
                f"{type(self).__name__}: expected average 'auto', 'binary', 'micro', 'macro', 'weighted' or None, "
                f"got {average!r}"
            )
        self.average = average
        super().__init__(axis, threshold, ignore_index)

    def _figure(self, right: Array, predicted: Array, actual: Array) -> Array:
        raise NotImplementedError

    def compute(self) -> Any:
        right, predicted, actual = self._counts
        average = self.average
        if average == "auto":
            average = "binary" if self._binary else "macro"
        if not actual.any():
            return float("nan")
        if average == "micro":
            return float(self._figure(right.sum(), predicted.sum(), actual.sum()))
        figures = self._figure(right, predicted, actual)
        if average is None:
            return _core.asarray(figures)
        if average == "binary":
            return float(figures[1]) if len(figures) > 1 else 0.0
        weights = actual if average == "weighted" else (predicted + actual > 0)
        return float((figures * weights).sum() / weights.sum())


class Precision(_Averaged):
    """Of the samples predicted to be of a class, the share that is: TP / (TP + FP), 0 if there are none.

    Args:
        average: "macro", the mean over the classes that occur; "weighted", by their targets; "micro", all samples
            together; "binary", class 1 alone; None, a tensor with each class. "auto" is "binary" for outputs that
            are one probability per sample, else "macro".
        axis, threshold, ignore_index: as in `Accuracy`, like outputs and targets.

    >>> import ferrograd as fg
    >>> precision = fg.metrics.Precision()
    >>> precision.update(fg.tensor([0.9, 0.8, 0.1]), fg.tensor([1, 0, 1]))
    >>> precision.compute()
    0.5
    """

    name = "precision"

    def _figure(self, right: Array, predicted: Array, actual: Array) -> Array:  # noqa: ARG002
        return ratio(right, predicted)


class Recall(_Averaged):
    """Of the samples of a class, the share that is predicted to be: TP / (TP + FN). Arguments as in `Precision`.

    >>> import ferrograd as fg
    >>> recall = fg.metrics.Recall(average="micro")
    >>> recall.update(fg.tensor([0, 1, 1, 2]), fg.tensor([0, 1, 2, 2]))
    >>> recall.compute()
    0.75
    """

    name = "recall"

    def _figure(self, right: Array, predicted: Array, actual: Array) -> Array:  # noqa: ARG002
        return ratio(right, actual)


class F1(_Averaged):
    """Harmonic mean of precision and recall per class: 2 TP / (2 TP + FP + FN). Arguments as in `Precision`.

    >>> import ferrograd as fg
    >>> f1 = fg.metrics.F1()
    >>> f1.update(fg.tensor([0.9, 0.8, 0.1]), fg.tensor([1, 0, 1]))
    >>> f1.compute()
    0.5
    """

    name = "f1"

    def _figure(self, right: Array, predicted: Array, actual: Array) -> Array:
        return ratio(2 * right, predicted + actual)


class MeanIoU(_ClassCounts):
    """Intersection over union of predicted and right areas, TP / (TP + FP + FN), mean over the classes that occur.

    Args:
        axis, threshold: as in `Accuracy`; scores (N, C, H, W) and masks (N, H, W), or predicted classes.
        ignore_index: masked pixels, often 255.

    >>> import ferrograd as fg
    >>> iou = fg.metrics.MeanIoU()
    >>> iou.update(fg.tensor([[0, 0, 1, 1]]), fg.tensor([[0, 1, 1, 1]]))
    >>> round(iou.compute(), 4)
    0.5833
    """

    name = "mean_iou"

    def __init__(self, axis: int = 1, threshold: float = 0.5, ignore_index: int | None = None) -> None:
        super().__init__(axis, threshold, ignore_index)

    def compute(self) -> float:
        right, predicted, actual = self._counts
        union = predicted + actual - right
        return float(ratio(right, union).sum() / (union > 0).sum()) if union.any() else float("nan")


class ConfusionMatrix(Metric):
    """How often each class (row) was predicted to be each class (column), an int64 tensor (C, C).

    Args:
        num_classes: C.
        normalize: None counts; "true" divides rows by their sums, "pred" columns, "all" everything.
        axis, threshold, ignore_index: as in `Accuracy`, like outputs and targets.

    Raises IndexError for a class outside C.

    >>> import ferrograd as fg
    >>> matrix = fg.metrics.ConfusionMatrix(2)
    >>> matrix.update(fg.tensor([0, 1, 1]), fg.tensor([0, 0, 1]))
    >>> matrix.compute().tolist()
    [[1, 1], [0, 1]]
    """

    name = "confusion_matrix"

    def __init__(
        self,
        num_classes: int,
        normalize: Literal["true", "pred", "all"] | None = None,
        axis: int = 1,
        threshold: float = 0.5,
        ignore_index: int | None = None,
    ) -> None:
        if normalize not in ("true", "pred", "all", None):
            raise ValueError(f"ConfusionMatrix: expected normalize 'true', 'pred', 'all' or None, got {normalize!r}")
        self.num_classes, self.normalize = num_classes, normalize
        self.axis, self.threshold, self.ignore_index = axis, threshold, ignore_index
        self.reset()

    def reset(self) -> None:
        self._matrix: Array = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update(self, output: Tensor, target: Tensor) -> None:
        predicted, classes, _ = class_pairs(self, output, target, self.axis, self.threshold)
        kept = classes != self.ignore_index
        pairs = np.stack([classes[kept], predicted[kept]])
        if pairs.size and not 0 <= pairs.min() <= pairs.max() < self.num_classes:
            raise IndexError(
                f"ConfusionMatrix: expected classes from 0 to {self.num_classes - 1}, "
                f"got {int(pairs.min())} to {int(pairs.max())}"
            )
        flat = np.bincount(pairs[0] * self.num_classes + pairs[1], minlength=self._matrix.size)
        self._matrix += flat.reshape(self._matrix.shape)

    def compute(self) -> Tensor:
        if self.normalize is None:
            return _core.asarray(self._matrix)
        axis = {"true": 1, "pred": 0, "all": None}[self.normalize]
        return _core.asarray(ratio(self._matrix, self._matrix.sum(axis=axis, keepdims=True)))
