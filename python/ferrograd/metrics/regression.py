"""Metrics of numbers, accumulated in float64."""

from __future__ import annotations

import math

import numpy as np

from ferrograd._core import ShapeError, Tensor
from ferrograd.metrics.base import Array, Metric, host


class _Mean(Metric):
    """A mean over all elements."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._total, self._count = 0.0, 0

    def update(self, output: Tensor, target: Tensor) -> None:
        predicted, truth = _pair(self, output, target)
        self._total += float(self._errors(predicted - truth).sum())
        self._count += truth.size

    def compute(self) -> float:
        return self._total / self._count if self._count else float("nan")

    @staticmethod
    def _errors(difference: Array) -> Array:
        raise NotImplementedError


class MeanSquaredError(_Mean):
    """Mean of (output - target)^2 over all elements; both of one shape. `squared=False` gives its root.

    >>> import ferrograd as fg
    >>> mse = fg.metrics.MeanSquaredError()
    >>> mse.update(fg.tensor([1.0, 3.0]), fg.tensor([1.0, 1.0]))
    >>> mse.compute()
    2.0
    """

    def __init__(self, squared: bool = True) -> None:
        self.squared, self.name = squared, "mse" if squared else "rmse"
        super().__init__()

    def compute(self) -> float:
        return super().compute() if self.squared else math.sqrt(super().compute())

    @staticmethod
    def _errors(difference: Array) -> Array:
        return np.square(difference)


class MeanAbsoluteError(_Mean):
    """Mean of |output - target| over all elements; both of one shape.

    >>> import ferrograd as fg
    >>> mae = fg.metrics.MeanAbsoluteError()
    >>> mae.update(fg.tensor([1.0, 4.0]), fg.tensor([1.0, 1.0]))
    >>> mae.compute()
    1.5
    """

    name = "mae"

    @staticmethod
    def _errors(difference: Array) -> Array:
        return np.abs(difference)


class R2(Metric):
    """Coefficient of determination, 1 - sum (y - output)^2 / sum (y - mean y)^2; (N,) or (N, D), mean over columns.

    A column of equal targets gives 1 if it is met exactly, else 0. NaN for less than two samples.

    >>> import ferrograd as fg
    >>> r2 = fg.metrics.R2()
    >>> r2.update(fg.tensor([2.5, 0.0, 2.0, 8.0]), fg.tensor([3.0, -0.5, 2.0, 7.0]))
    >>> round(r2.compute(), 4)
    0.9486
    """

    name = "r2"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._count = 0
        self._mean: Array = np.zeros(1)
        self._spread: Array = np.zeros(1)
        self._error: Array = np.zeros(1)

    def update(self, output: Tensor, target: Tensor) -> None:
        predicted, truth = _pair(self, output, target)
        if not truth.size:
            return
        predicted, truth = (x.reshape(len(x), -1) for x in (predicted, truth))
        if self._count and self._mean.shape != truth.shape[1:]:
            raise ShapeError(f"R2: expected {len(self._mean)} columns as before, got {tuple(target.shape)}")
        mean, count = truth.mean(0), len(truth)
        # Means and spreads of two parts merged, free of cancellation (Chan et al. 1979).
        step, total = mean - self._mean, self._count + count
        self._spread = self._spread + ((truth - mean) ** 2).sum(0) + step**2 * (self._count * count / total)
        self._mean = self._mean + step * (count / total)
        self._error = self._error + ((truth - predicted) ** 2).sum(0)
        self._count = total

    def compute(self) -> float:
        if self._count < 2:
            return float("nan")
        exact = np.where(self._error == 0, 1.0, 0.0)
        explained = 1.0 - self._error / np.where(self._spread > 0, self._spread, 1.0)
        return float(np.where(self._spread > 0, explained, exact).mean())


def _pair(metric: Metric, output: Tensor, target: Tensor) -> tuple[Array, Array]:
    """Both as float64; (N, 1) and (N,) count as one shape."""
    predicted, truth = (host(x).astype(np.float64) for x in (output, target))
    if {predicted.ndim, truth.ndim} == {1, 2} and predicted.size == truth.size == len(predicted):
        predicted, truth = predicted.reshape(-1), truth.reshape(-1)
    if predicted.shape != truth.shape:
        raise ShapeError(
            f"{type(metric).__name__}: expected output and target of one shape, "
            f"got {tuple(output.shape)} and {tuple(target.shape)}"
        )
    return predicted, truth
