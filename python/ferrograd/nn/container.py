"""Containers: layers in a row, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ferrograd._core import Tensor
from ferrograd.nn.module import HOOKS, Module
from ferrograd.nn.parameter import Parameter


class _Numbered(Module):
    """Child modules under the names "0", "1", ...; the order of the attributes is the order of the layers."""

    def __len__(self) -> int:
        return len(list(self._layers()))

    def __iter__(self) -> Iterator[Module]:
        return self._layers()

    def __getitem__(self, index: int | slice) -> Any:
        layers = list(self._layers())
        if isinstance(index, slice):
            return type(self)._of(layers[index])
        return layers[index]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, str(range(len(self))[index]), _checked(self, module))

    def __delitem__(self, index: int) -> None:
        layers = list(self._layers())
        del layers[index]
        self._replace(layers)

    def append(self, module: Module) -> Any:
        """Add a layer at the end; returns self."""
        setattr(self, str(len(self)), _checked(self, module))
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add several layers at the end; returns self."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a layer in front of position `index`."""
        layers = list(self._layers())
        layers.insert(index, _checked(self, module))
        self._replace(layers)

    def _layers(self) -> Iterator[Module]:
        return (value for value in list(vars(self).values()) if isinstance(value, Module))

    def _replace(self, layers: list[Module]) -> None:
        for name in [name for name, value in vars(self).items() if isinstance(value, Module)]:
            delattr(self, name)
        for position, layer in enumerate(layers):
            setattr(self, str(position), layer)

    @classmethod
    def _of(cls, layers: list[Module]) -> Module:
        made = cls()
        made._replace(layers)
        return made


class Sequential(_Numbered):
    """Layers applied one after the other; also takes one mapping of names to layers.

    >>> import ferrograd as fg
    >>> net = fg.nn.Sequential(fg.nn.Linear(4, 8), fg.nn.ReLU(), fg.nn.Linear(8, 2))
    >>> net(fg.zeros((3, 4))).shape, len(net)
    ((3, 2), 3)
    """

    def __init__(self, *layers: Module | Mapping[str, Module]) -> None:
        named = (
            layers[0]
            if len(layers) == 1 and isinstance(layers[0], Mapping)
            else {str(i): v for i, v in enumerate(layers)}
        )
        for name, layer in named.items():
            setattr(self, name, _checked(self, layer))

    def forward(self, input: Any) -> Any:
        for layer in self._layers():
            input = layer(input)
        return input


class ModuleList(_Numbered):
    """A list whose modules are part of the tree; it has no forward of its own.

    >>> import ferrograd as fg
    >>> layers = fg.nn.ModuleList([fg.nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), list(layers.state_dict())[0]
    (3, '0.weight')
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)


class ParameterList(Module):
    """A list whose parameters are part of the tree; tensors become parameters.

    >>> import ferrograd as fg
    >>> rows = fg.nn.ParameterList([fg.zeros(2) for _ in range(3)])
    >>> len(rows), list(rows.state_dict())
    (3, ['0', '1', '2'])
    """

    def __init__(self, values: Iterable[Tensor] = ()) -> None:
        self.extend(values)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __iter__(self) -> Iterator[Parameter]:
        return (value for value in list(vars(self).values()) if isinstance(value, Parameter))

    def __getitem__(self, index: int | slice) -> Any:
        parameters = list(self)
        return ParameterList(parameters[index]) if isinstance(index, slice) else parameters[index]

    def __setitem__(self, index: int, value: Tensor) -> None:
        setattr(self, str(range(len(self))[index]), _parameter(self, value))

    def append(self, value: Tensor) -> ParameterList:
        """Add a parameter at the end; returns self."""
        setattr(self, str(len(self)), _parameter(self, value))
        return self

    def extend(self, values: Iterable[Tensor]) -> ParameterList:
        """Add several parameters at the end; returns self."""
        for value in list(values):
            self.append(value)
        return self


class _Named(Module):
    """A dictionary of attributes of one type, in the order of insertion."""

    _holds: ClassVar[type]

    def __init__(self, entries: Mapping[str, Any] | None = None) -> None:
        self.update(entries or {})

    def _entry(self, value: Any) -> Any:
        """What is stored for a value; TypeError if it cannot be."""
        raise NotImplementedError

    def __getitem__(self, key: str) -> Any:
        value = vars(self).get(key)
        if not isinstance(value, self._holds):
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        if hasattr(type(self), key) or key in ("training", "_buffers", *HOOKS):
            raise KeyError(f"{type(self).__name__}: {key!r} is the name of an attribute, choose another key")
        setattr(self, key, self._entry(value))

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and isinstance(vars(self).get(key), self._holds)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in list(vars(self).items()) if isinstance(value, self._holds))

    def keys(self) -> Iterator[str]:
        """Names in the order of insertion."""
        return iter(self)

    def values(self) -> Iterator[Any]:
        """Entries in the order of insertion."""
        return (self[name] for name in self)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Pairs of name and entry."""
        return ((name, self[name]) for name in self)

    def update(self, entries: Mapping[str, Any]) -> None:
        """Add or replace several entries."""
        for name, entry in entries.items():
            self[name] = entry


class ModuleDict(_Named):
    """A dictionary whose modules are part of the tree; it has no forward of its own.

    >>> import ferrograd as fg
    >>> heads = fg.nn.ModuleDict({"a": fg.nn.Linear(2, 1), "b": fg.nn.Linear(2, 3)})
    >>> sorted(heads.keys()), heads["b"].out_features
    (['a', 'b'], 3)
    """

    _holds = Module

    def _entry(self, value: Any) -> Module:
        return _checked(self, value)


class ParameterDict(_Named):
    """A dictionary whose parameters are part of the tree; tensors become parameters.

    >>> import ferrograd as fg
    >>> scales = fg.nn.ParameterDict({"in": fg.ones(2), "out": fg.ones(3)})
    >>> list(scales.state_dict()), scales["out"].shape
    (['in', 'out'], (3,))
    """

    _holds = Parameter

    def _entry(self, value: Any) -> Parameter:
        return _parameter(self, value)


def _checked(owner: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise TypeError(f"{type(owner).__name__}: expected a Module, got {type(module).__name__}")
    return module


def _parameter(owner: Module, value: Any) -> Parameter:
    if not isinstance(value, Tensor):
        raise TypeError(f"{type(owner).__name__}: expected a Parameter or a Tensor, got {type(value).__name__}")
    return value if isinstance(value, Parameter) else Parameter(value)
