"""Weights divided by their largest singular value."""

from __future__ import annotations

from typing import Any, TypeVar

from ferrograd import _core
from ferrograd._autograd import no_grad
from ferrograd._core import Tensor
from ferrograd.nn.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ferrograd.nn.functional.distance import normalize
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, assign
from ferrograd.nn.utils.reparametrize import find_hook, take_parameter

M = TypeVar("M", bound=Module)


class SpectralNorm:
    """The hook that computes the weight before every forward; while training it first improves the vectors."""

    def __init__(self, name: str, n_power_iterations: int, eps: float, dim: int) -> None:
        if n_power_iterations < 1:
            raise ValueError(f"spectral_norm: expected n_power_iterations >= 1, got {n_power_iterations}")
        self.name, self.n_power_iterations, self.eps, self.dim = name, n_power_iterations, eps, dim

    def __call__(self, module: Module, args: tuple[Any, ...]) -> None:  # noqa: ARG002 - what hooks are given
        setattr(module, self.name, self.weight(module, improve=module.training))

    def weight(self, module: Module, improve: bool) -> Tensor:
        original, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        return self.divided(original, u, v, improve)

    def start(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Random unit vectors for the rows and the columns of the weight's matrix."""
        u, v = (
            self.unit(_core.randn(size, dtype=weight.dtype, device=weight.device)) for size in self.matrix(weight).shape
        )
        return u, v

    def divided(self, weight: Tensor, u: Tensor, v: Tensor, improve: bool) -> Tensor:
        """The weight divided by u^T W v, after steps of the power method if `improve`."""
        matrix = self.matrix(weight)
        if improve:
            self.improve(matrix, u, v, self.n_power_iterations)
        # Detached: later calls move the vectors, backward must see today's.
        sigma = _core.vecdot(u.detach(), matrix @ v.detach())
        return weight / sigma

    def improve(self, matrix: Tensor, u: Tensor, v: Tensor, steps: int) -> None:
        """Steps of the power method, columns first."""
        with no_grad():
            for _ in range(steps):
                assign(v, self.unit(matrix.mT @ u))
                assign(u, self.unit(matrix @ v))

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight with `dim` as rows and all other dimensions as columns."""
        return _core.moveaxis(weight, self.dim, 0).reshape((weight.shape[self.dim], -1))

    def unit(self, vector: Tensor) -> Tensor:
        """The vector scaled to length one."""
        return normalize(vector, dim=0, eps=self.eps)


def output_dimension(module: Module) -> int:
    """The dimension of a layer's weight that outputs have."""
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value, estimated (Miyato et al. 2018); returns the layer.

    The parameter `name` becomes `name_orig`; the buffers `name_u` and `name_v` hold the singular vectors, which each
    call in training mode improves.

    Args:
        module: the layer.
        name: of its parameter.
        n_power_iterations: steps of the power method per call.
        eps: least norm that is divided by.
        dim: the dimension of outputs; None takes 1 for transposed convolutions, else 0.

    Raises ValueError if there is no such parameter.

    >>> import ferrograd as fg
    >>> layer = fg.nn.utils.spectral_norm(fg.nn.Linear(3, 2))
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    hook = SpectralNorm(name, n_power_iterations, eps, output_dimension(module) if dim is None else dim)
    weight = take_parameter("spectral_norm", module, name)
    setattr(module, f"{name}_orig", weight)
    for side, vector in zip("uv", hook.start(weight.detach()), strict=True):
        module.register_buffer(f"{name}_{side}", vector)
    setattr(module, name, weight.detach())
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Put one parameter with the present value back in the place of `name_orig`; returns the layer.

    >>> import ferrograd as fg
    >>> layer = fg.nn.utils.remove_spectral_norm(fg.nn.utils.spectral_norm(fg.nn.Linear(3, 2)))
    >>> list(layer.state_dict())
    ['bias', 'weight']
    """
    key, hook = find_hook("remove_spectral_norm", module, name, SpectralNorm)
    value = Parameter(hook.weight(module, improve=False))
    for attribute in (name, f"{name}_orig", f"{name}_u", f"{name}_v"):
        delattr(module, attribute)
    for side in "uv":
        del module._buffers[f"{name}_{side}"]
    setattr(module, name, value)
    del module._forward_pre_hooks[key]
    return module
