"""Plugins: layers, optimizers, losses and more, found by name.

A name comes from user code (`@plugins.losses.register("focal")`), from ferrograd itself, or from an installed package
that declares an entry point:

    [project.entry-points."ferrograd.layers"]
    fancy = "package.module:FancyLayer"

It then works wherever a name is taken: in `ModelBuilder`, `Trainer`, `compile`, and in configuration files, as a string
or as a table with settings, `{"name": "adam", "lr": 1e-3}`. Nothing is imported before its name is asked for.
docs/plugins.md has a program with one of each kind.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from importlib import metadata

T = TypeVar("T")


class Registry:
    """Objects of one kind by name. Case, underscores and hyphens do not matter: "max_pooling2d" is "MaxPooling2D".

    Args:
        kind: what it holds, in the singular; entry points are read from the group `ferrograd.<plural>`.
        homes: modules whose public names are known from the start, the first found wins.
        base: "module:Class" that a public name of the homes must be a subclass of; None takes every callable.
        prefix: beginning of the homes' names that is left out ("load_" for datasets).

    >>> from ferrograd import plugins
    >>> @plugins.losses.register("quartic")
    ... def quartic(outputs, targets):
    ...     return ((outputs - targets) ** 4).mean()
    >>> plugins.losses.get("Quartic") is quartic
    True
    >>> plugins.optimizers.get("adam").__name__
    'Adam'
    """

    def __init__(self, kind: str, homes: tuple[str, ...] = (), base: str | None = None, prefix: str = "") -> None:
        self.kind, self._homes, self._base, self._prefix = kind, homes, base, prefix
        self._registered: dict[str, tuple[str, Any]] = {}
        self._entry_points: dict[str, metadata.EntryPoint] | None = None

    def register(self, name: str | None = None, *, replace: bool = False) -> Callable[[T], T]:
        """Decorator that adds a class or function under `name`, by default its own.

        Raises ValueError if the name is taken, unless `replace` is true.
        """

        def add(value: T) -> T:
            spelled = getattr(value, "__name__", "") if name is None else name
            key = _key(spelled)
            if not key:
                raise ValueError(f"plugins: a {self.kind} needs a name, got {spelled!r}")
            if not replace and (key in self._registered or key in self._built_in()):
                raise ValueError(f"plugins: the {self.kind} {spelled!r} exists already, pass replace=True to take over")
            self._registered[key] = (spelled, value)
            return value

        return add

    def unregister(self, name: str) -> None:
        """Forget what user code registered under `name`; KeyError if nothing was."""
        del self._registered[_key(name)]

    def get(self, name: str) -> Any:
        """What is registered under `name`; ValueError with the nearest names if nothing is."""
        key = _key(name)
        if key in self._registered:
            return self._registered[key][1]
        built_in = self._built_in()
        if key in built_in:
            module, attribute = built_in[key]
            return getattr(importlib.import_module(module), attribute)
        installed = self._installed()
        if key in installed:
            return self._load(installed[key])
        near = difflib.get_close_matches(key, [*self._registered, *built_in, *installed], n=3, cutoff=0.5)
        known = self._spelled()
        hint = f"did you mean {' or '.join(known[k] for k in near)}" if near else f"known are {', '.join(self)}"
        raise ValueError(f"plugins: unknown {self.kind}, {hint}, got {name!r}")

    def create(self, spec: Any, *args: Any, **defaults: Any) -> Any:
        """An object from its description: called with `args`, and with the description's settings over `defaults`.

        Args:
            spec: a name, a table with the key "name" (or "type") and settings, or a finished object, given back as is.
        """
        if not isinstance(spec, (str, Mapping)):
            return spec
        value, settings = self._described(spec)
        return value(*args, **(defaults | settings))

    def function(self, spec: Any) -> Callable[..., Any]:
        """A function from its description, as in `create`, with the settings bound; a class is made an object first."""
        if not isinstance(spec, (str, Mapping)):
            return cast("Callable[..., Any]", spec)
        value, settings = self._described(spec)
        if isinstance(value, type):
            return cast("Callable[..., Any]", value(**settings))
        return partial(value, **settings) if settings else cast("Callable[..., Any]", value)

    def _described(self, spec: str | Mapping[Any, Any]) -> tuple[Any, dict[str, Any]]:
        if isinstance(spec, str):
            return self.get(spec), {}
        settings = {str(key): value for key, value in spec.items()}
        name = settings.pop("type" if "type" in settings else "name", None)
        if not isinstance(name, str):
            raise ValueError(f"plugins: a table for a {self.kind} needs its 'name', got {dict(spec)!r}")
        return self.get(name), settings

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _key(name) in self._spelled()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._spelled().values()))

    def _spelled(self) -> dict[str, str]:
        """All keys with the spelling to show."""
        installed = {key: point.name for key, point in self._installed().items()}
        built_in = {key: attribute.removeprefix(self._prefix) for key, (_, attribute) in self._built_in().items()}
        return installed | built_in | {key: spelled for key, (spelled, _) in self._registered.items()}

    def _built_in(self) -> dict[str, tuple[str, str]]:
        """Key -> (module, attribute) of ferrograd's own."""
        found: dict[str, tuple[str, str]] = {}
        base = _resolve(self._base) if self._base else None
        for home in self._homes:
            module = importlib.import_module(home)
            for attribute in module.__all__:
                if not attribute.startswith(self._prefix):
                    continue
                value = getattr(module, attribute) if base is not None else None
                if base is None or (isinstance(value, type) and issubclass(value, base) and value is not base):
                    found.setdefault(_key(attribute.removeprefix(self._prefix)), (home, attribute))
        return found

    def _installed(self) -> dict[str, metadata.EntryPoint]:
        if self._entry_points is None:
            from importlib import metadata  # it loads much that few programs need

            plural = f"{self.kind}es" if self.kind.endswith("s") else f"{self.kind}s"
            points = metadata.entry_points(group=f"ferrograd.{plural}")
            self._entry_points = {_key(point.name): point for point in points}
        return self._entry_points

    def _load(self, point: metadata.EntryPoint) -> Any:
        try:
            return point.load()
        except Exception as error:
            package = point.dist.name if point.dist else "an installed package"
            raise ImportError(f"plugins: the {self.kind} {point.name!r} of {package} does not load: {error}") from error


def _key(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _resolve(reference: str) -> Any:
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


layers = Registry("layer", ("ferrograd.api.layers", "ferrograd.nn"), "ferrograd.nn:Module")
activations = Registry("activation", ("ferrograd.api.activations",))
optimizers = Registry("optimizer", ("ferrograd.optim",), "ferrograd.optim:Optimizer")
losses = Registry("loss", ("ferrograd.train.losses", "ferrograd.nn.loss"))
metrics = Registry("metric", ("ferrograd.metrics",), "ferrograd.metrics:Metric")
callbacks = Registry(
    "callback", ("ferrograd.train.callbacks", "ferrograd.train.monitor"), "ferrograd.train.callbacks:Callback"
)
datasets = Registry("dataset", ("ferrograd.datasets",), prefix="load_")
models = Registry("model", ("ferrograd.models",))
commands = Registry("command")
"""Modules with `add_arguments(parser)` and `run(arguments)`, subcommands of `ferrograd`."""
