"""Clipping by norm and by value."""

import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import clip_factor, clip_grad_norm_, clip_grad_value_, get_total_norm


def parameters():
    made = []
    for values in ([[3.0, -4.0]], [12.0]):
        p = fg.nn.Parameter(fg.zeros(np.shape(values)))
        p.grad = fg.tensor(values)
        made.append(p)
    return [*made, fg.nn.Parameter(fg.zeros(2))]


@pytest.mark.parametrize("kind, norm", [(2.0, 13.0), (1.0, 19.0), (float("inf"), 12.0)])
def test_total_norm(kind, norm):
    assert get_total_norm([p.grad for p in parameters()[:2]], kind).item() == pytest.approx(norm, rel=1e-6)


def test_total_norm_of_doubles_is_a_double():
    gradients = [fg.tensor([1.0, 1.0], dtype=fg.float64), fg.tensor([1.0], dtype=fg.float32)]
    assert get_total_norm(gradients).dtype == fg.float64
    assert get_total_norm(gradients).item() == math.sqrt(3.0)
    assert get_total_norm(gradients[1:]).dtype == fg.float32


def test_norm_is_clipped_and_returned():
    params = parameters()
    assert clip_grad_norm_(params, 1.3).item() == pytest.approx(13.0)
    np.testing.assert_allclose(params[0].grad.numpy(), [[0.3, -0.4]], rtol=1e-6)
    np.testing.assert_allclose(params[1].grad.numpy(), [1.2], rtol=1e-6)
    assert params[2].grad is None


def test_small_gradients_stay():
    params = parameters()
    clip_grad_norm_(params, 100.0)
    assert params[1].grad.tolist() == [12.0]
    assert clip_grad_norm_([params[2]], 1.0).item() == 0.0


def test_a_norm_that_is_not_finite():
    p = parameters()[0]
    p.grad = fg.tensor([[math.inf, 1.0]])
    with pytest.raises(RuntimeError, match="not finite"):
        clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    p.grad = fg.tensor([[math.nan, 1.0]])
    with pytest.raises(RuntimeError, match="not finite"):
        clip_grad_norm_(p, 1.0, error_if_nonfinite=True)


def test_factor():
    assert clip_factor(0.5, 1.0) == 1.0
    assert clip_factor(4.0, 1.0) == 1 / (4 + 1e-6)


def test_value():
    params = parameters()
    clip_grad_value_(params, 3.5)
    assert [params[0].grad.tolist(), params[1].grad.tolist()] == [[[3.0, -3.5]], [3.5]]
