//! Normalisation of rows (layer norm, RMS norm, and the core of group and instance norm), forward and backward fused.

use super::{formula, rows_cpu};
use crate::autograd::{self, Gradient, Grads, Saved, Saves};
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply, copy};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// Outputs: the normalised rows, for each row its mean (zero when not centred) and `1 / sqrt(var + eps)`, and, where
/// there is a fourth input to add to the rows first, the sums.
#[derive(Debug, Clone, Copy)]
struct RowNorm {
    name: &'static str,
    eps: f64,
    centred: bool,
    added: bool,
}

impl Gradient for RowNorm {
    fn name(&self) -> &'static str {
        self.name
    }
    fn saves(&self) -> Saves {
        match self.added {
            true => Saves { inputs: 0b010, outputs: 0b110 },
            false => Saves { inputs: 0b011, outputs: 0b010 },
        }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let sums_dy = dy.get(2).and_then(Option::as_ref);
        let x = if self.added { saved.output(2)? } else { saved.input(0)? };
        let (weight, stats) = (saved.input(1)?, saved.output(1)?);
        let mut grads: Grads = match &dy[0] {
            None => smallvec![sums_dy.cloned(), None, None],
            Some(dy) if autograd::is_grad_enabled() => {
                let reduced = [x.shape()[0], 1];
                let mut grads =
                    formula::gradients(x, weight, dy, &reduced, &[1, weight.numel()], self.eps, self.centred)?;
                if let (Some(Some(dx)), Some(more)) = (grads.first_mut(), sums_dy) {
                    *dx = dx.add(more)?;
                }
                grads
            }
            Some(dy) => {
                let (dy, weight, more) =
                    (copy::contiguous(dy)?, copy::contiguous(weight)?, sums_dy.map(copy::contiguous).transpose()?);
                let inputs: SmallVec<[&Tensor; 5]> = [x, &weight, stats, &dy].into_iter().chain(&more).collect();
                apply(RowNormBackward(*self), &inputs)?.into_iter().map(Some).collect()
            }
        };
        if self.added {
            grads.push(grads[0].clone());
        }
        Ok(grads)
    }
}

impl Op for RowNorm {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        let mut specs: Specs = smallvec![Spec::like(x), Spec::new(&[x.shape()[0], 2], x.dtype())];
        specs.extend(self.added.then(|| Spec::like(x)));
        Ok(specs)
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        rows_cpu::forward(self.name, inputs, outputs, self.eps, self.centred)
    }
}

/// Gradients of the rows, the weight and the bias, reading each row once from memory. Inputs: the rows, the weight, the
/// statistics, the gradient of the output and, where there is one, what else the rows' gradient is made of.
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

/// Rows of `x` (rows, n) normalised, times `weight`, plus `bias` (n each); with a `residual`, which is added to the rows
/// first, the sums as well.
pub fn normalize_rows(
    name: &'static str,
    [x, weight, bias]: [&Tensor; 3],
    residual: Option<&Tensor>,
    eps: f64,
    centred: bool,
) -> Result<(Tensor, Option<Tensor>)> {
    let operands = [Some(x), Some(weight), Some(bias), residual].into_iter().flatten();
    let operands = operands.map(copy::contiguous).collect::<Result<SmallVec<[Tensor; 4]>>>()?;
    let op = RowNorm { name, eps, centred, added: residual.is_some() };
    let mut outputs = apply(op, &operands.iter().collect::<SmallVec<[&Tensor; 4]>>())?.into_iter();
    let normalized = outputs.next().ok_or_else(|| Error::internal(name, "op without output"))?;
    Ok((normalized, outputs.nth(1)))
}
