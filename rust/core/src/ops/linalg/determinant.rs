//! Determinants from the LU decomposition; products and logarithms are taken in double precision.

use super::field::{Field, each_matrix, in_field, is_finite, matrix, parts};
use super::{batched, inv, operand, square_size, transposed};
use crate::autograd::{self, Gradient, Grads, Saved, Saves, one, only};
use crate::dtype::Complex64;
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply, apply1, copy, movement};
use crate::storage::Output;
use crate::tensor::Tensor;
use faer::linalg::solvers::{PartialPivLu, Svd};
use smallvec::smallvec;

/// The diagonal of U with the sign of the permutation; `None` for a singular matrix.
fn factors<T: Field>(a: &[T], n: usize) -> Option<(f64, Vec<Complex64>)> {
    let lu = PartialPivLu::new(matrix(a, n, n));
    let diagonal: Vec<Complex64> = (0..n).map(|i| lu.U()[(i, i)].widen()).collect();
    // Behind the first zero pivot the decomposition divides by zero.
    if diagonal.iter().any(|d| *d == Complex64::default()) {
        return None;
    }
    Some((parity(lu.P().arrays().0), diagonal))
}

/// 1 for an even permutation, -1 for an odd one.
fn parity(permutation: &[usize]) -> f64 {
    let mut seen = vec![false; permutation.len()];
    let mut sign = 1.0;
    for start in 0..permutation.len() {
        let mut at = permutation[start];
        while !seen[start] && at != start {
            seen[at] = true;
            at = permutation[at];
            sign = -sign;
        }
    }
    sign
}

#[derive(Debug)]
struct Determinant;

impl Gradient for Determinant {
    fn name(&self) -> &'static str {
        "det"
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let x = saved.input(0)?;
        let scale = |x: &Tensor| movement::expand_dims(x, &[-2, -1]);
        // Cofactors exist for singular matrices too, but only the inverse can be differentiated again.
        let cofactors = match autograd::is_grad_enabled() {
            true => scale(saved.output(0)?)?.multiply(&transposed(&inv(x)?)?)?,
            false => apply1(Cofactors, &[&copy::contiguous(x)?])?,
        };
        one(cofactors.multiply(&scale(only(dy)?)?)?)
    }
}

impl Op for Determinant {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::new(&batched(inputs[0], &[]), inputs[0].dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, n, count) = (inputs[0], square_size("det", inputs[0])?, outputs[0].numel());
        in_field!(x.dtype(), "det", T => {
            let out = &mut outputs[0].slice_mut::<T>()?[..count];
            each_matrix(x.slice::<T>()?, n * n, out.iter_mut(), |a, out| {
                let product = |(sign, diagonal): (f64, Vec<Complex64>)| {
                    diagonal.iter().fold(Complex64::new(sign, 0.0), |product, d| product * d)
                };
                *out = T::narrow(match is_finite(a) {
                    true => factors(a, n).map_or(Complex64::default(), product),
                    false => Complex64::new(f64::NAN, 0.0),
                });
                Ok(())
            })
        })
    }
}

/// The determinant of every square matrix.
pub fn det(x: &Tensor) -> Result<Tensor> {
    square_size("det", x)?;
    apply1(Determinant, &[&operand("det", x)?])
}

/// `det(x) inv(x)^T` for any real matrix, from the singular value decomposition.
#[derive(Debug)]
struct Cofactors;

impl Gradient for Cofactors {
    fn name(&self) -> &'static str {
        "det"
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        Err(Error::grad("det", "the fused backward has no gradient; pass create_graph=True to the first one"))
    }
}

impl Op for Cofactors {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, n) = (inputs[0], square_size("det", inputs[0])?);
        let count = batched(x, &[]).iter().product();
        in_field!(x.dtype(), "det", T => {
            let outputs = parts(outputs[0].slice_mut::<T>()?, n * n, count);
            each_matrix(x.slice::<T>()?, n * n, outputs, |a, out| {
                if n == 0 {
                    return Ok(());
                }
                if !is_finite(a) {
                    super::field::fill_nan(out);
                    return Ok(());
                }
                cofactors(a, n, out)
            })
        })
    }
}

fn cofactors<T: Field>(a: &[T], n: usize, out: &mut [T]) -> Result<()> {
    let wide: Vec<f64> = a.iter().map(|a| a.widen().re).collect();
    let failed = |_| Error::value("det", "the singular value decomposition did not converge");
    let svd = Svd::new(matrix(&wide, n, n)).map_err(failed)?;
    let values: Vec<f64> = svd.S().column_vector().iter().copied().collect();
    let sign = svd.U().determinant() * svd.V().determinant();
    let others: Vec<f64> =
        (0..n).map(|k| (0..n).filter(|&i| i != k).map(|i| values[i]).product::<f64>() * sign.signum()).collect();
    for (at, out) in out.iter_mut().enumerate() {
        let (i, j) = (at / n, at % n);
        let sum: f64 = (0..n).map(|k| svd.U()[(i, k)] * others[k] * svd.V()[(j, k)]).sum();
        *out = T::narrow(Complex64::new(sum, 0.0));
    }
    Ok(())
}

/// Outputs: the sign of the determinant (a number of magnitude one, or zero) and the logarithm of its magnitude.
#[derive(Debug)]
struct LogDeterminant;

impl Gradient for LogDeterminant {
    fn name(&self) -> &'static str {
        "slogdet"
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        // The sign is constant wherever it can be differentiated.
        let Some(Some(dy)) = dy.get(1) else { return Ok(smallvec![None]) };
        let scale = movement::expand_dims(dy, &[-2, -1])?;
        one(transposed(&inv(saved.input(0)?)?)?.multiply(&scale)?)
    }
}

impl Op for LogDeterminant {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (batch, dtype) = (batched(inputs[0], &[]), inputs[0].dtype());
        Ok(smallvec![Spec::new(&batch, dtype), Spec::new(&batch, dtype.real())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, n, count) = (inputs[0], square_size("slogdet", inputs[0])?, outputs[0].numel());
        let [sign, logs] = outputs else { return Err(Error::internal("slogdet", "expected two outputs")) };
        in_field!(x.dtype(), "slogdet", T => {
            let sign = &mut sign.slice_mut::<T>()?[..count];
            let logs = &mut logs.slice_mut::<<T as Field>::Part>()?[..count];
            each_matrix(x.slice::<T>()?, n * n, sign.iter_mut().zip(logs.iter_mut()), |a, (sign, log)| {
                let (value, logarithm) = if is_finite(a) {
                    match factors(a, n) {
                        None => (Complex64::default(), f64::NEG_INFINITY),
                        Some((sign, diagonal)) => (
                            diagonal.iter().fold(Complex64::new(sign, 0.0), |sign, d| sign * (d / d.norm())),
                            diagonal.iter().map(|d| d.norm().ln()).sum(),
                        ),
                    }
                } else {
                    (Complex64::new(f64::NAN, 0.0), f64::NAN)
                };
                (*sign, *log) = (T::narrow(value), T::part(logarithm));
                Ok(())
            })
        })
    }
}

/// Sign and logarithm of the magnitude of the determinant, which do not overflow as the determinant does.
pub fn slogdet(x: &Tensor) -> Result<(Tensor, Tensor)> {
    square_size("slogdet", x)?;
    let outputs = apply(LogDeterminant, &[&operand("slogdet", x)?])?;
    let [sign, log] = outputs.as_slice() else { return Err(Error::internal("slogdet", "expected two outputs")) };
    Ok((sign.clone(), log.clone()))
}
