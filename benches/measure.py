"""How one work is timed: warmed up, then in samples of many calls, each long enough for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
SAMPLE_SECONDS = 0.02
WARM_UP_CALLS = 3
WARM_UP_SECONDS = (0.1, 3.0)
ROUNDS = (3, 15)


def timed(work: Callable[[], Any], calls: int, clock: str = "wall") -> float:
    """Seconds a call, the mean of `calls`."""
    now = CLOCKS[clock]
    start = now()
    for _ in repeat(None, calls):
        work()
    return (now() - start) / calls


def warm_up(work: Callable[[], Any], clock: str = "wall") -> float:
    """Calls until compilers, caches and memory have settled; the seconds of the quickest call."""
    least, most = WARM_UP_SECONDS
    samples: list[float] = []
    while sum(samples) < (most if len(samples) < WARM_UP_CALLS else least):
        samples.append(timed(work, 1, clock))
    return min(samples)


def calls_per_sample(seconds: float) -> int:
    return max(1, int(SAMPLE_SECONDS / max(seconds, 1e-8)))


def rounds(sample_seconds: float, budget: float) -> int:
    """How often to sample so that all takes about `budget` seconds."""
    fewest, most = ROUNDS
    return min(max(fewest, int(budget / max(sample_seconds, 1e-8))), most)


def quantile(samples: Sequence[float], q: float) -> float:
    """Linear between the neighbours; the median is q = 0.5."""
    ordered = sorted(samples)
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def median(samples: Sequence[float]) -> float:
    return quantile(samples, 0.5)


def spread(samples: Sequence[float]) -> float:
    """The interquartile range relative to the median: 0.1 says that half of the samples lie within 10 %."""
    middle = median(samples)
    return (quantile(samples, 0.75) - quantile(samples, 0.25)) / middle if middle else 0.0
