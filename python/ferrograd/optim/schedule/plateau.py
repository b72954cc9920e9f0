"""ReduceLROnPlateau: the one schedule that looks at how training goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule.base import LRScheduler


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate with `factor` when a metric has not improved for more than `patience` steps.

    Args:
        optimizer: whose groups are scheduled.
        mode: "min" if smaller metrics are better, else "max".
        factor: of the rate, below 1.
        patience: steps without improvement that are let pass.
        threshold: improvement that counts, relative to the best so far or absolute.
        threshold_mode: "rel" or "abs".
        cooldown: steps after a reduction that are not counted.
        min_lr: lowest rate, a number or one per group.
        eps: reductions smaller than this are left out.

    `step(metrics)` needs the metric.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    >>> for loss in (1.0, 1.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode must be 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', got {threshold_mode!r}")
        groups = len(optimizer.param_groups)
        self.min_lrs = [float(min_lr)] * groups if isinstance(min_lr, (int, float)) else [float(m) for m in min_lr]
        if len(self.min_lrs) != groups:
            raise ValueError(f"ReduceLROnPlateau: expected {groups} values of min_lr, got {len(self.min_lrs)}")
        self.mode, self.factor, self.patience, self.eps = mode, factor, patience, eps
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.num_reductions = 0
        super().__init__(optimizer)

    def _better(self, metrics: float) -> bool:
        sign = 1.0 if self.mode == "max" else -1.0
        least = self.best * (1.0 + sign * self.threshold) if self.threshold_mode == "rel" else None
        if least is None:
            least = self.best + sign * self.threshold
        return metrics > least if self.mode == "max" else metrics < least

    def step(self, metrics: Any = None) -> None:
        if metrics is None:
            raise ValueError("ReduceLROnPlateau: step needs the metric to watch, as in step(loss)")
        super().step(metrics)

    def observe(self, metrics: float) -> None:
        """Count the step, and reduce the rate if there were too many without improvement."""
        if self._better(metrics):
            self.best, self.num_bad_epochs = metrics, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.num_reductions += 1
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        """The rate after the reductions so far, in any step."""
        lr, least = base_lr, self.min_lrs[min(group, len(self.min_lrs) - 1)]
        for _ in range(self.num_reductions):
            reduced = max(lr * self.factor, least)
            lr = reduced if lr - reduced > self.eps else lr
        return lr

    def state_dict(self) -> dict[str, Any]:
        """Step number, base rates, the best metric and the counts."""
        names = ("best", "num_bad_epochs", "cooldown_counter", "num_reductions")
        return super().state_dict() | {name: getattr(self, name) for name in names}

    def _load(self, state_dict: dict[str, Any]) -> None:
        super()._load(state_dict)
        self.best, self.num_bad_epochs = float(state_dict["best"]), int(state_dict["num_bad_epochs"])
        self.cooldown_counter = int(state_dict["cooldown_counter"])
        self.num_reductions = int(state_dict["num_reductions"])
