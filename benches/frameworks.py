"""The frameworks under comparison, behind the few calls that workloads need.

A library offers `xp` (array functions), `F` (network functions) and, where training is compared, `nn` and `optim`: the
names are the same everywhere, so that one text of a workload serves all. `tensor` and `array` convert from and to
NumPy, `ready` turns a function into what is timed: compiled, or waiting for its result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import numpy as np

# Bytes below which the time of an op is not that of its memory.
SMALLEST = 1 << 16

THREAD_VARIABLES = ("FERROGRAD_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Library:
    """What every framework offers; `name` is its key in `FRAMEWORKS`."""

    name: str
    version: str
    xp: ModuleType
    F: ModuleType
    nn: ModuleType
    optim: ModuleType

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.load()

    def load(self) -> None:
        """Imports the framework and sets its number of threads; ImportError if it is not there."""
        raise NotImplementedError(self.name)

    def tensor(self, array: np.ndarray, dtype: str | None = None) -> Any:
        raise NotImplementedError(self.name)

    def array(self, tensor: Any) -> np.ndarray:
        return np.asarray(tensor, dtype=np.float64)

    def ready(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def recording(self, on: bool) -> AbstractContextManager[Any]:  # noqa: ARG002 - a library without a recorder
        """Only training, and ops with a backward pass, are run with a recorder."""
        return nullcontext()

    def adamw(self, parameters: Any) -> Any:
        raise NotImplementedError(self.name)

    def normed(self, norm: Any, x: Any, residual: Any = None) -> Any:
        """Batch norm, an addition and a relu, as users of the library write them."""
        y = norm(x)
        return self.F.relu(y if residual is None else y + residual)

    def added(self, norm: Any, x: Any, residual: Any) -> tuple[Any, Any]:
        """A residual connection and its layer norm, as users of the library write them."""
        x = residual + x
        return x, norm(x)

    def least_seconds(self, work: Callable[[], Any]) -> float | None:  # noqa: ARG002 - a library that cannot say
        """The time the machine now needs at least for what the work computes and moves, op by op."""
        return None


class Ferrograd(Library):
    name = "ferrograd"

    def load(self) -> None:
        import ferrograd as fg
        import ferrograd.nn.functional as F

        fg.set_num_threads(self.threads)
        self.xp, self.F, self.nn, self.optim = fg, F, fg.nn, fg.optim
        self.version = f"{fg.__version__} ({fg.cpu.level()})"

    def tensor(self, array: np.ndarray, dtype: str | None = None) -> Any:
        tensor = self.xp.asarray(array)
        return tensor.astype(getattr(self.xp, dtype)) if dtype else tensor

    def array(self, tensor: Any) -> np.ndarray:
        return tensor.detach().astype(self.xp.float64).numpy()

    def recording(self, on: bool) -> AbstractContextManager[Any]:
        return self.xp.set_grad_enabled(on)

    def adamw(self, parameters: Any) -> Any:
        return self.optim.AdamW(parameters, lr=1e-3)

    def normed(self, norm: Any, x: Any, residual: Any = None) -> Any:
        return norm(x, residual=residual, relu=True)

    def added(self, norm: Any, x: Any, residual: Any) -> tuple[Any, Any]:
        return norm(x, residual=residual)  # type: ignore[no-any-return]

    def least_seconds(self, work: Callable[[], Any]) -> float | None:
        with self.xp.profile(file=None) as profile:
            work()
        # Memory is as fast as for all calls of the op that moves most: a decoder reads other weights in each of them.
        touched = max(op.bytes_in + op.bytes_out for op in profile.ops)
        roof = self.xp.cpu.roofline(max(touched, SMALLEST))
        return sum(roof.seconds(op.flops, op.bytes_in, op.bytes_out) for op in profile.ops)


class Torch(Library):
    """PyTorch eager, with the optimizer it chooses by itself on the CPU (one loop over parameters)."""

    name = "torch"
    fused: bool | None = None

    def load(self) -> None:
        import torch

        torch.set_num_threads(self.threads)
        self.xp, self.F, self.nn, self.optim = torch, torch.nn.functional, torch.nn, torch.optim
        self.version = torch.__version__

    def tensor(self, array: np.ndarray, dtype: str | None = None) -> Any:
        tensor = self.xp.from_numpy(array.copy())
        return tensor.to(getattr(self.xp, dtype)) if dtype else tensor

    def array(self, tensor: Any) -> np.ndarray:
        return tensor.detach().double().numpy()

    def recording(self, on: bool) -> AbstractContextManager[Any]:
        return self.xp.set_grad_enabled(on)

    def adamw(self, parameters: Any) -> Any:
        return self.optim.AdamW(parameters, lr=1e-3, fused=self.fused)


class TorchCompiled(Torch):
    name = "torch_compiled"

    def ready(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self.xp.compiler.reset()
        return self.xp.compile(function)


class TorchFused(Torch):
    name = "torch_fused"
    fused = True


class Jax(Library):
    name = "jax"

    def load(self) -> None:
        # XLA takes its thread count from the CPUs the process may use, which the worker has set.
        os.environ["JAX_PLATFORMS"] = "cpu"
        import jax

        self.jax, self.xp, self.F, self.lax = jax, jax.numpy, jax.nn, jax.lax
        self.version = jax.__version__

    def tensor(self, array: np.ndarray, dtype: str | None = None) -> Any:
        return self.xp.asarray(array, dtype=dtype)

    def array(self, tensor: Any) -> np.ndarray:
        return np.asarray(tensor.astype("float32"), dtype=np.float64)

    def ready(self, function: Callable[..., Any]) -> Callable[..., Any]:
        jitted = self.jax.jit(function)
        return lambda *arguments: jitted(*arguments).block_until_ready()


class NumPy(Library):
    name = "numpy"

    def load(self) -> None:
        self.xp, self.version = np, np.__version__

    def tensor(self, array: np.ndarray, dtype: str | None = None) -> Any:
        return array.astype(dtype) if dtype else array


FRAMEWORKS: dict[str, type[Library]] = {
    library.name: library for library in (Ferrograd, Torch, TorchCompiled, TorchFused, Jax, NumPy)
}
