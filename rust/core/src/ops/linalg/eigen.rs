//! Eigenvalues and eigenvectors, of symmetric (Hermitian) and of general square matrices.

use super::field::{Field, Scaled, each_matrix, in_field, parts, store};
use super::{batched, diagonal_matrix, identity, operand, square_size, symmetric, transposed};
use crate::autograd::{Gradient, Grads, Saved, Saves, not_differentiable, one, only};
use crate::error::{Error, Result};
use crate::ops::matmul::matmul;
use crate::ops::{Op, Spec, Specs, apply, apply1, movement};
use crate::storage::Output;
use crate::tensor::Tensor;
use faer::Side;
use faer::linalg::solvers::SelfAdjointEigen;
use smallvec::smallvec;

fn no_convergence(op: &'static str) -> impl Fn(faer::linalg::evd::EvdError) -> Error {
    move |_| Error::value(op, "the iteration did not converge")
}

/// Outputs: eigenvalues in ascending order, and eigenvectors as columns. Reads the lower triangle.
#[derive(Debug)]
struct SymmetricEigen;

impl Gradient for SymmetricEigen {
    fn name(&self) -> &'static str {
        "eigh"
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (w, v) = (saved.output(0)?, saved.output(1)?);
        let mut middle = match dy.first() {
            Some(Some(dw)) => Some(diagonal_matrix(dw)?),
            _ => None,
        };
        if let Some(Some(dv)) = dy.get(1) {
            let n = w.shape()[w.rank() - 1];
            // Differences of eigenvalues, with ones in the place of the zeros on the diagonal, which is dropped.
            let eye = identity(w, n)?;
            let gaps = movement::expand_dims(w, &[-2])?.subtract(&movement::expand_dims(w, &[-1])?)?.add(&eye)?;
            let turn = matmul(&transposed(v)?, dv)?.divide(&gaps)?;
            let off_diagonal = turn.multiply(&eye.negative()?.add_scalar(1.0)?)?;
            middle = Some(middle.map_or_else(|| Ok(off_diagonal.clone()), |m| m.add(&off_diagonal))?);
        }
        let middle = middle.ok_or_else(|| Error::internal("eigh", "no output gradient"))?;
        one(symmetric(&matmul(&matmul(v, &middle)?, &transposed(v)?)?)?)
    }
}

impl Op for SymmetricEigen {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, n) = (inputs[0], square_size("eigh", inputs[0])?);
        Ok(smallvec![Spec::new(&batched(x, &[n]), x.dtype().real()), Spec::like(x)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let op = "eigh";
        let (x, n) = (inputs[0], square_size(op, inputs[0])?);
        let count = batched(x, &[]).iter().product();
        let [w, v] = outputs else { return Err(Error::internal(op, "expected two outputs")) };
        in_field!(x.dtype(), op, T => {
            let w = parts(w.slice_mut::<<T as Field>::Part>()?, n, count);
            let v = parts(v.slice_mut::<T>()?, n * n, count);
            each_matrix(x.slice::<T>()?, n * n, w.zip(v), |a, (w, v)| {
                if n == 0 {
                    return Ok(());
                }
                let scaled = Scaled::new(op, a, n)?;
                let eigen = SelfAdjointEigen::new(scaled.matrix(), Side::Lower).map_err(no_convergence(op))?;
                let values = eigen.S().column_vector();
                w.iter_mut().zip(values.iter()).for_each(|(w, &v)| *w = T::part(scaled.value(v).widen().re));
                store(eigen.U(), v);
                Ok(())
            })
        })
    }
}

/// Eigenvalues alone; their gradient goes through the eigenvectors.
#[derive(Debug)]
struct SymmetricEigenvalues;

impl Gradient for SymmetricEigenvalues {
    fn name(&self) -> &'static str {
        "eigvalsh"
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (_, v) = eigh(saved.input(0)?)?;
        one(matmul(&v.multiply(&movement::expand_dims(only(dy)?, &[-2])?)?, &transposed(&v)?)?)
    }
}

