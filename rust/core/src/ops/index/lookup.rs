//! Lookups and rearrangements by index on one axis: take, index_add, embedding, repeat, tile, roll.

use super::rows;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::{copy, join, movement};
use crate::shape::{self, Shape};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Positions of an axis; without an axis the tensor must have just one.
pub fn take(x: &Tensor, index: &Tensor, axis: Option<i64>) -> Result<Tensor> {
    let op = "take";
    let axis = match axis {
        Some(axis) => shape::normalize_axis(op, axis, x.rank())?,
        None if x.rank() == 1 => 0,
        None => return Err(Error::value(op, format!("expected an axis for a tensor of {} axes, got None", x.rank()))),
    };
    rows::take(op, x, axis, &rows::resolve(op, index, x.shape()[axis], axis)?)
}

/// `take` with a 1-d index.
pub fn index_select(x: &Tensor, axis: i64, index: &Tensor) -> Result<Tensor> {
    one_axis("index_select", index)?;
    take(x, index, Some(axis))
}

fn one_axis(op: &str, index: &Tensor) -> Result<()> {
    match index.rank() {
        1 => Ok(()),
        _ => Err(Error::shape(op, format!("expected a 1-d index, got shape {}", shape::display(index.shape())))),
    }
}

/// `x` with `source`'s positions on an axis added where the index says; the same bits for any number of threads.
pub fn index_add(x: &Tensor, axis: i64, index: &Tensor, source: &Tensor) -> Result<Tensor> {
    let op = "index_add";
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    one_axis(op, index)?;
    let mut want = x.shape_owned();
    want[axis] = index.numel();
    if source.shape() != want.as_slice() || source.dtype() != x.dtype() {
        let (want, got) = (shape::display(&want), shape::display(source.shape()));
        let message = format!("source does not fit, expected {} {want}, got {} {got}", x.dtype(), source.dtype());
        return Err(Error::shape(op, message));
    }
    let index = rows::resolve(op, index, x.shape()[axis], axis)?;
    x.add(&rows::deposit(source, axis, x.shape()[axis], &index, None)?)
}

/// Rows of the table `weight`; row `padding_idx` gets no gradient.
pub fn embedding(input: &Tensor, weight: &Tensor, padding_idx: Option<i64>) -> Result<Tensor> {
    let op = "embedding";
    if weight.rank() != 2 {
        let got = shape::display(weight.shape());
        return Err(Error::shape(op, format!("expected a weight with two axes, got shape {got}")));
    }
    let n = weight.shape()[0];
    let padding =
        match padding_idx {
            Some(row) => Some(shape::normalize_axis(op, row, n).map_err(|_| {
                Error::index(op, format!("padding_idx {row} is out of bounds for axis 0 with size {n}"))
            })?),
            None => None,
        };
    rows::take_padded(weight, &rows::resolve(op, input, n, 0)?, padding)
}

/// Every element `repeats` times in a row along an axis (of the flattened tensor for `None`); one number, or one an element.
pub fn repeat(x: &Tensor, repeats: &Tensor, axis: Option<i64>) -> Result<Tensor> {
    let op = "repeat";
    let Some(axis) = axis else { return repeat(&movement::reshape(x, &[x.numel()])?, repeats, Some(0)) };
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    let n = x.shape()[axis];
    if !repeats.dtype().is_int() {
        return Err(Error::dtype(op, format!("expected integer repeats, got {}", repeats.dtype())));
    }
    let counts = movement::broadcast_to(&movement::reshape(repeats, &[repeats.numel()])?, &[n])?;
    let counts = copy::contiguous(&crate::ops::cast::astype(&counts, DType::I64)?)?;
    let counts = counts.slice::<i64>()?;
    if let Some(bad) = counts.iter().find(|&&c| c < 0) {
        return Err(Error::value(op, format!("expected repeats >= 0, got {bad}")));
    }
    let total = counts.iter().try_fold(0usize, |sum, &c| sum.checked_add(c as usize));
    let mut shape = x.shape_owned();
    shape[axis] = total.ok_or_else(|| Error::shape(op, "the result is too large"))?;
    shape::checked_numel(op, &shape)?;
    let mut index = crate::ops::create::zeros(&[shape[axis]], DType::I64, x.device())?;
    let mut rest = index.make_mut::<i64>()?;
    for (i, &count) in counts.iter().enumerate() {
        let (run, left) = rest.split_at_mut(count as usize);
        run.fill(i as i64);
        rest = left;
    }
    rows::take(op, x, axis, &index)
}

/// The whole tensor `repetitions[a]` times along each axis `a`; missing axes are added in front.
pub fn tile(x: &Tensor, repetitions: &[i64]) -> Result<Tensor> {
    let op = "tile";
    if let Some(bad) = repetitions.iter().find(|&&r| r < 0) {
        return Err(Error::value(op, format!("expected repetitions >= 0, got {bad}")));
    }
    let rank = x.rank().max(repetitions.len());
    let size = |a: usize| if a + x.rank() < rank { 1 } else { x.shape()[a + x.rank() - rank] };
    let times = |a: usize| match (a + repetitions.len()).checked_sub(rank) {
        Some(i) => repetitions[i] as usize,
        None => 1,
    };
    // Pairs of axes (times, size) for the repeated ones, so that ranks stay small.
    let (mut before, mut wide, mut out) = (Shape::new(), Shape::new(), Shape::new());
    for a in 0..rank {
        if times(a) != 1 {
            before.push(1);
            wide.push(times(a));
        }
        before.push(size(a));
        wide.push(size(a));
        let total = times(a).checked_mul(size(a));
        out.push(total.ok_or_else(|| Error::shape(op, "the result is too large"))?);
    }
    movement::reshape(&movement::broadcast_to(&movement::reshape(x, &before)?, &wide)?, &out)
}

/// Elements moved along the axes, those pushed out at one end coming in at the other; `None` rolls the flattened tensor.
pub fn roll(x: &Tensor, shifts: &[i64], axes: Option<&[i64]>) -> Result<Tensor> {
    let op = "roll";
    let Some(axes) = axes else {
        let [shift] = shifts else {
            return Err(Error::value(op, format!("expected one shift without axes, got {}", shifts.len())));
        };
        let flat = roll(&movement::reshape(x, &[x.numel()])?, &[*shift], Some(&[0]))?;
        return movement::reshape(&flat, x.shape());
    };
    let pairs: SmallVec<[(i64, i64); 4]> = match (shifts, axes) {
        ([shift], axes) => axes.iter().map(|&a| (*shift, a)).collect(),
        _ if shifts.len() == axes.len() => shifts.iter().copied().zip(axes.iter().copied()).collect(),
        _ => {
            let message = format!("expected as many shifts as axes, got {} and {}", shifts.len(), axes.len());
            return Err(Error::value(op, message));
        }
    };
    let mut y = x.clone();
    for (shift, axis) in pairs {
        let axis = shape::normalize_axis(op, axis, x.rank())?;
        let n = x.shape()[axis];
        let by = if n == 0 { 0 } else { shift.rem_euclid(n as i64) as usize };
        if by > 0 {
            let (front, back) = (movement::narrow(&y, axis, n - by, by)?, movement::narrow(&y, axis, 0, n - by)?);
            y = join::concat(&[&front, &back], Some(axis as i64))?;
        }
    }
    Ok(y)
}
