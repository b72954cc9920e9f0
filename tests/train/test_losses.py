"""Losses by name equal their formulas, and take targets as programs have them."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import plugins
from ferrograd.train import losses
from ferrograd.train.logits import logits_of, remember_logits

RNG = np.random.default_rng(0)
Z, Y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
P, Q = (np.exp(a) / np.exp(a).sum(axis=1, keepdims=True) for a in (Z, Y))
BITS = (Y > 0).astype(float)
SIGNS = 2 * BITS - 1
RIGHT, SURE = Z[range(5), [0, 1, 2, 0, 1]], P[range(5), [0, 1, 2, 0, 1]]
WRONG = np.where(np.eye(3)[[0, 1, 2, 0, 1]] == 1, 0.0, Z)  # the right class takes part as a zero, as in Keras

ROWS = {
    "mse": (Z, Y, ((Z - Y) ** 2).mean()),
    "mean_absolute_error": (Z, Y, np.abs(Z - Y).mean()),
    "huber": (Z, Y, np.where(np.abs(Z - Y) < 1, 0.5 * (Z - Y) ** 2, np.abs(Z - Y) - 0.5).mean()),
    "smooth_l1": (Z, Y, np.where(np.abs(Z - Y) < 1, 0.5 * (Z - Y) ** 2, np.abs(Z - Y) - 0.5).mean()),
    "log_cosh": (Z, Y, np.log(np.cosh(Z - Y)).mean()),
    "mape": (Z, Y, (100 * np.abs((Y - Z) / Y)).mean()),
    "mean_squared_logarithmic_error": (P, Q, ((np.log1p(P) - np.log1p(Q)) ** 2).mean()),
    "hinge": (Z, SIGNS, np.maximum(0, 1 - SIGNS * Z).mean()),
    "squared_hinge": (Z, SIGNS, (np.maximum(0, 1 - SIGNS * Z) ** 2).mean()),
    "categorical_hinge": (Z, np.array([0, 1, 2, 0, 1]), np.maximum(0, 1 + WRONG.max(axis=1) - RIGHT).mean()),
    "FocalLoss": (Z, np.array([0, 1, 2, 0, 1]), (-((1 - SURE) ** 2) * np.log(SURE)).mean()),
    "kl_divergence": (P, Q, (Q * np.log(Q / P)).sum(axis=1).mean()),
    "poisson": (P, Q, (P - Q * np.log(P)).mean()),
    "cosine_similarity": (Z, Y, -((Z * Y).sum(1) / np.linalg.norm(Z, axis=1) / np.linalg.norm(Y, axis=1)).mean()),
    "binary_crossentropy": (P, BITS, -(BITS * np.log(P) + (1 - BITS) * np.log(1 - P)).mean()),
    "bce_with_logits": (Z, BITS, (np.log1p(np.exp(Z)) - BITS * Z).mean()),
    "categorical_crossentropy": (P, Q, -(Q * np.log(P)).sum(axis=1).mean()),
    "nll": (np.log(P), np.array([0, 1, 2, 0, 1]), -np.log(P)[range(5), [0, 1, 2, 0, 1]].mean()),
}


@pytest.mark.parametrize("name", ROWS)
def test_loss_equals_its_formula(name):
    outputs, targets, expected = ROWS[name]
    loss = plugins.losses.function(name)(fg.asarray(outputs), fg.asarray(targets))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_hinge_takes_zeros_and_ones():
    z = fg.asarray(Z)
    assert losses.hinge(z, fg.asarray(BITS)).item() == losses.hinge(z, fg.asarray(SIGNS)).item()


def test_targets_may_lack_the_last_axis_of_size_one():
    outputs, targets = fg.zeros((4, 1)), fg.tensor([1, 2, 3, 4])
    assert losses.mse(outputs, targets).item() == 7.5
    assert losses.binary_crossentropy(outputs + 0.5, fg.tensor([0, 1, 1, 0])).item() == pytest.approx(np.log(2))


def test_smoothing_and_pixels():
    logits = fg.asarray(RNG.normal(size=(2, 4, 5, 3)))  # channels last
    classes = fg.asarray(RNG.integers(0, 3, (2, 4, 5)))
    wanted = fg.nn.functional.cross_entropy(fg.moveaxis(logits, -1, 1), classes, label_smoothing=0.1)
    for targets in (classes, fg.nn.functional.one_hot(classes, 3)):
        got = losses.categorical_crossentropy(logits, targets, from_logits=True, label_smoothing=0.1)
        assert got.item() == pytest.approx(wanted.item(), rel=1e-12)


def test_logits_are_known_of_the_very_tensor_only():
    x = fg.tensor([[1.0, 2.0]])
    p = remember_logits(x.softmax(), "softmax", x)
    assert logits_of(p, "softmax") is x
    assert logits_of(p, "sigmoid") is None
    assert logits_of(p + 0.0, "softmax") is None
    key = id(p)
    del p
    from ferrograd.train.logits import _origins

    assert key not in _origins
