"""Registered ops == rows of the op table == names in the stub == documented names: nothing is half there."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import ferrograd as fg
from ferrograd import _core, _namespace
from op_table import ROWS

# Bound like ops, but about state or the graph; `test_autograd.py` and `test_process.py` are theirs.
NOT_OPS = frozenset({"adam_step", "sgd_step", "global_norm"})


def registered() -> set[str]:
    """Public names; one with an underscore is the compiled half of a function written in Python."""
    return {name for name in _core.__ops__ if not name.startswith("_")} - NOT_OPS


def flat(row: str) -> str:
    return row.replace("nn.functional.", "").replace(".", "_")


def test_every_registered_op_has_a_row() -> None:
    assert sorted(registered() - set(map(flat, ROWS))) == []


def test_every_row_has_a_registered_op() -> None:
    assert sorted({name for name in map(flat, ROWS) if not found(name)}) == []


def found(name: str) -> bool:
    return name in registered() or name in WRITTEN_IN_PYTHON


# Composed from ops in Python, or about dtypes and shapes only.
WRITTEN_IN_PYTHON = frozenset(_namespace.__all__) | {
    "asarray",
    "from_dlpack",
    "tensor",
    *("linalg_eig", "linalg_eigh", "linalg_qr", "linalg_slogdet", "linalg_svd"),
}


def stub_names() -> set[str]:
    tree = ast.parse(Path(fg.__file__).with_name("_core.pyi").read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_stub_names_every_op() -> None:
    assert sorted(registered() - stub_names()) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_is_documented_with_its_signature(name: str) -> None:
    function = ROWS[name].function(fg)
    if ROWS[name].find is None:
        assert function.__doc__, name
        assert len(function.__doc__.strip()) > 15, name
        assert inspect.signature(function).parameters, name


def test_exported_names_are_real_and_documented() -> None:
    for name in fg.__all__:
        assert hasattr(fg, name), name
