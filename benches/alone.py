"""Ferrograd by itself, in this process: what `bench_ops.py` and `bench_train.py` print."""

from __future__ import annotations

import argparse
import os

from frameworks import Ferrograd
from measure import calls_per_sample, median, rounds, spread, timed, warm_up
from report import quantity
from workloads.workload import Workload


def main(description: str | None, workloads: list[Workload]) -> None:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose name contains it")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=1.0, help="budget of a row, after warm-up")
    options = parser.parse_args()
    library = Ferrograd(options.threads)
    print(f"ferrograd {library.version}, {options.threads} threads")
    for workload in workloads:
        if options.only.lower() in workload.name.lower():
            print(f"{workload.name:50}  {outcome(workload, library, options.seconds)}", flush=True)


def outcome(workload: Workload, library: Ferrograd, budget: float) -> str:
    with library.recording(workload.gradient):
        try:
            work = workload.bodies[library.name](library)
            seconds = warm_up(work)
        except (ArithmeticError, AttributeError, RuntimeError, TypeError, ValueError) as error:
            return f"cannot run: {type(error).__name__}: {error}"
        calls = calls_per_sample(seconds)
        samples = [timed(work, calls) for _ in range(rounds(seconds * calls, budget))]
    return f"{quantity(median(samples), workload.unit):>9}  spread {spread(samples):.0%}"
