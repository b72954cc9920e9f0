"""Data as programs have it (arrays, pairs, lists of samples, datasets) for the loaders of `ferrograd.data`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ferrograd import _core, data
from ferrograd._core import ShapeError
from ferrograd.api.layers.base import as_tensor
from ferrograd.nn import functional as F


def dataset_of(x: Any, y: Any = None) -> Any:
    """A dataset of inputs and targets.

    Args:
        x: arrays (with targets in `y`), a pair (x, y) of arrays, a list of samples (x_i, y_i), or a dataset.
        y: targets.

    float64 arrays become float32; integers stay as they are.

    >>> import numpy as np
    >>> from ferrograd.api.data import dataset_of
    >>> [tuple(t.shape) for t in dataset_of((np.zeros((8, 28, 28, 1)), np.zeros(8))).tensors]
    [(8, 28, 28, 1), (8,)]
    """
    if y is not None:
        return data.TensorDataset(as_tensor(x), as_tensor(y))
    if isinstance(x, tuple) or (isinstance(x, list) and len(x) == 2 and all(hasattr(part, "shape") for part in x)):
        return data.TensorDataset(*map(as_tensor, x))
    if hasattr(x, "shape"):
        return data.TensorDataset(as_tensor(x))
    if not hasattr(x, "__getitem__") or not hasattr(x, "__len__"):
        raise TypeError(f"data: expected arrays, a pair (x, y), samples or a dataset, got {type(x).__name__}")
    return x


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray[Any, Any]:
    """One-hot rows of integer classes, float32 (*, num_classes); by default as many as the largest class asks for.

    >>> from ferrograd.api import to_categorical
    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    classes = as_tensor(x).astype(_core.int64)
    return F.one_hot(classes, -1 if num_classes is None else num_classes).astype(_core.float32).numpy()


class DataLoader(data.DataLoader):
    """Batches of arrays, a pair (x, y), samples or a dataset; shuffled, unlike `ferrograd.data.DataLoader`.

    Args:
        dataset: see `dataset_of`.
        batch_size: samples per batch.
        shuffle: whether each epoch has a new order.
        settings: as in `ferrograd.data.DataLoader`.

    >>> import numpy as np
    >>> from ferrograd.api import DataLoader
    >>> len(DataLoader((np.zeros((100, 4)), np.zeros(100)), batch_size=32))
    4
    """

    def __init__(self, dataset: Any, batch_size: int = 32, shuffle: bool = True, **settings: Any) -> None:
        super().__init__(dataset_of(dataset), batch_size, shuffle, **settings)


def loader_of(x: Any, y: Any = None, batch_size: int = 32, shuffle: bool = False) -> Any:
    """A loader of anything `dataset_of` takes; iterables of batches are given back as they are."""
    if y is None and hasattr(x, "__iter__") and not isinstance(x, Sequence) and not hasattr(x, "__getitem__"):
        return x
    return data.DataLoader(dataset_of(x, y), batch_size, shuffle)


def split(x: Any, y: Any, share: float) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Pairs of the first samples and of the last `share` of them, which validate."""
    if not 0.0 < share < 1.0 or y is None:
        raise ValueError(f"fit: validation_split needs arrays x and y and a share between 0 and 1, got {share}")
    if len(x) != len(y):
        raise ShapeError(f"fit: expected as many targets as inputs, got {len(x)} inputs and {len(y)} targets")
    first = round(len(x) * (1.0 - share))
    return (x[:first], y[:first]), (x[first:], y[first:])
