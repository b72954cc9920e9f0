//! Variance and standard deviation: two passes inside a block, Chan's formula between blocks.

use super::fold::{Fold, TILE};
use super::gradient::keep;
use super::kinds::{widen_bf16, widen_f16};
use super::{Axes, arrange, cpu, mean, reduced_shape, sorted_axes, sum};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::cpu::level::{self, Kernel};
use crate::dispatch;
use crate::dtype::{DType, Element, bf16, f16};
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply1, cast, create, select};
use crate::scalar::Scalar;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;
use std::marker::PhantomData;
use std::sync::Arc;

/// Mean and sum of squared deviations of so many elements.
#[derive(Debug, Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

trait Real: Element {
    fn wide(self) -> f64;
}

macro_rules! reals {
    ($($t:ty: $x:ident => $wide:expr;)*) => {
        $(impl Real for $t {
            #[inline(always)]
            fn wide(self) -> f64 { let $x = self; $wide }
        })*
    };
}
reals! { f16: x => widen_f16(x) as f64; bf16: x => widen_bf16(x) as f64; f32: x => x as f64; f64: x => x; }

/// Independent accumulators of a row: registers enough to hide the latency of an addition.
const LANES: usize = 32;

/// Sums of `f(x)` in lanes, which the compiler keeps in vector registers.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // indices are inlined however the crate is compiled
fn lane_sum<T: Real>(x: &[T], f: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (parts, tail) = x.as_chunks::<LANES>();
    for p in 0..parts.len() {
        for i in 0..LANES {
            lanes[i] += f(parts[p][i].wide());
        }
    }
    let mut total = 0.0;
    for i in 0..tail.len() {
        total += f(tail[i].wide());
    }
    for i in 0..LANES {
        total += lanes[i];
    }
    total
}

struct Rows<'a, T> {
    x: &'a [T],
    n: usize,
    acc: &'a mut [Moments],
}

impl<T: Real> Kernel for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let count = self.n as f64;
        for i in 0..self.acc.len() {
            let row = &self.x[i * self.n..(i + 1) * self.n];
            let mean = lane_sum(row, |x| x) / count;
            self.acc[i] = Moments { count, mean, squares: lane_sum(row, |x| (x - mean) * (x - mean)) };
        }
    }
}

struct Columns<'a, T> {
    x: &'a [T],
    stride: usize,
    acc: &'a mut [Moments],
}

impl<T: Real> Kernel for Columns<'_, T> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    fn run(self) {
        let Columns { x, stride, acc } = self;
        let (mut mean, mut squares) = ([0.0; TILE], [0.0; TILE]);
        let (width, rows) = (acc.len(), x.len().div_ceil(stride));
        let count = rows as f64;
        for r in 0..rows {
            let row = &x[r * stride..r * stride + width];
            for i in 0..width {
                mean[i] += row[i].wide();
            }
        }
        for i in 0..width {
            mean[i] /= count;
        }
        for r in 0..rows {
            let row = &x[r * stride..r * stride + width];
            for i in 0..width {
                let off = row[i].wide() - mean[i];
                squares[i] += off * off;
            }
        }
        for i in 0..width {
            acc[i] = Moments { count, mean: mean[i], squares: squares[i] };
        }
    }
}

struct Spread<T>(PhantomData<T>);

impl<T: Real> Fold for Spread<T> {
    type In = T;
    type Acc = Moments;
    type Out = f64;

    fn empty() -> Moments {
        Moments { count: 0.0, mean: 0.0, squares: 0.0 }
    }

    fn rows(x: &[T], n: usize, acc: &mut [Moments]) {
        level::run(Rows { x, n, acc });
    }

    fn columns(x: &[T], stride: usize, acc: &mut [Moments]) {
        level::run(Columns { x, stride, acc });
    }

    #[inline(always)]
    fn merge(a: Moments, b: Moments) -> Moments {
        if a.count == 0.0 {
            return b;
        }
        if b.count == 0.0 {
            return a;
        }
        let (count, delta) = (a.count + b.count, b.mean - a.mean);
        Moments {
            count,
            mean: a.mean + delta * (b.count / count),
            squares: a.squares + b.squares + delta * delta * (a.count * b.count / count),
        }
    }

    fn finish(acc: Moments, _: usize) -> f64 {
        acc.squares
    }
}

