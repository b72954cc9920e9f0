"""Rates that fall with the inverse square root of the step number."""

from __future__ import annotations

import math

from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule.base import LRScheduler


class InverseSqrtLR(LRScheduler):
    """lr = base_lr * min(s / warmup_steps, sqrt(warmup_steps / s)), s = step + 1: base_lr is the peak.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.InverseSqrtLR(optimizer, warmup_steps=4)
    >>> [schedule.lr_at(step, 1.0) for step in (0, 3, 15)]
    [0.25, 1.0, 0.5]
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int = 4000, last_epoch: int = -1) -> None:
        if warmup_steps < 1:
            raise ValueError(f"{self._name}: warmup_steps must be at least 1, got {warmup_steps}")
        self.warmup_steps = warmup_steps
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        return base_lr * min((step + 1) / self.warmup_steps, math.sqrt(self.warmup_steps / (step + 1)))


class NoamLR(InverseSqrtLR):
    """lr = base_lr * d_model^-0.5 * min(s^-0.5, s * warmup_steps^-1.5), s = step + 1 (Vaswani et al. 2017).

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.NoamLR(optimizer, d_model=64, warmup_steps=16)
    >>> schedule.lr_at(15, 1.0)
    0.03125
    """

    def __init__(self, optimizer: Optimizer, d_model: int, warmup_steps: int = 4000, last_epoch: int = -1) -> None:
        if d_model < 1:
            raise ValueError(f"NoamLR: d_model must be at least 1, got {d_model}")
        self.d_model = d_model
        super().__init__(optimizer, warmup_steps, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        return super().lr_at(step, base_lr, group) / math.sqrt(self.d_model * self.warmup_steps)
