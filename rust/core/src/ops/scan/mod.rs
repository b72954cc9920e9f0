//! Scans: running sums, products and extrema along an axis, linear recurrences, and differences.

mod cpu;
mod gpu;
mod recurrence;

pub use recurrence::recurrence;

use super::{Op, Spec, Specs, apply, apply1, cast, copy, create, index, join, movement};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::dispatch;
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

/// Running sum or product along an axis; with `initial` the result begins with the neutral element.
#[derive(Debug, Clone)]
struct Cumulative {
    product: bool,
    axis: usize,
    initial: bool,
}

impl Gradient for Cumulative {
    fn name(&self) -> &'static str {
        if self.product { "cumulative_prod" } else { "cumulative_sum" }
    }
    fn saves(&self) -> Saves {
        if self.product { Saves { inputs: 1, outputs: 1 } } else { Saves::NOTHING }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let n = saved.spec(0).shape[self.axis];
        let dy = movement::narrow(only(dy)?, self.axis, self.initial as usize, n)?;
        if !self.product {
            let op = Cumulative { initial: false, ..self.clone() };
            return one(reversed(&apply1(op, &[&copy::contiguous(&reversed(&dy, self.axis)?)?])?, self.axis)?);
        }
        let (x, y) = (saved.input(0)?, saved.output(0)?);
        let before = match self.initial {
            true => movement::narrow(y, self.axis, 0, n)?,
            false => shifted(y, self.axis, true, Scalar::Int(1))?,
        };
        let later = recurrence::backward_in_time(x, &dy, self.axis)?;
        one(later.multiply(&before)?)
    }
}

impl Op for Cumulative {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        let mut shape = x.shape_owned();
        shape[self.axis] += self.initial as usize;
        let dtype = match x.dtype() {
            dtype if dtype.is_unsigned() => x.device().widest_unsigned(),
            dtype if dtype.kind() < Kind::Float => x.device().widest_int(),
            dtype => dtype,
        };
        Ok(smallvec![Spec { shape, dtype }])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let x = copy::contiguous(&inputs[0].detach())?;
        let lines = cpu::Lines::of(x.shape(), self.axis);
        dispatch!(x.dtype(), self.name(), [any], T => {
            cpu::cumulative(x.slice::<T>()?, lines, self.product, self.initial, outputs[0].slice_mut()?)
        })
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::cumulative(self, inputs[0], &outputs[0])
    }
}

/// Running maximum or minimum (NaN stays), and where it was found.
#[derive(Debug)]
struct Extremum {
    highest: bool,
    axis: usize,
}

impl Gradient for Extremum {
    fn name(&self) -> &'static str {
        if self.highest { "cummax" } else { "cummin" }
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0, outputs: 2 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let spec = saved.spec(0);
        let dy = only(dy)?;
        let zeros = create::zeros(&spec.shape, spec.dtype, dy.device())?;
        one(index::scatter_add(&zeros, self.axis as i64, saved.output(1)?, dy)?)
    }
}

