"""The same values in different memory: each layout is a leaf array and the view that turns it into the argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

View = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Placed:
    """`view(fg, leaf tensor)` has the values `values`."""

    values: np.ndarray
    leaf: np.ndarray
    view: View


def contiguous(values: np.ndarray) -> Placed:
    return Placed(values, values, lambda fg, leaf: leaf)


def sliced(values: np.ndarray) -> Placed:
    """Every second element of a larger array, from an offset; what lies between must never be read."""
    leaf = np.full([2 * side + 1 for side in values.shape], poison(values.dtype), values.dtype)
    window = (*(slice(1, None, 2) for _ in values.shape), ...)
    leaf[window] = values
    return Placed(values, leaf, lambda fg, leaf: leaf[window])


def transposed(values: np.ndarray) -> Placed:
    order = tuple(reversed(range(values.ndim)))
    return Placed(values, values.transpose(order).copy(), lambda fg, leaf: fg.permute_dims(leaf, order))


def reversed_(values: np.ndarray) -> Placed:
    """Negative strides on every axis."""
    flip = (*(slice(None, None, -1) for _ in values.shape), ...)
    return Placed(values, values[flip].copy(), lambda fg, leaf: leaf[flip])


def broadcast(values: np.ndarray) -> Placed:
    """The first axis repeated through stride 0."""
    if values.ndim == 0 or values.shape[0] == 0:
        return contiguous(values)
    leaf, shape = values[:1].copy(), values.shape
    return Placed(np.broadcast_to(leaf, shape).copy(), leaf, lambda fg, leaf: fg.broadcast_to(leaf, shape))


LAYOUTS: dict[str, Callable[[np.ndarray], Placed]] = {
    "contiguous": contiguous,
    "sliced": sliced,
    "transposed": transposed,
    "reversed": reversed_,
    "broadcast": broadcast,
}


def poison(dtype: np.dtype[Any]) -> Any:
    return np.nan if dtype.kind in "fc" else dtype.type(1) if dtype.kind == "b" else np.iinfo(dtype).max
