"""What a workload is: one body per framework, and what the ratio has to reach."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frameworks import Library

Work = Callable[[], Any]
Body = Callable[[Library], Work]
Input = Callable[[np.random.Generator], np.ndarray]
Exact = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    `bodies` make, from a library, the work that is timed; `at_least` and `goal` are ratios of the fastest peer's time
    to ours. Where the promise is a figure and not a rival, `limit` stands in for the rival. A `counted` work returns
    what it measured itself, in `unit`.
    """

    name: str
    bodies: Mapping[str, Body]
    at_least: float | None = None
    goal: float | None = None
    exact: Callable[[], np.ndarray] | None = None
    gradient: bool = False
    limit: float | None = None
    counted: bool = False
    unit: str = "seconds"


def normal(*shape: int) -> Input:
    return lambda random: random.standard_normal(shape, dtype=np.float32)


def integers(high: int, *shape: int) -> Input:
    return lambda random: random.integers(0, high, shape)


def made(inputs: Sequence[Input]) -> list[np.ndarray]:
    """The same numbers in every framework's process."""
    random = np.random.default_rng(0)
    return [make(random) for make in inputs]


def op(
    name: str,
    inputs: Sequence[Input],
    body: Callable[[Library], Callable[..., Any]],
    *,
    on: str = "torch",
    at_least: float | None = None,
    goal: float | None = None,
    exact: Exact | None = None,
    dtype: str | None = None,
    backward: bool = False,
    limit: float | None = None,
    **others: Callable[[Library], Callable[..., Any]],
) -> Workload:
    """A function of tensors: `body(library)` for ferrograd and the peers in `on`, bodies of their own for `others`.

    `exact` is the same function in NumPy, called with float64: the error is measured against it. With `backward`, the
    gradients of all floating inputs are part of the work.
    """

    def prepare(library: Library, body: Callable[[Library], Callable[..., Any]]) -> Work:
        arrays = made(inputs)
        arguments = [library.tensor(a, dtype if a.dtype == np.float32 else None) for a in arrays]
        work = functools.partial(library.ready(body(library)), *arguments)
        return differentiated(work, arguments, arrays) if backward else work

    def reference() -> np.ndarray:
        return exact(*(a.astype(np.float64) if a.dtype == np.float32 else a for a in made(inputs)))

    bodies = dict.fromkeys(("ferrograd", *on.split()), body) | others
    return Workload(
        name,
        {framework: functools.partial(prepare, body=each) for framework, each in bodies.items()},
        at_least,
        goal,
        exact=reference if exact else None,
        gradient=backward,
        limit=limit,
    )


def differentiated(work: Work, arguments: list[Any], arrays: list[np.ndarray]) -> Work:
    leaves = [tensor for tensor, array in zip(arguments, arrays, strict=True) if array.dtype == np.float32]
    for leaf in leaves:
        leaf.requires_grad_()
    seed = work().detach()

    def forward_and_backward() -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = work()
        y.backward(seed)
        return y

    return forward_and_backward
