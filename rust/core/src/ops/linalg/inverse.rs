//! Inverses and solutions of square systems, by LU decomposition with partial pivoting.

use super::field::{Field, each_matrix, fill_nan, in_field, is_finite, matrix, parts, store};
use super::{batched, matrix_sizes, operand, square_size, transposed};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::error::{Error, Result};
use crate::ops::matmul::matmul;
use crate::ops::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use faer::linalg::solvers::{DenseSolveCore, PartialPivLu, Solve};
use smallvec::{SmallVec, smallvec};

/// The LU decomposition of an invertible matrix.
fn decompose<T: Field>(op: &str, a: &[T], n: usize) -> Result<PartialPivLu<T>> {
    let lu = PartialPivLu::new(matrix(a, n, n));
    if (0..n).any(|i| lu.U()[(i, i)] == T::default()) {
        return Err(Error::value(op, "the matrix is singular, expected an invertible one"));
    }
    Ok(lu)
}

#[derive(Debug)]
struct Inverse;

impl Gradient for Inverse {
    fn name(&self) -> &'static str {
        "inv"
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let y = transposed(saved.output(0)?)?;
        one(matmul(&matmul(&y, only(dy)?)?, &y)?.negative()?)
    }
}

impl Op for Inverse {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, n) = (inputs[0], square_size("inv", inputs[0])?);
        let count = batched(x, &[]).iter().product();
        in_field!(x.dtype(), "inv", T => {
            let outputs = parts(outputs[0].slice_mut::<T>()?, n * n, count);
            each_matrix(x.slice::<T>()?, n * n, outputs, |a, out| {
                if !is_finite(a) {
                    fill_nan(out);
                } else if n > 0 {
                    store(decompose("inv", a, n)?.inverse().as_ref(), out);
                }
                Ok(())
            })
        })
    }
}

/// The inverse of every square matrix; NaN where the matrix is not finite.
pub fn inv(x: &Tensor) -> Result<Tensor> {
    square_size("inv", x)?;
    apply1(Inverse, &[&operand("inv", x)?])
}

/// `a x = b` for matrices `a` and `b` of one batch shape.
#[derive(Debug)]
struct Solution;

impl Gradient for Solution {
    fn name(&self) -> &'static str {
        "solve"
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b01, outputs: 0b1 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let db = apply1(Solution, &[&copy::contiguous(&transposed(saved.input(0)?)?)?, &copy::contiguous(only(dy)?)?])?;
        let da = || matmul(&db, &transposed(saved.output(0)?)?)?.negative();
        Ok(smallvec![saved.needs(0).then(da).transpose()?, Some(db.clone())])
    }
}

impl Op for Solution {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[1])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (a, b) = (inputs[0], inputs[1]);
        let (n, k) = matrix_sizes("solve", b)?;
        let count = batched(b, &[]).iter().product();
        in_field!(a.dtype(), "solve", T => {
            let b = b.slice::<T>()?;
            let outputs = parts(outputs[0].slice_mut::<T>()?, n * k, count).enumerate();
            each_matrix(a.slice::<T>()?, n * n, outputs, |a, (i, out)| {
                if n * k == 0 {
                    return Ok(());
                }
                if !is_finite(a) {
                    fill_nan(out);
                    return Ok(());
                }
                let right = matrix(&b[i * n * k..][..n * k], n, k);
                store(decompose("solve", a, n)?.solve(right).as_ref(), out);
                Ok(())
            })
        })
    }
}

/// The solution `x` of `a x = b`; a `b` of one axis is one right-hand side for every matrix.
pub fn solve(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let op = "solve";
    let n = square_size(op, a)?;
    let dtype = a.dtype().promote(b.dtype())?;
    let (a, b) = (cast::astype(a, dtype)?, cast::astype(b, dtype)?);
    if b.rank() == 1 {
        return movement::squeeze(&solve(&a, &movement::expand_dims(&b, &[1])?)?, &[-1]);
    }
    let (rows, k) = matrix_sizes(op, &b)?;
    if rows != n {
        return Err(Error::shape(op, format!("expected right-hand sides of {n} rows, got {rows}")));
    }
    let batch = shape::broadcast(op, &batched(&a, &[]), &batched(&b, &[]))?;
    let stretched = |x: &Tensor, sizes: [usize; 2]| {
        let mut shape: SmallVec<[usize; 6]> = batch.clone();
        shape.extend(sizes);
        operand(op, &movement::broadcast_to(x, &shape)?)
    };
    apply1(Solution, &[&stretched(&a, [n, n])?, &stretched(&b, [n, k])?])
}
