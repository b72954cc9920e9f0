"""The op table: one row per op. The drivers (`tests/test_ops_*.py`) run every row through every check."""

from __future__ import annotations

from importlib import import_module

from op_table.row import Row

FAMILIES = (
    "unary",
    "activation",
    "binary",
    "reduce",
    "movement",
    "views",
    "create",
    "index",
    "linalg",
    "fft",
    "conv",
    "pool",
    "norm",
    "recurrent",
    "loss",
    "interpolate",
    "random",
)


def collected() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for family in FAMILIES:
        for row in import_module(f"op_table.{family}").ROWS:
            if row.name in rows:
                raise ValueError(f"op table: two rows are named {row.name}")
            rows[row.name] = row
    return rows


ROWS = collected()
