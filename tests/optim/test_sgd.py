"""SGD trajectories against the update formula in float64."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import SGD
from harness.trajectory import check, penalised

SETTINGS = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.05},
    {"lr": 0.05, "momentum": 0.9},
    {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"lr": 0.05, "momentum": 0.8, "dampening": 0.5},
    {"lr": 0.02, "maximize": True, "weight_decay": 0.1, "l1_decay": 0.03},
]


def sgd(p, lr, momentum=0.0, dampening=0.0, nesterov=False, **penalties):
    buffer = None
    while True:
        g = yield p
        g = penalised(g, p, **penalties)
        if momentum:
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        p = p - lr * g


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", [fg.float64, fg.float32], ids=str)
def test_trajectory(settings, dtype):
    check(SGD, sgd, settings, dtype)


def test_l1_decay_draws_values_to_zero():
    parameter = fg.nn.Parameter(fg.tensor([0.05, -2.0, 0.0]))
    optimizer = SGD([parameter], lr=0.1, l1_decay=1.0)
    for _ in range(10):
        parameter.grad = fg.zeros(3)
        optimizer.step()
    np.testing.assert_allclose(parameter.detach().numpy(), [0.05, -1.0, 0.0], atol=1e-6)


def test_state_is_the_momentum_buffer():
    parameter = fg.nn.Parameter(fg.ones(3))
    parameter.grad = fg.tensor([1.0, 2.0, 3.0])
    optimizer = SGD([parameter], lr=0.1, momentum=0.9, dampening=0.5)
    optimizer.step()
    assert optimizer.state_dict()["state"][0]["momentum_buffer"].tolist() == [1.0, 2.0, 3.0]
    optimizer = SGD([parameter], lr=0.1)
    optimizer.step()
    assert optimizer.state_dict()["state"] == {}


def test_a_value_read_before_the_step_stays():
    parameter = fg.nn.Parameter(fg.ones(3))
    before, view = parameter.detach(), parameter.detach().numpy()
    parameter.grad = fg.ones(3)
    SGD([parameter], lr=0.5).step()
    assert parameter.tolist() == [0.5] * 3
    assert before.tolist() == [1.0] * 3
    assert view.tolist() == [1.0] * 3


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"lr": -1.0}, "lr must not be negative"),
        ({"lr": float("nan")}, "lr must not be negative"),
        ({"momentum": -0.1}, "momentum must not be negative"),
        ({"nesterov": True}, "nesterov needs momentum"),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "nesterov needs momentum"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        SGD([fg.nn.Parameter(fg.zeros(1))], **settings)
