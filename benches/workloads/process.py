"""What a framework costs before and besides its arithmetic: import, resident memory, peak memory, the wheel."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

from frameworks import Library
from workloads.workload import Body, Work, Workload

HERE = Path(__file__).parent.parent
DIST = HERE.parent / "dist"
MEGABYTE = 1e6
IMPORT = """
import numpy, resource, time
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before, start = resident(), time.perf_counter()
import ferrograd
print(time.perf_counter() - start, resident() - before)
"""


def child(*arguments: str) -> list[float]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return [float(number) for number in done.stdout.split()]


def imported(_: Library, column: int) -> Work:
    return lambda: child("-c", IMPORT)[column]


def wheel_size(_: Library) -> Work:
    wheels = sorted(DIST.glob("ferrograd-*.whl"), key=lambda path: path.stat().st_mtime)
    if not wheels:
        raise FileNotFoundError("there is no wheel in dist/, build it with `make wheel`")
    return lambda: float(wheels[-1].stat().st_size)


def peak(library: Library, workload: str) -> Work:
    return lambda: child(str(HERE / "peak.py"), library.name, str(library.threads), workload)[0]


def promise(name: str, unit: str, limit: float, body: Body) -> Workload:
    """A figure that ferrograd keeps below a limit; the goal is half of it."""
    return Workload(name, {"ferrograd": body}, 1.0, 2.0, limit=limit, counted=True, unit=unit)


WORKLOADS = [
    promise("import, on top of NumPy", "seconds", 0.03, functools.partial(imported, column=0)),
    promise("resident after import, on top of NumPy", "bytes", 15 * MEGABYTE, functools.partial(imported, column=1)),
    promise("wheel", "bytes", 12 * MEGABYTE, wheel_size),
    Workload(
        "peak memory of a step, GPT-2 124M, T 64, batch 4",
        dict.fromkeys(
            ("ferrograd", "torch", "torch_fused"),
            functools.partial(peak, workload="train GPT-2 124M, T 64, batch 4"),
        ),
        at_least=1 / 0.8,
        goal=1 / 0.6,
        counted=True,
        unit="bytes",
    ),
]
