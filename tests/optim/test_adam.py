"""Adam and its relatives against their formulas in float64."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import Adam, Adamax, AdamW, NAdam, RAdam
from harness.trajectory import check, penalised

COMMON = [
    {"lr": 0.05},
    {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3},
    {"lr": 0.05, "weight_decay": 0.1},
    {"lr": 0.02, "maximize": True, "l1_decay": 0.03},
]
DTYPES = [fg.float64, fg.float32]


def adam(
    p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, decoupled_weight_decay=False, **penalties
):
    (b1, b2), m, v, largest, t = betas, 0.0, 0.0, 0.0, 0
    while True:
        g, t = (yield p), t + 1
        g = penalised(g, p, 0.0 if decoupled_weight_decay else weight_decay, **penalties)
        p = p * (1 - lr * weight_decay) if decoupled_weight_decay else p
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        largest = np.maximum(largest, v)
        root = np.sqrt((largest if amsgrad else v) / (1 - b2**t))
        p = p - lr * (m / (1 - b1**t)) / (root + eps)


def adamw(p, weight_decay=0.01, **settings):
    return adam(p, weight_decay=weight_decay, decoupled_weight_decay=True, **settings)


def adamax(p, lr, betas=(0.9, 0.999), eps=1e-8, **penalties):
    (b1, b2), m, u, t = betas, 0.0, 0.0, 0
    while True:
        g, t = (yield p), t + 1
        g = penalised(g, p, **penalties)
        m, u = b1 * m + (1 - b1) * g, np.maximum(b2 * u, np.abs(g) + eps)
        p = p - lr / (1 - b1**t) * m / u


def nadam(
    p,
    lr,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    momentum_decay=4e-3,
    decoupled_weight_decay=False,
    **penalties,
):
    (b1, b2), m, v, t, product = betas, 0.0, 0.0, 0, 1.0
    while True:
        g, t = (yield p), t + 1
        g = penalised(g, p, 0.0 if decoupled_weight_decay else weight_decay, **penalties)
        p = p * (1 - lr * weight_decay) if decoupled_weight_decay else p
        mu, mu_next = (b1 * (1 - 0.5 * 0.96 ** (s * momentum_decay)) for s in (t, t + 1))
        product *= mu
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        root = np.sqrt(v / (1 - b2**t)) + eps
        p = p - lr * (1 - mu) / (1 - product) * g / root - lr * mu_next / (1 - product * mu_next) * m / root


def radam(p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled_weight_decay=False, **penalties):
    (b1, b2), m, v, t = betas, 0.0, 0.0, 0
    longest = 2 / (1 - b2) - 1
    while True:
        g, t = (yield p), t + 1
        g = penalised(g, p, 0.0 if decoupled_weight_decay else weight_decay, **penalties)
        p = p * (1 - lr * weight_decay) if decoupled_weight_decay else p
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        length = longest - 2 * t * b2**t / (1 - b2**t)
        step = m / (1 - b1**t)
        if length > 5:
            rectified = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            step = step * np.sqrt(rectified) * np.sqrt(1 - b2**t) / (np.sqrt(v) + eps)
        p = p - lr * step


DECOUPLED = {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}
FORMULAS = [(Adam, adam), (AdamW, adamw), (Adamax, adamax), (NAdam, nadam), (RAdam, radam)]
CASES = [
    *((kind, formula, settings) for kind, formula in FORMULAS for settings in COMMON),
    *((kind, formula, DECOUPLED) for kind, formula in [(Adam, adam), (NAdam, nadam), (RAdam, radam)]),
    (Adam, adam, {"lr": 0.05, "amsgrad": True, "betas": (0.8, 0.6)}),
    (AdamW, adamw, {"lr": 0.05, "amsgrad": True, "betas": (0.8, 0.6)}),
    (NAdam, nadam, {"lr": 0.05, "momentum_decay": 0.5}),
    (RAdam, radam, {"lr": 0.05, "betas": (0.9, 0.5)}),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind, formula, settings", CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_trajectory(kind, formula, settings, dtype):
    check(kind, formula, settings, dtype)


def test_defaults_are_pytorchs():
    parameter = fg.nn.Parameter(fg.zeros(1))

    def defaults(kind):
        return kind([parameter]).defaults

    shared = {"betas": (0.9, 0.999), "eps": 1e-8, "maximize": False}
    for kind, lr, decay in [
        (Adam, 1e-3, 0.0),
        (AdamW, 1e-3, 0.01),
        (Adamax, 2e-3, 0.0),
        (NAdam, 2e-3, 0.0),
        (RAdam, 1e-3, 0.0),
    ]:
        assert {**shared, "lr": lr, "weight_decay": decay}.items() <= defaults(kind).items()
    assert defaults(NAdam)["momentum_decay"] == 4e-3


def test_parameters_that_join_late_count_their_own_steps():
    early, late = fg.nn.Parameter(fg.zeros(2)), fg.nn.Parameter(fg.zeros(2))
    optimizer = Adam([early, late], lr=0.1)
    early.grad = fg.ones(2)
    optimizer.step()
    late.grad = fg.ones(2)
    optimizer.step()
    assert [optimizer.state[p]["step"] for p in (early, late)] == [2, 1]
    # The first step of Adam is lr, whatever the gradient's size.
    np.testing.assert_allclose(late.detach().numpy(), [-0.1, -0.1], rtol=1e-6)


@pytest.mark.parametrize("kind", [Adam, AdamW, Adamax, NAdam, RAdam])
@pytest.mark.parametrize(
    "settings, message",
    [
        ({"betas": (1.0, 0.9)}, r"betas must be 2 numbers in \[0, 1\)"),
        ({"betas": (0.9,)}, "betas must be 2 numbers"),
        ({"eps": -1e-8}, "eps must not be negative"),
        ({"lr": -1e-3}, "lr must not be negative"),
        ({"l1_decay": -1e-3}, "l1_decay must not be negative"),
    ],
)
def test_settings_that_make_no_sense(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind([fg.nn.Parameter(fg.zeros(1))], **settings)
