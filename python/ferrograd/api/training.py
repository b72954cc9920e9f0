"""Trainer and Evaluator: `ferrograd.train.Trainer` with the front end's defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ferrograd import plugins, train
from ferrograd._core import Tensor
from ferrograd.api.data import loader_of
from ferrograd.api.optimizers import optimizer_of
from ferrograd.io.toml import read_table
from ferrograd.nn import Module
from ferrograd.train import Accuracy, Metric
from ferrograd.train.logs import Logs


class Trainer(train.Trainer):
    """Trains a model: `train(epochs)`.

    Args:
        model: any module.
        data: a `DataLoader`, a pair (x, y) of arrays, samples or a dataset.
        optimizer: a name ("adam"), a table with settings, or an optimizer.
        loss: a name, a table with settings, or a function of (outputs, targets).
        metrics: names, tables or objects; by default the accuracy, for a cross-entropy.
        validation_data: evaluated after each epoch; as `data`.
        batch_size: for data that is no loader.
        settings: what else `ferrograd.train.Trainer` takes, `callbacks`, `scheduler`, `max_grad_norm`, ...

    >>> import numpy as np
    >>> from ferrograd.api import Dense, Sequential, Trainer
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> optimizer = {"name": "sgd", "learning_rate": 0.5}
    >>> trainer = Trainer(Sequential([Dense(1)]), (x, 3 * x), optimizer, "mse", progress=False)
    >>> round(trainer.train(epochs=50)[-1]["loss"], 4)
    0.0
    """

    def __init__(
        self,
        model: Module,
        data: Any,
        optimizer: Any = "adam",
        loss: Any = "categorical_crossentropy",
        metrics: Sequence[Any] | None = None,
        *,
        validation_data: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        **settings: Any,
    ) -> None:
        if metrics is None:
            metrics = ["accuracy"] if "entropy" in str(loss) else []
        super().__init__(
            model,
            loader_of(data, None, batch_size, shuffle),
            optimizer=None if optimizer is None else optimizer_of(optimizer),
            loss=loss,
            metrics=[metric_of(metric, _channel_axis(model)) for metric in metrics],
            validation_data=None if validation_data is None else loader_of(validation_data, None, batch_size),
            batch_size=batch_size,
            **settings,
        )
        self.epochs = 1

    def train(self, epochs: int | None = None) -> list[Logs]:
        """Train for `epochs` more epochs, by default one, or as many as the configuration says.

        Returns the history, one dictionary of figures per epoch so far.
        """
        return self.fit(self.epochs if epochs is None else epochs)

    @staticmethod
    def from_config(config: Mapping[str, Any]) -> Trainer:
        """A trainer from three tables.

        Args:
            config: `data`, a dataset that `plugins.datasets` knows, with its "name" and settings: either the training
                data or a pair (training, validation); `model`, as for `ModelBuilder.from_config`; and `training`, with
                `epochs` and what the class takes: `optimizer`, `loss`, `metrics`, `callbacks`, `batch_size`, ...

        >>> from ferrograd.api import Trainer
        >>> model = {"layers": [{"name": "flatten"}, {"name": "dense", "units": 10, "activation": "softmax"}]}
        >>> training = {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.01}, "progress": False}
        >>> trainer = Trainer.from_config({"data": {"name": "digits"}, "model": model, "training": training})
        >>> trainer.train()[-1]["val_accuracy"] > 0.8
        True
        """
        from ferrograd.api.builder import ModelBuilder  # its Sequential is built on this module

        tables = {"data", "model", "training"}
        if not {"data", "model"} <= set(config) <= tables or not all(isinstance(t, Mapping) for t in config.values()):
            raise ValueError(f"Trainer: expected the tables 'data', 'model' and 'training', got {sorted(config)}")
        settings = dict(config.get("training", {}))
        epochs = settings.pop("epochs", 1)
        data = plugins.datasets.create(config["data"])
        if isinstance(data, tuple) and len(data) == 2 and not any(hasattr(part, "shape") for part in data):
            data, settings["validation_data"] = data
        trainer = Trainer(ModelBuilder.from_config(config["model"]), data, **settings)
        trainer.epochs = epochs
        return trainer

    @staticmethod
    def from_file(path: str | os.PathLike[str]) -> Trainer:
        """A trainer from the tables `[data]`, `[model]` and `[training]` of a file; FormatError if it is no TOML."""
        return Trainer.from_config(read_table(path))


class Evaluator:
    """Computes metrics of a model on data.

    Args:
        model: any module.
        data: as in `Trainer`.
        metrics: names, tables or objects.
        batch_size: for data that is no loader.

    >>> import numpy as np
    >>> from ferrograd.api import Evaluator, Sequential, Softmax
    >>> Evaluator(Sequential([Softmax()]), (np.eye(3), np.array([0, 1, 1]))).evaluate()
    0.6666666666666666
    """

    def __init__(self, model: Module, data: Any, metrics: Sequence[Any] = ("accuracy",), batch_size: int = 32) -> None:
        self._trainer = Trainer(
            model, data, None, _no_loss, metrics, batch_size=batch_size, shuffle=False, progress=False
        )

    def evaluate(self) -> Any:
        """The metric; a dictionary by name if there are several."""
        logs = self._trainer.evaluate(self._trainer.data)
        figures = {metric.name: logs[metric.name] for metric in self._trainer.metrics}
        return next(iter(figures.values())) if len(figures) == 1 else figures


class MeanLoss(Metric):
    """A loss as a metric: its mean over the samples.

    >>> import ferrograd as fg
    >>> from ferrograd.api.training import MeanLoss
    >>> metric = MeanLoss("mae")
    >>> metric.update(fg.tensor([1.0, 2.0]), fg.tensor([0.0, 0.0]))
    >>> metric.compute()
    1.5
    """

    def __init__(self, name: str) -> None:
        self.name, self._loss = name, plugins.losses.function(name)
        self.reset()

    def reset(self) -> None:
        self._total, self._samples = 0.0, 0

    def update(self, output: Tensor, target: Tensor) -> None:
        self._total += float(self._loss(output.detach(), target)) * len(target)
        self._samples += len(target)

    def compute(self) -> float:
        return self._total / self._samples if self._samples else float("nan")


_KERAS_METRICS = {
    **dict.fromkeys(("acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"), "accuracy"),
    **dict.fromkeys(("top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"), "topk_accuracy"),
    "auc": "auroc",
    "AUC": "auroc",
    "f1_score": "f1",
}


def metric_of(spec: Any, channel_axis: int = -1) -> Any:
    """A metric from its name, Keras's name, a table or an object; names of losses work too.

    In the history it stands under the name it was asked for.

    >>> from ferrograd.api.training import metric_of
    >>> metric_of("AUC").name, metric_of("accuracy").name
    ('AUC', 'accuracy')
    """
    if not isinstance(spec, str):
        return plugins.metrics.create(spec)
    if spec not in plugins.metrics and spec in plugins.losses:
        return MeanLoss(spec)
    name = _KERAS_METRICS.get(spec, spec)
    metric = Accuracy(axis=channel_axis) if name == "accuracy" else plugins.metrics.create(name)
    if spec in _KERAS_METRICS:
        metric.name = spec
    return metric


def _channel_axis(model: Module) -> int:
    return 1 if getattr(model, "data_format", "channels_first") == "channels_first" else -1


def _no_loss(outputs: Any, targets: Any) -> Any:  # noqa: ARG001 - an evaluation by metrics alone
    return 0.0
