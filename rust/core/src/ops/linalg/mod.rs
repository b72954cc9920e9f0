//! Linear algebra (array API): decompositions through `faer`, one matrix of the batch a task, and what is made of them.

mod cholesky;
mod determinant;
mod eigen;
mod field;
mod inverse;
mod norm;
mod products;
mod qr;
mod svd;

pub use super::matmul::{matmul, outer, tensordot, vecdot};
pub use super::movement::matrix_transpose;
pub use cholesky::cholesky;
pub use determinant::{det, slogdet};
pub use eigen::{eig, eigh, eigvals, eigvalsh};
pub use inverse::{inv, solve};
pub use norm::{MatrixNorm, matrix_norm, vector_norm};
pub use products::{cross, diagonal, matrix_power, trace};
pub use qr::{QrMode, qr};
pub use svd::{matrix_rank, pinv, svd, svdvals};

use super::{copy, create, movement};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::shape::{Shape, display};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Rows and columns of the last two axes.
fn matrix_sizes(op: &str, x: &Tensor) -> Result<(usize, usize)> {
    match x.shape() {
        [.., m, n] => Ok((*m, *n)),
        shape => Err(Error::shape(op, format!("expected at least two axes, got shape {}", display(shape)))),
    }
}

/// The side of square matrices.
fn square_size(op: &str, x: &Tensor) -> Result<usize> {
    match matrix_sizes(op, x)? {
        (m, n) if m == n => Ok(n),
        _ => Err(Error::shape(op, format!("expected square matrices, got shape {}", display(x.shape())))),
    }
}

/// Contiguous matrices of a type that decompositions compute in.
fn operand(op: &str, x: &Tensor) -> Result<Tensor> {
    matrix_sizes(op, x)?;
    match x.dtype() {
        DType::F32 | DType::F64 | DType::C64 | DType::C128 => copy::contiguous(x),
        other => Err(Error::dtype(op, format!("expected float32, float64, complex64 or complex128, got {other}"))),
    }
}

/// The shape of the batch followed by these sizes.
fn batched(x: &Tensor, sizes: &[usize]) -> Shape {
    let mut shape: Shape = SmallVec::from_slice(&x.shape()[..x.rank() - 2]);
    shape.extend_from_slice(sizes);
    shape
}

fn transposed(x: &Tensor) -> Result<Tensor> {
    movement::matrix_transpose(x)
}

/// Ones on the diagonal of an `n x n` matrix like `x`.
fn identity(x: &Tensor, n: usize) -> Result<Tensor> {
    create::eye(n, n, 0, x.dtype(), x.device())
}

/// Vectors `(..., n)` as the diagonals of matrices `(..., n, n)`.
fn diagonal_matrix(x: &Tensor) -> Result<Tensor> {
    let n = x.shape().last().copied().unwrap_or(1);
    movement::expand_dims(x, &[-2])?.multiply(&identity(x, n)?)
}

/// The lower triangle with half of its diagonal.
fn half_lower(x: &Tensor) -> Result<Tensor> {
    let n = x.shape()[x.rank() - 1];
    let halves = create::eye(n, n, 0, x.dtype(), x.device())?.mul_scalar(-0.5)?.add_scalar(1.0)?;
    create::tril(x, 0)?.multiply(&halves)
}

/// The part of a square matrix that equals its transpose.
fn symmetric(x: &Tensor) -> Result<Tensor> {
    x.add(&transposed(x)?)?.mul_scalar(0.5)
}

/// A zero-dimensional constant of the type of `x`.
fn constant(x: &Tensor, value: f64) -> Result<Tensor> {
    create::full(&[], Scalar::Float(value), x.dtype(), x.device())
}

#[cfg(test)]
mod tests;
