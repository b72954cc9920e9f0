"""Checks and helpers for the sizes a layer is made with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ferrograd import _core
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, UninitializedParameter, assign


def required_size(layer: Module, name: str, value: Any) -> int:
    """`value` as a size of `layer`; raises if it was left out, is no integer or is negative."""
    if value is None:
        raise TypeError(f"{type(layer).__name__}: {name} is missing, expected an integer")
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{type(layer).__name__}: {name} must be an integer, got {value!r}")
    size = value.__index__()
    if size < 0:
        raise ValueError(f"{type(layer).__name__}: {name} must not be negative, got {size}")
    return int(size)


def per_dimension(layer: Module, name: str, value: Any, dimensions: int, least: int) -> tuple[int, ...]:
    """One integer or `dimensions` of them, each at least `least`, as a tuple."""
    values = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,) * dimensions
    sizes = tuple(required_size(layer, name, size) for size in values)
    if len(sizes) != dimensions or any(size < least for size in sizes):
        raise ValueError(
            f"{type(layer).__name__}: {name} must be an integer >= {least} or {dimensions} of them, got {value!r}"
        )
    return sizes


def check_probability(layer: Module, name: str, value: float) -> float:
    """`value`, which must be between 0 and 1."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{type(layer).__name__}: {name} must be between 0 and 1, got {value}")
    return value


def build(layer: Module, name: str, shape: tuple[int, ...]) -> None:
    """Turn the layer's place holder `name` into a parameter of zeros of this shape."""
    place = vars(layer)[name]
    if isinstance(place, UninitializedParameter):
        setattr(layer, name, Parameter(_core.zeros(shape, dtype=place.dtype, device=place.device)))
    else:
        assign(place, _core.zeros(shape, dtype=place.dtype, device=place.device))
