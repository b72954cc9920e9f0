"""What losses share."""

from __future__ import annotations

from typing import Literal

from ferrograd.nn.module import Module

Reduction = Literal["none", "mean", "sum"]


class Loss(Module):
    """A layer that compares, with a `reduction` of what it finds to a number."""

    def __init__(self, reduction: Reduction = "mean") -> None:
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"{type(self).__name__}: expected reduction 'none', 'mean' or 'sum', got {reduction!r}")
        self.reduction = reduction
