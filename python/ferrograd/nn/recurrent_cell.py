"""Single steps of recurrent layers, for loops of your own."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, is_sized, uninitialized
from ferrograd.nn.sizes import build, required_size


class _Cell(Module):
    """What the cells share: parameters, and a sequence of one step."""

    _gates: ClassVar[int]
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int | None, hidden_size: int | None, bias: bool, device: Any, dtype: Any) -> None:
        self.hidden_size = required_size(self, "hidden_size", hidden_size)
        width = self._gates * self.hidden_size
        self.weight_ih = uninitialized((width, None), device, dtype)
        self.weight_hh = uninitialized((width, self.hidden_size), device, dtype)
        self.bias_ih = uninitialized((width,), device, dtype) if bias else None
        self.bias_hh = uninitialized((width,), device, dtype) if bias else None
        if input_size is not None:
            self._build(required_size(self, "input_size", input_size))

    @property
    def input_size(self) -> int | None:
        """Features of the input, None until it is known."""
        return self.weight_ih.shape[1] if is_sized(self.weight_ih) else None

    def _build(self, input_size: int) -> None:
        width = self._gates * self.hidden_size
        build(self, "weight_ih", (width, input_size))
        build(self, "weight_hh", (width, self.hidden_size))
        for name in ("bias_ih", "bias_hh") if self.bias_ih is not None else ():
            build(self, name, (width,))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters again, uniform on +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(max(self.hidden_size, 1))
        for parameter in self.parameters(recurse=False):
            init.uniform_(parameter, -bound, bound)

    def _step(self, input: Tensor, run: Any, states: list[Tensor | None], **options: Any) -> list[Tensor]:
        """The states after one step on (N, input_size) or (input_size,)."""
        if input.ndim not in (1, 2):
            expected = "(N, input_size) or (input_size,)"
            raise ShapeError(f"{type(self).__name__}: expected an input {expected}, got shape {tuple(input.shape)}")
        if not is_sized(self.weight_ih):
            self._build(input.shape[-1])
        if input.ndim == 1:
            rows = [None if state is None else _core.expand_dims(state) for state in states]
            return [state[0] for state in self._step(_core.expand_dims(input), run, rows, **options)]
        parameters = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        initial = dict(zip(("h0", "c0"), states, strict=False))
        return list(run(_core.expand_dims(input), *parameters, **initial, **options)[1:])

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias_ih is not None else ", bias=False")


class RNNCell(_Cell):
    """h' = act(W_ih x + b_ih + W_hh h + b_hh): one step of `RNN`.

    Args:
        input_size: features of the input; None finds it at the first call.
        hidden_size: features of the state.
        bias: whether b_ih and b_hh are there.
        nonlinearity: "tanh" or "relu".
        device, dtype: of the parameters.

    `forward(input, hx=None)` takes (N, input_size) or (input_size,) and the state (N, hidden_size), zero if left out;
    it returns the next state. Parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` start uniform on
    +-1/sqrt(hidden_size). Raises ShapeError for sizes that do not fit.

    >>> import ferrograd as fg
    >>> fg.nn.RNNCell(3, 5)(fg.rand((2, 3))).shape
    (2, 5)
    """

    _gates = 1

    def __init__(
        self,
        input_size: int | None = None,
        hidden_size: int | None = None,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: expected nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(input, F.rnn, [hx], nonlinearity=self.nonlinearity)[0]


class LSTMCell(_Cell):
    """One step of `LSTM`: (h, c) to (h', c').

    Args:
        input_size: features of the input; None finds it at the first call.
        hidden_size: features of the states.
        bias: whether b_ih and b_hh are there.
        device, dtype: of the parameters.

    `forward(input, hx=None)` is that of `RNNCell`, with a pair of states.

    >>> import ferrograd as fg
    >>> h, c = fg.nn.LSTMCell(3, 5)(fg.rand((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    _gates = 4

    def __init__(
        self,
        input_size: int | None = None,
        hidden_size: int | None = None,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        h, c = self._step(input, F.lstm, [None, None] if hx is None else list(hx))
        return h, c


class GRUCell(_Cell):
    """One step of `GRU`.

    Args:
        input_size: features of the input; None finds it at the first call.
        hidden_size: features of the state.
        bias: whether b_ih and b_hh are there.
        device, dtype: of the parameters.

    `forward(input, hx=None)` is that of `RNNCell`.

    >>> import ferrograd as fg
    >>> fg.nn.GRUCell(3, 5)(fg.rand((2, 3)), fg.zeros((2, 5))).shape
    (2, 5)
    """

    _gates = 3

    def __init__(
        self,
        input_size: int | None = None,
        hidden_size: int | None = None,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(input, F.gru, [hx])[0]
