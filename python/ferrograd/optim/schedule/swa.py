"""SWALR: on the way to the constant rate of stochastic weight averaging."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule.base import LRScheduler


class SWALR(LRScheduler):
    """From the rates found at the first `step()`, in anneal_epochs steps to swa_lr, where they stay.

    Made at any time, it changes nothing until it is stepped: step another schedule first, this one from the epoch on in
    which averaging begins (see `AveragedModel`).

    Args:
        optimizer: whose groups are scheduled.
        swa_lr: the last rate, a number or one per group.
        anneal_epochs: steps on the way; 0 goes there at once.
        anneal_strategy: "cos" or "linear".

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        if anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must not be negative, got {anneal_epochs}")
        groups = len(optimizer.param_groups)
        self.swa_lrs = [float(swa_lr)] * groups if isinstance(swa_lr, (int, float)) else [float(lr) for lr in swa_lr]
        if len(self.swa_lrs) != groups:
            raise ValueError(f"SWALR: expected {groups} values of swa_lr, one per group, got {len(self.swa_lrs)}")
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        done = min(step / self.anneal_epochs, 1.0) if self.anneal_epochs else float(step > 0)
        part = (1 - math.cos(math.pi * done)) / 2 if self.anneal_strategy == "cos" else done
        return self.swa_lrs[min(group, len(self.swa_lrs) - 1)] * part + base_lr * (1 - part)

    def step(self, metrics: Any = None) -> None:
        if self.last_epoch == 0:
            self.base_lrs = self.get_last_lr()
        super().step(metrics)

    def _apply(self) -> None:
        if self.last_epoch == 0:
            self.base_lrs = self.get_last_lr()
        else:
            super()._apply()
