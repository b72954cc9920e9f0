"""Convolution layers against sums written out in NumPy."""

import itertools

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, data, scramble


def convolve(x, weight, bias, stride, padding, dilation, groups):
    """Cross-correlation over any number of dimensions, one output element at a time."""
    dims = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])
    kernel = weight.shape[2:]
    sizes = [(x.shape[2 + i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(dims)]
    out = np.zeros((x.shape[0], weight.shape[0], *sizes))
    per_group = weight.shape[0] // groups
    for channel in range(weight.shape[0]):
        first = channel // per_group * weight.shape[1]
        for position in itertools.product(*map(range, sizes)):
            window = tuple(
                slice(p * s, p * s + d * (k - 1) + 1, d)
                for p, s, d, k in zip(position, stride, dilation, kernel, strict=True)
            )
            patch = x[(slice(None), slice(first, first + weight.shape[1]), *window)]
            out[(slice(None), channel, *position)] = (patch * weight[channel]).sum(axis=tuple(range(1, dims + 2)))
    return out + bias.reshape(-1, *[1] * dims)


CASES = [
    (nn.Conv1d, {}, (2, 4, 9)),
    (nn.Conv1d, {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}, (1, 4, 11)),
    (nn.Conv2d, {}, (2, 4, 6, 5)),
    (nn.Conv2d, {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}, (1, 4, 7, 8)),
    (nn.Conv2d, {"groups": 4}, (2, 4, 5, 5)),
    (nn.Conv3d, {"padding": 1, "stride": 2}, (1, 4, 5, 4, 6)),
]


@pytest.mark.parametrize("kind, settings, shape", CASES)
def test_convolution_is_the_sum_over_windows(kind, settings, shape):
    layer = kind(shape[1], 8, 3, dtype=fg.float64, **settings)
    x = fg.testing.make_tensor(*shape, dtype=fg.float64)
    expected = convolve(
        x.numpy(),
        layer.weight.detach().numpy(),
        layer.bias.detach().numpy(),
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups,
    )
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mode, numpy_mode", [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_padding_modes_are_numpys(mode, numpy_mode):
    layer = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode, dtype=fg.float64)
    x = fg.testing.make_tensor(1, 2, 5, 6, dtype=fg.float64)
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (1, 1), (2, 2)], mode=numpy_mode)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = convolve(padded, weight, bias, (1, 1), (0, 0), (1, 1), 1)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect"])
def test_same_padding_keeps_the_size(padding_mode):
    layer = nn.Conv2d(1, 2, (3, 4), padding="same", dilation=(2, 1), padding_mode=padding_mode)
    assert layer(fg.ones((1, 1, 9, 8))).shape == (1, 2, 9, 8)


TRANSPOSED = [
    (nn.ConvTranspose1d, nn.functional.conv1d, (2, 4, 5), {"stride": 2}),
    (nn.ConvTranspose2d, nn.functional.conv2d, (1, 4, 4, 3), {"stride": 2, "padding": 1, "groups": 2}),
    (nn.ConvTranspose2d, nn.functional.conv2d, (1, 4, 3, 3), {"dilation": 2, "stride": 3, "output_padding": 1}),
    (nn.ConvTranspose3d, nn.functional.conv3d, (1, 4, 2, 3, 2), {"stride": 2}),
]


@pytest.mark.parametrize("kind, forward, shape, settings", TRANSPOSED)
def test_transposed_convolution_is_the_adjoint(kind, forward, shape, settings):
    """<convT(x), z> = <x, conv(z)> for every x and z."""
    layer = kind(shape[1], 6, 3, bias=False, dtype=fg.float64, **settings)
    x = fg.testing.make_tensor(*shape, dtype=fg.float64, seed=1)
    y = layer(x).detach()
    z = fg.testing.make_tensor(*y.shape, dtype=fg.float64, seed=2)
    back = forward(z, layer.weight.detach(), None, layer.stride, layer.padding, layer.dilation, layer.groups)
    assert back.shape == x.shape
    assert (y * z).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-10)


def test_transposed_convolution_reaches_an_output_size():
    layer = nn.ConvTranspose2d(2, 1, 3, stride=2, padding=1)
    x = fg.ones((1, 2, 5, 5))
    assert layer(x).shape == (1, 1, 9, 9)
    assert layer(x, output_size=(10, 9)).shape == (1, 1, 10, 9)
    with pytest.raises(fg.ShapeError, match=r"expected output_size from \[9, 9\] to \[10, 10\], got \(11, 9\)"):
        layer(x, output_size=(11, 9))


def test_weight_layouts_are_pytorchs():
    assert nn.Conv2d(4, 6, (3, 2), groups=2).weight.shape == (6, 2, 3, 2)
    assert nn.ConvTranspose2d(4, 6, (3, 2), groups=2).weight.shape == (4, 3, 3, 2)


def test_channels_are_found_at_the_first_call():
    layer, transposed = nn.Conv1d(None, 4, 3, groups=2), nn.ConvTranspose1d(None, 4, 3)
    assert layer(fg.ones((6, 10))).shape == (4, 8)
    assert transposed(fg.ones((1, 6, 10))).shape == (1, 4, 12)
    assert (layer.in_channels, transposed.in_channels) == (6, 6)
    with pytest.raises(fg.ShapeError, match="expected 4 dimensions"):
        nn.Conv2d(None, 1, 1)(fg.ones((2, 2)))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"groups": 3}, "groups must divide out_channels 8, got 3"),
        ({"stride": 0}, "stride must be an integer >= 1"),
        ({"dilation": 0}, "dilation must be an integer >= 1"),
        ({"padding": "full"}, "'same' or 'valid', got 'full'"),
        ({"padding": "same", "stride": 2}, "needs stride 1"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size must be an integer >= 1 or 2 of them"),
        ({"padding_mode": "mirror"}, "padding_mode"),
        ({"padding": -1}, "padding must not be negative"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        nn.Conv2d(4, 8, **{"kernel_size": 3, **settings})


def test_kernel_size_is_required():
    with pytest.raises(TypeError, match="kernel_size is missing"):
        nn.Conv2d(1, 2)


def test_depthwise_convolution_sees_one_channel_each():
    layer = nn.DepthwiseConv2d(3, 3, stride=2, padding=1, depth_multiplier=2, dtype=fg.float64)
    assert (layer.weight.shape, layer.groups, layer.out_channels) == ((6, 1, 3, 3), 3, 6)
    x = data(2, 3, 5, 6)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = convolve(x.numpy(), weight, bias, (2, 2), (1, 1), (1, 1), 3)
    fg.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    check_gradients(layer, lambda: layer(x))


def test_separable_convolution_is_depthwise_then_pointwise():
    layer = scramble(nn.SeparableConv2d(3, 4, 3, padding=1, depth_multiplier=2, dtype=fg.float64))
    assert list(layer.state_dict()) == ["depthwise.weight", "pointwise.weight", "pointwise.bias"]
    x = data(2, 3, 5, 6)
    depthwise = convolve(x.numpy(), layer.depthwise.weight.detach().numpy(), np.zeros(6), (1, 1), (1, 1), (1, 1), 3)
    pointwise = layer.pointwise.weight.detach().numpy()[:, :, 0, 0]
    expected = np.einsum("nchw,oc->nohw", depthwise, pointwise)
    expected += layer.pointwise.bias.detach().numpy()[:, None, None]
    fg.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    check_gradients(layer, lambda: layer(x))
