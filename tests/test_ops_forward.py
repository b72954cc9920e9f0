"""Every row of the op table, in every dtype and memory layout, against its NumPy reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ferrograd as fg
from harness import calls, compare, dtypes
from harness.floors import count
from harness.layouts import LAYOUTS
from op_table import ROWS
from op_table.row import Call, Row

EVERY = [pytest.param(row, dtype, id=f"{name}-{dtype}") for name, row in ROWS.items() for dtype in row.dtypes]


@pytest.mark.parametrize("row, dtype", EVERY)
@given(data=st.data())
def test_matches_numpy(row: Row, dtype: str, data: st.DataObject) -> None:
    example = data.draw(calls.calls(row, dtype))
    # An op without tensor arguments has one layout.
    layouts = LAYOUTS if calls.arrays(example) else ["contiguous"]
    for layout in layouts:
        laid, values = calls.placed(example, row, layout)
        arguments = calls.for_op(fg, laid, dtype)
        try:
            result = row.function(fg)(*arguments.args, **arguments.kwargs)
            verify(row, dtype, values, result)
        except Exception as error:
            error.add_note(f"{row.name} in {dtype}, {layout}: {values}")
            raise
        count("forward")


def verify(row: Row, dtype: str, values: Call, result: Any) -> None:
    wanted = calls.expected(row, values)
    if row.check:
        row.check(result, values)
        assert [out.shape for out in compare.outputs(result)] == [np.shape(out) for out in compare.outputs(wanted)]
    else:
        compare.assert_matches(result, wanted, row.slack)
    if row.result:
        expected_dtype = dtype if row.result == "same" else row.result
        assert {compare.dtype_name(out) for out in compare.outputs(result)} == {expected_dtype}


@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_values_survive_the_round_trip(dtype: str) -> None:
    values = dtypes.random_values(np.random.default_rng(0), (3, 4), dtype, -4, 4, special=True)
    for layout, place in LAYOUTS.items():
        placed = place(values)
        tensor = placed.view(fg, compare.to_tensor(fg, placed.leaf, dtype))
        assert compare.dtype_name(tensor) == dtype
        np.testing.assert_array_equal(compare.to_numpy(tensor), placed.values, err_msg=layout)
