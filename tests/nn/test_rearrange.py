"""Unfold, Fold, the shuffles and Upsample against loops in NumPy."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import data

SETTINGS = [
    {},
    {"stride": 2, "padding": 1},
    {"dilation": 2},
    {"padding": (1, 2), "stride": (2, 1), "dilation": (1, 2)},
]


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def windows(x, kernel, dilation=1, padding=0, stride=1):
    """All patches of (N, C, H, W), one column each."""
    dilation, padding, stride = pair(dilation), pair(padding), pair(stride)
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    columns = [
        x[:, :, i : i + spans[0] : dilation[0], j : j + spans[1] : dilation[1]].reshape(len(x), -1)
        for i in range(0, x.shape[2] - spans[0] + 1, stride[0])
        for j in range(0, x.shape[3] - spans[1] + 1, stride[1])
    ]
    return np.stack(columns, -1)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_unfold(settings):
    layer, x = nn.Unfold((2, 3), **settings), data(2, 3, 5, 7)
    expected = windows(x.numpy(), (2, 3), **settings)
    fg.testing.assert_close(layer(x), expected)
    fg.testing.assert_close(layer(x[0]), expected[0])


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_fold_is_the_adjoint_of_unfold(settings):
    unfold, fold = nn.Unfold((2, 3), **settings), nn.Fold((5, 7), (2, 3), **settings)
    x = data(2, 3, 5, 7)
    columns = unfold(x)
    y = data(*columns.shape, seed=1)
    image = fold(y)
    assert image.shape == x.shape
    assert (image * x).sum().item() == pytest.approx((y * columns).sum().item(), rel=1e-10)
    fg.testing.assert_close(fold(y[0]), image[0])
    y.requires_grad = True
    fold(y).backward(x)
    fg.testing.assert_close(y.grad, columns)


def test_unfold_is_a_convolution_as_a_product():
    conv, x = nn.Conv2d(3, 4, 3, padding=1, stride=2, bias=False, dtype=fg.float64), data(2, 3, 6, 6)
    columns = nn.Unfold(3, padding=1, stride=2)(x)
    fg.testing.assert_close((conv.weight.reshape((4, 27)) @ columns).reshape((2, 4, 3, 3)), conv(x), rtol=1e-10)


def test_unfold_and_fold_refuse_what_does_not_fit():
    with pytest.raises(fg.ShapeError, match="unfold: expected windows of"):
        nn.Unfold(4)(fg.zeros((1, 1, 3, 3)))
    with pytest.raises(ValueError, match="stride >= 1"):
        nn.Unfold(2, stride=0)(fg.zeros((1, 1, 3, 3)))
    with pytest.raises(fg.ShapeError, match=r"expected \(N, a multiple of 4, 4\)"):
        nn.Fold((3, 3), 2)(fg.zeros((1, 4, 5)))


def test_pixel_shuffle_places_channels_in_blocks():
    x = data(2, 8, 3, 4)
    y = nn.PixelShuffle(2)(x)
    assert y.shape == (2, 2, 6, 8)
    for i, j in np.ndindex(2, 2):
        np.testing.assert_array_equal(y.numpy()[:, :, i::2, j::2], x.numpy()[:, i * 2 + j :: 4])
    fg.testing.assert_close(nn.PixelUnshuffle(2)(y), x)
    fg.testing.assert_close(nn.PixelShuffle(2)(x[0]), y[0])
    with pytest.raises(fg.ShapeError, match=r"pixel_shuffle: expected \(\*, C 3\^2, H, W\)"):
        nn.PixelShuffle(3)(x)
    with pytest.raises(fg.ShapeError, match="pixel_unshuffle"):
        nn.PixelUnshuffle(2)(x)


def test_channel_shuffle_interleaves_groups():
    x = data(2, 6, 3, 2)
    fg.testing.assert_close(nn.ChannelShuffle(2)(x), x.numpy()[:, [0, 3, 1, 4, 2, 5]])
    with pytest.raises(fg.ShapeError, match="multiple of 4"):
        nn.ChannelShuffle(4)(x)


def test_upsample():
    x = data(1, 2, 2, 3)
    nearest = x.numpy().repeat(2, 2).repeat(2, 3)
    fg.testing.assert_close(nn.Upsample(scale_factor=2)(x), nearest)
    fg.testing.assert_close(nn.UpsamplingNearest2d((4, 6))(x), nearest)
    rows = np.array([[1, 0], [2 / 3, 1 / 3], [1 / 3, 2 / 3], [0, 1]])
    columns = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]])
    expected = rows @ x.numpy() @ columns.T
    fg.testing.assert_close(nn.UpsamplingBilinear2d((4, 5))(x), expected, rtol=1e-12)
    aligned = nn.Upsample((4, 5), mode="bilinear", align_corners=True)
    fg.testing.assert_close(aligned(x), expected, rtol=1e-12)
    assert repr(aligned) == "Upsample(size=(4, 5), mode='bilinear')"
