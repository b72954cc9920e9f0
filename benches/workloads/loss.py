"""A language model's ends: cross-entropy over a large vocabulary, and the lookup of its embedding."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from frameworks import Library
from workloads.workload import integers, normal, op

VOCABULARY = 50257
LOGITS = [normal(256, VOCABULARY), integers(VOCABULARY, 256)]


def exact(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    highest = x.max(-1)
    total = np.log(np.exp(x - highest[:, None]).sum(-1)) + highest
    return (total - x[np.arange(len(target)), target]).mean()


def jax_cross_entropy(lib: Library) -> Any:
    def mean(x: Any, target: Any) -> Any:
        return -lib.xp.take_along_axis(lib.F.log_softmax(x), target[:, None], 1).mean()

    return mean


row = functools.partial(op, at_least=2.0, goal=3.0)

WORKLOADS = [
    row("cross-entropy, 256 x 50257", LOGITS, lambda lib: lib.F.cross_entropy, jax=jax_cross_entropy, exact=exact),
    row("cross-entropy, 256 x 50257, backward", LOGITS, lambda lib: lib.F.cross_entropy, backward=True, exact=exact),
    op(
        "embedding, 8 x 512 of 50257 x 768",
        [integers(VOCABULARY, 8, 512), normal(VOCABULARY, 768)],
        lambda lib: lib.F.embedding,
        jax=lambda _: lambda indices, table: table[indices],
        numpy=lambda _: lambda indices, table: table[indices],
        at_least=1.0,
        goal=1.5,
    ),
]
