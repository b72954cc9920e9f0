"""Activation layers against their formulas in NumPy."""

import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn

X = np.linspace(-7, 7, 57)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def phi(x):
    return np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])


CASES = [
    (nn.ReLU(), np.maximum(X, 0)),
    (nn.ReLU6(), np.clip(X, 0, 6)),
    (nn.LeakyReLU(0.2), np.where(X > 0, X, 0.2 * X)),
    (nn.ELU(1.5), np.where(X > 0, X, 1.5 * np.expm1(X))),
    (nn.SELU(), SELU_SCALE * np.where(X > 0, X, SELU_ALPHA * np.expm1(X))),
    (nn.CELU(2.0), np.maximum(X, 0) + np.minimum(0, 2 * np.expm1(X / 2))),
    (nn.GELU(), X * phi(X)),
    (nn.GELU("tanh"), 0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X**3)))),
    (nn.SiLU(), X * sigmoid(X)),
    (nn.Mish(), X * np.tanh(np.log1p(np.exp(X)))),
    (nn.Sigmoid(), sigmoid(X)),
    (nn.LogSigmoid(), np.log(sigmoid(X))),
    (nn.Tanh(), np.tanh(X)),
    (nn.Tanhshrink(), X - np.tanh(X)),
    (nn.Softplus(), np.log1p(np.exp(X))),
    (nn.Softplus(2.0, 5.0), np.where(2 * X > 5, X, np.log1p(np.exp(2 * X)) / 2)),
    (nn.Softsign(), X / (1 + np.abs(X))),
    (nn.Softshrink(0.75), np.sign(X) * np.maximum(np.abs(X) - 0.75, 0)),
    (nn.Hardshrink(0.75), np.where(np.abs(X) > 0.75, X, 0)),
    (nn.Hardtanh(-2.0, 3.0), np.clip(X, -2, 3)),
    (nn.Hardsigmoid(), np.clip(X + 3, 0, 6) / 6),
    (nn.Hardswish(), X * np.clip(X + 3, 0, 6) / 6),
    (nn.Threshold(1.0, -5.0), np.where(X > 1, X, -5)),
    (nn.RReLU(0.2, 0.6).eval(), np.where(X > 0, X, 0.4 * X)),
    (nn.Softmax(0), np.exp(X) / np.exp(X).sum()),
    (nn.Softmin(0), np.exp(-X) / np.exp(-X).sum()),
    (nn.LogSoftmax(0), X - np.log(np.exp(X).sum())),
    (nn.PReLU(dtype=fg.float64), np.where(X > 0, X, 0.25 * X)),
]


@pytest.mark.parametrize(
    "layer, expected", CASES, ids=lambda value: repr(value) if isinstance(value, nn.Module) else ""
)
def test_activation(layer, expected):
    np.testing.assert_allclose(layer(fg.asarray(X)).detach().numpy(), expected, rtol=1e-12, atol=1e-13)


def test_every_activation_is_tested():
    rooms = ("ferrograd.nn.activation", "ferrograd.nn.softmax")
    defined = {n for n, v in vars(nn).items() if isinstance(v, type) and v.__module__ in rooms}
    assert {type(layer).__name__ for layer, _ in CASES} == defined - {"GLU", "Softmax2d"}


def test_glu_halves_its_dimension():
    x = fg.testing.make_tensor(4, 6, dtype=fg.float64)
    a, b = np.split(x.numpy(), 2, axis=0)
    np.testing.assert_allclose(nn.GLU(0)(x).numpy(), a * sigmoid(b), rtol=1e-12)
    with pytest.raises(ValueError, match="glu"):
        nn.GLU()(fg.zeros(3))


def test_softmax2d_normalises_channels():
    x = fg.testing.make_tensor(2, 3, 4, 5, dtype=fg.float64)
    expected = np.exp(x.numpy()) / np.exp(x.numpy()).sum(1, keepdims=True)
    np.testing.assert_allclose(nn.Softmax2d()(x).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(nn.Softmax2d()(x[0]).numpy(), expected[0], rtol=1e-12)
    with pytest.raises(fg.ShapeError, match="Softmax2d"):
        nn.Softmax2d()(fg.zeros((2, 3)))


def test_rrelu_draws_slopes_while_training():
    slopes = -nn.RReLU(0.25, 0.75)(-fg.ones(1000, dtype=fg.float64)).numpy()
    assert slopes.min() >= 0.25
    assert slopes.max() < 0.75
    assert slopes.mean() == pytest.approx(0.5, abs=0.02)
    assert nn.RReLU()(fg.tensor([3.0])).tolist() == [3.0]
    x = -fg.ones(5, dtype=fg.float64)
    x.requires_grad = True
    y = nn.RReLU()(x)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), -y.detach().numpy())
    with pytest.raises(ValueError, match="lower <= upper"):
        nn.RReLU(0.5, 0.25)


def test_gumbel_softmax_samples_the_distribution():
    logits = fg.log(fg.tensor([0.1, 0.3, 0.6], dtype=fg.float64)).expand((4000, 3))
    hard = nn.functional.gumbel_softmax(logits, tau=0.5, hard=True)
    assert set(hard.numpy().ravel()) <= {0.0, 1.0} or np.allclose(hard.numpy() * (1 - hard.numpy()), 0)
    np.testing.assert_allclose(hard.numpy().mean(0), [0.1, 0.3, 0.6], atol=0.03)
    x = fg.zeros((2, 3), dtype=fg.float64)
    x.requires_grad = True
    soft = nn.functional.gumbel_softmax(x)
    np.testing.assert_allclose(soft.detach().numpy().sum(1), 1.0)
    soft[:, 0].sum().backward()
    assert x.grad.numpy().any()


def test_prelu_has_a_slope_per_channel():
    layer = nn.PReLU(2)
    fg.nn.init.uniform_(layer.weight)
    slopes = layer.weight.detach().numpy()
    out = layer(-fg.ones((1, 2, 3)))
    np.testing.assert_allclose(out.detach().numpy(), -np.broadcast_to(slopes[None, :, None], (1, 2, 3)))
    out.sum().backward()
    assert layer.weight.grad.tolist() == [-3.0, -3.0]


def test_functions_accept_inplace_and_leave_their_input():
    x = fg.tensor([-1.0, 2.0])
    assert nn.functional.relu(x, inplace=True).tolist() == [0.0, 2.0]
    assert nn.functional.leaky_relu(x, 0.5, inplace=False).tolist() == [-0.5, 2.0]
    assert x.tolist() == [-1.0, 2.0]
    with pytest.raises(TypeError, match="gelu: unexpected keyword argument"):
        nn.functional.gelu(x, inplace=True)
    with pytest.raises(TypeError):
        nn.functional.relu(x, inplace="yes")


def test_repr_shows_the_settings():
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.ReLU(inplace=True)) == "ReLU(inplace=True)"
    assert repr(nn.Softplus()) == "Softplus(beta=1.0, threshold=20.0)"
