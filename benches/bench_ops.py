"""Ops and a training step, on ferrograd and on its peers: one process per framework, equal threads, medians, ratios.

    python benches/bench_ops.py [--threads N] [--repeat N]

A peer that is not installed is named and left out. A ratio is the peer's time over ours: above 1, we are faster.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

PEERS = ("numpy", "torch")
Work = Callable[[], Any]


def ferrograd_work() -> dict[str, Work]:
    import ferrograd as fg
    import ferrograd.nn.functional as F

    fg.manual_seed(0)
    small, vector, matrix = fg.randn((4,)), fg.randn((1_000_000,)), fg.randn((512, 512))
    weights = [fg.randn(shape) * 0.05 for shape in ((784, 128), (128, 10))]
    for weight in weights:
        weight.requires_grad = True
    images, labels = fg.randn((32, 784)), fg.randint(0, 10, (32,))

    def step() -> None:
        F.cross_entropy(F.relu(images @ weights[0]) @ weights[1], labels).backward()
        for weight in weights:
            weight.grad = None

    return named(fg, small, vector, matrix, lambda x: fg.softmax(x, -1)) | {"MLP 784-128-10, batch 32": step}


def torch_work() -> dict[str, Work]:
    import torch
    import torch.nn.functional as F

    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ["FERROGRAD_NUM_THREADS"]))
    small, vector, matrix = torch.randn(4), torch.randn(1_000_000), torch.randn(512, 512)
    weights = [(torch.randn(shape) * 0.05).requires_grad_() for shape in ((784, 128), (128, 10))]
    images, labels = torch.randn(32, 784), torch.randint(0, 10, (32,))

    def step() -> None:
        F.cross_entropy(F.relu(images @ weights[0]) @ weights[1], labels).backward()
        for weight in weights:
            weight.grad = None

    return named(torch, small, vector, matrix, lambda x: torch.softmax(x, -1)) | {"MLP 784-128-10, batch 32": step}


def numpy_work() -> dict[str, Work]:
    import numpy as np

    random = np.random.default_rng(0)
    small, vector, matrix = (random.normal(size=shape).astype("float32") for shape in (4, 1_000_000, (512, 512)))

    def softmax(x: Any) -> Any:
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    return named(np, small, vector, matrix, softmax)


def named(library: Any, small: Any, vector: Any, matrix: Any, softmax: Callable[[Any], Any]) -> dict[str, Work]:
    return {
        "a + b, 4": lambda: small + small,
        "a + b, 1 M": lambda: vector + vector,
        "exp, 1 M": lambda: library.exp(vector),
        "sum, 1 M": lambda: library.sum(vector),
        "matmul, 512": lambda: library.matmul(matrix, matrix),
        "softmax, 512 x 512": lambda: softmax(matrix),
    }


def seconds(work: Work, repeat: int) -> float:
    """The median time of one call, over samples of at least 5 ms each."""
    work()
    start = time.perf_counter()
    work()
    calls = max(1, int(0.005 / max(time.perf_counter() - start, 1e-7)))
    samples = []
    for _ in range(repeat):
        start = time.perf_counter()
        for _ in range(calls):
            work()
        samples.append((time.perf_counter() - start) / calls)
    return statistics.median(samples)


def measured(framework: str, threads: int, repeat: int) -> dict[str, float]:
    variables = ("FERROGRAD_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(variables, str(threads))}
    command = [sys.executable, __file__, "--child", framework, "--repeat", str(repeat)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        work = {"ferrograd": ferrograd_work, "torch": torch_work, "numpy": numpy_work}[options.child]()
        print(json.dumps({name: seconds(each, options.repeat) for name, each in work.items()}))
        return
    present = [peer for peer in PEERS if importlib.util.find_spec(peer)]
    ours, *others = (measured(name, options.threads, options.repeat) for name in ("ferrograd", *present))
    print(f"{options.threads} threads; not installed: {', '.join(set(PEERS) - set(present)) or 'none'}")
    print(f"{'':28}{'ferrograd':>12}" + "".join(f"{peer + ' / ours':>16}" for peer in present))
    for name, mine in ours.items():
        ratios = [f"{other[name] / mine:.2f}" if name in other else "-" for other in others]
        print(f"{name:28}{mine * 1e6:>9.1f} us" + "".join(f"{ratio:>16}" for ratio in ratios))


if __name__ == "__main__":
    main()
