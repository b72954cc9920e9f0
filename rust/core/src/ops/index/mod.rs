//! Indexing as in NumPy and the array API: `x[1, ::2, None, mask, indices]`, read and written, and lookups by index.

mod along;
mod cpu;
mod lookup;
mod parse;
pub(crate) mod rows;

pub use along::{gather, one_hot, scatter, scatter_add, take_along_axis};
pub use lookup::{embedding, index_add, index_select, repeat, roll, take, tile};

use super::{cast, copy, movement};
use crate::autograd;
use crate::dtype::Kind;
use crate::error::{Error, Result};
use crate::shape::{self, Layout, Shape};
use crate::tensor::Tensor;
use parse::{Advanced, Parsed};

/// One entry between the brackets of `x[...]`.
#[derive(Debug, Clone)]
pub enum Index {
    Int(i64),
    Slice {
        start: Option<i64>,
        stop: Option<i64>,
        step: Option<i64>,
    },
    NewAxis,
    Ellipsis,
    /// Integers of any shape; several are broadcast against each other.
    Tensor(Tensor),
    /// Bools over as many axes as the mask has.
    Mask(Tensor),
}

/// `x[index]`: a view for integers and slices, a copy where tensors take part.
pub fn getitem(x: &Tensor, index: &[Index]) -> Result<Tensor> {
    let parsed = parse::parse("getitem", x, index)?;
    let part = parsed.view(x)?;
    match &parsed.advanced {
        None => Ok(part),
        Some(advanced) => {
            advanced.place(&rows::take("getitem", &advanced.merge(&part)?, advanced.axis, &advanced.rows)?)
        }
    }
}

/// The value that `x` has after `x[index] = value`; `x` itself is untouched.
pub fn setitem(x: &Tensor, index: &[Index], value: &Tensor) -> Result<Tensor> {
    setitem_owned(x.clone(), index, value)
}

/// `setitem` that writes into the memory of `x` where nobody else looks at it and nothing is recorded.
pub fn setitem_owned(x: Tensor, index: &[Index], value: &Tensor) -> Result<Tensor> {
    let op = "setitem";
    let parsed = parse::parse(op, &x, index)?;
    if value.dtype().kind() == Kind::Complex && x.dtype().kind() != Kind::Complex {
        let message = format!("a complex value does not fit, expected {}, got {}", x.dtype(), value.dtype());
        return Err(Error::dtype(op, message));
    }
    let value = cast::astype(value, x.dtype())?;
    let Some(advanced) = &parsed.advanced else {
        let value = fitted(&value, &parsed.shape)?;
        return write_region(x, &value, &parsed);
    };
    let value = advanced.unplace(&fitted(&value, &advanced.result_shape(&parsed.shape))?)?;
    if parsed.is_whole(&x) && advanced.order.is_none() {
        let shape = x.shape_owned();
        let merged = advanced.merge(&x)?;
        drop(x);
        let written = rows::put_owned(merged, advanced.axis, &advanced.rows, &value)?;
        return movement::reshape(&written, &shape);
    }
    let merged = advanced.merge(&parsed.view(&x)?)?;
    let written = rows::put_owned(merged, advanced.axis, &advanced.rows, &value)?;
    let written = advanced.unmerge(&written, &parsed.shape)?;
    write_region(x, &written, &parsed)
}

fn write_region(mut x: Tensor, value: &Tensor, parsed: &Parsed) -> Result<Tensor> {
    let region = parsed.region(&Layout::contiguous(x.shape()))?;
    if autograd::must_record(&[&x, value]) || x.device() != crate::Device::Cpu {
        return copy::assign(&x, value, region);
    }
    copy::assign_owned(&mut x, value, region)?;
    Ok(x.detach())
}

/// A value stretched to the shape of what it replaces; axes of size one in front are dropped, as in NumPy.
fn fitted(value: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let extra = value.rank().saturating_sub(shape.len());
    let trimmed = match value.shape()[..extra].iter().all(|&n| n == 1) {
        true => movement::reshape(value, &value.shape()[extra..])?,
        false => value.clone(),
    };
    movement::broadcast_to(&trimmed, shape).map_err(|_| {
        let (want, got) = (shape::display(shape), shape::display(value.shape()));
        Error::shape("setitem", format!("value does not fit, expected a shape that broadcasts to {want}, got {got}"))
    })
}

impl Advanced {
    /// The indexed axes brought together into one.
    fn merge(&self, part: &Tensor) -> Result<Tensor> {
        let part = match &self.order {
            Some(order) => movement::permute(part, order)?,
            None => part.clone(),
        };
        let mut shape = Shape::from_slice(&part.shape()[..self.axis]);
        shape.push(part.shape()[self.axis..self.axis + self.count].iter().product());
        shape.extend_from_slice(&part.shape()[self.axis + self.count..]);
        movement::reshape(&part, &shape)
    }

    /// The opposite of `merge`, for a part that had this shape.
    fn unmerge(&self, merged: &Tensor, part: &[usize]) -> Result<Tensor> {
        let Some(order) = &self.order else { return movement::reshape(merged, part) };
        let permuted: Shape = order.iter().map(|&a| part[a as usize]).collect();
        let mut back = vec![0i64; order.len()];
        order.iter().enumerate().for_each(|(to, &from)| back[from as usize] = to as i64);
        movement::permute(&movement::reshape(merged, &permuted)?, &back)
    }

    /// Axes of the result where they belong: those of the index tensors may have to come first.
    fn place(&self, taken: &Tensor) -> Result<Tensor> {
        self.moved(taken, self.axis, 0)
    }

    fn unplace(&self, value: &Tensor) -> Result<Tensor> {
        self.moved(value, 0, self.axis)
    }

    fn moved(&self, x: &Tensor, from: usize, to: usize) -> Result<Tensor> {
        if !self.first || self.axis == 0 {
            return Ok(x.clone());
        }
        let axes = |start: usize| (start..start + self.rows.rank()).map(|a| a as i64).collect::<Vec<_>>();
        movement::move_axes(x, &axes(from), &axes(to))
    }

    /// The shape of `x[index]`, when basic indexing leaves a part of this shape.
    fn result_shape(&self, part: &[usize]) -> Shape {
        let kept: Shape = match &self.order {
            Some(order) => order[self.count..].iter().map(|&a| part[a as usize]).collect(),
            None => part[..self.axis].iter().chain(&part[self.axis + self.count..]).copied().collect(),
        };
        let at = if self.first { 0 } else { self.axis };
        let mut shape = Shape::from_slice(&kept[..at]);
        shape.extend_from_slice(self.rows.shape());
        shape.extend_from_slice(&kept[at..]);
        shape
    }
}

#[cfg(test)]
mod tests;
