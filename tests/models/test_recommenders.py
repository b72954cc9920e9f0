"""NCF and DeepFM."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.models import NCF, DeepFM
from ferrograd.nn import functional as F
from harness.learning import assert_learns


def test_ncf_learns():
    model = NCF(6, 9)
    users, items = fg.arange(18) % 6, fg.arange(18) % 9
    liked = ((users + items) % 2).astype(fg.float32)
    assert_learns(model, lambda: F.binary_cross_entropy_with_logits(model(users, items), liked), steps=30, lr=0.02)


def test_ncf_wants_two_halves():
    with pytest.raises(ValueError, match=r"must be even, got \(5, 2\)"):
        NCF(2, 2, layer_sizes=(5, 2))


def deepfm():
    model = DeepFM([4, 3, 5], embedding_dim=4, hidden_sizes=(8,))
    fg.nn.init.normal_(model.linear.weight)
    fg.nn.init.normal_(model.embedding.weight)
    return model


def values():
    return fg.tensor([[a % 4, a % 3, a % 5] for a in range(16)])


def test_deepfm_learns():
    model, clicks = deepfm(), (fg.arange(16) % 2).astype(fg.float32)
    assert_learns(model, lambda: F.binary_cross_entropy_with_logits(model(values()), clicks))


def test_deepfm_sums_all_pairs():
    model = deepfm()
    v = model.embedding(values() + model.offsets)
    pairs = sum((v[:, i] * v[:, j]).sum(axis=1).numpy() for i in range(3) for j in range(i))
    deep = model.deep(v.flatten(1))[:, 0].numpy()
    first = model.linear(values() + model.offsets)[..., 0].sum(axis=1).numpy()
    assert np.allclose(model(values()).numpy(), first + pairs + deep, atol=1e-5)


@pytest.mark.parametrize("row", [[4, 0, 0], [0, 3, 0], [0, 0, -1]])
def test_deepfm_names_a_value_of_another_field(row):
    with pytest.raises(IndexError, match=r"outside its field, expected values below \(4, 3, 5\)"):
        deepfm()(fg.tensor([row]))
