"""The figures of an epoch, and how they are shown and written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Logs = dict[str, Any]
"""Name -> figure: a float, or a tensor for metrics such as a confusion matrix."""


def is_number(figure: Any) -> bool:
    """Whether a figure is a single number: Python's, NumPy's, or a tensor without dimensions."""
    return isinstance(figure, (int, float)) or getattr(figure, "shape", None) == ()


def as_text(logs: Mapping[str, Any], digits: str = ".4g") -> str:
    """The figures that are single numbers, for a line of a terminal; a matrix has no place there.

    >>> import ferrograd as fg
    >>> from ferrograd.train.logs import as_text
    >>> as_text({"loss": 0.123456, "confusion_matrix": fg.eye(2)})
    'loss 0.1235'
    """
    return ", ".join(f"{name} {float(value):{digits}}" for name, value in logs.items() if is_number(value))


def as_plain(logs: Mapping[str, Any]) -> Logs:
    """The figures as numbers and nested lists, as files hold them.

    >>> import ferrograd as fg
    >>> from ferrograd.train.logs import as_plain
    >>> as_plain({"loss": 0.5, "f1": fg.ones(2)})
    {'loss': 0.5, 'f1': [1.0, 1.0]}
    """
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in logs.items()}
