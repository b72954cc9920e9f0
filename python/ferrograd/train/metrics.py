"""Metrics: figures collected over the batches of an epoch."""

from __future__ import annotations

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor

__all__ = ["Accuracy", "Metric"]


class Metric:
    """Base class: `update` with every batch, `compute` at the end, `reset` before the next epoch."""

    name: str

    def reset(self) -> None:
        """Forget everything."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no reset method")

    def update(self, output: Tensor, target: Tensor) -> None:
        """Take in a batch."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no update method")

    def compute(self) -> float:
        """The figure over all batches since `reset`."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no compute method")


class Accuracy(Metric):
    """Share of samples whose largest score is at the target class.

    Scores (N, C) or (N, C, d1, ...), targets integers (N,) or (N, d1, ...), or one-hot rows (N, C). Scores (N, 1) or
    (N,) are probabilities of class 1, which is predicted from 0.5 on.

    Args:
        axis: of the classes; -1 for channels last.

    >>> import ferrograd as fg
    >>> accuracy = fg.train.Accuracy()
    >>> accuracy.update(fg.tensor([[0.1, 0.9], [0.8, 0.2]]), fg.tensor([1, 1]))
    >>> accuracy.compute()
    0.5
    """

    name = "accuracy"

    def __init__(self, axis: int = 1) -> None:
        self.axis = axis
        self.reset()

    def reset(self) -> None:
        self.right = self.total = 0

    def update(self, output: Tensor, target: Tensor) -> None:
        predicted, classes = output.detach(), target
        if output.ndim >= 2 and output.shape[self.axis] > 1:
            predicted = _core.argmax(predicted, axis=self.axis)
            classes = _core.argmax(target, axis=self.axis) if target.shape == output.shape else target
        else:
            predicted = predicted >= 0.5
        if (len(classes), classes.size) != (len(predicted), predicted.size):
            raise ShapeError(
                "Accuracy: expected scores (N, C, ...) and targets (N, ...), "
                f"got {tuple(output.shape)} and {tuple(target.shape)}"
            )
        hits = predicted == classes.reshape(predicted.shape).astype(predicted.dtype)
        self.right += int(_core.count_nonzero(hits))
        self.total += hits.size

    def compute(self) -> float:
        return self.right / self.total if self.total else float("nan")
