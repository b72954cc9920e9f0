"""Transformer layers and stacks against their formulas in NumPy."""

import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, check_round_trip, data, scramble

E, HEADS, HIDDEN = 4, 2, 6
N, L, S = 2, 3, 5


def value(tensor):
    return tensor.detach().numpy()


def norm(layer, x):
    centred = x - x.mean(-1, keepdims=True)
    y = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + layer.eps) * value(layer.weight)
    return y if layer.bias is None else y + value(layer.bias)


def linear(layer, x):
    y = x @ value(layer.weight).T
    return y if layer.bias is None else y + value(layer.bias)


def attend(layer, x, memory, mask=None):
    """Attention itself has tests of its own."""
    mask = None if mask is None else fg.asarray(mask)
    return value(layer(fg.asarray(x), fg.asarray(memory), fg.asarray(memory), attn_mask=mask)[0])


def gelu(x):
    return np.vectorize(lambda v: 0.5 * v * (1 + math.erf(v / math.sqrt(2))))(x)


ACTIVATIONS = {"relu": ("relu", lambda x: np.maximum(x, 0)), "gelu": ("gelu", gelu), "module": (nn.Tanh(), np.tanh)}


def encoder_layer(layer, x, activation, mask=None):
    def feed(x):
        return linear(layer.linear2, activation(linear(layer.linear1, x)))

    if layer.norm_first:
        y = norm(layer.norm1, x)
        x = x + attend(layer.self_attn, y, y, mask)
        return x + feed(norm(layer.norm2, x))
    x = norm(layer.norm1, x + attend(layer.self_attn, x, x, mask))
    return norm(layer.norm2, x + feed(x))


def decoder_layer(layer, x, memory, activation, mask=None):
    def feed(x):
        return linear(layer.linear2, activation(linear(layer.linear1, x)))

    if layer.norm_first:
        y = norm(layer.norm1, x)
        x = x + attend(layer.self_attn, y, y, mask)
        x = x + attend(layer.multihead_attn, norm(layer.norm2, x), memory)
        return x + feed(norm(layer.norm3, x))
    x = norm(layer.norm1, x + attend(layer.self_attn, x, x, mask))
    x = norm(layer.norm2, x + attend(layer.multihead_attn, x, memory))
    return norm(layer.norm3, x + feed(x))


def make(kind, **settings):
    options = {"batch_first": True, "dtype": fg.float64, "dropout": 0.0} | settings
    return scramble(kind(E, HEADS, HIDDEN, **options))


SETTINGS = [{}, {"norm_first": True}, {"bias": False}]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_encoder_layer(settings, name):
    activation, function = ACTIVATIONS[name]
    layer = make(nn.TransformerEncoderLayer, activation=activation, **settings)
    x, mask = data(N, L, E), np.triu(np.ones((L, L), bool), 1)
    expected = encoder_layer(layer, x.numpy(), function, mask)
    fg.testing.assert_close(layer(x, src_mask=fg.asarray(mask)), expected, rtol=1e-9, atol=1e-10)
    fg.testing.assert_close(layer(x, is_causal=True), expected, rtol=1e-9, atol=1e-10)
    check_gradients(layer, lambda: layer(x))
    check_round_trip(
        layer,
        lambda made: made(x),
        lambda: make(nn.TransformerEncoderLayer, activation=activation, **settings),
    )


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_decoder_layer(settings):
    layer = make(nn.TransformerDecoderLayer, **settings)
    x, memory, mask = data(N, L, E), data(N, S, E, seed=1), np.triu(np.ones((L, L), bool), 1)
    expected = decoder_layer(layer, x.numpy(), memory.numpy(), lambda x: np.maximum(x, 0), mask)
    fg.testing.assert_close(layer(x, memory, tgt_mask=fg.asarray(mask)), expected, rtol=1e-9, atol=1e-10)
    fg.testing.assert_close(layer(x, memory, tgt_is_causal=True), expected, rtol=1e-9, atol=1e-10)
    check_gradients(layer, lambda: layer(x, memory))
    check_round_trip(layer, lambda made: made(x, memory), lambda: make(nn.TransformerDecoderLayer, **settings))


