"""Models of the field's textbooks: one readable file each, imported when it is first named."""

from __future__ import annotations

import importlib
from typing import Any

# Each name and the file of this folder that it is in.
_FILES = {
    "DeepFM": "deepfm",
    "GPT": "gpt",
    "GPTConfig": "gpt",
    "NCF": "ncf",
    "Seq2SeqTransformer": "seq2seq",
    "TextCNN": "text_cnn",
    "WaveNet": "wavenet",
}

__all__ = sorted(_FILES)


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"ferrograd.models.{_FILES[name]}"), name)
    raise AttributeError(f"module 'ferrograd.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
