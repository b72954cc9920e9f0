"""Margin, ranking, count and overlap losses against their formulas in NumPy."""

import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn import functional as F
from harness.layers import data

X, Y, Z = data(6, 4), data(6, 4, seed=1), data(6, 4, seed=2)
x, y, z = X.numpy(), Y.numpy(), Z.numpy()
CLASSES = fg.tensor([0, 3, 1, 1, 2, 0])
c = CLASSES.numpy()
SIGNS = np.sign(y)
BINARY = (y > 0).astype(float)
COUNTS = np.floor(np.abs(y) * 5)
WEIGHT = np.array([1.0, 2.0, 0.5, 3.0])
LABELS = np.array([[0, 3, -1, 1], [2, -1, 0, 0], [-1, 0, 0, 0], [3, 2, 1, 0], [1, 1, -1, 2], [0, 1, 2, -1]])


def margins(p=1, margin=1.0, weight=(1.0,) * 4):
    gaps = np.maximum(0, margin - x[np.arange(6), c][:, None] + x) ** p * np.array(weight)[c][:, None]
    gaps[np.arange(6), c] = 0
    return gaps.sum(1) / 4


def label_margins():
    out = np.zeros(6)
    for n, labels in enumerate(LABELS):
        right = labels[: np.argmin(labels)] if (labels < 0).any() else labels
        wrong = [i for i in range(4) if i not in right]
        out[n] = sum(max(0.0, 1 - x[n, j] + x[n, i]) for j in right for i in wrong) / 4
    return out


def soft(weight=1.0):
    return -(weight * (BINARY * np.log(1 / (1 + np.exp(-x))) + (1 - BINARY) * np.log(1 / (1 + np.exp(x))))).mean(1)


def distance(a, b):
    return np.sqrt(((a - b + 1e-6) ** 2).sum(1))


def stirling():
    many = np.maximum(COUNTS, 1)
    return np.where(COUNTS > 1, many * np.log(many) - many + 0.5 * np.log(2 * math.pi * many), 0)


VAR = np.abs(z) + 0.1
POISSON = np.exp(x) - COUNTS * x
GAUSS = 0.5 * (np.log(VAR) + (x - y) ** 2 / VAR)
NARROW = 0.5 * (np.log(VAR[:, :1]) + (x - y) ** 2 / VAR[:, :1])
P = np.exp(x) / np.exp(x).sum(1, keepdims=True)
RIGHT = P[np.arange(6), c]
FOCAL = -((1 - RIGHT) ** 1.5) * np.log(RIGHT)
TRIPLET = np.maximum(distance(x, y) - np.minimum(distance(x, z), distance(y, z)) + 1.5, 0)

CASES = [
    (nn.SoftMarginLoss, {}, (X, SIGNS), np.log(1 + np.exp(-SIGNS * x))),
    (nn.MarginRankingLoss, {"margin": 0.3}, (X, Y, SIGNS), np.maximum(0, -SIGNS * (x - y) + 0.3)),
    (nn.MultiMarginLoss, {}, (X, CLASSES), margins()),
    (nn.MultiMarginLoss, {"p": 2, "margin": 0.5, "weight": WEIGHT}, (X, CLASSES), margins(2, 0.5, WEIGHT)),
    (nn.MultiLabelMarginLoss, {}, (X, LABELS), label_margins()),
    (nn.MultiLabelSoftMarginLoss, {}, (X, BINARY), soft()),
    (nn.MultiLabelSoftMarginLoss, {"weight": WEIGHT}, (X, BINARY), soft(WEIGHT)),
    (nn.TripletMarginWithDistanceLoss, {"margin": 1.5, "swap": True}, (X, Y, Z), TRIPLET),
    (nn.PoissonNLLLoss, {}, (X, COUNTS), POISSON),
    (nn.PoissonNLLLoss, {"full": True}, (X, COUNTS), POISSON + stirling()),
    (nn.PoissonNLLLoss, {"log_input": False}, (VAR, COUNTS), VAR - COUNTS * np.log(VAR + 1e-8)),
    (nn.GaussianNLLLoss, {}, (X, Y, VAR), GAUSS),
    (nn.GaussianNLLLoss, {"full": True}, (X, Y, VAR), GAUSS + 0.5 * math.log(2 * math.pi)),
    (nn.GaussianNLLLoss, {}, (X, Y, VAR[:, 0]), NARROW),
    (nn.GaussianNLLLoss, {}, (X, Y, VAR[:, :1]), NARROW),
    (nn.GaussianNLLLoss, {}, (X, Y, 0.5), 0.5 * (math.log(0.5) + 2 * (x - y) ** 2)),
    (nn.FocalLoss, {"gamma": 1.5}, (X, CLASSES), FOCAL),
]


