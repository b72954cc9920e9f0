//! The singular value decomposition, and what follows from it: ranks and pseudo-inverses.

use super::field::{Field, Scaled, each_matrix, in_field, parts, store, store_adjoint, store_identity};
use super::{batched, diagonal_matrix, identity, matrix_sizes, operand, transposed};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::dtype::{Complex64, DType};
use crate::error::{Error, Result};
use crate::ops::matmul::matmul;
use crate::ops::{Op, Spec, Specs, apply, apply1, cast, copy, create, movement, reduce};
use crate::scalar::Scalar;
use crate::storage::Output;
use crate::tensor::Tensor;
use faer::linalg::solvers::Svd;
use faer::linalg::svd::SvdError;
use smallvec::smallvec;

fn no_convergence(op: &'static str) -> impl Fn(SvdError) -> Error {
    move |_| Error::value(op, "the iteration did not converge")
}

/// Outputs: left vectors as columns, singular values in descending order, right vectors (conjugated) as rows.
#[derive(Debug)]
struct Decomposition {
    full: bool,
}

impl Decomposition {
    /// Columns of U and rows of Vh.
    fn widths(&self, m: usize, n: usize) -> (usize, usize) {
        if self.full { (m, n) } else { (m.min(n), m.min(n)) }
    }
}

impl Gradient for Decomposition {
    fn name(&self) -> &'static str {
        "svd"
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let given = |i: usize| dy.get(i).cloned().flatten();
        let (u, s, vh) = (saved.output(0)?, saved.output(1)?, saved.output(2)?);
        let k = s.shape()[s.rank() - 1];
        let (du, ds, dvh) = (given(0), given(1), given(2));
        let rank = u.rank();
        if (u.shape()[rank - 1] > k || vh.shape()[rank - 2] > k) && (du.is_some() || dvh.is_some()) {
            let message = "vectors of the full decomposition have no gradient; use full_matrices=False";
            return Err(Error::grad("svd", message));
        }
        let (u, vh) = (movement::narrow(u, rank - 1, 0, k)?, movement::narrow(vh, rank - 2, 0, k)?);
        one(gradient(&u, s, &vh, du, ds, dvh)?)
    }
}

/// The gradient of the reduced decomposition (J. Townsend, "Differentiating the singular value decomposition", 2016).
fn gradient(
    u: &Tensor,
    s: &Tensor,
    vh: &Tensor,
    du: Option<Tensor>,
    ds: Option<Tensor>,
    dvh: Option<Tensor>,
) -> Result<Tensor> {
    let k = s.shape()[s.rank() - 1];
    let (row, column) = (movement::expand_dims(s, &[-2])?, movement::expand_dims(s, &[-1])?);
    let eye = identity(s, k)?;
    // Differences of squares, with ones in the place of the zeros on the diagonal, where the numerators are zero.
    let gaps = row.square()?.subtract(&column.square()?)?.add(&eye)?;
    let turn = |a: &Tensor, b: &Tensor| {
        let product = matmul(a, b)?;
        product.subtract(&transposed(&product)?)?.divide(&gaps)
    };
    let mut middle = match &ds {
        Some(ds) => diagonal_matrix(ds)?,
        None => create::zeros_like(&gaps)?,
    };
    if let Some(du) = &du {
        middle = middle.add(&turn(&transposed(u)?, du)?.multiply(&row)?)?;
    }
    if let Some(dvh) = &dvh {
        middle = middle.add(&turn(vh, &transposed(dvh)?)?.multiply(&column)?)?;
    }
    let mut dx = matmul(&matmul(u, &middle)?, vh)?;
    if let Some(du) = &du {
        let scaled = du.divide(&row)?;
        let outside = scaled.subtract(&matmul(u, &matmul(&transposed(u)?, &scaled)?)?)?;
        dx = dx.add(&matmul(&outside, vh)?)?;
    }
    if let Some(dvh) = &dvh {
        let scaled = dvh.divide(&column)?;
        let outside = scaled.subtract(&matmul(&matmul(&scaled, &transposed(vh)?)?, vh)?)?;
        dx = dx.add(&matmul(u, &outside)?)?;
    }
    Ok(dx)
}

