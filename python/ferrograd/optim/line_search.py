"""A line search for the strong Wolfe conditions, by brackets and cubic interpolation (Nocedal & Wright 2006, 3.5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ferrograd._core import Tensor


class Point(NamedTuple):
    """A place on the line: its step, the loss, the gradient, and the slope along the line."""

    t: float
    loss: float
    grad: Tensor
    slope: float


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points has its minimum, within `bounds` (or between the points)."""
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    if a.t > b.t:
        a, b = b, a
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    root = math.sqrt(square)
    above, below = b.slope + root - mean, b.slope - a.slope + 2 * root
    if below == 0:  # a straight line
        return high if above < 0 else low
    place = b.t - (b.t - a.t) * (above / below)
    return min(max(place, low), high) if math.isfinite(place) else (low + high) / 2


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    t: float,
    length: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[Point, int]:
    """A point where the loss has fallen enough and the slope is flat enough, and the number of evaluations.

    Args:
        evaluate: the point at a step.
        start: the point at step 0.
        t: the first step tried.
        length: largest entry of the direction, for the smallest bracket.
        c1, c2: of the two conditions.
        tolerance_change: brackets that move no entry by more are not divided further.
        max_ls: evaluations after the first.
    """

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + c1 * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    before, point, tried = start, evaluate(t), 0
    bracket = [start, point]
    while tried < max_ls:
        bracket = [before, point]
        if too_high(point) or (tried > 1 and point.loss >= before.loss):
            break
        if flat(point):
            return point, tried + 1
        if point.slope >= 0:
            break
        bounds = (point.t + 0.01 * (point.t - before.t), point.t * 10)
        before, point = point, evaluate(cubic_minimum(before, point, bounds))
        tried += 1
    else:
        bracket = [start, point]

    stuck = False
    low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
    while tried < max_ls and abs(bracket[1].t - bracket[0].t) * length >= tolerance_change:
        left, right = sorted(end.t for end in bracket)
        t = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        # Twice in a row close to an end: move away from it.
        if min(right - t, t - left) < margin:
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        point = evaluate(t)
        tried += 1
        if too_high(point) or point.loss >= bracket[low].loss:
            bracket[high] = point
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        if flat(point):
            return point, tried + 1
        if point.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
    return bracket[low], tried + 1
