"""SGD trajectories against the update formula in float64."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import SGD

SETTINGS = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.05},
    {"lr": 0.05, "momentum": 0.9},
    {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"lr": 0.05, "momentum": 0.8, "dampening": 0.5},
    {"lr": 0.02, "maximize": True, "weight_decay": 0.1},
]


def gradient(p, scale):
    """Of sum(scale * sin(p))."""
    return scale * np.cos(p)


def reference(p, scale, steps, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):
    buffer = None
    for _ in range(steps):
        g = gradient(p, scale) * (-1 if maximize else 1) + weight_decay * p
        if momentum:
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        p = p - lr * g
    return p


def train(parameters, scales, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        sum((fg.sin(p) * s).sum() for p, s in zip(parameters, scales, strict=True)).backward()
        optimizer.step()


def problem(dtype):
    shapes = [(3, 4), (5,), ()]
    starts = [fg.testing.make_tensor(*s, seed=i, dtype=dtype) for i, s in enumerate(shapes)]
    scales = [fg.testing.make_tensor(*s, seed=9 + i, dtype=dtype) for i, s in enumerate(shapes)]
    return [fg.nn.Parameter(s) for s in starts], scales


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype, tolerance", [(fg.float64, 1e-12), (fg.float32, 1e-5)])
def test_trajectory(settings, dtype, tolerance):
    parameters, scales = problem(dtype)
    starts = [p.detach().numpy().astype(np.float64) for p in parameters]
    train(parameters, scales, SGD(parameters, **settings), 20)
    for parameter, start, scale in zip(parameters, starts, scales, strict=True):
        expected = reference(start, scale.numpy().astype(np.float64), 20, **settings)
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=tolerance, atol=tolerance)


def test_state_is_the_momentum_buffer():
    parameters, scales = problem(fg.float64)
    optimizer = SGD(parameters, lr=0.1, momentum=0.9)
    start = parameters[0].detach().numpy()
    train(parameters, scales, optimizer, 1)
    state = optimizer.state_dict()["state"]
    assert list(state) == [0, 1, 2]
    np.testing.assert_allclose(state[0]["momentum_buffer"].numpy(), gradient(start, scales[0].numpy()), rtol=1e-12)
    assert SGD(parameters, lr=0.1).state_dict()["state"] == {}


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
