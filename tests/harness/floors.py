"""How many cases each suite has executed, and how many it must: a suite that quietly runs nothing fails."""

from __future__ import annotations

from collections import Counter

FLOORS = {
    "forward": 25_000,
    "gradient": 5_000,
    "second derivative": 900,
    "boundary": 50_000,
    "errors": 280,
    "determinism": 250,
}

executed: Counter[str] = Counter()


def count(suite: str, cases: int = 1) -> None:
    executed[suite] += cases


def below(found: Counter[str]) -> list[str]:
    return [
        f"{suite}: {found[suite]} cases executed, at least {floor} expected"
        for suite, floor in FLOORS.items()
        if found[suite] < floor
    ]
