"""Collating: a list of samples becomes a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ferrograd import _core
from ferrograd._core import Tensor


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples of one structure: tensors, arrays and numbers gain a first dimension; strings stay a list.

    Tuples, lists, named tuples and dictionaries are collated entry by entry. Raises ShapeError if shapes differ,
    TypeError for other kinds of samples.

    >>> import ferrograd as fg
    >>> xs, ys = fg.data.default_collate([(fg.zeros(3), 1), (fg.ones(3), 2)])
    >>> xs.shape, ys.tolist()
    ((2, 3), [1, 2])
    """
    first = samples[0]
    if isinstance(first, Tensor):
        return _core.stack(list(samples))
    if isinstance(first, (np.ndarray, np.generic)):
        return _core.asarray(np.stack([np.asarray(sample) for sample in samples]))
    if isinstance(first, (bool, int, float, complex)):
        return _core.asarray(list(samples))
    if isinstance(first, (str, bytes)):
        return list(samples)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        lengths = {len(sample) for sample in samples}
        if len(lengths) > 1:
            raise ValueError(f"default_collate: expected samples with one number of entries, got {sorted(lengths)}")
        columns = [default_collate(column) for column in zip(*samples, strict=True)]
        if hasattr(first, "_fields"):
            return type(first)(*columns)
        return type(first)(columns)
    raise TypeError(
        "default_collate: expected tensors, arrays, numbers, strings, tuples, lists or dictionaries, "
        f"got {type(first).__name__}; give the loader a collate_fn"
    )
