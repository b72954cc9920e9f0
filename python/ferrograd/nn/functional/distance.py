"""Distances, similarities and unit vectors."""

from __future__ import annotations

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension: (*, D) -> (*)."""
    return _core.linalg_vector_norm(x1 - x2 + eps, axis=-1, keepdims=keepdim, ord=p)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`."""
    x1, x2 = normalize(x1, dim=dim, eps=eps), normalize(x2, dim=dim, eps=eps)
    return (x1 * x2).sum(axis=dim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """input / max(|input|_p, eps) along `dim`: vectors of length one."""
    return input / _core.maximum(_core.linalg_vector_norm(input, axis=dim, keepdims=True, ord=p), eps)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances of all pairs of rows (N, D) -> (N (N - 1) / 2,), pair (0, 1) first."""
    if input.ndim != 2:
        raise ShapeError(f"pdist: expected (N, D), got {tuple(input.shape)}")
    rows = input.shape[0]
    upper = _core.triu(_core.ones((rows, rows), dtype=_core.bool, device=input.device), k=1)
    first, second = _core.nonzero(upper)
    differences = _core.take(input, first, axis=0) - _core.take(input, second, axis=0)
    return _core.linalg_vector_norm(differences, axis=-1, ord=p)
