"""Embedding and EmbeddingBag against their formulas in NumPy."""

import itertools

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, check_round_trip, scramble

ROWS, D = 7, 3


def make(kind, **settings):
    return scramble(kind(ROWS, D, dtype=fg.float64, **settings))


def table(layer):
    return layer.weight.detach().numpy()


def test_embedding_looks_up_rows():
    layer = nn.Embedding(5, 3, padding_idx=-1)
    assert layer.padding_idx == 4
    assert layer.weight.detach()[4].tolist() == [0.0, 0.0, 0.0]
    index = fg.tensor([[1, 4], [1, 0]])
    output = layer(index)
    np.testing.assert_array_equal(output.detach().numpy(), table(layer)[index.numpy()])
    output.sum().backward()
    assert layer.weight.grad.tolist() == [[1.0] * 3, [2.0] * 3, [0.0] * 3, [0.0] * 3, [0.0] * 3]


def test_embedding_from_pretrained_is_frozen():
    layer = nn.Embedding.from_pretrained(fg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert layer(fg.tensor([1])).tolist() == [[3.0, 4.0]]
    assert not layer.weight.requires_grad
    assert nn.Embedding.from_pretrained(layer.weight, freeze=False).weight.requires_grad


def test_embedding_index_outside():
    for layer in (nn.Embedding(3, 2), nn.Embedding(3, 2, max_norm=1.0)):
        with pytest.raises(IndexError):
            layer(fg.tensor([3]))
    with pytest.raises(IndexError, match="padding_idx"):
        nn.Embedding(3, 2, padding_idx=3)
    with pytest.raises(fg.ShapeError, match="2 dimensions"):
        nn.Embedding.from_pretrained(fg.zeros(3))


@pytest.mark.parametrize("norm_type", [1.0, 2.0])
def test_max_norm_shrinks_the_rows_in_use(norm_type):
    layer = make(nn.Embedding, max_norm=0.5, norm_type=norm_type)
    start = table(layer).copy()
    layer(fg.tensor([[1, 2], [2, 5]]))
    norms = np.linalg.norm(start, ord=norm_type, axis=1, keepdims=True)
    used = np.isin(np.arange(ROWS), [1, 2, 5])[:, None]
    expected = np.where(used & (norms > 0.5), start * 0.5 / norms, start)
    np.testing.assert_allclose(table(layer), expected, rtol=1e-6)
    assert repr(layer).startswith("Embedding(7, 3, max_norm=0.5")


def test_gradients_scaled_by_frequency():
    layer = make(nn.Embedding, scale_grad_by_freq=True)
    index = fg.tensor([[1, 1, 4], [1, 0, 4]])
    output = layer(index)
    np.testing.assert_array_equal(output.detach().numpy(), table(layer)[index.numpy()])
    cotangent = np.random.default_rng(0).normal(size=(2, 3, D))
    output.backward(fg.asarray(cotangent))
    expected = np.zeros((ROWS, D))
    np.add.at(expected, index.numpy(), cotangent)
    expected /= np.maximum(np.bincount(index.numpy().ravel(), minlength=ROWS), 1)[:, None]
    np.testing.assert_allclose(layer.weight.grad.numpy(), expected, rtol=1e-12)


BAGS = [[3, 1, 1], [], [0], [6, 2, 0, 0, 5]]
FLAT = fg.tensor([i for bag in BAGS for i in bag])
OFFSETS = fg.tensor([0, 3, 3, 4])


def reduced(rows, mode):
    if not len(rows):
        return np.zeros(D)
    return {"sum": rows.sum, "mean": rows.mean, "max": rows.max}[mode](axis=0)


@pytest.mark.parametrize("padding_idx", [None, 0])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode, padding_idx):
    layer = make(nn.EmbeddingBag, mode=mode, padding_idx=padding_idx)
    kept = [[i for i in bag if i != padding_idx] for bag in BAGS]
    expected = np.stack([reduced(table(layer)[bag], mode) for bag in kept])
    fg.testing.assert_close(layer(FLAT, OFFSETS), expected, rtol=1e-12, atol=1e-12)
    check_round_trip(
        layer, lambda made: made(FLAT, OFFSETS), lambda: make(nn.EmbeddingBag, mode=mode, padding_idx=padding_idx)
    )
    square = fg.tensor([[1, 0, 2], [0, 0, 0]])
    kept = [[i for i in bag if i != padding_idx] for bag in square.tolist()]
    expected = np.stack([reduced(table(layer)[bag], mode) for bag in kept])
    fg.testing.assert_close(layer(square), expected, rtol=1e-12, atol=1e-12)
    if padding_idx is None:
        check_gradients(layer, lambda: layer(FLAT, OFFSETS))
    else:
        layer(FLAT, OFFSETS).sum().backward()
        assert layer.weight.grad[0].tolist() == [0.0] * D


def test_bags_with_weights_and_a_last_offset():
    layer = make(nn.EmbeddingBag, mode="sum", include_last_offset=True)
    weights = fg.testing.make_tensor(9, dtype=fg.float64, requires_grad=True)
    offsets = fg.tensor([0, 3, 3, 4, 9])
    ends = offsets.tolist()
    rows = table(layer)[FLAT.numpy()] * weights.detach().numpy()[:, None]
    expected = np.stack([reduced(rows[a:b], "sum") for a, b in itertools.pairwise(ends)])
    fg.testing.assert_close(layer(FLAT, offsets, weights), expected, rtol=1e-12)
    assert fg.testing.gradcheck(lambda w: layer(FLAT, offsets, w), weights)


def test_bags_of_nothing():
    layer = make(nn.EmbeddingBag)
    empty = fg.zeros(0, dtype=fg.int64)
    assert layer(empty, fg.tensor([0, 0])).tolist() == [[0.0] * D] * 2
    assert layer(fg.zeros((2, 0), dtype=fg.int64)).shape == (2, D)


def test_bags_refuse_what_does_not_fit():
    layer = nn.EmbeddingBag(ROWS, D)
    with pytest.raises(ValueError, match="expected mode 'sum', 'mean' or 'max', got 'median'"):
        nn.EmbeddingBag(ROWS, D, mode="median")
    for offsets in ([1, 2], [0, 3, 2], [0, 10]):
        with pytest.raises(fg.ShapeError, match="offsets from 0 that do not fall"):
            layer(FLAT, fg.tensor(offsets))
    with pytest.raises(fg.ShapeError, match=r"input \(B, n\), or input \(n,\) and offsets"):
        layer(FLAT)
    with pytest.raises(fg.ShapeError, match="per_sample_weights"):
        layer(FLAT, OFFSETS, fg.ones(9))
    with pytest.raises(IndexError):
        layer(fg.tensor([[ROWS]]))
