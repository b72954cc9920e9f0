"""Registered ops == rows of the op table == names in the stub == documented names: nothing is half there."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import ferrograd as fg
from ferrograd import _core
from op_table import ROWS

# One pass over all parameters of an optimizer; `tests/optim` checks them against their definitions.
STEPS = frozenset({"fused_step", "global_norm"})
# Public functions written in Python on a private compiled half, or about shapes and dtypes only.
IN_PYTHON = frozenset(
    {
        *("asarray", "astype", "can_cast", "finfo", "from_dlpack", "iinfo", "isdtype", "result_type", "tensor"),
        *("broadcast_arrays", "broadcast_shapes", "concat", "einsum", "meshgrid"),
        *("unique_all", "unique_counts", "unique_inverse"),
        *("linalg.eig", "linalg.eigh", "linalg.qr", "linalg.slogdet", "linalg.svd"),
    }
)


def registered() -> set[str]:
    """The public names of what the compiled module binds."""
    return {name.rstrip("_") for name in _core.__ops__ if not name.startswith("_")} - STEPS


def flat(row: str) -> str:
    """`linalg.svd` is bound as `linalg_svd`."""
    return row.replace(".", "_")


def test_every_registered_op_has_a_row() -> None:
    assert sorted(registered() - set(map(flat, ROWS))) == []


def test_every_row_has_a_registered_op() -> None:
    assert sorted(name for name in ROWS if name not in IN_PYTHON and flat(name) not in registered()) == []


def test_private_halves_have_public_functions() -> None:
    halves = {name.strip("_") for name in _core.__ops__ if name.startswith("_")}
    assert sorted(halves - {name.rsplit(".", 1)[-1] for name in IN_PYTHON}) == []


def stub_names() -> set[str]:
    tree = ast.parse(Path(fg.__file__).with_name("_core.pyi").read_text())
    return {node.name.rstrip("_") for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_stub_names_every_op() -> None:
    assert sorted(registered() - stub_names()) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_is_documented_with_its_signature(name: str) -> None:
    function = ROWS[name].function(fg)
    if ROWS[name].find is None:
        assert function.__doc__, name
        assert len(function.__doc__.strip()) > 5, name
        assert inspect.signature(function).parameters, name


def test_exported_names_are_real_and_documented() -> None:
    for name in fg.__all__:
        assert hasattr(fg, name), name
