"""Ways of writing a call that users bring along: sizes one by one, flags by position."""

from __future__ import annotations

import numpy as np
import pytest

import ferrograd as fg


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "rand", "randn"])
def test_sizes_come_one_by_one_or_together(name: str) -> None:
    make = getattr(fg, name)
    assert make(2, 3).shape == make((2, 3)).shape == make([2, 3]).shape == (2, 3)
    assert make(4).shape == (4,)
    assert make(4, 1, 28, 28, dtype=fg.float64).dtype == fg.float64
    with pytest.raises(ValueError, match=f"{name}: "):
        make(2, -3)
    with pytest.raises(TypeError, match=f"{name}: "):
        make(2, "3")
    with pytest.raises(TypeError, match=f"{name}: too many arguments"):
        make((2, 3), 4)


def test_functions_with_more_to_say_take_sizes_together() -> None:
    assert fg.full(2, 3).shape == (2,)
    with pytest.raises(TypeError, match="full: too many arguments"):
        fg.full(2, 3, 1.0)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "max", "min", "any", "all"])
def test_a_flag_by_position_is_no_axis(name: str) -> None:
    x = np.arange(1.0, 25.0).reshape(2, 3, 4) % 7
    method, expected = getattr(fg.asarray(x), name), getattr(x, name)
    np.testing.assert_allclose(method(0, True).numpy(), expected(0, keepdims=True))
    np.testing.assert_allclose(method((0, 1), True).numpy(), expected((0, 1), keepdims=True))
    np.testing.assert_allclose(method(0, 1).numpy(), expected((0, 1)))
    np.testing.assert_allclose(method(0, False).numpy(), expected(0))
