"""AdaptiveLogSoftmaxWithLoss against the distribution it stands for."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, check_round_trip, data, scramble


def make(**settings):
    return scramble(nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 11], div_value=2.0, dtype=fg.float64, **settings))


X, TARGET = data(6, 8), fg.tensor([0, 3, 4, 10, 11, 19])


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def reference(layer):
    weight = {name: value.numpy() for name, value in layer.state_dict().items()}
    head = log_softmax(X.numpy() @ weight["head.weight"].T + weight.get("head.bias", 0.0))
    parts = [head[:, :4]]
    for i in range(2):
        inner = X.numpy() @ weight[f"tail.{i}.0.weight"].T @ weight[f"tail.{i}.1.weight"].T
        parts.append(head[:, 4 + i : 5 + i] + log_softmax(inner))
    return np.concatenate(parts, 1)


@pytest.mark.parametrize("bias", [False, True])
def test_probabilities(bias):
    layer = make(head_bias=bias)
    expected = reference(layer)
    np.testing.assert_allclose(np.exp(expected).sum(1), 1.0)
    fg.testing.assert_close(layer.log_prob(X), expected, rtol=1e-10)
    output, loss = layer(X, TARGET)
    picked = expected[np.arange(6), TARGET.numpy()]
    fg.testing.assert_close(output, picked, rtol=1e-10)
    assert loss.item() == pytest.approx(-picked.mean())
    assert layer.predict(X).tolist() == expected.argmax(1).tolist()
    check_gradients(layer, lambda: layer(X, TARGET).loss)
    check_round_trip(layer, lambda made: made(X, TARGET).output, lambda: make(head_bias=bias))


def test_single_samples_and_empty_clusters():
    layer = make()
    output, loss = layer(X[2], TARGET[2])
    assert output.item() == pytest.approx(-loss.item()) == pytest.approx(reference(layer)[2, 4])
    fg.testing.assert_close(layer(X[:2], TARGET[:2]).output, reference(layer)[[0, 1], [0, 3]])


def test_errors():
    for cutoffs in ([], [5, 3], [0, 4], [4, 20]):
        with pytest.raises(ValueError, match="ascending cutoffs from 1 to 19"):
            nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs)
    with pytest.raises(IndexError, match="classes below 20"):
        make()(X, TARGET + 1)
    with pytest.raises(fg.ShapeError, match=r"got \(6, 8\) and \(2,\)"):
        make()(X, TARGET[:2])
