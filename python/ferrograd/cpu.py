"""The CPU engine from outside: its memory and its level."""

from __future__ import annotations

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
