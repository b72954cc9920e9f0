//! Dropout: elements zeroed at random and the rest scaled up. The mask is drawn again in backward, never stored.

mod cpu;

use super::{Op, Spec, Specs, apply1, cast, copy, create};
use crate::autograd::{Gradient, Grads, Saved, one, only};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::scalar::Scalar;
use crate::shape::Shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

/// Linear and symmetric: its gradient is itself, with the same stream.
#[derive(Debug, Clone, Copy)]
struct Dropout {
    p: f64,
    scale: f64,
    stream: Stream,
}

impl Gradient for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(apply1(*self, &[&copy::contiguous(only(dy)?)?])?)
    }
}

impl Op for Dropout {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, y) = (inputs[0], &mut outputs[0]);
        crate::dispatch!(x.dtype(), self.name(), [wide], T => {
            cpu::dropout::<T>(self.stream, self.p, self.scale, x.slice()?, y.slice_mut()?)
        })
    }
}

fn check(op: &str, x: &Tensor, p: f64) -> Result<()> {
    if !x.dtype().is_float() {
        return Err(Error::dtype(op, format!("wrong dtype, expected a real floating-point type, got {}", x.dtype())));
    }
    match (0.0..=1.0).contains(&p) {
        true => Ok(()),
        false => Err(Error::value(op, format!("expected a probability p in [0, 1], got {p}"))),
    }
}

fn masked(x: &Tensor, p: f64, scale: f64, stream: Stream) -> Result<Tensor> {
    let wide = cast::astype(&copy::contiguous(x)?, x.dtype().compute())?;
    cast::astype(&apply1(Dropout { p, scale, stream }, &[&wide])?, x.dtype())
}

/// Each element zero with probability `p`, else divided by `1 - p`.
pub fn dropout(x: &Tensor, p: f64, stream: Stream) -> Result<Tensor> {
    check("dropout", x, p)?;
    if p == 0.0 {
        return Ok(x.clone());
    }
    masked(x, p, 1.0 / (1.0 - p), stream)
}

/// Kept (one) or dropped (zero), with probability `p` of zero.
fn kept(shape: &[usize], p: f64, like: &Tensor, stream: Stream) -> Result<Tensor> {
    masked(&create::ones(shape, like.dtype(), like.device())?, p, 1.0, stream)
}

/// One number a channel: the first two of `rank` axes, or the first where `x` has no batch axis.
fn channels(op: &str, x: &Tensor, spatial: usize) -> Result<Shape> {
    let lead = match x.rank() {
        rank if rank == spatial + 2 => 2,
        rank if rank == spatial + 1 => 1,
        rank => {
            let message = format!("expected {} axes, or {} without a batch, got {rank}", spatial + 2, spatial + 1);
            return Err(Error::shape(op, message));
        }
    };
    Ok(x.shape().iter().enumerate().map(|(i, &n)| if i < lead { n } else { 1 }).collect())
}

/// Whole channels of `(N, C, ...)` or `(C, ...)` zeroed; `spatial` axes follow the channels.
pub fn feature_dropout(x: &Tensor, spatial: usize, p: f64, stream: Stream) -> Result<Tensor> {
    let op = ["dropout0d", "dropout1d", "dropout2d", "dropout3d"][spatial.min(3)];
    check(op, x, p)?;
    let shape = channels(op, x, spatial)?;
    if p == 0.0 {
        return Ok(x.clone());
    }
    let ones = create::ones(&shape, x.dtype(), x.device())?;
    x.multiply(&masked(&ones, p, 1.0 / (1.0 - p), stream)?)
}

/// The value SELU tends to: what alpha dropout puts in place of what it drops.
const SATURATION: f64 = -1.758_099_340_847_376_6;

fn alpha(x: &Tensor, shape: &[usize], p: f64, stream: Stream) -> Result<Tensor> {
    if p == 1.0 {
        return masked(x, p, 0.0, stream);
    }
    // Keeps mean zero and variance one: y = a * (kept ? x : saturation) + b.
    let a = 1.0 / ((1.0 - p) * (1.0 + p * SATURATION * SATURATION)).sqrt();
    let b = -a * SATURATION * p;
    let number = |value: f64| create::full(&[], Scalar::Float(value), x.dtype(), x.device());
    let kept = cast::astype(&kept(shape, p, x, stream)?, DType::Bool)?;
    super::select::where_(&kept, x, &number(SATURATION)?)?.multiply(&number(a)?)?.add(&number(b)?)
}

/// Dropout for self-normalising networks (Klambauer et al., 2017): mean and variance stay.
pub fn alpha_dropout(x: &Tensor, p: f64, stream: Stream) -> Result<Tensor> {
    check("alpha_dropout", x, p)?;
    if p == 0.0 { Ok(x.clone()) } else { alpha(x, x.shape(), p, stream) }
}

/// Alpha dropout of whole channels of `(N, C, ...)`.
pub fn feature_alpha_dropout(x: &Tensor, p: f64, stream: Stream) -> Result<Tensor> {
    let op = "feature_alpha_dropout";
    check(op, x, p)?;
    if x.rank() < 2 {
        return Err(Error::shape(op, format!("expected at least two axes, got {}", x.rank())));
    }
    let shape = channels(op, x, x.rank() - 2)?;
    if p == 0.0 { Ok(x.clone()) } else { alpha(x, &shape, p, stream) }
}

#[cfg(test)]
mod tests;
