"""Parameters that are computed from others by modules, as torch.nn.utils.parametrize keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ferrograd._core import ShapeError, Tensor
from ferrograd.nn.container import ModuleDict, ModuleList
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter
from ferrograd.nn.utils.reparametrize import find_hook, take_parameter

M = TypeVar("M", bound=Module)


class ParametrizationList(ModuleList):
    """The modules that compute one parameter, and what they compute it from: `original`, or `original0`, ..."""

    def __init__(self, modules: Sequence[Module], original: Parameter) -> None:
        super().__init__(modules)
        value: Any = original.detach()
        for module in reversed(modules):
            inverse = getattr(module, "right_inverse", None)
            value = value if inverse is None else inverse(value)
        self._names = ["original"] if isinstance(value, Tensor) else [f"original{i}" for i in range(len(value))]
        for name, part in zip(self._names, [value] if isinstance(value, Tensor) else value, strict=True):
            setattr(self, name, Parameter(part, requires_grad=original.requires_grad))

    def forward(self) -> Tensor:
        first, *others = self
        value: Tensor = first(*(getattr(self, name) for name in self._names))
        for module in others:
            value = module(value)
        return value


class _Compute:
    """The hook that sets the attribute before every forward."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module, args: tuple[Any, ...]) -> None:  # noqa: ARG002 - what hooks are given
        setattr(module, self.name, _entries(module)[self.name]())


def register_parametrization(module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> M:
    """Compute `module.tensor_name` by `parametrization(original)` before every forward; returns the module.

    The parameter moves to `module.parametrizations.<tensor_name>.original`, through the parametrization's
    `right_inverse` if it has one (several tensors become `original0`, ...). Several parametrizations are applied in
    the order they were registered. Between calls the attribute keeps the value of the last call.

    Raises ValueError if there is no such parameter, ShapeError if the shape would change, unless `unsafe`.

    >>> import ferrograd as fg
    >>> class Symmetric(fg.nn.Module):
    ...     def forward(self, w):
    ...         return (w + w.T) / 2
    >>> layer = fg.nn.utils.parametrize.register_parametrization(fg.nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    if is_parametrized(module, tensor_name):
        entry = _entries(module)[tensor_name]
        before = tuple(entry().shape)
        entry.append(parametrization)
    else:
        weight = take_parameter("register_parametrization", module, tensor_name)
        before = tuple(weight.shape)
        entry = ParametrizationList([parametrization], weight)
        if not is_parametrized(module):
            module.add_module("parametrizations", ModuleDict())
        _entries(module)[tensor_name] = entry
        module.register_forward_pre_hook(_Compute(tensor_name))
    value = entry()
    setattr(module, tensor_name, value)
    if not unsafe and tuple(value.shape) != before:
        got = tuple(value.shape)
        raise ShapeError(f"register_parametrization: expected {tensor_name} to keep its shape {before}, got {got}")
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the module has a parametrization, of this tensor if it is named.

    >>> import ferrograd as fg
    >>> fg.nn.utils.parametrize.is_parametrized(fg.nn.Linear(2, 2))
    False
    """
    if not isinstance(vars(module).get("parametrizations"), ModuleDict):
        return False
    return tensor_name is None or tensor_name in _entries(module)


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Put a plain parameter back: the computed value, or the original one if not `leave_parametrized`.

    >>> import ferrograd as fg
    >>> layer = fg.nn.utils.parametrizations.weight_norm(fg.nn.Linear(3, 2))
    >>> list(fg.nn.utils.parametrize.remove_parametrizations(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    key, _ = find_hook("remove_parametrizations", module, tensor_name, _Compute)
    entries = _entries(module)
    entry = entries[tensor_name]
    if not leave_parametrized and not hasattr(entry, "original"):
        raise ValueError(f"remove_parametrizations: {tensor_name} comes from several tensors, there is no original one")
    value = Parameter(entry() if leave_parametrized else entry.original)
    del entries[tensor_name]
    if not len(entries):
        delattr(module, "parametrizations")
    delattr(module, tensor_name)
    setattr(module, tensor_name, value)
    del module._forward_pre_hooks[key]
    return module


def _entries(module: Module) -> ModuleDict:
    entries: ModuleDict = vars(module)["parametrizations"]
    return entries
