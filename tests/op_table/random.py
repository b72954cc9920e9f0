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


def channel_cases(dims: int) -> Callable[[Source], Call]:
    def cases(source: Source) -> Call:
        x = source.array((2, 3, *(source.integer(1, 3) for _ in range(dims))), low=1, high=4, special=False)
        return call(x, source.choice(0.0, 0.5, 1.0), training=source.flag())

    return cases


def whole_channels(result: Any, example: Call) -> None:
    kept_or_dropped(result, example)
    values = to_numpy(result)
    kept = values.reshape(*values.shape[:2], -1) != 0
    assert np.array_equal(kept.all(-1), kept.any(-1))


def alpha_cases(source: Source) -> Call:
    return call(source.array((COUNT,), low=-1, high=1, special=False), 0.3, training=True)


def self_normalising(result: Any, example: Call) -> None:
    """Mean and variance stay what they were."""
    x, values = example.args[0].astype("float64"), to_numpy(result).astype("float64")
    spread = 5 * np.sqrt(values.var() / COUNT)
    assert abs(values.mean() - x.mean() * (1 - example.args[1])) < spread + abs(x.mean())


def bernoulli_cases(source: Source) -> Call:
    return call(np.full(source.choice((COUNT,), source.shape()), 0.3, "float32"))


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
        "bernoulli",
        lambda p: p,
        bernoulli_cases,
        ("float32",),
        gradient=DRAWS,
        check=moments(0.3, 0.21, 0, 1),
    ),
    Row("alpha_dropout", lambda x, p, training: x, alpha_cases, ("float32",), gradient=DRAWS, check=self_normalising),
    *(
        Row(
            f"dropout{dims}d",
            lambda x, p, training: x,
            channel_cases(dims),
            check=whole_channels,
            smooth=lambda source: call(source.array((2, 3, 2)), 0.5, training=False),
        )
        for dims in (1, 2, 3)
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
