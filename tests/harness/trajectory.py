"""Optimizers against plain NumPy transcriptions of their formulas.

A transcription is a coroutine: it takes the starting value and the settings, is sent one gradient after the other, and
yields the parameter after each.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np

import ferrograd as fg

SHAPES = [(4, 5), (3,), (2, 3, 2), ()]
TOLERANCE = {fg.float64: 1e-10, fg.float32: 2e-5}

Formula = Callable[..., Generator[np.ndarray, np.ndarray, None]]


def gradient(p: np.ndarray, step: int) -> np.ndarray:
    """That of a wavy loss whose waves move, so that signs turn."""
    place = np.arange(p.size).reshape(p.shape)
    return np.cos(3.0 * p + 0.5 * place) + 0.7 * np.sin(1.3 * step + place)


def penalised(
    g: np.ndarray, p: np.ndarray, weight_decay: float = 0.0, l1_decay: float = 0.0, maximize: bool = False
) -> np.ndarray:
    """The gradient with what the penalties add to it."""
    return (-g if maximize else g) + weight_decay * p + l1_decay * np.sign(p)


def run(kind: Any, settings: dict[str, Any], dtype: Any, steps: int, shapes: Any = SHAPES) -> list[np.ndarray]:
    """The parameters after `steps` steps; gradients are computed in float64."""
    parameters = [fg.nn.Parameter(fg.testing.make_tensor(*s, seed=i, dtype=dtype)) for i, s in enumerate(shapes)]
    optimizer = kind(parameters, **settings)
    for step in range(steps):
        for parameter in parameters:
            value = parameter.detach().numpy().astype(np.float64)
            parameter.grad = fg.asarray(np.asarray(gradient(value, step)), dtype=dtype)
        optimizer.step()
    return [parameter.detach().numpy() for parameter in parameters]


def check(
    kind: Any,
    formula: Formula,
    settings: dict[str, Any],
    dtype: Any = fg.float64,
    steps: int = 20,
    shapes: Any = SHAPES,
    tolerance: float | None = None,
) -> None:
    """Assert that the optimizer follows the formula."""
    tolerance = TOLERANCE[dtype] if tolerance is None else tolerance
    for i, (shape, got) in enumerate(zip(shapes, run(kind, settings, dtype, steps, shapes), strict=True)):
        p = fg.testing.make_tensor(*shape, seed=i, dtype=dtype).numpy().astype(np.float64)
        walk = formula(p, **settings)
        next(walk)
        for step in range(steps):
            p = walk.send(gradient(p, step))
        np.testing.assert_allclose(got, p, rtol=tolerance, atol=tolerance)
