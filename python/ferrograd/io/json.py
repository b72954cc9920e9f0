"""JSON files from outside: bounded in size and depth, and never more than data."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ferrograd._core import FormatError

MAX_BYTES = 64_000_000


def read_object(path: str | os.PathLike[str], limit: int = MAX_BYTES) -> dict[str, Any]:
    """The JSON object in a file; FormatError if it is too long, too deep, no JSON or no object."""
    with Path(path).open("rb") as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise FormatError(f"{path}: the file is too long, expected at most {limit} bytes of JSON")
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: the file is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise FormatError(f"{path}: expected a JSON object, got {type(value).__name__}")
    return value
