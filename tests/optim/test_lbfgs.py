"""L-BFGS: the directions against the definition of the inverse Hessian, the line search against its conditions."""

import copy

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import LBFGS
from ferrograd.optim.line_search import Point, cubic_minimum, strong_wolfe


def rosenbrock(optimizer, p):
    def closure():
        optimizer.zero_grad()
        loss = 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2
        loss.backward()
        return loss

    return closure


def parameter(*values):
    return fg.nn.Parameter(fg.tensor(list(values), dtype=fg.float64))


def test_rosenbrock_with_line_search():
    p = parameter(-1.2, 1.0)
    optimizer = LBFGS([p], tolerance_change=1e-15, line_search_fn="strong_wolfe")
    assert optimizer.step(rosenbrock(optimizer, p)).item() == pytest.approx(24.2)
    for _ in range(3):
        optimizer.step(rosenbrock(optimizer, p))
    np.testing.assert_allclose(p.detach().numpy(), [1.0, 1.0], atol=1e-6)


def test_steps_are_those_of_the_bfgs_formula():
    """With all of the history kept, H is that of BFGS begun at ys / yy of the newest change."""
    a = np.array([[3.0, 0.5, 0.2], [0.5, 2.0, 0.1], [0.2, 0.1, 1.0]])
    p = parameter(1.0, -2.0, 0.5)
    optimizer = LBFGS([p], lr=0.5, max_iter=1)

    def closure():
        optimizer.zero_grad()
        loss = (p * fg.tensor(a, dtype=fg.float64).matmul(p)).sum() / 2
        loss.backward()
        return loss

    x, before, changes = p.detach().numpy().copy(), None, []
    for step in range(6):
        g = a @ x
        if before is None:
            d, t = -g, 0.5 * min(1.0, 1 / np.abs(g).sum())
        else:
            changes.append((g - before[1], x - before[0]))
            y, s = changes[-1]
            h = np.eye(3) * (y @ s) / (y @ y)
            for y, s in changes:
                rho, v = 1 / (y @ s), np.eye(3) - np.outer(y, s) / (y @ s)
                h = v.T @ h @ v + rho * np.outer(s, s)
            d, t = -h @ g, 0.5
        before, x = (x, g), x + t * d
        optimizer.step(closure)
        np.testing.assert_allclose(p.detach().numpy(), x, rtol=1e-10, err_msg=str(step))


def test_only_the_newest_changes_are_remembered():
    p = parameter(-1.2, 1.0)
    optimizer = LBFGS([p], history_size=3, max_iter=8, line_search_fn="strong_wolfe")
    optimizer.step(rosenbrock(optimizer, p))
    assert len(optimizer.state[p]["old_dirs"]) == len(optimizer.state[p]["ro"]) == 3


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_a_loaded_state_goes_on_with_the_same_bits(line_search):
    whole = parameter(-1.2, 1.0)
    settings = {"lr": 0.01, "max_iter": 4, "line_search_fn": line_search}
    optimizer = LBFGS([whole], **settings)
    optimizer.step(rosenbrock(optimizer, whole))
    half = fg.nn.Parameter(whole)
    state = copy.deepcopy(optimizer.state_dict())
    optimizer.step(rosenbrock(optimizer, whole))
    optimizer = LBFGS([half], **settings)
    optimizer.load_state_dict(state)
    optimizer.step(rosenbrock(optimizer, half))
    assert half.tolist() == whole.tolist()
    with pytest.raises(ValueError, match="wrong shape, expected 3 values"):
        LBFGS([parameter(1.0, 2.0, 3.0)]).load_state_dict(state)


def line(loss, slope):
    return lambda t: Point(t, loss(t), fg.zeros(1), slope(t))


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0, 100.0])
@pytest.mark.parametrize(
    "loss, slope",
    [
        (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
        (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
        (lambda t: np.cos(t) - 0.3 * t, lambda t: -np.sin(t) - 0.3),
    ],
    ids=["parabola", "more_thuente", "waves"],
)
def test_the_line_search_meets_the_strong_wolfe_conditions(loss, slope, first):
    evaluate = line(loss, slope)
    start = evaluate(0.0)
    point, calls = strong_wolfe(evaluate, start, first, 1.0)
    assert point.loss <= start.loss + 1e-4 * point.t * start.slope
    assert abs(point.slope) <= 0.9 * abs(start.slope)
    assert calls <= 26


def test_the_cubic_is_exact_for_cubics():
    evaluate = line(lambda t: t**3 - 3 * t, lambda t: 3 * t * t - 3)
    assert cubic_minimum(evaluate(0.0), evaluate(2.0)) == pytest.approx(1.0)
    assert cubic_minimum(evaluate(2.0), evaluate(0.0)) == pytest.approx(1.0)
    falling = line(lambda t: -t, lambda _t: -1.0)
    assert cubic_minimum(falling(0.0), falling(1.0), (1.01, 10.0)) == 10.0


def test_what_is_not_supported():
    p = parameter(1.0)
    with pytest.raises(ValueError, match="needs a closure"):
        LBFGS([p]).step()
    with pytest.raises(ValueError, match="groups"):
        LBFGS([{"params": [p]}, {"params": [parameter(2.0)]}])
    with pytest.raises(ValueError, match="line_search_fn"):
        LBFGS([p], line_search_fn="golden")