/// Variance over some axes, or its root.
#[derive(Debug)]
struct Deviation {
    axes: Axes,
    correction: f64,
    keepdims: bool,
    root: bool,
}

impl Deviation {
    /// The divisor; zero or less makes the result infinite or NaN, as in NumPy.
    fn freedom(&self, shape: &[usize]) -> f64 {
        let n: usize = self.axes.iter().map(|&a| shape[a]).product();
        (n as f64 - self.correction).max(0.0)
    }
}

impl Gradient for Deviation {
    fn name(&self) -> &'static str {
        if self.root { "std" } else { "var" }
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 1, outputs: self.root as u32 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let x = saved.input(0)?;
        let dy = keep(only(dy)?, x.shape(), &self.axes)?;
        let axes: Vec<i64> = self.axes.iter().map(|&a| a as i64).collect();
        let centred = x.subtract(&mean(x, Some(&axes), true)?)?;
        let number = |v: f64| create::full(&[], Scalar::Float(v), x.dtype(), x.device());
        let freedom = self.freedom(x.shape());
        if !self.root {
            return one(centred.multiply(&dy.multiply(&number(2.0 / freedom)?)?)?);
        }
        // A constant has deviation zero, where the root has no slope: its gradient is defined as zero.
        let y = keep(saved.output(0)?, x.shape(), &self.axes)?;
        let (zero, one_) = (number(0.0)?, number(1.0)?);
        let flat = y.equal(&zero)?;
        let scale = dy.divide(&select::where_(&flat, &one_, &y)?.multiply(&number(freedom)?)?)?;
        one(centred.multiply(&select::where_(&flat, &zero, &scale)?)?)
    }
}

impl Op for Deviation {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        if !x.dtype().is_float() {
            let message = format!("expected a real floating-point type, got {}", x.dtype());
            return Err(Error::dtype(self.name(), message));
        }
        Ok(smallvec![Spec { shape: reduced_shape(x.shape(), &self.axes, self.keepdims), dtype: x.dtype() }])
    }

    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, geometry) = arrange(&inputs[0].detach(), &self.axes)?;
        let shape = outputs[0].shape.clone();
        let mut squares = create::zeros(&shape, DType::F64, x.device())?;
        let squares = squares.make_mut::<f64>()?;
        dispatch!(x.dtype(), self.name(), [float], T => {
            cpu::run::<Spread<T>>(self.name(), x.slice::<T>()?, geometry, squares)
        })?;
        let freedom = self.freedom(inputs[0].shape());
        let finish = |s: f64| if self.root { (s / freedom).sqrt() } else { s / freedom };
        dispatch!(x.dtype(), self.name(), [float], T => {
            use crate::scalar::ScalarElement;
            let out = outputs[0].slice_mut::<T>()?;
            out.iter_mut().zip(&*squares).for_each(|(out, &s)| *out = T::from_scalar(Scalar::Float(finish(s))));
            Ok(())
        })
    }

    /// Two passes in tensor ops: the device has their kernels, and neither pass subtracts large sums.
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let x = cast::astype(&inputs[0].detach(), inputs[0].dtype().compute())?;
        let axes: Vec<i64> = self.axes.iter().map(|&a| a as i64).collect();
        let squares = x.subtract(&mean(&x, Some(&axes), true)?)?.square()?;
        let var = sum(&squares, Some(&axes), None, self.keepdims)?.div_scalar(self.freedom(x.shape()))?;
        let y = cast::astype(&if self.root { var.sqrt()? } else { var }, outputs[0].dtype)?;
        outputs[0].storage =
            Arc::into_inner(y.into_storage()).ok_or_else(|| Error::internal(self.name(), "fresh memory is shared"))?;
        Ok(())
    }
}

/// The variance over the axes: squared deviations from the mean, divided by `n - correction`.
pub fn var(x: &Tensor, axes: Option<&[i64]>, correction: f64, keepdims: bool) -> Result<Tensor> {
    let axes = sorted_axes("var", x, axes)?;
    apply1(Deviation { axes, correction, keepdims, root: false }, &[x])
}

/// The standard deviation over the axes, the root of `var`.
pub fn std(x: &Tensor, axes: Option<&[i64]>, correction: f64, keepdims: bool) -> Result<Tensor> {
    let axes = sorted_axes("std", x, axes)?;
    apply1(Deviation { axes, correction, keepdims, root: true }, &[x])
}
