"""Recurrent layers over whole sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_table.row import Call, Row, Source, call, refuses

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))


def lstm_cell(own: np.ndarray, carried: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    i, f, g, o = np.split(own + carried, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_cell(own: np.ndarray, carried: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    (own_r, own_z, own_n), (r, z, n) = np.split(own, 3), np.split(carried, 3)
    r, z = sigmoid(own_r + r), sigmoid(own_z + z)
    return (1 - z) * np.tanh(own_n + r * n) + z * h, c


def plain_cell(own: np.ndarray, carried: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.tanh(own + carried), c


def relu_cell(own: np.ndarray, carried: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(own + carried, 0), c


def layer(cell: Any, x: np.ndarray, w_ih: np.ndarray, w_hh: np.ndarray, *rest: Any, **options: Any) -> list[np.ndarray]:
    """The outputs and the final h and c, one row of the batch after the other."""
    b_ih, b_hh = rest or (0, 0)
    (steps, batch, _), hidden = x.shape, w_hh.shape[1]
    y = np.zeros((steps, batch, hidden))
    h, c = (
        np.zeros((batch, hidden)) if options.get(name) is None else np.array(options[name], float)
        for name in ("h0", "c0")
    )
    lengths = options.get("lengths")
    for row in range(batch):
        times = range(steps if lengths is None else int(lengths[row]))
        for t in reversed(times) if options.get("reverse") else times:
            h[row], c[row] = cell(w_ih @ x[t, row] + b_ih, w_hh @ h[row] + b_hh, h[row], c[row])
            y[t, row] = h[row]
    return [y, h, c]


def lstm(*args: Any, **options: Any) -> tuple[np.ndarray, ...]:
    return tuple(layer(lstm_cell, *args, **options))


def gru(*args: Any, **options: Any) -> tuple[np.ndarray, ...]:
    return tuple(layer(gru_cell, *args, **options)[:2])


def rnn(*args: Any, nonlinearity: str = "tanh", **options: Any) -> tuple[np.ndarray, ...]:
    return tuple(layer(plain_cell if nonlinearity == "tanh" else relu_cell, *args, **options)[:2])


def cases(name: str) -> Any:
    def drawn(source: Source) -> Call:
        steps, batch, width, hidden = (source.integer(1, most) for most in (5, 3, 4, 4))
        wide = GATES[name] * hidden

        def array(*shape: int) -> np.ndarray:
            return source.array(shape, low=-1, high=1, special=False)

        args = [array(steps, batch, width), array(wide, width), array(wide, hidden)]
        if source.flag():
            args += [array(wide), array(wide)]
        options: dict[str, Any] = {"reverse": source.flag()}
        for state in ("h0", "c0") if name == "lstm" else ("h0",):
            if source.flag():
                options[state] = array(batch, hidden)
        if source.flag():
            options["lengths"] = source.indices((batch,), steps + 1)
        if name == "rnn" and not source.smooth:
            options["nonlinearity"] = source.choice("tanh", "relu")
        return call(*args, **options)

    return drawn


X = np.ones((3, 2, 4))


def row(name: str, reference: Any, *refusals: Any) -> Row:
    wide = 5 * GATES[name]
    w_ih, w_hh = np.ones((wide, 4)), np.ones((wide, 5))
    common = (
        refuses("ShapeError", f"{name}: expected an input", np.ones((3, 4)), w_ih, w_hh),
        refuses("ShapeError", f"{name}: weight_ih", np.ones((3, 2, 3)), w_ih, w_hh),
        refuses("ShapeError", f"{name}: expected weight_hh", X, w_ih, np.ones((7, 5))),
        refuses("ShapeError", f"{name}: h0", X, w_ih, w_hh, h0=np.ones((1, 5))),
        refuses("ValueError", f"{name}: expected lengths", X, w_ih, w_hh, lengths=np.array([1, 4])),
    )
    return Row(name, reference, cases(name), slack=64, refusals=(*common, *refusals))


ROWS = (
    row("lstm", lstm, refuses("ShapeError", "lstm: c0", X, np.ones((20, 4)), np.ones((20, 5)), c0=np.ones((2, 4)))),
    row("gru", gru),
    row(
        "rnn",
        rnn,
        refuses("ValueError", "rnn: unknown nonlinearity", X, np.ones((5, 4)), np.ones((5, 5)), nonlinearity="sigmoid"),
    ),
)
