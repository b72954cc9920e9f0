"""Weights as a length times a direction."""

from __future__ import annotations

from typing import Any, TypeVar

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter
from ferrograd.nn.utils.reparametrize import find_hook, take_parameter

M = TypeVar("M", bound=Module)


class WeightNorm:
    """The hook that computes the weight before every forward."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, dim

    def __call__(self, module: Module, args: tuple[Any, ...]) -> None:  # noqa: ARG002 - what hooks are given
        setattr(module, self.name, self.weight(module))

    def weight(self, module: Module) -> Tensor:
        direction: Tensor = getattr(module, f"{self.name}_v")
        length: Tensor = getattr(module, f"{self.name}_g")
        return direction * (length / self.norm(direction, self.dim))

    @staticmethod
    def norm(weight: Tensor, dim: int | None) -> Tensor:
        """Norms over all dimensions but `dim`, which keep their places."""
        if dim is None:
            return _core.linalg_vector_norm(weight)
        axes = tuple(axis for axis in range(weight.ndim) if axis != dim % weight.ndim)
        return _core.linalg_vector_norm(weight, axis=axes, keepdims=True)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Train the length and the direction of a weight apart: w = g v / |v| (Salimans & Kingma 2016); returns the layer.

    The parameter `name` becomes two: `name_g`, the norms, and `name_v`, the directions.

    Args:
        module: the layer.
        name: of its parameter.
        dim: the dimension that keeps a norm for each index; None takes one norm of the whole weight.

    Raises ValueError if there is no such parameter, or it has weight normalisation already.

    >>> import ferrograd as fg
    >>> layer = fg.nn.utils.weight_norm(fg.nn.Linear(3, 2))
    >>> list(layer.state_dict())
    ['bias', 'weight_g', 'weight_v']
    """
    weight = take_parameter("weight_norm", module, name)
    hook = WeightNorm(name, dim)
    setattr(module, f"{name}_g", Parameter(hook.norm(weight.detach(), dim)))
    setattr(module, f"{name}_v", Parameter(weight))
    hook(module, ())
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Put one parameter with the present value back in the place of `name_g` and `name_v`; returns the layer.

    >>> import ferrograd as fg
    >>> layer = fg.nn.utils.remove_weight_norm(fg.nn.utils.weight_norm(fg.nn.Linear(3, 2)))
    >>> list(layer.state_dict())
    ['bias', 'weight']
    """
    key, hook = find_hook("remove_weight_norm", module, name, WeightNorm)
    value = Parameter(hook.weight(module))
    for attribute in (name, f"{name}_g", f"{name}_v"):
        delattr(module, attribute)
    setattr(module, name, value)
    del module._forward_pre_hooks[key]
    return module
