//! Sorting, searching and counting: sort, argsort, topk, kthvalue, searchsorted, nonzero, bincount; sets in `unique.rs`.

mod cpu;
mod key;
mod unique;

pub use unique::{Unique, isin, unique_all};

use super::{Op, Spec, Specs, apply, cast, copy, create, index, movement};
use crate::autograd::{Gradient, Grads, Saved, Saves, one};
use crate::dispatch;
use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::shape::{self, Layout};
use crate::storage::Output;
use crate::tensor::Tensor;
use cpu::Wanted;
use smallvec::smallvec;

/// The first elements of the last axis in sorted order, and their places.
#[derive(Debug)]
struct Order {
    name: &'static str,
    wanted: Wanted,
}

impl Gradient for Order {
    fn name(&self) -> &'static str {
        self.name
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0, outputs: 2 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (spec, dy) = (saved.spec(0), crate::autograd::only(dy)?);
        let zeros = create::zeros(&spec.shape, spec.dtype, dy.device())?;
        one(index::scatter(&zeros, -1, saved.output(1)?, dy)?)
    }
}

impl Op for Order {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let mut values = Spec::like(inputs[0]);
        if let Some(last) = values.shape.last_mut() {
            *last = self.wanted.count;
        }
        let places = Spec { dtype: DType::I64, ..values.clone() };
        Ok(smallvec![values, places])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let x = copy::contiguous(&inputs[0].detach())?;
        let n = x.shape().last().copied().unwrap_or(1);
        let [values, places] = outputs else { return Err(Error::internal(self.name, "expected two outputs")) };
        let places = places.slice_mut::<i64>()?;
        if x.dtype().is_bool() {
            return cpu::sort_rows(self.name, x.slice::<bool>()?, n, self.wanted, values.slice_mut()?, places);
        }
        dispatch!(x.dtype(), self.name, [real], T => {
            cpu::sort_rows(self.name, x.slice::<T>()?, n, self.wanted, values.slice_mut()?, places)
        })
    }
}

/// Sorted values and places along an axis; `count` picks how many of the axis' elements are wanted.
fn order(
    name: &'static str,
    x: &Tensor,
    axis: i64,
    descending: bool,
    count: impl Fn(usize) -> Result<usize>,
) -> Result<(Tensor, Tensor)> {
    if x.rank() == 0 {
        let (values, places) = order(name, &movement::reshape(x, &[1])?, axis, descending, count)?;
        return Ok((movement::reshape(&values, &[])?, movement::reshape(&places, &[])?));
    }
    let axis = shape::normalize_axis(name, axis, x.rank())? as i64;
    let wanted = Wanted { descending, count: count(x.shape()[axis as usize])? };
    let both = apply(Order { name, wanted }, &[&movement::swap_axes(x, axis, -1)?])?;
    Ok((movement::swap_axes(&both[0], axis, -1)?, movement::swap_axes(&both[1], axis, -1)?))
}

/// Elements in order along an axis. Always stable; NaN counts as the largest.
pub fn sort(x: &Tensor, axis: i64, descending: bool) -> Result<Tensor> {
    Ok(order("sort", x, axis, descending, Ok)?.0)
}

/// The places that sort the elements along an axis. Always stable; NaN counts as the largest.
pub fn argsort(x: &Tensor, axis: i64, descending: bool) -> Result<Tensor> {
    Ok(order("argsort", &x.detach(), axis, descending, Ok)?.1)
}

/// The `k` largest (or smallest) elements along an axis and their places, in order; NaN counts as the largest.
pub fn topk(x: &Tensor, k: i64, axis: i64, largest: bool) -> Result<(Tensor, Tensor)> {
    let count = |n: usize| match usize::try_from(k) {
        Ok(k) if k <= n => Ok(k),
        _ => Err(Error::value("topk", format!("k is out of range, expected 0 to {n}, got {k}"))),
    };
    order("topk", x, axis, largest, count)
}

/// The `k`-th smallest element along an axis (counting from one) and its place.
pub fn kthvalue(x: &Tensor, k: i64, axis: i64, keepdims: bool) -> Result<(Tensor, Tensor)> {
    let op = "kthvalue";
    if x.rank() == 0 {
        let (values, places) = kthvalue(&movement::reshape(x, &[1])?, k, 0, false)?;
        return Ok((values, places));
    }
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    let n = x.shape()[axis];
    let place = match usize::try_from(k) {
        Ok(k) if k >= 1 && k <= n => k - 1,
        _ => return Err(Error::value(op, format!("k is out of range, expected 1 to {n}, got {k}"))),
    };
    let (values, places) = order(op, x, axis as i64, false, |_| Ok(place + 1))?;
    let last = |t: &Tensor| {
        let t = movement::narrow(t, axis, place, 1)?;
        if keepdims { Ok(t) } else { movement::squeeze(&t, &[axis as i64]) }
    };
    Ok((last(&values)?, last(&places)?))
}

