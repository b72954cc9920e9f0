"""Answers to "why does it not train": parameters without gradient, the layer where numbers stop being finite."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from ferrograd import _core
from ferrograd._autograd import no_grad
from ferrograd._core import Tensor
from ferrograd.nn import Module
from ferrograd.nn.parameter import assign
from ferrograd.optim.rows import held_gradient


def warn_without_gradient(model: Module) -> None:
    """Name the trainable parameters that got no gradient, in one warning."""
    names = [name for name, p in model.named_parameters() if p.requires_grad and held_gradient(p) is None]
    if names:
        warnings.warn(
            f"{len(names)} trainable parameters got no gradient in the first step and will not change: "
            f"{', '.join(names)}. Freeze them (requires_grad = False) if that is intended.",
            stacklevel=3,
        )


def count_trainable(model: Module) -> int:
    """Number of trainable values."""
    return sum(p.size for p in model.parameters() if p.requires_grad)


def where_not_finite(model: Module, inputs: Any) -> str:
    """Repeat a forward pass and say in words where infinity or NaN begins. The model's buffers stay as they were."""
    for name, parameter in model.named_parameters():
        if not _finite(parameter):
            return f"the parameter {name!r} is not finite: an earlier step was too large"
    if not _finite(inputs):
        return "the input batch is not finite"
    saved = [(buffer, buffer.detach()) for buffer in model.buffers()]
    paths = {id(module): f"layer {path!r}" if path else "the model" for path, module in model.named_modules()}
    found: list[str] = []

    def look(module: Module, args: tuple[Any, ...], output: Any) -> None:
        if not found and not _finite(output):
            largest = max((float(_core.max(_core.abs(t))) for t in _tensors(args) if t.size), default=0.0)
            found.append(f"it began in {paths[id(module)]} ({type(module).__name__}), inputs up to {largest:.3g}")

    handles = [module.register_forward_hook(look) for module in model.modules()]
    try:
        with no_grad():
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
        for buffer, value in saved:
            assign(buffer, value)
    return found[0] if found else "all layers are finite, so it began in the loss function"


def _finite(values: Any) -> bool:
    return all(bool(_core.all(_core.isfinite(t))) for t in _tensors(values))


def _tensors(values: Any) -> Iterator[Tensor]:
    """Floating tensors among a value, or the entries of a tuple, list or dictionary."""
    entries = values.values() if isinstance(values, dict) else values if isinstance(values, (tuple, list)) else [values]
    return (t.detach() for t in entries if isinstance(t, Tensor) and t.dtype.is_floating_point)
