"""Schedules against their formulas, step by step."""

import math
import sys

import pytest

import ferrograd as fg
from ferrograd import optim
from ferrograd.optim import SGD, AdamW


def optimizer(*rates, kind=SGD, **settings):
    groups = [{"params": [fg.nn.Parameter(fg.zeros(1))], "lr": rate} for rate in rates or (1.0,)]
    return kind(groups, **settings)


def rates(schedule, steps):
    values = []
    for _ in range(steps):
        values.append(schedule.get_last_lr()[0])
        schedule.step()
    return values


def cosine(t, length, high=1.0, low=0.0):
    return low + (high - low) * (1 + math.cos(math.pi * t / length)) / 2


@pytest.mark.parametrize(
    "make, expected",
    [
        (lambda o: optim.ConstantLR(o, factor=0.25, total_iters=2), [0.25, 0.25, 1.0, 1.0]),
        (lambda o: optim.LinearLR(o, start_factor=0.5, total_iters=4), [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]),
        (lambda o: optim.StepLR(o, step_size=2, gamma=0.5), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]),
        (lambda o: optim.MultiStepLR(o, [4, 1, 1], gamma=0.5), [1.0, 0.25, 0.25, 0.25, 0.125]),
        (lambda o: optim.ExponentialLR(o, gamma=0.5), [1.0, 0.5, 0.25]),
        (lambda o: optim.PolynomialLR(o, total_iters=4, power=2.0), [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]),
        (lambda o: optim.LambdaLR(o, lambda t: 0.5**t), [1.0, 0.5, 0.25]),
        (lambda o: optim.MultiplicativeLR(o, lambda t: 1 / t), [1.0, 1.0, 1 / 2, 1 / 6, 1 / 24]),
        (lambda o: optim.CosineAnnealingLR(o, T_max=4, eta_min=0.2), [cosine(t, 4, low=0.2) for t in range(7)]),
        (
            lambda o: optim.CosineAnnealingWarmRestarts(o, T_0=2, T_mult=2, eta_min=0.1),
            [cosine(t, n, low=0.1) for n in (2, 4, 8) for t in range(n)],
        ),
        (lambda o: optim.CosineAnnealingWarmRestarts(o, T_0=3), [cosine(t % 3, 3) for t in range(8)]),
        (lambda o: optim.WSDLR(o, 1, 2, 4, eta_min=0.2), [0.5, 1.0, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.2]),
        (lambda o: optim.WSDLR(o, 0, 1, 4, decay="cosine"), [1.0, *(cosine(t, 4) for t in range(5)), 0.0]),
        (lambda o: optim.WSDLR(o, 0, 0, 4, decay="sqrt"), [1 - math.sqrt(t / 4) for t in range(5)]),
        (lambda o: optim.InverseSqrtLR(o, 4), [0.25, 0.5, 0.75, 1.0, (4 / 5) ** 0.5, (4 / 6) ** 0.5]),
        (lambda o: optim.NoamLR(o, 16, 4), [min(s**-0.5, s * 4**-1.5) / 4 for s in range(1, 8)]),
        (lambda o: optim.CyclicLR(o, 0.0, 1.0, 2, 3, cycle_momentum=False), [0, 1 / 2, 1, 2 / 3, 1 / 3, 0, 1 / 2]),
        (
            lambda o: optim.CyclicLR(o, 0.5, 1.0, 2, mode="triangular2", cycle_momentum=False),
            [0.5, 0.75, 1.0, 0.75, 0.5, 0.625, 0.75, 0.625, 0.5, 0.5625],
        ),
        (
            lambda o: optim.CyclicLR(o, 0.0, 1.0, 1, mode="exp_range", gamma=0.5, cycle_momentum=False),
            [0.0, 0.5, 0.0, 0.125, 0.0],
        ),
        (
            lambda o: optim.CyclicLR(o, 0.0, 1.0, 1, scale_fn=lambda cycle: 1 / cycle, cycle_momentum=False),
            [0.0, 1.0, 0.0, 0.5, 0.0, 1 / 3],
        ),
        (
            lambda o: optim.OneCycleLR(
                o, 1.0, 8, pct_start=0.5, anneal_strategy="linear", div_factor=4, cycle_momentum=False
            ),
            [0.25, 0.5, 0.75, 1.0, *(1.0 + (0.25e-4 - 1.0) * t / 4 for t in range(1, 5))],
        ),
        (
            lambda o: optim.OneCycleLR(o, 1.0, 10, pct_start=0.4, div_factor=4, three_phase=True, cycle_momentum=False),
            [
                *(cosine(3 - t, 3, low=0.25) for t in range(4)),
                *(cosine(t, 3, low=0.25) for t in range(1, 4)),
                *(cosine(t, 3, 0.25, 0.25e-4) for t in range(1, 4)),
            ],
        ),
    ],
)
def test_formula(make, expected):
    assert rates(make(optimizer()), len(expected)) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_plateau():
    opt = optimizer(1.0, 0.01)
    schedule = optim.ReduceLROnPlateau(opt, factor=0.5, patience=1, cooldown=1, min_lr=0.2, threshold=0.1)
    seen = []
    for loss in (1.0, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5):
        schedule.step(loss)
        seen.append(schedule.get_last_lr()[0])
    assert seen == [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
    # A floor above the rate never raises it.
    assert opt.param_groups[1]["lr"] == 0.01
    with pytest.raises(ValueError, match="needs the metric"):
        schedule.step()


def test_plateau_looks_up_too():
    schedule = optim.ReduceLROnPlateau(optimizer(), "max", patience=0, threshold=0.5, threshold_mode="abs")
    for accuracy in (1.0, 1.6, 2.0):
        schedule.step(fg.tensor(accuracy))
    assert schedule.get_last_lr() == [0.1]


@pytest.mark.parametrize(
    "kind, settings, name", [(SGD, {"momentum": 0.9}, "momentum"), (AdamW, {"betas": (0.9, 0.99)}, "betas")]
)
def test_cyclic_schedules_set_the_momentum(kind, settings, name):
    def momenta(schedule, steps):
        seen = []
        for _ in range(steps):
            value = schedule.optimizer.param_groups[0][name]
            seen.append(value[0] if name == "betas" else value)
            schedule.step()
        return seen

    cyclic = optim.CyclicLR(optimizer(kind=kind, **settings), 0.0, 1.0, 2, base_momentum=0.5, max_momentum=0.9)
    assert momenta(cyclic, 5) == pytest.approx([0.9, 0.7, 0.5, 0.7, 0.9])
    opt = optimizer(kind=kind, **settings)
    one = optim.OneCycleLR(opt, 1.0, 8, pct_start=0.5, anneal_strategy="linear", base_momentum=0.6, max_momentum=0.9)
    warm = optim.WarmupLR(opt, 2, one)
    assert momenta(warm, 6) == pytest.approx([0.9, 0.9, 0.9, 0.8, 0.7, 0.6])
    assert opt.param_groups[0][name][1:] == (0.99,) if name == "betas" else True


def test_warmup_then_cosine_is_the_nanogpt_schedule():
    lr, low, warmup, total = 1e-3, 1e-4, 10, 50
    opt = optimizer(lr)
    schedule = optim.WarmupLR(opt, warmup, optim.CosineAnnealingLR(opt, T_max=total - warmup, eta_min=low))
    expected = [lr * (i + 1) / (warmup + 1) for i in range(warmup)]
    expected += [cosine(i - warmup, total - warmup, lr, low) for i in range(warmup, total)]
    assert rates(schedule, total) == pytest.approx(expected, rel=1e-14)


def test_warmup_alone_and_of_nothing():
    assert rates(optim.WarmupLR(optimizer(), 1), 3) == [0.5, 1.0, 1.0]
    assert rates(optim.WarmupLR(optimizer(), 0), 2) == [1.0, 1.0]


def test_warmup_goes_to_where_the_next_schedule_begins():
    opt = optimizer()
    assert rates(optim.WarmupLR(opt, 3, optim.ConstantLR(opt, 0.5, 9)), 5) == [0.125, 0.25, 0.375, 0.5, 0.5]


def test_warmup_then_plateau():
    opt = optimizer()
    schedule = optim.WarmupLR(opt, 1, optim.ReduceLROnPlateau(opt, factor=0.5, patience=1))
    seen = []
    for _ in range(6):
        schedule.step(1.0)
        seen.append(schedule.get_last_lr()[0])
    assert seen == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_sequence():
    opt = optimizer()
    parts = [optim.ConstantLR(opt, 0.5, 100), optim.ExponentialLR(opt, 0.5), optim.StepLR(opt, 1, 0.1)]
    assert rates(optim.SequentialLR(opt, parts, [2, 4]), 7) == pytest.approx([0.5, 0.5, 1.0, 0.5, 1.0, 0.1, 0.01])


def test_chain():
    opt = optimizer()
    schedule = optim.ChainedScheduler([optim.ConstantLR(opt, 0.5, 2), optim.ExponentialLR(opt, 0.5)])
    assert rates(schedule, 4) == [0.5, 0.25, 0.25, 0.125]


def test_swa_schedule_begins_where_the_rate_stands():
    opt = optimizer()
    before = optim.ExponentialLR(opt, 0.5)
    schedule = optim.SWALR(opt, swa_lr=0.1, anneal_epochs=2, anneal_strategy="cos")
    before.step()
    assert opt.param_groups[0]["lr"] == 0.5
    seen = []
    for _ in range(3):
        schedule.step()
        seen += schedule.get_last_lr()
    assert seen == pytest.approx([0.3, 0.1, 0.1])


def test_groups_keep_their_proportions_and_new_ones_join():
    opt = optimizer(1.0, 10.0)
    schedule = optim.StepLR(opt, 1, 0.5)
    schedule.step()
    opt.add_param_group({"params": [fg.nn.Parameter(fg.zeros(1))], "lr": 8.0})
    schedule.step()
    assert [group["lr"] for group in opt.param_groups] == [0.25, 2.5, 2.0]


def test_functions_and_rates_per_group():
    opt = optimizer(1.0, 1.0)
    optim.LambdaLR(opt, [lambda t: t + 1.0, lambda t: t + 2.0]).step()
    assert [group["lr"] for group in opt.param_groups] == [2.0, 3.0]
    optim.CyclicLR(opt, [0.1, 0.2], [1.0, 2.0], 1, cycle_momentum=False).step()
    assert [group["lr"] for group in opt.param_groups] == [1.0, 2.0]


MAKERS = {
    "cosine": lambda o: optim.CosineAnnealingLR(o, T_max=7),
    "multiplicative": lambda o: optim.MultiplicativeLR(o, lambda t: 1 / t),
    "sequence": lambda o: optim.SequentialLR(o, [optim.ExponentialLR(o, 0.9), optim.WSDLR(o, 1, 1, 2)], [2]),
    "plateau": lambda o: optim.WarmupLR(o, 1, optim.ReduceLROnPlateau(o, patience=1)),
    "swa": lambda o: optim.SWALR(o, 0.1, 4),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_loaded_schedule_goes_on(make):
    def go_on(schedule, steps):
        seen = []
        for _ in range(steps):
            schedule.step(1.0)
            seen += schedule.get_last_lr()
        return seen

    whole = go_on(make(optimizer()), 7)
    half = make(optimizer())
    go_on(half, 3)
    resumed = make(optimizer())
    resumed.load_state_dict(half.state_dict())
    assert go_on(resumed, 4) == whole[3:]
    with pytest.raises(ValueError, match="expected 1 base rates, got 2"):
        resumed.load_state_dict(half.state_dict() | {"base_lrs": [1.0, 1.0]})


def test_last_epoch_begins_in_the_middle():
    whole = rates(optim.ExponentialLR(optimizer(), 0.5), 5)
    assert rates(optim.ExponentialLR(optimizer(), 0.5, last_epoch=1), 3) == whole[2:]


@pytest.mark.parametrize(
    "make",
    [
        lambda o: optim.LinearLR(o, total_iters=0),
        lambda o: optim.StepLR(o, step_size=0),
        lambda o: optim.ConstantLR(o, factor=2.0),
        lambda o: optim.PolynomialLR(o, total_iters=0),
        lambda o: optim.CosineAnnealingLR(o, T_max=0),
        lambda o: optim.CosineAnnealingWarmRestarts(o, T_0=0),
        lambda o: optim.LambdaLR(o, [abs, abs]),
        lambda o: optim.CyclicLR(o, 0.1, 1.0, mode="square"),
        lambda o: optim.CyclicLR(o, [0.1, 0.1], 1.0),
        lambda o: optim.OneCycleLR(o, 1.0),
        lambda o: optim.OneCycleLR(o, 1.0, 10, pct_start=1.5),
        lambda o: rates(optim.OneCycleLR(o, 1.0, 3), 6),
        lambda o: optim.CyclicLR(optimizer(kind=optim.Rprop), 0.1, 1.0),
        lambda o: optim.ReduceLROnPlateau(o, factor=1.0),
        lambda o: optim.ReduceLROnPlateau(o, mode="best"),
        lambda o: optim.SWALR(o, 0.1, anneal_strategy="step"),
        lambda o: optim.WSDLR(o, -1, 1, 1),
        lambda o: optim.InverseSqrtLR(o, 0),
        lambda o: optim.ExponentialLR(o, 0.5, last_epoch=-2),
        lambda o: optim.SequentialLR(o, [optim.StepLR(o, 1)], [1]),
        lambda o: optim.SequentialLR(o, [optim.StepLR(o, 1)] * 3, [2, 2]),
        lambda o: optim.ChainedScheduler([]),
        lambda o: optim.WarmupLR(o, -1),
        lambda o: optim.WarmupLR(o, 1, optim.StepLR(optimizer(), 1)),
    ],
)
def test_settings_that_make_no_sense(make):
    with pytest.raises(ValueError):
        make(optimizer())


def test_plot_names_the_extra_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'ferrograd\[plot\]'"):
        optim.StepLR(optimizer(), 1).plot(10)


def test_plot_draws_one_line_per_distinct_group():
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs the extra 'plot'")
    pyplot.switch_backend("agg")
    ax = optim.StepLR(optimizer(1.0, 1.0, 2.0), 2, 0.5).plot(4)
    assert [list(line.get_ydata()) for line in ax.lines] == [[1.0, 1.0, 0.5, 0.5], [2.0, 2.0, 1.0, 1.0]]
    assert optim.ExponentialLR(optimizer(), 0.9).plot(3, ax=ax) is ax
    pyplot.close("all")


def test_pytorchs_rooms_hold_the_same_classes():
    for room in (fg.optim.lr_scheduler, fg.optim.swa_utils):
        assert all(getattr(room, name) is getattr(fg.optim, name) for name in room.__all__)
