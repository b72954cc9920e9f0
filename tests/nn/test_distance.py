"""Distances and similarities against their formulas in NumPy."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn import functional as F
from harness.layers import data

X, Y = data(4, 3, 5), data(4, 3, 5, seed=1)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_pairwise_distance(p):
    expected = (np.abs(X.numpy() - Y.numpy() + 1e-6) ** p).sum(-1) ** (1 / p)
    fg.testing.assert_close(nn.PairwiseDistance(p)(X, Y), expected, rtol=1e-12)
    fg.testing.assert_close(nn.PairwiseDistance(p, keepdim=True)(X, Y), expected[..., None], rtol=1e-12)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cosine_similarity(dim):
    x, y = X.numpy(), Y.numpy()
    expected = (x * y).sum(dim) / np.sqrt((x**2).sum(dim) * (y**2).sum(dim))
    fg.testing.assert_close(nn.CosineSimilarity(dim)(X, Y), expected, rtol=1e-12)


def test_cosine_similarity_of_zeros_is_zero_with_a_finite_gradient():
    x = fg.zeros((1, 3), dtype=fg.float64)
    x.requires_grad = True
    similarity = nn.CosineSimilarity()(x, fg.ones((1, 3), dtype=fg.float64))
    similarity.sum().backward()
    assert similarity.tolist() == [0.0]
    assert np.isfinite(x.grad.numpy()).all()


def test_normalize_gives_vectors_of_length_one():
    fg.testing.assert_close(fg.linalg.vector_norm(F.normalize(X, dim=-1), axis=-1), np.ones((4, 3)))
    expected = X.numpy() / np.abs(X.numpy()).sum(0, keepdims=True)
    fg.testing.assert_close(F.normalize(X, p=1.0, dim=0), expected, rtol=1e-12)
    assert F.normalize(fg.zeros((1, 3))).tolist() == [[0.0] * 3]


def test_pdist_lists_all_pairs():
    x = data(4, 3)
    pairs = [np.linalg.norm(x.numpy()[i] - x.numpy()[j]) for i in range(4) for j in range(i + 1, 4)]
    fg.testing.assert_close(F.pdist(x), pairs, rtol=1e-12)
    with pytest.raises(fg.ShapeError, match="pdist"):
        F.pdist(X)
