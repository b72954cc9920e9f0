//! An affine map of each channel (axis 1), in one pass.

use super::finish::{Finish, passed};
use super::{batch_cpu, parameter};
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::error::Result;
use crate::ops::{Op, Spec, Specs, apply1, copy, movement, reduce};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// Inputs x (N, C, L), mean, scale and bias (C), and perhaps a residual as x: `(x - mean) * scale + bias + residual`,
/// nowhere below zero with `relu`.
#[derive(Debug)]
struct ChannelAffine {
    relu: bool,
}

impl Gradient for ChannelAffine {
    fn name(&self) -> &'static str {
        "channel_affine"
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b111, outputs: self.relu as u32 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (x, mean, scale) = (saved.input(0)?, saved.input(1)?, saved.input(2)?);
        let dy = if self.relu { passed(only(dy)?, saved.output(0)?)? } else { only(dy)?.clone() };
        let across = [1, mean.numel(), 1];
        let stretched = |p: &Tensor| movement::reshape(p, &across);
        let total = |x: &Tensor| movement::reshape(&reduce::sum_to(x, &across)?, mean.shape());
        let wanted = |i: usize, grad: &dyn Fn() -> Result<Tensor>| saved.needs(i).then(grad).transpose();
        let grads: Grads = smallvec![
            wanted(0, &|| dy.multiply(&stretched(scale)?))?,
            wanted(1, &|| total(&dy)?.multiply(scale)?.negative())?,
            wanted(2, &|| total(&dy.multiply(&x.subtract(&stretched(mean)?)?)?))?,
            wanted(3, &|| total(&dy))?,
            wanted(4, &|| Ok(dy.clone()))?,
        ];
        Ok(grads.into_iter().take(saved.len()).collect())
    }
}

impl Op for ChannelAffine {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        batch_cpu::affine(inputs, outputs, self.relu)
    }
}

/// `(x - mean) * scale + bias`, one value for each channel of `x` (N, C, ...), and its finish; what is absent is 0, 1
/// and 0.
pub fn affine(
    op: &str,
    x: &Tensor,
    mean: Option<&Tensor>,
    scale: Option<&Tensor>,
    bias: Option<&Tensor>,
    finish: Finish,
) -> Result<Tensor> {
    let residual = finish.residual_for(op, x)?;
    if mean.is_none() && scale.is_none() && bias.is_none() && residual.is_none() && !finish.relu {
        return Ok(x.clone());
    }
    let (samples, channels) = (x.shape()[0], x.shape()[1]);
    let length = x.shape()[2..].iter().product();
    let value = |what, p, absent| copy::contiguous(&parameter(op, what, p, &[channels], absent, x)?);
    let flat = |x: &Tensor| copy::contiguous(&movement::reshape(x, &[samples, channels, length])?);
    let mut inputs =
        vec![flat(x)?, value("running_mean", mean, 0.0)?, value("weight", scale, 1.0)?, value("bias", bias, 0.0)?];
    inputs.extend(residual.as_ref().map(flat).transpose()?);
    let y = apply1(ChannelAffine { relu: finish.relu }, &inputs.iter().collect::<SmallVec<[&Tensor; 5]>>())?;
    movement::reshape(&y, x.shape())
}
