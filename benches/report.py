"""The ratio table: as text while it grows, as Markdown and as JSON at the end."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass
class Row:
    """One workload's outcome, in seconds or bytes; None where there is nothing to say."""

    workload: str
    ours: float | None
    rival: float | None
    rival_name: str | None
    ratio: float | None
    spread: float | None
    error: float | None
    at_least: float | None
    goal: float | None
    rival_error: float | None
    roofline: float | None
    unit: str
    peers: dict[str, float]
    note: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def verdict(self) -> str:
        if self.ratio is None or self.at_least is None:
            return ""
        if self.goal is not None and self.ratio >= self.goal:
            return "goal"
        return "yes" if self.ratio >= self.at_least else "no"


def machine(threads: int, clock: str, versions: dict[str, str], missing: dict[str, str]) -> dict[str, Any]:
    """What the figures depend on besides the code."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "clock": clock,
        "memory": f"{gigabytes:.0f} GB",
        "system": platform.platform(),
        "python": platform.python_version(),
        "frameworks": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "missing": ", ".join(f"{name}: {reason}" for name, reason in missing.items()) or "none",
    }


def quantity(value: float | None, unit: str) -> str:
    """A figure with a readable unit: 1.23 us, 45.6 ms, 7.89 MB."""
    if value is None:
        return "-"
    scales = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
    if unit == "bytes":
        scales = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
    scale, name = next((pair for pair in scales if value >= pair[0]), scales[-1])
    return f"{value / scale:.3g} {name}"


def errors(row: Row) -> str:
    if row.error is None:
        return ""
    return f"{row.error:.1e}" + (f" ({row.rival_error:.1e})" if row.rival_error is not None else "")


COLUMNS = {
    "workload": lambda row: row.workload,
    "ours": lambda row: quantity(row.ours, row.unit),
    "rival": lambda row: quantity(row.rival, row.unit),
    "rival's name": lambda row: (row.rival_name or "-").replace("_", " "),
    "ratio": lambda row: "-" if row.ratio is None else f"{row.ratio:.2f}",
    "spread": lambda row: "-" if row.spread is None else f"{row.spread:.0%}",
    "at least": lambda row: "" if row.at_least is None else f"{row.at_least:.3g}",
    "goal": lambda row: "" if row.goal is None else f"{row.goal:.3g}",
    "reached": Row.verdict,
    "roofline": lambda row: "" if row.roofline is None else f"{row.roofline:.0%}",
    "error (rival's)": errors,
}
WIDTHS = (50, 9, 9, 14, 6, 6, 8, 5, 7, 8, 17)


def aligned(cells: list[str]) -> str:
    first, *rest = (
        f"{cell:<{width}}" if not number else f"{cell:>{width}}"
        for number, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return "  ".join([first, *rest]).rstrip()


def header() -> str:
    return aligned(list(COLUMNS))


def line(row: Row) -> str:
    text = aligned([cell(row) for cell in COLUMNS.values()])
    return f"{text}\n    {row.note}" if row.note else text


def markdown(about: dict[str, Any], rows: list[Row]) -> str:
    """The table with the machine above it and the notes below."""
    lines = ["# Ferrograd and its peers", ""]
    lines += [f"- {key}: {value}" for key, value in about.items()]
    lines += ["", "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(cell(row) for cell in COLUMNS.values()) + " |" for row in rows]
    notes = [f"- {row.workload}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *(["", "Notes:", "", *notes] if notes else []), ""])
