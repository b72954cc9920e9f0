//! softmax, log_softmax and logsumexp: one fused kernel a row, forward and backward. Half types compute in f32.

mod cpu;
mod gpu;

use super::{Op, Spec, Specs, apply1, cast, copy, create, movement, reduce};
use crate::autograd::{self, Gradient, Grads, Saved, Saves, one, only};
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::shape::{Shape, normalize_axis};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// The row functions, always along the last axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFunction {
    /// `exp(x - max) / sum(exp(x - max))`
    Softmax,
    /// `x - max - log(sum(exp(x - max)))`
    LogSoftmax,
    /// `max + log(sum(exp(x - max)))`, one value a row
    LogSumExp,
}

use RowFunction::{LogSoftmax, LogSumExp, Softmax};

impl RowFunction {
    fn name(self) -> &'static str {
        match self {
            Softmax => "softmax",
            LogSoftmax => "log_softmax",
            LogSumExp => "logsumexp",
        }
    }
}

/// A row function of a contiguous operand.
#[derive(Debug)]
pub struct Rows(pub RowFunction);

impl Gradient for Rows {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn saves(&self) -> Saves {
        match self.0 {
            LogSumExp => Saves::ALL,
            _ => Saves::OUTPUTS,
        }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (y, dy) = (saved.output(0)?, only(dy)?);
        if !autograd::is_grad_enabled() {
            let (y, dy) = (copy::contiguous(y)?, copy::contiguous(dy)?);
            let fused = RowsBackward(self.0);
            return one(match self.0 {
                LogSumExp => apply1(fused, &[&y, &dy, &copy::contiguous(saved.input(0)?)?])?,
                _ => apply1(fused, &[&y, &dy])?,
            });
        }
        let row_sum = |x: &Tensor| reduce::sum_to(x, &[&x.shape()[..x.rank() - 1], &[1]].concat());
        let column = |x: &Tensor| movement::expand_dims(x, &[-1]);
        one(match self.0 {
            Softmax => y.multiply(&dy.subtract(&row_sum(&y.multiply(dy)?)?)?)?,
            LogSoftmax => dy.subtract(&y.exp()?.multiply(&row_sum(dy)?)?)?,
            LogSumExp => {
                // Bounded from below, so that a row of minus infinities has slope zero instead of NaN.
                let y = column(&y.maximum(&create::full_like(y, Scalar::Float(f32::MIN as f64))?)?)?;
                column(dy)?.multiply(&saved.input(0)?.subtract(&y)?.exp()?)?
            }
        })
    }
}

impl Op for Rows {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        let shape = if self.0 == LogSumExp { &x.shape()[..x.rank() - 1] } else { x.shape() };
        Ok(smallvec![Spec::new(shape, x.dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        cpu::forward(self.0, inputs[0], &mut outputs[0])
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::forward(self.0, inputs[0], &outputs[0])
    }
}

/// The gradient of the operand from output, output gradient and (logsumexp only) operand, in one pass over each row.
#[derive(Debug)]
pub struct RowsBackward(pub RowFunction);

impl Gradient for RowsBackward {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        Err(Error::grad(self.0.name(), "the fused backward has no gradient; pass create_graph=True to the first one"))
    }
}

impl Op for RowsBackward {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs.last().copied().unwrap_or(inputs[0]))])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        cpu::backward(self.0, inputs, &mut outputs[0])
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::backward(self.0, inputs, &outputs[0])
    }
}

/// A row function along the last axis of a floating-point tensor.
fn along_last(function: RowFunction, x: &Tensor) -> Result<Tensor> {
    let (op, dtype) = (function.name(), x.dtype());
    if dtype.kind() != Kind::Float {
        return Err(Error::dtype(op, format!("expected a real floating-point type, got {dtype}")));
    }
    let wide = copy::contiguous(&cast::astype(x, dtype.compute())?)?;
    cast::astype(&apply1(Rows(function), &[&wide])?, dtype)
}

fn along(function: RowFunction, x: &Tensor, axis: i64, dtype: Option<DType>) -> Result<Tensor> {
    let x = dtype.map_or_else(|| Ok(x.clone()), |d| cast::astype(x, d))?;
    if x.rank() == 0 {
        normalize_axis(function.name(), axis, 1)?;
        return movement::reshape(&along_last(function, &movement::reshape(&x, &[1])?)?, &[]);
    }
    let axis = normalize_axis(function.name(), axis, x.rank())? as i64;
    let y = along_last(function, &movement::move_axes(&x, &[axis], &[-1])?)?;
    movement::move_axes(&y, &[-1], &[axis])
}

/// Values between zero and one that sum to one along `axis`; `dtype` converts first.
pub fn softmax(x: &Tensor, axis: i64, dtype: Option<DType>) -> Result<Tensor> {
    along(Softmax, x, axis, dtype)
}

/// The logarithm of softmax, exact where softmax itself rounds to zero.
pub fn log_softmax(x: &Tensor, axis: i64, dtype: Option<DType>) -> Result<Tensor> {
    along(LogSoftmax, x, axis, dtype)
}

/// `log(sum(exp(x)))` over the axes, without overflow; minus infinity over none.
pub fn logsumexp(x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    let all: Vec<i64> = (0..x.rank() as i64).collect();
    let axes = crate::shape::normalize_axes("logsumexp", axes.unwrap_or(&all), x.rank())?;
    let kept: SmallVec<[usize; 6]> = (0..x.rank()).filter(|a| !axes.contains(a)).collect();
    let order: Vec<i64> = kept.iter().chain(&axes).map(|&a| a as i64).collect();
    let mut shape: Shape = kept.iter().map(|&a| x.shape()[a]).collect();
    shape.push(axes.iter().map(|&a| x.shape()[a]).product());
    let y = along_last(LogSumExp, &movement::reshape(&movement::permute(x, &order)?, &shape)?)?;
    if !keepdims {
        return Ok(y);
    }
    let full: Shape = (0..x.rank()).map(|a| if axes.contains(&a) { 1 } else { x.shape()[a] }).collect();
    movement::reshape(&y, &full)
}

#[cfg(test)]
mod tests;
