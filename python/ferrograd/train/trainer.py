"""Trainer: the training loop with progress, validation, metrics and checkpoints."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ferrograd import _namespace, plugins
from ferrograd._autograd import no_grad
from ferrograd._core import Tensor
from ferrograd.data import DataLoader, TensorDataset
from ferrograd.metrics import Metric
from ferrograd.nn import Module
from ferrograd.optim import LRScheduler, Optimizer, clip_factor, get_total_norm
from ferrograd.optim.clip import gradients
from ferrograd.train.callbacks import Callback
from ferrograd.train.checkpoint import find_checkpoint, load_checkpoint, save_checkpoint
from ferrograd.train.diagnose import count_trainable, warn_without_gradient, where_not_finite
from ferrograd.train.logs import Logs, as_plain, as_text

Loss = Callable[[Any, Any], Tensor]
Description = str | Mapping[str, Any]


class Trainer:
    """Trains a model on batches of (inputs, targets).

    Args:
        model: called with the inputs of a batch.
        data: a `DataLoader` (or any repeatable iterable of batches), a dataset, or a pair of tensors (inputs, targets);
            the last two are shuffled and divided into batches of `batch_size`.
        optimizer: an optimizer over the model's parameters, or a function that makes one from them; the function is
            called after the layers that find their sizes at the first call have seen a batch. Also a name ("adam"), or
            a table with settings, `{"name": "adam", "lr": 1e-3}`: any that `ferrograd.plugins` knows. None makes a
            trainer that only evaluates and predicts.
        loss: a function of (outputs, targets) that averages over the batch, or its name or table: one of
            `ferrograd.train.losses` or a plugin.
        metrics: metric objects, names ("accuracy") or tables, computed while training and in validation.
        callbacks: see `Callback`; objects, names or tables.
        validation_data: evaluated after each epoch; same kinds as `data`, not shuffled.
        scheduler: stepped after every optimizer step.
        max_grad_norm: gradients are clipped to this total norm, inside the optimizer's kernel.
        batch_size: for datasets and tensors.
        device: where model and batches are moved; None leaves them where they are.
        progress: whether a progress bar is shown.

    Raises FloatingPointError, naming step and layer, when the loss is not finite (see `TerminateOnNaN`). After the
    first step a warning names trainable parameters that got no gradient.

    >>> import ferrograd as fg
    >>> x = fg.linspace(-1, 1, 64).reshape((64, 1))
    >>> model = fg.nn.Linear(1, 1)
    >>> optimizer = fg.optim.SGD(model.parameters(), lr=0.5)
    >>> trainer = fg.train.Trainer(model, (x, 3 * x), optimizer=optimizer, loss="mse", progress=False)
    >>> history = trainer.fit(epochs=50)
    >>> round(model.weight.item(), 2)
    3.0
    """

    def __init__(
        self,
        model: Module,
        data: Any,
        *,
        optimizer: Optimizer | Callable[[Iterable[Tensor]], Optimizer] | Description | None,
        loss: Loss | Description = "cross_entropy",
        metrics: Sequence[Metric | Description] = (),
        callbacks: Sequence[Callback | Description] = (),
        validation_data: Any = None,
        scheduler: LRScheduler | None = None,
        max_grad_norm: float | None = None,
        batch_size: int = 32,
        device: Any = None,
        progress: bool = True,
    ) -> None:
        self.batch_size, self.device, self.progress = batch_size, device, progress
        self.data = self._loader(data, shuffle=True)
        self.validation_data: Any = None if validation_data is None else self._loader(validation_data, shuffle=False)
        self.loss: Loss = plugins.losses.function(loss)
        self.metrics: list[Metric] = [plugins.metrics.create(metric) for metric in metrics]
        self.callbacks: list[Callback] = [plugins.callbacks.create(callback) for callback in callbacks]
        self.scheduler, self.max_grad_norm = scheduler, max_grad_norm
        self.history: list[Logs] = []
        self.epoch = self.step = 0
        self.stop_training = False
        self.model = model
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            self._find_sizes()
        if device is not None:
            model.to(device)
        self._optimizer: Optimizer | None = (
            optimizer(model.parameters())
            if callable(optimizer)
            else plugins.optimizers.create(optimizer, model.parameters())
        )

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer; ValueError for a trainer made without one."""
        if self._optimizer is None:
            raise ValueError("Trainer: there is no optimizer, give one to train")
        return self._optimizer

    def fit(self, epochs: int = 1) -> list[Logs]:
        """Train for `epochs` more epochs; returns the history, one dictionary of figures per epoch so far."""
        self.stop_training = False
        for callback in self.callbacks:
            callback.trainer = self
            callback.on_train_begin({})
        logs: Logs = {}
        for _ in range(epochs):
            for callback in self.callbacks:
                callback.on_epoch_begin(self.epoch, {})
            logs = self._train_epoch(self.epoch)
            if self.validation_data is not None:
                logs |= {f"val_{name}": value for name, value in self._evaluate(self.validation_data).items()}
            self.history.append(logs)
            self.epoch += 1
            for callback in self.callbacks:
                callback.on_epoch_end(self.epoch - 1, logs)
            self._say(f"epoch {self.epoch}: {as_text(logs)}")
            if self.stop_training:
                break
        for callback in self.callbacks:
            callback.on_train_end(logs)
        return self.history

    def evaluate(self, data: Any = None) -> Logs:
        """Mean loss and metrics on `data` (by default the validation data), in eval mode."""
        if data is None and self.validation_data is None:
            raise ValueError("Trainer.evaluate: give data, the trainer has no validation_data")
        loader = self.validation_data if data is None else self._loader(data, shuffle=False)
        return self._evaluate(loader)

    def predict(self, data: Any) -> Tensor:
        """Outputs for all inputs, joined along the first dimension; targets, if there are some, are ignored."""
        loader = self._loader((data,) if isinstance(data, Tensor) else data, shuffle=False)
        outputs = []
        with eval_mode(self.model), no_grad():
            for batch in loader:
                inputs = batch[0] if isinstance(batch, (tuple, list)) else batch
                outputs.append(self.model(self._move(inputs)))
        if not outputs:
            raise ValueError("Trainer.predict: the data is empty")
        return _namespace.concat(outputs, axis=0)

    def save(self, folder: str | os.PathLike[str], keep: int = 1) -> Path:
        """Write a checkpoint of model, optimizer, schedule and history, all or nothing; returns its path."""
        state: Logs = {"epoch": self.epoch, "step": self.step, "history": [as_plain(logs) for logs in self.history]}
        if self.scheduler is not None:
            state["scheduler"] = self.scheduler.state_dict()
        return save_checkpoint(folder, self.model, self.optimizer, state, step=self.step, keep=keep)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go on from a checkpoint, or the newest in a folder; prints the trainable count before and after."""
        before = count_trainable(self.model)
        folder = find_checkpoint(path)
        state = load_checkpoint(folder, self.model, self.optimizer)
        self.epoch, self.step = int(state["epoch"]), int(state["step"])
        self.history = list(state["history"])
        if self.scheduler is not None and "scheduler" in state:
            self.scheduler.load_state_dict(state["scheduler"])
        after = count_trainable(self.model)
        self._say(f"resumed {folder} at step {self.step}: {before:,} trainable values before, {after:,} after")

    def _train_epoch(self, epoch: int) -> Logs:
        self.model.train()
        figures = _Figures(self.metrics)
        start = shown = time.perf_counter()
        with self._bar(self.data, f"epoch {epoch + 1}") as bar:
            for number, batch in enumerate(bar):
                inputs, targets = self._pair(batch)
                value, outputs = self._train_step(inputs, targets)
                figures.update(value, outputs, targets)
                # Some metrics go through all they have seen: often enough for the eye, too seldom to be felt.
                if self.progress and (now := time.perf_counter()) - shown > 0.5:
                    bar.set_postfix_str(as_text(figures.logs(), ".4f"), refresh=False)
                    shown = now
                for callback in self.callbacks:
                    callback.on_train_batch_end(number, {"loss": value})
                if self.stop_training:
                    break
        return figures.logs() | {"seconds": time.perf_counter() - start}

    def _train_step(self, inputs: Any, targets: Any) -> tuple[float, Any]:
        outputs = self.model(inputs)
        loss = self.loss(outputs, targets)
        value = float(loss)
        if not math.isfinite(value):
            where = where_not_finite(self.model, inputs)
            message = f"Trainer: the loss is {value} in step {self.step + 1}: {where}"
            if any(callback.on_loss_not_finite(message) for callback in self.callbacks):
                self.stop_training = True
                return value, outputs
            raise FloatingPointError(message)
        self.optimizer.zero_grad()
        loss.backward()
        if self.step == 0:
            warn_without_gradient(self.model)
        scale = 1.0
        if self.max_grad_norm is not None:
            grads = gradients(p for group in self.optimizer.param_groups for p in group["params"])
            scale = clip_factor(float(get_total_norm(grads)), self.max_grad_norm)
        self.optimizer.step(grad_scale=scale)
        if self.scheduler is not None:
            self.scheduler.step()
        self.step += 1
        return value, outputs

    def _evaluate(self, loader: Iterable[Any]) -> Logs:
        figures = _Figures(self.metrics)
        with eval_mode(self.model), no_grad():
            for batch in loader:
                inputs, targets = self._pair(batch)
                outputs = self.model(inputs)
                figures.update(float(self.loss(outputs, targets)), outputs, targets)
        return figures.logs()

    def _find_sizes(self) -> None:
        """Let layers without sizes see a batch, without leaving another trace."""
        batch = next(iter(self.data), None)
        if batch is None:
            raise ValueError("Trainer: the data is empty")
        with eval_mode(self.model), no_grad():
            self.model(batch[0])

    def _loader(self, data: Any, shuffle: bool) -> Any:
        if isinstance(data, tuple):
            data = TensorDataset(*data)
        if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, list):
            return DataLoader(data, self.batch_size, shuffle)
        return data

    def _pair(self, batch: Any) -> tuple[Any, Any]:
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            got = f"{len(batch)} entries" if isinstance(batch, (tuple, list)) else type(batch).__name__
            raise ValueError(f"Trainer: expected batches (inputs, targets), got {got}")
        return self._move(batch[0]), self._move(batch[1])

    def _move(self, value: Any) -> Any:
        return value.to(device=self.device) if self.device is not None and isinstance(value, Tensor) else value

    def _bar(self, loader: Any, title: str) -> Any:
        from tqdm import tqdm  # imported here: it costs more than the package itself

        total = len(loader) if hasattr(loader, "__len__") else None
        return tqdm(loader, desc=title, total=total, unit="batch", disable=not self.progress, leave=False)

    def _say(self, text: str) -> None:
        if self.progress:
            print(text, file=sys.stderr)


@contextmanager
def eval_mode(model: Module) -> Iterator[None]:
    """Within it the whole model is in eval mode; afterwards each module is as it was."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


class _Figures:
    """Mean loss, weighted by samples, and metrics of an epoch."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.metrics, self.total, self.samples = metrics, 0.0, 0
        for metric in metrics:
            metric.reset()

    def update(self, loss: float, outputs: Any, targets: Any) -> None:
        samples = len(targets)
        self.total += loss * samples
        self.samples += samples
        for metric in self.metrics:
            metric.update(outputs, targets)

    def logs(self) -> Logs:
        if not self.samples:
            raise ValueError("Trainer: the data is empty")
        return {"loss": self.total / self.samples, **{metric.name: metric.compute() for metric in self.metrics}}
