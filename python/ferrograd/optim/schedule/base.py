"""LRScheduler: a schedule as a pure function of the step number."""

from __future__ import annotations

from typing import Any

from ferrograd.optim.optimizer import Optimizer


class LRScheduler:
    """Base class: `step()` after each optimizer step (or epoch) sets the groups' "lr".

    A subclass writes `lr_at(step, base_lr, group)`, the rate of step number `step` (from 0) for the group of that
    number, whose rate was `base_lr` when the schedule was made.

    Args:
        optimizer: whose groups are scheduled; a group added later joins with its own rate.
        last_epoch: the last step already done when a schedule is made anew for a run that goes on; -1 for none.

    >>> import ferrograd as fg
    >>> class Halving(fg.optim.LRScheduler):
    ...     def lr_at(self, step, base_lr, group=0):
    ...         return base_lr * 0.5**step
    >>> schedule = Halving(fg.optim.SGD([fg.nn.Parameter(fg.zeros(1))], lr=1.0))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if last_epoch < -1:
            raise ValueError(f"{self._name}: last_epoch must be at least -1, got {last_epoch}")
        self.optimizer = optimizer
        self.base_lrs: list[float] = []
        self.last_epoch = last_epoch + 1
        self._apply()

    @property
    def _name(self) -> str:
        return type(self).__name__

    def lr_at(self, step: int, base_lr: float, group: int = 0) -> float:
        """The learning rate of a step, a pure function."""
        raise NotImplementedError(f"{self._name}: the class defines no lr_at method")

    def settings_at(self, step: int, base_lr: float, group: int = 0) -> dict[str, Any]:
        """All settings of a group that the schedule sets in a step: "lr", and the momentum in cyclic schedules."""
        return {"lr": self.lr_at(step, base_lr, group)}

    def get_last_lr(self) -> list[float]:
        """Current rates, one per parameter group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self, metrics: Any = None) -> None:
        """Go on to the next step's rate; `metrics` is what ReduceLROnPlateau watches, others ignore it."""
        self.last_epoch += 1
        if metrics is not None:
            self.observe(float(metrics))
        self._apply()

    def observe(self, metrics: float) -> None:
        """Take note of a metric; only ReduceLROnPlateau does."""

    def _apply(self) -> None:
        for number, group in enumerate(self.optimizer.param_groups):
            if number == len(self.base_lrs):
                self.base_lrs.append(group.setdefault("initial_lr", group["lr"]))
            group.update(self.settings_at(self.last_epoch, self.base_lrs[number], number))

    def state_dict(self) -> dict[str, Any]:
        """Step number and base rates."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to a saved step number; ValueError if the number of groups differs."""
        self._load(state_dict)
        self._apply()

    def _load(self, state_dict: dict[str, Any]) -> None:
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(
                f"{self._name}.load_state_dict: expected {len(self.base_lrs)} base rates, "
                f"got {len(state_dict['base_lrs'])}"
            )
        self.last_epoch, self.base_lrs = int(state_dict["last_epoch"]), list(state_dict["base_lrs"])

    def plot(self, steps: int, ax: Any = None) -> Any:
        """Draw the rates of the first `steps` steps, one line per distinct group; returns matplotlib's axes.

        Needs `pip install ferrograd[plot]`; ImportError says so. `ax` are axes to draw into.
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError(f"{self._name}.plot needs matplotlib: pip install 'ferrograd[plot]'") from error
        if ax is None:
            _, ax = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
        curves: dict[tuple[float, ...], list[int]] = {}
        for number, base_lr in enumerate(self.base_lrs):
            curve = tuple(self.lr_at(step, base_lr, number) for step in range(steps))
            curves.setdefault(curve, []).append(number)
        for curve, groups in curves.items():
            ax.plot(range(steps), curve, label="group " + ", ".join(map(str, groups)))
        ax.set(title=self._name, xlabel="step", ylabel="learning rate", xlim=(0, max(steps - 1, 1)))
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.3)
        if len(curves) > 1:
            ax.legend()
        return ax
