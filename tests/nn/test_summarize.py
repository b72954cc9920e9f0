"""summary: rows, shapes, counts."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn


class Net(nn.Module):
    def __init__(self):
        self.scale = nn.Parameter(fg.ones(4))
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.features(x).mean(axis=(2, 3)) * self.scale)


def by_path(found):
    return {layer.path: layer for layer in found.layers}


def test_rows_shapes_and_counts():
    found = nn.summary(Net(), (2, 3, 8, 6))
    assert [(layer.path, layer.kind, layer.depth) for layer in found.layers] == [
        ("", "Net", 0),
        ("features", "Sequential", 1),
        ("features.0", "Conv2d", 2),
        ("features.1", "BatchNorm2d", 2),
        ("features.2", "ReLU", 2),
        ("head", "Linear", 1),
    ]
    layers = by_path(found)
    assert layers["features.0"].output_shapes == [(2, 4, 8, 6)]
    assert layers["features.0"].parameters == 3 * 4 * 9 + 4
    assert layers["features.0"].macs == 2 * 4 * 8 * 6 * 27
    assert layers["head"].macs == 2 * 4 * 2
    assert layers[""].parameters == 4
    assert found.parameters == sum(layer.parameters for layer in found.layers) == 4 + 112 + 8 + 10
    assert found.macs == 2 * 4 * 8 * 6 * 27 + 16
    assert found.activation_bytes == 4 * (3 * 2 * 4 * 8 * 6 + 4)
    assert found.input_bytes == 4 * 2 * 3 * 8 * 6
    assert found.training_bytes == found.input_bytes + found.activation_bytes + 2 * found.parameter_bytes


def test_the_model_stays_as_it_was():
    net = Net()
    net.head.eval()
    before = {name: value.tolist() for name, value in net.state_dict().items()}
    nn.summary(net, (2, 3, 8, 8))
    assert {name: value.tolist() for name, value in net.state_dict().items()} == before
    assert (net.training, net.features.training, net.head.training) == (True, True, False)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    with pytest.raises(fg.ShapeError):
        nn.summary(net, (2, 4, 8, 8))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_transposed_convolutions_count_their_inputs():
    found = nn.summary(nn.ConvTranspose2d(3, 4, 2, stride=2), (1, 3, 5, 5))
    assert found.macs == 3 * 25 * 4 * 4


@pytest.mark.parametrize("batch_first", [False, True])
def test_attention_counts_projections_and_products(batch_first):
    layer = nn.MultiheadAttention(8, 2, batch_first=batch_first)
    length, keys, batch = 3, 5, 2
    shapes = [(batch, n, 8) if batch_first else (n, batch, 8) for n in (length, keys, keys)]
    found = nn.summary(layer, shapes)
    products = 2 * batch * length * keys * 8
    assert found.macs == batch * (2 * length + 2 * keys) * 64 + products
    # The output projection is not called as a layer; its parameters belong to the attention.
    assert [layer.kind for layer in found.layers] == ["MultiheadAttention"]
    assert found.layers[0].parameters == found.parameters == 4 * 64 + 32
    assert len(found.layers[0].output_shapes) == 2


def test_a_shared_layer_is_listed_twice_and_counted_once():
    shared = nn.Linear(3, 3)
    found = nn.summary(nn.Sequential(shared, nn.Tanh(), shared), (2, 3))
    assert [layer.parameters for layer in found.layers if layer.kind == "Linear"] == [12, 0]
    assert found.parameters == 12
    assert found.macs == 2 * 2 * 9


def test_integer_inputs_frozen_parameters_and_unknown_sizes():
    net = nn.Sequential(nn.Embedding(10, 4), nn.Linear(out_features=2))
    net[0].requires_grad_(False)
    text = str(nn.summary(net, (3, 7), dtype=fg.int64))
    assert net[1].in_features == 4
    assert "40 of them frozen" in text
    assert "(3, 7, 2)" in text
    found = nn.summary(nn.Bilinear(2, 3, 4), [fg.ones((5, 2)), fg.ones((5, 3))])
    assert found.macs == 5 * 4 * 2 * 3
    assert np.prod(found.layers[0].output_shapes) == 20
