"""Draws: shape and dtype from the driver, the distribution from moments and bounds. Every draw follows a fixed seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.compare import outputs, to_numpy
from op_table.row import Call, Row, Source, call, refuses

DRAWS = "a draw has no derivative"
COUNT = 20_000


def moments(mean: float, variance: float, low: float, high: float) -> Callable[[Any, Call], None]:
    """Bounds always; mean and variance of a large draw within five standard errors (variance: of a normal draw)."""

    def check(result: Any, example: Call) -> None:
        values = to_numpy(outputs(result)[0]).astype("float64")
        assert np.all((values >= low) & (values <= high))
        if values.size == COUNT:
            assert abs(values.mean() - mean) < 5 * np.sqrt(variance / COUNT)
            assert abs(values.var() - variance) < 5 * variance * np.sqrt(2 / COUNT)

    return check


def shape_cases(source: Source) -> Call:
    return call(source.choice((COUNT,), source.shape()))


def randint_cases(source: Source) -> Call:
    return call(0, 12, source.choice((COUNT,), source.shape()))


def permutation(result: Any, example: Call) -> None:
    np.testing.assert_array_equal(np.sort(to_numpy(result)), np.arange(example.args[0]))


def dropout_cases(source: Source) -> Call:
    x = source.array(source.shape(min_side=1), low=1, high=4, special=False)
    return call(x, source.choice(0.0, 0.5, 1.0), training=source.flag())


def kept_or_dropped(result: Any, example: Call) -> None:
    x, p = example.args
    values = to_numpy(result)
    if not example.kwargs["training"] or p == 0:
        np.testing.assert_array_equal(values, x)
        return
    kept = values != 0
    np.testing.assert_allclose(values[kept], x[kept].astype("float64") / (1 - p if p < 1 else 1), rtol=1e-2)
    assert p < 1 or not kept.any()


def shaped(shape: Any) -> np.ndarray:
    return np.zeros(shape, "float32")


ROWS = (
    Row(
        "rand",
        shaped,
        shape_cases,
        ("float32",),
        gradient=DRAWS,
        result="float32",
        check=moments(0.5, 1 / 12, 0, 1),
        refusals=(refuses("ValueError", "rand", (-1,)),),
    ),
    Row("randn", shaped, shape_cases, ("float32",), gradient=DRAWS, result="float32", check=moments(0, 1, -9, 9)),
    Row(
        "randint",
        lambda low, high, shape: np.zeros(shape, "int64"),
        randint_cases,
        ("float32",),
        gradient=DRAWS,
        result="int64",
        check=moments(5.5, 143 / 12, 0, 11),
        refusals=(refuses("ValueError", "randint", 5, 5, (2,)),),
    ),
    Row(
        "randperm",
        lambda n: np.zeros(n, "int64"),
        lambda source: call(source.integer(0, 50)),
        ("float32",),
        gradient=DRAWS,
        result="int64",
        check=permutation,
        refusals=(refuses("ValueError", "randperm", -1),),
    ),
    Row(
        "dropout",
        lambda x, p, training: x,
        dropout_cases,
        check=kept_or_dropped,
        smooth=lambda source: call(source.array(source.shape()), 0.5, training=False),
        refusals=(
            refuses("ValueError", "dropout", np.ones(2), 1.5),
            refuses("ValueError", "dropout", np.ones(2), -0.1),
        ),
    ),
)
