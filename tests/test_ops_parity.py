"""Every row of the op table on the GPU against the CPU: values with extreme ones among them, and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ferrograd as fg
from harness import calls, compare, dtypes
from harness.floors import count
from op_table import ROWS
from op_table.row import Call, Row, Source

pytestmark = pytest.mark.skipif(
    not fg.gpu.is_available(),
    reason="no GPU adapter found (apt-get install mesa-vulkan-drivers libvulkan1 gives a software one)",
)

STORED = ("float32", "float16", "int32", "uint32", "bool")
EXAMPLES = 2
SLACK = 8  # two results, each within the band of the reference, in different orders of adding
EVERY = [
    pytest.param(row, dtype, id=f"{name}-{dtype}")
    for name, row in ROWS.items()
    for dtype in row.dtypes
    if dtype in STORED
]
DIFFERENTIABLE = [
    pytest.param(row, id=name) for name, row in ROWS.items() if row.gradient is True and "float32" in row.dtypes
]


def example(row: Row, dtype: str, number: int, smooth: bool = False) -> Call:
    make = row.smooth if smooth and row.smooth else row.cases
    drawn = make(Source(np.random.default_rng(dtypes.seed_of(row.name, dtype, str(number))), dtype, smooth))
    return calls.mapped(drawn, flushed)


def flushed(value: Any) -> Any:
    """Graphics drivers may take subnormal numbers for zero, so none is passed."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return value
    return np.where(np.abs(value) < np.finfo(value.dtype).tiny, np.zeros_like(value), value)


def is_missing(error: Exception) -> bool:
    """Not on the GPU yet, and the error says so; it names an op before its colon."""
    text = str(error)
    missing = "no kernel for this device yet" in text or "wrong dtype for the gpu" in text
    return missing and not text.startswith("gpu:")


def evaluate(row: Row, call: Call, dtype: str, device: str) -> list[Any]:
    arguments = calls.for_op(fg, call, dtype, device)
    return compare.outputs(row.function(fg)(*arguments.args, **arguments.kwargs))


def on_gpu(row: Row, call: Call, run: Any) -> Any:
    """The result, or None where the op is not there yet."""
    try:
        return run("gpu")
    except (fg.DeviceError, fg.DTypeError) as error:
        if is_missing(error):
            return None
        error.add_note(f"{row.name}: {call}")
        raise


def assert_same(row: Row, call: Call, cpu: Any, gpu: Any) -> None:
    one, other = compare.to_numpy(cpu), compare.to_numpy(gpu)
    assert one.shape == other.shape
    if one.dtype.kind in "iu":  # sums and places are 32-bit integers on the GPU
        other = other.astype(one.dtype) if abs(one.astype(np.float64)).max(initial=0) < 2**31 else one
    compare.assert_close_arrays(one, other, row.slack * SLACK)


@pytest.mark.parametrize("row, dtype", EVERY)
def test_values(row: Row, dtype: str) -> None:
    for number in range(EXAMPLES):
        call = example(row, dtype, number)
        if not calls.arrays(call) or row.check:
            continue
        gpu = on_gpu(row, call, lambda device, call=call: evaluate(row, call, dtype, device))
        if gpu is None:
            continue
        for one, other in zip(evaluate(row, call, dtype, "cpu"), gpu, strict=True):
            if hasattr(one, "dtype"):
                assert_same(row, call, one, other)
        count("parity")


@pytest.mark.parametrize("row", DIFFERENTIABLE)
def test_gradients(row: Row) -> None:
    call = example(row, "float32", 0, smooth=True)
    gpu = on_gpu(row, call, lambda device: gradients(row, call, device))
    if gpu is None:
        return
    for one, other in zip(gradients(row, call, "cpu"), gpu, strict=True):
        assert_same(row, call, one, other)
    count("parity of gradients")


def gradients(row: Row, call: Call, device: str) -> list[Any]:
    """The gradients of all float operands, for a cotangent that is not constant."""
    leaves: list[Any] = []
    drawn = calls.for_op(fg, call, "float32", device)
    given = [drawn.args[place] if isinstance(place, int) else drawn.kwargs.get(place) for place in row.constants]

    def leaf(value: Any) -> Any:
        constant = any(value is each for each in given)
        if constant or not hasattr(value, "requires_grad") or compare.dtype_name(value) != "float32":
            return value
        leaves.append(value.detach())
        leaves[-1].requires_grad = True
        return leaves[-1]

    arguments = calls.mapped(drawn, leaf)
    terms = []
    for out in compare.outputs(row.function(fg)(*arguments.args, **arguments.kwargs)):
        if compare.dtype_name(out) == "float32" and out.requires_grad:
            weights = np.cos(np.arange(out.size, dtype=np.float32)).reshape(out.shape)
            terms.append(fg.sum(out * fg.asarray(weights).to(device)))
    if not terms:
        return []
    sum(terms[1:], terms[0]).backward()
    return [each.grad for each in leaves if each.grad is not None]
