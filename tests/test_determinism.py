"""Same bits for any number of threads and in any process; across CPU levels within each row's tolerance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import compare
from harness.floors import count
from harness.results import large_case, results_of
from op_table import ROWS

TESTS = Path(__file__).parent
PATH = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
LEVELS = ("portable", "avx2", "avx512")


def run(folder: Path, label: str, **environment: str) -> dict[str, list[np.ndarray]]:
    """Every row's results, from a process with this environment."""
    path = folder / f"{label}.npz"
    variables = {**os.environ, "PYTHONPATH": PATH, **environment}
    subprocess.run([sys.executable, "-m", "harness.results", str(path)], env=variables, check=True, timeout=400)
    found: dict[str, list[np.ndarray]] = {}
    with np.load(path) as file:
        for key in file.files:
            found.setdefault(key.rsplit(":", 1)[0], []).append(file[key])
    return found


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[np.ndarray]]:
    return run(tmp_path_factory.mktemp("single"), "single", FERROGRAD_NUM_THREADS="1")


@pytest.mark.parametrize("threads", ["2", "3"])
def test_bits_do_not_depend_on_the_number_of_threads(
    threads: str, single: dict[str, list[np.ndarray]], tmp_path: Path
) -> None:
    several = run(tmp_path, threads, FERROGRAD_NUM_THREADS=threads)
    assert several.keys() == single.keys()
    different = [
        name
        for name, arrays in single.items()
        if any(one.tobytes() != other.tobytes() for one, other in zip(arrays, several[name], strict=True))
    ]
    count("determinism", len(single))
    assert different == []


@pytest.mark.parametrize("level", LEVELS)
def test_cpu_levels_agree_within_the_tolerance(level: str, single: dict[str, list[np.ndarray]], tmp_path: Path) -> None:
    capped = run(tmp_path, level, FERROGRAD_CPU_LEVEL=level, FERROGRAD_NUM_THREADS="1")
    different = []
    for name, arrays in single.items():
        for one, other in zip(arrays, capped[name], strict=True):
            try:
                compare.assert_close_arrays(one, other, ROWS[name].slack * 8)
            except AssertionError as error:
                different.append(f"{name}: {error}")
        count("determinism")
    assert different == []


def test_a_second_call_gives_the_same_bits() -> None:
    for name in ("matmul", "sum", "softmax", "layer_norm", "conv2d"):
        first, second = results_of(name), results_of(name)
        assert [a.tobytes() for a in first] == [b.tobytes() for b in second], name


def test_draws_depend_on_seed_and_position_only() -> None:
    import ferrograd as fg

    fg.manual_seed(7)
    long = compare.to_numpy(fg.randn(100_001))
    fg.manual_seed(7)
    np.testing.assert_array_equal(compare.to_numpy(fg.randn(1000)), long[:1000])
    fg.manual_seed(8)
    assert not np.array_equal(compare.to_numpy(fg.randn(1000)), long[:1000])


def test_large_cases_are_large_enough_for_threads() -> None:
    for name in ("exp", "add", "sum", "softmax"):
        assert max(array.size for array in large_case(name)) >= 1 << 16, name
