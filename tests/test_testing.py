"""The public test helpers: they accept what is right and refuse what is wrong."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.testing import assert_close, gradcheck, make_tensor


def test_assert_close_accepts_rounding():
    assert_close(fg.tensor([1.0, 2.0]), [1.0 + 1e-7, 2.0])
    assert_close(fg.tensor([1.0], dtype=fg.bfloat16), fg.tensor([1.01]))
    assert_close(np.array([np.nan, np.inf]), fg.tensor([np.nan, np.inf]))
    assert_close(fg.tensor([2**62 + 1]), np.array([2**62 + 1]))


@pytest.mark.parametrize(
    "actual, expected, message",
    [
        ([1.0, 2.0], [1.0, 2.1], r"1 of 2 elements differ .* worst is at \(1,\), expected 2.1, got 2.0"),
        ([1.0], [[1.0]], r"shapes differ, expected \(1, 1\), got \(1,\)"),
        ([float("nan")], [1.0], "1 of 1"),
        ([float("inf")], [float("-inf")], "1 of 1"),
        ([2**62 + 1], [2**62], "1 of 1"),
    ],
)
def test_assert_close_refuses(actual, expected, message):
    with pytest.raises(AssertionError, match=message):
        assert_close(actual, expected)


def test_assert_close_checks_the_dtype_when_asked():
    a, b = fg.zeros(2), fg.zeros(2, dtype=fg.float64)
    assert_close(a, b)
    with pytest.raises(AssertionError, match=r"expected float64, got float32"):
        assert_close(a, b, check_dtype=True)


def test_gradcheck_accepts_right_gradients_of_several_inputs_and_outputs():
    a = make_tensor(2, 3, dtype=fg.float64, requires_grad=True)
    b = make_tensor(3, dtype=fg.float64, seed=1, requires_grad=True)
    c = make_tensor(3, dtype=fg.float64, seed=2)
    assert gradcheck(lambda a, b, c: (a * b, fg.sin(b) + c), [a, b, c])
    assert a.grad is None


def test_gradcheck_refuses_a_wrong_gradient():
    x = make_tensor(3, dtype=fg.float64, requires_grad=True)
    with pytest.raises(AssertionError, match="the gradient of input 0 is wrong"):
        gradcheck(lambda x: x * x.detach(), x)


def test_gradcheck_wants_float64():
    with pytest.raises(ValueError, match="float64"):
        gradcheck(lambda x: x, make_tensor(2, requires_grad=True))


@pytest.mark.parametrize("dtype", [fg.bool, fg.int8, fg.uint64, fg.float16, fg.float64, fg.complex64], ids=str)
def test_make_tensor_is_seeded(dtype):
    first, second = make_tensor(50, dtype=dtype), make_tensor(50, dtype=dtype)
    assert first.dtype == dtype
    assert first.tolist() == second.tolist()
    assert first.tolist() != make_tensor(50, dtype=dtype, seed=1, high=2).tolist()
