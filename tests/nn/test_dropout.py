"""Dropout layers: shares, scales, modes."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn


@pytest.fixture(autouse=True)
def seed():
    fg.manual_seed(0)


def test_dropout_drops_its_share_and_scales_the_rest():
    out = nn.Dropout(0.3)(fg.ones((300, 300))).numpy()
    np.testing.assert_allclose(np.unique(out), [0.0, 1 / 0.7], rtol=1e-6)
    # Four standard deviations of a binomial share.
    assert abs((out == 0).mean() - 0.3) < 4 * np.sqrt(0.21 / out.size)


def test_dropout_gradient_has_the_same_mask():
    x = fg.ones(1000)
    x.requires_grad = True
    out = nn.Dropout(0.5)(x)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())


@pytest.mark.parametrize("kind", [nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout])
def test_eval_mode_and_zero_change_nothing(kind):
    x = fg.testing.make_tensor(2, 3, 4, 4)
    assert kind(0.9).eval()(x).tolist() == x.tolist()
    assert kind(0.0)(x).tolist() == x.tolist()


@pytest.mark.parametrize("kind, shape", [(nn.Dropout1d, (50, 40, 3)), (nn.Dropout2d, (50, 40, 2, 3))])
def test_channels_are_dropped_as_a_whole(kind, shape):
    out = kind(0.4)(fg.ones(shape)).numpy().reshape(50 * 40, -1)
    assert (out == out[:, :1]).all()
    assert abs((out[:, 0] == 0).mean() - 0.4) < 4 * np.sqrt(0.24 / len(out))


def test_channel_dropout_without_batch():
    assert nn.Dropout3d(0.5)(fg.ones((4, 2, 2, 2))).shape == (4, 2, 2, 2)
    with pytest.raises(fg.ShapeError, match="dropout"):
        nn.Dropout3d(0.5)(fg.ones((2, 2)))


def test_alpha_dropout_keeps_mean_and_variance():
    x = fg.randn((400, 400))
    out = nn.AlphaDropout(0.2)(x).numpy()
    assert abs(out.mean()) < 0.02
    assert abs(out.std() - 1) < 0.02


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_p_is_a_probability(p):
    with pytest.raises(ValueError, match="p must be between 0 and 1"):
        nn.Dropout(p)


def test_feature_alpha_dropout_drops_channels_and_keeps_mean_and_variance():
    x = fg.randn((500, 400, 2), dtype=fg.float64)
    out = nn.FeatureAlphaDropout(0.2)(x).numpy()
    assert abs(out.mean()) < 0.02
    assert abs(out.std() - 1) < 0.02
    floor = -1.7580993408473766
    dropped = np.isclose(out, 0.8 * floor / np.sqrt(0.8 * (1 + 0.2 * floor**2)), rtol=1e-12)
    assert (dropped == dropped[:, :, :1]).all()
    assert abs(dropped.mean() - 0.2) < 0.01
    assert not nn.FeatureAlphaDropout(1.0)(x).numpy().any()
    with pytest.raises(fg.ShapeError, match="feature_alpha_dropout"):
        nn.FeatureAlphaDropout(0.5)(fg.ones(3))


def test_inplace_is_accepted():
    assert repr(nn.Dropout(0.25, inplace=True)) == "Dropout(inplace=True, p=0.25)"
