"""Cyclic rates, which set the momentum too: high where the rate is low."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule.base import LRScheduler


class _Cyclic(LRScheduler):
    """Schedules with rates and momenta of their own for every group."""

    cycle_momentum: bool

    def _each(self, name: str, value: float | Sequence[float]) -> list[float]:
        """One number per group."""
        groups = len(self.optimizer.param_groups)
        values = [float(value)] * groups if isinstance(value, (int, float)) else [float(v) for v in value]
        if len(values) != groups:
            raise ValueError(f"{self._name}: expected {groups} values of {name}, one per group, got {len(values)}")
        return values

    def _start(self, optimizer: Optimizer, first_lrs: list[float], last_epoch: int) -> None:
        """Begin with these rates, whatever the optimizer was given."""
        if self.cycle_momentum and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(f"{self._name}: the optimizer has no momentum to cycle, pass cycle_momentum=False")
        for group, lr in zip(optimizer.param_groups, first_lrs, strict=True):
            group["initial_lr"] = lr
        super().__init__(optimizer, last_epoch)

    def momentum_at(self, step: int, group: int = 0) -> float:
        """The momentum (or first beta) of a step."""
        raise NotImplementedError(f"{self._name}: the class defines no momentum_at method")

    def settings_at(self, step: int, base_lr: float, group: int = 0) -> dict[str, Any]:
        settings = super().settings_at(step, base_lr, group)
        if self.cycle_momentum:
            current = self.optimizer.param_groups[group]
            momentum = self.momentum_at(step, group)
            settings |= {"betas": (momentum, *current["betas"][1:])} if "betas" in current else {"momentum": momentum}
        return settings


class CyclicLR(_Cyclic):
    """The rate goes from base_lr up to max_lr and back, over and over (Smith 2017).

    Args:
        optimizer: whose groups are scheduled.
        base_lr, max_lr: lowest and highest rate, numbers or one per group.
        step_size_up, step_size_down: steps of the rise and of the fall (as long as the rise if None).
        mode: "triangular"; "triangular2" halves the height every cycle; "exp_range" scales it with gamma^step.
        gamma: of "exp_range".
        scale_fn: factor of the height, in place of `mode`, of the cycle's number (from 1) or of the step.
        scale_mode: "cycle" or "iterations", what scale_fn is called with.
        cycle_momentum: let the momentum (or first beta) fall from max_momentum to base_momentum while the rate rises.
        base_momentum, max_momentum: numbers or one per group.
        last_epoch: see `LRScheduler`.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], momentum=0.9)
    >>> schedule = fg.optim.CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> [schedule.lr_at(step, 0.0) for step in range(5)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        step_size_down = step_size_up if step_size_down is None else step_size_down
        if step_size_up < 1 or step_size_down < 1:
            raise ValueError(f"CyclicLR: step sizes must be at least 1, got {step_size_up} and {step_size_down}")
        if mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', got {mode!r}")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"CyclicLR: scale_mode must be 'cycle' or 'iterations', got {scale_mode!r}")
        self.optimizer = optimizer
        self.low, self.max_lrs = self._each("base_lr", base_lr), self._each("max_lr", max_lr)
        self.base_momentums = self._each("base_momentum", base_momentum)
        self.max_momentums = self._each("max_momentum", max_momentum)
        self.total_size = float(step_size_up + step_size_down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self.scale_fn, self.cycle_momentum = mode, gamma, scale_fn, cycle_momentum
        self.scale_mode = "iterations" if scale_fn is None and mode == "exp_range" else scale_mode
        self._start(optimizer, self.low, last_epoch)

    def _height(self, step: int) -> float:
        """Where the cycle stands, 0 at the bottom and 1 at the top, times its scale."""
        cycle = math.floor(1 + step / self.total_size)
        done = 1.0 + step / self.total_size - cycle
        height = done / self.step_ratio if done <= self.step_ratio else (done - 1) / (self.step_ratio - 1)
        if self.scale_fn is not None:
            return height * self.scale_fn(cycle if self.scale_mode == "cycle" else step)
        scales = {"triangular": 1.0, "triangular2": 0.5 ** (cycle - 1), "exp_range": self.gamma**step}
        return float(height * scales[self.mode])

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        return self.low[group] + (self.max_lrs[group] - self.low[group]) * self._height(step)

    def momentum_at(self, step: int, group: int = 0) -> float:
        high, low = self.max_momentums[group], self.base_momentums[group]
        return high - (high - low) * self._height(step)


class OneCycleLR(_Cyclic):
    """One rise to max_lr and one long fall far below the first rate (Smith & Topin 2018).

    Args:
        optimizer: whose groups are scheduled.
        max_lr: the peak, a number or one per group.
        total_steps: length of the cycle; or give epochs and steps_per_epoch.
        epochs, steps_per_epoch: their product is total_steps.
        pct_start: part of the cycle spent rising.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: let the momentum (or first beta) go from max_momentum to base_momentum and back.
        base_momentum, max_momentum: numbers or one per group.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first / final_div_factor.
        three_phase: fall to the first rate in as many steps as the rise took, then to the last.
        last_epoch: see `LRScheduler`.

    Stepping past the end raises ValueError.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], momentum=0.9)
    >>> schedule = fg.optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, anneal_strategy="linear", div_factor=4)
    >>> [schedule.get_last_lr()[0], schedule.lr_at(2, 0.0)]
    [0.25, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if total_steps < 1:
            raise ValueError(f"OneCycleLR: total_steps must be at least 1, got {total_steps}")
        if not 0.0 <= pct_start <= 1.0:
            raise ValueError(f"OneCycleLR: pct_start must be between 0 and 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        self.optimizer = optimizer
        self.total_steps, self.anneal_strategy, self.cycle_momentum = total_steps, anneal_strategy, cycle_momentum
        self.max_lrs = self._each("max_lr", max_lr)
        self.first_lrs = [lr / div_factor for lr in self.max_lrs]
        self.last_lrs = [lr / final_div_factor for lr in self.first_lrs]
        self.base_momentums = self._each("base_momentum", base_momentum)
        self.max_momentums = self._each("max_momentum", max_momentum)
        top = pct_start * total_steps - 1
        self.ends = [top, 2 * pct_start * total_steps - 2, total_steps - 1] if three_phase else [top, total_steps - 1]
        self._start(optimizer, self.first_lrs, last_epoch)

    def _between(self, step: int, values: list[float]) -> float:
        """The value of a step, where `values` are those at the beginning and at the ends of the phases."""
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: step {step} is past the end, expected at most {self.total_steps} steps")
        phase = next((i for i, end in enumerate(self.ends) if step <= end), len(self.ends) - 1)
        begin = self.ends[phase - 1] if phase > 0 else 0.0
        done = (step - begin) / (self.ends[phase] - begin) if self.ends[phase] != begin else 1.0
        start, end = values[phase], values[phase + 1]
        if self.anneal_strategy == "linear":
            return (end - start) * done + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        first, top, last = self.first_lrs[group], self.max_lrs[group], self.last_lrs[group]
        return self._between(step, [first, top, first, last] if len(self.ends) == 3 else [first, top, last])

    def momentum_at(self, step: int, group: int = 0) -> float:
        high, low = self.max_momentums[group], self.base_momentums[group]
        return self._between(step, [high, low, high, high] if len(self.ends) == 3 else [high, low, high])
