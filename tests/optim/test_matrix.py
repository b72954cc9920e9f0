"""Adafactor, LAMB and Muon against their formulas in float64."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import LAMB, Adafactor, Muon, orthogonalize
from harness.trajectory import check, penalised


def adafactor(p, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, maximize=False):
    eps1, t, rows, columns, v = np.finfo(p.dtype).eps if eps[0] is None else eps[0], 0, 0.0, 0.0, 0.0
    while True:
        g, t = (yield p), t + 1
        g, rest = penalised(g, p, maximize=maximize), t**beta2_decay
        size = max(eps[1], np.sqrt(np.mean(p * p))) * min(lr, 1 / np.sqrt(t))
        if g.ndim > 1:
            rows = rows + rest * ((g * g).mean(-1, keepdims=True) - rows)
            columns = columns + rest * ((g * g).mean(-2, keepdims=True) - columns)
            v = rows @ columns / np.maximum(rows.mean(-2, keepdims=True), eps1)
        else:
            v = v + rest * (g * g - v)
        u = g / np.sqrt(np.maximum(v, eps1**2))
        p = p * (1 - lr * weight_decay) - size / max(1.0, np.sqrt(np.mean(u * u)) / d) * u


def lamb(p, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01, **penalties):
    (b1, b2), m, v, t = betas, 0.0, 0.0, 0
    while True:
        g, t = (yield p), t + 1
        g = penalised(g, p, **penalties)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        u = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps) + weight_decay * p
        norms = np.linalg.norm(np.ravel(p)), np.linalg.norm(np.ravel(u))
        p = p - lr * (norms[0] / norms[1] if min(norms) > 0 else 1.0) * u


def newton_schulz(x, coefficients, steps, eps):
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / max(np.linalg.norm(x), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def muon(
    p,
    lr=1e-3,
    weight_decay=0.1,
    momentum=0.95,
    nesterov=True,
    ns_coefficients=(3.4445, -4.7750, 2.0315),
    eps=1e-7,
    ns_steps=5,
    adjust_lr_fn=None,
):
    m, (rows, columns) = 0.0, (p.shape[0], p.size // p.shape[0])
    rate = 0.2 * max(rows, columns) ** 0.5 if adjust_lr_fn == "match_rms_adamw" else max(1, rows / columns) ** 0.5
    while True:
        g = yield p
        m = momentum * m + (1 - momentum) * g
        u = (1 - momentum) * g + momentum * m if nesterov else m
        u = newton_schulz(u.reshape(rows, columns), ns_coefficients, ns_steps, eps).reshape(p.shape)
        p = p * (1 - lr * weight_decay) - lr * rate * u


CASES = [
    (Adafactor, adafactor, {}),
    (Adafactor, adafactor, {"lr": 0.1, "weight_decay": 0.2, "beta2_decay": -0.5, "maximize": True}),
    (Adafactor, adafactor, {"lr": 0.1, "eps": (1e-4, 0.1), "d": 1.5}),
    (LAMB, lamb, {}),
    (LAMB, lamb, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    (LAMB, lamb, {"lr": 0.05, "weight_decay": 0.0, "maximize": True, "l1_decay": 0.03}),
]
MATRICES = [(4, 5), (6, 2), (3, 2, 2)]


@pytest.mark.parametrize("kind, formula, settings", CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_trajectory(kind, formula, settings):
    check(kind, formula, settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lr": 0.1, "momentum": 0.5, "nesterov": False, "weight_decay": 0.0},
        {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
    ],
    ids=str,
)
def test_muon(settings):
    check(Muon, muon, settings, shapes=MATRICES)


@pytest.mark.parametrize("shape", [(8, 8), (16, 4), (4, 16)])
def test_orthogonalize_makes_singular_values_equal(shape):
    x = orthogonalize(fg.testing.make_tensor(*shape, dtype=fg.float64)).numpy()
    assert np.all(np.abs(np.linalg.svd(x, compute_uv=False) - 1) < 0.4)


def test_adafactor_keeps_one_row_and_one_column():
    matrix, vector = fg.nn.Parameter(fg.ones((4, 6))), fg.nn.Parameter(fg.ones(5))
    matrix.grad, vector.grad = fg.ones((4, 6)), fg.ones(5)
    optimizer = Adafactor([matrix, vector])
    optimizer.step()
    state = optimizer.state_dict()
    assert {k: tuple(v.shape) for k, v in state["state"][0].items() if k != "step"} == {
        "row_var": (4, 1),
        "col_var": (1, 6),
    }
    assert set(state["state"][1]) == {"step", "variance"}
    again = Adafactor([matrix, vector])
    again.load_state_dict(state)
    assert again.state[matrix]["row_var"].tolist() == optimizer.state[matrix]["row_var"].tolist()


def test_halves_are_stepped():
    for kind in (Adafactor, LAMB, Muon):
        parameter = fg.nn.Parameter(fg.ones((4, 4), dtype=fg.bfloat16))
        parameter.grad = fg.eye(4, dtype=fg.bfloat16)
        kind([parameter], lr=0.1).step()
        assert parameter.dtype == fg.bfloat16
        assert parameter[0, 0].item() < 1.0


@pytest.mark.parametrize(
    "kind, settings, message",
    [
        (Adafactor, {"d": 0.5}, "d must be at least 1"),
        (Adafactor, {"beta2_decay": 0.5}, "beta2_decay must not be positive"),
        (Adafactor, {"eps": (None, -1.0)}, "eps must be two numbers"),
        (LAMB, {"betas": (0.9, 1.0)}, "betas must be 2 numbers"),
        (Muon, {}, r"expected tensors of two or more axes, got shape \(1,\)"),
        (Muon, {"adjust_lr_fn": "other"}, "adjust_lr_fn must be"),
    ],
)
def test_settings_that_make_no_sense(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind([fg.nn.Parameter(fg.zeros(1))], **settings)
