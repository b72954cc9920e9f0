"""Callbacks: code that the trainer calls while it trains. The methods have Keras's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ferrograd.train.trainer import Trainer

Logs = dict[str, float]


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
