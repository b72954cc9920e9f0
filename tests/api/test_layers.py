"""Layers under Keras's names compute what Keras defines: NumPy says what that is."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import api

RNG = np.random.default_rng(0)


def array(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def correlate(x, w, stride=1):
    """Cross-correlation of (N, H, W, C) with (O, C, kH, kW), no padding."""
    kh, kw = w.shape[2:]
    rows = [
        [np.einsum("nhwc,ochw->no", x[:, i : i + kh, j : j + kw], w) for j in range(0, x.shape[2] - kw + 1, stride)]
        for i in range(0, x.shape[1] - kh + 1, stride)
    ]
    return np.array(rows).transpose(2, 0, 1, 3)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_convolution_pads_as_keras(kernel, stride):
    x, layer = array(2, 7, 8, 3), api.Conv2D(5, kernel, stride, padding="same")
    y = layer.forward(x)
    assert y.shape == (2, -(-7 // stride), -(-8 // stride), 5)
    amounts = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in (7, 8)]
    wide = np.pad(x, [(0, 0), *((a // 2, a - a // 2) for a in amounts), (0, 0)])
    np.testing.assert_allclose(y.detach().numpy(), correlate(wide, layer.weight.detach().numpy(), stride), atol=1e-5)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel, stride", [(2, 2), (3, 2), (4, 2), (3, 1), (1, 2), (5, 3)])
def test_transposed_convolution_is_the_gradient_of_the_convolution(kernel, stride, padding):
    down, up = api.Conv2D(2, kernel, stride, padding), api.Conv2DTranspose(3, kernel, stride, padding)
    y = array(1, 4, 5, 2)
    size = [n * stride + (max(kernel - stride, 0) if padding == "valid" else 0) for n in (4, 5)]
    x = fg.tensor(array(1, *size, 3), requires_grad=True)
    down_y = down.forward(x)
    up.forward(y)
    up.load_state_dict({"weight": down.weight.detach(), "bias": fg.zeros(3)})
    assert up.forward(y).shape == x.shape
    down_y.backward(fg.asarray(y))
    np.testing.assert_allclose(up.forward(y).detach().numpy(), x.grad.numpy(), atol=1e-5)


def test_causal_convolution_sees_no_future():
    layer, x = api.Conv1D(2, 3, padding="causal", dilation_rate=2), array(1, 9, 3)
    before = layer.forward(x).detach().numpy()
    x[:, 5:] += 1
    after = layer.forward(x).detach().numpy()
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).all()


LAYERS = {
    "conv": lambda: api.Conv2D(4, 3, strides=2, padding="same", activation="tanh"),
    "softmax": lambda: api.Conv2D(4, 1, activation="softmax"),
    "depthwise": lambda: api.DepthwiseConv2D(3, depth_multiplier=2),
    "separable": lambda: api.SeparableConv2D(4, 3, padding="same", activation="relu"),
    "transposed": lambda: api.Conv2DTranspose(4, 3, strides=2, padding="same"),
    "max": lambda: api.MaxPooling2D(3, strides=2, padding="same"),
    "mean": lambda: api.AveragePooling2D(3, strides=2, padding="same"),
    "global max": lambda: api.GlobalMaxPooling2D(keepdims=True),
    "global mean": lambda: api.GlobalAveragePooling2D(),
    "zeros": lambda: api.ZeroPadding2D(((1, 0), (0, 2))),
    "up": lambda: api.UpSampling2D((2, 3), interpolation="bilinear"),
    "norm": lambda: api.BatchNormalization(),
}


@pytest.mark.parametrize("name", LAYERS)
def test_channels_first_is_the_same_in_another_order(name):
    x = array(2, 6, 7, 3)
    last, first = LAYERS[name](), LAYERS[name]()
    for module in first.modules():
        module.data_format = "channels_first"
    expected, y = last(x), first(np.moveaxis(x, -1, 1))
    first.load_state_dict(last.state_dict())
    y = first(np.moveaxis(x, -1, 1))
    moved = fg.moveaxis(y, 1, -1) if y.ndim == 4 else y
    np.testing.assert_allclose(moved.detach().numpy(), expected.detach().numpy(), atol=2e-6)


def test_average_pooling_leaves_the_border_out():
    assert api.AveragePooling2D(2, padding="same").forward(np.ones((1, 3, 3, 1))).numpy().ravel().tolist() == [1.0] * 4
    assert api.MaxPooling1D(2, padding="same").forward(-np.ones((1, 3, 1))).numpy().ravel().tolist() == [-1.0] * 2


def test_batch_normalization_of_any_number_of_axes():
    for shape in [(8, 3), (8, 5, 3), (8, 5, 4, 3), (4, 2, 2, 2, 3)]:
        layer = api.BatchNormalization(momentum=0.0, epsilon=0.0)
        x = array(*shape)
        y = layer.forward(x).detach().numpy().reshape(-1, 3)
        np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(y.std(0), 1, atol=1e-4)
        np.testing.assert_allclose(layer.running_mean.numpy(), x.reshape(-1, 3).mean(0), atol=1e-5)
        finished = layer(x, residual=x, relu=True).detach().numpy()
        np.testing.assert_allclose(finished, np.maximum(y.reshape(shape) + x, 0), atol=1e-5)


@pytest.mark.parametrize("make", [lambda **k: api.Dense(3, **k), lambda **k: api.Conv2D(3, 1, **k)])
def test_weights_start_as_asked_and_may_be_frozen(make):
    x = np.ones((2, 4, 4, 5))[:, 0, 0] if "Dense" in repr(make()) else np.ones((2, 4, 4, 5))
    layer = make(kernel_initializer="ones", bias_initializer="ones", trainable=False)
    assert float(layer.forward(x).max()) == 6.0
    assert not any(weight.requires_grad for weight in layer.weights)
    glorot = make()
    glorot.forward(x)
    assert float(fg.abs(glorot.weight.detach()).max()) <= np.sqrt(6 / 8)
    assert float(fg.abs(glorot.bias.detach()).max()) == 0
    with pytest.raises(ValueError, match="initializer: unknown name, expected he_normal"):
        make(kernel_initializer="henormal")


def test_integers_are_numbers_except_for_embeddings():
    assert api.Dense(2).forward(np.ones((1, 3), np.uint8)).dtype == fg.float32
    table = api.Embedding(5, 2)
    assert table.forward(np.array([[0, 4]], np.uint8)).tolist() == table.weight[[[0, 4]]].tolist()
    assert api.Rescaling(1 / 255).forward(np.array([255], np.uint8)).item() == 1.0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: api.Conv2D(2, 3, padding="full"), "Conv2D: padding must be valid or same, got 'full'"),
        (lambda: api.Conv2D(2, 3, data_format="last"), "Conv2D: data_format must be channels_last"),
        (lambda: api.Dense(2, activation="relo"), "unknown activation, did you mean relu"),
        (lambda: api.Reshape((3, -1)).forward(np.zeros((1, 4))), r"Reshape: expected a shape of 4 values"),
        (lambda: api.MaxPooling2D((2, 2, 2)), "pool_size must be an integer"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
