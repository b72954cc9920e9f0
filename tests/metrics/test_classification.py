"""Metrics of classes against sums written out, and all batches at once against batch by batch."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import metrics

RNG = np.random.default_rng(0)
SCORES, CLASSES = RNG.normal(size=(60, 5)), RNG.integers(0, 5, 60)
CLASSES[CLASSES == 4] = 0  # a class that is predicted but never right
PREDICTED = SCORES.argmax(1)


def fill(metric, output, target, cuts=()):
    """The metric after batches that end at `cuts`."""
    for o, t in zip(np.split(output, cuts), np.split(target, cuts), strict=True):
        metric.update(fg.asarray(o), fg.asarray(t))
    return metric


def per_class(figure):
    out = []
    for c in range(5):
        tp = ((c == PREDICTED) & (c == CLASSES)).sum()
        fp, fn = ((c == PREDICTED) & (c != CLASSES)).sum(), ((c != PREDICTED) & (c == CLASSES)).sum()
        above, below = {
            "precision": (tp, tp + fp),
            "recall": (tp, tp + fn),
            "f1": (2 * tp, 2 * tp + fp + fn),
            "iou": (tp, tp + fp + fn),
        }[figure]
        out.append(above / below if below else 0.0)
    return np.array(out)


KINDS = {"precision": metrics.Precision, "recall": metrics.Recall, "f1": metrics.F1}


@pytest.mark.parametrize("name", KINDS)
def test_averages(name):
    figures, actual = per_class(name), np.bincount(CLASSES, minlength=5)
    expected = {
        "macro": figures.mean(),
        "weighted": (figures * actual).sum() / actual.sum(),
        "micro": (PREDICTED == CLASSES).mean(),
        "binary": figures[1],
        "auto": figures.mean(),
    }
    for average, value in expected.items():
        metric = fill(KINDS[name](average), SCORES, CLASSES)
        assert metric.compute() == pytest.approx(value, rel=1e-12)
        assert metric.name == name
    fg.testing.assert_close(fill(KINDS[name](None), SCORES, CLASSES).compute(), figures, rtol=1e-12)
    fg.testing.assert_close(fill(KINDS[name](None), PREDICTED, CLASSES).compute(), figures, rtol=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_one_probability_per_sample_counts_class_one(name):
    probabilities, truth = RNG.random(50), RNG.integers(0, 2, 50)
    found = probabilities >= 0.3
    tp, fp, fn = (found & (truth == 1)).sum(), (found & (truth == 0)).sum(), (~found & (truth == 1)).sum()
    expected = {"precision": tp / (tp + fp), "recall": tp / (tp + fn), "f1": 2 * tp / (2 * tp + fp + fn)}[name]
    for output in (probabilities, probabilities[:, None]):
        assert fill(KINDS[name](threshold=0.3), output, truth).compute() == pytest.approx(expected, rel=1e-12)


ALL = {
    "accuracy": (metrics.Accuracy, SCORES, CLASSES),
    "top-k": (lambda: metrics.TopKAccuracy(2), SCORES, CLASSES),
    "precision": (metrics.Precision, SCORES, CLASSES),
    "precision of classes": (lambda: metrics.Precision("weighted"), PREDICTED, CLASSES),
    "recall": (lambda: metrics.Recall("micro"), SCORES, CLASSES),
    "f1": (metrics.F1, SCORES, CLASSES),
    "f1, one probability": (metrics.F1, RNG.random(60), CLASSES > 1),
    "mean iou": (metrics.MeanIoU, SCORES, CLASSES),
    "confusion": (lambda: metrics.ConfusionMatrix(5), SCORES, CLASSES),
}


@pytest.mark.parametrize("name", ALL)
def test_batches_do_not_matter(name):
    make, output, target = ALL[name]
    whole = fill(make(), output, target).compute()
    for cuts in ([1, 7, 8], [30], list(range(1, 60))):
        metric = fill(make(), output, target, cuts)
        fg.testing.assert_close(metric.compute(), whole, rtol=0, atol=0)
    metric.reset()
    assert np.isnan(metric.compute()) if name != "confusion" else not metric.compute().numpy().any()
    fg.testing.assert_close(fill(metric, output, target).compute(), whole, rtol=0, atol=0)


def test_accuracy_takes_images_one_hot_rows_and_channels_last():
    images, masks = RNG.normal(size=(2, 3, 4, 5)), RNG.integers(0, 3, (2, 4, 5))
    expected = (images.argmax(1) == masks).mean()
    assert fill(metrics.Accuracy(), images, masks).compute() == expected
    assert fill(metrics.Accuracy(axis=-1), np.moveaxis(images, 1, -1), masks).compute() == expected
    assert fill(metrics.Accuracy(), SCORES, np.eye(5)[CLASSES]).compute() == (PREDICTED == CLASSES).mean()
    masks[0] = 255
    ignored = fill(metrics.Accuracy(ignore_index=255), images, masks).compute()
    assert ignored == (images.argmax(1) == masks)[1].mean()


def test_top_k():
    best = np.argsort(-SCORES, 1)
    for k in (1, 3, 5, 9):
        expected = (best[:, :k] == CLASSES[:, None]).any(1).mean()
        assert fill(metrics.TopKAccuracy(k), SCORES, CLASSES).compute() == expected
    with pytest.raises(ValueError, match="k >= 1"):
        metrics.TopKAccuracy(0)


def test_mean_iou_leaves_out_what_does_not_occur():
    figures = per_class("iou")
    assert fill(metrics.MeanIoU(), SCORES, CLASSES).compute() == pytest.approx(figures.mean(), rel=1e-12)
    wide = np.pad(SCORES, [(0, 0), (0, 3)], constant_values=-9.0)
    assert fill(metrics.MeanIoU(), wide, CLASSES).compute() == pytest.approx(figures.mean(), rel=1e-12)
    masked = np.where(np.arange(60) < 30, 255, CLASSES)
    expected = fill(metrics.MeanIoU(), SCORES[30:], CLASSES[30:]).compute()
    assert fill(metrics.MeanIoU(ignore_index=255), SCORES, masked).compute() == pytest.approx(expected)


def test_confusion_matrix():
    counts = np.zeros((5, 5), int)
    np.add.at(counts, (CLASSES, PREDICTED), 1)
    fg.testing.assert_close(fill(metrics.ConfusionMatrix(5), SCORES, CLASSES).compute(), counts)
    for normalize, axis in (("true", 1), ("pred", 0), ("all", None)):
        total = counts.sum(axis, keepdims=True)
        expected = np.divide(counts, total, out=np.zeros((5, 5)), where=total > 0)
        metric = fill(metrics.ConfusionMatrix(5, normalize), SCORES, CLASSES)
        fg.testing.assert_close(metric.compute(), expected, rtol=1e-12)
    with pytest.raises(IndexError, match="classes from 0 to 2, got 0 to 4"):
        fill(metrics.ConfusionMatrix(3), SCORES, CLASSES)
    with pytest.raises(ValueError, match="normalize"):
        metrics.ConfusionMatrix(3, "rows")


def test_errors():
    for kind in (metrics.Accuracy, metrics.F1, metrics.MeanIoU):
        with pytest.raises(fg.ShapeError, match=f"{kind.__name__}: expected scores"):
            fill(kind(), SCORES, CLASSES[:3])
    with pytest.raises(fg.ShapeError, match="TopKAccuracy"):
        fill(metrics.TopKAccuracy(), PREDICTED, CLASSES)
    with pytest.raises(IndexError, match="negative"):
        fill(metrics.F1(), PREDICTED, CLASSES - 1)
    with pytest.raises(ValueError, match="expected average"):
        metrics.F1("mean")
