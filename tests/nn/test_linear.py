"""Linear, Bilinear, Identity, Flatten, Unflatten."""

import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, check_round_trip, data, scramble


def test_linear_is_x_times_weight_transposed_plus_bias():
    layer = nn.Linear(3, 2, dtype=fg.float64)
    x = fg.testing.make_tensor(4, 5, 3, dtype=fg.float64)
    expected = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-12)
    assert layer.weight.shape == (2, 3)


def test_linear_without_bias():
    layer = nn.Linear(3, 2, bias=False)
    assert layer.bias is None
    assert layer(fg.zeros((1, 3))).tolist() == [[0.0, 0.0]]


def test_linear_starts_like_pytorchs():
    fg.manual_seed(0)
    layer = nn.Linear(400, 300)
    bound = 1 / math.sqrt(400)
    for values in (layer.weight.detach().numpy(), layer.bias.detach().numpy()):
        assert np.abs(values).max() <= bound
        assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_linear_gradients():
    layer = nn.Linear(2, 2, dtype=fg.float64)
    x = fg.testing.make_tensor(3, 2, dtype=fg.float64, requires_grad=True)
    assert fg.testing.gradcheck(lambda x, w, b: fg.nn.functional.linear(x, w, b), [x, layer.weight, layer.bias])


def write_in_place(layer):
    with fg.no_grad():
        layer.weight[0] = 3.0


def take_a_step(layer):
    layer.weight.grad = fg.ones_like(layer.weight)
    fg.optim.SGD([layer.weight], lr=0.5).step()


def load(layer):
    layer.load_state_dict({"weight": fg.testing.make_tensor(130, 90, seed=7), "bias": layer.bias.detach()})


def export(layer):
    np.from_dlpack(layer.weight.detach())


@pytest.mark.parametrize("change", [write_in_place, take_a_step, load, export])
def test_a_weight_kept_from_call_to_call_is_never_stale(change):
    layer, x = nn.Linear(90, 130), fg.testing.make_tensor(40, 90)
    with fg.no_grad():
        for _ in range(2):
            first = [layer(x).numpy() for _ in range(3)]
            weight, bias = layer.weight.detach().numpy().astype(np.float64), layer.bias.detach().numpy()
            assert all(np.array_equal(first[0], y) for y in first[1:])
            np.testing.assert_allclose(first[0], x.numpy() @ weight.T + bias, rtol=1e-4, atol=1e-4)
            with fg.enable_grad():
                change(layer)


@pytest.mark.parametrize("sizes", [(3, -1), (-3, 1)])
def test_linear_refuses_negative_sizes(sizes):
    with pytest.raises(ValueError, match="must not be negative"):
        nn.Linear(*sizes)


def test_linear_refuses_missing_and_fractional_sizes():
    with pytest.raises(TypeError, match="out_features is missing"):
        nn.Linear(3)
    with pytest.raises(TypeError, match="in_features must be an integer"):
        nn.Linear(3.5, 2)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(), (4,), (2, 5)], ids=str)
def test_bilinear(lead, bias):
    layer = scramble(nn.Bilinear(3, 4, 2, bias, dtype=fg.float64))
    x1, x2 = data(*lead, 3), data(*lead, 4, seed=1)
    expected = np.einsum("...i,oij,...j->...o", x1.numpy(), layer.weight.detach().numpy(), x2.numpy())
    expected = expected + layer.bias.detach().numpy() if bias else expected
    fg.testing.assert_close(layer(x1, x2), expected, rtol=1e-12)
    check_gradients(layer, lambda: layer(x1, x2))
    check_round_trip(layer, lambda made: made(x1, x2), lambda: nn.Bilinear(3, 4, 2, bias, dtype=fg.float64))
    x1.requires_grad = x2.requires_grad = True
    assert fg.testing.gradcheck(lambda a, b: layer(a, b), [x1, x2])


def test_bilinear_refuses_what_does_not_fit():
    with pytest.raises(fg.ShapeError, match=r"got \(2, 3\), \(2, 5\) and \(1, 3, 4\)"):
        nn.Bilinear(3, 4, 1)(fg.zeros((2, 3)), fg.zeros((2, 5)))


def test_identity():
    x = fg.ones(2)
    assert nn.Identity(54, unused=True)(x) is x


def test_flatten_and_unflatten_are_inverse():
    x = fg.testing.make_tensor(2, 3, 4, 5)
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)
    assert nn.Flatten(2, 2)(x).shape == x.shape
    assert nn.Unflatten(1, (3, -1, 5))(nn.Flatten()(x)).tolist() == x.tolist()
    assert nn.Flatten()(fg.zeros((0, 3, 2))).shape == (0, 6)


def test_flatten_and_unflatten_refuse_what_does_not_fit():
    with pytest.raises(fg.ShapeError, match="Flatten"):
        nn.Flatten(2, 1)(fg.zeros((1, 2, 3)))
    with pytest.raises(fg.ShapeError, match="product 12"):
        nn.Unflatten(1, (5, -1))(fg.zeros((2, 12)))
