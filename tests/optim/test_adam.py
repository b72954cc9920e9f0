"""Adam and AdamW trajectories against the update formula in float64."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.optim import Adam, AdamW

SETTINGS = [
    {"lr": 0.05},
    {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3},
    {"lr": 0.05, "weight_decay": 0.1},
    {"lr": 0.02, "maximize": True},
]


def reference(p, scale, steps, decoupled, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, maximize=False):
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t in range(1, steps + 1):
        g = scale * np.cos(p) * (-1 if maximize else 1)
        if decoupled:
            p = p * (1 - lr * weight_decay)
        else:
            g = g + weight_decay * p
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        p = p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return p


def minimise(parameter, scale, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        (fg.sin(parameter) * scale).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("kind, decoupled", [(Adam, False), (AdamW, True)])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype, tolerance", [(fg.float64, 1e-11), (fg.float32, 2e-5)])
def test_trajectory(kind, decoupled, settings, dtype, tolerance):
    parameter = fg.nn.Parameter(fg.testing.make_tensor(4, 5, dtype=dtype))
    scale = fg.testing.make_tensor(4, 5, seed=1, dtype=dtype)
    start = parameter.detach().numpy().astype(np.float64)
    settings = {"weight_decay": 0.0, **settings}
    minimise(parameter, scale, kind([parameter], **settings), 25)
    expected = reference(start, scale.numpy().astype(np.float64), 25, decoupled, **settings)
    np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=tolerance, atol=tolerance)


def test_defaults_are_pytorchs():
    parameter = fg.nn.Parameter(fg.zeros(1))
    group = {k: v for k, v in AdamW([parameter]).param_groups[0].items() if k not in ("params", "maximize")}
    assert group == {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}
    assert Adam([parameter]).param_groups[0]["weight_decay"] == 0.0


def test_parameters_that_join_late_count_their_own_steps():
    early, late = fg.nn.Parameter(fg.zeros(2)), fg.nn.Parameter(fg.zeros(2))
    optimizer = Adam([early, late], lr=0.1)
    early.grad = fg.ones(2)
    optimizer.step()
    late.grad = fg.ones(2)
    optimizer.step()
    assert [optimizer.state[p]["step"] for p in (early, late)] == [2, 1]
    # The first step of Adam is lr, whatever the gradient's size.
    np.testing.assert_allclose(late.detach().numpy(), [-0.1, -0.1], rtol=1e-6)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"betas": (1.0, 0.9)}, r"betas must be two numbers in \[0, 1\)"),
        ({"betas": (0.9,)}, "betas must be two numbers"),
        ({"eps": -1e-8}, "eps must not be negative"),
        ({"lr": -1e-3}, "lr must not be negative"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        Adam([fg.nn.Parameter(fg.zeros(1))], **settings)
