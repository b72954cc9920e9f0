//! Tensors from numbers: full, arange, linspace, eye, triangles.

use super::{Op, Spec, Specs, apply1};
use crate::autograd::{Gradient, Grads, Saved, not_differentiable};
use crate::cpu::pool;
use crate::device::Device;
use crate::dispatch;
use crate::dtype::{Complex64, DType};
use crate::error::{Error, Result};
use crate::scalar::{Scalar, ScalarElement};
use crate::shape::{self, Layout};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

const GRAIN: usize = 64 * 1024;

/// Element `i` is a rule of `i`; every creation op is one of these rules.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Full(Scalar),
    /// `start + i * step`, exact for integers.
    Range {
        start: Scalar,
        step: Scalar,
    },
    /// From `start` to `stop` in `steps` equal steps; the last element is `stop` itself.
    Linear {
        start: Complex64,
        stop: Complex64,
        steps: usize,
    },
    /// Ones on diagonal `k` of `columns`-wide rows.
    Eye {
        columns: usize,
        k: i64,
    },
}

#[derive(Debug)]
struct Create {
    name: &'static str,
    rule: Rule,
    spec: Spec,
    device: Device,
}

impl Gradient for Create {
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable(self.name)
    }
}

impl Op for Create {
    fn outputs(&self, _: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![self.spec.clone()])
    }
    fn device(&self) -> Device {
        self.device
    }
    fn cpu(&self, _: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(self.spec.dtype, self.name, [any], T => {
            let out = outputs[0].slice_mut::<T>()?;
            match self.rule {
                Rule::Full(value) => {
                    let value = T::from_scalar(value);
                    pool::for_each_chunk(out, GRAIN, |_, chunk| chunk.fill(value))
                }
                rule => fill_by_index(out, |i| rule.at(i)),
            }
        })
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        // Made on the host and uploaded: creation is not what a device is for. One value spreads on the device.
        let host = |spec| apply1(Create { device: Device::Cpu, spec, ..*self }, inputs);
        if let Rule::Full(_) = self.rule {
            let one = super::transfer::to_device(&host(Spec::new(&[], self.spec.dtype))?, self.device)?;
            let spread = super::movement::broadcast_to(&one, &self.spec.shape)?;
            return super::copy::gpu::copy(&spread, &outputs[0], &Layout::contiguous(&self.spec.shape));
        }
        let moved = super::transfer::to_device(&host(self.spec.clone())?, self.device)?;
        outputs[0].storage = std::sync::Arc::into_inner(moved.into_storage())
            .ok_or_else(|| Error::internal(self.name, "fresh memory is shared"))?;
        Ok(())
    }
}

fn fill_by_index<T: ScalarElement>(out: &mut [T], at: impl Fn(usize) -> Scalar + Sync) -> Result<()> {
    pool::for_each_chunk(out, GRAIN, |chunk, part| {
        for (i, element) in part.iter_mut().enumerate() {
            *element = T::from_scalar(at(chunk * GRAIN + i));
        }
    })
}

impl Rule {
    fn at(self, i: usize) -> Scalar {
        match self {
            Rule::Full(value) => value,
            Rule::Range { start: Scalar::Int(start), step: Scalar::Int(step) } => Scalar::Int(start + i as i128 * step),
            Rule::Range { start, step } => Scalar::Float(start.to_f64() + i as f64 * step.to_f64()),
            Rule::Linear { stop, steps, .. } if i == steps && i > 0 => Scalar::Complex(stop),
            Rule::Linear { start, stop, steps } => {
                Scalar::Complex(start + (stop - start) * (i as f64 / steps.max(1) as f64))
            }
            Rule::Eye { columns, k } => {
                let (row, column) = ((i / columns.max(1)) as i64, (i % columns.max(1)) as i64);
                Scalar::Int((column - row == k) as i128)
            }
        }
    }
}

fn create(name: &'static str, rule: Rule, shape: &[usize], dtype: DType, device: Device) -> Result<Tensor> {
    apply1(Create { name, rule, spec: Spec::new(shape, dtype), device }, &[])
}

/// A tensor of one value.
pub fn full(shape: &[usize], value: Scalar, dtype: DType, device: Device) -> Result<Tensor> {
    if !value.fits(dtype) {
        let message = format!("fill value out of range, expected one that fits {dtype}, got {}", value.to_i128());
        return Err(Error::value("full", message));
    }
    create("full", Rule::Full(value), shape, dtype, device)
}

pub fn zeros(shape: &[usize], dtype: DType, device: Device) -> Result<Tensor> {
    create("zeros", Rule::Full(Scalar::Int(0)), shape, dtype, device)
}

/// Memory whose contents nobody may rely on; zeros, so that nothing undefined can be read.
pub fn empty(shape: &[usize], dtype: DType, device: Device) -> Result<Tensor> {
    create("empty", Rule::Full(Scalar::Int(0)), shape, dtype, device)
}

pub fn ones(shape: &[usize], dtype: DType, device: Device) -> Result<Tensor> {
    create("ones", Rule::Full(Scalar::Int(1)), shape, dtype, device)
}

pub fn zeros_like(x: &Tensor) -> Result<Tensor> {
    zeros(x.shape(), x.dtype(), x.device())
}

pub fn full_like(x: &Tensor, value: Scalar) -> Result<Tensor> {
    full(x.shape(), value, x.dtype(), x.device())
}

