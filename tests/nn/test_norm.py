"""Normalisation layers against their formulas in NumPy."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients


def normalise(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def data(*shape):
    return fg.testing.make_tensor(*shape, low=-1, high=4, dtype=fg.float64)


def shaped(values, ndim):
    return values.detach().numpy().reshape(1, -1, *[1] * (ndim - 2))


def perturb(layer):
    for i, parameter in enumerate(layer.parameters()):
        nn.init.uniform_(parameter, 0.5, 1.5, generator=fg.Generator(i))


BATCH = [(nn.BatchNorm1d, (6, 3)), (nn.BatchNorm1d, (4, 3, 5)), (nn.BatchNorm2d, (4, 3, 2, 5))]
BATCH += [(nn.BatchNorm3d, (2, 3, 2, 2, 3))]


@pytest.mark.parametrize("kind, shape", BATCH)
def test_batch_norm_while_training(kind, shape):
    layer = kind(3, eps=1e-3, momentum=0.25, dtype=fg.float64)
    perturb(layer)
    x = data(*shape)
    axes = (0, *range(2, len(shape)))
    expected = normalise(x.numpy(), axes, 1e-3) * shaped(layer.weight, x.ndim) + shaped(layer.bias, x.ndim)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.25 * x.numpy().mean(axes), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.75 + 0.25 * x.numpy().var(axes, ddof=1), rtol=1e-12)
    assert layer.num_batches_tracked.item() == 1


@pytest.mark.parametrize("kind, shape", BATCH)
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_with_a_residual_and_a_relu(kind, shape, training):
    layer, plain = kind(3, dtype=fg.float64), kind(3, dtype=fg.float64)
    perturb(layer)
    plain.load_state_dict(layer.state_dict())
    x, residual = (fg.testing.make_tensor(*shape, seed=seed, dtype=fg.float64) for seed in (1, 2))
    inputs = [t.requires_grad_() for t in (x, residual)]
    together = layer.train(training)(*inputs, relu=True)
    apart = nn.functional.relu(plain.train(training)(x) + residual)
    np.testing.assert_allclose(together.detach().numpy(), apart.detach().numpy(), rtol=1e-12)
    together.backward(fg.ones(shape, dtype=fg.float64))
    grads = [t.grad.numpy() for t in (*inputs, layer.weight, layer.bias)]
    for t in inputs:
        t.grad = None
    apart.backward(fg.ones(shape, dtype=fg.float64))
    for grad, t in zip(grads, (*inputs, plain.weight, plain.bias), strict=True):
        np.testing.assert_allclose(grad, t.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_batch_norm_in_eval_uses_the_running_statistics():
    layer = nn.BatchNorm2d(2, dtype=fg.float64)
    for seed in range(3):
        layer(fg.testing.make_tensor(4, 2, 3, 3, seed=seed, dtype=fg.float64))
    mean, var = layer.running_mean.numpy().copy(), layer.running_var.numpy().copy()
    x = data(1, 2, 3, 3)
    expected = (x.numpy() - mean.reshape(1, 2, 1, 1)) / np.sqrt(var.reshape(1, 2, 1, 1) + 1e-5)
    np.testing.assert_allclose(layer.eval()(x).detach().numpy(), expected, rtol=1e-10)
    np.testing.assert_array_equal(layer.running_mean.numpy(), mean)
    assert layer.num_batches_tracked.item() == 3


def test_batch_norm_cumulative_average():
    layer = nn.BatchNorm1d(2, momentum=None, dtype=fg.float64)
    batches = [fg.testing.make_tensor(5, 2, seed=seed, dtype=fg.float64) for seed in range(4)]
    for batch in batches:
        layer(batch)
    expected = np.mean([batch.numpy().mean(0) for batch in batches], axis=0)
    np.testing.assert_allclose(layer.running_mean.numpy(), expected, rtol=1e-12)


def test_batch_norm_without_running_statistics():
    layer = nn.BatchNorm1d(2, affine=False, track_running_stats=False, dtype=fg.float64).eval()
    assert list(layer.state_dict()) == []
    x = data(5, 2)
    np.testing.assert_allclose(layer(x).numpy(), normalise(x.numpy(), (0,), 1e-5), rtol=1e-10)


def test_batch_norm_refuses_one_value_per_channel():
    with pytest.raises(ValueError, match="batch_norm"):
        nn.BatchNorm1d(2)(fg.ones((1, 2)))


def test_batch_norm_refuses_other_dimensions():
    with pytest.raises(fg.ShapeError, match="BatchNorm2d: expected 4 dimensions"):
        nn.BatchNorm2d(2)(fg.ones((1, 2, 3)))


def test_layer_norm():
    layer = nn.LayerNorm((3, 4), dtype=fg.float64)
    perturb(layer)
    x = data(2, 3, 4)
    expected = normalise(x.numpy(), (1, 2), 1e-5) * layer.weight.detach().numpy() + layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10)
    assert nn.LayerNorm(4, bias=False).bias is None
    assert list(nn.LayerNorm(4, elementwise_affine=False).parameters()) == []


def test_layer_norm_of_large_numbers_is_accurate():
    x = 1e8 + data(3, 64)
    expected = normalise(x.numpy(), (1,), 1e-5)
    np.testing.assert_allclose(nn.LayerNorm(64, dtype=fg.float64)(x).detach().numpy(), expected, atol=1e-6)


def test_rms_norm():
    layer = nn.RMSNorm(4, eps=1e-3, dtype=fg.float64)
    perturb(layer)
    x = data(2, 3, 4)
    expected = x.numpy() / np.sqrt((x.numpy() ** 2).mean(-1, keepdims=True) + 1e-3) * layer.weight.detach().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("kind", [nn.LayerNorm, nn.RMSNorm])
def test_a_residual_is_added_before_the_norm(kind):
    layer = kind(dtype=fg.float64)
    x, residual = data(2, 3, 4), data(2, 3, 4) + 1.0
    total, normed = layer(x, residual=residual)
    assert layer.normalized_shape == (4,)
    np.testing.assert_array_equal(total.numpy(), x.numpy() + residual.numpy())
    np.testing.assert_array_equal(normed.detach().numpy(), layer(x + residual).detach().numpy())
    with pytest.raises(fg.ShapeError, match=r"expected a residual of shape \(2, 3, 4\), got \(4,\)"):
        layer(x, residual=fg.ones(4, dtype=fg.float64))


def test_group_norm():
    layer = nn.GroupNorm(2, 6, dtype=fg.float64)
    perturb(layer)
    x = data(2, 6, 3, 2)
    grouped = normalise(x.numpy().reshape(2, 2, 3, 3, 2), (2, 3, 4), 1e-5).reshape(2, 6, 3, 2)
    expected = grouped * shaped(layer.weight, 4) + shaped(layer.bias, 4)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10)
    with pytest.raises(ValueError, match="must divide num_channels 6, got 4"):
        nn.GroupNorm(4, 6)


@pytest.mark.parametrize("kind, shape", [(nn.InstanceNorm1d, (2, 3, 5)), (nn.InstanceNorm2d, (2, 3, 4, 2))])
def test_instance_norm(kind, shape):
    layer = kind(3, affine=True, dtype=fg.float64)
    perturb(layer)
    x = data(*shape)
    axes = tuple(range(2, len(shape)))
    expected = normalise(x.numpy(), axes, 1e-5) * shaped(layer.weight, x.ndim) + shaped(layer.bias, x.ndim)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(layer(x[0]).detach().numpy(), expected[0], rtol=1e-10)


def test_instance_norm_running_statistics():
    layer = nn.InstanceNorm1d(2, track_running_stats=True, dtype=fg.float64)
    x = data(3, 2, 5)
    layer(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * x.numpy().mean((0, 2)), rtol=1e-12)
    expected = 0.9 + 0.1 * x.numpy().var(2, ddof=1).mean(0)
    np.testing.assert_allclose(layer.running_var.numpy(), expected, rtol=1e-12)
    # As in PyTorch, which counts batches for batch normalisation alone.
    assert layer.num_batches_tracked.item() == 0


@pytest.mark.parametrize(
    "make, shape",
    [
        (nn.BatchNorm2d, (2, 5, 2, 2)),
        (nn.LayerNorm, (2, 5)),
        (nn.RMSNorm, (2, 5)),
        (lambda: nn.GroupNorm(5), (2, 5, 3)),
        (lambda: nn.InstanceNorm1d(affine=True), (5, 4)),
    ],
)
def test_sizes_are_found_at_the_first_call(make, shape):
    layer = make()
    assert layer(data(*shape).to(fg.float32)).shape == shape
    assert all(parameter.shape == (5,) for parameter in layer.parameters())
    assert len(list(layer.parameters())) >= 1


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 5, 3, 2), (1, 5, 2, 2, 2)], ids=len)
def test_local_response_norm(shape, size):
    layer = nn.LocalResponseNorm(size, alpha=0.3, beta=0.6, k=1.5)
    x = data(*shape)
    squares = np.pad(x.numpy() ** 2, [(0, 0), (size // 2, (size - 1) // 2), *[(0, 0)] * (len(shape) - 2)])
    means = sum(squares[:, i : i + 5] for i in range(size)) / size
    fg.testing.assert_close(layer(x), x.numpy() / (1.5 + 0.3 * means) ** 0.6, rtol=1e-12)


def test_local_response_norm_gradient_and_errors():
    x = data(1, 4, 2)
    x.requires_grad = True
    assert fg.testing.gradcheck(nn.LocalResponseNorm(3, alpha=0.5), x)
    with pytest.raises(fg.ShapeError, match="local_response_norm"):
        nn.LocalResponseNorm(3)(fg.ones((2, 3)))
    with pytest.raises(ValueError, match="size >= 1"):
        nn.LocalResponseNorm(0)(fg.ones((2, 3, 4)))


@pytest.mark.parametrize("make", [nn.BatchNorm2d, nn.InstanceNorm2d, lambda *_, **k: nn.GroupNorm(1, 3, **k)])
def test_norms_without_bias(make):
    layer = make(3, affine=True, bias=False, dtype=fg.float64)
    full = make(3, affine=True, dtype=fg.float64)
    perturb(layer)
    full.load_state_dict(layer.state_dict(), strict=False)
    x = data(2, 3, 4, 4)
    assert layer.bias is None
    fg.testing.assert_close(layer(x), full(x))
    check_gradients(layer, lambda: layer(x))
