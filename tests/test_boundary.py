"""The boundary values against every op, in processes that may die: no signal, no hang, no panic, no SystemError."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from harness import boundary_child
from harness.floors import count

SHARDS = 4
TESTS = Path(__file__).parent
PATH = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
MOST_DEATHS = 15


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_input_ends_or_corrupts_the_interpreter(shard: int, tmp_path: Path) -> None:
    problems: list[str] = []
    first, deaths = 0, 0
    while first >= 0 and deaths < MOST_DEATHS:
        index, executed, code = run_child(shard, first, tmp_path, problems)
        count("boundary", executed)
        if index >= 0:
            problems.append(f"{case_name(shard, index)}: {death(code)}{last_words(tmp_path)}")
            deaths += 1
        first = index + 1 if index >= 0 else -1
    assert not problems, "\n".join([f"{len(problems)} forbidden outcomes:", *problems[:60]])


def run_child(shard: int, first: int, folder: Path, problems: list[str]) -> tuple[int, int, int]:
    """(the case that killed the child or -1, cases completed, exit code)."""
    progress = folder / "progress"
    progress.write_bytes(struct.pack("qq", first, 0))
    command = [sys.executable, "-m", "harness.boundary_child", str(shard), str(SHARDS), str(first), str(progress)]
    environment = {**os.environ, "PYTHONPATH": PATH, "FERROGRAD_NUM_THREADS": "2"}
    with (folder / "errors").open("w") as errors:
        child = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=500, check=False
        )
    for line in child.stdout.splitlines():
        found = json.loads(line)
        problems.append(f"{found['case']}: {found['problem']}")
    index, executed = struct.unpack("qq", progress.read_bytes())
    return index, executed, child.returncode


def case_name(shard: int, index: int) -> str:
    return next(islice(boundary_child.cases(shard, SHARDS), index, None))[0]


def death(code: int) -> str:
    if code == -signal.SIGALRM:
        return f"no answer in {boundary_child.SECONDS} s"
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def last_words(folder: Path) -> str:
    text = (folder / "errors").read_text(errors="replace").strip()
    return f"; {text[-300:]}" if text else ""