/// `start, start + step, ...` up to but without `stop`. Integers stay exact.
pub fn arange(start: Scalar, stop: Scalar, step: Scalar, dtype: DType, device: Device) -> Result<Tensor> {
    let op = "arange";
    let count = match (start, stop, step) {
        (Scalar::Int(a), Scalar::Int(b), Scalar::Int(s)) => {
            if s == 0 {
                return Err(Error::value(op, "step must not be zero"));
            }
            let span = b.checked_sub(a).ok_or_else(|| Error::value(op, "range too wide"))?;
            if (span > 0) == (s > 0) && span != 0 { (span.abs() - 1) / s.abs() + 1 } else { 0 }
        }
        _ => {
            let (a, b, s) = (start.to_f64(), stop.to_f64(), step.to_f64());
            if s == 0.0 || !(a.is_finite() && b.is_finite() && s.is_finite()) {
                return Err(Error::value(
                    op,
                    format!("expected finite bounds and a step that is not zero, got {a}, {b}, {s}"),
                ));
            }
            ((b - a) / s).ceil().max(0.0) as i128
        }
    };
    let too_long = || Error::shape(op, format!("range of {count} elements is too long"));
    let n = usize::try_from(count).map_err(|_| too_long())?;
    if n > 0 && dtype.is_int() {
        let ends = [Rule::Range { start, step }.at(0), Rule::Range { start, step }.at(n - 1)];
        if ends.iter().any(|e| !Scalar::Int(e.to_i128()).fits(dtype)) {
            return Err(Error::value(op, format!("values out of range for {dtype}")));
        }
    }
    create(op, Rule::Range { start, step }, &[n], dtype, device)
}

/// `count` evenly spaced values from `start` to `stop`, the end included or not.
pub fn linspace(
    start: Scalar,
    stop: Scalar,
    count: usize,
    endpoint: bool,
    dtype: DType,
    device: Device,
) -> Result<Tensor> {
    let steps = if endpoint { count.saturating_sub(1) } else { count };
    let rule = Rule::Linear { start: start.to_complex(), stop: stop.to_complex(), steps };
    create("linspace", rule, &[count], dtype, device)
}

/// Ones on diagonal `k`, zeros elsewhere.
pub fn eye(rows: usize, columns: usize, k: i64, dtype: DType, device: Device) -> Result<Tensor> {
    create("eye", Rule::Eye { columns, k }, &[rows, columns], dtype, device)
}

/// Index grids as bool: keeps `column - row <= k` (lower) or `>= k` (upper) of the last two axes, zero elsewhere.
#[derive(Debug)]
struct Triangle {
    upper: bool,
    k: i64,
}

impl Gradient for Triangle {
    fn name(&self) -> &'static str {
        if self.upper { "triu" } else { "tril" }
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        crate::autograd::one(triangle(crate::autograd::only(dy)?, self.k, self.upper)?)
    }
}

impl Op for Triangle {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        if inputs[0].rank() < 2 {
            let got = shape::display(inputs[0].shape());
            return Err(Error::shape(self.name(), format!("expected at least two axes, got shape {got}")));
        }
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let x = inputs[0];
        let (rows, columns) = (x.shape()[x.rank() - 2], x.shape()[x.rank() - 1]);
        dispatch!(x.dtype(), self.name(), [any], T => {
            let from = x.slice::<T>()?;
            pool::for_each_chunk(outputs[0].slice_mut::<T>()?, columns.max(1), |row, out| {
                let row_in = (row % rows.max(1)) as i64;
                // Columns on the kept side of the diagonal.
                let edge = |shift: i64| row_in.saturating_add(self.k).saturating_add(shift).clamp(0, columns as i64) as usize;
                let kept = if self.upper { edge(0)..columns } else { 0..edge(1) };
                out.fill(T::default());
                out[kept.clone()].copy_from_slice(&from[row * columns..][..columns][kept]);
            })
        })
    }
}

fn triangle(x: &Tensor, k: i64, upper: bool) -> Result<Tensor> {
    apply1(Triangle { upper, k }, &[&super::copy::contiguous(x)?])
}

/// The lower triangle of the last two axes, at and below diagonal `k`.
pub fn tril(x: &Tensor, k: i64) -> Result<Tensor> {
    triangle(x, k, false)
}

/// The upper triangle of the last two axes, at and above diagonal `k`.
pub fn triu(x: &Tensor, k: i64) -> Result<Tensor> {
    triangle(x, k, true)
}

/// Coordinate tensors of a grid; `indexing` is "xy" or "ij".
pub fn meshgrid(axes: &[&Tensor], indexing: &str) -> Result<Vec<Tensor>> {
    let op = "meshgrid";
    if indexing != "xy" && indexing != "ij" {
        return Err(Error::value(op, format!("unknown indexing, expected 'xy' or 'ij', got {indexing:?}")));
    }
    if let Some(x) = axes.iter().find(|x| x.rank() != 1) {
        return Err(Error::shape(op, format!("expected 1-d tensors, got shape {}", shape::display(x.shape()))));
    }
    let place = |i: usize| if indexing == "xy" && axes.len() > 1 && i < 2 { 1 - i } else { i };
    let mut full: SmallVec<[usize; 6]> = smallvec![0; axes.len()];
    (0..axes.len()).for_each(|i| full[place(i)] = axes[i].numel());
    let grid = |(i, x): (usize, &&Tensor)| {
        let mut one: SmallVec<[usize; 6]> = smallvec![1; axes.len()];
        one[place(i)] = x.numel();
        super::movement::broadcast_to(&super::movement::reshape(x, &one)?, &full)
    };
    axes.iter().enumerate().map(grid).collect()
}
