"""Callbacks: code that the trainer calls while it trains. Names and arguments are Keras's."""

from __future__ import annotations

import csv
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ferrograd.train.logs import Logs, as_plain

if TYPE_CHECKING:
    from ferrograd.train.trainer import Trainer

__all__ = [
    "CSVLogger",
    "Callback",
    "LambdaCallback",
    "LearningRateScheduler",
    "TerminateOnNaN",
]


class Callback:
    """Base class; override what you need. `self.trainer` is the trainer, `trainer.stop_training = True` ends the fit.

    >>> import ferrograd as fg
    >>> class Print(fg.train.Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         print(epoch, sorted(logs))
    """

    trainer: Trainer

    def on_train_begin(self, logs: Logs) -> None:
        """Before the first epoch of a fit."""

    def on_train_end(self, logs: Logs) -> None:
        """After the last epoch of a fit."""

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Before an epoch; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After an epoch and its validation; `logs` holds loss, metrics and their `val_` twins."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """After an optimizer step; `logs` holds the batch's loss."""

    def on_loss_not_finite(self, message: str) -> bool:  # noqa: ARG002 - for those who override it
        """When a loss is infinite or NaN, before the step: return True to end the fit instead of raising an error."""
        return False

    def _say(self, text: str) -> None:
        print(f"{type(self).__name__}: {text}", file=sys.stderr)

    @property
    def _groups(self) -> list[dict[str, Any]]:
        """The optimizer's groups, for callbacks that set rates; a schedule would overwrite them at the next step."""
        if self.trainer.scheduler is not None:
            raise ValueError(f"{type(self).__name__}: the trainer has a scheduler already, use one of the two")
        return self.trainer.optimizer.param_groups


class LearningRateScheduler(Callback):
    """Set the learning rate of every epoch to `schedule(epoch, lr)`, or `schedule(epoch)`.

    >>> import ferrograd as fg
    >>> decay = fg.train.LearningRateScheduler(lambda epoch, lr: lr * 0.9)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = len(inspect.signature(schedule).parameters) > 1

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:  # noqa: ARG002
        for group in self._groups:
            group["lr"] = float(self.schedule(epoch, group["lr"]) if self._takes_rate else self.schedule(epoch))
        if self.verbose:
            self._say(f"epoch {epoch + 1} with learning rate {self._groups[0]['lr']:.3g}")


class CSVLogger(Callback):
    """Write the figures of each epoch as a line of a CSV file.

    >>> import ferrograd as fg
    >>> log = fg.train.CSVLogger("history.csv")
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.path, self.separator, self.append = Path(filename), separator, append
        self._file: IO[str] | None = None

    def on_train_begin(self, logs: Logs) -> None:  # noqa: ARG002
        self._names: list[str] | None = None
        if self.append and self.path.exists():
            with self.path.open(encoding="utf-8", newline="") as file:
                self._names = next(csv.reader(file, delimiter=self.separator), None)
        self._file = self.path.open("a" if self.append else "w", encoding="utf-8", newline="")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self._file is None:
            return
        writer = csv.writer(self._file, delimiter=self.separator)
        if self._names is None:
            self._names = ["epoch", *logs]
            writer.writerow(self._names)
        row = {"epoch": epoch, **as_plain(logs)}
        writer.writerow([row.get(name, "") for name in self._names])
        self._file.flush()

    def on_train_end(self, logs: Logs) -> None:  # noqa: ARG002
        if self._file is not None:
            self._file.close()
            self._file = None


class TerminateOnNaN(Callback):
    """End the fit at a loss that is not finite, with a line that says where it began, instead of raising an error.

    >>> import ferrograd as fg
    >>> fg.train.TerminateOnNaN().on_loss_not_finite("the loss is nan")
    True
    """

    def on_loss_not_finite(self, message: str) -> bool:
        self._say(message)
        return True


class LambdaCallback(Callback):
    """A callback of functions given by name.

    >>> import ferrograd as fg
    >>> show = fg.train.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(self, **functions: Callable[..., Any]) -> None:
        for name, function in functions.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                expected = ", ".join(method for method in vars(Callback) if method.startswith("on_"))
                raise TypeError(f"LambdaCallback: expected names from {expected}, got {name!r}")
            setattr(self, name, function)
