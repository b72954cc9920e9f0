"""The compiled step behind the optimizers: what it refuses, and that it then changes nothing."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import _core

NUMBERS = {"lr": 1.0, "momentum": 0.0, "keep": 1.0, "nesterov": 0.0}


def step(p, g, states=((),), rule="sgd", numbers=NUMBERS):
    _core.fused_step(rule, [p], [g], states, numbers)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"rule": "descent"}, ValueError, 'unknown rule, expected one of sgd, rprop, .*, got "descent"'),
        ({"numbers": {"lr": 1.0}}, ValueError, "sgd: the number momentum is missing"),
        ({"numbers": {**NUMBERS, "beta": 1.0}}, ValueError, "sgd: unknown number, .*, got beta"),
        ({"numbers": {**NUMBERS, "lr": "1"}}, TypeError, "numbers has the wrong type, expected a float"),
        ({"numbers": [1.0]}, TypeError, "numbers has the wrong type, expected a dict"),
        ({"states": ()}, ValueError, r"sgd: expected 1 lists of states \(momentum_buffer\), got 0"),
        ({"states": ((fg.zeros(3),),)}, fg.ShapeError, "momentum_buffer 0 does not fit its parameter"),
        ({"g": fg.zeros(2, dtype=fg.float64)}, fg.ShapeError, r"gradient 0 .* expected float32 \(2,\).*float64"),
        ({"p": fg.zeros(2, dtype=fg.int64)}, fg.DTypeError, "expected a real floating-point type, got int64"),
    ],
)
def test_what_does_not_fit(change, error, message):
    arguments = {"p": fg.ones(2), "g": fg.ones(2), **change}
    before = arguments["p"].tolist()
    with pytest.raises(error, match=message):
        step(**arguments)
    assert arguments["p"].tolist() == before


def test_one_tensor_in_two_places():
    p = fg.ones(2)
    with pytest.raises(ValueError, match="listed twice"):
        step(p, fg.ones(2), states=((p,),))


def test_many_parts_and_threads_give_the_same_bits():
    start, gradient = fg.testing.make_tensor(70_001), fg.testing.make_tensor(70_001, seed=1)
    outcomes = []
    threads = fg.get_num_threads()
    try:
        for count in (1, 2):
            fg.set_num_threads(count)
            p, state = fg.nn.Parameter(start), fg.zeros(70_001)
            for _ in range(3):
                step(p, gradient, [[state]], numbers={**NUMBERS, "momentum": 0.9})
            outcomes.append(p.detach().numpy())
    finally:
        fg.set_num_threads(threads)
    np.testing.assert_array_equal(*outcomes)


@pytest.mark.parametrize("dtype", [fg.float16, fg.bfloat16], ids=str)
def test_halves_are_computed_in_float32_and_rounded_once(dtype):
    p, g = fg.testing.make_tensor(999, dtype=dtype), fg.testing.make_tensor(999, seed=1, dtype=dtype)
    exact = p.astype(fg.float32) - 0.1 * g.astype(fg.float32)
    step(p, g, numbers={**NUMBERS, "lr": 0.1})
    np.testing.assert_array_equal(p.astype(fg.float32).numpy(), exact.astype(dtype).astype(fg.float32).numpy())
