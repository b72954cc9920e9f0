"""ModelBuilder: a model from layer names and settings, as programs and configuration files give them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ferrograd import plugins
from ferrograd.api.layers.base import DataFormat
from ferrograd.api.sequential import Sequential
from ferrograd.io.toml import read_table
from ferrograd.nn import Module


class ModelBuilder:
    """Collects layers by name, then builds a `Sequential` for an input shape.

    Args:
        data_format: "channels_last" (the default) or "channels_first", for all layers that do not say themselves.

    >>> from ferrograd.api import ModelBuilder
    >>> builder = ModelBuilder()
    >>> builder.add_layer("dense", units=8, activation="relu").add_layer("dense", units=2) is builder
    True
    >>> builder.build(input_shape=(4,)).output_shape
    (2,)
    """

    def __init__(self, data_format: DataFormat = "channels_last") -> None:
        self.data_format: DataFormat = data_format
        self._layers: list[Any] = []

    def add_layer(self, layer: str | Module, **settings: Any) -> ModelBuilder:
        """Add a layer by a name that `plugins.layers` knows, or a finished one; returns self.

        Raises ValueError for an unknown name, with the nearest ones, and TypeError for settings the layer has not.
        """
        try:
            made = plugins.layers.get(layer)(**settings) if isinstance(layer, str) else layer
        except (TypeError, ValueError) as error:
            raise type(error)(f"ModelBuilder: layer {len(self._layers)} ({layer}): {error}") from error
        self._layers.append(made)
        return self

    def build(self, input_shape: Sequence[int | None] | None = None) -> Sequential:
        """The model, with weights made for samples of this shape. The builder starts anew."""
        layers, self._layers = self._layers, []
        model = Sequential(layers, data_format=self.data_format)
        if input_shape is not None:
            model.build(input_shape)
        return model

    @staticmethod
    def from_config(config: Mapping[str, Any]) -> Module:
        """A model from a table: `layers` (each with its "name" or "type" and settings) and `input_shape`.

        A table with a "name" of its own is a whole model that `plugins.models` knows, with its settings.

        >>> from ferrograd.api import ModelBuilder
        >>> layers = [{"name": "dense", "units": 3, "activation": "softmax"}]
        >>> len(list(ModelBuilder.from_config({"input_shape": [4], "layers": layers}).parameters()))
        2
        >>> type(ModelBuilder.from_config({"name": "resnet18", "width": 4})).__name__
        'ResNet'
        """
        if "name" in config or "type" in config:
            model: Module = plugins.models.create(config)
            return model
        unknown = set(config) - {"layers", "input_shape", "data_format"}
        if unknown or not isinstance(config.get("layers"), Sequence):
            raise ValueError(
                "ModelBuilder: expected 'layers', 'input_shape' and 'data_format', or the 'name' of a model, "
                f"got {sorted(config)}"
            )
        builder = ModelBuilder(config.get("data_format", "channels_last"))
        for index, entry in enumerate(config["layers"]):
            settings = dict(entry) if isinstance(entry, Mapping) else {}
            name = settings.pop("type" if "type" in settings else "name", None)
            if not isinstance(name, str):
                raise ValueError(f"ModelBuilder: layer {index} needs a 'name', got {entry!r}")
            builder.add_layer(name, **settings)
        return builder.build(config.get("input_shape"))

    @staticmethod
    def from_file(path: str | os.PathLike[str]) -> Module:
        """A model from the table `[model]` of a TOML file; FormatError if it is no TOML."""
        content = read_table(path)
        if not isinstance(content.get("model"), Mapping):
            raise ValueError(f"ModelBuilder: {path} has no table [model]")
        return ModelBuilder.from_config(content["model"])
