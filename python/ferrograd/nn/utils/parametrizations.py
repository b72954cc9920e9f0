"""Weight and spectral normalisation as parametrizations, under torch.nn.utils.parametrizations' names."""

from __future__ import annotations

from typing import TypeVar

from ferrograd._autograd import no_grad
from ferrograd._core import Tensor
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import assign
from ferrograd.nn.utils.parametrize import register_parametrization
from ferrograd.nn.utils.spectral_norm import SpectralNorm, output_dimension
from ferrograd.nn.utils.weight_norm import WeightNorm

M = TypeVar("M", bound=Module)
# Steps of the power method before the first call, as in PyTorch.
FIRST_STEPS = 15


class _WeightNorm(Module):
    """From norms and directions, `original0` and `original1`, to a weight."""

    def __init__(self, dim: int | None) -> None:
        self.dim = dim

    def forward(self, length: Tensor, direction: Tensor) -> Tensor:
        return direction * (length / WeightNorm.norm(direction, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The parts of a weight."""
        return WeightNorm.norm(weight, self.dim), weight


class _RowsFirst(SpectralNorm):
    """The power method in the order of PyTorch's parametrization."""

    def improve(self, matrix: Tensor, u: Tensor, v: Tensor, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                assign(u, self.unit(matrix @ v))
                assign(v, self.unit(matrix.mT @ u))


class _SpectralNorm(Module):
    """A weight divided by its largest singular value; the buffers `_u` and `_v` hold the vectors."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, eps: float, dim: int) -> None:
        self._rule = _RowsFirst("weight", n_power_iterations, eps, dim)
        for name, vector in zip(("_u", "_v"), self._rule.start(weight), strict=True):
            self.register_buffer(name, vector)
        self._rule.improve(self._rule.matrix(weight), self._u, self._v, FIRST_STEPS)

    def forward(self, weight: Tensor) -> Tensor:
        return self._rule.divided(weight, self._u, self._v, improve=self.training)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """`nn.utils.weight_norm` with the parameters `parametrizations.<name>.original0` (norms) and `original1`.

    >>> import ferrograd as fg
    >>> list(fg.nn.utils.parametrizations.weight_norm(fg.nn.Linear(3, 2)).state_dict())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    return register_parametrization(module, name, _WeightNorm(dim))


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """`nn.utils.spectral_norm` with the parameter `parametrizations.<name>.original`.

    >>> import ferrograd as fg
    >>> list(fg.nn.utils.parametrizations.spectral_norm(fg.nn.Linear(3, 2)).state_dict())[1:]
    ['parametrizations.weight.original', 'parametrizations.weight.0._u', 'parametrizations.weight.0._v']
    """
    weight: Tensor = getattr(module, name)
    dim = output_dimension(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight.detach(), n_power_iterations, eps, dim))
