"""Every differentiable row against central finite differences in double precision, with a random cotangent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ferrograd as fg
from harness import calls, compare, dtypes
from harness.floors import count
from harness.layouts import LAYOUTS, Placed
from op_table import ROWS
from op_table.row import Call, Row

STEP = 1e-6
DIRECTIONS = 3
DIFFERENTIABLE = [pytest.param(row, id=name) for name, row in ROWS.items() if row.gradient is True]
WITHOUT = [pytest.param(row, id=name) for name, row in ROWS.items() if row.gradient is not True]


class Scalar:
    """The op as one number: the sum of its floating outputs, each times a fixed random cotangent."""

    def __init__(self, row: Row, example: Call, random: np.random.Generator) -> None:
        self.row, self.example, self.random = row, example, random
        self.cotangents: list[Any] = []

    def __call__(self, leaves: list[Any]) -> Any:
        remaining = iter(leaves)

        def argument(value: Any) -> Any:
            return value.view(fg, next(remaining)) if is_variable(value) else value

        arguments = calls.for_op(fg, calls.mapped(self.example, argument), "float64")
        function = self.row.function(fg)
        if self.row.around:
            function = self.row.around(fg, function)
        floating = [out for out in compare.outputs(function(*arguments.args, **arguments.kwargs)) if is_real(out)]
        if not self.cotangents:
            self.cotangents = [fg.asarray(self.random.normal(size=out.shape)) for out in floating]
        terms = [fg.sum(out * cotangent) for out, cotangent in zip(floating, self.cotangents, strict=True)]
        return sum(terms, fg.asarray(np.zeros(())))

    def value(self, leaves: list[np.ndarray]) -> float:
        with fg.no_grad():
            return float(self([fg.asarray(leaf) for leaf in leaves]))

    def gradients(self, leaves: list[np.ndarray]) -> list[np.ndarray]:
        tensors = [fg.tensor(leaf, requires_grad=True) for leaf in leaves]
        total = self(tensors)
        if not total.requires_grad:  # rounded to integers, or to the power of zero
            return [np.zeros(leaf.shape) for leaf in leaves]
        total.backward()
        return [gradient_of(tensor, leaf) for tensor, leaf in zip(tensors, leaves, strict=True)]


def placements(example: Call) -> list[Placed]:
    found: list[Placed] = []
    calls.mapped(example, lambda value: found.append(value) if is_variable(value) else None)
    return found


def is_variable(value: Any) -> bool:
    return isinstance(value, Placed) and value.leaf.dtype == np.float64


def variables(row: Row, example: Call, layout: str) -> Call:
    """The call with every array that is differentiated as a `Placed`."""
    laid, values = calls.placed(example, row, layout)
    kept = {
        place: values.args[place] if isinstance(place, int) else values.kwargs.get(place) for place in row.constants
    }
    args = tuple(kept.get(place, value) for place, value in enumerate(laid.args))
    return Call(args, {name: kept.get(name, value) for name, value in laid.kwargs.items()})


def is_real(out: Any) -> bool:
    return compare.dtype_name(out) in dtypes.FLOATS


def gradient_of(tensor: Any, leaf: np.ndarray) -> np.ndarray:
    assert tensor.grad is not None, "an argument got no gradient"
    gradient = compare.to_numpy(tensor.grad)
    assert gradient.shape == leaf.shape
    return gradient


def slope(function: Any, leaves: list[np.ndarray], direction: list[np.ndarray]) -> float:
    ahead = [np.asarray(leaf + STEP * d) for leaf, d in zip(leaves, direction, strict=True)]
    behind = [np.asarray(leaf - STEP * d) for leaf, d in zip(leaves, direction, strict=True)]
    return float((function(ahead) - function(behind)) / (2 * STEP))


def inner(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    return float(sum(np.sum(a * b) for a, b in zip(first, second, strict=True)))


def directions(leaves: list[np.ndarray], random: np.random.Generator) -> list[list[np.ndarray]]:
    """NaN marks the gaps of a sliced leaf: it moves nowhere."""
    return [
        [np.where(np.isnan(leaf), 0.0, random.normal(size=leaf.shape)) for leaf in leaves] for _ in range(DIRECTIONS)
    ]


@pytest.mark.parametrize("row", DIFFERENTIABLE)
@given(data=st.data())
def test_gradient_is_the_slope(row: Row, data: st.DataObject) -> None:
    example = data.draw(calls.calls(row, "float64", smooth=True))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    for layout in LAYOUTS:
        scalar = Scalar(row, variables(row, example, layout), random)
        leaves = [each.leaf for each in placements(scalar.example)]
        gradients = scalar.gradients(leaves)
        for direction in directions(leaves, random):
            measured, claimed = slope(scalar.value, leaves, direction), inner(gradients, direction)
            scale = 1 + inner([np.abs(g) for g in gradients], [np.abs(d) for d in direction])
            assert abs(measured - claimed) < 1e-6 * scale, f"{row.name}, {layout}: {claimed} for {measured}; {example}"
        count("gradient")


@pytest.mark.parametrize("row", DIFFERENTIABLE)
@given(data=st.data())
def test_second_derivative_is_right_or_refused(row: Row, data: st.DataObject) -> None:
    example = data.draw(calls.calls(row, "float64", smooth=True))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    scalar = Scalar(row, variables(row, example, "contiguous"), random)
    leaves = [each.leaf for each in placements(scalar.example)]
    weights = [random.normal(size=leaf.shape) for leaf in leaves]
    tensors = [fg.tensor(leaf, requires_grad=True) for leaf in leaves]
    try:
        total = scalar(tensors)
        if not total.requires_grad:
            return
        total.backward(create_graph=True)
        first = [tensor.grad for tensor in tensors]
        for tensor in tensors:
            tensor.grad = None
        terms = [fg.sum(grad * fg.asarray(weight)) for grad, weight in zip(first, weights, strict=True)]
        total = sum(terms[1:], terms[0])
        if total.requires_grad:
            total.backward()
    except fg.GradError as error:
        if row.name.split(".")[-1] not in str(error):
            raise
        return
    second = [
        np.zeros(leaf.shape) if t.grad is None else gradient_of(t, leaf)
        for t, leaf in zip(tensors, leaves, strict=True)
    ]
    for direction in directions(leaves, random):
        measured = slope(lambda at: inner(scalar.gradients(at), weights), leaves, direction)
        claimed = inner(second, direction)
        scale = 1 + inner([np.abs(g) for g in second], [np.abs(d) for d in direction])
        assert abs(measured - claimed) < 1e-5 * scale, f"{row.name}: {claimed} for {measured}; {example}"
    count("second derivative")


@pytest.mark.parametrize("row", WITHOUT)
def test_what_has_no_gradient_says_why(row: Row) -> None:
    assert isinstance(row.gradient, str)
    assert len(row.gradient) > 5


@pytest.mark.parametrize("dtype", dtypes.COMPLEX)
def test_complex_gradients_are_refused(dtype: str) -> None:
    with pytest.raises(fg.DTypeError, match="complex"):
        fg.asarray(np.ones(2, dtype)).requires_grad = True
    with pytest.raises(fg.DTypeError, match="complex"):
        fg.tensor(np.ones(2, dtype), requires_grad=True)
