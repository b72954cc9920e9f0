"""Every dtype: how NumPy stands in for it, its random and special values, its tolerance."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
WIDE_FLOATS = ("float32", "float64")
FLOATS = ("float16", "bfloat16", *WIDE_FLOATS)
COMPLEX = ("complex64", "complex128")
REAL = INTEGERS + FLOATS
NUMERIC = REAL + COMPLEX
ALL = ("bool", *NUMERIC)

# (relative, absolute); the second matters where terms cancel.
TOLERANCE = {
    "float16": (2e-3, 2e-3),
    "bfloat16": (1.6e-2, 1.6e-2),
    "float32": (2e-6, 2e-6),
    "float64": (1e-12, 1e-12),
    "complex64": (4e-6, 4e-6),
    "complex128": (1e-12, 1e-12),
}

SPECIAL_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan, 1e4, -1e4, 3e-39, 6e-8)


def storage(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype that holds the values; bfloat16 values live in float32."""
    return np.dtype("float32" if dtype == "bfloat16" else dtype)


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    """`values` with the precision of `dtype`."""
    with np.errstate(all="ignore"):
        held = np.asarray(values).astype(storage(dtype))
    if dtype != "bfloat16":
        return held
    bits = held.view(np.uint32)
    nearest_even = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(held), held, nearest_even.view(np.float32)).astype(np.float32)


def wide(value: Any) -> Any:
    """The precision a reference computes in: double for floats, the same for everything else."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return value.astype("float64" if value.dtype.kind == "f" else "complex128")
    return value


def random_values(
    random: np.random.Generator,
    shape: tuple[int, ...],
    dtype: str,
    low: float,
    high: float,
    special: bool | tuple[float, ...],
) -> np.ndarray:
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    kind = storage(dtype).kind
    if kind in "iu":
        limits = np.iinfo(dtype)
        first, last = max(int(np.ceil(low)), limits.min), min(int(np.floor(high)), limits.max)
        values = random.integers(first, last, shape, endpoint=True).astype(dtype)
        wanted = [limits.min, limits.max, limits.max - 1, 0] if special is True else list(special or ())
        extremes = [value for value in wanted if np.isfinite(value) and limits.min <= value <= limits.max]
        return sprinkled(random, values, np.array(extremes).astype(dtype))
    values = random.uniform(low, high, shape)
    if kind == "c":
        values = values + 1j * random.uniform(low, high, shape)
    extremes = np.array(SPECIAL_FLOATS if special is True else special or (), values.dtype)
    return rounded(sprinkled(random, np.asarray(values), extremes), dtype)


def sprinkled(random: np.random.Generator, values: np.ndarray, extremes: np.ndarray) -> np.ndarray:
    """`values` with about one in five replaced by one of `extremes`."""
    if not extremes.size:
        return values
    hit = random.random(values.shape) < 0.2
    return np.where(hit, extremes[random.integers(0, extremes.size, values.shape)], values)


def seed_of(*names: str) -> int:
    """A seed that depends on the names alone (`hash` differs between processes)."""
    return zlib.crc32("/".join(names).encode())
