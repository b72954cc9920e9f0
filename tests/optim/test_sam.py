"""SAM against its formula, and as a wrapper."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import SAM, SGD, AdamW, StepLR


def setup(**settings):
    p = fg.nn.Parameter(fg.tensor([1.0, -2.0, 0.5], dtype=fg.float64))
    optimizer = SAM(SGD([p], lr=0.1), **settings)

    def closure():
        optimizer.zero_grad()
        loss = fg.sin(p * 2).sum()
        loss.backward()
        return loss

    return p, optimizer, closure


@pytest.mark.parametrize("adaptive", [False, True])
def test_trajectory(adaptive):
    p, optimizer, closure = setup(rho=0.3, adaptive=adaptive)
    x = p.detach().numpy().copy()
    for _ in range(10):
        g = 2 * np.cos(2 * x)
        measured, direction = (np.abs(x) * g, x * x * g) if adaptive else (g, g)
        there = x + 0.3 * direction / (np.linalg.norm(measured) + 1e-12)
        assert optimizer.step(closure).item() == pytest.approx(np.sin(2 * x).sum())
        x = x - 0.1 * 2 * np.cos(2 * there)
        np.testing.assert_allclose(p.detach().numpy(), x, rtol=1e-10)


def test_two_steps_by_hand_equal_the_closure():
    p, optimizer, closure = setup()
    q, by_hand, other = setup()
    optimizer.step(closure)
    other()
    by_hand.first_step(zero_grad=True)
    other()
    by_hand.second_step(zero_grad=True)
    assert p.tolist() == q.tolist()
    assert q.grad is None


def test_it_is_an_optimizer_for_schedules_and_checkpoints():
    p = fg.nn.Parameter(fg.ones(2))
    optimizer = SAM(AdamW([p], lr=1.0))
    StepLR(optimizer, 1, 0.5).step()
    assert optimizer.base_optimizer.param_groups[0]["lr"] == 0.5
    p.grad = fg.ones(2)
    optimizer.second_step()
    again = SAM(AdamW([p], lr=1.0))
    again.load_state_dict(optimizer.state_dict())
    assert again.state[p]["step"] == 1
    assert "SAM(rho=0.05" in repr(again)


def test_a_closure_that_fails_leaves_the_parameters():
    p, optimizer, closure = setup()
    before, calls = p.tolist(), []

    def failing():
        calls.append(p.tolist())
        if len(calls) == 2:
            raise FloatingPointError("no loss")
        return closure()

    with pytest.raises(FloatingPointError):
        optimizer.step(failing)
    assert calls[1] != before
    assert p.tolist() == before


def test_settings_that_make_no_sense():
    with pytest.raises(ValueError, match="rho"):
        setup(rho=-1.0)
    with pytest.raises(ValueError, match="needs a closure"):
        setup()[1].step()
