"""Initial values: ranges, moments and structure."""

import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.nn import init

SHAPE = (400, 300)


@pytest.fixture(autouse=True)
def seed():
    fg.manual_seed(1)


@pytest.mark.parametrize(
    "fill, bound",
    [
        (init.xavier_uniform_, math.sqrt(6 / 700)),
        (init.kaiming_uniform_, math.sqrt(2) * math.sqrt(3 / 300)),
        (lambda t: init.kaiming_uniform_(t, a=math.sqrt(5)), 1 / math.sqrt(300)),
        (lambda t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"), math.sqrt(6 / 400)),
        (lambda t: init.uniform_(t, -0.5, 0.5), 0.5),
    ],
)
def test_uniform_kinds_fill_their_range(fill, bound):
    values = fill(fg.zeros(SHAPE)).numpy()
    assert np.abs(values).max() <= bound
    assert np.abs(values).max() > 0.999 * bound
    # The mean of n uniform draws has the standard deviation bound / sqrt(3 n).
    assert abs(values.mean()) < 4 * bound / math.sqrt(3 * values.size)
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(
    "fill, std",
    [
        (init.xavier_normal_, math.sqrt(2 / 700)),
        (init.kaiming_normal_, math.sqrt(2 / 300)),
        (lambda t: init.kaiming_normal_(t, mode="fan_out"), math.sqrt(2 / 400)),
        (lambda t: init.normal_(t, 0.0, 3.0), 3.0),
    ],
)
def test_normal_kinds_have_their_deviation(fill, std):
    values = fill(fg.zeros(SHAPE)).numpy()
    assert abs(values.mean()) < 4 * std / math.sqrt(values.size)
    assert values.std() == pytest.approx(std, rel=0.01)
    assert np.mean(np.abs(values) < std) == pytest.approx(0.6827, abs=0.01)


def test_trunc_normal_has_the_cut_normals_moments():
    values = init.trunc_normal_(fg.zeros(SHAPE), mean=1.0, std=2.0, a=-1.0, b=5.0).numpy()
    assert values.min() >= -1.0
    assert values.max() <= 5.0
    phi = lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    mass = (math.erf(2 / math.sqrt(2)) - math.erf(-1 / math.sqrt(2))) / 2
    assert values.mean() == pytest.approx(1 + 2 * (phi(1) - phi(2)) / mass, abs=0.02)


def test_trunc_normal_refuses_an_interval_without_mass():
    with pytest.raises(ValueError, match="holds less than 1 %"):
        init.trunc_normal_(fg.zeros(4), a=8.0, b=9.0)


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 3, 2, 2)])
def test_orthogonal(shape):
    values = init.orthogonal_(fg.zeros(shape), gain=2.0).numpy().reshape(shape[0], -1)
    gram = values @ values.T if values.shape[0] <= values.shape[1] else values.T @ values
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_eye_and_dirac():
    assert init.eye_(fg.ones((2, 3))).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    x = fg.testing.make_tensor(1, 4, 6, 6)
    weight = init.dirac_(fg.ones((4, 2, 3, 3)), groups=2)
    assert fg.nn.functional.conv2d(x, weight, padding=1, groups=2).tolist() == x.tolist()


def test_constants_and_dtype_stay():
    tensor = fg.zeros((2, 2), dtype=fg.float64)
    assert init.constant_(tensor, 3.5) is tensor
    assert (tensor.tolist(), tensor.dtype) == ([[3.5, 3.5], [3.5, 3.5]], fg.float64)
    assert init.ones_(tensor).sum().item() == 4.0
    assert init.zeros_(tensor).sum().item() == 0.0


def test_parameters_stay_leaves():
    parameter = fg.nn.Parameter(fg.zeros((3, 3)))
    init.xavier_normal_(parameter)
    assert parameter.requires_grad
    (parameter * 2).sum().backward()
    assert parameter.grad.tolist() == [[2.0] * 3] * 3


def test_same_seed_same_values():
    fg.manual_seed(7)
    first = init.kaiming_normal_(fg.zeros((3, 3))).tolist()
    fg.manual_seed(7)
    assert init.kaiming_normal_(fg.zeros((3, 3))).tolist() == first
    generator = [init.normal_(fg.zeros(4), generator=fg.Generator(3)).tolist() for _ in range(2)]
    assert generator[0] == generator[1]


def test_gains_are_pytorchs():
    gains = {"linear": 1.0, "conv_transpose2d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": 2**0.5, "selu": 0.75}
    assert {name: init.calculate_gain(name) for name in gains} == gains
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    with pytest.raises(ValueError, match="unknown nonlinearity"):
        init.calculate_gain("softmax")


def test_sparse_zeroes_a_share_of_each_column():
    weight = init.sparse_(fg.zeros((50, 20)), 0.3, std=0.5).numpy()
    assert ((weight == 0).sum(0) == 15).all()
    assert 0.4 < weight[weight != 0].std() < 0.6
    assert len({tuple(np.flatnonzero(column == 0)) for column in weight.T}) > 1
    with pytest.raises(fg.ShapeError, match="sparse_"):
        init.sparse_(fg.zeros(3), 0.5)


def test_wrong_shapes_and_settings():
    with pytest.raises(fg.ShapeError, match="at least 2 dimensions"):
        init.xavier_uniform_(fg.zeros(3))
    with pytest.raises(ValueError, match="expected mode"):
        init.kaiming_normal_(fg.zeros((2, 2)), mode="fan")
    with pytest.raises(ValueError, match="std >= 0"):
        init.normal_(fg.zeros(2), std=-1.0)
