"""Schedules that multiply the base rate with a factor of the step number."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule.base import LRScheduler

Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """lr = base_lr * lr_lambda(step); `lr_lambda` may be a list, one function per group.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=2.0)
    >>> fg.optim.LambdaLR(optimizer, lambda step: 1 / (1 + step)).step()
    >>> optimizer.param_groups[0]["lr"]
    1.0
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas: list[Factor] = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"{self._name}: expected {groups} functions, one per group, got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        return base_lr * self.lr_lambdas[min(group, len(self.lr_lambdas) - 1)](step)


class MultiplicativeLR(LambdaLR):
    """lr = base_lr * lr_lambda(1) * ... * lr_lambda(step).

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=2.0)
    >>> fg.optim.MultiplicativeLR(optimizer, lambda step: 0.5).step()
    >>> optimizer.param_groups[0]["lr"]
    1.0
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        self._products: dict[int, list[float]] = {}
        super().__init__(optimizer, lr_lambda, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        # Products are kept, so that a run of n steps calls the function n times.
        number = min(group, len(self.lr_lambdas) - 1)
        products = self._products.setdefault(number, [1.0])
        while len(products) <= step:
            products.append(products[-1] * self.lr_lambdas[number](len(products)))
        return base_lr * products[step]


class ConstantLR(LRScheduler):
    """lr = base_lr * factor for the first total_iters steps, then base_lr.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.ConstantLR(optimizer, factor=0.5, total_iters=1).get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3.0, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0.0 <= factor <= 1.0:
            raise ValueError(f"ConstantLR: factor must be between 0 and 1, got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
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
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if total_iters < 1:
            raise ValueError(f"LinearLR: total_iters must be at least 1, got {total_iters}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
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

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: step_size must be at least 1, got {step_size}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        return float(base_lr * self.gamma ** (step // self.step_size))


class MultiStepLR(LRScheduler):
    """lr = base_lr * gamma ^ (number of milestones reached).

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.MultiStepLR(optimizer, milestones=[1, 10], gamma=0.5).step()
    >>> optimizer.param_groups[0]["lr"]
    0.5
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        return float(base_lr * self.gamma ** bisect_right(self.milestones, step))


class ExponentialLR(LRScheduler):
    """lr = base_lr * gamma ^ step.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.ExponentialLR(optimizer, gamma=0.5).step()
    >>> optimizer.param_groups[0]["lr"]
    0.5
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        return float(base_lr * self.gamma**step)


class PolynomialLR(LRScheduler):
    """lr = base_lr * (1 - step / total_iters) ^ power, and 0 from total_iters on.

    >>> import ferrograd as fg
    >>> optimizer = fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0)
    >>> fg.optim.PolynomialLR(optimizer, total_iters=2, power=2.0).step()
    >>> optimizer.param_groups[0]["lr"]
    0.25
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        if total_iters < 1:
            raise ValueError(f"PolynomialLR: total_iters must be at least 1, got {total_iters}")
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:  # noqa: ARG002
        return float(base_lr * (1.0 - min(step, self.total_iters) / self.total_iters) ** self.power)
