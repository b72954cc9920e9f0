//! Resampling of the spatial axes: every mode is a sparse matrix along each axis, applied one axis after the other.

mod cpu;
mod taps;

use super::spatial::{expect_float, joined, sizes};
use super::{Op, Spec, Specs, apply1, cast, copy, pool};
use crate::autograd::{Gradient, Grads, Saved, one, only};
use crate::dispatch;
use crate::error::{Error, Result};
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;
use std::sync::Arc;

pub use taps::Mode;
use taps::Taps;

/// One axis resampled, or the transpose of that.
#[derive(Debug, Clone)]
struct Resample {
    axis: usize,
    taps: Arc<Taps>,
    transposed: bool,
}

impl Gradient for Resample {
    fn name(&self) -> &'static str {
        "interpolate"
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let back = Resample { transposed: !self.transposed, ..self.clone() };
        one(apply1(back, &[&copy::contiguous(only(dy)?)?])?)
    }
}

impl Op for Resample {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let mut spec = Spec::like(inputs[0]);
        spec.shape[self.axis] = if self.transposed { self.taps.input } else { self.taps.output() };
        Ok(smallvec![spec])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let inner = inputs[0].shape()[self.axis + 1..].iter().product();
        dispatch!(inputs[0].dtype(), self.name(), [wide], T => {
            let (x, y) = (inputs[0].slice::<T>()?, outputs[0].slice_mut::<T>()?);
            match self.transposed {
                true => cpu::transposed(&self.taps, inner, x, y),
                false => cpu::forward(&self.taps, inner, x, y),
            }
        })
    }
}

/// How to resample: to sizes or by factors (one, or one an axis), and where samples lie.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    pub size: Option<&'a [i64]>,
    pub scale_factor: Option<&'a [f64]>,
    pub mode: &'a str,
    pub align_corners: bool,
    /// Samples are placed by the sizes' ratio instead of the factor given.
    pub recompute_scale_factor: bool,
}

/// The output size of every spatial axis, and the input step between its samples if a factor gives it.
fn targets(op: &str, options: &Options, input: [usize; 3], spatial: usize) -> Result<([usize; 3], [Option<f64>; 3])> {
    let count = |n: usize, what: &str| match n == 1 || n == spatial {
        true => Ok(()),
        false => Err(Error::value(op, format!("expected {what} of 1 or {spatial} numbers, got {n}"))),
    };
    let (mut output, mut steps) = ([1; 3], [None; 3]);
    for i in 0..spatial {
        let a = 3 - spatial + i;
        match (options.size, options.scale_factor) {
            (Some(size), None) => {
                count(size.len(), "size")?;
                let n = size[if size.len() == 1 { 0 } else { i }];
                let positive = usize::try_from(n).ok().filter(|&n| n > 0);
                output[a] = positive.ok_or_else(|| Error::value(op, format!("expected sizes > 0, got {n}")))?;
            }
            (None, Some(factors)) => {
                count(factors.len(), "scale_factor")?;
                let factor = factors[if factors.len() == 1 { 0 } else { i }];
                let size = (input[a] as f64 * factor).floor();
                if !(factor > 0.0 && (1.0..=isize::MAX as f64).contains(&size)) {
                    let message =
                        format!("scale factor {factor} makes size {size} of {}, expected at least 1", input[a]);
                    return Err(Error::value(op, message));
                }
                output[a] = size as usize;
                steps[a] = (!options.recompute_scale_factor).then_some(1.0 / factor);
            }
            _ => return Err(Error::value(op, "expected either size or scale_factor")),
        }
    }
    Ok((output, steps))
}

/// `(N, C, ...)` resampled to other spatial sizes.
pub fn interpolate(x: &Tensor, options: &Options) -> Result<Tensor> {
    let op = "interpolate";
    expect_float(op, x)?;
    let spatial = x.rank().saturating_sub(2);
    if !(1..=3).contains(&spatial) {
        let got = shape::display(x.shape());
        return Err(Error::shape(op, format!("expected an input (N, C, ...) with 1 to 3 spatial axes, got {got}")));
    }
    let input = sizes(x.shape(), spatial);
    if input.contains(&0) {
        return Err(Error::shape(
            op,
            format!("expected spatial axes that are not empty, got {}", shape::display(x.shape())),
        ));
    }
    let (output, steps) = targets(op, options, input, spatial)?;
    if options.mode == "area" {
        let sizes: smallvec::SmallVec<[Option<i64>; 3]> =
            output[3 - spatial..].iter().map(|&n| Some(n as i64)).collect();
        return pool::adaptive_avg_pool(spatial, x, &sizes);
    }
    let mode = Mode::named(op, options.mode, spatial)?;
    if options.align_corners && mode.is_nearest() {
        return Err(Error::value(op, format!("align_corners has no meaning for mode {:?}", options.mode)));
    }
    shape::checked_numel(op, &joined(&x.shape()[..2], output, spatial))?;
    let mut y = copy::contiguous(&cast::astype(x, x.dtype().compute())?)?;
    for a in 3 - spatial..3 {
        let taps = Taps::new(op, mode, input[a], output[a], steps[a], options.align_corners)?;
        if !taps.is_identity() {
            y = apply1(Resample { axis: a + spatial - 1, taps: Arc::new(taps), transposed: false }, &[&y])?;
        }
    }
    cast::astype(&y, x.dtype())
}

#[cfg(test)]
mod tests;
