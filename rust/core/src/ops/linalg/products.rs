//! Products, traces and powers made of other ops.

use super::{batched, identity, inv, operand, square_size};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::matmul::matmul;
use crate::ops::{join, movement, reduce};
use crate::tensor::Tensor;

/// The cross product of vectors of three elements along `axis`, counted from the end; other axes broadcast.
pub fn cross(a: &Tensor, b: &Tensor, axis: i64) -> Result<Tensor> {
    let op = "cross";
    let least = a.rank().min(b.rank()) as i64;
    if axis >= 0 || axis < -least {
        return Err(Error::index(op, format!("expected an axis in [{}, -1], got {axis}", -least)));
    }
    for x in [a, b] {
        let n = x.shape()[(x.rank() as i64 + axis) as usize];
        if n != 3 {
            return Err(Error::shape(op, format!("expected vectors of 3 elements along axis {axis}, got {n}")));
        }
    }
    let (a, b) = (movement::move_axes(a, &[axis], &[-1])?, movement::move_axes(b, &[axis], &[-1])?);
    let part = |x: &Tensor, i: usize| movement::narrow(x, x.rank() - 1, i, 1);
    let term = |i: usize| {
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        part(&a, j)?.multiply(&part(&b, k)?)?.subtract(&part(&a, k)?.multiply(&part(&b, j)?)?)
    };
    let product = join::concat(&[&term(0)?, &term(1)?, &term(2)?], Some(-1))?;
    movement::move_axes(&product, &[-1], &[axis])
}

/// Diagonal `offset` of every matrix.
pub fn diagonal(x: &Tensor, offset: i64) -> Result<Tensor> {
    super::matrix_sizes("diagonal", x)?;
    movement::diagonal(x, offset, -2, -1)
}

/// The sum along diagonal `offset` of every matrix.
pub fn trace(x: &Tensor, offset: i64, dtype: Option<DType>) -> Result<Tensor> {
    super::matrix_sizes("trace", x)?;
    reduce::sum(&movement::diagonal(x, offset, -2, -1)?, Some(&[-1]), dtype, false)
}

/// Square matrices multiplied `n` times by themselves; negative powers are those of the inverse.
pub fn matrix_power(x: &Tensor, n: i64) -> Result<Tensor> {
    let op = "matrix_power";
    let side = square_size(op, x)?;
    let x = operand(op, x)?;
    if n == 0 {
        return movement::broadcast_to(&identity(&x, side)?, &batched(&x, &[side, side]));
    }
    let (mut square, mut left) = (if n < 0 { inv(&x)? } else { x }, n.unsigned_abs());
    let mut product: Option<Tensor> = None;
    while left > 0 {
        if left & 1 == 1 {
            product = Some(product.map_or_else(|| Ok(square.clone()), |p| matmul(&p, &square))?);
        }
        left >>= 1;
        if left > 0 {
            square = matmul(&square, &square)?;
        }
    }
    Ok(product.unwrap_or(square))
}
