"""MultiheadAttention against its formula in NumPy."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, check_round_trip, data, scramble

N, L, S, E, HEADS = 2, 3, 5, 8, 2


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def value(parameter):
    return parameter.detach().numpy()


def reference(layer, query, key, values, bias=0.0):
    """Output and weights for (N, L, E) arrays; `bias` (N, heads, L, S) is added to the scores."""
    if layer.in_proj_weight is not None:
        weights = np.split(value(layer.in_proj_weight), 3)
    else:
        weights = [value(layer.q_proj_weight), value(layer.k_proj_weight), value(layer.v_proj_weight)]
    biases = np.split(value(layer.in_proj_bias), 3) if layer.in_proj_bias is not None else [0.0] * 3
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, values), weights, biases, strict=True))
    if layer.bias_k is not None:
        k, v = (
            np.concatenate([x, np.broadcast_to(value(extra)[0], (len(x), 1, E))], 1)
            for x, extra in ((k, layer.bias_k), (v, layer.bias_v))
        )
    if layer.add_zero_attn:
        k, v = (np.concatenate([x, np.zeros((len(x), 1, E))], 1) for x in (k, v))
    added = k.shape[1] - key.shape[1]
    bias = np.pad(np.broadcast_to(bias, (len(q), HEADS, q.shape[1], key.shape[1])), [(0, 0)] * 3 + [(0, added)])
    q, k, v = (x.reshape(len(x), -1, HEADS, E // HEADS).transpose(0, 2, 1, 3) for x in (q, k, v))
    weights = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(E // HEADS) + bias)
    heads = (weights @ v).transpose(0, 2, 1, 3).reshape(len(query), -1, E)
    output = heads @ value(layer.out_proj.weight).T
    return output + (value(layer.out_proj.bias) if layer.out_proj.bias is not None else 0.0), weights


def make(**settings):
    return scramble(nn.MultiheadAttention(E, HEADS, batch_first=True, dtype=fg.float64, **settings))


SETTINGS = [
    {},
    {"bias": False},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 6, "vdim": 4},
]


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_formula(settings, need_weights):
    layer = make(**settings)
    query, key, values = data(N, L, E), data(N, S, layer.kdim, seed=1), data(N, S, layer.vdim, seed=2)
    expected, expected_weights = reference(layer, query.numpy(), key.numpy(), values.numpy())
    output, weights = layer(query, key, values, need_weights=need_weights)
    fg.testing.assert_close(output, expected, rtol=1e-10, atol=1e-12)
    if need_weights:
        fg.testing.assert_close(weights, expected_weights.mean(1), rtol=1e-10, atol=1e-12)
        _, weights = layer(query, key, values, average_attn_weights=False)
        fg.testing.assert_close(weights, expected_weights, rtol=1e-10, atol=1e-12)
    else:
        assert weights is None
    check_gradients(layer, lambda: layer(query, key, values, need_weights=need_weights)[0])
    check_round_trip(layer, lambda made: made(query, key, values)[0], lambda: make(**settings))


PADDING = np.array([[False, False, False, True, True], [False, False, False, False, True]])
CAUSAL = np.triu(np.ones((L, S), bool), 1)
PER_HEAD = np.random.default_rng(0).normal(size=(N * HEADS, L, S))
MASKS = {
    "padding": (PADDING, None),
    "causal": (None, CAUSAL),
    "both": (PADDING, CAUSAL),
    "floats": (None, np.where(CAUSAL, -np.inf, 0.5)),
    "floats and padding": (PADDING, np.where(CAUSAL, -2.0, 0.5)),
    "per head": (PADDING, PER_HEAD),
    "per head, booleans": (None, PER_HEAD > 1.0),
}


def added(mask):
    return np.where(mask, -np.inf, 0.0) if mask.dtype == bool else mask


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("extra", [{}, {"add_bias_kv": True, "add_zero_attn": True}], ids=["", "with extra keys"])
@pytest.mark.parametrize("name", MASKS)
def test_masks(name, extra, need_weights):
    padding, mask = MASKS[name]
    layer = make(**extra)
    query, key = data(N, L, E), data(N, S, E, seed=1)
    bias = 0.0 if padding is None else added(padding)[:, None, None, :]
    if mask is not None:
        bias = bias + (added(mask).reshape(N, HEADS, L, S) if mask.ndim == 3 else added(mask))
    expected, _ = reference(layer, query.numpy(), key.numpy(), key.numpy(), bias)
    masks = {"key_padding_mask": padding, "attn_mask": mask}
    given = {name: fg.asarray(value) for name, value in masks.items() if value is not None}
    output, _ = layer(query, key, key, need_weights=need_weights, **given)
    fg.testing.assert_close(output, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("need_weights", [True, False])
def test_causal_hint(need_weights):
    layer, x = make(), data(N, L, E)
    causal = fg.asarray(CAUSAL[:, :L])
    expected, _ = layer(x, x, x, attn_mask=causal)
    output, _ = layer(x, x, x, is_causal=True, need_weights=need_weights)
    fg.testing.assert_close(output, expected)


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_without_keys_gets_zeros_and_a_finite_gradient(need_weights):
    layer, x = make(), data(N, L, E)
    x.requires_grad = True
    output, _ = layer(x, x, x, key_padding_mask=fg.ones((N, L), dtype=fg.bool), need_weights=need_weights)
    fg.testing.assert_close(output, np.broadcast_to(value(layer.out_proj.bias), (N, L, E)))
    output.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_length_first_and_unbatched():
    layer, x = make(), data(N, L, E)
    expected, expected_weights = layer(x, x, x)
    single, weights = layer(x[0], x[0], x[0])
    fg.testing.assert_close(single, expected[0])
    fg.testing.assert_close(weights, expected_weights[0])
    layer.batch_first = False
    y = x.transpose(0, 1)
    output, weights = layer(y, y, y)
    fg.testing.assert_close(output, expected.transpose(0, 1))
    fg.testing.assert_close(weights, expected_weights)


def test_dropout_acts_while_training_alone():
    layer, x = nn.MultiheadAttention(E, HEADS, dropout=0.5), data(L, N, E).to(fg.float32)
    _, weights = layer(x, x, x, average_attn_weights=False)
    assert (weights.detach().numpy() == 0).any()
    _, weights = layer.eval()(x, x, x)
    fg.testing.assert_close(weights.sum(axis=-1), np.ones((N, L)))


def test_parameters_have_pytorchs_names():
    shapes = {name: tuple(tensor.shape) for name, tensor in make(kdim=6, add_bias_kv=True).state_dict().items()}
    assert shapes == {
        "q_proj_weight": (8, 8),
        "k_proj_weight": (8, 6),
        "v_proj_weight": (8, 8),
        "in_proj_bias": (24,),
        "bias_k": (1, 1, 8),
        "bias_v": (1, 1, 8),
        "out_proj.weight": (8, 8),
        "out_proj.bias": (8,),
    }


def test_errors():
    layer, x = make(), data(N, L, E)
    with pytest.raises(ValueError, match="num_heads must divide embed_dim 8, got 3"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(ValueError, match="dropout must be between"):
        nn.MultiheadAttention(8, 2, dropout=1.5)
    with pytest.raises(fg.ShapeError, match="keys and values of 8 features"):
        layer(x, data(N, S, 6), data(N, S, 6))
    with pytest.raises(fg.ShapeError, match="expected embeddings of 8"):
        layer(data(N, L, 6), x, x)
    with pytest.raises(fg.ShapeError, match=r"expected attn_mask \(3, 3\) or \(4, 3, 3\), got \(2, 3\)"):
        layer(x, x, x, attn_mask=fg.zeros((2, 3)))
    with pytest.raises(fg.ShapeError, match=r"expected key_padding_mask \(2, 3\), got \(3, 2\)"):
        layer(x, x, x, key_padding_mask=fg.zeros((3, 2), dtype=fg.bool))
    with pytest.raises(fg.DTypeError, match="got int64"):
        layer(x, x, x, attn_mask=fg.zeros((3, 3), dtype=fg.int64))
