"""Show versions, the processor features in use, threads and devices."""

from __future__ import annotations

import argparse
import os
import platform

import numpy as np

import ferrograd as fg


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""


def facts() -> dict[str, str]:
    """What is shown, by heading."""
    gpus = fg.gpu.devices() if fg.gpu.is_available() else []
    return {
        "ferrograd": fg.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "processor": f"{os.cpu_count()} cores, {fg.get_num_threads()} threads, level {fg.cpu.level()}",
        "gpu": ", ".join(map(str, gpus)) or "none found",
    }


def run(arguments: argparse.Namespace) -> None:  # noqa: ARG001 - the command has no options
    """Print the facts."""
    for heading, value in facts().items():
        print(f"{heading:10} {value}")
