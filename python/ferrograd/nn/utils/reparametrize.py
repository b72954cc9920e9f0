"""What weight and spectral normalisation share: a parameter that a hook computes from others."""

from __future__ import annotations

from typing import Any

from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter


def take_parameter(op: str, module: Module, name: str) -> Parameter:
    """Remove the parameter `name` from the layer; ValueError if there is none, or its size is not known yet."""
    weight = vars(module).get(name)
    if not isinstance(weight, Parameter):
        found = "a computed tensor" if hasattr(module, f"{name}_v") else type(weight).__name__
        raise ValueError(f"{op}: expected {type(module).__name__}.{name} to be a parameter with a shape, got {found}")
    delattr(module, name)
    return weight


def find_hook(op: str, module: Module, name: str, kind: type) -> tuple[int, Any]:
    """The hook of this kind for `name`, and its key; ValueError if there is none."""
    for key, (hook, _) in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and getattr(hook, "name", None) == name:
            return key, hook
    raise ValueError(f"{op}: expected {type(module).__name__}.{name} to be computed, got a plain parameter")
