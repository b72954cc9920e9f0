//! Draws: element `i` of each depends on the stream and `i` only (see `crate::random`).

mod cpu;
mod quantile;

use super::{Op, Spec, Specs, apply1, transfer};
use crate::autograd::{Gradient, Grads, Saved, not_differentiable};
use crate::device::Device;
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

/// The distributions whose elements are independent.
#[derive(Debug, Clone, Copy)]
enum Law {
    /// From `low` on; `limit` is the largest value of the output type below the open end.
    Uniform {
        low: f64,
        span: f64,
        limit: f64,
    },
    Normal {
        mean: f64,
        std: f64,
    },
    Exponential {
        rate: f64,
    },
    Truncated(quantile::Truncated),
    /// `span` integers from `low` on; their probabilities differ by less than one part in 2^64 / span.
    Integers {
        low: i128,
        span: u128,
    },
}

#[derive(Debug)]
struct Draw {
    name: &'static str,
    law: Law,
    stream: Stream,
    spec: Spec,
}

impl Gradient for Draw {
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable(self.name)
    }
}

impl Op for Draw {
    fn outputs(&self, _: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![self.spec.clone()])
    }
    fn cpu(&self, _: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        match self.law {
            Law::Integers { low, span } => dispatch!(self.spec.dtype, self.name, [real], T => {
                cpu::integers::<T>(self.stream, low, span, outputs[0].slice_mut()?)
            }),
            law => dispatch!(self.spec.dtype, self.name, [float], T => {
                cpu::draw::<T>(self.stream, law, outputs[0].slice_mut()?)
            }),
        }
    }
}

/// Where a draw goes and which numbers it uses.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub dtype: DType,
    pub device: Device,
    pub stream: Stream,
}

impl Place {
    /// Drawn on the host, which every device agrees with, and moved where it is wanted.
    fn draw(self, name: &'static str, shape: &[usize], law: Law) -> Result<Tensor> {
        let draw = Draw { name, law, stream: self.stream, spec: Spec::new(shape, self.dtype) };
        transfer::to_device(&apply1(draw, &[])?, self.device)
    }

    fn expect_float(self, op: &str) -> Result<()> {
        match self.dtype.is_float() {
            true => Ok(()),
            false => {
                Err(Error::dtype(op, format!("wrong dtype, expected a real floating-point type, got {}", self.dtype)))
            }
        }
    }
}

fn expect_finite(op: &str, values: &[f64]) -> Result<()> {
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok(()),
        Some(bad) => Err(Error::value(op, format!("expected finite parameters, got {bad}"))),
    }
}

fn expect_deviation(op: &str, std: f64) -> Result<()> {
    if std >= 0.0 { Ok(()) } else { Err(Error::value(op, format!("expected a standard deviation >= 0, got {std}"))) }
}

/// Uniform numbers from `low` up to but without `high`.
pub fn uniform(shape: &[usize], low: f64, high: f64, place: Place) -> Result<Tensor> {
    let op = "uniform";
    place.expect_float(op)?;
    expect_finite(op, &[low, high, high - low])?;
    if low > high {
        return Err(Error::value(op, format!("expected low <= high, got {low} and {high}")));
    }
    let limit = if low == high { high } else { cpu::largest_below(high, place.dtype).max(low) };
    place.draw(op, shape, Law::Uniform { low, span: high - low, limit })
}

/// Normally distributed numbers (Box and Muller's method).
pub fn normal(shape: &[usize], mean: f64, std: f64, place: Place) -> Result<Tensor> {
    let op = "normal";
    place.expect_float(op)?;
    expect_finite(op, &[mean, std])?;
    expect_deviation(op, std)?;
    place.draw(op, shape, Law::Normal { mean, std })
}

/// Exponentially distributed numbers of mean `1 / rate`.
pub fn exponential(shape: &[usize], rate: f64, place: Place) -> Result<Tensor> {
    let op = "exponential";
    place.expect_float(op)?;
    if !(rate > 0.0 && rate.is_finite()) {
        return Err(Error::value(op, format!("expected a positive finite rate, got {rate}")));
    }
    place.draw(op, shape, Law::Exponential { rate })
}

/// Normally distributed numbers given that they lie between `low` and `high`.
pub fn truncated_normal(shape: &[usize], mean: f64, std: f64, low: f64, high: f64, place: Place) -> Result<Tensor> {
    let op = "truncated_normal";
    place.expect_float(op)?;
    expect_finite(op, &[mean, std])?;
    expect_deviation(op, std)?;
    let law = quantile::Truncated::new(op, mean, std, low, high)?;
    place.draw(op, shape, Law::Truncated(law))
}

/// Integers from `low` up to but without `high`, of any integer or floating-point type.
pub fn randint(shape: &[usize], low: i128, high: i128, place: Place) -> Result<Tensor> {
    let op = "randint";
    if low >= high {
        return Err(Error::value(op, format!("expected low < high, got {low} and {high}")));
    }
    let fits = |value: i128| crate::Scalar::Int(value).fits(place.dtype);
    let span = high.checked_sub(low).filter(|&span| span <= 1 << 64 && fits(low) && fits(high - 1));
    let Some(span) = span else {
        return Err(Error::value(op, format!("range {low}..{high} does not fit {}", place.dtype)));
    };
    place.draw(op, shape, Law::Integers { low, span: span as u128 })
}

/// The integers below `n` in random order: every order is equally likely up to ties of 64-bit keys.
#[derive(Debug)]
struct Permutation {
    stream: Stream,
    spec: Spec,
}

impl Gradient for Permutation {
    fn name(&self) -> &'static str {
        "randperm"
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable(self.name())
    }
}

impl Op for Permutation {
    fn outputs(&self, _: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![self.spec.clone()])
    }
    fn cpu(&self, _: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(self.spec.dtype, self.name(), [real], T => cpu::permutation::<T>(self.stream, outputs[0].slice_mut()?))
    }
}

pub fn randperm(n: usize, place: Place) -> Result<Tensor> {
    if !crate::Scalar::Int(n.saturating_sub(1) as i128).fits(place.dtype) {
        return Err(Error::value("randperm", format!("{n} integers do not fit {}", place.dtype)));
    }
    let order = apply1(Permutation { stream: place.stream, spec: Spec::new(&[n], place.dtype) }, &[])?;
    transfer::to_device(&order, place.device)
}

/// One where a uniform number is below the input, else zero.
#[derive(Debug)]
struct Bernoulli {
    stream: Stream,
}

impl Gradient for Bernoulli {
    fn name(&self) -> &'static str {
        "bernoulli"
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable(self.name())
    }
}

impl Op for Bernoulli {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(inputs[0].dtype(), self.name(), [float], T => {
            cpu::bernoulli::<T>(self.stream, inputs[0].slice()?, outputs[0].slice_mut()?)
        })
    }
}

/// One with the probability that the input gives, else zero; the result has the input's type.
pub fn bernoulli(probability: &Tensor, stream: Stream) -> Result<Tensor> {
    apply1(Bernoulli { stream }, &[&super::copy::contiguous(probability)?])
}

#[cfg(test)]
mod tests;
