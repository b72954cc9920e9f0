"""Positional encodings against their formulas in NumPy."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, check_round_trip, data


@pytest.mark.parametrize("features", [8, 7, 1])
def test_sinusoidal(features):
    layer = nn.SinusoidalPositionalEncoding(features, max_len=50, dtype=fg.float64)
    position, column = np.arange(50.0)[:, None], np.arange(features)
    angle = position / 10000.0 ** ((column - column % 2) / features)
    table = np.where(column % 2, np.cos(angle), np.sin(angle))
    x = data(2, 6, features)
    fg.testing.assert_close(layer(x), x.numpy() + table[:6], rtol=1e-12, atol=1e-12)
    fg.testing.assert_close(layer(x, start=44), x.numpy() + table[44:], rtol=1e-12, atol=1e-12)
    fg.testing.assert_close(layer(x[0]), x.numpy()[0] + table[:6], rtol=1e-12, atol=1e-12)
    assert layer.state_dict() == {}


def test_sinusoidal_length_first_and_dtypes():
    layer = nn.SinusoidalPositionalEncoding(4, batch_first=False)
    x = fg.zeros((3, 2, 4), dtype=fg.float16)
    output = layer(x)
    assert output.dtype == fg.float16
    fg.testing.assert_close(output[:, 1], layer.pe[:3].to(dtype=fg.float16))


def test_learned():
    layer = nn.LearnedPositionalEncoding(4, max_len=6, dtype=fg.float64)
    x = data(2, 3, 4)
    fg.testing.assert_close(layer(x, start=2), x.numpy() + layer.weight.detach().numpy()[2:5])
    check_gradients(layer, lambda: layer(x))
    check_round_trip(layer, lambda made: made(x), lambda: nn.LearnedPositionalEncoding(4, 6, dtype=fg.float64))
    assert 0.01 < nn.LearnedPositionalEncoding(64, 64).weight.detach().numpy().std() < 0.03


@pytest.mark.parametrize("kind", [nn.SinusoidalPositionalEncoding, nn.LearnedPositionalEncoding])
def test_added_encodings_refuse_what_does_not_fit(kind):
    layer = kind(4, max_len=5)
    with pytest.raises(fg.ShapeError, match=r"expected \(N, T, 4\) or \(T, 4\), got \(2, 3\)"):
        layer(fg.zeros((2, 3)))
    with pytest.raises(fg.ShapeError, match="positions below 5, got 3 to 5"):
        layer(fg.zeros((1, 3, 4)), start=3)


def turned(x, positions, base, interleaved):
    """Every pair as a complex number, multiplied by exp(i angle)."""
    half = x.shape[-1] // 2
    a, b = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    angle = positions[..., None] * base ** (-np.arange(half) / half)
    z = (a + 1j * b) * np.exp(1j * angle)
    return np.stack([z.real, z.imag], -1).reshape(x.shape) if interleaved else np.concatenate([z.real, z.imag], -1)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotary(interleaved):
    layer = nn.RotaryEmbedding(6, base=500.0, interleaved=interleaved)
    x = data(2, 3, 5, 6)
    expected = turned(x.numpy(), np.arange(5.0), 500.0, interleaved)
    fg.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    later = turned(x.numpy(), np.arange(70.0, 75.0), 500.0, interleaved)
    fg.testing.assert_close(layer(x, start=70), later, rtol=1e-12, atol=1e-12)
    positions = fg.tensor([[[3, 1, 0, 7, 7]], [[0, 1, 2, 3, 4]]])
    chosen = turned(x.numpy(), positions.numpy(), 500.0, interleaved)
    fg.testing.assert_close(layer(x, start=positions), chosen, rtol=1e-12, atol=1e-12)
    x.requires_grad = True
    assert fg.testing.gradcheck(lambda x: layer(x), x)


def test_rotary_scores_depend_on_the_distance_alone():
    layer = nn.RotaryEmbedding(8)
    q, k = data(1, 8), data(1, 8, seed=1)
    scores = [(layer(q, start=t + 5) @ layer(k, start=t).T).item() for t in (0, 17, 200)]
    np.testing.assert_allclose(scores, scores[0], rtol=1e-10)


def test_rotary_keeps_the_dtype_and_refuses_other_sizes():
    layer = nn.RotaryEmbedding(4)
    assert layer(fg.ones((3, 4), dtype=fg.float16)).dtype == fg.float16
    assert layer(fg.ones((3, 4))).dtype == fg.float32
    with pytest.raises(fg.ShapeError, match=r"expected \(\*, T, 4\), got \(3, 6\)"):
        layer(fg.ones((3, 6)))
    with pytest.raises(ValueError, match="dim must be even, got 5"):
        nn.RotaryEmbedding(5)
    with pytest.raises(ValueError, match="start must not be negative"):
        layer(fg.ones((3, 4)), start=-1)
