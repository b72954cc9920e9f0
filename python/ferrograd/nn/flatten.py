"""Flatten and Unflatten: dimensions merged and split."""

from __future__ import annotations

import math

from ferrograd._core import ShapeError, Tensor
from ferrograd.nn.module import Module


class Flatten(Module):
    """Merge dimensions start_dim ... end_dim into one: by default (N, *) -> (N, product of *).

    >>> import ferrograd as fg
    >>> fg.nn.Flatten()(fg.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        shape = tuple(input.shape)
        start, end = (d + len(shape) if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not 0 <= start <= end < len(shape):
            raise ShapeError(
                f"Flatten: expected dimensions {self.start_dim} to {self.end_dim} in this order, got shape {shape}"
            )
        return input.reshape((*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


class Unflatten(Module):
    """Split dimension `dim` into `unflattened_size`; one size may be -1.

    >>> import ferrograd as fg
    >>> fg.nn.Unflatten(1, (3, -1))(fg.zeros((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        shape, sizes = tuple(input.shape), list(self.unflattened_size)
        dim = self.dim + len(shape) if self.dim < 0 else self.dim
        if not 0 <= dim < len(shape):
            raise ShapeError(f"Unflatten: expected a shape with dimension {self.dim}, got {shape}")
        known = math.prod(size for size in sizes if size != -1)
        if sizes.count(-1) == 1 and known > 0:
            sizes[sizes.index(-1)] = shape[dim] // known
        if any(size < 0 for size in sizes) or math.prod(sizes) != shape[dim]:
            raise ShapeError(f"Unflatten: expected sizes with product {shape[dim]}, got {self.unflattened_size}")
        return input.reshape((*shape[:dim], *sizes, *shape[dim + 1 :]))
