//! Matrix products: matmul with broadcast batches, the linear layer, and the contractions made of them.

mod contract;
mod cpu;
mod gpu;

pub use contract::{Contracted, dot, outer, tensordot, vecdot};

use super::{Op, Spec, Specs, apply1, cast, movement, reduce};
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::shape::{self, Shape, display};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// `a b` over the last two axes; the axes before them broadcast.
#[derive(Debug)]
pub struct MatMul;

impl Gradient for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (a, b, dy) = (saved.input(0)?, saved.input(1)?, only(dy)?);
        let da = || reduce::sum_to(&multiply(dy, &movement::matrix_transpose(b)?)?, a.shape());
        let db = || match b.rank() {
            // One product over all rows of the batch, instead of one for each matrix and a sum.
            2 if a.rank() > 2 => multiply(&movement::matrix_transpose(&rows(a)?)?, &rows(dy)?),
            _ => reduce::sum_to(&multiply(&movement::matrix_transpose(a)?, dy)?, b.shape()),
        };
        Ok(smallvec![saved.needs(0).then(da).transpose()?, saved.needs(1).then(db).transpose()?])
    }
}

impl Op for MatMul {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let [a, b] = operands(self.name(), inputs)?;
        Ok(smallvec![Spec { shape: product_shape(a, b)?, dtype: a.dtype() }])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        cpu::matmul(inputs[0], inputs[1], &mut outputs[0])
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::matmul(inputs[0], inputs[1], &outputs[0])
    }
    fn flops(&self, inputs: &[&Tensor], outputs: &[Tensor]) -> u64 {
        flops(inputs[0], outputs)
    }
}

/// Every element of the result is a sum of as many products as the left operand's rows are long.
fn flops(left: &Tensor, outputs: &[Tensor]) -> u64 {
    let depth = left.shape().last().copied().unwrap_or(1);
    outputs.iter().map(|y| 2 * (y.numel() as u64).saturating_mul(depth as u64)).sum()
}

fn operands<'a, const N: usize>(op: &str, inputs: &[&'a Tensor]) -> Result<[&'a Tensor; N]> {
    inputs.try_into().map_err(|_| Error::internal(op, format!("expected {N} operands, got {}", inputs.len())))
}

fn product_shape(a: &Tensor, b: &Tensor) -> Result<Shape> {
    let op = "matmul";
    let ([.., m, k], [.., k2, n]) = (a.shape(), b.shape()) else {
        return Err(Error::internal(op, "expected matrices"));
    };
    if k != k2 {
        let message = format!(
            "inner sizes differ, expected (..., m, k) and (..., k, n), got {} and {}",
            display(a.shape()),
            display(b.shape())
        );
        return Err(Error::shape(op, message));
    }
    let mut shape = shape::broadcast(op, &a.shape()[..a.rank() - 2], &b.shape()[..b.rank() - 2])?;
    shape.extend([*m, *n]);
    Ok(shape)
}

/// All axes but the last as one.
fn rows(x: &Tensor) -> Result<Tensor> {
    let n = x.shape()[x.rank() - 1];
    let count = x.shape()[..x.rank() - 1].iter().product();
    movement::reshape(x, &[count, n])
}

/// Product of operands of one dtype with at least two axes.
fn multiply(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    apply1(MatMul, &[a, b])
}

/// Both operands in the type their product is computed in.
fn promoted(op: &str, a: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    let dtype = a.dtype().promote(b.dtype())?;
    if dtype == DType::Bool {
        return Err(Error::dtype(op, "expected numbers, got bool and bool"));
    }
    Ok((cast::astype(a, dtype)?, cast::astype(b, dtype)?))
}

/// The matrix product. One-dimensional operands are a row on the left and a column on the right.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let op = "matmul";
    if a.rank() == 0 || b.rank() == 0 {
        let message =
            format!("expected at least one axis, got shapes {} and {}", display(a.shape()), display(b.shape()));
        return Err(Error::shape(op, message));
    }
    if a.dtype() == b.dtype() && a.rank() > 1 && b.rank() > 1 && a.dtype() != DType::Bool {
        return multiply(a, b);
    }
    let (a, b) = promoted(op, a, b)?;
    match (a.rank(), b.rank()) {
        (1, 1) => dot(&a, &b),
        (1, _) => movement::squeeze(&multiply(&movement::expand_dims(&a, &[0])?, &b)?, &[-2]),
        (_, 1) => movement::squeeze(&multiply(&a, &movement::expand_dims(&b, &[1])?)?, &[-1]),
        _ => multiply(&a, &b),
    }
}

/// `x w^T + bias`, the layer of a network: x `(..., in)`, w `(out, in)`, bias `(out,)`.
#[derive(Debug)]
pub struct Linear;

impl Gradient for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b011)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (x, w, dy) = (saved.input(0)?, saved.input(1)?, only(dy)?);
        let dx = || movement::reshape(&multiply(&rows(dy)?, w)?, x.shape());
        let dw = || multiply(&movement::matrix_transpose(&rows(dy)?)?, &rows(x)?);
        let db = || reduce::sum_to(dy, &w.shape()[..1]);
        let mut grads: Grads = smallvec![saved.needs(0).then(dx).transpose()?, saved.needs(1).then(dw).transpose()?];
        if saved.len() == 3 {
            grads.push(saved.needs(2).then(db).transpose()?);
        }
        Ok(grads)
    }
}

impl Op for Linear {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (x, w) = (inputs[0], inputs[1]);
        let [out, width] = *w.shape() else {
            let got = display(w.shape());
            return Err(Error::shape("linear", format!("expected weight of shape (out, in), got {got}")));
        };
        if x.shape().last() != Some(&width) {
            let message = format!("input does not fit the weight, expected (..., {width}), got {}", display(x.shape()));
            return Err(Error::shape("linear", message));
        }
        if let Some(bias) = inputs.get(2)
            && bias.shape() != [out]
        {
            return Err(Error::shape(
                "linear",
                format!("expected bias of shape ({out},), got {}", display(bias.shape())),
            ));
        }
        let mut shape: Shape = SmallVec::from_slice(&x.shape()[..x.rank() - 1]);
        shape.push(out);
        Ok(smallvec![Spec { shape, dtype: x.dtype() }])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        cpu::linear(inputs[0], inputs[1], inputs.get(2).copied(), &mut outputs[0])
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::linear(inputs[0], inputs[1], inputs.get(2).copied(), &outputs[0])
    }
    fn flops(&self, inputs: &[&Tensor], outputs: &[Tensor]) -> u64 {
        flops(inputs[0], outputs)
    }
}

/// `x w^T + bias` in one pass; see `Linear` for the shapes.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (x, weight) = promoted("linear", x, weight)?;
    let bias = bias.map(|b| cast::astype(b, x.dtype())).transpose()?;
    match &bias {
        Some(bias) => apply1(Linear, &[&x, &weight, bias]),
        None => apply1(Linear, &[&x, &weight]),
    }
}

#[cfg(test)]
mod tests;
