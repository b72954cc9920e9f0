"""Loss layers against their formulas in NumPy."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn

X = fg.testing.make_tensor(6, 4, dtype=fg.float64, low=-2, high=2)
Y = fg.testing.make_tensor(6, 4, dtype=fg.float64, seed=1, low=-2, high=2)
CLASSES = fg.tensor([0, 3, 1, 1, 2, 0])
x, y, c = X.numpy(), Y.numpy(), CLASSES.numpy()
d = np.abs(x - y)
LOG_P = x - np.log(np.exp(x).sum(1, keepdims=True))
NLL = -LOG_P[np.arange(6), c]
P, Q = np.exp(LOG_P), np.exp(y) / np.exp(y).sum(1, keepdims=True)
ONE = np.sign(y)
BINARY = (y > 0).astype(float)
S = 1 / (1 + np.exp(-x))
BCE = -(BINARY * np.log(S) + (1 - BINARY) * np.log(1 - S))

CASES = {
    "MSELoss": (nn.MSELoss, {}, (X, Y), d**2),
    "L1Loss": (nn.L1Loss, {}, (X, Y), d),
    "SmoothL1Loss": (nn.SmoothL1Loss, {"beta": 0.5}, (X, Y), np.where(d < 0.5, d**2, d - 0.25)),
    "HuberLoss": (nn.HuberLoss, {"delta": 0.5}, (X, Y), np.where(d < 0.5, 0.5 * d**2, 0.5 * (d - 0.25))),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, {}, (X, CLASSES), NLL),
    "NLLLoss": (nn.NLLLoss, {}, (fg.asarray(LOG_P), CLASSES), NLL),
    "BCELoss": (nn.BCELoss, {}, (fg.asarray(S), fg.asarray(BINARY)), BCE),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, {}, (X, fg.asarray(BINARY)), BCE),
    "KLDivLoss": (nn.KLDivLoss, {}, (fg.asarray(LOG_P), fg.asarray(Q)), Q * (np.log(Q) - LOG_P)),
    "HingeEmbeddingLoss": (
        nn.HingeEmbeddingLoss,
        {"margin": 1.5},
        (X, fg.asarray(ONE)),
        np.where(ONE > 0, x, np.maximum(0, 1.5 - x)),
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_loss(name, reduction):
    kind, settings, arguments, expected = CASES[name]
    loss = kind(reduction=reduction, **settings)(*arguments)
    reduce = {"none": lambda v: v, "mean": np.mean, "sum": np.sum}[reduction]
    np.testing.assert_allclose(loss.numpy(), reduce(expected), rtol=1e-10, atol=1e-14)


def test_cross_entropy_weights_smoothing_and_ignored_targets():
    weight = np.array([1.0, 2.0, 0.5, 3.0])
    target = fg.tensor([0, 3, -1, 1, 2, 0])
    loss = nn.CrossEntropyLoss(fg.asarray(weight), ignore_index=-1, label_smoothing=0.2)(X, target)
    kept = np.array([0, 1, 3, 4, 5])
    picked = target.numpy()[kept]
    hard = -LOG_P[kept, picked] * weight[picked]
    smooth = -(LOG_P[kept] * weight).sum(1)
    expected = (0.8 * hard + 0.2 / 4 * smooth).sum() / weight[picked].sum()
    assert loss.item() == pytest.approx(expected, rel=1e-10)


def test_cross_entropy_of_probabilities_and_of_images():
    loss = nn.CrossEntropyLoss()(X, fg.asarray(Q))
    assert loss.item() == pytest.approx(-(Q * LOG_P).sum(1).mean(), rel=1e-10)
    images = fg.permute_dims(fg.reshape(X, (2, 3, 4)), (0, 2, 1))
    assert nn.CrossEntropyLoss()(images, CLASSES.reshape((2, 3))).item() == pytest.approx(NLL.mean(), rel=1e-10)


def test_cross_entropy_gradient_is_softmax_minus_target():
    logits = X.detach()
    logits.requires_grad = True
    nn.CrossEntropyLoss()(logits, CLASSES).backward()
    np.testing.assert_allclose(logits.grad.numpy(), (P - np.eye(4)[c]) / 6, rtol=1e-10, atol=1e-14)


def test_bce_with_logits_weights():
    weight, positive = np.array([0.5, 1.0, 2.0, 1.0]), np.array([3.0, 1.0, 0.5, 2.0])
    loss = nn.BCEWithLogitsLoss(fg.asarray(weight), pos_weight=fg.asarray(positive))(X, fg.asarray(BINARY))
    expected = -weight * (positive * BINARY * np.log(S) + (1 - BINARY) * np.log(1 - S))
    assert loss.item() == pytest.approx(expected.mean(), rel=1e-10)


def test_kl_div_batchmean_and_log_target():
    loss = nn.KLDivLoss(reduction="batchmean", log_target=True)(fg.asarray(LOG_P), fg.log(fg.asarray(Q)))
    assert loss.item() == pytest.approx((Q * (np.log(Q) - LOG_P)).sum() / 6, rel=1e-10)


def test_cosine_embedding():
    target = fg.tensor([1.0, -1.0, 1.0, -1.0, -1.0, 1.0], dtype=fg.float64)
    cos = (x * y).sum(1) / np.sqrt((x**2).sum(1) * (y**2).sum(1))
    expected = np.where(target.numpy() > 0, 1 - cos, np.maximum(0, cos - 0.1))
    loss = nn.CosineEmbeddingLoss(margin=0.1, reduction="none")(X, Y, target)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("swap", [False, True])
def test_triplet_margin(swap):
    Z = fg.testing.make_tensor(6, 4, dtype=fg.float64, seed=2, low=-2, high=2)
    norm = lambda v: np.sqrt(((v + 1e-6) ** 2).sum(1))  # noqa: E731
    negative = norm(x - Z.numpy())
    if swap:
        negative = np.minimum(negative, norm(y - Z.numpy()))
    expected = np.maximum(norm(x - y) - negative + 1.5, 0)
    loss = nn.TripletMarginLoss(margin=1.5, swap=swap, reduction="none")(X, Y, Z)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-10)


def test_ctc_is_the_sum_over_alignments():
    log_probs = np.log(np.array([[[0.6, 0.4]], [[0.3, 0.7]], [[0.5, 0.5]]]))
    # Alignments of the label 1 in three steps: 1--, -1-, --1, 11-, -11, 111.
    paths = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 1, 1)]
    total = sum(np.exp(sum(log_probs[t, 0, k] for t, k in enumerate(path))) for path in paths)
    loss = nn.CTCLoss(reduction="sum")(fg.asarray(log_probs), fg.tensor([[1]]), fg.tensor([3]), fg.tensor([1]))
    assert loss.item() == pytest.approx(-np.log(total), rel=1e-10)


def test_weights_move_with_the_loss():
    loss = nn.CrossEntropyLoss(fg.ones(4))
    assert list(loss.state_dict()) == ["weight"]
    assert loss.to(fg.float64).weight.dtype == fg.float64


@pytest.mark.parametrize("kind", [nn.MSELoss, nn.CrossEntropyLoss, nn.KLDivLoss])
def test_unknown_reduction(kind):
    with pytest.raises(ValueError, match="reduction"):
        kind(reduction="average")
