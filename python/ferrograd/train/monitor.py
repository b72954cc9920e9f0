"""Callbacks that follow one figure: stop, save or slow down when it has stopped improving."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Literal

from ferrograd._core import Tensor
from ferrograd.io import safetensors
from ferrograd.train.callbacks import Callback
from ferrograd.train.logs import Logs, is_number

__all__ = ["EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau"]

Mode = Literal["auto", "min", "max"]


class _Monitor(Callback):
    """Follows one figure and knows whether it has improved by more than `min_delta`."""

    def __init__(self, monitor: str, mode: Mode, min_delta: float) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: expected mode 'auto', 'min' or 'max', got {mode!r}")
        grows = any(word in monitor for word in ("acc", "auc", "auroc", "precision", "recall", "f1", "iou", "r2"))
        self.monitor, self.min_delta = monitor, abs(min_delta)
        self._sign = 1.0 if mode == "max" or (mode == "auto" and grows) else -1.0
        self.best = -math.inf * self._sign

    def on_train_begin(self, logs: Logs) -> None:  # noqa: ARG002
        self.best = -math.inf * self._sign

    def _improved(self, logs: Logs) -> bool:
        """Compare with the best so far; ValueError if the figure is missing or no number."""
        if self.monitor not in logs:
            raise ValueError(f"{type(self).__name__}: no figure {self.monitor!r}, expected one of {', '.join(logs)}")
        value = logs[self.monitor]
        if not is_number(value):
            got = f"{self.monitor!r}: {type(value).__name__} of shape {getattr(value, 'shape', None)}"
            raise ValueError(f"{type(self).__name__}: expected a figure that is one number, got {got}")
        value = float(value)
        if self._sign * (value - self.best) > self.min_delta or (math.isinf(self.best) and math.isfinite(value)):
            self.best = value
            return True
        return False


class EarlyStopping(_Monitor):
    """Stop when the monitored figure has not improved for more than `patience` epochs.

    Args:
        monitor: name of the figure, as in `logs`.
        min_delta: smallest change that counts.
        patience: epochs without improvement that are waited for.
        mode: whether it should fall ("min") or grow ("max"); "auto" decides by the name.
        baseline: value that has to be surpassed before anything counts as an improvement.
        restore_best_weights: whether the weights of the best epoch come back at the end.
        start_from_epoch: epochs that are not looked at.

    >>> import ferrograd as fg
    >>> stop = fg.train.EarlyStopping(monitor="val_accuracy", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: Mode = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.stopped_epoch = 0
        self._weights: dict[str, Tensor] | None = None

    def on_train_begin(self, logs: Logs) -> None:
        super().on_train_begin(logs)
        self.best = self.best if self.baseline is None else self.baseline
        self.wait, self._weights = 0, None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if epoch < self.start_from_epoch:
            return
        if self._improved(logs):
            self.wait = 0
            if self.restore_best_weights:
                self._weights = self.trainer.model.state_dict()
            return
        self.wait += 1
        if self.wait > self.patience:
            self.stopped_epoch, self.trainer.stop_training = epoch, True

    def on_train_end(self, logs: Logs) -> None:  # noqa: ARG002
        if self.stopped_epoch and self.verbose:
            self._say(f"stopped after epoch {self.stopped_epoch + 1}, best {self.monitor} {self.best:.6g}")
        if self._weights is not None:
            self.trainer.model.load_state_dict(self._weights)


class ModelCheckpoint(_Monitor):
    """Save after every epoch, or only after the best so far.

    Args:
        filepath: where to; `{epoch}` and the figures may be filled in, as in "runs/{epoch:02d}-{val_loss:.3f}". A name
            that ends in ".safetensors" is a file with the weights, any other a folder for `Trainer.save`.
        monitor, mode: figure that decides which is best, as in `EarlyStopping`.
        save_best_only: whether epochs without improvement are left out.
        save_weights_only: whether only the weights are written, to `filepath` + ".safetensors" if it has no such end.

    >>> import ferrograd as fg
    >>> save = fg.train.ModelCheckpoint("best.safetensors", save_best_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Mode = "auto",
    ) -> None:
        super().__init__(monitor, mode, 0.0)
        self.filepath, self.verbose, self.save_best_only = os.fspath(filepath), verbose, save_best_only
        self.save_weights_only = save_weights_only

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.save_best_only and not self._improved(logs):
            return
        path = Path(self.filepath.format(epoch=epoch + 1, **logs))
        if self.save_weights_only and path.suffix != ".safetensors":
            path = path.with_name(path.name + ".safetensors")
        if path.suffix == ".safetensors":
            path.parent.mkdir(parents=True, exist_ok=True)
            safetensors.save_file(self.trainer.model.state_dict(), path, {"format": "ferrograd"})
        else:
            path = self.trainer.save(path)
        if self.verbose:
            self._say(f"saved {path}")


class ReduceLROnPlateau(_Monitor):
    """Multiply the learning rates by `factor` when the monitored figure has not improved for `patience` epochs.

    Args:
        monitor, mode, min_delta: as in `EarlyStopping`.
        factor: below 1.
        cooldown: epochs after a reduction that are not counted.
        min_lr: the rates stay above it.

    >>> import ferrograd as fg
    >>> reduce = fg.train.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0.0 < factor < 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be between 0 and 1, got {factor}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr

    def on_train_begin(self, logs: Logs) -> None:
        super().on_train_begin(logs)
        self.wait = self._resting = 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:  # noqa: ARG002
        if self._improved(logs):
            self.wait = 0
            return
        if self._resting > 0:
            self._resting -= 1
            return
        self.wait += 1
        if self.wait < self.patience:
            return
        self.wait, self._resting = 0, self.cooldown
        for group in self._groups:
            group["lr"] = max(group["lr"] * self.factor, self.min_lr)
        if self.verbose:
            self._say(f"learning rate {self._groups[0]['lr']:.3g}")
