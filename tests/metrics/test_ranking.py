"""AUROC and average precision against pairs and thresholds written out."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import metrics

RNG = np.random.default_rng(0)
TRUTH = RNG.random(80) < 0.3
SCORES = np.round(RNG.normal(size=80) + TRUTH, 1)  # ties on purpose
LABELS = RNG.integers(0, 4, 80)
MANY = np.round(RNG.normal(size=(80, 4)) + np.eye(4)[LABELS], 1)


def auroc(scores, truth):
    gaps = scores[truth][:, None] - scores[~truth][None, :]
    return ((gaps > 0) + 0.5 * (gaps == 0)).mean()


def average_precision(scores, truth):
    total, before = 0.0, 0.0
    for threshold in np.unique(scores)[::-1]:
        found = scores >= threshold
        recall, precision = (found & truth).sum() / truth.sum(), truth[found].mean()
        total, before = total + (recall - before) * precision, recall
    return total


KINDS = {"auroc": (metrics.AUROC, auroc), "average_precision": (metrics.AveragePrecision, average_precision)}


def fill(metric, scores, truth, cuts=()):
    for s, t in zip(np.split(scores, cuts), np.split(truth, cuts), strict=True):
        metric.update(fg.asarray(s), fg.asarray(t))
    return metric.compute()


@pytest.mark.parametrize("name", KINDS)
def test_two_classes(name):
    kind, figure = KINDS[name]
    expected = figure(SCORES, TRUTH)
    assert fill(kind(), SCORES, TRUTH) == pytest.approx(expected, rel=1e-12)
    assert fill(kind(), SCORES[:, None], TRUTH.astype(int)) == pytest.approx(expected, rel=1e-12)
    assert fill(kind(), 3 * SCORES - 7, TRUTH.astype(float)) == pytest.approx(expected, rel=1e-12)
    assert kind().name == name


@pytest.mark.parametrize("name", KINDS)
def test_several_classes(name):
    kind, figure = KINDS[name]
    each = np.array([figure(MANY[:, c], c == LABELS) for c in range(4)])
    weights = np.bincount(LABELS)
    assert fill(kind(), MANY, LABELS) == pytest.approx(each.mean(), rel=1e-12)
    assert fill(kind("weighted"), MANY, LABELS) == pytest.approx((each * weights).sum() / 80, rel=1e-12)
    marks = LABELS[:, None] == np.arange(4)
    assert fill(kind("micro"), MANY, LABELS) == pytest.approx(figure(MANY.ravel(), marks.ravel()), rel=1e-12)
    assert fill(kind(), MANY, marks) == pytest.approx(each.mean(), rel=1e-12)
    assert fill(kind(), np.pad(MANY, [(0, 0), (0, 1)]), LABELS) == pytest.approx(each.mean(), rel=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_batches_do_not_matter(name):
    kind, _ = KINDS[name]
    metric = kind()
    for scores, truth in ((SCORES, TRUTH), (MANY, LABELS)):
        metric.reset()
        whole = fill(metric, scores, truth)
        for cuts in ([1, 9], list(range(1, 80))):
            metric.reset()
            assert fill(metric, scores, truth, cuts) == whole


@pytest.mark.parametrize("name", KINDS)
def test_without_positives_there_is_no_figure(name):
    kind, _ = KINDS[name]
    assert np.isnan(kind().compute())
    assert np.isnan(fill(kind(), SCORES, TRUTH & False))


def test_errors():
    with pytest.raises(fg.ShapeError, match="AUROC: expected scores"):
        fill(metrics.AUROC(), SCORES, TRUTH[:3])
    with pytest.raises(IndexError, match="classes below 4"):
        fill(metrics.AUROC(), MANY, LABELS + 1)
    with pytest.raises(ValueError, match="expected average"):
        metrics.AveragePrecision("samples")
    metric = metrics.AUROC()
    fill(metric, MANY, LABELS)
    with pytest.raises(fg.ShapeError, match="as before"):
        fill(metric, SCORES, TRUTH)
