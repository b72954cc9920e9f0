"""Rprop and Lion against their formulas in float64."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import Lion, Rprop
from harness.trajectory import check, penalised


def rprop(p, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0), maximize=False):
    before, size = np.zeros_like(p), np.full_like(p, lr)
    while True:
        g = yield p
        g = penalised(g, p, maximize=maximize)
        turn = before * g
        size = np.clip(size * np.where(turn > 0, etas[1], np.where(turn < 0, etas[0], 1.0)), *step_sizes)
        g = np.where(turn < 0, 0.0, g)
        p, before = p - np.sign(g) * size, g


def lion(p, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, **penalties):
    m = 0.0
    while True:
        g = yield p
        g, p = penalised(g, p, **penalties), p * (1 - lr * weight_decay)
        p, m = p - lr * np.sign(betas[0] * m + (1 - betas[0]) * g), betas[1] * m + (1 - betas[1]) * g


CASES = [
    (Rprop, rprop, {}),
    (Rprop, rprop, {"lr": 0.1, "etas": (0.7, 1.5), "step_sizes": (0.05, 0.2)}),
    (Rprop, rprop, {"lr": 0.1, "maximize": True}),
    (Lion, lion, {"lr": 0.02}),
    (Lion, lion, {"lr": 0.02, "betas": (0.8, 0.7), "weight_decay": 0.5}),
    (Lion, lion, {"lr": 0.02, "maximize": True, "l1_decay": 0.1}),
]


@pytest.mark.parametrize("kind, formula, settings", CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_trajectory(kind, formula, settings):
    check(kind, formula, settings)


@pytest.mark.parametrize(
    "kind, settings, message",
    [
        (Rprop, {"etas": (1.1, 1.2)}, "etas must be a number below 1 and one above 1"),
        (Rprop, {"etas": (0.5, 0.9)}, "etas must be a number below 1 and one above 1"),
        (Lion, {"betas": (0.9, 1.0)}, "betas must be 2 numbers"),
    ],
)
def test_settings_that_make_no_sense(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind([fg.nn.Parameter(fg.zeros(1))], **settings)
