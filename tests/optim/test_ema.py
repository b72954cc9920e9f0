"""Averaged models and the statistics of their batch norms."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.optim import EMA, AveragedModel, get_ema_multi_avg_fn, update_bn


def walk(averaged, model, steps=5):
    """The model's weights at each update."""
    weights = []
    for step in range(steps):
        nn.init.constant_(model.weight, step**2 + 1.0)
        weights.append(model.weight.detach().numpy().copy())
        averaged.update_parameters(model)
    return weights


def model64():
    return nn.Linear(3, 2, dtype=fg.float64)


def test_swa_is_the_mean():
    model = model64()
    averaged = AveragedModel(model)
    weights = walk(averaged, model)
    np.testing.assert_allclose(averaged.module.weight.numpy(), np.mean(weights, axis=0), rtol=1e-12)
    assert int(averaged.n_averaged) == 5
    assert model.weight[0, 0].item() == 17.0


def expected_ema(weights, decay):
    average = weights[0]
    for weight in weights[1:]:
        average = decay * average + (1 - decay) * weight
    return average


@pytest.mark.parametrize(
    "make",
    [
        lambda model: EMA(model, 0.9),
        lambda model: AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9)),
        lambda model: AveragedModel(model, avg_fn=lambda average, value, _: 0.9 * average + 0.1 * value),
    ],
    ids=["EMA", "multi_avg_fn", "avg_fn"],
)
def test_ema_is_its_formula(make):
    model = model64()
    averaged = make(model)
    weights = walk(averaged, model)
    np.testing.assert_allclose(averaged.module.weight.numpy(), expected_ema(weights, 0.9), rtol=1e-12)


def test_ema_warms_up():
    model = model64()
    ema = EMA(model, 0.999, warmup=True)
    first, second = walk(ema, model, 2)
    np.testing.assert_allclose(ema.module.weight.numpy(), first * 2 / 11 + second * 9 / 11, rtol=1e-12)


def test_the_copy_is_a_model_of_its_own():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    ema = EMA(model)
    assert [name for name in ema.state_dict() if "module" not in name] == ["n_averaged"]
    assert not any(p.requires_grad for p in ema.parameters())
    assert all(p.requires_grad for p in model.parameters())
    ema.update_parameters(model)
    again = EMA(model)
    again.load_state_dict(ema.state_dict())
    assert int(again.n_averaged) == 1
    x = fg.testing.make_tensor(4, 2)
    np.testing.assert_array_equal(ema.eval()(x).numpy(), model.eval()(x).numpy())


def test_buffers_are_copied_or_averaged():
    model = nn.BatchNorm1d(1)
    swa, ema = AveragedModel(model), EMA(model, 0.5)
    for value in (0.0, 4.0):
        model.running_mean.fill_(value)
        model.num_batches_tracked.fill_(int(value))
        swa.update_parameters(model)
        ema.update_parameters(model)
    assert swa.module.running_mean.item() == 4.0
    assert ema.module.running_mean.item() == 2.0
    assert int(ema.module.num_batches_tracked) == 4


def test_update_bn_finds_the_statistics_of_the_data():
    model = nn.Sequential(nn.Identity(), nn.BatchNorm1d(2))
    model[1].running_mean.fill_(9.0)
    x = fg.testing.make_tensor(12, 2)
    update_bn([(x[:6], None), (x[6:], None)], model.eval())
    np.testing.assert_allclose(model[1].running_mean.numpy(), x.numpy().mean(0), rtol=1e-5)
    variances = [part.numpy().var(0, ddof=1) for part in (x[:6], x[6:])]
    np.testing.assert_allclose(model[1].running_var.numpy(), np.mean(variances, axis=0), rtol=1e-5)
    assert model[1].momentum == 0.1
    assert not model[1].training


def test_settings_that_make_no_sense():
    with pytest.raises(ValueError, match="decay"):
        EMA(model64(), 1.5)
    with pytest.raises(ValueError, match="decay"):
        get_ema_multi_avg_fn(-0.1)
    with pytest.raises(ValueError, match="avg_fn or multi_avg_fn"):
        AveragedModel(model64(), avg_fn=lambda a, _v, _n: a, multi_avg_fn=get_ema_multi_avg_fn())
