"""Recurrent layers: RNN, LSTM and GRU over whole sequences."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, is_sized, uninitialized
from ferrograd.nn.sizes import build, check_probability, required_size
from ferrograd.nn.utils.rnn import PackedSequence


class _Recurrent(Module):
    """What all recurrent layers share: parameters by layer and direction, and the way through them."""

    _op: ClassVar[Callable[..., tuple[Tensor, ...]]]
    _gates: ClassVar[int]
    _states: ClassVar[int] = 1
    _options: dict[str, Any]
    proj_size = 0

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int | None,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        kind = type(self).__name__
        self._options = {}
        self.hidden_size = required_size(self, "hidden_size", hidden_size)
        self.num_layers = required_size(self, "num_layers", num_layers)
        if self.hidden_size < 1 or self.num_layers < 1:
            raise ValueError(f"{kind}: hidden_size and num_layers must be positive, got {hidden_size} and {num_layers}")
        check_probability(self, "dropout", dropout)
        if dropout > 0 and num_layers == 1:
            warnings.warn(f"{kind}: dropout acts between layers, num_layers=1 has none of it", stacklevel=3)
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, dropout, bidirectional
        width = self._gates * self.hidden_size
        for layer in range(self.num_layers):
            below = None if layer == 0 else self._output_size * self._directions
            shapes = {"ih": (width, below), "hh": (width, self._output_size), "hr": (self.proj_size, self.hidden_size)}
            for names in self._names(layer):
                for name in names:
                    kind, end = name.split("_")[:2]
                    shape = shapes[end] if kind == "weight" else (width,)
                    setattr(self, name, uninitialized(shape, device, dtype))
        if input_size is not None:
            self._build(required_size(self, "input_size", input_size))

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _names(self, layer: int) -> list[list[str]]:
        """Parameter names of a layer, a list for each direction."""
        kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if self.bias else [])]
        kinds += ["weight_hr"] if self.proj_size else []
        return [[f"{kind}_l{layer}{end}" for kind in kinds] for end in ("", "_reverse")[: self._directions]]

    @property
    def _output_size(self) -> int:
        """Features of h, in one direction."""
        return self.proj_size or self.hidden_size

    @property
    def input_size(self) -> int | None:
        """Features of the input, None until it is known."""
        weight: Parameter = vars(self)["weight_ih_l0"]
        return weight.shape[1] if is_sized(weight) else None

    def _build(self, input_size: int) -> None:
        for layer in range(self.num_layers):
            for names in self._names(layer):
                for name in names:
                    shape = vars(self)[name].shape
                    build(self, name, tuple(input_size if size is None else size for size in shape))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters again, uniform on +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters(recurse=False):
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: the weights need no special place in memory here (PyTorch's name, for its scripts)."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            output, states = self._through(input.padded, self._split(hx), input.lengths)
            return PackedSequence.of(output, input.lengths, input.sorted_indices), self._joined(states)
        if input.ndim not in (2, 3):
            expected = "(L, N, input_size) or (L, input_size)"
            raise ShapeError(f"{type(self).__name__}: expected an input {expected}, got shape {tuple(input.shape)}")
        batched, swapped = input.ndim == 3, input.ndim == 3 and self.batch_first
        initial = self._split(hx)
        if not batched:
            initial = [None if state is None else _core.expand_dims(state, axis=1) for state in initial]
        x = input if batched else _core.expand_dims(input, axis=1)
        output, states = self._through(x.transpose(0, 1) if swapped else x, initial, None)
        if not batched:
            return output.squeeze(1), self._joined([state.squeeze(1) for state in states])
        return output.transpose(0, 1) if swapped else output, self._joined(states)

    def _split(self, hx: Any) -> list[Tensor | None]:
        """The initial states as given: h, or (h, c)."""
        if hx is None:
            return [None] * self._states
        states = list(hx) if isinstance(hx, (tuple, list)) else [hx]
        if len(states) != self._states:
            expected = "a tensor h0" if self._states == 1 else "a pair (h0, c0)"
            raise TypeError(f"{type(self).__name__}: expected hx to be {expected}, got {type(hx).__name__}")
        return states

    def _joined(self, states: list[Tensor]) -> Any:
        return states[0] if self._states == 1 else tuple(states)

    def _through(self, x: Tensor, initial: list[Tensor | None], lengths: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """All layers over (L, N, input_size); states are (num_layers * directions, N, hidden_size)."""
        if self.input_size is None:
            self._build(x.shape[2])
        if x.shape[2] != self.input_size:
            raise ShapeError(f"{type(self).__name__}: expected {self.input_size} features, got shape {tuple(x.shape)}")
        for state, size in zip(initial, (self._output_size, self.hidden_size), strict=False):
            want = (self.num_layers * self._directions, x.shape[1], size)
            if state is not None and tuple(state.shape) != want:
                got = tuple(state.shape)
                raise ShapeError(f"{type(self).__name__}: expected an initial state of shape {want}, got {got}")
        finals: list[list[Tensor]] = [[] for _ in range(self._states)]
        for layer in range(self.num_layers):
            outputs = []
            for direction, names in enumerate(self._names(layer)):
                weights: list[Tensor] = [getattr(self, name) for name in names]
                place = layer * self._directions + direction
                states = [None if state is None else state[place] for state in initial]
                y, ends = self._run(x, weights, states, lengths, direction == 1)
                outputs.append(y)
                for final, end in zip(finals, ends, strict=True):
                    final.append(end)
            x = outputs[0] if len(outputs) == 1 else _core._concat(outputs, axis=-1)
            if self.dropout > 0 and layer + 1 < self.num_layers:
                x = F.dropout(x, self.dropout, self.training)
        return x, [_core.stack(final) for final in finals]

    def _run(
        self, x: Tensor, weights: list[Tensor], states: list[Tensor | None], lengths: Tensor | None, reverse: bool
    ) -> tuple[Tensor, list[Tensor]]:
        """One layer in one direction: outputs (L, N, *) and final states (N, *)."""
        named = dict(zip(("h0", "c0"), states, strict=False), lengths=lengths, reverse=reverse)
        y, *ends = self._op(x, *weights, **named, **self._options)
        return y, ends

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
            "proj_size": 0,
        }
        for name, default in defaults.items():
            value = getattr(self, name)
            text += "" if value == default else f", {name}={value}"
        return text


class RNN(_Recurrent):
    """h_t = act(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh) through sequences, in one or more layers (Elman 1990).

    Args:
        input_size: features of the input; None finds it at the first call.
        hidden_size: features of the state.
        num_layers: layers, each taking the outputs of the one below.
        nonlinearity: "tanh" or "relu".
        bias: whether b_ih and b_hh are there.
        batch_first: whether batches are (N, L, features) rather than (L, N, features); states keep their order.
        dropout: probability of zeroing an output of every layer but the last, while training.
        bidirectional: whether every layer has a second half that runs from the end to the beginning.
        device, dtype: of the parameters.

    `forward(input, hx=None)` takes (L, N, input_size), (L, input_size) or a `PackedSequence`, and the initial state
    (num_layers * directions, N, hidden_size), zero if left out. It returns the outputs of the last layer, (L, N,
    directions * hidden_size), and the final states in the shape of the initial ones. Parameters have PyTorch's names
    (`weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, ..., `_reverse`) and start uniform on
    +-1/sqrt(hidden_size). Raises ShapeError for sizes that do not fit.

    >>> import ferrograd as fg
    >>> layer = fg.nn.RNN(3, 5, num_layers=2)
    >>> output, h = layer(fg.rand((7, 2, 3)))
    >>> output.shape, h.shape
    ((7, 2, 5), (2, 2, 5))
    """

    _op = staticmethod(F.rnn)
    _gates = 1

    def __init__(
        self,
        input_size: int | None = None,
        hidden_size: int | None = None,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: expected nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype)
        self.nonlinearity = nonlinearity
        self._options = {"nonlinearity": nonlinearity}


class LSTM(_Recurrent):
    """Long short-term memory through sequences, in one or more layers (Hochreiter and Schmidhuber 1997).

    i, f, o = sigmoid(W x_t + b + W' h_(t-1) + b'), g = tanh(...), c_t = f c_(t-1) + i g, h_t = o tanh(c_t);
    weights hold the gates in the order i, f, g, o.

    Args:
        input_size: features of the input; None finds it at the first call.
        hidden_size: features of the states h and c.
        num_layers: layers, each taking the outputs of the one below.
        bias: whether b_ih and b_hh are there.
        batch_first: whether batches are (N, L, features) rather than (L, N, features); states keep their order.
        dropout: probability of zeroing an output of every layer but the last, while training.
        bidirectional: whether every layer has a second half that runs from the end to the beginning.
        proj_size: if not 0, below hidden_size: h_t is weight_hr (o tanh c_t) of that many features (Sak et al. 2014).
        device, dtype: of the parameters.

    `forward(input, hx=None)` is that of `RNN`, with pairs of states: hx is (h0, c0), the result (output, (h_n, c_n)).
    Parameters and their initial values are named and made as in `RNN`; h and the outputs have proj_size features then,
    c has hidden_size.

    >>> import ferrograd as fg
    >>> layer = fg.nn.LSTM(3, 5, batch_first=True, bidirectional=True)
    >>> output, (h, c) = layer(fg.rand((2, 7, 3)))
    >>> output.shape, h.shape, c.shape
    ((2, 7, 10), (2, 2, 5), (2, 2, 5))
    """

    _op = staticmethod(F.lstm)
    _gates = 4
    _states = 2

    def __init__(
        self,
        input_size: int | None = None,
        hidden_size: int | None = None,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.proj_size = required_size(self, "proj_size", proj_size)
        if self.proj_size and self.proj_size >= required_size(self, "hidden_size", hidden_size):
            raise ValueError(f"LSTM: expected proj_size below hidden_size {hidden_size}, got {proj_size}")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype)

    def _run(
        self, x: Tensor, weights: list[Tensor], states: list[Tensor | None], lengths: Tensor | None, reverse: bool
    ) -> tuple[Tensor, list[Tensor]]:
        if not self.proj_size:
            return super()._run(x, weights, states, lengths, reverse)
        weight_ih, weight_hh, *biases, weight_hr = weights
        h0, c0 = states
        if h0 is not None:
            # No o tanh(c) stands behind a given h0: it comes in as features of the first step.
            first = 0 if not reverse else len(x) - 1 if lengths is None else lengths - 1
            is_first = _core.arange(len(x), device=x.device).unsqueeze(1) == first
            x = _core._concat([x, _core.where(is_first.unsqueeze(2), h0, _core.zeros_like(h0))], axis=-1)
            weight_ih = _core._concat([weight_ih, weight_hh], axis=1)
        # W' h = (W' weight_hr) (o tanh c): with the projection in the weight, one op goes through the sequence.
        y, (h, c) = super()._run(x, [weight_ih, weight_hh @ weight_hr, *biases], [None, c0], lengths, reverse)
        end = h @ weight_hr.mT if len(x) or h0 is None else h0
        return y @ weight_hr.mT, [end, c]


class GRU(_Recurrent):
    """Gated recurrent units through sequences, in one or more layers (Cho et al. 2014).

    r, z = sigmoid(W x_t + b + W' h_(t-1) + b'), n = tanh(W x_t + b + r (W' h_(t-1) + b')), h_t = (1 - z) n + z h_(t-1);
    weights hold the gates in the order r, z, n.

    Args:
        input_size: features of the input; None finds it at the first call.
        hidden_size: features of the state.
        num_layers: layers, each taking the outputs of the one below.
        bias: whether b_ih and b_hh are there.
        batch_first: whether batches are (N, L, features) rather than (L, N, features); states keep their order.
        dropout: probability of zeroing an output of every layer but the last, while training.
        bidirectional: whether every layer has a second half that runs from the end to the beginning.
        device, dtype: of the parameters.

    `forward(input, hx=None)`, parameters and their initial values are those of `RNN`.

    >>> import ferrograd as fg
    >>> output, h = fg.nn.GRU(3, 5)(fg.rand((7, 2, 3)))
    >>> output.shape, h.shape
    ((7, 2, 5), (1, 2, 5))
    """

    _op = staticmethod(F.gru)
    _gates = 3

    def __init__(
        self,
        input_size: int | None = None,
        hidden_size: int | None = None,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype)
