//! The Cholesky decomposition; only the lower triangle of the operand is read.

use super::field::{check_finite, each_matrix, in_field, matrix, parts, store, store_adjoint};
use super::{batched, half_lower, inv, operand, square_size, symmetric, transposed};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::error::{Error, Result};
use crate::ops::matmul::matmul;
use crate::ops::{Op, Spec, Specs, apply1};
use crate::storage::Output;
use crate::tensor::Tensor;
use faer::Side;
use faer::linalg::solvers::Llt;
use smallvec::smallvec;

#[derive(Debug)]
struct Cholesky {
    upper: bool,
}

impl Gradient for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let flip = |x: &Tensor| if self.upper { transposed(x) } else { Ok(x.clone()) };
        let (l, dl) = (flip(saved.output(0)?)?, flip(only(dy)?)?);
        let inverse = inv(&l)?;
        let middle = half_lower(&matmul(&transposed(&l)?, &dl)?)?;
        one(symmetric(&matmul(&matmul(&transposed(&inverse)?, &middle)?, &inverse)?)?)
    }
}

impl Op for Cholesky {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let op = "cholesky";
        let (x, n) = (inputs[0], square_size(op, inputs[0])?);
        let count = batched(x, &[]).iter().product();
        in_field!(x.dtype(), op, T => {
            let outputs = parts(outputs[0].slice_mut::<T>()?, n * n, count);
            each_matrix(x.slice::<T>()?, n * n, outputs, |a, out| {
                if n == 0 {
                    return Ok(());
                }
                check_finite(op, a)?;
                let failed = |_| Error::value(op, "the matrix is not positive definite");
                let llt = Llt::new(matrix(a, n, n), Side::Lower).map_err(failed)?;
                match self.upper {
                    true => store_adjoint(llt.L(), out),
                    false => store(llt.L(), out),
                }
                Ok(())
            })
        })
    }
}

/// The lower triangular `l` with `l l^H = x`, or the upper `u` with `u^H u = x`.
pub fn cholesky(x: &Tensor, upper: bool) -> Result<Tensor> {
    square_size("cholesky", x)?;
    apply1(Cholesky { upper }, &[&operand("cholesky", x)?])
}
