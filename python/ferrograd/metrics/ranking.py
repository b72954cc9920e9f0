"""Metrics of the order of scores; exact, from all scores seen."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ferrograd._core import ShapeError, Tensor
from ferrograd.metrics.base import Array, Metric, host


class _Ranking(Metric):
    """Keeps scores and targets; several classes are one against the rest each."""

    def __init__(self, average: Literal["macro", "weighted", "micro"] = "macro") -> None:
        if average not in ("macro", "weighted", "micro"):
            raise ValueError(f"{type(self).__name__}: expected average 'macro', 'weighted' or 'micro', got {average!r}")
        self.average = average
        self.reset()

    def reset(self) -> None:
        self._scores: list[Array] = []
        self._targets: list[Array] = []

    def update(self, output: Tensor, target: Tensor) -> None:
        scores, truth = host(output), host(target)
        if scores.ndim == 2 and scores.shape[1] == 1:
            scores, truth = scores[:, 0], truth.reshape(-1)
        if scores.ndim == 2 and truth.ndim == 1 and len(truth) == len(scores):
            if truth.size and not 0 <= truth.min() <= truth.max() < scores.shape[1]:
                raise IndexError(f"{type(self).__name__}: expected classes below {scores.shape[1]}, got {truth.max()}")
            truth = truth[:, None] == np.arange(scores.shape[1])
        if scores.ndim not in (1, 2) or scores.shape != truth.shape:
            raise ShapeError(
                f"{type(self).__name__}: expected scores (N,) or (N, C) and targets that fit, "
                f"got {tuple(output.shape)} and {tuple(target.shape)}"
            )
        if self._scores and self._scores[0].shape[1:] != scores.shape[1:]:
            raise ShapeError(
                f"{type(self).__name__}: expected scores (N, {self._scores[0].shape[1:]}) as before, got {scores.shape}"
            )
        # Copies: a view would keep the batch alive.
        self._scores.append(scores.astype(np.float64))
        self._targets.append(truth.astype(bool))

    def compute(self) -> float:
        if not self._scores:
            return float("nan")
        scores, targets = np.concatenate(self._scores), np.concatenate(self._targets)
        if scores.ndim == 1 or self.average == "micro":
            return self._figure(scores.reshape(-1), targets.reshape(-1))
        figures = np.array([self._figure(scores[:, i], targets[:, i]) for i in range(scores.shape[1])])
        counted = ~np.isnan(figures)
        weights = targets.sum(0) * counted if self.average == "weighted" else counted.astype(float)
        return float(np.where(counted, figures * weights, 0.0).sum() / weights.sum()) if weights.any() else float("nan")

    @staticmethod
    def _figure(scores: Array, targets: Array) -> float:
        raise NotImplementedError


class AUROC(_Ranking):
    """Area under the ROC curve: how often a positive scores above a negative, ties counting one half.

    Args:
        average: of several classes, each against the rest: "macro", "weighted" by positives, or "micro" (all entries
            as one problem). Classes without a positive or a negative are left out.

    Scores (N,) or (N, 1) with targets 0 and 1, or (N, C) with classes (N,) or labels (N, C). Any monotone scores do.

    >>> import ferrograd as fg
    >>> auroc = fg.metrics.AUROC()
    >>> auroc.update(fg.tensor([0.1, 0.4, 0.35, 0.8]), fg.tensor([0, 0, 1, 1]))
    >>> auroc.compute()
    0.75
    """

    name = "auroc"

    @staticmethod
    def _figure(scores: Array, targets: Array) -> float:
        positives = int(targets.sum())
        negatives = len(targets) - positives
        if not positives or not negatives:
            return float("nan")
        _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
        # The mean rank of each group of equal scores, from 1 (Mann & Whitney 1947).
        ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
        return float((ranks[targets].sum() - positives * (positives + 1) / 2) / (positives * negatives))


class AveragePrecision(_Ranking):
    """Area under the precision-recall curve as a sum of steps: sum (R_n - R_(n-1)) P_n. Arguments as in `AUROC`.

    >>> import ferrograd as fg
    >>> precision = fg.metrics.AveragePrecision()
    >>> precision.update(fg.tensor([0.1, 0.4, 0.35, 0.8]), fg.tensor([0, 0, 1, 1]))
    >>> round(precision.compute(), 4)
    0.8333
    """

    name = "average_precision"

    @staticmethod
    def _figure(scores: Array, targets: Array) -> float:
        positives = int(targets.sum())
        if not positives:
            return float("nan")
        order = np.argsort(-scores, kind="stable")
        ranked, hits = scores[order], np.cumsum(targets[order])
        # A threshold takes in all equal scores at once.
        ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        recall = np.diff(hits[ends], prepend=0) / positives
        return float((recall * hits[ends] / (ends + 1)).sum())
