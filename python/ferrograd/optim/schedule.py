"""Learning-rate schedules with the interface of PyTorch's LRScheduler.

Every schedule is a closed formula of the step number, so a resumed run meets the same rates to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ferrograd.optim.optimizer import Optimizer


class LRScheduler:
    """Base class: `step()` after each optimizer step (or epoch) sets the groups' "lr".

    A subclass writes `lr_at(step, base_lr)`, the rate of step number `step` (from 0) for a group whose rate was
    `base_lr` when the schedule was made.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0
        self._apply()

    def lr_at(self, step: int, base_lr: float) -> float:
        """The learning rate of a step, a pure function."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no lr_at method")

    def get_last_lr(self) -> list[float]:
        """Current rates, one per parameter group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Go on to the next step's rate."""
        self.last_epoch += 1
        self._apply()

    def _apply(self) -> None:
        for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = self.lr_at(self.last_epoch, base_lr)

    def state_dict(self) -> dict[str, Any]:
        """Step number and base rates."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to a saved step number; ValueError if the number of groups differs."""
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: expected {len(self.base_lrs)} base rates, "
                f"got {len(state_dict['base_lrs'])}"
            )
        self.last_epoch, self.base_lrs = int(state_dict["last_epoch"]), list(state_dict["base_lrs"])
        self._apply()


class LambdaLR(LRScheduler):
    """lr = base_lr * lr_lambda(step).

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=2.0)
    >>> fg.optim.LambdaLR(optimizer, lambda step: 1 / (1 + step)).step()
    >>> optimizer.param_groups[0]["lr"]
    1.0
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        return base_lr * self.lr_lambda(step)


class ConstantLR(LRScheduler):
    """lr = base_lr * factor for the first total_iters steps, then base_lr.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.ConstantLR(optimizer, factor=0.5, total_iters=1).get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3.0, total_iters: int = 5) -> None:
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        return base_lr * self.factor if step < self.total_iters else base_lr


class LinearLR(LRScheduler):
    """lr goes in a straight line from base_lr * start_factor to base_lr * end_factor in total_iters steps.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=4).step()
    >>> optimizer.param_groups[0]["lr"]
    0.75
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3.0, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        if total_iters < 1:
            raise ValueError(f"LinearLR: total_iters must be at least 1, got {total_iters}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        done = min(step, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * done)


class StepLR(LRScheduler):
    """lr = base_lr * gamma ^ floor(step / step_size).

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.StepLR(optimizer, step_size=1, gamma=0.5).step()
    >>> optimizer.param_groups[0]["lr"]
    0.5
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: step_size must be at least 1, got {step_size}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        return float(base_lr * self.gamma ** (step // self.step_size))


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (base_lr - eta_min) (1 + cos(pi step / T_max)) / 2 (Loshchilov & Hutter 2017).

    After T_max the rate rises again along the cosine, as in PyTorch.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.CosineAnnealingLR(optimizer, T_max=2).step()
    >>> round(optimizer.param_groups[0]["lr"], 4)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: T_max must be at least 1, got {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2


class WarmupLR(LRScheduler):
    """A straight rise over warmup_steps, then the schedule `after` from its beginning (or the constant base rate).

    The rate of warm-up step i is base_lr (i + 1) / (warmup_steps + 1). Only this wrapper is stepped.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> schedule = fg.optim.WarmupLR(optimizer, 3, fg.optim.CosineAnnealingLR(optimizer, T_max=100))
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int, after: LRScheduler | None = None) -> None:
        if warmup_steps < 0:
            raise ValueError(f"WarmupLR: warmup_steps must not be negative, got {warmup_steps}")
        if after is not None and after.optimizer is not optimizer:
            raise ValueError("WarmupLR: the schedule after the warm-up belongs to another optimizer")
        self.warmup_steps, self.after = warmup_steps, after
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float) -> float:
        if step < self.warmup_steps:
            return base_lr * (step + 1) / (self.warmup_steps + 1)
        return base_lr if self.after is None else self.after.lr_at(step - self.warmup_steps, base_lr)
