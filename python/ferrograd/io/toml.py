"""TOML files from outside: data only, bounded in size."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from ferrograd._core import FormatError

MAX_BYTES = 1_000_000


def read_table(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables of a TOML file; FormatError if it is too long or no TOML."""
    with Path(path).open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise FormatError(f"{path}: the file is too long, expected at most {MAX_BYTES} bytes of TOML")
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: the file is not valid TOML: {error}") from None
