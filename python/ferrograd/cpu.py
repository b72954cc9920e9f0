"""The CPU engine from outside: its memory and its level."""

from __future__ import annotations

from typing import NamedTuple

from ferrograd import _core


def memory_stats() -> dict[str, int]:
    """Bytes live, cached and at the peak, blocks reused, and system calls made for memory.

    >>> import ferrograd as fg
    >>> fg.cpu.memory_stats()["live"] >= 0
    True
    """
    return _core._cpu_memory_stats()


def empty_cache() -> None:
    """Gives unused memory back to the system."""
    _core._cpu_empty_cache()


def level() -> str:
    """The CPU feature level in use; FERROGRAD_CPU_LEVEL caps it."""
    return _core.cpu_level()


class Roofline(NamedTuple):
    """What the machine can do at most in a second: floating-point operations, bytes read, bytes written."""

    flops: float
    read: float
    write: float

    def seconds(self, flops: float, bytes_in: float, bytes_out: float) -> float:
        """The least time that work of this size can take: that of its arithmetic or of its memory, whichever is longer.

        >>> Roofline(flops=1e9, read=1e6, write=1e6).seconds(flops=4e9, bytes_in=1e6, bytes_out=2e6)
        4.0
        """
        return max(flops / self.flops, bytes_in / self.read + bytes_out / self.write)


def roofline(bytes: int = 1 << 28) -> Roofline:
    """Measures, for about a tenth of a second, what a kernel could reach now on the threads that ops use.

    Operations are multiplications and additions of float32 on operands in the first-level cache. Memory is read and
    written over and over in a piece of `bytes`: the default is larger than caches are. Compare with what `fg.profile`
    shows for an op (Williams et al. 2009).

    Raises ValueError for less than four bytes, MemoryError for more than there are.

    >>> import ferrograd as fg
    >>> fg.cpu.roofline(1 << 20).flops > 1e6
    True
    """
    return Roofline(*_core._cpu_roofline(bytes))