def test_padding_hides_keys():
    layer, x = make(nn.TransformerEncoderLayer), data(1, L, E)
    padded = fg.concat([x, fg.full((1, 2, E), 9.0, dtype=fg.float64)], axis=1)
    hidden = fg.tensor([[False] * L + [True] * 2])
    fg.testing.assert_close(layer(padded, src_key_padding_mask=hidden)[:, :L], layer(x))
    decoder, tgt = make(nn.TransformerDecoderLayer), data(1, L, E, seed=2)
    fg.testing.assert_close(decoder(tgt, padded, memory_key_padding_mask=hidden), decoder(tgt, x))


def test_encoder_stacks_copies():
    layer = make(nn.TransformerEncoderLayer)
    stack = nn.TransformerEncoder(layer, 2, nn.LayerNorm(E, dtype=fg.float64))
    assert [name for name in stack.state_dict() if name.endswith("linear1.weight")] == [
        "layers.0.linear1.weight",
        "layers.1.linear1.weight",
    ]
    first, second = stack.layers
    fg.testing.assert_close(first.linear1.weight, layer.linear1.weight)
    scramble(stack)
    assert (value(first.linear1.weight) != value(second.linear1.weight)).any()
    x = data(N, L, E)
    y = x.numpy()
    for one in stack.layers:
        y = encoder_layer(one, y, lambda x: np.maximum(x, 0))
    fg.testing.assert_close(stack(x), norm(stack.norm, y), rtol=1e-9, atol=1e-10)
    check_gradients(stack, lambda: stack(x))


def test_transformer_is_a_decoder_on_an_encoder():
    model = nn.Transformer(E, HEADS, 2, 2, HIDDEN, 0.0, batch_first=True, dtype=fg.float64)
    for name, parameter in model.named_parameters():
        assert parameter.ndim == 1 or value(parameter).any(), name
    scramble(model)
    src, tgt = data(N, S, E), data(N, L, E, seed=1)
    mask = model.generate_square_subsequent_mask(L, dtype=fg.float64)
    assert mask.tolist() == [[0, -math.inf, -math.inf], [0, 0, -math.inf], [0, 0, 0]]
    memory, y = src.numpy(), tgt.numpy()
    for layer in model.encoder.layers:
        memory = encoder_layer(layer, memory, lambda x: np.maximum(x, 0))
    memory = norm(model.encoder.norm, memory)
    for layer in model.decoder.layers:
        y = decoder_layer(layer, y, memory, lambda x: np.maximum(x, 0), value(mask))
    expected = norm(model.decoder.norm, y)
    fg.testing.assert_close(model(src, tgt, tgt_mask=mask), expected, rtol=1e-8, atol=1e-9)
    fg.testing.assert_close(model(src, tgt, tgt_is_causal=True), expected, rtol=1e-8, atol=1e-9)
    check_gradients(model, lambda: model(src, tgt, tgt_mask=mask))


def test_length_first_is_the_default():
    layer = nn.TransformerEncoderLayer(E, HEADS, HIDDEN, 0.0, dtype=fg.float64)
    same = nn.TransformerEncoderLayer(E, HEADS, HIDDEN, 0.0, batch_first=True, dtype=fg.float64)
    same.load_state_dict(layer.state_dict())
    x = data(L, N, E)
    fg.testing.assert_close(layer(x), same(x.transpose(0, 1)).transpose(0, 1))
    fg.testing.assert_close(layer(x[:, 0]), layer(x)[:, 0])


def test_dropout_acts_while_training_alone():
    layer, x = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5), fg.rand((L, N, 8))
    assert layer(x).tolist() != layer(x).tolist()
    layer.eval()
    assert layer(x).tolist() == layer(x).tolist()


def test_errors():
    with pytest.raises(ValueError, match="TransformerEncoderLayer: expected activation"):
        nn.TransformerEncoderLayer(E, HEADS, activation="swish")
    with pytest.raises(ValueError, match="num_layers >= 0"):
        nn.TransformerEncoder(make(nn.TransformerEncoderLayer), -1)
    model = nn.Transformer(E, HEADS, 1, 1, HIDDEN)
    with pytest.raises(fg.ShapeError, match="Transformer: expected src and tgt of one batch size and 4 features"):
        model(fg.zeros((S, 2, E)), fg.zeros((L, 3, E)))
