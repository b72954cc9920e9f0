"""Metrics of numbers against NumPy, in batches and at once."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import metrics

RNG = np.random.default_rng(0)
Y = RNG.normal(size=(40, 3)) * [1, 10, 0.1] + [0, 5, 1e4]
X = Y + RNG.normal(size=(40, 3)) * 0.05


def r2(x, y):
    return (1 - ((y - x) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)).mean()


KINDS = {
    "mse": (metrics.MeanSquaredError, lambda x, y: ((x - y) ** 2).mean()),
    "rmse": (lambda: metrics.MeanSquaredError(squared=False), lambda x, y: np.sqrt(((x - y) ** 2).mean())),
    "mae": (metrics.MeanAbsoluteError, lambda x, y: np.abs(x - y).mean()),
    "r2": (metrics.R2, r2),
}


def fill(metric, output, target, cuts=()):
    for o, t in zip(np.split(output, cuts), np.split(target, cuts), strict=True):
        metric.update(fg.asarray(o), fg.asarray(t))
    return metric.compute()


@pytest.mark.parametrize("cuts", [(), (1, 2, 30), tuple(range(1, 40)), (0, 40)], ids=len)
@pytest.mark.parametrize("name", KINDS)
def test_figure(name, cuts):
    make, figure = KINDS[name]
    metric = make()
    assert metric.name == name
    assert np.isnan(metric.compute())
    assert fill(metric, X, Y, cuts) == pytest.approx(figure(X, Y), rel=1e-10)
    metric.reset()
    assert fill(metric, X[:, :1], Y[:, 0], cuts) == pytest.approx(figure(X[:, 0], Y[:, 0]), rel=1e-10)


def test_half_precision_is_summed_in_double():
    y = np.full(5000, 3.0, np.float16)
    metric = metrics.MeanSquaredError()
    for _ in range(20):
        metric.update(fg.asarray(y), fg.asarray(y - np.float16(1)))
    assert metric.compute() == 1.0
    metric.update(fg.ones(4, dtype=fg.bfloat16), fg.zeros(4, dtype=fg.bfloat16))
    assert metric.compute() == 1.0


def test_r2_of_constant_targets():
    one = np.ones(4)
    assert fill(metrics.R2(), one, one) == 1.0
    assert fill(metrics.R2(), one + 1, one) == 0.0
    assert np.isnan(fill(metrics.R2(), one[:1], one[:1]))


@pytest.mark.parametrize("name", KINDS)
def test_shapes_must_agree(name):
    make, _ = KINDS[name]
    with pytest.raises(fg.ShapeError, match="of one shape"):
        fill(make(), X, Y[:, :2])