impl Op for Decomposition {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, (m, n)) = (inputs[0], matrix_sizes("svd", inputs[0])?);
        let (left, right) = self.widths(m, n);
        Ok(smallvec![
            Spec::new(&batched(x, &[m, left]), x.dtype()),
            Spec::new(&batched(x, &[m.min(n)]), x.dtype().real()),
            Spec::new(&batched(x, &[right, n]), x.dtype()),
        ])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let op = "svd";
        let (x, (m, n)) = (inputs[0], matrix_sizes(op, inputs[0])?);
        let ((left, right), count) = (self.widths(m, n), batched(x, &[]).iter().product());
        let [u, s, vh] = outputs else { return Err(Error::internal(op, "expected three outputs")) };
        in_field!(x.dtype(), op, T => {
            let u = parts(u.slice_mut::<T>()?, m * left, count);
            let s = parts(s.slice_mut::<<T as Field>::Part>()?, m.min(n), count);
            let vh = parts(vh.slice_mut::<T>()?, right * n, count);
            each_matrix(x.slice::<T>()?, m * n, u.zip(s).zip(vh), |a, ((u, s), vh)| {
                if m * n == 0 {
                    store_identity(u, left.max(1));
                    store_identity(vh, n.max(1));
                    return Ok(());
                }
                let scaled = Scaled::new(op, a, n)?;
                let a = scaled.matrix();
                let svd = if self.full { Svd::new(a) } else { Svd::new_thin(a) }.map_err(no_convergence(op))?;
                store(svd.U(), u);
                let values = svd.S().column_vector();
                s.iter_mut().zip(values.iter()).for_each(|(s, &v)| *s = T::part(scaled.value(v).widen().re));
                store_adjoint(svd.V(), vh);
                Ok(())
            })
        })
    }
}

/// `x = u diag(s) vh`, with orthonormal columns of `u` and rows of `vh`; square ones when `full_matrices`.
pub fn svd(x: &Tensor, full_matrices: bool) -> Result<(Tensor, Tensor, Tensor)> {
    let outputs = apply(Decomposition { full: full_matrices }, &[&operand("svd", x)?])?;
    let [u, s, vh] = outputs.as_slice() else { return Err(Error::internal("svd", "expected three outputs")) };
    Ok((u.clone(), s.clone(), vh.clone()))
}

/// Singular values alone; their gradient goes through the vectors.
#[derive(Debug)]
struct SingularValues;

impl Gradient for SingularValues {
    fn name(&self) -> &'static str {
        "svdvals"
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (u, _, vh) = svd(saved.input(0)?, false)?;
        one(matmul(&u.multiply(&movement::expand_dims(only(dy)?, &[-2])?)?, &vh)?)
    }
}

impl Op for SingularValues {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, (m, n)) = (inputs[0], matrix_sizes("svdvals", inputs[0])?);
        Ok(smallvec![Spec::new(&batched(x, &[m.min(n)]), x.dtype().real())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let op = "svdvals";
        let (x, (m, n)) = (inputs[0], matrix_sizes(op, inputs[0])?);
        let count = batched(x, &[]).iter().product();
        in_field!(x.dtype(), op, T => {
            let s = parts(outputs[0].slice_mut::<<T as Field>::Part>()?, m.min(n), count);
            each_matrix(x.slice::<T>()?, m * n, s, |a, s| {
                if m * n == 0 {
                    return Ok(());
                }
                let scaled = Scaled::new(op, a, n)?;
                let values = scaled.matrix().singular_values().map_err(no_convergence(op))?;
                s.iter_mut().zip(values).for_each(|(s, v)| *s = scaled.value(v));
                Ok(())
            })
        })
    }
}

/// The singular values of every matrix, in descending order.
pub fn svdvals(x: &Tensor) -> Result<Tensor> {
    apply1(SingularValues, &[&operand("svdvals", x)?])
}

