//! Pooling in one to three dimensions: maxima with their places, averages, and both with adaptive windows. Each op and
//! its gradient are each other's gradients, so derivatives of any order exist.

mod cpu;
mod regular;
mod windows;

use super::spatial::{batched, expect_float, joined, named, sizes};
use super::{Op, Spec, Specs, apply, apply1, cast, copy};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;
use std::sync::Arc;

pub use windows::Regular;
use windows::Windows;

/// Outputs: the maxima, and their places in the image plane.
#[derive(Debug)]
struct MaxPool {
    name: &'static str,
    spatial: usize,
    windows: Arc<Windows>,
}

impl Gradient for MaxPool {
    fn name(&self) -> &'static str {
        self.name
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0, outputs: 0b10 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let places = Places { name: self.name, spatial: self.spatial, windows: self.windows.clone(), scatter: true };
        one(places.run(only(dy)?, saved.output(1)?)?)
    }
}

impl Op for MaxPool {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let shape = joined(&inputs[0].shape()[..2], self.windows.output(), self.spatial);
        Ok(smallvec![Spec::new(&shape, inputs[0].dtype()), Spec::new(&shape, DType::I64)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [values, indices] = outputs else { return Err(Error::internal(self.name, "expected two outputs")) };
        dispatch!(inputs[0].dtype(), self.name, [wide], T => {
            cpu::max::<T>(self.name, &self.windows, inputs[0].slice()?, values.slice_mut()?, indices.slice_mut()?)
        })
    }
}

/// Moves elements between output positions and the places that the second operand names: to them or from them.
#[derive(Debug, Clone)]
struct Places {
    name: &'static str,
    spatial: usize,
    windows: Arc<Windows>,
    scatter: bool,
}

impl Places {
    fn run(self, x: &Tensor, indices: &Tensor) -> Result<Tensor> {
        apply1(self, &[&copy::contiguous(x)?, &copy::contiguous(indices)?])
    }
}

impl Gradient for Places {
    fn name(&self) -> &'static str {
        self.name
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let back = Places { scatter: !self.scatter, ..self.clone() };
        Ok(smallvec![Some(back.run(only(dy)?, saved.input(1)?)?), None])
    }
}

impl Op for Places {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let sizes = if self.scatter { self.windows.image } else { self.windows.output() };
        Ok(smallvec![Spec::new(&joined(&inputs[0].shape()[..2], sizes, self.spatial), inputs[0].dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (positions, pixels) = (self.windows.positions(), self.windows.pixels());
        dispatch!(inputs[0].dtype(), self.name, [wide], T => {
            let (x, indices, y) = (inputs[0].slice::<T>()?, inputs[1].slice()?, outputs[0].slice_mut()?);
            match self.scatter {
                true => cpu::scatter(x, indices, positions, pixels, y),
                false => cpu::gather(x, indices, positions, pixels, y),
            }
        })
    }
}

/// Averages of windows, or (`spread`) the transpose of that.
#[derive(Debug, Clone)]
struct AvgPool {
    name: &'static str,
    spatial: usize,
    windows: Arc<Windows>,
    divisor: Option<f64>,
    spread: bool,
}

impl Gradient for AvgPool {
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(apply1(AvgPool { spread: !self.spread, ..self.clone() }, &[&copy::contiguous(only(dy)?)?])?)
    }
}

impl Op for AvgPool {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let sizes = if self.spread { self.windows.image } else { self.windows.output() };
        Ok(smallvec![Spec::new(&joined(&inputs[0].shape()[..2], sizes, self.spatial), inputs[0].dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(inputs[0].dtype(), self.name, [wide], T => {
            let (x, y) = (inputs[0].slice::<T>()?, outputs[0].slice_mut()?);
            match self.spread {
                true => cpu::spread(&self.windows, self.divisor, x, y),
                false => cpu::average(self.name, &self.windows, self.divisor, x, y),
            }
        })
    }
}

/// Runs `body` with a batched, contiguous input of the type that kernels compute in.
fn prepared<const R: usize>(
    name: &'static str,
    spatial: usize,
    x: &Tensor,
    body: impl FnOnce(&Tensor) -> Result<[Tensor; R]>,
) -> Result<[Tensor; R]> {
    expect_float(name, x)?;
    let narrow = x.dtype();
    batched(name, x, spatial, |x| {
        let mut results = body(&copy::contiguous(&cast::astype(x, narrow.compute())?)?)?;
        results[0] = cast::astype(&results[0], narrow)?;
        Ok(results)
    })
}

fn maxima(name: &'static str, spatial: usize, x: &Tensor, windows: Windows) -> Result<[Tensor; 2]> {
    let mut results = apply(MaxPool { name, spatial, windows: Arc::new(windows) }, &[x])?.into_iter();
    match (results.next(), results.next()) {
        (Some(values), Some(indices)) => Ok([values, indices]),
        _ => Err(Error::internal(name, "expected two outputs")),
    }
}

fn averages(
    name: &'static str,
    spatial: usize,
    x: &Tensor,
    windows: Windows,
    divisor: Option<f64>,
) -> Result<[Tensor; 1]> {
    Ok([apply1(AvgPool { name, spatial, windows: Arc::new(windows), divisor, spread: false }, &[x])?])
}

/// The maxima of the windows of `(N, C, ...)`, and their places in the flattened image plane. NaN wins over numbers.
pub fn max_pool(spatial: usize, x: &Tensor, options: &Regular) -> Result<[Tensor; 2]> {
    let name = named(["max_pool1d", "max_pool2d", "max_pool3d"], spatial);
    prepared(name, spatial, x, |x| {
        let windows = Windows::regular(name, sizes(x.shape(), spatial), spatial, options)?;
        maxima(name, spatial, x, windows)
    })
}

/// The averages of the windows of `(N, C, ...)`; `divisor` replaces the number of elements.
pub fn avg_pool(spatial: usize, x: &Tensor, options: &Regular, divisor: Option<i64>) -> Result<Tensor> {
    let name = named(["avg_pool1d", "avg_pool2d", "avg_pool3d"], spatial);
    if divisor == Some(0) {
        return Err(Error::value(name, "divisor_override must not be zero"));
    }
    let [y] = prepared(name, spatial, x, |x| {
        let windows = Windows::regular(name, sizes(x.shape(), spatial), spatial, options)?;
        averages(name, spatial, x, windows, divisor.map(|d| d as f64))
    })?;
    Ok(y)
}

/// Maxima of windows chosen so that the output has the sizes given (`None`: those of the input), and their places.
pub fn adaptive_max_pool(spatial: usize, x: &Tensor, output: &[Option<i64>]) -> Result<[Tensor; 2]> {
    let name = named(["adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"], spatial);
    prepared(name, spatial, x, |x| {
        let windows = Windows::adaptive(name, sizes(x.shape(), spatial), spatial, output)?;
        maxima(name, spatial, x, windows)
    })
}

/// Averages of windows chosen so that the output has the sizes given (`None`: those of the input).
pub fn adaptive_avg_pool(spatial: usize, x: &Tensor, output: &[Option<i64>]) -> Result<Tensor> {
    let name = named(["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"], spatial);
    let [y] = prepared(name, spatial, x, |x| {
        let windows = Windows::adaptive(name, sizes(x.shape(), spatial), spatial, output)?;
        averages(name, spatial, x, windows, None)
    })?;
    Ok(y)
}

#[cfg(test)]
mod tests;
