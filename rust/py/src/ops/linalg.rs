//! The array API's linear algebra extension; `ferrograd.linalg` drops the prefix.

use crate::rows;
use crate::table::Row;
use crate::table::args::{Arg, FromPython, Ints, Operand};
use ferrograd_core::ops::create;
use ferrograd_core::ops::linalg::{self, MatrixNorm, QrMode};
use ferrograd_core::{DType, Result, Scalar, Tensor};
use pyo3::prelude::*;

/// The order of a matrix norm: a number, "fro" or "nuc".
enum Order {
    Number(f64),
    Named(String),
}

impl FromPython for Order {
    const HINT: &'static str = "float | str";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Order> {
        f64::from_python(arg).map(Order::Number).or_else(|_| String::from_python(arg).map(Order::Named))
    }
}

fn matrix_norm(x: &Tensor, keepdims: bool, ord: &Order) -> Result<Tensor> {
    let norm = match ord {
        Order::Number(n) => MatrixNorm::Order(*n),
        Order::Named(name) => MatrixNorm::from_name(name)?,
    };
    linalg::matrix_norm(x, keepdims, norm)
}

/// A tolerance for x, a number or one for each matrix; real also beside complex matrices.
fn tolerance(rtol: Option<Operand>, x: &Tensor) -> Result<Option<Tensor>> {
    let magnitude = |value: Scalar| create::full(&[], value, value.weak_dtype(x.dtype().real()), x.device());
    let tensor = |rtol| match rtol {
        Operand::Tensor(t) => Ok(t),
        Operand::Weak(value) => magnitude(value),
    };
    rtol.map(tensor).transpose()
}

pub const LINALG: &[Row] = rows! {
    /// The triangular L with x = L L^H (or U with x = U^H U).
    linalg_cholesky [x: Tensor] () {upper: bool = false} -> Tensor = linalg::cholesky(&x, upper);
    /// The cross product of 3-vectors along an axis.
    linalg_cross [x1: Tensor, x2: Tensor] () {axis: i64 = -1} -> Tensor = linalg::cross(&x1, &x2, axis);
    /// Determinants of square matrices.
    linalg_det [x: Tensor] () {} -> Tensor = linalg::det(&x);
    /// Diagonals of matrices.
    linalg_diagonal [x: Tensor] () {offset: i64 = 0} -> Tensor = linalg::diagonal(&x, offset);
    _eig [x: Tensor] () {} -> (Tensor, Tensor) = linalg::eig(&x);
    _eigh [x: Tensor] () {} -> (Tensor, Tensor) = linalg::eigh(&x);
    /// Eigenvalues of square matrices, complex.
    linalg_eigvals [x: Tensor] () {} -> Tensor = linalg::eigvals(&x);
    /// Eigenvalues of symmetric or Hermitian matrices, ascending.
    linalg_eigvalsh [x: Tensor] () {} -> Tensor = linalg::eigvalsh(&x);
    /// Inverses of square matrices; a singular one is an error.
    linalg_inv [x: Tensor] () {} -> Tensor = linalg::inv(&x);
    /// Norms of matrices: "fro", "nuc", 1, -1, 2, -2, inf or -inf.
    linalg_matrix_norm [x: Tensor] () {keepdims: bool = false, ord: Order = Order::Named(String::from("fro"))} -> Tensor
        = matrix_norm(&x, keepdims, &ord);
    /// Square matrices multiplied with themselves n times; negative n inverts.
    linalg_matrix_power [x: Tensor, n: i64] () {} -> Tensor = linalg::matrix_power(&x, n);
    /// How many singular values exceed rtol times the largest.
    linalg_matrix_rank [x: Tensor] () {rtol: Option<Operand> = None} -> Tensor
        = { let rtol = tolerance(rtol, &x)?; linalg::matrix_rank(&x, rtol.as_ref()) };
    /// All products of an element of x1 with one of x2.
    linalg_outer [x1: Tensor, x2: Tensor] () {} -> Tensor = linalg::outer(&x1, &x2);
    /// Pseudo-inverses; singular values below rtol times the largest count as zero.
    linalg_pinv [x: Tensor] () {rtol: Option<Operand> = None} -> Tensor
        = { let rtol = tolerance(rtol, &x)?; linalg::pinv(&x, rtol.as_ref()) };
    _qr [x: Tensor, mode: String = String::from("reduced")] () {} -> (Tensor, Tensor) = linalg::qr(&x, QrMode::from_name(&mode)?);
    _slogdet [x: Tensor] () {} -> (Tensor, Tensor) = linalg::slogdet(&x);
    /// The solution of x1 @ y = x2 for square x1.
    linalg_solve [x1: Tensor, x2: Tensor] () {} -> Tensor = linalg::solve(&x1, &x2);
    _svd [x: Tensor, full_matrices: bool = true] () {} -> (Tensor, Tensor, Tensor) = linalg::svd(&x, full_matrices);
    /// Singular values, descending.
    linalg_svdvals [x: Tensor] () {} -> Tensor = linalg::svdvals(&x);
    /// Sums of the diagonals of matrices.
    linalg_trace [x: Tensor] () {offset: i64 = 0, dtype: Option<DType> = None} -> Tensor = linalg::trace(&x, offset, dtype);
    /// Vector norms over the axes, or of all elements.
    linalg_vector_norm [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false, ord: f64 = 2.0} -> Tensor
        = linalg::vector_norm(&x, axis.as_ref().map(|a| a.0.as_slice()), keepdims, ord);
};
