"""Recurrent layers under Keras's names: the layers of `ferrograd.nn`, batch first, one layer each."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from ferrograd import _core, _namespace, nn
from ferrograd._core import Tensor
from ferrograd.api.initializers import Initializer, initializer
from ferrograd.api.layers.base import Layer
from ferrograd.nn import functional as F

Merge = Literal["concat", "sum", "ave", "mul"] | None


class _Recurrent(Layer):
    """Keras's settings and initial values around `base`, the layer of `ferrograd.nn` that computes."""

    base: ClassVar[Any]
    forget_bias: ClassVar[bool] = False
    bidirectional: bool
    hidden_size: int
    merge_mode: Merge

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        use_bias: bool = True,
        dropout: float = 0.0,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self.kernel_initializer = initializer(kernel_initializer)
        self.recurrent_initializer = initializer(recurrent_initializer)
        self.input_dropout, self.merge_mode = dropout, None
        self.base.__init__(self, None, units, bias=use_bias, batch_first=True, **self._settings)

    @property
    def _settings(self) -> dict[str, Any]:
        return {}

    def both_ways(self, merge_mode: Merge) -> None:
        """Start anew with a second direction; what `Bidirectional` asks of its layer."""
        self.merge_mode = merge_mode
        use_bias: Any = vars(self)["bias"]
        settings = {**self._settings, "bidirectional": True}
        self.base.__init__(self, None, self.hidden_size, bias=use_bias, batch_first=True, **settings)

    def _build(self, input_size: int) -> None:
        self.base._build(self, input_size)
        for name, weight in self.named_parameters(recurse=False):
            if name.startswith("weight"):
                (self.kernel_initializer if name.startswith("weight_ih") else self.recurrent_initializer)(weight)
            else:
                nn.init.zeros_(weight)
                if self.forget_bias and name.startswith("bias_ih"):
                    bias = weight.detach()
                    bias[self.hidden_size : 2 * self.hidden_size] = 1.0
                    weight.data = bias
        self._freeze_if_asked()

    def forward(self, input: Any, hx: Any = None) -> Any:
        x = self._tensor(input)
        x = F.dropout(_core.flip(x, axis=1) if self.go_backwards else x, self.input_dropout, self.training)
        output, last = self.base.forward(self, x, hx)
        states = [state for pair in (last if isinstance(last, tuple) else (last,)) for state in pair.unbind(0)]
        if not self.bidirectional:
            result = output if self.return_sequences else states[0]
        elif self.return_sequences:
            result = joined(output[..., : self.hidden_size], output[..., self.hidden_size :], self.merge_mode)
        else:
            result = joined(states[0], states[1], self.merge_mode)
        if not self.return_state:
            return result
        return [*(result if isinstance(result, list) else [result]), *states]


class SimpleRNN(_Recurrent, nn.RNN):
    """h = tanh(W x + U h + b) over a sequence (N, T, features); arguments as in `LSTM`, and `activation`.

    >>> import ferrograd as fg
    >>> fg.api.SimpleRNN(4).forward(fg.zeros((2, 5, 3))).shape
    (2, 4)
    """

    base = nn.RNN

    def __init__(self, units: int, activation: str = "tanh", **settings: Any) -> None:
        if activation not in ("tanh", "relu"):
            raise ValueError(f"SimpleRNN: activation must be 'tanh' or 'relu', got {activation!r}")
        self.nonlinearity = activation
        super().__init__(units, **settings)

    @property
    def _settings(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}


class LSTM(_Recurrent, nn.LSTM):
    """Long short-term memory over a sequence: (N, T, features) -> (N, units), or (N, T, units); a `nn.LSTM`.

    Args:
        units: size of the state.
        return_sequences: whether the outputs of all steps come, not only the last.
        return_state: whether a list comes, with the final states after the output.
        go_backwards: whether the sequence is read from its end.
        use_bias: whether there are biases; that of the forget gate starts at one.
        dropout: of the inputs, while training.
        kernel_initializer, recurrent_initializer: names of initial values, or functions of `nn.init`.
        common: `name`, `input_shape`, `trainable`.

    >>> import ferrograd as fg
    >>> fg.api.LSTM(4, return_sequences=True).forward(fg.zeros((2, 5, 3))).shape
    (2, 5, 4)
    """

    base = nn.LSTM
    forget_bias = True


class GRU(_Recurrent, nn.GRU):
    """Gated recurrent unit over a sequence: (N, T, features) -> (N, units), or (N, T, units); arguments as in `LSTM`.

    >>> import ferrograd as fg
    >>> fg.api.GRU(4).forward(fg.zeros((2, 5, 3))).shape
    (2, 4)
    """

    base = nn.GRU


class Bidirectional(Layer):
    """A recurrent layer that reads the sequence in both directions.

    Args:
        layer: a `SimpleRNN`, `LSTM` or `GRU`.
        merge_mode: how the two outputs are joined: "concat", "sum", "ave", "mul", or None for a list of both.
        common: `name`, `input_shape`, `trainable`.

    >>> import ferrograd as fg
    >>> fg.api.Bidirectional(fg.api.LSTM(4)).forward(fg.zeros((2, 5, 3))).shape
    (2, 8)
    """

    def __init__(self, layer: Any, merge_mode: Merge = "concat", **common: Any) -> None:
        if not isinstance(layer, _Recurrent):
            raise TypeError(f"Bidirectional: expected a SimpleRNN, LSTM or GRU, got {type(layer).__name__}")
        if merge_mode not in ("concat", "sum", "ave", "mul", None):
            raise ValueError(f"Bidirectional: merge_mode must be concat, sum, ave, mul or None, got {merge_mode!r}")
        common.setdefault("input_shape", layer.input_shape)
        super().__init__(**common)
        layer.both_ways(merge_mode)
        self.layer = layer

    def forward(self, input: Any) -> Any:
        return self.layer(input)


def joined(forth: Tensor, back: Tensor, mode: Merge) -> Any:
    """Both directions in one tensor, or as a list if there is no mode."""
    if mode is None:
        return [forth, back]
    if mode == "concat":
        return _namespace.concat([forth, back], axis=-1)
    if mode == "mul":
        return forth * back
    return (forth + back) * (0.5 if mode == "ave" else 1.0)
