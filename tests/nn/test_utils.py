"""nn.utils: weight and spectral normalisation, parameters as a vector."""

import copy

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn import utils
from harness.layers import check_gradients, check_round_trip, data, scramble

LAYERS = {
    "linear": (lambda: nn.Linear(4, 3, dtype=fg.float64), (5, 4)),
    "conv": (lambda: nn.Conv2d(2, 3, 3, dtype=fg.float64), (2, 2, 5, 5)),
    "transposed": (lambda: nn.ConvTranspose2d(2, 3, 3, dtype=fg.float64), (2, 2, 4, 4)),
}


@pytest.mark.parametrize("dim", [0, 1, -1, None])
@pytest.mark.parametrize("name", LAYERS)
def test_weight_norm(name, dim):
    make, shape = LAYERS[name]
    plain, x = make(), data(*shape)
    layer = utils.weight_norm(copy.deepcopy(plain), dim=dim)
    fg.testing.assert_close(layer(x), plain(x), rtol=1e-10)
    scramble(layer, 0.5, 1.5)
    layer(x)
    v, g = layer.weight_v.detach().numpy(), layer.weight_g.detach().numpy()
    axes = None if dim is None else tuple(a for a in range(v.ndim) if a != dim % v.ndim)
    norm = np.sqrt((v**2).sum(axes, keepdims=dim is not None))
    fg.testing.assert_close(layer.weight, v * g / norm, rtol=1e-12)
    check_gradients(layer, lambda: layer(x))
    check_round_trip(layer, lambda made: made(x), lambda: utils.weight_norm(make(), dim=dim))
    expected = layer(x).detach()
    utils.remove_weight_norm(layer)
    assert isinstance(layer.weight, nn.Parameter)
    assert list(layer.state_dict()) == ["bias", "weight"]
    fg.testing.assert_close(layer(x), expected)
    assert not layer._forward_pre_hooks


@pytest.mark.parametrize("name", LAYERS)
def test_spectral_norm_divides_by_the_largest_singular_value(name):
    make, shape = LAYERS[name]
    layer, x = utils.spectral_norm(make()), data(*shape)
    for _ in range(200):
        layer(x)
    weight = layer.weight_orig.detach().numpy()
    rows = np.moveaxis(weight, 1 if name == "transposed" else 0, 0)
    largest = np.linalg.svd(rows.reshape(len(rows), -1))[1][0]
    fg.testing.assert_close(layer.weight, weight / largest, rtol=1e-6)
    layer.eval()
    check_gradients(layer, lambda: layer(x))
    check_round_trip(layer, lambda made: made(x), lambda: utils.spectral_norm(make()).eval())
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    expected = layer(x).detach()
    utils.remove_spectral_norm(layer)
    assert list(layer.state_dict()) == ["bias", "weight"]
    fg.testing.assert_close(layer(x), expected)


def test_spectral_norm_improves_while_training_alone():
    layer, x = utils.spectral_norm(nn.Linear(4, 3), n_power_iterations=2), fg.ones((1, 4))
    before = layer.weight_u.tolist()
    layer.eval()(x)
    assert layer.weight_u.tolist() == before
    layer.train()(x)
    assert layer.weight_u.tolist() != before


def test_two_calls_before_backward_use_their_own_vectors():
    layer, x = utils.spectral_norm(nn.Linear(3, 2, dtype=fg.float64)), data(4, 3)
    outputs = [layer(x), layer(x)]
    (outputs[0] + outputs[1]).sum().backward()
    assert np.isfinite(layer.weight_orig.grad.numpy()).all()


def test_normalised_layers_move_and_copy():
    layer = utils.weight_norm(nn.Linear(3, 2)).to(fg.float64)
    x = data(2, 3)
    twin = copy.deepcopy(layer)
    fg.testing.assert_close(twin(x), layer(x))
    nn.init.zeros_(twin.weight_g)
    assert (layer(x).detach().numpy() != twin(x).detach().numpy()).any()


def test_errors():
    with pytest.raises(ValueError, match=r"Linear\.weight to be a parameter with a shape, got UninitializedParameter"):
        utils.weight_norm(nn.Linear(out_features=2))
    with pytest.raises(ValueError, match="got a computed tensor"):
        utils.weight_norm(utils.weight_norm(nn.Linear(2, 2)))
    with pytest.raises(ValueError, match="got NoneType"):
        utils.weight_norm(nn.Linear(2, 2), "slope")
    with pytest.raises(ValueError, match="got a plain parameter"):
        utils.remove_weight_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="n_power_iterations >= 1"):
        utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)


def test_parameters_as_a_vector():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    vector = utils.parameters_to_vector(net.parameters())
    expected = np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])
    fg.testing.assert_close(vector, expected)
    objects = [id(p) for p in net.parameters()]
    utils.vector_to_parameters(vector.detach() * 2, net.parameters())
    fg.testing.assert_close(utils.parameters_to_vector(net.parameters()), expected * 2)
    assert [id(p) for p in net.parameters()] == objects
    with pytest.raises(fg.ShapeError, match=r"expected a vector \(11,\), got \(10,\)"):
        utils.vector_to_parameters(vector[:10], net.parameters())
    with pytest.raises(ValueError, match="at least one parameter"):
        utils.parameters_to_vector([])
