"""Linear algebra: the array API's linalg extension. Leading axes are batches."""

from __future__ import annotations

from typing import NamedTuple

from ferrograd import _core
from ferrograd._core import Tensor, matmul, matrix_transpose, tensordot, vecdot

cholesky = _core.linalg_cholesky
cross = _core.linalg_cross
det = _core.linalg_det
diagonal = _core.linalg_diagonal
eigvals = _core.linalg_eigvals
eigvalsh = _core.linalg_eigvalsh
inv = _core.linalg_inv
matrix_norm = _core.linalg_matrix_norm
matrix_power = _core.linalg_matrix_power
matrix_rank = _core.linalg_matrix_rank
outer = _core.linalg_outer
pinv = _core.linalg_pinv
solve = _core.linalg_solve
svdvals = _core.linalg_svdvals
trace = _core.linalg_trace
vector_norm = _core.linalg_vector_norm

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


class EigResult(NamedTuple):
    """Eigenvalues and, as columns, eigenvectors."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QrResult(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the magnitude of a determinant."""

    sign: Tensor
    logabsdet: Tensor


class SvdResult(NamedTuple):
    """Left vectors as columns, singular values descending, right vectors as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def eig(x: Tensor, /) -> EigResult:
    """Eigenvalues and eigenvectors of square matrices (..., n, n), complex.

    >>> import ferrograd as fg
    >>> fg.linalg.eig(fg.eye(2)).eigenvalues.dtype
    ferrograd.complex64
    """
    return EigResult(*_core._eig(x))


def eigh(x: Tensor, /) -> EigResult:
    """Eigenvalues, ascending, and eigenvectors of symmetric or Hermitian matrices; the lower triangle is read.

    >>> import ferrograd as fg
    >>> fg.linalg.eigh(fg.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return EigResult(*_core._eigh(x))


def qr(x: Tensor, /, *, mode: str = "reduced") -> QrResult:
    """x = Q @ R for matrices (..., m, n); mode "reduced" or "complete".

    >>> import ferrograd as fg
    >>> fg.linalg.qr(fg.ones((3, 2))).R.shape
    (2, 2)
    """
    return QrResult(*_core._qr(x, mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """Sign and log-magnitude of determinants, without overflow.

    >>> import ferrograd as fg
    >>> fg.linalg.slogdet(fg.eye(3)).logabsdet.item()
    0.0
    """
    return SlogdetResult(*_core._slogdet(x))


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SvdResult:
    """x = U @ diag(S) @ Vh for matrices (..., m, n).

    >>> import ferrograd as fg
    >>> fg.linalg.svd(fg.ones((3, 2)), full_matrices=False).U.shape
    (3, 2)
    """
    return SvdResult(*_core._svd(x, full_matrices))
