//! The linear recurrence `h[t] = a[t] * h[t-1] + b[t]`. Its gradient is a recurrence backward in time, so it is
//! differentiable any number of times; running products get theirs from it.

use super::{cpu, reversed, shifted};
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::dispatch;
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply1, copy, movement};
use crate::scalar::Scalar;
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

#[derive(Debug)]
struct Recurrence {
    axis: usize,
}

impl Gradient for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 1, outputs: 1 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (a, h) = (saved.input(0)?, saved.output(0)?);
        let db = backward_in_time(a, only(dy)?, self.axis)?;
        let da = || db.multiply(&shifted(h, self.axis, true, Scalar::Int(0))?);
        Ok(smallvec![saved.needs(0).then(da).transpose()?, Some(db.clone())])
    }
}

impl Op for Recurrence {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (a, b) = (copy::contiguous(&inputs[0].detach())?, copy::contiguous(&inputs[1].detach())?);
        let lines = cpu::Lines::of(a.shape(), self.axis);
        dispatch!(a.dtype(), self.name(), [inexact], T => {
            cpu::recurrence(a.slice::<T>()?, b.slice::<T>()?, lines, outputs[0].slice_mut()?)
        })
    }
}

/// `h[t] = a[t] * h[t-1] + b[t]` along an axis, from `h = 0`.
pub fn recurrence(a: &Tensor, b: &Tensor, axis: i64) -> Result<Tensor> {
    let op = "recurrence";
    let dtype = a.dtype().promote(b.dtype())?;
    if a.dtype() != b.dtype() {
        return Err(Error::dtype(
            op,
            format!("expected both operands in {dtype}, got {} and {}", a.dtype(), b.dtype()),
        ));
    }
    let both = movement::broadcast_all(op, &[a, b])?;
    let axis = shape::normalize_axis(op, axis, both[0].rank())?;
    apply1(Recurrence { axis }, &[&both[0], &both[1]])
}

/// `g[t] = b[t] + a[t+1] * g[t+1]`: the recurrence from the end, with the factor of the next step.
pub fn backward_in_time(a: &Tensor, b: &Tensor, axis: usize) -> Result<Tensor> {
    let next = shifted(a, axis, false, Scalar::Int(0))?;
    let g = recurrence(&reversed(&next, axis)?, &reversed(b, axis)?, axis as i64)?;
    reversed(&g, axis)
}
