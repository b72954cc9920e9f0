"""What every model must do: send a gradient to each parameter, and lower its loss within a few steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import ferrograd as fg


def assert_learns(
    model: fg.nn.Module, loss_of: Callable[[], fg.Tensor], *, steps: int = 10, lr: float = 1e-2, factor: float = 0.9
) -> None:
    """`steps` of Adam on one batch bring the loss below `factor` times the first; no parameter is left out."""
    loss = loss_of()
    first = float(loss)
    loss.backward()
    without = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not np.abs(parameter.grad.numpy()).max() > 0
    ]
    assert without == [], "parameters without a gradient"
    optimizer = fg.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()
    last = float(loss_of())
    assert last < factor * first, f"the loss went from {first:.4f} to {last:.4f}"
