"""Reductions, softmax and norms: one or two passes over memory."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from frameworks import Library
from workloads.workload import normal, op

row = functools.partial(op, at_least=1.0, goal=1.5)
LARGE = normal(2048, 2048)
HIDDEN = [normal(4096, 768), normal(768), normal(768)]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def layer_norm(x: Any, w: Any, b: Any) -> Any:
    """In what NumPy and JAX share."""
    return (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + 1e-5) ** 0.5 * w + b


def fused_layer_norm(lib: Library) -> Any:
    return lambda x, w, b: lib.F.layer_norm(x, (768,), w, b)


def fused_rms_norm(lib: Library) -> Any:
    return lambda x, w: lib.F.rms_norm(x, (768,), w, 1e-5)


WORKLOADS = [
    row("sum of 4 M, all", [LARGE], lambda _: lambda x: x.sum(), on="torch jax numpy", exact=np.sum),
    *(
        row(
            f"sum of 4 M, axis {axis}",
            [LARGE],
            lambda _, axis=axis: lambda x: x.sum(axis),
            on="torch jax numpy",
            exact=functools.partial(np.sum, axis=axis),
        )
        for axis in (0, 1)
    ),
    row(
        "softmax, 2048 x 2048",
        [LARGE],
        lambda _: lambda x: x.softmax(-1),
        jax=lambda lib: lib.F.softmax,
        numpy=lambda _: softmax,
        exact=softmax,
    ),
    row(
        "layer norm, 4096 x 768",
        HIDDEN,
        fused_layer_norm,
        jax=lambda _: layer_norm,
        numpy=lambda _: layer_norm,
        exact=layer_norm,
    ),
    row("layer norm, 4096 x 768, backward", HIDDEN, fused_layer_norm, backward=True, exact=layer_norm),
    row(
        "RMS norm, 4096 x 768",
        HIDDEN[:2],
        fused_rms_norm,
        exact=lambda x, w: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w,
    ),
]
