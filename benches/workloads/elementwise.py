"""Elementwise ops and copies: bound by memory, apart from the smallest, which shows what a call costs."""

from __future__ import annotations

import functools
import math
import operator

import numpy as np

from workloads.workload import normal, op

row = functools.partial(op, at_least=1.0, goal=1.5)
SQUARE = normal(1024, 1024)
LARGE = normal(2048, 2048)


def gelu(x: np.ndarray) -> np.ndarray:
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


WORKLOADS = [
    op("add, 4 elements", [normal(4), normal(4)], lambda _: operator.add, on="torch jax numpy"),
    op("small op call", [normal(4), normal(4)], lambda _: operator.add, on="", limit=0.5e-6, at_least=1.0, goal=5 / 3),
    row("add, 1 M", [SQUARE, SQUARE], lambda _: operator.add, on="torch jax numpy"),
    row("add, 1 M, a row broadcast", [SQUARE, normal(1024)], lambda _: operator.add, on="torch jax numpy"),
    row("exp, 1 M", [SQUARE], lambda lib: lib.xp.exp, on="torch jax numpy", exact=np.exp),
    row("tanh, 1 M", [SQUARE], lambda lib: lib.xp.tanh, on="torch jax numpy", exact=np.tanh),
    row(
        "gelu, 1 M",
        [SQUARE],
        lambda lib: lib.F.gelu,
        jax=lambda lib: functools.partial(lib.F.gelu, approximate=False),
        exact=gelu,
    ),
    row(
        "sigmoid(a * b + 1) * a - b, 4 M",
        [LARGE, LARGE],
        lambda _: lambda a, b: (a * b + 1.0).sigmoid() * a - b,
        on="torch torch_compiled",
        jax=lambda lib: lambda a, b: lib.F.sigmoid(a * b + 1.0) * a - b,
        exact=lambda a, b: sigmoid(a * b + 1.0) * a - b,
    ),
    row(
        "transpose and copy, 2048 x 2048",
        [LARGE],
        lambda _: lambda x: x.mT.contiguous(),
        jax=lambda _: lambda x: x.T.copy(),
        numpy=lambda _: lambda x: np.ascontiguousarray(x.T),
    ),
]
