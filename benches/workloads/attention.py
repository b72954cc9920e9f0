"""Causal attention of GPT-2's shape, forward, and forward with backward."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from frameworks import Library
from workloads.reductions import softmax
from workloads.workload import normal, op

QKV = [normal(4, 12, 512, 64)] * 3


def exact(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    later = np.triu(np.full((q.shape[-2], k.shape[-2]), -np.inf), 1)
    return softmax(q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1]) + later) @ v


def causal(lib: Library) -> Any:
    return functools.partial(lib.F.scaled_dot_product_attention, is_causal=True)


row = functools.partial(op, inputs=QKV, body=causal, at_least=2.0, goal=3.0, exact=exact)

WORKLOADS = [
    row("causal attention, 4x12x512x64"),
    row("causal attention, 4x12x512x64, backward", backward=True),
]
