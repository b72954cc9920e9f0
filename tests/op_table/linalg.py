"""Products and decompositions. Where several answers are right, the row checks what defines the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from harness.compare import outputs, to_numpy
from op_table.row import Call, Row, Shape, Source, call, refuses

WIDE = (*dtypes.WIDE_FLOATS, *dtypes.COMPLEX)
TABLE = {"structured": True, "dtypes": WIDE, "slack": 100.0}


def batch(source: Source) -> Shape:
    return source.shape(max_dims=1, max_side=2)


def matrix(source: Source, square: bool = False) -> np.ndarray:
    rows = source.integer(1, 4)
    columns = rows if square else source.integer(1, 4)
    return source.array((*batch(source), rows, columns), special=False)


def well_conditioned(source: Source) -> np.ndarray:
    """Diagonally dominant, so that neither we nor the reference lose digits."""
    x = matrix(source, square=True)
    return x + (4 * x.shape[-1] * np.eye(x.shape[-1])).astype(x.dtype)


def adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


def hermitian(source: Source) -> np.ndarray:
    """Eigenvalues well apart: next to each other, eigenvectors have no stable derivative."""
    x = matrix(source, square=True)
    apart = np.diag(20.0 * np.arange(x.shape[-1])).astype(x.dtype)
    return (x + adjoint(x)) / 2 + apart


def positive_definite(source: Source) -> np.ndarray:
    x = matrix(source, square=True)
    return x @ adjoint(x) + np.eye(x.shape[-1], dtype=x.dtype)


def matmul_shapes(source: Source) -> tuple[Shape, Shape]:
    rows, inner, columns = (source.integer(0 if not source.smooth else 1, 5) for _ in range(3))
    left, right = source.choice(((), ()), ((2,), ()), ((), (3,)), ((2, 1), (3,)), ((3,), (3,)))
    first, second = (*left, rows, inner), (*right, inner, columns)
    return source.choice((first, second), ((inner,), second), (first, (inner,)), ((inner,), (inner,)))


def matmul_cases(source: Source) -> Call:
    return call(*(source.array(shape, special=False) for shape in matmul_shapes(source)))


def tensordot_cases(source: Source) -> Call:
    shape = source.shape(min_dims=2)
    x = source.array(shape, special=False)
    kind = source.choice("count", "pairs", "none")
    if kind == "count":
        return call(x, source.array((*shape[-2:], 2), special=False), axes=2)
    if kind == "pairs":
        return call(x, source.array((3, shape[1], shape[0]), special=False), axes=((0, 1), (2, 1)))
    return call(x, source.array((2,), special=False), axes=0)


def vecdot_cases(source: Source) -> Call:
    shape = source.shape(min_dims=1)
    other = (*(1 if source.flag() else side for side in shape[:-1]), shape[-1])
    return call(source.array(shape, special=False), source.array(other, special=False))


def dot_cases(source: Source) -> Call:
    shape = source.shape(min_dims=1, max_dims=1)
    return call(*(source.array(shape, special=False) for _ in range(2)))


def vecdot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sum(np.conj(x) * y, axis=-1, dtype=x.dtype)


EINSUMS = (
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("ij->ji", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("ij->", (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ab,bc,cd->ad", (2, 3), (3, 2), (2, 2)),
    ("bhqd,bhkd->bhqk", (2, 1, 3, 2), (2, 1, 2, 2)),
)


def einsum_cases(source: Source) -> Call:
    equation, *shapes = source.choice(*EINSUMS)
    return call(equation, *(source.array(shape, special=False) for shape in shapes))


def rebuilds(rebuild: Callable[..., np.ndarray], *orthonormal: int) -> Callable[[Any, Call], None]:
    """Checks that the factors give the input again, and that the named ones have orthonormal columns."""

    def check(result: Any, example: Call) -> None:
        factors = [to_numpy(each) for each in outputs(result)]
        x = example.args[0]
        tolerance = dtypes.TOLERANCE[x.dtype.name][0] * 200
        np.testing.assert_allclose(
            rebuild(*factors), x, tolerance, tolerance * max(1.0, float(np.abs(x).max(initial=0)))
        )
        for index in orthonormal:
            factor = factors[index]
            factor = factor if factor.shape[-2] >= factor.shape[-1] else adjoint(factor)
            product = adjoint(factor) @ factor
            np.testing.assert_allclose(
                product, np.broadcast_to(np.eye(factor.shape[-1]), product.shape), tolerance, tolerance
            )

    return check


def svd_again(u: np.ndarray, s: np.ndarray, vh: np.ndarray) -> np.ndarray:
    return u * s[..., None, :] @ vh


def eigenpairs(result: Any, example: Call) -> None:
    values, vectors = (to_numpy(each) for each in outputs(result))
    x = example.args[0]
    tolerance = 1e-3 if x.dtype.name in ("float32", "complex64") else 1e-9
    np.testing.assert_allclose(x @ vectors, vectors * values[..., None, :], tolerance, tolerance * 10)


def sorted_spectrum(x: np.ndarray) -> np.ndarray:
    return np.take_along_axis(x, np.lexsort((np.round(x.imag, 3), np.round(x.real, 3))), -1)


def same_spectrum(result: Any, example: Call) -> None:
    x = example.args[0]
    tolerance = 1e-3 if x.dtype.name in ("float32", "complex64") else 1e-9
    power = np.stack([np.linalg.matrix_power(x.astype(complex), k) for k in range(1, x.shape[-1] + 1)], -3)
    sums = np.stack([np.sum(to_numpy(result).astype(complex) ** k, -1) for k in range(1, x.shape[-1] + 1)], -1)
    np.testing.assert_allclose(sums, np.trace(power, axis1=-2, axis2=-1), tolerance, tolerance * 100)


def of_symmetric(fg: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """These read one triangle: only along symmetric directions is the slope theirs. Vectors have free signs."""

    def symmetric(x: Any, **options: Any) -> list[Any]:
        return [out * out for out in outputs(function((x + fg.matrix_transpose(x)) / 2, **options))]

    return symmetric


def squares(fg: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Singular vectors have free signs."""
    return lambda x, **options: [out * out for out in outputs(function(x, **options))]