def name(value):
    return getattr(value, "__name__", "")


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("kind, settings, arguments, expected", CASES, ids=name)
def test_loss(kind, settings, arguments, expected, reduction):
    settings = {k: fg.asarray(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    given = [fg.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    loss = kind(reduction=reduction, **settings)(*given)
    reduce = {"none": lambda v: v, "mean": np.mean, "sum": np.sum}[reduction]
    np.testing.assert_allclose(loss.numpy(), reduce(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind, settings, arguments, expected", CASES, ids=name)
def test_gradient(kind, settings, arguments, expected):
    settings = {k: fg.asarray(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    first, *rest = [fg.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    first = first.detach()
    first.requires_grad = True
    assert fg.testing.gradcheck(lambda value: kind(reduction="none", **settings)(value, *rest), first)


def test_every_new_loss_is_tested():
    elsewhere = {
        "AdaptiveLogSoftmaxWithLoss",
        "BCELoss",
        "BCEWithLogitsLoss",
        "CTCLoss",
        "CosineEmbeddingLoss",
        "CrossEntropyLoss",
        "DiceLoss",
    }
    elsewhere |= {"HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "NLLLoss", "SmoothL1Loss"}
    elsewhere |= {"TripletMarginLoss"}
    assert {kind.__name__ for kind, *_ in CASES} == set(nn.loss.__all__) - elsewhere


def test_single_samples():
    assert nn.MultiMarginLoss()(X[1], CLASSES[1]).item() == pytest.approx(margins()[1])
    assert nn.MultiLabelMarginLoss()(X[0], fg.asarray(LABELS[0])).item() == pytest.approx(label_margins()[0])


def test_gaussian_variances_have_a_floor_that_gradients_ignore():
    var = fg.tensor([1e-9], dtype=fg.float64, requires_grad=True)
    loss = nn.GaussianNLLLoss(eps=0.5)(fg.tensor([2.0], dtype=fg.float64), fg.tensor([1.0], dtype=fg.float64), var)
    assert loss.item() == pytest.approx(0.5 * (math.log(0.5) + 2.0))
    loss.backward()
    assert var.grad.item() == pytest.approx(0.5 * (1 / 0.5 - 1 / 0.5**2))
    with pytest.raises(ValueError, match="variances >= 0"):
        nn.GaussianNLLLoss()(X, Y, -fg.asarray(VAR))
    with pytest.raises(fg.ShapeError, match="expected var to fit"):
        nn.GaussianNLLLoss()(X, Y, fg.ones((3, 4)))


def test_focal_loss_weighs_and_ignores_classes():
    target = fg.tensor([0, 3, -1, 1, 2, 0])
    loss = nn.FocalLoss(1.5, fg.asarray(WEIGHT), ignore_index=-1)(X, target)
    kept = np.array([0, 1, 3, 4, 5])
    assert loss.item() == pytest.approx((FOCAL * WEIGHT[c])[kept].mean(), rel=1e-10)
    assert nn.FocalLoss(0.0)(X, CLASSES).item() == pytest.approx(nn.CrossEntropyLoss()(X, CLASSES).item())


@pytest.mark.parametrize("mode", ["multiclass", "binary"])
def test_dice(mode):
    logits = data(2, 3, 4, 5)
    scores = logits.numpy()
    if mode == "binary":
        truth = (data(2, 3, 4, 5, seed=1).numpy() > 0).astype(float)
        target, p = fg.asarray(truth), 1 / (1 + np.exp(-scores))
    else:
        classes = np.random.default_rng(0).integers(0, 3, (2, 4, 5))
        target, truth = fg.asarray(classes), np.moveaxis(np.eye(3)[classes], -1, 1)
        p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    overlap, areas = (p * truth).sum((2, 3)), (p + truth).sum((2, 3))
    expected = 1 - (2 * overlap + 0.5) / (areas + 0.5)
    loss = nn.DiceLoss(0.5, mode, reduction="none")
    fg.testing.assert_close(loss(logits, target), expected, rtol=1e-12)
    logits.requires_grad = True
    assert fg.testing.gradcheck(lambda value: loss(value, target), logits)


def test_losses_refuse_what_does_not_fit():
    for loss in (F.soft_margin_loss, F.poisson_nll_loss, F.multilabel_soft_margin_loss):
        with pytest.raises(fg.ShapeError, match=f"{loss.__name__}: expected input and target of one shape"):
            loss(X, fg.ones(3))
    with pytest.raises(fg.ShapeError, match="multi_margin_loss"):
        F.multi_margin_loss(X, fg.tensor([1, 2]))
    with pytest.raises(IndexError):
        F.multi_margin_loss(X, CLASSES + 3)
    with pytest.raises(ValueError, match="soft_margin_loss: expected reduction"):
        F.soft_margin_loss(X, X, reduction="average")
    with pytest.raises(ValueError, match="expected p 1 or 2"):
        nn.MultiMarginLoss(p=3)
    with pytest.raises(ValueError, match="expected mode"):
        nn.DiceLoss(mode="soft")
    with pytest.raises(fg.ShapeError, match="dice_loss"):
        nn.DiceLoss()(X, CLASSES)
