"""Groups, state, closures: what all optimizers share."""

import copy

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import SGD, Adam, AdamW


def parameter(*values):
    return fg.nn.Parameter(fg.tensor(list(values), dtype=fg.float64))


def test_groups_have_their_own_settings():
    a, b = parameter(1.0), parameter(1.0)
    optimizer = SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    a.grad = b.grad = fg.ones(1, dtype=fg.float64)
    optimizer.step()
    assert (a.item(), b.item()) == (0.9, 0.5)


def test_a_group_added_later_is_trained():
    a, b = parameter(1.0), parameter(1.0)
    optimizer = SGD([a], lr=0.5)
    optimizer.add_param_group({"params": [b]})
    b.grad = fg.ones(1, dtype=fg.float64)
    optimizer.step()
    assert (a.item(), b.item()) == (1.0, 0.5)


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda p: SGD([]), ValueError, "empty"),
        (lambda p: SGD([p, p]), ValueError, "given twice"),
        (lambda p: SGD(p), TypeError, "iterable of tensors"),
        (lambda p: SGD([p * 2]), ValueError, "leaf"),
        (lambda p: SGD(["w"]), TypeError, "expected tensors"),
        (lambda p: SGD([{"params": [p], "momentun": 0.9}]), ValueError, "momentun"),
        (lambda p: SGD([{"lr": 0.1}]), TypeError, "'params'"),
    ],
)
def test_wrong_parameters(make, error, message):
    with pytest.raises(error, match=message):
        make(parameter(1.0))


def test_parameters_without_gradient_stay():
    a, b = parameter(1.0), parameter(2.0)
    a.grad = fg.ones(1, dtype=fg.float64)
    optimizer = Adam([a, b], lr=0.1)
    optimizer.step()
    assert b.item() == 2.0
    assert b not in optimizer.state


def test_zero_grad():
    a = parameter(1.0)
    a.grad = fg.ones(1, dtype=fg.float64)
    optimizer = SGD([a])
    optimizer.zero_grad(set_to_none=False)
    assert a.grad.tolist() == [0.0]
    optimizer.zero_grad()
    assert a.grad is None


def test_closure_runs_with_gradients_and_its_loss_is_returned():
    a = parameter(3.0)
    optimizer = SGD([a], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (a * a).sum()
        loss.backward()
        return loss

    with fg.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert a.item() == 0.0


@pytest.mark.parametrize("kind", [SGD, AdamW])
def test_grad_scale_equals_scaled_gradients(kind):
    a, b = parameter(1.0, -2.0), parameter(1.0, -2.0)
    gradient = fg.tensor([0.5, 3.0], dtype=fg.float64)
    a.grad, b.grad = gradient, gradient * 0.125
    kind([a], lr=0.1, weight_decay=0.1).step(grad_scale=0.125)
    kind([b], lr=0.1, weight_decay=0.1).step()
    assert a.tolist() == b.tolist()


def run(optimizer, p, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        fg.sin(p).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("make", [lambda ps: SGD(ps, lr=0.1, momentum=0.9), lambda ps: AdamW(ps, lr=0.1)])
def test_a_loaded_state_goes_on_with_the_same_bits(make):
    whole = parameter(1.0, 0.3, -0.2)
    optimizer = make([whole])
    run(optimizer, whole, 10)

    first = parameter(1.0, 0.3, -0.2)
    optimizer = make([first])
    run(optimizer, first, 4)
    state = copy.deepcopy(optimizer.state_dict())
    second = fg.nn.Parameter(first)
    optimizer = make([second])
    optimizer.load_state_dict(state)
    run(optimizer, second, 6)
    assert second.tolist() == whole.tolist()


def test_state_dict_layout_is_pytorchs():
    a, b = parameter(1.0), parameter(2.0)
    optimizer = AdamW([{"params": [a]}, {"params": [b], "lr": 0.5}])
    a.grad = b.grad = fg.ones(1, dtype=fg.float64)
    optimizer.step()
    state = optimizer.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0], [1]]
    assert state["param_groups"][1]["lr"] == 0.5
    assert set(state["state"][1]) == {"step", "exp_avg", "exp_avg_sq"}
    saved = state["state"][0]["exp_avg"].tolist()
    optimizer.step()
    assert state["state"][0]["exp_avg"].tolist() == saved


def test_a_state_that_does_not_fit_changes_nothing():
    a = parameter(1.0)
    optimizer = SGD([a], lr=0.1, momentum=0.9)
    a.grad = fg.ones(1, dtype=fg.float64)
    optimizer.step()
    state = optimizer.state_dict()
    wrong = copy.deepcopy(state)
    wrong["state"][0]["momentum_buffer"] = fg.zeros(7)
    with pytest.raises(ValueError, match=r"wrong shape, expected \(1,\), got \(7,\)"):
        optimizer.load_state_dict(wrong)
    with pytest.raises(ValueError, match=r"sizes \[1\], got \[2\]"):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]})
    np.testing.assert_array_equal(optimizer.state[a]["momentum_buffer"].numpy(), [1.0])


def test_repr():
    assert repr(SGD([parameter(1.0)], lr=0.5)).splitlines()[1].startswith("  group 0: 1 parameters, lr=0.5")