def on(make: Callable[[Source], np.ndarray], **options: Any) -> Callable[[Source], Call]:
    return lambda source: call(make(source), **options)


def solve_cases(source: Source) -> Call:
    x = well_conditioned(source)
    return call(x, source.array((*x.shape[:-1], source.integer(1, 3)), special=False))


def power_cases(source: Source) -> Call:
    return call(well_conditioned(source), source.integer(-2, 3))


def outer_cases(source: Source) -> Call:
    return call(*(source.array((source.integer(1, 4),), special=False) for _ in range(2)))


def cross_cases(source: Source) -> Call:
    shape = (*source.shape(max_dims=2), 3)
    return call(source.array(shape, special=False), source.array(shape, special=False))


def diagonal_cases(source: Source) -> Call:
    return call(source.array(source.shape(min_dims=2), special=False), offset=source.integer(-3, 3))


def diagonal(x: np.ndarray, offset: int) -> np.ndarray:
    return np.diagonal(x, offset, -2, -1)


def trace(x: np.ndarray, offset: int) -> np.ndarray:
    return np.sum(diagonal(x, offset), -1, dtype={"i": "int64", "u": "uint64"}.get(x.dtype.kind, x.dtype))


def vector_norm_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), special=False)
    order = source.choice(1, 2, 3.5) if source.smooth else source.choice(0, 1, 2, 3.5, np.inf, -np.inf, -1)
    return call(x, axis=source.choice(None, source.axis(x.shape)), keepdims=source.flag(), ord=order)


def vector_norm(x: np.ndarray, axis: int | None, keepdims: bool, ord: float) -> np.ndarray:
    flat = x.ravel() if axis is None else x
    result = np.linalg.norm(flat, ord, axis if axis is not None else 0, keepdims)
    return result.reshape((1,) * x.ndim) if axis is None and keepdims else np.asarray(result)


def matrix_norm_cases(source: Source) -> Call:
    orders = ("fro", "nuc", 2) if source.smooth else ("fro", "nuc", 1, 2, -1, -2, np.inf, -np.inf)
    return call(matrix(source), keepdims=source.flag(), ord=source.choice(*orders))


def matrix_norm(x: np.ndarray, keepdims: bool, ord: Any) -> np.ndarray:
    return np.asarray(np.linalg.norm(x, ord, (-2, -1), keepdims))


NOT_SQUARE = (np.ones((2, 3)),)
REAL_FLOATS = dtypes.WIDE_FLOATS