impl Op for SymmetricEigenvalues {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, n) = (inputs[0], square_size("eigvalsh", inputs[0])?);
        Ok(smallvec![Spec::new(&batched(x, &[n]), x.dtype().real())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let op = "eigvalsh";
        let (x, n) = (inputs[0], square_size(op, inputs[0])?);
        let count = batched(x, &[]).iter().product();
        in_field!(x.dtype(), op, T => {
            let w = parts(outputs[0].slice_mut::<<T as Field>::Part>()?, n, count);
            each_matrix(x.slice::<T>()?, n * n, w, |a, w| {
                if n == 0 {
                    return Ok(());
                }
                let scaled = Scaled::new(op, a, n)?;
                let values = scaled.matrix().self_adjoint_eigenvalues(Side::Lower).map_err(no_convergence(op))?;
                w.iter_mut().zip(values).for_each(|(w, v)| *w = scaled.value(v));
                Ok(())
            })
        })
    }
}

/// Eigenvalues (ascending) and orthonormal eigenvectors of symmetric or Hermitian matrices.
pub fn eigh(x: &Tensor) -> Result<(Tensor, Tensor)> {
    square_size("eigh", x)?;
    let outputs = apply(SymmetricEigen, &[&operand("eigh", x)?])?;
    let [w, v] = outputs.as_slice() else { return Err(Error::internal("eigh", "expected two outputs")) };
    Ok((w.clone(), v.clone()))
}

/// Eigenvalues (ascending) of symmetric or Hermitian matrices.
pub fn eigvalsh(x: &Tensor) -> Result<Tensor> {
    square_size("eigvalsh", x)?;
    apply1(SymmetricEigenvalues, &[&operand("eigvalsh", x)?])
}

/// Complex eigenvalues and eigenvectors of any square matrix.
#[derive(Debug)]
struct GeneralEigen;

impl Gradient for GeneralEigen {
    fn name(&self) -> &'static str {
        "eig"
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable("eig")
    }
}

impl Op for GeneralEigen {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, n) = (inputs[0], square_size("eig", inputs[0])?);
        let dtype = x.dtype().complex();
        Ok(smallvec![Spec::new(&batched(x, &[n]), dtype), Spec::new(x.shape(), dtype)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let op = "eig";
        let (x, n) = (inputs[0], square_size(op, inputs[0])?);
        let count = batched(x, &[]).iter().product();
        let [w, v] = outputs else { return Err(Error::internal(op, "expected two outputs")) };
        in_field!(x.dtype(), op, T => {
            let w = parts(w.slice_mut::<<T as Field>::Full>()?, n, count);
            let v = parts(v.slice_mut::<<T as Field>::Full>()?, n * n, count);
            each_matrix(x.slice::<T>()?, n * n, w.zip(v), |a, (w, v)| {
                if n == 0 {
                    return Ok(());
                }
                let scaled = Scaled::new(op, a, n)?;
                let (values, vectors) = T::eigen(scaled.matrix()).map_err(no_convergence(op))?;
                w.iter_mut().zip(values).for_each(|(w, v)| *w = scaled.value(v));
                store(vectors.as_ref(), v);
                normalize_columns(v, n);
                Ok(())
            })
        })
    }
}

/// Columns of an `n x n` matrix scaled to length one.
fn normalize_columns<T: Field>(v: &mut [T], n: usize) {
    for j in 0..n {
        let length = v.iter().skip(j).step_by(n).map(|v| v.widen().norm_sqr()).sum::<f64>().sqrt();
        v.iter_mut().skip(j).step_by(n).for_each(|v| *v = T::narrow(v.widen() / length));
    }
}

/// Eigenvalues and eigenvectors (columns of length one) of any square matrices; both are complex.
pub fn eig(x: &Tensor) -> Result<(Tensor, Tensor)> {
    square_size("eig", x)?;
    let outputs = apply(GeneralEigen, &[&operand("eig", x)?])?;
    let [w, v] = outputs.as_slice() else { return Err(Error::internal("eig", "expected two outputs")) };
    Ok((w.clone(), v.clone()))
}

/// Eigenvalues of any square matrices.
pub fn eigvals(x: &Tensor) -> Result<Tensor> {
    Ok(eig(x)?.0)
}
