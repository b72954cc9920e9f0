"""Schedules against their formulas, step by step."""

import math

import pytest

import ferrograd as fg
from ferrograd.optim import SGD, ConstantLR, CosineAnnealingLR, LambdaLR, LinearLR, StepLR, WarmupLR


def optimizer(*rates):
    groups = [{"params": [fg.nn.Parameter(fg.zeros(1))], "lr": rate} for rate in rates]
    return SGD(groups)


def rates(schedule, steps):
    values = []
    for _ in range(steps):
        values.append(schedule.get_last_lr()[0])
        schedule.step()
    return values


def test_constant():
    assert rates(ConstantLR(optimizer(2.0), factor=0.25, total_iters=2), 4) == [0.5, 0.5, 2.0, 2.0]


def test_linear():
    values = rates(LinearLR(optimizer(1.0), start_factor=0.5, end_factor=1.0, total_iters=4), 6)
    assert values == [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]


def test_step():
    assert rates(StepLR(optimizer(8.0), step_size=2, gamma=0.5), 6) == [8.0, 8.0, 4.0, 4.0, 2.0, 2.0]


def test_cosine():
    values = rates(CosineAnnealingLR(optimizer(1.0), T_max=10, eta_min=0.2), 11)
    assert values == pytest.approx([0.2 + 0.4 * (1 + math.cos(math.pi * t / 10)) for t in range(11)], rel=1e-15)
    assert (values[0], values[10]) == (1.0, pytest.approx(0.2))


def test_lambda():
    assert rates(LambdaLR(optimizer(2.0), lambda step: 0.5**step), 3) == [2.0, 1.0, 0.5]


def test_warmup_then_cosine_is_the_nanogpt_schedule():
    lr, low, warmup, total = 1e-3, 1e-4, 10, 50
    opt = optimizer(lr)
    schedule = WarmupLR(opt, warmup, CosineAnnealingLR(opt, T_max=total - warmup, eta_min=low))
    expected = [lr * (i + 1) / (warmup + 1) for i in range(warmup)]
    expected += [
        low + (lr - low) * (1 + math.cos(math.pi * (i - warmup) / (total - warmup))) / 2 for i in range(warmup, total)
    ]
    assert rates(schedule, total) == pytest.approx(expected, rel=1e-14)


def test_warmup_alone_and_of_nothing():
    assert rates(WarmupLR(optimizer(1.0), 1), 3) == [0.5, 1.0, 1.0]
    assert rates(WarmupLR(optimizer(1.0), 0), 2) == [1.0, 1.0]


def test_groups_keep_their_proportions():
    opt = optimizer(1.0, 10.0)
    StepLR(opt, 1, 0.5).step()
    assert [group["lr"] for group in opt.param_groups] == [0.5, 5.0]


def test_a_loaded_schedule_goes_on():
    first = CosineAnnealingLR(optimizer(1.0), T_max=7)
    whole = rates(first, 7)
    half = CosineAnnealingLR(optimizer(1.0), T_max=7)
    rates(half, 3)
    resumed = CosineAnnealingLR(optimizer(1.0), T_max=7)
    resumed.load_state_dict(half.state_dict())
    assert rates(resumed, 4) == whole[3:]
    with pytest.raises(ValueError, match="expected 1 base rates, got 2"):
        resumed.load_state_dict({"last_epoch": 1, "base_lrs": [1.0, 1.0]})


@pytest.mark.parametrize(
    "make",
    [
        lambda opt: LinearLR(opt, total_iters=0),
        lambda opt: StepLR(opt, step_size=0),
        lambda opt: CosineAnnealingLR(opt, T_max=0),
        lambda opt: WarmupLR(opt, -1),
        lambda opt: WarmupLR(opt, 1, StepLR(optimizer(1.0), 1)),
    ],
)
def test_settings_that_make_no_sense(make):
    with pytest.raises(ValueError):
        make(optimizer(1.0))