ROWS = (
    Row(
        "matmul",
        np.matmul,
        matmul_cases,
        dtypes.NUMERIC,
        slack=16,
        refusals=(
            refuses("ShapeError", "matmul", np.ones((2, 3)), np.ones((2, 3))),
            refuses("ShapeError", "matmul", np.ones(()), np.ones(2)),
        ),
    ),
    Row("tensordot", np.tensordot, tensordot_cases, dtypes.NUMERIC, slack=16),
    Row(
        "dot",
        np.dot,
        dot_cases,
        dtypes.NUMERIC,
        slack=16,
        refusals=(refuses("ShapeError", "dot", np.ones(2), np.ones(3)),),
    ),
    Row("vecdot", vecdot, vecdot_cases, dtypes.NUMERIC, slack=16),
    Row(
        "einsum",
        lambda equation, *xs: np.einsum(equation, *xs, dtype=xs[0].dtype),
        einsum_cases,
        dtypes.NUMERIC,
        structured=True,
        slack=32,
        refusals=(
            refuses("ValueError", "einsum", "ij,jk->ikz", np.ones((2, 3)), np.ones((3, 2))),
            refuses("ValueError", "einsum", "ij,jk->ik", np.ones((2, 3))),
            refuses("ValueError", "einsum", "i?->i", np.ones((2, 3))),
        ),
    ),
    Row("linalg.outer", np.outer, outer_cases, dtypes.NUMERIC, slack=4),
    Row("linalg.cross", np.cross, cross_cases, dtypes.NUMERIC, slack=16),
    Row("linalg.diagonal", diagonal, diagonal_cases, dtypes.ALL),
    Row("linalg.trace", trace, diagonal_cases, dtypes.NUMERIC, result=None, slack=8),
    Row("linalg.vector_norm", vector_norm, vector_norm_cases, WIDE, result=None, slack=16),
    Row("linalg.matrix_norm", matrix_norm, matrix_norm_cases, WIDE, result=None, slack=100, structured=True),
    Row("linalg.det", np.linalg.det, on(well_conditioned), **TABLE),
    Row("linalg.slogdet", np.linalg.slogdet, on(well_conditioned), result=None, **TABLE),
    Row(
        "linalg.inv",
        np.linalg.inv,
        on(well_conditioned),
        refusals=(
            refuses("ShapeError", "inv", *NOT_SQUARE),
            refuses("ValueError", "singular", np.ones((2, 2))),
        ),
        **TABLE,
    ),
    Row(
        "linalg.solve",
        np.linalg.solve,
        solve_cases,
        refusals=(
            refuses("ShapeError", "solve", np.eye(2), np.ones((3, 1))),
            refuses("ValueError", "singular", np.zeros((2, 2)), np.ones((2, 1))),
        ),
        **TABLE,
    ),
    Row("linalg.matrix_power", np.linalg.matrix_power, power_cases, **TABLE),
    Row(
        "linalg.cholesky",
        np.linalg.cholesky,
        on(positive_definite),
        refusals=(refuses("ValueError", "positive", -np.eye(2)),),
        around=of_symmetric,
        **TABLE,
    ),
    Row(
        "linalg.qr",
        lambda x: tuple(np.linalg.qr(x)),
        on(well_conditioned),
        check=rebuilds(np.matmul, 0),
        refusals=(refuses("ValueError", "qr", np.eye(2), mode="raw"),),
        **TABLE,
    ),
    Row(
        "linalg.svd",
        lambda x, full_matrices: tuple(np.linalg.svd(x, full_matrices)),
        on(matrix, full_matrices=False),
        check=rebuilds(svd_again, 0, 2),
        result=None,
        smooth=on(hermitian, full_matrices=False),
        around=squares,
        **TABLE,
    ),
    Row("linalg.svdvals", np.linalg.svdvals, on(matrix), result=None, smooth=on(hermitian), **TABLE),
    Row(
        "linalg.eigh",
        lambda x: tuple(np.linalg.eigh(x)),
        on(hermitian),
        check=rebuilds(lambda w, v: v * w[..., None, :] @ adjoint(v), 1),
        result=None,
        around=of_symmetric,
        **TABLE,
    ),
    Row("linalg.eigvalsh", np.linalg.eigvalsh, on(hermitian), result=None, around=of_symmetric, **TABLE),
    Row(
        "linalg.eig",
        lambda x: tuple(np.linalg.eig(x.astype(complex))),
        on(well_conditioned),
        check=eigenpairs,
        result=None,
        gradient="complex result",
        structured=True,
        dtypes=WIDE,
    ),
    Row(
        "linalg.eigvals",
        lambda x: np.linalg.eigvals(x.astype(complex)),
        on(well_conditioned),
        check=same_spectrum,
        result=None,
        gradient="complex result",
        structured=True,
        dtypes=WIDE,
    ),
    Row("linalg.pinv", np.linalg.pinv, on(well_conditioned), **TABLE),
    Row(
        "linalg.matrix_rank",
        np.linalg.matrix_rank,
        on(well_conditioned),
        WIDE,
        result="int64",
        gradient="a count",
        structured=True,
    ),
)
