"""A text file as a sequence of characters."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ferrograd import _core
from ferrograd._core import FormatError, Tensor


def load_characters(path: str | os.PathLike[str], validation: float = 0.1) -> tuple[Tensor, Tensor, str]:
    """The characters of a UTF-8 text, numbered in the order of their code points.

    Args:
        path: the file, such as tinyshakespeare.txt.
        validation: the share at its end that is kept for validation.

    Returns training text and validation text, int64 (length,), and the vocabulary: character i of it has the number i.
    Raises FileNotFoundError, FormatError if the file is not UTF-8, ValueError for a share outside 0 ... 1.
    """
    if not 0.0 <= validation <= 1.0:
        raise ValueError(f"load_characters: validation must be a share from 0 to 1, got {validation}")
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"load_characters: {path} is no UTF-8 text: {error}") from None
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    vocabulary, ids = np.unique(codes, return_inverse=True)
    cut = int((1.0 - validation) * len(ids))
    characters = "".join(map(chr, vocabulary.tolist()))
    return _core.asarray(ids[:cut].astype(np.int64)), _core.asarray(ids[cut:].astype(np.int64)), characters