/// The relative tolerance as float64, for every matrix of the batch; by default the longer side times epsilon.
fn tolerance(op: &str, x: &Tensor, rtol: Option<&Tensor>) -> Result<Tensor> {
    let (m, n) = matrix_sizes(op, x)?;
    let epsilon = if x.dtype().real() == DType::F64 { f64::EPSILON } else { f32::EPSILON as f64 };
    let rtol = match rtol {
        None => create::full(&[], Scalar::Float(m.max(n) as f64 * epsilon), DType::F64, x.device())?,
        Some(rtol) if rtol.dtype().is_complex() => {
            return Err(Error::dtype(op, format!("expected a real rtol, got {}", rtol.dtype())));
        }
        Some(rtol) => cast::astype(&rtol.detach(), DType::F64)?,
    };
    copy::contiguous(&movement::broadcast_to(&rtol, &batched(x, &[]))?)
}

/// The number of singular values above `rtol` times the largest.
pub fn matrix_rank(x: &Tensor, rtol: Option<&Tensor>) -> Result<Tensor> {
    let op = "matrix_rank";
    let x = operand(op, &x.detach())?;
    let s = cast::astype(&svdvals(&x)?, DType::F64)?;
    if s.shape().ends_with(&[0]) {
        return create::zeros(&batched(&x, &[]), DType::I64, x.device());
    }
    let limit =
        reduce::max(&s, Some(&[-1]), true)?.multiply(&movement::expand_dims(&tolerance(op, &x, rtol)?, &[-1])?)?;
    cast::astype(&reduce::count_nonzero(&s.greater(&limit)?, Some(&[-1]), false)?, DType::I64)
}

/// The Moore-Penrose inverse; the second input is the tolerance of each matrix.
#[derive(Debug)]
struct PseudoInverse;

impl Gradient for PseudoInverse {
    fn name(&self) -> &'static str {
        "pinv"
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b01, outputs: 0b1 }
    }
    /// G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses", 1973; for matrices of constant rank.
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (a, p, dp) = (saved.input(0)?, saved.output(0)?, only(dy)?);
        let (m, n) = matrix_sizes("pinv", a)?;
        let (pt, dpt) = (transposed(p)?, transposed(dp)?);
        let inside = matmul(&matmul(&pt, dp)?, &pt)?;
        let left = identity(a, m)?.subtract(&matmul(a, p)?)?;
        let right = identity(a, n)?.subtract(&matmul(p, a)?)?;
        let rows = matmul(&matmul(&left, &dpt)?, &matmul(p, &pt)?)?;
        let columns = matmul(&matmul(&pt, p)?, &matmul(&dpt, &right)?)?;
        Ok(smallvec![Some(rows.add(&columns)?.subtract(&inside)?), None])
    }
}

impl Op for PseudoInverse {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, (m, n)) = (inputs[0], matrix_sizes("pinv", inputs[0])?);
        Ok(smallvec![Spec::new(&batched(x, &[n, m]), x.dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let op = "pinv";
        let (x, rtol) = (inputs[0], inputs[1].slice::<f64>()?);
        let (m, n) = matrix_sizes(op, x)?;
        let count = batched(x, &[]).iter().product();
        in_field!(x.dtype(), op, T => {
            let outputs = parts(outputs[0].slice_mut::<T>()?, n * m, count).zip(rtol);
            each_matrix(x.slice::<T>()?, m * n, outputs, |a, (out, &rtol)| {
                if m * n == 0 {
                    return Ok(());
                }
                let scaled = Scaled::new(op, a, n)?;
                let svd = Svd::new_thin(scaled.matrix()).map_err(no_convergence(op))?;
                let values: Vec<f64> = svd.S().column_vector().iter().map(|s| s.widen().re).collect();
                let limit = rtol * values[0];
                let kept: Vec<usize> = (0..values.len()).filter(|&i| values[i] > limit).collect();
                for (at, out) in out.iter_mut().enumerate() {
                    let (i, j) = (at / m, at % m);
                    let term = |&l: &usize| svd.V()[(i, l)].widen() * svd.U()[(j, l)].widen().conj() / values[l];
                    *out = T::narrow(scaled.inverse(kept.iter().map(term).sum::<Complex64>()));
                }
                Ok(())
            })
        })
    }
}

/// The pseudo-inverse; singular values up to `rtol` times the largest count as zero.
pub fn pinv(x: &Tensor, rtol: Option<&Tensor>) -> Result<Tensor> {
    let x = operand("pinv", x)?;
    let rtol = tolerance("pinv", &x, rtol)?;
    apply1(PseudoInverse, &[&x, &rtol])
}
