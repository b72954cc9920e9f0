"""Devices, seeds, Hypothesis profiles, and the floors on executed cases."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from harness import floors

# `make test` runs the same few examples each time; FERROGRAD_TEST_PROFILE=thorough looks for new ones.
COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    "report_multiple_bugs": False,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.generate, Phase.shrink),
}
# Hypothesis nests its settings at each run of a test function, and one function here runs a thousand rows.
sys.setrecursionlimit(20_000)
settings.register_profile("quick", max_examples=6, derandomize=True, **COMMON)
settings.register_profile("thorough", max_examples=200, **COMMON)
settings.load_profile(os.environ.get("FERROGRAD_TEST_PROFILE", "quick"))


@pytest.fixture(params=["cpu", "gpu"])
def device(request: pytest.FixtureRequest) -> str:
    """Every device that there is; a missing one skips and says why."""
    import ferrograd as fg

    if request.param == "gpu" and not fg.gpu.is_available():
        pytest.skip("no GPU adapter found (apt-get install mesa-vulkan-drivers libvulkan1 gives a software one)")
    return str(request.param)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test draws the same random numbers, in whatever order tests run."""
    import ferrograd as fg

    fg.manual_seed(0)


def pytest_sessionfinish(session: pytest.Session) -> None:
    worker_output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if worker_output is not None:
        worker_output["cases"] = dict(floors.executed)
    elif whole_suite(session.config) and floors.below(floors.executed):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if floors.executed:
        counted = ", ".join(f"{suite} {count}" for suite, count in sorted(floors.executed.items()))
        terminalreporter.write_line(f"cases executed: {counted}")
    if whole_suite(config):
        for line in floors.below(floors.executed):
            terminalreporter.write_line(f"FAILED {line}", red=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    floors.executed.update(getattr(node, "workeroutput", {}).get("cases", {}))


def whole_suite(config: pytest.Config) -> bool:
    """Nothing was left out by hand: no paths, no -k, no -m."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return everything and not config.getoption("keyword") and not config.getoption("markexpr")
