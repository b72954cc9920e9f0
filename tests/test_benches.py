"""The comparison runs, and writes what it promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

BENCHES = Path(__file__).parent.parent / "benches"
PYTHON_PATH = os.pathsep.join(path for path in sys.path if path)


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        cwd=BENCHES,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_compare_writes_rows_and_machine(tmp_path: Path) -> None:
    found, table = tmp_path / "rows.json", tmp_path / "RESULTS.md"
    only = "add, 4 elements|matmul, 16|train MLP 1-10-1"
    options = ("--only", only, "--frameworks", "ferrograd,numpy,torch", "--seconds", "0.01")
    peers = ("--peers", str(tmp_path / "no-python"))
    printed = run("compare.py", *options, *peers, "--json", str(found), "--markdown", str(table))
    result = json.loads(found.read_text())
    assert "numpy: " in result["machine"]["missing"]
    assert [row["workload"] for row in result["rows"]] == only.replace("1-10-1", "1-10-1, batch 10").split("|")
    for row in result["rows"]:
        assert row["ours"] > 0
        assert (row["rival"], row["rival_name"], row["ratio"]) == (None, None, None)
        assert row.keys() >= {"spread", "error", "at_least", "goal"}
        assert row["workload"] in printed
        assert row["workload"] in table.read_text()
    assert 0 < result["rows"][1]["error"] < 1e-6
    assert result["rows"][1]["roofline"] > 0


def test_compare_holds_ferrograd_against_numpy() -> None:
    table = run("compare.py", "--only", "matmul, 32", "--frameworks", "ferrograd,numpy", "--seconds", "0.01")
    row = next(line for line in table.splitlines() if line.startswith("matmul, 32 "))
    assert " numpy " in row


def test_ops_and_training_are_measured_alone() -> None:
    assert re.search(r"\d (ns|us) ", run("bench_ops.py", "--only", "add, 4 elements", "--seconds", "0.01"))
    assert "spread" in run("bench_train.py", "--only", "train MLP 1-10-1", "--seconds", "0.01")
