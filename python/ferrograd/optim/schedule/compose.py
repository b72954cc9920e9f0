"""Schedules made of schedules. Only the outer one is stepped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule.base import LRScheduler


class _Composed(LRScheduler):
    """Schedules of one optimizer, whose state is kept with that of the whole."""

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], last_epoch: int = -1) -> None:
        if any(scheduler.optimizer is not optimizer for scheduler in schedulers):
            raise ValueError(f"{self._name}: a schedule belongs to another optimizer, expected all to share one")
        self.schedulers = list(schedulers)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Step number, base rates and the states of the schedules inside."""
        return super().state_dict() | {"schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def _load(self, state_dict: dict[str, Any]) -> None:
        if len(state_dict["schedulers"]) != len(self.schedulers):
            raise ValueError(
                f"{self._name}.load_state_dict: expected {len(self.schedulers)} schedules, "
                f"got {len(state_dict['schedulers'])}"
            )
        super()._load(state_dict)
        for scheduler, state in zip(self.schedulers, state_dict["schedulers"], strict=True):
            scheduler._load(state)


class WarmupLR(_Composed):
    """A straight rise over warmup_steps, then the schedule `after` from its beginning (or the constant base rate).

    The rate of warm-up step i is (i + 1) / (warmup_steps + 1) of the one after it. Only this wrapper is stepped.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.WarmupLR(optimizer, 3, fg.optim.CosineAnnealingLR(optimizer, T_max=100))
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, warmup_steps: int, after: LRScheduler | None = None, last_epoch: int = -1
    ) -> None:
        if warmup_steps < 0:
            raise ValueError(f"WarmupLR: warmup_steps must not be negative, got {warmup_steps}")
        self.warmup_steps, self.after = warmup_steps, after
        super().__init__(optimizer, [] if after is None else [after], last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        later = max(step - self.warmup_steps, 0)
        lr = base_lr if self.after is None else self.after.lr_at(later, base_lr, group)
        return lr * (step + 1) / (self.warmup_steps + 1) if step < self.warmup_steps else lr

    def settings_at(self, step: int, base_lr: float, group: int = 0) -> dict[str, Any]:
        later = max(step - self.warmup_steps, 0)
        others = {} if self.after is None else self.after.settings_at(later, base_lr, group)
        return others | {"lr": self.lr_at(step, base_lr, group)}

    def observe(self, metrics: float) -> None:
        if self.after is not None and self.last_epoch > self.warmup_steps:
            self.after.observe(metrics)


class SequentialLR(_Composed):
    """One schedule after the other: the next one begins, at its step 0, when a milestone is reached.

    Args:
        optimizer: whose groups are scheduled.
        schedulers: in their order, each made for this optimizer.
        milestones: steps at which the second, third, ... begin.
        last_epoch: see `LRScheduler`.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> first = fg.optim.ConstantLR(optimizer, factor=0.5, total_iters=9)
    >>> schedule = fg.optim.SequentialLR(optimizer, [first, fg.optim.ExponentialLR(optimizer, 0.1)], milestones=[2])
    >>> [schedule.lr_at(step, 1.0) for step in range(4)]
    [0.5, 0.5, 1.0, 0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected one milestone fewer than schedules, "
                f"got {len(milestones)} milestones and {len(schedulers)} schedules"
            )
        if any(later <= earlier for earlier, later in pairwise(milestones)):
            raise ValueError(f"SequentialLR: milestones must rise, got {list(milestones)}")
        self.milestones = list(milestones)
        super().__init__(optimizer, schedulers, last_epoch)

    def _current(self, step: int) -> tuple[LRScheduler, int]:
        """The schedule of a step, and the step's number in it."""
        number = bisect_right(self.milestones, step)
        return self.schedulers[number], step - (self.milestones[number - 1] if number else 0)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        scheduler, own_step = self._current(step)
        return scheduler.lr_at(own_step, base_lr, group)

    def settings_at(self, step: int, base_lr: float, group: int = 0) -> dict[str, Any]:
        scheduler, own_step = self._current(step)
        return scheduler.settings_at(own_step, base_lr, group)

    def observe(self, metrics: float) -> None:
        self._current(self.last_epoch)[0].observe(metrics)


class ChainedScheduler(_Composed):
    """All schedules at once: each takes the rate of the one before it as its base rate.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> first = fg.optim.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> schedule = fg.optim.ChainedScheduler([first, fg.optim.ExponentialLR(optimizer, 0.5)])
    >>> [schedule.lr_at(step, 1.0) for step in range(3)]
    [0.5, 0.25, 0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: expected at least one schedule, got none")
        super().__init__(optimizer or schedulers[0].optimizer, schedulers)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        for scheduler in self.schedulers:
            base_lr = scheduler.lr_at(step, base_lr, group)
        return base_lr

    def settings_at(self, step: int, base_lr: float, group: int = 0) -> dict[str, Any]:
        settings: dict[str, Any] = {"lr": base_lr}
        for scheduler in self.schedulers:
            settings |= scheduler.settings_at(step, settings["lr"], group)
        return settings

    def observe(self, metrics: float) -> None:
        for scheduler in self.schedulers:
            scheduler.observe(metrics)
