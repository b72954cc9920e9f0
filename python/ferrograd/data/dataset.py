"""Datasets: anything with a length and items by index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ferrograd import _core
from ferrograd._core import Generator, ShapeError, Tensor
from ferrograd.data.collate import default_collate


class Dataset:
    """Base class of map-style datasets: write `__len__` and `__getitem__(index)`.

    A dataset that can fetch many items at once also defines `__getitems__(indices)`, which returns a finished batch
    (not a list of items): the loader then needs no collating.

    >>> import ferrograd as fg
    >>> class Squares(fg.data.Dataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return fg.tensor(float(index)), index**2
    >>> [squares.tolist() for _, squares in fg.data.DataLoader(Squares(), batch_size=2)]
    [[0, 1], [4]]
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: the class defines no __len__ method")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: the class defines no __getitem__ method")


class TensorDataset(Dataset):
    """Rows of tensors or arrays of one length: item i is the tuple of their entries i.

    Args:
        tensors: tensors, NumPy arrays or nested lists with the same first dimension.

    Raises ShapeError if the lengths differ.

    >>> import ferrograd as fg
    >>> data = fg.data.TensorDataset(fg.zeros((5, 2)), fg.arange(5))
    >>> len(data), data[3][1].item()
    (5, 3)
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(t if isinstance(t, Tensor) else _core.asarray(t) for t in tensors)
        shapes = [tuple(t.shape) for t in self.tensors]
        if not shapes or any(not shape or shape[0] != shapes[0][0] for shape in shapes):
            raise ShapeError(f"TensorDataset: expected tensors with one common first dimension, got shapes {shapes}")

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, ...]:
        """The batch of these rows, gathered in one call per tensor."""
        positions = _core.asarray(np.asarray(indices, dtype=np.int64))
        return tuple(_core.take(tensor, positions, axis=0) for tensor in self.tensors)


class Subset(Dataset):
    """The items of `dataset` at `indices`, in this order.

    >>> import ferrograd as fg
    >>> fg.data.Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, list(indices)
        size = len(dataset)
        for index in self.indices:
            if not -size <= index < size:
                raise IndexError(f"Subset: index is outside the {size} items of the dataset, got {index}")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __getitems__(self, positions: Sequence[int]) -> Any:
        """The batch of these items, fetched at once if the dataset below can."""
        indices = [self.indices[position] for position in positions]
        fetch_all = getattr(self.dataset, "__getitems__", None)
        return default_collate([self.dataset[i] for i in indices]) if fetch_all is None else fetch_all(indices)


def random_split(dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset]:
    """Divide a dataset at random into parts without overlap.

    Args:
        dataset: anything with a length and items.
        lengths: sizes that add up to the dataset's, or fractions that add up to 1.
        generator: source of the order; None uses the global one.

    Raises ValueError if the lengths do not add up.

    >>> import ferrograd as fg
    >>> train, test = fg.data.random_split(range(10), [0.8, 0.2], fg.Generator(0))
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (8, 2, True)
    """
    total = len(dataset)
    sizes = list(lengths)
    if any(size < 0 for size in sizes):
        raise ValueError(f"random_split: lengths must not be negative, got {sizes}")
    if any(isinstance(size, float) for size in sizes) and math.isclose(sum(sizes), 1.0, rel_tol=1e-9):
        whole = [math.floor(total * share) for share in sizes]
        rest = total - sum(whole)
        sizes = [size + (i < rest) for i, size in enumerate(whole)]
    if sum(sizes) != total:
        raise ValueError(f"random_split: expected lengths that add up to {total} (or fractions to 1), got {lengths}")
    order = _core.randperm(total, generator=generator).tolist()
    ends = [int(sum(sizes[: i + 1])) for i in range(len(sizes))]
    return [Subset(dataset, order[end - int(size) : end]) for end, size in zip(ends, sizes, strict=True)]