/// Where values belong in a sorted 1-d tensor (sorted by `sorter` if given): before or behind their equals.
pub fn searchsorted(sorted: &Tensor, values: &Tensor, side: &str, sorter: Option<&Tensor>) -> Result<Tensor> {
    let op = "searchsorted";
    let right = match side {
        "left" => false,
        "right" => true,
        _ => return Err(Error::value(op, format!("unknown side, expected 'left' or 'right', got {side:?}"))),
    };
    if sorted.rank() != 1 {
        let got = shape::display(sorted.shape());
        return Err(Error::shape(op, format!("expected a sorted 1-d tensor, got shape {got}")));
    }
    let dtype = sorted.dtype().promote(values.dtype())?;
    let ordered = match sorter {
        Some(sorter) => index::take(&sorted.detach(), sorter, Some(0))?,
        None => sorted.detach(),
    };
    let (row, values) = (cast::astype(&ordered, dtype)?, cast::astype(&values.detach(), dtype)?);
    let (row, values) = (copy::contiguous(&row)?, copy::contiguous(&values)?);
    let mut places = create::zeros(values.shape(), DType::I64, values.device())?;
    let out = places.make_mut::<i64>()?;
    if dtype.is_bool() {
        cpu::search(row.slice::<bool>()?, values.slice()?, right, out)?;
    } else {
        dispatch!(dtype, op, [real], T => cpu::search(row.slice::<T>()?, values.slice()?, right, out))?;
    }
    Ok(places)
}

/// Positions of the elements that are not zero, in the flattened tensor.
pub fn flat_nonzero(x: &Tensor) -> Result<Tensor> {
    super::host_only("nonzero", x)?;
    fn fill<T: Element>(x: &[T], out: &mut [i64]) {
        let found = x.iter().enumerate().filter(|(_, x)| **x != T::default());
        out.iter_mut().zip(found).for_each(|(out, (i, _))| *out = i as i64);
    }
    let x = copy::contiguous(&x.detach())?;
    let count = super::reduce::count_nonzero(&x, None, false)?.slice::<i64>()?[0];
    let mut places = create::zeros(&[count as usize], DType::I64, x.device())?;
    let out = places.make_mut::<i64>()?;
    dispatch!(x.dtype(), "nonzero", [any], T => {
        fill(x.slice::<T>()?, out);
        Ok(())
    })?;
    Ok(places)
}

/// Positions of the elements that are not zero: one index tensor an axis.
pub fn nonzero(x: &Tensor) -> Result<Vec<Tensor>> {
    if x.rank() == 0 {
        return Err(Error::value("nonzero", "expected at least one axis, got a 0-d tensor"));
    }
    let flat = flat_nonzero(x)?;
    let flat = flat.slice::<i64>()?;
    let steps = Layout::contiguous(x.shape()).strides;
    let coordinate = |axis: usize| {
        let (n, step) = (x.shape()[axis].max(1) as i64, steps[axis] as i64);
        let mut places = create::zeros(&[flat.len()], DType::I64, x.device())?;
        places.make_mut::<i64>()?.iter_mut().zip(flat).for_each(|(out, i)| *out = i / step % n);
        Ok(places)
    };
    (0..x.rank()).map(coordinate).collect()
}

/// How often each number from zero up occurs in a 1-d tensor, or the sum of their weights.
pub fn bincount(x: &Tensor, weights: Option<&Tensor>, minlength: i64) -> Result<Tensor> {
    let op = "bincount";
    if x.rank() != 1 || !x.dtype().is_int() {
        let got = format!("{} {}", x.dtype(), shape::display(x.shape()));
        return Err(Error::shape(op, format!("expected a 1-d tensor of integers, got {got}")));
    }
    let least = usize::try_from(minlength)
        .map_err(|_| Error::value(op, format!("expected minlength >= 0, got {minlength}")))?;
    let numbers = copy::contiguous(&cast::astype(x, DType::I64)?)?;
    let values = numbers.slice::<i64>()?;
    if let Some(bad) = values.iter().find(|&&v| v < 0) {
        return Err(Error::value(op, format!("expected numbers >= 0, got {bad}")));
    }
    let n = values.iter().max().map_or(0, |&highest| highest as usize + 1).max(least);
    shape::checked_numel(op, &[n])?;
    let counted = match weights {
        Some(weights) if weights.shape() == x.shape() => weights.clone(),
        Some(weights) => {
            let (want, got) = (shape::display(x.shape()), shape::display(weights.shape()));
            return Err(Error::shape(op, format!("weights do not fit, expected {want}, got {got}")));
        }
        None => create::ones(x.shape(), DType::I64, x.device())?,
    };
    index::rows::deposit(&counted, 0, n, &numbers, None)
}

#[cfg(test)]
mod tests;
