"""Sequential: Keras's model over the layers of `ferrograd.nn` and the loop of `ferrograd.train`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from ferrograd import _core, nn
from ferrograd._autograd import no_grad
from ferrograd._core import ShapeError, Tensor
from ferrograd.api.data import loader_of, split
from ferrograd.api.layers.base import DataFormat, Layer, Spatial, as_tensor
from ferrograd.api.layers.core import Dense, Input
from ferrograd.api.layers.pooling import Pooling
from ferrograd.api.training import Trainer
from ferrograd.io import safetensors
from ferrograd.nn import Module, Parameter
from ferrograd.nn.parameter import assign
from ferrograd.train.logs import Logs, as_text
from ferrograd.train.trainer import eval_mode


class History:
    """What `fit` returns: `history` maps each figure to its values, `epoch` lists the epochs from 0."""

    def __init__(self, logs: list[Logs], first_epoch: int) -> None:
        self.epoch = list(range(first_epoch, first_epoch + len(logs)))
        self.history = {
            name: [entry[name] for entry in logs] for name in (logs[0] if logs else {}) if name != "seconds"
        }


class Sequential(nn.Sequential):
    """Layers one after the other, with `compile`, `fit`, `evaluate`, `predict` and `summary`.

    Args:
        layers: a list of layers, or the layers as arguments; any `nn.Module` may be among them
            (the spatial ones of `ferrograd.nn` take channels first).
        name: shown in the summary.
        data_format: "channels_last" or "channels_first", for all layers that do not say themselves.

    Weights are made when the shape of a sample is known: from the first layer's `input_shape`, an `Input`, `build`, or
    the first batch. Errors name the layer and its index.

    >>> import numpy as np
    >>> from ferrograd.api import Dense, Sequential
    >>> model = Sequential([Dense(8, activation="relu", input_shape=(2,)), Dense(2, activation="softmax")])
    >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    >>> history = model.fit(np.ones((4, 2)), np.array([0, 1, 0, 1]), epochs=2, verbose=0)
    >>> sorted(history.history), model.predict(np.ones((3, 2)), verbose=0).shape
    (['accuracy', 'loss'], (3, 2))
    """

    def __init__(self, *layers: Any, name: str = "sequential", data_format: DataFormat = "channels_last") -> None:
        self.name, self.data_format = name, data_format
        self.input_shape: tuple[int | None, ...] | None = None
        self._compiled: dict[str, Any] = {}
        self._epochs = 0
        listed = layers[0] if len(layers) == 1 and isinstance(layers[0], (list, tuple)) else layers
        for layer in listed:
            self.add(layer)
        self._build_if_sized()

    # --- layers ---

    def add(self, layer: Module) -> None:
        """Put a layer at the end."""
        if not isinstance(layer, Module):
            raise TypeError(f"{self.name}: layer {len(self)} must be a layer, got {type(layer).__name__}")
        first, previous = not len(self), self[-1] if len(self) else None
        if first and isinstance(layer, (Layer, Sequential)) and layer.input_shape is not None:
            self.input_shape = layer.input_shape
        if isinstance(layer, Input):
            return
        for below in layer.modules():
            if isinstance(below, Spatial) and below.data_format is None:
                below.data_format = self.data_format
        if isinstance(layer, Dense) and isinstance(previous, Pooling):
            layer.flatten = True
        self.append(layer)

    @property
    def layers(self) -> list[Module]:
        """The layers in order."""
        return list(self)

    @property
    def weights(self) -> list[Parameter]:
        """All parameters in order."""
        return list(self.parameters())

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """The values of all parameters in order, as NumPy arrays."""
        return [weight.detach().numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give all parameters new values, in the order of `get_weights`; ValueError unless number and shapes fit."""
        values, own = [as_tensor(value) for value in weights], self.weights
        got, expected = [tuple(value.shape) for value in values], [tuple(weight.shape) for weight in own]
        if got != expected:
            raise ValueError(f"{self.name}.set_weights: expected arrays of the shapes {expected}, got {got}")
        for weight, value in zip(own, values, strict=True):
            assign(weight, value.to(device=weight.device, dtype=weight.dtype))

    def count_params(self) -> int:
        """Number of values in all parameters."""
        return sum(weight.size for weight in self.weights)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one output, without the batch."""
        return tuple(self._try_out().shape[1:])

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights for samples of this shape, given without the batch, by passing one of zeros through."""
        if input_shape is not None:
            self.input_shape = tuple(input_shape)
        self._try_out()

    def _try_out(self) -> Tensor:
        """The output for one sample of zeros."""
        with eval_mode(self), no_grad():
            return self(self._sample())  # type: ignore[no-any-return]

    def _sample(self) -> Tensor:
        """A batch of one sample of zeros."""
        if self.input_shape is None or None in self.input_shape:
            raise ValueError(f"{self.name}: give build() the whole shape of a sample, got {self.input_shape}")
        dtype = _core.int64 if len(self) and getattr(self[0], "takes_integers", False) else _core.float32
        return _core.zeros((1, *(size or 0 for size in self.input_shape)), dtype=dtype)

    def _build_if_sized(self) -> None:
        if len(self) and self.input_shape is not None and None not in self.input_shape:
            self.build()

    def forward(self, input: Any) -> Tensor:
        x = as_tensor(input)
        expected = self.input_shape
        if expected is not None and (
            x.ndim != len(expected) + 1
            or any(want not in (None, got) for want, got in zip(expected, x.shape[1:], strict=True))
        ):
            shape = ", ".join(["N", *("any" if size is None else str(size) for size in expected)])
            hint = "; x[..., None] adds the channel axis" if (*x.shape[1:], 1) == expected else ""
            first = type(self[0]).__name__ if len(self) else "none"
            raise ShapeError(f"{self.name}: layer 0 ({first}) expected inputs ({shape}), got {tuple(x.shape)}{hint}")
        return super().forward(x)  # type: ignore[no-any-return]

    def summary(self) -> None:
        """Print each layer with its output shape, parameters and multiplications; see `nn.summary`."""
        print(f'Model: "{self.name}"')
        print(nn.summary(self, self._sample()))

    # --- training ---

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Sequence[Any] | None = None) -> None:
        """Choose how to train: each a name, a table with settings, or an object; see `Trainer`."""
        if loss is None:
            raise ValueError(f"{self.name}.compile: a loss is needed, for example 'sparse_categorical_crossentropy'")
        self._compiled = {"optimizer": optimizer, "loss": loss, "metrics": list(metrics or [])}

    def _trainer(self, data: Any, **settings: Any) -> Trainer:
        if not self._compiled:
            raise RuntimeError(f"{self.name}: call compile(optimizer, loss, metrics) first")
        return Trainer(self, data, **{**self._compiled, **settings})

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Sequence[Any] = (),
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
    ) -> History:
        """Train on arrays, a loader or a dataset; the optimizer's state is kept from one call to the next.

        Args:
            x, y: inputs and targets, or a loader or dataset of both in `x`.
            batch_size: samples per step.
            epochs: passes over the data.
            verbose: 0 shows nothing.
            callbacks: objects, names or tables, see `ferrograd.train.callbacks`.
            validation_split: share of the samples, from the end, that validate instead.
            validation_data: a pair (x, y), loader or dataset that is evaluated after each epoch.
            shuffle: whether each epoch has a new order.
        """
        if validation_split:
            (x, y), validation_data = split(x, y, validation_split)
        trainer = self._trainer(
            loader_of(x, y, batch_size, shuffle),
            validation_data=validation_data,
            batch_size=batch_size,
            callbacks=callbacks,
            progress=verbose not in (0, False),
        )
        trainer.epoch = first = self._epochs
        logs = trainer.train(epochs)
        self._compiled["optimizer"], self._epochs = trainer.optimizer, trainer.epoch
        return History(logs, first)

    def evaluate(
        self, x: Any, y: Any = None, batch_size: int = 32, verbose: Any = "auto", return_dict: bool = False
    ) -> Any:
        """Loss and metrics: a list in the order of `compile` (the loss alone if there are none), or a dictionary."""
        trainer = self._trainer(loader_of(x, y, batch_size), optimizer=None, progress=False)
        logs = trainer.evaluate(trainer.data)
        if verbose not in (0, False):
            print(as_text(logs, ".4f"), file=sys.stderr)
        values = list(logs.values())
        return logs if return_dict else values if len(values) > 1 else values[0]

    def predict(self, x: Any, batch_size: int = 32, verbose: Any = "auto") -> np.ndarray[Any, Any]:  # noqa: ARG002
        """Outputs for all inputs, as a NumPy array."""
        loader = loader_of(as_tensor(x) if isinstance(x, list) else x, None, batch_size)
        return Trainer(self, loader, None, "mse", [], progress=False).predict(loader).numpy()

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write all weights to a safetensors file."""
        safetensors.save_file(self.state_dict(), path, {"format": "ferrograd"})

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Read the weights of a model with the same layers."""
        self.load_state_dict(safetensors.load_file(path))
