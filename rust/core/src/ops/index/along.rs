//! One index an element: gather, scatter, scatter_add, take_along_axis. Each is a row op over flattened memory.

use super::cpu::out_of_bounds;
use super::rows;
use crate::cpu::pool;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::{create, movement};
use crate::shape::{self, Layout, Shape};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Flat positions in a contiguous tensor of `shape`: the index counts along `axis`, the place of the index along the others.
fn flat_positions(op: &str, shape: &[usize], axis: usize, index: &Tensor) -> Result<Tensor> {
    let fits = index.rank() == shape.len() && (0..shape.len()).all(|a| a == axis || index.shape()[a] <= shape[a]);
    if !fits {
        let (want, got) = (shape::display(shape), shape::display(index.shape()));
        return Err(Error::shape(
            op,
            format!("index does not fit, expected at most {want} apart from axis {axis}, got {got}"),
        ));
    }
    let mut flat = rows::resolve(op, index, shape[axis], axis)?;
    if index.rank() <= 1 {
        return Ok(flat);
    }
    let steps = Layout::contiguous(shape).strides;
    let places: Shape = SmallVec::from_slice(index.shape());
    let last = places.len() - 1;
    let row = places[last].max(1);
    let across = if last == axis { 0 } else { steps[last] as i64 };
    let along = steps[axis] as i64;
    pool::for_each_chunk(flat.make_mut::<i64>()?, row, |number, part| {
        let (mut rest, mut start) = (number, 0);
        for a in (0..last).rev() {
            start += if a == axis { 0 } else { (rest % places[a]) as i64 * steps[a] as i64 };
            rest /= places[a];
        }
        for (j, i) in part.iter_mut().enumerate() {
            *i = *i * along + start + j as i64 * across;
        }
    })?;
    Ok(flat)
}

fn axis_of(op: &str, x: &Tensor, axis: i64) -> Result<usize> {
    shape::normalize_axis(op, axis, x.rank())
}

fn flattened(x: &Tensor) -> Result<Tensor> {
    movement::reshape(x, &[x.numel()])
}

/// `out[i][j][k] = x[i][index[i][j][k]][k]` for axis 1; the index may be smaller than `x` on the other axes.
pub fn gather(x: &Tensor, axis: i64, index: &Tensor) -> Result<Tensor> {
    let flat = flat_positions("gather", x.shape(), axis_of("gather", x, axis)?, index)?;
    rows::take("gather", &flattened(x)?, 0, &flat)
}

/// The part of a scatter's source that the index covers, in the type of `x`.
fn source_part(op: &str, x: &Tensor, index: &Tensor, source: &Tensor) -> Result<Tensor> {
    if source.dtype() != x.dtype() {
        return Err(Error::dtype(op, format!("expected a source of {}, got {}", x.dtype(), source.dtype())));
    }
    let covers = source.rank() == index.rank() && source.shape().iter().zip(index.shape()).all(|(s, i)| s >= i);
    if !covers {
        let (want, got) = (shape::display(index.shape()), shape::display(source.shape()));
        return Err(Error::shape(op, format!("source is smaller than the index, expected at least {want}, got {got}")));
    }
    let spans: SmallVec<[movement::Span; 6]> = index.shape().iter().map(|&n| movement::Span::all(n)).collect();
    if source.shape() == index.shape() { Ok(source.clone()) } else { movement::slice(source, &spans) }
}

/// `x` with `out[i][index[i][j][k]][k] = source[i][j][k]` for axis 1; the last of equal indices wins.
pub fn scatter(x: &Tensor, axis: i64, index: &Tensor, source: &Tensor) -> Result<Tensor> {
    let op = "scatter";
    let flat = flat_positions(op, x.shape(), axis_of(op, x, axis)?, index)?;
    let written = rows::put(&flattened(x)?, 0, &flat, &source_part(op, x, index, source)?)?;
    movement::reshape(&written, x.shape())
}

/// `x` with `out[i][index[i][j][k]][k] += source[i][j][k]` for axis 1; the same bits for any number of threads.
pub fn scatter_add(x: &Tensor, axis: i64, index: &Tensor, source: &Tensor) -> Result<Tensor> {
    let op = "scatter_add";
    let flat = flat_positions(op, x.shape(), axis_of(op, x, axis)?, index)?;
    let total = rows::deposit(&source_part(op, x, index, source)?, 0, x.numel(), &flat, None)?;
    x.add(&movement::reshape(&total, x.shape())?)
}

/// `gather` with the two operands broadcast against each other on the other axes.
pub fn take_along_axis(x: &Tensor, index: &Tensor, axis: i64) -> Result<Tensor> {
    let op = "take_along_axis";
    let axis = axis_of(op, x, axis)?;
    if index.rank() != x.rank() {
        return Err(Error::shape(op, format!("expected indices with {} axes, got {}", x.rank(), index.rank())));
    }
    let one = |t: &Tensor| {
        let mut shape = t.shape_owned();
        shape[axis] = 1;
        shape
    };
    let common = shape::broadcast(op, &one(x), &one(index))?;
    let stretch = |t: &Tensor| {
        let mut shape = common.clone();
        shape[axis] = t.shape()[axis];
        movement::broadcast_to(t, &shape)
    };
    gather(&stretch(x)?, axis as i64, &stretch(index)?)
}

/// Ones at the class each element names, zeros elsewhere, on a new last axis; -1 counts the classes.
pub fn one_hot(x: &Tensor, num_classes: i64) -> Result<Tensor> {
    let op = "one_hot";
    if !x.dtype().is_int() {
        return Err(Error::dtype(op, format!("expected integer classes, got {}", x.dtype())));
    }
    let classes = crate::ops::copy::contiguous(&crate::ops::cast::astype(x, DType::I64)?)?;
    let values = classes.slice::<i64>()?;
    let highest = values.iter().copied().max();
    let count = match (num_classes, highest) {
        (-1, None) => return Err(Error::value(op, "expected num_classes for an empty tensor, got -1")),
        (-1, Some(highest)) => usize::try_from(highest.saturating_add(1)).unwrap_or(0),
        (n, _) if n < 0 => return Err(Error::value(op, format!("expected num_classes >= 0 or -1, got {n}"))),
        (n, _) => n as usize,
    };
    if let Some(bad) = values.iter().find(|&&c| c < 0 || c as usize >= count) {
        return Err(out_of_bounds(op, bad, count, x.rank()));
    }
    let mut shape = classes.shape_owned();
    shape.push(count);
    let zeros = create::zeros(&shape, DType::I64, x.device())?;
    let places = movement::expand_dims(&classes, &[-1])?;
    let ones = create::ones(places.shape(), DType::I64, x.device())?;
    scatter(&zeros, -1, &places, &ones)
}
