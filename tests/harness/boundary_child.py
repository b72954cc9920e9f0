"""Runs boundary cases in a process of its own: `python -m harness.boundary_child SHARD SHARDS FIRST PROGRESS`.

The index of the case under way is kept in a mapped file, so that whoever waits for this process knows what killed it.
"""

from __future__ import annotations

import json
import mmap
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness import boundary_values, calls, dtypes
from op_table import ROWS
from op_table.row import Call, Row, Source

SECONDS = 10
EXTRA_MEMORY = 3 << 29
BASES = 2

# A case is a name and a function that makes the call; building the arguments is part of the case.
Case = tuple[str, Callable[[Any], Any]]
ALLOWED = (TypeError, ValueError, IndexError, KeyError, RuntimeError, MemoryError, OverflowError, BufferError)
ALLOWED += (ArithmeticError, AttributeError, boundary_values.RefusedError)


def cases(shard: int, shards: int) -> Iterator[Case]:
    for number, (name, row) in enumerate(ROWS.items()):
        if number % shards == shard:
            yield from row_cases(name, row)
    if shard == 0:
        yield from method_cases()


def row_cases(name: str, row: Row) -> Iterator[Case]:
    dtype = "float32" if "float32" in row.dtypes else row.dtypes[0]
    for base in range(BASES):
        source = Source(np.random.default_rng(dtypes.seed_of(name, str(base))), dtype)
        example = row.cases(source)
        for place in (*range(len(example.args)), *example.kwargs):
            for label, make in boundary_values.VALUES.items():
                yield f"{name}: argument {place} is {label}", replaced(row, example, dtype, place, make)
    for label, make in boundary_values.VALUES.items():
        yield f"{name}: every argument is {label}", everywhere(row, len(example.args), make)
        yield f"{name}: unknown keyword {label}", unknown_keyword(row, example, dtype, make)


def replaced(row: Row, example: Call, dtype: str, place: int | str, make: boundary_values.Make) -> Any:
    def run(fg: Any) -> Any:
        call = calls.for_op(fg, example, dtype)
        args, kwargs = list(call.args), dict(call.kwargs)
        target: Any = args if isinstance(place, int) else kwargs
        target[place] = make(fg)
        return row.function(fg)(*args, **kwargs)

    return run


def everywhere(row: Row, count: int, make: boundary_values.Make) -> Any:
    return lambda fg: row.function(fg)(*(make(fg) for _ in range(count)))


def unknown_keyword(row: Row, example: Call, dtype: str, make: boundary_values.Make) -> Any:
    def run(fg: Any) -> Any:
        call = calls.for_op(fg, example, dtype)
        return row.function(fg)(*call.args, **call.kwargs, unknown=make(fg))

    return run


METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "x[v]": lambda x, v: x[v],
    "x[:, v]": lambda x, v: x[:, v],
    "x[v:]": lambda x, v: x[v:],
    "x[::v]": lambda x, v: x[::v],
    "x[v] = 1": lambda x, v: x.__setitem__(v, 1),
    "x[0] = v": lambda x, v: x.__setitem__(0, v),
    "x + v": lambda x, v: x + v,
    "v - x": lambda x, v: v - x,
    "x // v": lambda x, v: x // v,
    "x % v": lambda x, v: x % v,
    "x ** v": lambda x, v: x**v,
    "x << v": lambda x, v: x << v,
    "x >> v": lambda x, v: x >> v,
    "x @ v": lambda x, v: x @ v,
    "x == v": lambda x, v: x == v,
    "x += v": lambda x, v: x.__iadd__(v),
    "x.reshape(v)": lambda x, v: x.reshape(v),
    "x.sum(v)": lambda x, v: x.sum(v),
    "x.to(v)": lambda x, v: x.to(v),
    "x.backward(v)": lambda x, v: x.backward(v),
    "x.grad = v": lambda x, v: setattr(x, "grad", v),
    "x.requires_grad = v": lambda x, v: setattr(x, "requires_grad", v),
    "x.__dlpack__(max_version=v)": lambda x, v: x.__dlpack__(max_version=v),
    "x.__array__(v)": lambda x, v: x.__array__(v),
}


def method_cases() -> Iterator[Case]:
    subjects: dict[str, boundary_values.Make] = {
        "float": lambda fg: fg.ones((3, 4)),
        "int": lambda fg: fg.full((3, 4), -(2**63), dtype=fg.int64),
        "0-d": lambda fg: fg.asarray(1.0),
        "leaf": lambda fg: fg.tensor([[1.0, 2.0]], requires_grad=True),
    }
    for method, run in METHODS.items():
        for subject, tensor in subjects.items():
            for label, make in boundary_values.VALUES.items():
                yield f"{method} on {subject}: v is {label}", applied(run, tensor, make)


def applied(run: Callable[[Any, Any], Any], tensor: boundary_values.Make, make: boundary_values.Make) -> Any:
    return lambda fg: run(tensor(fg), make(fg))


def touched(result: Any) -> None:
    """Reads what came back, in case a shape lies about its memory."""
    for out in result if isinstance(result, (tuple, list)) else [result]:
        if hasattr(out, "__dlpack__") and out.size and out.size < 1 << 20:
            repr(out)


def outcome(run: Callable[[Any], Any], fg: Any) -> str | None:
    """None, or what makes this outcome forbidden."""
    try:
        touched(run(fg))
    except ALLOWED as error:
        return (
            f"reported as a bug: {error}" if "internal error" in str(error).encode(errors="replace").decode() else None
        )
    except BaseException as error:  # noqa: BLE001  (PanicException is one)
        return f"{type(error).__name__}: {error}"
    return None


def limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (used + EXTRA_MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    shard, shards, first = map(int, sys.argv[1:4])
    with Path(sys.argv[4]).open("r+b") as file:
        progress = mmap.mmap(file.fileno(), 16)
    import ferrograd as fg

    fg.sum(fg.matmul(fg.ones((64, 64)), fg.ones((64, 64))))
    limit_memory()
    executed = 0
    for index, (name, run) in enumerate(cases(shard, shards)):
        if index < first:
            continue
        progress[:16] = struct.pack("qq", index, executed)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        problem = outcome(run, fg)
        signal.setitimer(signal.ITIMER_REAL, 0)
        executed += 1
        if problem:
            print(json.dumps({"case": name, "problem": problem}), flush=True)
    progress[:16] = struct.pack("qq", -1, executed)


if __name__ == "__main__":
    main()
