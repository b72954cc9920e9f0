"""Parametrizations: computed parameters, their names, their removal."""

import copy

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn.utils import parametrizations, parametrize
from harness.layers import check_gradients, check_round_trip, data, scramble


class Symmetric(nn.Module):
    def forward(self, w):
        return (w + w.T) / 2


class Scaled(nn.Module):
    def forward(self, w):
        return w * 3

    def right_inverse(self, w):
        return w / 3


X = data(4, 3)


def test_parameters_are_computed_in_order():
    layer = parametrize.register_parametrization(nn.Linear(3, 3, dtype=fg.float64), "weight", Symmetric())
    parametrize.register_parametrization(layer, "weight", Scaled())
    original = scramble(layer).parametrizations.weight.original.detach().numpy()
    expected = X.numpy() @ (3 * (original + original.T) / 2).T + layer.bias.detach().numpy()
    fg.testing.assert_close(layer(X), expected, rtol=1e-12)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert parametrize.is_parametrized(layer)
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    check_gradients(layer, lambda: layer(X))
    twin = copy.deepcopy(layer)
    nn.init.zeros_(twin.parametrizations.weight.original)
    assert (twin(X).detach().numpy() != layer(X).detach().numpy()).any()


@pytest.mark.parametrize("leave", [True, False])
def test_removal(leave):
    layer = nn.Linear(3, 3, dtype=fg.float64)
    start = layer.weight.detach().numpy()
    parametrize.register_parametrization(layer, "weight", Scaled())
    fg.testing.assert_close(layer.parametrizations.weight.original, start / 3)
    fg.testing.assert_close(layer.weight, start)
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave)
    fg.testing.assert_close(layer.weight, start if leave else start / 3)
    assert isinstance(layer.weight, nn.Parameter)
    assert list(layer.state_dict()) == ["bias", "weight"]
    assert not parametrize.is_parametrized(layer)
    assert not layer._forward_pre_hooks


MAKERS = {
    "weight_norm": lambda: parametrizations.weight_norm(nn.Conv2d(2, 3, 3, dtype=fg.float64)),
    "weight_norm of all": lambda: parametrizations.weight_norm(nn.Conv2d(2, 3, 3, dtype=fg.float64), dim=None),
    "spectral_norm": lambda: parametrizations.spectral_norm(nn.Conv2d(2, 3, 3, dtype=fg.float64)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_norms(name):
    make, x = MAKERS[name], data(1, 2, 4, 4)
    layer = make()
    for _ in range(300 if "spectral" in name else 1):
        layer(x)
    layer.eval()
    check_gradients(layer, lambda: layer(x))
    check_round_trip(layer, lambda made: made.eval()(x), make)
    if "spectral" in name:
        largest = np.linalg.svd(layer.weight.detach().numpy().reshape(3, -1))[1][0]
        assert largest == pytest.approx(1.0, rel=1e-6)
    else:
        with pytest.raises(ValueError, match="comes from several tensors"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)


def test_errors():
    class First(nn.Module):
        def forward(self, w):
            return w[:1]

    with pytest.raises(fg.ShapeError, match=r"weight to keep its shape \(3, 3\), got \(1, 3\)"):
        parametrize.register_parametrization(nn.Linear(3, 3), "weight", First())
    with pytest.raises(ValueError, match=r"register_parametrization: expected Linear\.slope"):
        parametrize.register_parametrization(nn.Linear(3, 3), "slope", Symmetric())
    with pytest.raises(ValueError, match="to be computed, got a plain parameter"):
        parametrize.remove_parametrizations(nn.Linear(3, 3), "weight")
