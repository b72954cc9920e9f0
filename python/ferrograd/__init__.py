"""Ferrograd: tensors, autograd and training on any CPU and any vendor's GPU, in one small wheel.

The namespace is the array API 2025.12 plus what networks need; `nn`, `optim`, `data` and `train` build on it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ferrograd import _core, _namespace
from ferrograd._autograd import (
    checkpoint,
    custom_vjp,
    enable_grad,
    grad,
    no_grad,
    set_grad_enabled,
    value_and_grad,
    vjp,
)
from ferrograd._core import *  # noqa: F403
from ferrograd._core import __version__
from ferrograd._namespace import *  # noqa: F403
from ferrograd._namespace import __array_namespace_info__
from ferrograd._profile import profile

if TYPE_CHECKING:
    from ferrograd import api, cpu, data, datasets, gpu, io, metrics, models, nn, optim, plugins, testing, train

__array_api_version__ = "2025.12"

# Imported at first use: `import ferrograd` alone loads the compiled module and little else.
_LAZY = frozenset(
    {
        "api",
        "cpu",
        "data",
        "datasets",
        "fft",
        "gpu",
        "io",
        "linalg",
        "metrics",
        "models",
        "nn",
        "optim",
        "plugins",
        "testing",
        "train",
    }
)

tensor = _core.Tensor
"""`fg.tensor(data, dtype=None, device=None, requires_grad=False)`: a new tensor from numbers, lists or arrays."""

__all__ = [
    *_core.__all__,
    *_namespace.__all__,
    *_LAZY,
    "__array_api_version__",
    "__array_namespace_info__",
    "__version__",
    "checkpoint",
    "custom_vjp",
    "enable_grad",
    "grad",
    "no_grad",
    "profile",
    "set_grad_enabled",
    "tensor",
    "value_and_grad",
    "vjp",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"ferrograd.{name}")
    raise AttributeError(f"module 'ferrograd' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
