//! Normalisation of rows (layer norm, RMS norm, and the core of group and instance norm), forward and backward fused.

use super::{formula, rows_cpu};
use crate::autograd::{self, Gradient, Grads, Saved, Saves};
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply, copy};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

/// Outputs: the normalised rows, and for each row its mean (zero when not centred) and `1 / sqrt(var + eps)`.
#[derive(Debug, Clone, Copy)]
struct RowNorm {
    name: &'static str,
    eps: f64,
    centred: bool,
}

impl Gradient for RowNorm {
    fn name(&self) -> &'static str {
        self.name
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b011, outputs: 0b10 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (x, weight, stats) = (saved.input(0)?, saved.input(1)?, saved.output(1)?);
        let Some(Some(dy)) = dy.first() else { return Ok(smallvec![None, None, None]) };
        if autograd::is_grad_enabled() {
            let reduced = [x.shape()[0], 1];
            return formula::gradients(x, weight, dy, &reduced, &[1, weight.numel()], self.eps, self.centred);
        }
        let (dy, weight) = (copy::contiguous(dy)?, copy::contiguous(weight)?);
        Ok(apply(RowNormBackward(*self), &[x, &weight, stats, &dy])?.into_iter().map(Some).collect())
    }
}

impl Op for RowNorm {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        Ok(smallvec![Spec::like(x), Spec::new(&[x.shape()[0], 2], x.dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        rows_cpu::forward(self.name, inputs, outputs, self.eps, self.centred)
    }
}

/// Gradients of the rows, the weight and the bias, reading each row once from memory.
#[derive(Debug)]
struct RowNormBackward(RowNorm);

impl Gradient for RowNormBackward {
    fn name(&self) -> &'static str {
        self.0.name
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        Err(Error::grad(self.0.name, "the fused backward has no gradient; pass create_graph=True to the first one"))
    }
}

impl Op for RowNormBackward {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0]), Spec::like(inputs[1]), Spec::like(inputs[1])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        rows_cpu::backward(self.0.name, inputs, outputs, self.0.centred)
    }
}

/// Rows of `x` (rows, n) normalised, times `weight`, plus `bias` (n each).
pub fn normalize_rows(
    name: &'static str,
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    centred: bool,
) -> Result<Tensor> {
    let [x, weight, bias] = [copy::contiguous(x)?, copy::contiguous(weight)?, copy::contiguous(bias)?];
    let outputs = apply(RowNorm { name, eps, centred }, &[&x, &weight, &bias])?;
    outputs.into_iter().next().ok_or_else(|| Error::internal(name, "op without output"))
}
