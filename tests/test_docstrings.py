"""Every public name of the Python rooms is documented, and every example in a docstring is true."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import ferrograd

ROOMS = [
    "api",
    "api.layers",
    "plugins",
    "train.losses",
    "nn",
    "nn.functional",
    "nn.utils",
    "nn.init",
    "optim",
    "data",
    "train",
    "datasets",
    "metrics",
    "models",
    "io.safetensors",
    "testing",
]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(ferrograd.__path__, "ferrograd.")
    if not module.name.endswith(("._core", ".__main__"))
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_documented(room):
    module = importlib.import_module(f"ferrograd.{room}")
    assert module.__doc__
    public = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    undocumented = []
    for name in public:
        value = getattr(module, name)
        undocumented += [name] if not value.__doc__ else []
        if isinstance(value, type):
            undocumented += [
                f"{name}.{method}"
                for method, body in vars(value).items()
                if callable(body) and not method.startswith("_") and not inspect.getdoc(getattr(value, method))
            ]
    assert undocumented == []
    assert len(public) >= 2


def test_every_layer_has_an_example():
    from ferrograd import nn

    layers = [value for name, value in vars(nn).items() if isinstance(value, type)]
    assert [layer.__name__ for layer in layers if ">>>" not in layer.__doc__] == []
    assert len(layers) >= 80
