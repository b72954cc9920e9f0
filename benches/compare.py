"""Ferrograd and its peers on the same machine: one process per framework, equal threads, interleaved rounds.

    python benches/compare.py [--only PATTERN] [--json FILE] [--markdown FILE] [--peers PYTHON]

The ratio of a row is the fastest peer's time over ours, both medians of the rounds: above 1, we are faster. Its spread
is the interquartile range of the ratios of single rounds. The error is that of the result against float64 (root mean
square, relative), the rival's in brackets. A peer that is not installed is named, and so is a row that cannot run.
The roofline is the time in which the machine could at best compute and move what our ops do, one after the other, over
our time (`fg.cpu.roofline`); what is found in caches can be faster.
JAX and NumPy have no layers of their own and stand in the rows of single ops.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from frameworks import FRAMEWORKS, THREAD_VARIABLES
from measure import CLOCKS, median, rounds, spread
from report import Row, header, line, machine, markdown
from workloads import WORKLOADS, Workload, matching

HERE = Path(__file__).parent
OURS = "ferrograd"
PEERS_PYTHON = HERE.parent / ".venv-peers" / "bin" / "python"
# Between two frameworks' turns: the threads of the first (OpenBLAS: 25 ms) have to stop spinning
# before the clock of the second starts, or they take a core from it.
REST_SECONDS, LONGEST_REST_SECONDS = 0.01, 0.5
IDLE_SECONDS = 0.0005
# A compiler may take minutes; what takes longer is taken for hanging.
PATIENCE_SECONDS = 900
# Results of the same work on the same numbers; float32 in another order of additions stays well within.
SAME_RESULT = 1e-2


class UnavailableError(Exception):
    """A framework cannot do what was asked; the message says why."""


def processor_seconds(process: int) -> float:
    """What all threads of a process have used so far; 0 where the system does not say."""
    used = 0.0
    for file in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # the thread has ended
            used += int(file.read_text().split()[0]) * 1e-9
    return used


class Framework:
    """The process of one framework, started when it is first needed, and again after it has died."""

    def __init__(self, name: str, python: Path, threads: int, clock: str) -> None:
        self.name, self.version = name, ""
        self.command = [str(python), str(HERE / "worker.py"), name, str(threads), clock]
        self.environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        pipe = subprocess.PIPE
        try:
            self.process = subprocess.Popen(self.command, env=self.environment, stdin=pipe, stdout=pipe, text=True)
        except OSError as error:
            raise UnavailableError(f"no interpreter ({error})") from error
        self.version = self.receive()["version"]

    def ask(self, **request: Any) -> dict[str, Any]:
        if self.process is None:
            self.start()
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.receive()

    def receive(self) -> dict[str, Any]:
        patience = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        patience.start()
        text = self.process.stdout.readline()
        patience.cancel()
        if not text:
            code = self.process.wait()
            self.process = None
            raise UnavailableError(f"its process ended with code {code}")
        answer = json.loads(text)
        if "error" in answer:
            raise UnavailableError(answer["error"])
        return answer

    def rest(self) -> None:
        """Waits until the process has stopped using the processor."""
        used, deadline = -1.0, time.monotonic() + LONGEST_REST_SECONDS
        while self.process is not None and time.monotonic() < deadline:
            before, used = used, processor_seconds(self.process.pid)
            if before >= 0.0 and used - before < IDLE_SECONDS:
                break
            time.sleep(REST_SECONDS)

    def close(self) -> None:
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def compare(workload: Workload, frameworks: dict[str, Framework], budget: float) -> Row:
    """Measures one row on all frameworks that have a body for it."""
    prepared: dict[str, dict[str, Any]] = {}
    notes: list[str] = []

    def attempt(name: str, **request: Any) -> dict[str, Any] | None:
        try:
            return frameworks[name].ask(**request)
        except UnavailableError as reason:
            notes.append(f"{name}: {reason}")
            prepared.pop(name, None)
            return None

    for name in (name for name in workload.bodies if name in frameworks):
        answer = attempt(name, prepare=workload.name)
        if answer:
            prepared[name] = answer
            frameworks[name].rest()
    samples = collections.defaultdict(list)
    longest = max((a["seconds"] * a["calls"] for a in prepared.values()), default=0.0)
    turns = collections.deque(prepared)

    def least_seconds() -> list[float]:
        answer = attempt(OURS, least=True) if OURS in prepared else None
        return [answer["seconds"]] if answer and answer["seconds"] else []

    # The machine's speed changes while a row is measured: what it could do is asked before and after.
    least = least_seconds()
    for _ in range(3 if workload.counted else rounds(longest, budget)):
        for name in list(turns):
            if name in prepared:
                answer = attempt(name, sample=prepared[name]["calls"])
                if answer:
                    samples[name].append(answer["seconds"])
                frameworks[name].rest()
        turns.rotate()
    least += least_seconds()
    for name in list(prepared):
        attempt(name, release=True)
    return summary(workload, {name: samples[name] for name in prepared}, prepared, least, notes)


def summary(
    workload: Workload,
    samples: dict[str, list[float]],
    prepared: dict[str, dict[str, Any]],
    least: list[float],
    notes: list[str],
) -> Row:
    medians = {name: median(values) for name, values in samples.items()}
    peers = {name: seconds for name, seconds in medians.items() if name != OURS}
    rival_name = min(peers, key=peers.__getitem__, default=None)
    ours, rival = medians.get(OURS), peers.get(rival_name)
    if workload.limit is not None:
        rival_name, rival = "limit", workload.limit
    variation = None
    if ours:
        paired = zip(samples[OURS], samples.get(rival_name, samples[OURS]), strict=True)
        variation = spread([theirs / mine for mine, theirs in paired] if rival_name in samples else samples[OURS])
    sizes = {name: answer.get("size_of_result") for name, answer in prepared.items()}
    if ours and rival_name in sizes:
        mine, theirs = sizes[OURS], sizes[rival_name]
        if mine is not None and abs(mine - theirs) > SAME_RESULT * abs(theirs):
            notes.append(f"results differ: mean magnitude {mine:.6g}, of {rival_name} {theirs:.6g}")
    return Row(
        workload=workload.name,
        ours=ours,
        rival=rival,
        rival_name=rival_name,
        ratio=rival / ours if ours and rival else None,
        spread=variation,
        error=prepared.get(OURS, {}).get("error_of_result"),
        at_least=workload.at_least,
        goal=workload.goal,
        rival_error=prepared.get(rival_name, {}).get("error_of_result"),
        roofline=sum(least) / len(least) / ours if least and ours else None,
        unit=workload.unit,
        peers=peers,
        note="; ".join(notes),
    )


def available(names: list[str], python: Path, threads: int, clock: str) -> tuple[dict[str, Framework], dict[str, str]]:
    """The frameworks that start, and why the others do not."""
    frameworks, missing = {}, {}
    for name in names:
        framework = Framework(name, Path(sys.executable) if name == OURS else python, threads, clock)
        try:
            framework.start()
            frameworks[name] = framework
        except UnavailableError as reason:
            missing[name] = str(reason)
    return frameworks, missing


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose name contains it; a|b for either")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows and the machine")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="interpreter in which the peers are installed")
    parser.add_argument("--frameworks", default=",".join(FRAMEWORKS), help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=2.0, help="budget of a row and framework, after warm-up")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a machine that is not idle")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    chosen = parser.parse_args()
    if chosen.clock == "cpu" and chosen.threads != 1:
        parser.error("--clock cpu needs --threads 1: threads that wait for others spin, and that would count")
    return chosen


def main() -> None:
    chosen = options()
    if chosen.list:
        print("\n".join(WORKLOADS))
        return
    python = chosen.peers or (PEERS_PYTHON if PEERS_PYTHON.exists() else Path(sys.executable))
    frameworks, missing = available(chosen.frameworks.split(","), python, chosen.threads, chosen.clock)
    about = machine(chosen.threads, chosen.clock, {name: each.version for name, each in frameworks.items()}, missing)
    print("\n".join(f"{key}: {value}" for key, value in about.items()), end="\n\n")
    print(header(), flush=True)
    rows: list[Row] = []
    try:
        for workload in matching(chosen.only):
            rows.append(compare(workload, frameworks, chosen.seconds))
            print(line(rows[-1]), flush=True)
    finally:
        for framework in frameworks.values():
            framework.close()
        if chosen.json:
            chosen.json.write_text(json.dumps({"machine": about, "rows": [row.as_dict() for row in rows]}, indent=1))
        if chosen.markdown:
            chosen.markdown.write_text(markdown(about, rows))


if __name__ == "__main__":
    main()
