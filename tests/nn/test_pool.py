"""Pooling layers against windows taken in NumPy."""

import itertools

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn


def pool(x, reduce, kernel, stride, padding=0, fill=0.0):
    dims = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(padding, padding)] * dims], constant_values=fill)
    sizes = [(n - kernel) // stride + 1 for n in x.shape[2:]]
    out = np.zeros((*x.shape[:2], *sizes))
    for position in itertools.product(*map(range, sizes)):
        window = tuple(slice(p * stride, p * stride + kernel) for p in position)
        out[(slice(None), slice(None), *position)] = reduce(
            x[(slice(None), slice(None), *window)], axis=tuple(range(2, dims + 2))
        )
    return out


SHAPES = {1: (2, 3, 9), 2: (2, 3, 7, 8), 3: (1, 2, 5, 6, 5)}
MAX = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVG = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
ADAPTIVE_AVG = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
ADAPTIVE_MAX = {1: nn.AdaptiveMaxPool1d, 2: nn.AdaptiveMaxPool2d, 3: nn.AdaptiveMaxPool3d}


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_max_pool(dims):
    x = fg.testing.make_tensor(*SHAPES[dims])
    np.testing.assert_array_equal(MAX[dims](2)(x).numpy(), pool(x.numpy(), np.max, 2, 2).astype(np.float32))
    expected = pool(x.numpy(), np.max, 3, 2, 1, -np.inf).astype(np.float32)
    np.testing.assert_array_equal(MAX[dims](3, stride=2, padding=1)(x).numpy(), expected)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_avg_pool(dims):
    x = fg.testing.make_tensor(*SHAPES[dims], dtype=fg.float64)
    np.testing.assert_allclose(AVG[dims](3, 2, 1)(x).numpy(), pool(x.numpy(), np.mean, 3, 2, 1), rtol=1e-12)
    counts = pool(np.ones(SHAPES[dims]), np.mean, 3, 2, 1)
    inside = AVG[dims](3, 2, 1, count_include_pad=False)(x).numpy()
    np.testing.assert_allclose(inside, pool(x.numpy(), np.mean, 3, 2, 1) / counts, rtol=1e-12)


def test_avg_pool_divisor():
    assert nn.AvgPool2d(2, divisor_override=1)(fg.ones((1, 1, 2, 2))).tolist() == [[[[4.0]]]]


def test_ceil_mode_takes_the_rest():
    x = fg.arange(5, dtype=fg.float32).reshape((1, 1, 5))
    assert nn.MaxPool1d(2)(x).tolist() == [[[1.0, 3.0]]]
    assert nn.MaxPool1d(2, ceil_mode=True)(x).tolist() == [[[1.0, 3.0, 4.0]]]


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_adaptive_pools_cover_the_input_evenly(dims):
    x = fg.testing.make_tensor(*SHAPES[dims], dtype=fg.float64)
    for layer, reduce in ((ADAPTIVE_AVG[dims](2), np.mean), (ADAPTIVE_MAX[dims](2), np.max)):
        out = layer(x).numpy()
        assert out.shape == (*SHAPES[dims][:2], *[2] * dims)
        for position in itertools.product(range(2), repeat=dims):
            window = tuple(
                slice(p * n // 2, -(-(p + 1) * n // 2)) for p, n in zip(position, SHAPES[dims][2:], strict=True)
            )
            expected = reduce(x.numpy()[(slice(None), slice(None), *window)], axis=tuple(range(2, dims + 2)))
            np.testing.assert_allclose(out[(slice(None), slice(None), *position)], expected, rtol=1e-12)


def test_adaptive_pool_none_keeps_a_size():
    assert nn.AdaptiveAvgPool2d((None, 1))(fg.ones((1, 1, 5, 4))).shape == (1, 1, 5, 1)


def test_gradient_of_max_pool_goes_to_the_largest():
    x = fg.tensor([[[1.0, 4.0, 2.0, 3.0]]], requires_grad=True)
    nn.MaxPool1d(2)(x).sum().backward()
    assert x.grad.tolist() == [[[0.0, 1.0, 0.0, 1.0]]]


def test_padding_above_half_the_kernel_is_an_error():
    with pytest.raises(ValueError, match="pad"):
        nn.MaxPool2d(2, padding=2)(fg.ones((1, 1, 4, 4)))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_lp_pool(dims):
    kind = getattr(nn, f"LPPool{dims}d")
    x = fg.testing.make_tensor(*SHAPES[dims], dtype=fg.float64)
    root = lambda window, axis: np.sqrt((window**2).sum(axis))  # noqa: E731
    fg.testing.assert_close(kind(2, 3, 2)(x), pool(x.numpy(), root, 3, 2), rtol=1e-12)
    fg.testing.assert_close(kind(1, 2)(x), pool(x.numpy(), np.sum, 2, 2), rtol=1e-12, atol=1e-12)


def test_lp_pool_of_zeros_has_a_gradient_of_zero():
    x = fg.tensor([[[0.0, 0.0, 3.0, 4.0]]], dtype=fg.float64, requires_grad=True)
    y = nn.LPPool1d(2, 2)(x)
    y.sum().backward()
    assert y.tolist() == [[[0.0, 5.0]]]
    np.testing.assert_allclose(x.grad.numpy(), [[[0.0, 0.0, 0.6, 0.8]]], rtol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_global_pools(dims):
    x = fg.testing.make_tensor(*SHAPES[dims], dtype=fg.float64)
    axes = tuple(range(2, dims + 2))
    average, largest = getattr(nn, f"GlobalAvgPool{dims}d"), getattr(nn, f"GlobalMaxPool{dims}d")
    fg.testing.assert_close(average()(x), x.numpy().mean(axes), rtol=1e-12)
    fg.testing.assert_close(largest()(x), x.numpy().max(axes))
    assert average(keepdims=True)(x).shape == (*SHAPES[dims][:2], *[1] * dims)
    with pytest.raises(fg.ShapeError, match=f"GlobalAvgPool{dims}d: expected {dims + 2} dimensions"):
        average()(x[0])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_max_unpool_puts_maxima_back(dims):
    x = fg.testing.make_tensor(*SHAPES[dims], dtype=fg.float64)
    values, indices = MAX[dims](2, return_indices=True)(x)
    placed = getattr(nn, f"MaxUnpool{dims}d")(2)(values, indices, output_size=SHAPES[dims])
    kept = placed.numpy() != 0
    assert placed.shape == x.shape
    assert kept.sum() == values.size
    np.testing.assert_array_equal(placed.numpy()[kept], x.numpy()[kept])
    values = values.detach()
    values.requires_grad = True
    layer = getattr(nn, f"MaxUnpool{dims}d")(2)
    assert fg.testing.gradcheck(lambda v: layer(v, indices, SHAPES[dims]), values)


def test_max_unpool_refuses_what_does_not_fit():
    values, indices = nn.MaxPool2d(2, return_indices=True)(fg.rand((1, 1, 4, 4)))
    with pytest.raises(fg.ShapeError, match=r"within a stride \(2, 2\) of \(4, 4\), got \(6, 4\)"):
        nn.MaxUnpool2d(2)(values, indices, (6, 4))
    with pytest.raises(fg.ShapeError, match="of one shape"):
        nn.MaxUnpool2d(2)(values, indices[..., :1])
    with pytest.raises(IndexError):
        nn.MaxUnpool2d(2)(values, indices + 10)


def test_adaptive_max_pool_says_where():
    x = fg.testing.make_tensor(1, 2, 6)
    values, indices = nn.AdaptiveMaxPool1d(3, return_indices=True)(x)
    np.testing.assert_array_equal(np.take_along_axis(x.numpy(), indices.numpy(), 2), values.numpy())
