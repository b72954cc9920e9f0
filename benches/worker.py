"""One framework's process: takes requests and gives answers as JSON lines, so that rounds can be interleaved.

    python benches/worker.py FRAMEWORK THREADS CLOCK

Requests are {"prepare": workload}, {"sample": calls}, {"least": true} and {"release": true}. An answer holds what was
asked for, or {"error": why not}.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from frameworks import FRAMEWORKS, Library
from measure import calls_per_sample, timed, warm_up
from workloads import WORKLOADS, Workload


class Worker:
    """The library and the workload that is prepared."""

    def __init__(self, library: Library, clock: str) -> None:
        self.library, self.clock = library, clock
        self.workload: Workload | None = None
        self.work: Callable[[], Any] | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "prepare" in request:
            return self.prepare(WORKLOADS[request["prepare"]])
        if "sample" in request:
            return {"seconds": self.sample(request["sample"])}
        if "least" in request:
            return {"seconds": self.least_seconds()}
        self.release()
        return {}

    def prepare(self, workload: Workload) -> dict[str, Any]:
        self.release()
        self.workload = workload
        with self.library.recording(workload.gradient):
            self.work = workload.bodies[self.library.name](self.library)
            if workload.counted:
                return {"calls": 1, "seconds": self.work()}
            result = self.library.array(self.work())
            answer = {"error_of_result": self.error(result), "size_of_result": float(np.abs(result).mean())}
            seconds = warm_up(self.work, self.clock)
        return {**answer, "calls": calls_per_sample(seconds), "seconds": seconds}

    def error(self, result: np.ndarray) -> float | None:
        """Root mean square of the deviation from float64, relative to that of the exact result."""
        if self.workload.exact is None:
            return None
        exact = self.workload.exact()
        deviation = result - exact
        return float(np.sqrt(np.mean(deviation**2) / np.mean(exact**2)))

    def sample(self, calls: int) -> float:
        with self.library.recording(self.workload.gradient):
            return self.work() if self.workload.counted else timed(self.work, calls, self.clock)

    def least_seconds(self) -> float | None:
        if self.workload.counted:
            return None
        with self.library.recording(self.workload.gradient):
            return self.library.least_seconds(self.work)

    def release(self) -> None:
        self.work = self.workload = None
        gc.collect()


def requests() -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in sys.stdin)


def main() -> None:
    framework, threads, clock = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    # What libraries print must not end up between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])

    def send(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers)

    try:
        worker = Worker(FRAMEWORKS[framework](threads), clock)
    except ImportError as error:
        send({"error": f"not installed ({error})"})
        return
    send({"version": worker.library.version})
    for request in requests():
        try:
            send(worker.answer(request))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            worker.release()
            send({"error": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"})


if __name__ == "__main__":
    main()
