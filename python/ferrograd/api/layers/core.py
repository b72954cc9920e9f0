"""Dense layers, activations, shapes, regularisation, normalisation and embeddings, under Keras's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ferrograd import _core, nn
from ferrograd._core import ShapeError, Tensor
from ferrograd.api.initializers import Initializer, initializer
from ferrograd.api.layers.base import Activation as ActivationSpec
from ferrograd.api.layers.base import Layer, Spatial, as_tensor, function_of, note
from ferrograd.nn import functional as F
from ferrograd.nn.parameter import is_sized


class Input(Layer):
    """The shape of one sample, as the first entry of a model; it computes nothing.

    >>> from ferrograd.api import Dense, Input, Sequential
    >>> Sequential([Input(shape=(4,)), Dense(2)]).predict([[0.0] * 4]).shape
    (1, 2)
    """

    takes_integers = True

    def __init__(self, shape: Sequence[int | None], name: str | None = None) -> None:
        super().__init__(name, shape)

    def forward(self, input: Any) -> Tensor:
        return as_tensor(input)


class Dense(Layer, nn.Linear):
    """activation(x W^T + b) on the last axis: (N, ..., features) -> (N, ..., units); a `nn.Linear`.

    Args:
        units: size of the last output axis.
        activation: name, table, function or layer applied to the result.
        use_bias: whether b is added.
        kernel_initializer, bias_initializer: names of initial values, or functions of `nn.init`.
        common: `name`, `input_shape`, `trainable`.

    Images (N, H, W, C), and whatever a pooling layer of the same model gives, are flattened first, with a note.

    >>> from ferrograd.api import Dense
    >>> Dense(10, activation="softmax").forward([[1.0, 2.0]]).shape
    (1, 10)
    """

    def __init__(
        self,
        units: int,
        activation: ActivationSpec = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        input_dim: int | None = None,
        **common: Any,
    ) -> None:
        self.kernel_initializer, self.bias_initializer = initializer(kernel_initializer), initializer(bias_initializer)
        if input_dim is not None:
            common.setdefault("input_shape", (input_dim,))
        Layer.__init__(self, **common)
        nn.Linear.__init__(self, None, units, use_bias)
        self.activation = function_of(activation)
        self.flatten = False

    def _build(self, in_features: int) -> None:
        super()._build(in_features)
        self.kernel_initializer(self.weight)
        if self.bias is not None:
            self.bias_initializer(self.bias)
        self._freeze_if_asked()

    def forward(self, input: Any) -> Tensor:
        x = self._tensor(input)
        if x.ndim > 3 or (self.flatten and x.ndim > 2):
            shape = (len(x), math.prod(x.shape[1:]))
            if not is_sized(self.weight):
                note(f"{self.name}: the input {_sample(x)} is flattened; put Flatten() before it to say so")
            x = x.reshape(shape)
        return self.activation(nn.Linear.forward(self, x))


class Activation(Layer):
    """An activation function as a layer: a name, a table with settings, or a function.

    >>> from ferrograd.api import Activation
    >>> Activation("relu").forward([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """

    def __init__(self, activation: ActivationSpec, **common: Any) -> None:
        super().__init__(**common)
        self.activation = function_of(activation)

    def forward(self, input: Any) -> Tensor:
        return self.activation(self._tensor(input))


class ReLU(Activation):
    """max(x, 0). `LeakyReLU(negative_slope)` and `Softmax(axis)` are its siblings."""

    def __init__(self, **common: Any) -> None:
        super().__init__("relu", **common)


class LeakyReLU(Activation):
    """x above zero, else negative_slope x."""

    def __init__(self, negative_slope: float = 0.3, **common: Any) -> None:
        super().__init__({"name": "leaky_relu", "negative_slope": negative_slope}, **common)


class Softmax(Activation):
    """exp(x) / sum(exp(x)) over the axis."""

    def __init__(self, axis: int = -1, **common: Any) -> None:
        super().__init__({"name": "softmax", "axis": axis}, **common)


class Flatten(Layer, nn.Flatten):
    """(N, ...) -> (N, product of the others), in the order in which the axes stand.

    >>> from ferrograd.api import Flatten
    >>> Flatten().forward([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """

    takes_integers = True

    def __init__(self, **common: Any) -> None:
        Layer.__init__(self, **common)
        nn.Flatten.__init__(self)

    def forward(self, input: Any) -> Tensor:
        x = self._tensor(input)
        return x[:, None] if x.ndim == 1 else nn.Flatten.forward(self, x)


class Reshape(Layer):
    """(N, ...) -> (N, *target_shape); one size may be -1.

    >>> from ferrograd.api import Reshape
    >>> Reshape((2, -1)).forward([[1.0, 2.0, 3.0, 4.0]]).shape
    (1, 2, 2)
    """

    takes_integers = True

    def __init__(self, target_shape: Sequence[int], **common: Any) -> None:
        super().__init__(**common)
        self.target_shape = tuple(target_shape)

    def forward(self, input: Any) -> Tensor:
        x = self._tensor(input)
        known = math.prod(size for size in self.target_shape if size != -1)
        free = self.target_shape.count(-1)
        values = math.prod(x.shape[1:])
        if free > 1 or (values != known if not free else known == 0 or values % known):
            raise ShapeError(f"Reshape: expected a shape of {values} values for {_sample(x)}, got {self.target_shape}")
        return x.reshape((len(x), *(values // known if size == -1 else size for size in self.target_shape)))


class Permute(Layer):
    """Axes of the sample in another order; the first is 1, as in Keras.

    >>> from ferrograd.api import Permute
    >>> Permute((2, 1)).forward([[[1.0, 2.0, 3.0]]]).shape
    (1, 3, 1)
    """

    takes_integers = True

    def __init__(self, dims: Sequence[int], **common: Any) -> None:
        super().__init__(**common)
        self.dims = tuple(dims)

    def forward(self, input: Any) -> Tensor:
        return _core.permute_dims(self._tensor(input), (0, *self.dims))


class RepeatVector(Layer):
    """(N, features) -> (N, n, features).

    >>> from ferrograd.api import RepeatVector
    >>> RepeatVector(3).forward([[1.0, 2.0]]).shape
    (1, 3, 2)
    """

    def __init__(self, n: int, **common: Any) -> None:
        super().__init__(**common)
        self.n = n

    def forward(self, input: Any) -> Tensor:
        x = self._tensor(input)
        return _core.broadcast_to(x[:, None], (len(x), self.n, *x.shape[1:]))


class Dropout(Layer, nn.Dropout):
    """Zero a share `rate` of the values while training, and scale the others by 1 / (1 - rate); a `nn.Dropout`.

    >>> from ferrograd.api import Dropout
    >>> Dropout(0.5).eval().forward([1.0]).tolist()
    [1.0]
    """

    def __init__(self, rate: float, **common: Any) -> None:
        Layer.__init__(self, **common)
        nn.Dropout.__init__(self, rate)

    def forward(self, input: Any) -> Tensor:
        return nn.Dropout.forward(self, self._tensor(input))


class Rescaling(Layer):
    """x scale + offset: `Rescaling(1 / 255)` for pixels.

    >>> from ferrograd.api import Rescaling
    >>> Rescaling(0.5, offset=-1.0).forward([2]).tolist()
    [0.0]
    """

    def __init__(self, scale: float, offset: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.scale, self.offset = scale, offset

    def forward(self, input: Any) -> Tensor:
        return self._tensor(input) * self.scale + self.offset


class BatchNormalization(Spatial, nn.BatchNorm2d):
    """Each channel normalised over the batch, then scaled and shifted; a `nn.BatchNorm2d` for any number of axes.

    Args:
        axis: of the channels; None is last or first, as the model's `data_format` says.
        momentum: share of the running statistics that each batch leaves (PyTorch's is 1 minus this).
        epsilon: added to the variance.
        common: `name`, `input_shape`, `trainable`, `data_format`.

    >>> from ferrograd.api import BatchNormalization
    >>> [round(v[0]) for v in BatchNormalization().forward([[-1.0], [1.0]]).tolist()]
    [-1, 1]
    """

    shapes: ClassVar[tuple[int, ...]] = (2, 3, 4, 5)  # type: ignore[assignment] # the base takes images alone

    def __init__(self, axis: int | None = None, momentum: float = 0.99, epsilon: float = 1e-3, **common: Any) -> None:
        Spatial.__init__(self, **common)
        nn.BatchNorm2d.__init__(self, None, epsilon, 1.0 - momentum)
        self.axis = axis

    def _build(self, num_features: int) -> None:
        super()._build(num_features)
        self._freeze_if_asked()

    def forward(self, input: Any, residual: Any = None, relu: bool = False) -> Tensor:
        axis = (-1 if self.channels_last else 1) if self.axis is None else self.axis
        added = None if residual is None else _core.moveaxis(self._tensor(residual), axis, 1)
        y = nn.BatchNorm2d.forward(self, _core.moveaxis(self._tensor(input), axis, 1), added, relu)
        return _core.moveaxis(y, 1, axis)


class LayerNormalization(Layer, nn.LayerNorm):
    """Each sample normalised over its last axis, then scaled and shifted; a `nn.LayerNorm`.

    >>> from ferrograd.api import LayerNormalization
    >>> [round(v) for v in LayerNormalization().forward([[0.0, 2.0]])[0].tolist()]
    [-1, 1]
    """

    def __init__(self, epsilon: float = 1e-3, **common: Any) -> None:
        Layer.__init__(self, **common)
        nn.LayerNorm.__init__(self, None, epsilon)

    def _build(self, shape: tuple[int, ...]) -> None:
        super()._build(shape)
        self._freeze_if_asked()

    def forward(self, input: Any, residual: Any = None) -> Any:
        added = None if residual is None else self._tensor(residual)
        return nn.LayerNorm.forward(self, self._tensor(input), added)


class Embedding(Layer, nn.Embedding):
    """Rows of a table by integer: (N, ...) -> (N, ..., output_dim); a `nn.Embedding`.

    Args:
        input_dim: number of rows.
        output_dim: length of a row.
        embeddings_initializer: of the table.
        common: `name`, `input_shape`, `trainable`.

    >>> from ferrograd.api import Embedding
    >>> Embedding(100, 8).forward([[1, 2, 3]]).shape
    (1, 3, 8)
    """

    takes_integers = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Initializer = "random_uniform",
        input_length: int | None = None,
        **common: Any,
    ) -> None:
        if input_length is not None:
            common.setdefault("input_shape", (input_length,))
        Layer.__init__(self, **common)
        nn.Embedding.__init__(self, input_dim, output_dim)
        initializer(embeddings_initializer)(self.weight)
        self._freeze_if_asked()

    def forward(self, input: Any) -> Tensor:
        return F.embedding(self._tensor(input).astype(_core.int64, copy=False), self.weight)


def _sample(x: Tensor) -> str:
    """The shape with N for the batch."""
    return f"({', '.join(['N', *map(str, x.shape[1:])])})"
