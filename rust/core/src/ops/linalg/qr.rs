//! The QR decomposition by Householder reflections.

use super::field::{Field, Scaled, each_matrix, fill_nan, in_field, is_finite, parts, store, store_identity};
use super::{batched, half_lower, matrix_sizes, operand, solve, transposed};
use crate::autograd::{Gradient, Grads, Saved, Saves, one};
use crate::dtype::Complex64;
use crate::error::{Error, Result};
use crate::ops::matmul::matmul;
use crate::ops::{Op, Spec, Specs, apply, create, join, movement};
use crate::storage::Output;
use crate::tensor::Tensor;
use faer::linalg::solvers::Qr;
use smallvec::smallvec;

/// How much of Q is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QrMode {
    /// The first `min(m, n)` columns.
    Reduced,
    /// All `m` columns.
    Complete,
}

impl QrMode {
    pub fn from_name(name: &str) -> Result<QrMode> {
        match name {
            "reduced" => Ok(QrMode::Reduced),
            "complete" => Ok(QrMode::Complete),
            other => Err(Error::value("qr", format!("unknown mode, expected 'reduced' or 'complete', got {other:?}"))),
        }
    }
}

#[derive(Debug)]
struct Decomposition {
    mode: QrMode,
}

impl Decomposition {
    /// Columns of Q.
    fn width(&self, m: usize, n: usize) -> usize {
        if self.mode == QrMode::Complete { m } else { m.min(n) }
    }
}

impl Gradient for Decomposition {
    fn name(&self) -> &'static str {
        "qr"
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1, outputs: 0b11 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (x, q, r) = (saved.input(0)?, saved.output(0)?, saved.output(1)?);
        let (m, n) = matrix_sizes("qr", x)?;
        if self.mode == QrMode::Complete && m > n {
            let message = "the complete decomposition of a tall matrix has no gradient; use mode='reduced'";
            return Err(Error::grad("qr", message));
        }
        let given = |i: usize, like: &Tensor| match dy.get(i) {
            Some(Some(dy)) => Ok(dy.clone()),
            _ => create::zeros_like(like),
        };
        let (dq, dr) = (given(0, q)?, given(1, r)?);
        if m >= n {
            return one(tall_gradient(q, r, &dq, &dr)?);
        }
        // A wide matrix is a square one, decomposed, and more columns, multiplied by Q^T.
        let axis = x.rank() - 1;
        let cut = |x: &Tensor| Ok::<_, Error>((movement::narrow(x, axis, 0, m)?, movement::narrow(x, axis, m, n - m)?));
        let ((_, x_rest), (r_square, _), (dr_square, dr_rest)) = (cut(x)?, cut(r)?, cut(&dr)?);
        let dq = dq.add(&matmul(&x_rest, &transposed(&dr_rest)?)?)?;
        let square = tall_gradient(q, &r_square, &dq, &dr_square)?;
        one(join::concat(&[&square, &matmul(q, &dr_rest)?], Some(-1))?)
    }
}

/// `(dq + q copy_lower(r dr^T - dq^T q)) r^-T`, where the copy mirrors the lower triangle.
fn tall_gradient(q: &Tensor, r: &Tensor, dq: &Tensor, dr: &Tensor) -> Result<Tensor> {
    let m = matmul(r, &transposed(dr)?)?.subtract(&matmul(&transposed(dq)?, q)?)?;
    let lower = half_lower(&m)?;
    let mirrored = lower.add(&transposed(&lower)?)?;
    let right = dq.add(&matmul(q, &mirrored)?)?;
    transposed(&solve(r, &transposed(&right)?)?)
}

impl Op for Decomposition {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, (m, n)) = (inputs[0], matrix_sizes("qr", inputs[0])?);
        let k = self.width(m, n);
        Ok(smallvec![Spec::new(&batched(x, &[m, k]), x.dtype()), Spec::new(&batched(x, &[k, n]), x.dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, (m, n)) = (inputs[0], matrix_sizes("qr", inputs[0])?);
        let (k, count) = (self.width(m, n), batched(x, &[]).iter().product());
        let [q, r] = outputs else { return Err(Error::internal("qr", "expected two outputs")) };
        in_field!(x.dtype(), "qr", T => {
            let q = parts(q.slice_mut::<T>()?, m * k, count);
            let r = parts(r.slice_mut::<T>()?, k * n, count);
            each_matrix(x.slice::<T>()?, m * n, q.zip(r), |a, (q, r)| {
                if m * n == 0 {
                    store_identity(q, k.max(1));
                } else if is_finite(a) {
                    decompose(&Scaled::new("qr", a, n)?, (m, n), k, q, r);
                } else {
                    fill_nan(q);
                    fill_nan(r);
                }
                Ok(())
            })
        })
    }
}

fn decompose<T: Field>(a: &Scaled<T>, (m, n): (usize, usize), k: usize, q: &mut [T], r: &mut [T]) {
    let qr = Qr::new(a.matrix());
    match k == m.min(n) {
        true => store(qr.compute_thin_Q().as_ref(), q),
        false => store(qr.compute_Q().as_ref(), q),
    }
    let upper = qr.R();
    for (at, r) in r.iter_mut().enumerate() {
        let (i, j) = (at / n, at % n);
        *r = if j < i { T::default() } else { upper[(i, j)] };
    }
    // The standard wants a real diagonal of R: its phases move into Q.
    for i in 0..k.min(n) {
        let pivot = r[i * n + i].widen();
        if pivot.im == 0.0 {
            continue;
        }
        let phase = pivot / pivot.norm();
        r[i * n..][..n].iter_mut().for_each(|r| *r = T::narrow(r.widen() * phase.conj()));
        r[i * n + i] = T::narrow(Complex64::new(pivot.norm(), 0.0));
        q.iter_mut().skip(i).step_by(k).for_each(|q| *q = T::narrow(q.widen() * phase));
    }
    r.iter_mut().for_each(|r| *r = a.value(*r));
}

/// `x = q r` with orthonormal columns of `q` and an upper triangular `r`.
pub fn qr(x: &Tensor, mode: QrMode) -> Result<(Tensor, Tensor)> {
    let outputs = apply(Decomposition { mode }, &[&operand("qr", x)?])?;
    let [q, r] = outputs.as_slice() else { return Err(Error::internal("qr", "expected two outputs")) };
    Ok((q.clone(), r.clone()))
}
