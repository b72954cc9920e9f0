"""Matrix products: large ones bound by arithmetic, small and skinny ones by everything around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workloads.workload import Workload, normal, op

CPUINFO = Path("/proc/cpuinfo")
AMX = CPUINFO.exists() and "amx_bf16" in CPUINFO.read_text()
# With tile instructions f32 has further to go; without them, bf16 has nothing to go by.
LARGE = (1.2, 1.8) if AMX else (1.0, 1.2)
BFLOAT16 = (0.9, 1.2) if AMX else (None, None)
SMALL = (1.2, 2.0)


def product(name: str, a: tuple[int, ...], b: tuple[int, ...], targets: tuple[float, float]) -> Workload:
    at_least, goal = targets
    return op(
        f"matmul, {name}",
        [normal(*a), normal(*b)],
        lambda lib: lib.xp.matmul,
        on="torch jax numpy",
        at_least=at_least,
        goal=goal,
        exact=np.matmul,
    )


def bfloat16(n: int) -> Workload:
    return op(
        f"matmul, bf16, {n}",
        [normal(n, n), normal(n, n)],
        lambda lib: lib.xp.matmul,
        on="torch jax",
        at_least=BFLOAT16[0],
        goal=BFLOAT16[1],
        exact=np.matmul,
        dtype="bfloat16",
    )


def square(n: int, targets: tuple[float, float]) -> Workload:
    return product(str(n), (n, n), (n, n), targets)


WORKLOADS = [
    *(square(n, SMALL) for n in (16, 32, 64, 128, 256)),
    *(square(n, LARGE) for n in (1024, 2048)),
    product("2048 x 768 x 3072", (2048, 768), (768, 3072), LARGE),
    product("32 x 784 x 128", (32, 784), (784, 128), SMALL),
    product("vector x 4096 x 4096", (1, 4096), (4096, 4096), SMALL),
    product("96 of 128 x 64 x 128", (96, 128, 64), (96, 64, 128), SMALL),
    bfloat16(1024),
    bfloat16(2048),
]
