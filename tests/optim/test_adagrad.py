"""Adagrad, Adadelta and RMSprop against their formulas in float64."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import Adadelta, Adagrad, RMSprop
from harness.trajectory import check, penalised


def adagrad(p, lr, lr_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, **penalties):
    total, t = initial_accumulator_value, 0
    while True:
        g, t = (yield p), t + 1
        g = penalised(g, p, **penalties)
        total = total + g * g
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(total) + eps)


def adadelta(p, lr=1.0, rho=0.9, eps=1e-6, **penalties):
    v, u = 0.0, 0.0
    while True:
        g = yield p
        g = penalised(g, p, **penalties)
        v = rho * v + (1 - rho) * g * g
        step = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * step * step
        p = p - lr * step


def rmsprop(p, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0, centered=False, **penalties):
    v, mean, buffer = 0.0, 0.0, 0.0
    while True:
        g = yield p
        g = penalised(g, p, **penalties)
        v, mean = alpha * v + (1 - alpha) * g * g, alpha * mean + (1 - alpha) * g
        buffer = momentum * buffer + g / (np.sqrt(v - mean**2 if centered else v) + eps)
        p = p - lr * buffer


CASES = [
    (Adagrad, adagrad, {"lr": 0.1}),
    (Adagrad, adagrad, {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 1e-3}),
    (Adagrad, adagrad, {"lr": 0.1, "initial_accumulator_value": 0.5, "maximize": True, "l1_decay": 0.03}),
    (Adadelta, adadelta, {}),
    (Adadelta, adadelta, {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1}),
    (Adadelta, adadelta, {"lr": 2.0, "maximize": True, "l1_decay": 0.03}),
    (RMSprop, rmsprop, {}),
    (RMSprop, rmsprop, {"lr": 0.05, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    (RMSprop, rmsprop, {"lr": 0.02, "momentum": 0.9, "maximize": True}),
    (RMSprop, rmsprop, {"lr": 0.02, "centered": True, "alpha": 0.9, "eps": 1e-2, "l1_decay": 0.03}),
    (RMSprop, rmsprop, {"lr": 0.02, "centered": True, "alpha": 0.9, "eps": 1e-2, "momentum": 0.5}),
]


@pytest.mark.parametrize("kind, formula, settings", CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_trajectory(kind, formula, settings):
    check(kind, formula, settings)
    check(kind, formula, {"eps": 1e-3, **settings}, fg.float32, tolerance=2e-4)


def test_only_states_in_use_are_kept():
    parameter = fg.nn.Parameter(fg.zeros(2))
    parameter.grad = fg.ones(2)
    for settings, names in [({}, set()), ({"momentum": 0.5}, {"momentum_buffer"}), ({"centered": True}, {"grad_avg"})]:
        optimizer = RMSprop([parameter], **settings)
        optimizer.step()
        assert set(optimizer.state_dict()["state"][0]) == {"step", "square_avg", *names}


@pytest.mark.parametrize(
    "kind, settings, message",
    [
        (Adagrad, {"lr_decay": -0.1}, "lr_decay must not be negative"),
        (Adagrad, {"initial_accumulator_value": -0.1}, "initial_accumulator_value must not be negative"),
        (Adadelta, {"rho": 1.1}, "rho must be between 0 and 1, got 1.1"),
        (RMSprop, {"momentum": -1.0}, "momentum must not be negative"),
    ],
)
def test_settings_that_make_no_sense(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind([fg.nn.Parameter(fg.zeros(1))], **settings)
