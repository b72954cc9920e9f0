"""Every row's results on fixed inputs; `python -m harness.results FILE` writes them for another process to compare."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness import calls, compare, dtypes
from op_table import ROWS
from op_table.row import Call, Row, Source

EXAMPLES = 3
# Large enough that work is divided between threads; the draws of the rows themselves are small.
LARGE = (257, 513)
RAGGED = (300_001,)


def small_examples(name: str, row: Row, dtype: str) -> Iterator[Call]:
    for number in range(EXAMPLES):
        yield row.cases(Source(np.random.default_rng(dtypes.seed_of(name, dtype, str(number))), dtype, smooth=True))


class LargeSource(Source):
    """Shapes that are worth dividing between threads."""

    def shape(self, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 5) -> tuple[int, ...]:
        return RAGGED if max_dims < 2 else LARGE if min_dims < 3 else (3, *LARGE)


def large_call(name: str) -> Call:
    return ROWS[name].cases(LargeSource(np.random.default_rng(dtypes.seed_of(name)), "float32", smooth=True))


def large_case(name: str) -> list[np.ndarray]:
    return calls.arrays(large_call(name))


ELEMENTWISE = ("unary", "activation", "binary", "reduce", "norm")
MATRICES = {"matmul": ((130, 257), (257, 190)), "einsum": ((130, 257), (257, 190)), "linear": ((65, 300), (128, 300))}


def examples(name: str) -> Iterator[tuple[str, Call]]:
    row = ROWS[name]
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[0]
    for example in small_examples(name, row, dtype):
        yield dtype, example
    if name in MATRICES:
        random = np.random.default_rng(dtypes.seed_of(name))
        arrays = [random.normal(size=shape).astype("float32") for shape in MATRICES[name]]
        yield "float32", Call(("ij,jk->ik", *arrays) if name == "einsum" else tuple(arrays))
    elif family(name) in ELEMENTWISE and dtype == "float32" and name != "scaled_dot_product_attention":
        yield dtype, large_call(name)


def family(name: str) -> str:
    return ROWS[name].cases.__module__.rsplit(".", 1)[-1]


def results_of(name: str) -> list[np.ndarray]:
    import ferrograd as fg

    found: list[Any] = []
    for dtype, example in examples(name):
        fg.manual_seed(1)
        arguments = calls.for_op(fg, example, dtype)
        found += compare.outputs(ROWS[name].function(fg)(*arguments.args, **arguments.kwargs))
    return [compare.to_numpy(out) for out in found if hasattr(out, "dtype") and hasattr(out, "shape")]


def main() -> None:
    skipped = ("empty", "empty_like")
    named = {f"{name}:{i}": array for name in ROWS if name not in skipped for i, array in enumerate(results_of(name))}
    np.savez(sys.argv[1], **named)


if __name__ == "__main__":
    main()
