"""What the front end's layers share: a name, the first layer's input shape, arrays as inputs, where channels are."""

from __future__ import annotations

import re
import sys
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Literal

from ferrograd import _core, plugins
from ferrograd._core import Tensor
from ferrograd.api.activations import ELEMENTWISE
from ferrograd.nn import Module, Parameter

DataFormat = Literal["channels_last", "channels_first"]
Activation = str | dict[str, Any] | Callable[[Tensor], Tensor] | None

# In the order of creation, so that gradients come in the order of the program's layers.
_all_layers: weakref.WeakValueDictionary[int, Layer] = weakref.WeakValueDictionary()
_made = 0


class Layer(Module):
    """Base of the front end's layers: a layer of `ferrograd.nn` under Keras's name, with Keras's settings.

    Args:
        name: shown in summaries; by default the class's name in snake case.
        input_shape: of one sample, without the batch; only the first layer of a model needs it.
        trainable: False freezes the weights.

    >>> from ferrograd.api import Dense
    >>> layer = Dense(2, name="head")
    >>> layer.forward([[1.0, 2.0, 3.0]]).shape, layer.name, len(layer.weights)
    ((1, 2), 'head', 2)
    """

    name: str
    input_shape: tuple[int | None, ...] | None
    takes_integers = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        global _made
        layer = super().__new__(cls, *args, **kwargs)
        _made += 1
        _all_layers[_made] = layer
        return layer

    def __init__(
        self, name: str | None = None, input_shape: Sequence[int | None] | None = None, trainable: bool = True
    ) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.input_shape = None if input_shape is None else tuple(input_shape)
        self.trainable = trainable

    def _tensor(self, input: Any) -> Tensor:
        """The input as a tensor this layer can compute with: arrays and integers become float32."""
        x = as_tensor(input)
        return x if self.takes_integers or x.dtype.is_floating_point else x.astype(_core.float32)

    def _freeze_if_asked(self) -> None:
        """Called when the weights have been made."""
        if not self.trainable:
            for parameter in self.parameters():
                parameter.requires_grad = False

    @property
    def weights(self) -> list[Parameter]:
        """The layer's parameters; they are there once it has seen an input, or knows its sizes."""
        return list(self.parameters())

    def count_params(self) -> int:
        """Number of values in the weights."""
        return sum(weight.size for weight in self.weights)

    def extra_repr(self) -> str:
        return repr(self.name)


class Spatial(Layer):
    """A layer over images, sequences or volumes, with channels last (N, H, W, C) or first (N, C, H, W)."""

    data_format: DataFormat | None

    def __init__(self, data_format: DataFormat | None = None, **common: Any) -> None:
        super().__init__(**common)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(f"{type(self).__name__}: data_format must be channels_last or _first, got {data_format!r}")
        self.data_format = data_format

    @property
    def channels_last(self) -> bool:
        """Where the channels are: as the layer was told, else as its model was, else last."""
        return self.data_format != "channels_first"

    def _channels_first(self, input: Any) -> Tensor:
        """The input as the layers of `ferrograd.nn` take it; a view."""
        x = self._tensor(input)
        return _core.moveaxis(x, -1, 1) if self.channels_last else x

    def _finish(self, x: Tensor, activation: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Activation, and the channels back where the caller has them.

        Elementwise functions come before the move: their result then is contiguous for the next layer.
        """
        if activation is None or activation in ELEMENTWISE:
            x = x if activation is None else activation(x)
            return _core.moveaxis(x, 1, -1) if self.channels_last else x
        if not self.channels_last:
            return _core.moveaxis(activation(_core.moveaxis(x, 1, -1)), -1, 1)
        return activation(_core.moveaxis(x, 1, -1))


def as_tensor(value: Any) -> Tensor:
    """A tensor of an array or nested list; float64, NumPy's habit, becomes float32.

    >>> import numpy as np
    >>> from ferrograd.api.layers.base import as_tensor
    >>> as_tensor(np.zeros(2)).dtype
    ferrograd.float32
    """
    if isinstance(value, Tensor):
        return value
    tensor = _core.asarray(value)
    return tensor.astype(_core.float32) if tensor.dtype == _core.float64 else tensor


def function_of(activation: Activation) -> Callable[[Tensor], Tensor]:
    """An activation from its name, a table with settings, a function or a layer; None is linear."""
    return plugins.activations.function("linear" if activation is None else activation)


def live_layers() -> list[Layer]:
    """All layers of the front end that are in use, oldest first."""
    return [layer for _, layer in sorted(_all_layers.items(), key=lambda item: item[0])]


def note(text: str) -> None:
    """Tell the user what was done without being asked, at the line of the program that led to it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("ferrograd."):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, UserWarning, stacklevel=level)


def snake_case(name: str) -> str:
    """ "MaxPooling2D" -> "max_pooling2d"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
