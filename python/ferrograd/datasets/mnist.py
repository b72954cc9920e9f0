"""MNIST from the usual .npz file."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ferrograd import _core
from ferrograd._core import FormatError
from ferrograd.data import TensorDataset


def load_mnist(path: str | os.PathLike[str]) -> tuple[TensorDataset, TensorDataset]:
    """Training and test set of an .npz file with x_train, y_train, x_test, y_test (Keras's `mnist.npz`).

    Args:
        path: the file; images are uint8 (N, 28, 28), labels integers (N,).

    Returns two `TensorDataset`s of images, float32 (N, 1, 28, 28) in 0 ... 1, and labels, int64 (N,).
    Raises FileNotFoundError, and FormatError if the file is damaged or holds something else.
    """
    names = ("x_train", "y_train", "x_test", "y_test")
    with Path(path).open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                x_train, y_train, x_test, y_test = (arrays[name] for name in names)
        except (ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise FormatError(f"load_mnist: {path} is no .npz file with {', '.join(names)}: {error}") from None
    return _dataset("train", x_train, y_train), _dataset("test", x_test, y_test)


def _dataset(part: str, images: np.ndarray, labels: np.ndarray) -> TensorDataset:
    fits = images.shape == (len(images), 28, 28) and images.dtype == np.uint8
    if not fits or labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise FormatError(
            f"load_mnist: expected uint8 images (N, 28, 28) and integer labels (N,) for {part}, "
            f"got {images.dtype} {images.shape} and {labels.dtype} {labels.shape}"
        )
    pixels = images[:, None].astype(np.float32) / np.float32(255)
    return TensorDataset(_core.asarray(pixels), _core.asarray(labels.astype(np.int64)))
