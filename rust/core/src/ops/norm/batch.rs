//! Batch norm: every channel (axis 1) normalised over all samples and places.

use super::finish::passed;
use super::{Finish, Running, affine, batch_cpu, check_eps, check_float, formula, parameter};
use crate::autograd::{self, Gradient, Grads, Saved, Saves};
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply, cast, copy, movement};
use crate::shape::display;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// Places below which samples are brought together by a transpose: shorter runs waste cache lines.
const SHORT: usize = 16;

/// Inputs x (N, C, L), weight and bias (C), and perhaps a residual as x. Outputs: x normalised and finished, and for each
/// channel its mean, its variance and `1 / sqrt(var + eps)`.
#[derive(Debug, Clone, Copy)]
struct BatchNorm {
    eps: f64,
    relu: bool,
}

impl Gradient for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b011, outputs: 0b10 | self.relu as u32 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (x, weight, stats) = (saved.input(0)?, saved.input(1)?, saved.output(1)?);
        let Some(Some(dy)) = dy.first() else { return Ok(smallvec![None; saved.len()]) };
        if autograd::is_grad_enabled() {
            let channels = [1, weight.numel(), 1];
            let dy = if self.relu { passed(dy, saved.output(0)?)? } else { dy.clone() };
            let mut grads = formula::gradients(x, weight, &dy, &channels, &channels, self.eps, true)?;
            grads.extend((saved.len() > 3).then_some(Some(dy)));
            return Ok(grads);
        }
        let (dy, weight) = (copy::contiguous(dy)?, copy::contiguous(weight)?);
        let mut inputs: SmallVec<[&Tensor; 5]> = smallvec![x, &weight, stats, &dy];
        if self.relu {
            inputs.push(saved.output(0)?);
        }
        let passed = self.relu && saved.needs(3);
        let mut grads: Grads = apply(BatchNormBackward { passed }, &inputs)?.into_iter().map(Some).collect();
        if saved.len() > grads.len() {
            grads.push(saved.needs(3).then(|| dy.clone()));
        }
        Ok(grads)
    }
}

impl Op for BatchNorm {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        Ok(smallvec![Spec::like(x), Spec::new(&[x.shape()[1], 3], x.dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        batch_cpu::forward(inputs, outputs, self.eps, self.relu)
    }
}

/// Gradients of x, weight and bias; with `passed` also what of `dy` passes the relu, the residual's gradient.
#[derive(Debug)]
struct BatchNormBackward {
    passed: bool,
}

impl Gradient for BatchNormBackward {
    fn name(&self) -> &'static str {
        "batch_norm"
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        let message = "the fused backward has no gradient; pass create_graph=True to the first one";
        Err(Error::grad(self.name(), message))
    }
}

impl Op for BatchNormBackward {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let mut specs: Specs = smallvec![Spec::like(inputs[0]), Spec::like(inputs[1]), Spec::like(inputs[1])];
        specs.extend(self.passed.then(|| Spec::like(inputs[0])));
        Ok(specs)
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        batch_cpu::backward(inputs, outputs)
    }
}

/// A normalised tensor, and the running mean and variance after this step where there are any.
#[derive(Debug)]
pub struct BatchNormed {
    pub output: Tensor,
    pub running: Option<(Tensor, Tensor)>,
}

/// The running statistics moved towards those of this batch; `var` is of the batch itself, over `count` values.
pub(super) fn moved(op: &str, running: Running, mean: &Tensor, var: &Tensor, count: usize) -> Result<(Tensor, Tensor)> {
    let unbiased = var.mul_scalar(count as f64 / (count as f64 - 1.0).max(1.0))?;
    let step = |old: &Tensor, new: &Tensor| {
        if old.shape() != new.shape() {
            let (want, got) = (display(new.shape()), display(old.shape()));
            return Err(Error::shape(op, format!("expected running statistics of shape {want}, got {got}")));
        }
        let old = old.detach();
        let wide = cast::astype(&old, new.dtype())?;
        cast::astype(&wide.add(&new.subtract(&wide)?.mul_scalar(running.momentum)?)?, old.dtype())
    };
    Ok((step(running.mean, mean)?, step(running.var, &unbiased)?))
}

/// `(x - mean) / sqrt(var + eps) * weight + bias`, with the statistics of the batch when training, else the running
/// ones; then its finish. Training also returns the running statistics moved.
pub fn batch_norm(
    x: &Tensor,
    running: Option<Running>,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    training: bool,
    eps: f64,
    finish: Finish,
) -> Result<BatchNormed> {
    let op = "batch_norm";
    check_float(op, x)?;
    check_eps(op, eps)?;
    let &[samples, channels, ref places @ ..] = x.shape() else {
        return Err(Error::shape(op, format!("expected an input (N, C, ...), got shape {}", display(x.shape()))));
    };
    let wide = cast::astype(x, x.dtype().compute())?;
    if !training {
        let running =
            running.ok_or_else(|| Error::value(op, "expected running statistics outside of training, got none"))?;
        let output = cast::astype(&evaluated(op, &wide, running, weight, bias, eps, finish)?, x.dtype())?;
        return Ok(BatchNormed { output, running: None });
    }
    let length: usize = places.iter().product();
    let count = samples * length;
    if count <= 1 && channels > 0 {
        let message =
            format!("expected more than one value for each channel when training, got shape {}", display(x.shape()));
        return Err(Error::value(op, message));
    }
    let weight = copy::contiguous(&parameter(op, "weight", weight, &[channels], 1.0, &wide)?)?;
    let bias = copy::contiguous(&parameter(op, "bias", bias, &[channels], 0.0, &wide)?)?;
    let short = length < SHORT && samples > 1;
    let swapped = |x: &Tensor| movement::permute(x, &[1, 0, 2]);
    let rows = |x: &Tensor| {
        let flat = movement::reshape(x, &[samples, channels, length])?;
        copy::contiguous(&if short { movement::reshape(&swapped(&flat)?, &[1, channels, count])? } else { flat })
    };
    let mut inputs = vec![rows(&wide)?, weight, bias];
    inputs.extend(finish.residual_for(op, &wide)?.as_ref().map(rows).transpose()?);
    let outputs = apply(BatchNorm { eps, relu: finish.relu }, &inputs.iter().collect::<SmallVec<[&Tensor; 4]>>())?;
    let [y, stats] = outputs.as_slice() else { return Err(Error::internal(op, "expected two outputs")) };
    let y = match short {
        true => swapped(&movement::reshape(y, &[channels, samples, length])?)?,
        false => y.clone(),
    };
    let output = cast::astype(&movement::reshape(&y, x.shape())?, x.dtype())?;
    let running = running.map(|running| {
        let column = |i| movement::reshape(&movement::narrow(&stats.detach(), 1, i, 1)?, &[channels]);
        moved(op, running, &column(0)?, &column(1)?, count)
    });
    Ok(BatchNormed { output, running: running.transpose()? })
}

/// With fixed statistics the normalisation is an affine map of each channel.
fn evaluated(
    op: &str,
    x: &Tensor,
    running: Running,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
    finish: Finish,
) -> Result<Tensor> {
    let value = |what, p| parameter(op, what, Some(p), &x.shape()[1..2], 0.0, x);
    let rstd = value("running_var", running.var)?.add_scalar(eps)?.rsqrt()?;
    let scale = weight.map_or_else(|| Ok(rstd.clone()), |weight| value("weight", weight)?.multiply(&rstd))?;
    affine(op, x, Some(running.mean), Some(&scale), bias, finish)
}
