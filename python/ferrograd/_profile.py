"""Where the time of a piece of code goes, op by op."""

from __future__ import annotations

import sys
import time
from types import EllipsisType
from typing import NamedTuple, Self, TextIO

from ferrograd import _core


class OpCost(NamedTuple):
    """The calls of one op: seconds without the ops called inside, bytes of all operands and of all results, and the
    multiplications and additions of matrix products and what is made of them."""

    name: str
    calls: int
    seconds: float
    bytes_in: int
    bytes_out: int
    flops: int


class profile:
    """Counts calls, seconds and bytes of every op inside the block, on all threads, and prints them as a table.

    Args:
        file: where the table goes at the end, standard output if not given; None prints nothing, `ops` and `str` of the
            profile have it all the same.

    `ops` lists an `OpCost` per op, the longest first, and `seconds` is the time of the whole block: what the ops do not
    add up to was spent in Python, in views and in the walk of backward. A GPU is waited for after every op, which tells
    ops apart and slows the whole down. Raises RuntimeError if a profile is already running.

    >>> import ferrograd as fg
    >>> x = fg.ones((8, 8))
    >>> with fg.profile(file=None) as profile:
    ...     y = fg.exp(x @ x)
    >>> sorted((op.name, op.calls, op.bytes_out, op.flops) for op in profile.ops)
    [('exp', 1, 256, 0), ('matmul', 1, 256, 1024)]
    """

    def __init__(self, file: TextIO | EllipsisType | None = ...) -> None:
        self.file = file
        self.ops: list[OpCost] = []
        self.seconds = 0.0

    def __enter__(self) -> Self:
        _core._profile_start()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start
        rows = (OpCost(*row) for row in _core._profile_stop())
        self.ops = sorted(rows, key=lambda op: op.seconds, reverse=True)
        if self.file is not None:
            print(self, file=sys.stdout if self.file is ... else self.file)

    def __str__(self) -> str:
        inside = sum(op.seconds for op in self.ops)
        lines = [f"{'op':24}{'calls':>8}{'ms':>12}{'share':>8}{'MB in':>12}{'MB out':>12}{'GB/s':>8}{'GFLOP/s':>9}"]
        lines += [_line(op, op.seconds / self.seconds if self.seconds else 0.0) for op in self.ops]
        lines.append(f"{'outside of ops':32}{(self.seconds - inside) * 1e3:12.3f}")
        lines.append(f"{'all':32}{self.seconds * 1e3:12.3f}")
        return "\n".join(lines)


def _line(op: OpCost, share: float) -> str:
    moved = (op.bytes_in + op.bytes_out) / op.seconds / 1e9 if op.seconds else 0.0
    computed = f"{op.flops / op.seconds / 1e9:9.1f}" if op.flops and op.seconds else ""
    sizes = f"{op.bytes_in / 1e6:12.3f}{op.bytes_out / 1e6:12.3f}{moved:8.1f}{computed}"
    return f"{op.name:24}{op.calls:>8}{op.seconds * 1e3:12.3f}{share:8.1%}{sizes}"