impl Op for Extremum {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        Ok(smallvec![Spec::like(x), Spec::new(x.shape(), DType::I64)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let x = copy::contiguous(&inputs[0].detach())?;
        let lines = cpu::Lines::of(x.shape(), self.axis);
        let [values, places] = outputs else { return Err(Error::internal(self.name(), "expected two outputs")) };
        dispatch!(x.dtype(), self.name(), [real], T => {
            cpu::extremum(x.slice::<T>()?, lines, self.highest, values.slice_mut()?, places.slice_mut()?)
        })
    }
}

fn reversed(x: &Tensor, axis: usize) -> Result<Tensor> {
    movement::flip(x, Some(&[axis as i64]))
}

/// Elements moved one place along an axis, towards its end when `later`; `fill` takes the free place.
fn shifted(x: &Tensor, axis: usize, later: bool, fill: Scalar) -> Result<Tensor> {
    let n = x.shape()[axis];
    if n == 0 {
        return Ok(x.clone());
    }
    let mut shape = x.shape_owned();
    shape[axis] = 1;
    let free = create::full(&shape, fill, x.dtype(), x.device())?;
    let kept = movement::narrow(x, axis, !later as usize, n - 1)?;
    let parts = if later { [&free, &kept] } else { [&kept, &free] };
    join::concat(&parts, Some(axis as i64))
}

/// The axis of a scan; without one the tensor must have just one.
fn scan_axis(op: &str, x: &Tensor, axis: Option<i64>) -> Result<usize> {
    match axis {
        Some(axis) => shape::normalize_axis(op, axis, x.rank()),
        None if x.rank() == 1 => Ok(0),
        None => Err(Error::value(op, format!("expected an axis for a tensor of {} axes, got None", x.rank()))),
    }
}

fn cumulative(x: &Tensor, axis: Option<i64>, dtype: Option<DType>, initial: bool, product: bool) -> Result<Tensor> {
    let mut op = Cumulative { product, axis: 0, initial };
    op.axis = scan_axis(op.name(), x, axis)?;
    match dtype {
        None => apply1(op, &[x]),
        Some(dtype) if x.dtype().kind() < Kind::Float && dtype.is_int() => cast::astype(&apply1(op, &[x])?, dtype),
        Some(dtype) => apply1(op, &[&cast::astype(x, dtype)?]),
    }
}

/// The running sum along an axis.
pub fn cumulative_sum(x: &Tensor, axis: Option<i64>, dtype: Option<DType>, include_initial: bool) -> Result<Tensor> {
    cumulative(x, axis, dtype, include_initial, false)
}

/// The running product along an axis.
pub fn cumulative_prod(x: &Tensor, axis: Option<i64>, dtype: Option<DType>, include_initial: bool) -> Result<Tensor> {
    cumulative(x, axis, dtype, include_initial, true)
}

fn extremum(x: &Tensor, axis: i64, highest: bool) -> Result<(Tensor, Tensor)> {
    let mut op = Extremum { highest, axis: 0 };
    op.axis = shape::normalize_axis(op.name(), axis, x.rank())?;
    let both = apply(op, &[x])?;
    Ok((both[0].clone(), both[1].clone()))
}

/// The running maximum along an axis and the places it was found at.
pub fn cummax(x: &Tensor, axis: i64) -> Result<(Tensor, Tensor)> {
    extremum(x, axis, true)
}

/// The running minimum along an axis and the places it was found at.
pub fn cummin(x: &Tensor, axis: i64) -> Result<(Tensor, Tensor)> {
    extremum(x, axis, false)
}

/// For each element the product of all others on the last axis: from the left times from the right, without a division.
pub(crate) fn products_of_others(x: &Tensor) -> Result<Tensor> {
    let axis = x.rank() - 1;
    let n = x.shape()[axis];
    let before = |x: &Tensor| {
        let running = cumulative_prod(x, Some(axis as i64), None, true)?;
        movement::narrow(&running, axis, 0, n)
    };
    before(x)?.multiply(&reversed(&before(&reversed(x, axis)?)?, axis)?)
}

/// Differences of neighbours along an axis, `n` times over; for bools: whether they differ.
pub fn diff(x: &Tensor, axis: i64, n: i64, prepend: Option<&Tensor>, append: Option<&Tensor>) -> Result<Tensor> {
    let op = "diff";
    if n < 0 {
        return Err(Error::value(op, format!("expected n >= 0, got {n}")));
    }
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    if n == 0 {
        return Ok(x.clone());
    }
    let parts: Vec<&Tensor> = prepend.into_iter().chain([x]).chain(append).collect();
    let mut y = if parts.len() > 1 { join::concat(&parts, Some(axis as i64))? } else { x.clone() };
    for _ in 0..n.min(i64::try_from(y.shape()[axis]).unwrap_or(i64::MAX)) {
        let rest = y.shape()[axis].saturating_sub(1);
        let (low, high) =
            (movement::narrow(&y, axis, 0, rest)?, movement::narrow(&y, axis, y.shape()[axis] - rest, rest)?);
        y = if y.dtype().is_bool() { high.not_equal(&low)? } else { high.subtract(&low)? };
    }
    Ok(y)
}

#[cfg(test)]
mod tests;
