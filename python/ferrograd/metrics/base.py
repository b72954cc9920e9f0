"""What metrics share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor

Array = NDArray[Any]


class Metric:
    """Base class: `update` with every batch, `compute` at the end, `reset` before the next epoch.

    The figure is that of all batches together: it does not depend on how samples are divided into batches. `name` is
    the figure's name in the history of a training.

    >>> import ferrograd as fg
    >>> class Worst(fg.metrics.Metric):
    ...     name = "worst_error"
    ...     def __init__(self):
    ...         self.reset()
    ...     def reset(self):
    ...         self.worst = 0.0
    ...     def update(self, output, target):
    ...         self.worst = max(self.worst, fg.max(fg.abs(output - target)).item())
    ...     def compute(self):
    ...         return self.worst
    >>> metric = Worst()
    >>> metric.update(fg.tensor([1.0, 2.0]), fg.tensor([1.0, 5.0]))
    >>> metric.compute()
    3.0
    """

    name: str

    def reset(self) -> None:
        """Forget everything."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no reset method")

    def update(self, output: Any, target: Any) -> None:
        """Take in a batch."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no update method")

    def compute(self) -> Any:
        """The figure over all batches since `reset`: a float, or a tensor where the class says so."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no compute method")


def host(tensor: Tensor) -> Array:
    """The values as an array of NumPy, halves as floats."""
    value = tensor.detach().cpu()
    return (value.to(dtype=_core.float32) if value.dtype == _core.bfloat16 else value).numpy()


def ratio(above: Array | float, below: Array | float) -> Array:
    """above / below, 0 where both are 0, as float64."""
    top, bottom = np.asarray(above, np.float64), np.asarray(below, np.float64)
    return np.divide(top, bottom, out=np.zeros(np.broadcast_shapes(top.shape, bottom.shape)), where=bottom != 0)


def class_pairs(
    metric: Metric, output: Tensor, target: Tensor, axis: int = 1, threshold: float = 0.5
) -> tuple[Array, Array, int]:
    """Predicted and right classes, one of each per sample, and the least number of classes.

    `output` holds scores with the classes at `axis`, probabilities of class 1 (N,) or (N, 1), which is predicted from
    `threshold` on, or integers: the classes themselves. `target` holds classes, or one-hot rows in the scores' shape.
    """
    given = "integer" in output.dtype.kind or output.dtype == _core.bool
    classes = 0
    if given:
        predicted = output
    elif output.ndim >= 2 and output.shape[axis] > 1:
        classes = output.shape[axis]
        predicted = _core.argmax(output.detach(), axis=axis)
        target = _core.argmax(target, axis=axis) if target.shape == output.shape else target
    else:
        classes = 2
        predicted = output.detach() >= threshold
    if (len(target), target.size) != (len(predicted), predicted.size):
        raise ShapeError(
            f"{type(metric).__name__}: expected scores (N, C, ...) and targets (N, ...), "
            f"got {tuple(output.shape)} and {tuple(target.shape)}"
        )
    found, right = (host(x).reshape(-1).astype(np.int64) for x in (predicted, target))
    return found, right, classes
