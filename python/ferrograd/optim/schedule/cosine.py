"""Cosines, and the warm-up, stable, decay schedule that replaces them where the end is not known beforehand."""

from __future__ import annotations

import math
from typing import Literal

from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule.base import LRScheduler


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (base_lr - eta_min) (1 + cos(pi step / T_max)) / 2 (Loshchilov & Hutter 2017).

    After T_max the rate rises again along the cosine, as in PyTorch.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.CosineAnnealingLR(optimizer, T_max=2).step()
    >>> round(optimizer.param_groups[0]["lr"], 4)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: T_max must be at least 1, got {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """The cosine of `CosineAnnealingLR`, begun anew after T_0 steps, then T_0 T_mult, ... (Loshchilov & Hutter 2017).

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> [round(schedule.lr_at(step, 1.0), 4) for step in range(4)]
    [1.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 < 1 or T_mult < 1:
            raise ValueError(f"CosineAnnealingWarmRestarts: T_0 and T_mult must be at least 1, got {T_0} and {T_mult}")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        length = self.T_0
        if self.T_mult == 1:
            step %= length
        while step >= length:
            step, length = step - length, length * self.T_mult
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * step / length)) / 2


class WSDLR(LRScheduler):
    """Warm-up, a stable rate, and a decay to eta_min (Hu et al. 2024, MiniCPM).

    The rate of warm-up step i is base_lr (i + 1) / (warmup_steps + 1). A run may be prolonged at its stable rate and
    decayed from any point.

    Args:
        optimizer: whose groups are scheduled.
        warmup_steps, stable_steps, decay_steps: lengths of the three parts; after them the rate stays at eta_min.
        eta_min: the last rate.
        decay: "linear", "cosine", or "sqrt" for 1 - sqrt(done) (Hägele et al. 2024).
        last_epoch: see `LRScheduler`.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.WSDLR(optimizer, warmup_steps=1, stable_steps=2, decay_steps=2)
    >>> [schedule.lr_at(step, 1.0) for step in range(6)]
    [0.5, 1.0, 1.0, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        stable_steps: int,
        decay_steps: int,
        eta_min: float = 0.0,
        decay: Literal["linear", "cosine", "sqrt"] = "linear",
        last_epoch: int = -1,
    ) -> None:
        if min(warmup_steps, stable_steps, decay_steps) < 0:
            raise ValueError(
                "WSDLR: numbers of steps must not be negative, "
                f"got warmup {warmup_steps}, stable {stable_steps}, decay {decay_steps}"
            )
        if decay not in ("linear", "cosine", "sqrt"):
            raise ValueError(f"WSDLR: decay must be 'linear', 'cosine' or 'sqrt', got {decay!r}")
        self.warmup_steps, self.stable_steps, self.decay_steps = warmup_steps, stable_steps, decay_steps
        self.eta_min, self.decay = eta_min, decay
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        if step < self.warmup_steps:
            return base_lr * (step + 1) / (self.warmup_steps + 1)
        decayed = step - self.warmup_steps - self.stable_steps
        if decayed <= 0:
            return base_lr
        if decayed >= self.decay_steps:
            return self.eta_min
        done = decayed / self.decay_steps
        left = {"linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2, "sqrt": 1 - math.sqrt(done)}
        return self.eta_min + (base_lr - self.eta_min) * left[self.decay]
