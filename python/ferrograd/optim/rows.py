"""Gradients that are zero but for a few rows, as lookups leave them: read and changed without making the zeros."""

from __future__ import annotations

from collections.abc import Callable

from ferrograd._core import Tensor


def held_gradient(parameter: Tensor) -> Tensor | None:
    """All of a gradient that may differ from zero: its rows (k, ...) where it is kept as rows, else the whole."""
    rows = parameter._row_grad()
    return parameter.grad if rows is None else rows[1]


def change_gradient(parameter: Tensor, body: Callable[[Tensor], Tensor]) -> None:
    """Replace a gradient, where there is one, by what `body`, which keeps zeros, makes of it."""
    rows = parameter._row_grad()
    if rows is not None:
        index, values = rows
        parameter._set_row_grad(index, body(values))
    elif parameter.grad is not None:
        parameter.grad = body(parameter.grad)
