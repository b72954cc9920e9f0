"""Handwritten digits, 8 by 8 pixels: shipped with the package."""

from __future__ import annotations

from importlib import resources

import numpy as np

from ferrograd import _core
from ferrograd.data import TensorDataset


def load_digits() -> tuple[TensorDataset, TensorDataset]:
    """1,797 handwritten digits, split into 1,437 for training and 360 (every fifth) for testing.

    Returns two `TensorDataset`s of images, float32 (N, 1, 8, 8) in 0 ... 1, and labels, int64 (N,) in 0 ... 9.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
    doi:10.24432/C50P49, CC BY 4.0 (the test part, as in scikit-learn).

    >>> import ferrograd as fg
    >>> train, test = fg.datasets.load_digits()
    >>> len(train), len(test), train[0][0].shape
    (1437, 360, (1, 8, 8))
    """
    with resources.files("ferrograd.datasets").joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        images = (arrays["x"][:, None] / np.float32(16)).astype(np.float32)
        labels = arrays["y"].astype(np.int64)
    held_out = np.arange(len(labels)) % 5 == 0
    train, test = (
        TensorDataset(_core.asarray(images[part]), _core.asarray(labels[part])) for part in (~held_out, held_out)
    )
    return train, test
