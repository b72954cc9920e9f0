//! Reductions: sum, prod, mean, max, min, any, all, count_nonzero, var, std, argmax, argmin.

mod arg;
mod cpu;
mod fold;
pub(super) mod gpu;
mod gradient;
pub(crate) mod kinds;
mod moments;
mod tree;

pub use arg::{argmax, argmin};
pub use cpu::Geometry;
pub use moments::{std, var};

use super::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::device::Device;
use crate::dispatch;
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::shape::{self, Layout, Shape};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// Axes in ascending order.
pub(crate) type Axes = SmallVec<[usize; 6]>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    Sum,
    Prod,
    Mean,
    Max,
    Min,
    Any,
    All,
    CountNonzero,
}

use Reduction::*;

impl Reduction {
    /// The type of the result for elements of `dtype`.
    fn result(self, dtype: DType, device: Device) -> DType {
        match self {
            Sum | Prod if dtype.is_unsigned() => device.widest_unsigned(),
            Sum | Prod if dtype.kind() < Kind::Float => device.widest_int(),
            Any | All => DType::Bool,
            CountNonzero => device.widest_int(),
            _ => dtype,
        }
    }
}

/// One reduction over some axes; with `keepdims` they stay, with size one.
#[derive(Debug, Clone)]
pub struct Reduce {
    pub kind: Reduction,
    pub axes: Axes,
    pub keepdims: bool,
}

impl Gradient for Reduce {
    fn name(&self) -> &'static str {
        match self.kind {
            Sum => "sum",
            Prod => "prod",
            Mean => "mean",
            Max => "max",
            Min => "min",
            Any => "any",
            All => "all",
            CountNonzero => "count_nonzero",
        }
    }
    fn saves(&self) -> Saves {
        match self.kind {
            Max | Min => Saves::ALL,
            Prod => Saves::INPUTS,
            _ => Saves::NOTHING,
        }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(gradient::backward(self, saved, only(dy)?)?)
    }
}

impl Op for Reduce {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        let empty = self.axes.iter().any(|&a| x.shape()[a] == 0);
        if matches!(self.kind, Max | Min) && empty && !reduced_shape(x.shape(), &self.axes, false).contains(&0) {
            let got = shape::display(x.shape());
            return Err(Error::value(self.name(), format!("no elements to choose from, got shape {got}")));
        }
        let shape = reduced_shape(x.shape(), &self.axes, self.keepdims);
        Ok(smallvec![Spec { shape, dtype: self.kind.result(x.dtype(), x.device()) }])
    }

    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, geometry) = arrange(&inputs[0].detach(), &self.axes)?;
        macro_rules! run {
            ($group:ident, $fold:ident) => {
                dispatch!(x.dtype(), self.name(), [$group], T => {
                    cpu::run::<kinds::$fold<T>>(self.name(), x.slice::<T>()?, geometry, outputs[0].slice_mut()?)
                })
            };
        }
        match self.kind {
            Sum => run!(any, Sum),
            Prod => run!(any, Prod),
            Mean => run!(inexact, Mean),
            Max => dispatch_ordered(self.name(), &x, geometry, &mut outputs[0], true),
            Min => dispatch_ordered(self.name(), &x, geometry, &mut outputs[0], false),
            Any => run!(any, Any),
            All => run!(any, All),
            CountNonzero => run!(any, Nonzero),
        }
    }

    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::reduce(self.name(), gpu::Fold::Value(self.kind), inputs[0], &self.axes, &mut outputs[0])
    }
}

fn dispatch_ordered(op: &str, x: &Tensor, geometry: Geometry, out: &mut Output, highest: bool) -> Result<()> {
    if x.dtype().is_bool() {
        let (from, to) = (x.slice::<bool>()?, out.slice_mut::<bool>()?);
        return match highest {
            true => cpu::run::<kinds::Max<bool>>(op, from, geometry, to),
            false => cpu::run::<kinds::Min<bool>>(op, from, geometry, to),
        };
    }
    dispatch!(x.dtype(), op, [real], T => match highest {
        true => cpu::run::<kinds::Max<T>>(op, x.slice::<T>()?, geometry, out.slice_mut::<T>()?),
        false => cpu::run::<kinds::Min<T>>(op, x.slice::<T>()?, geometry, out.slice_mut::<T>()?),
    })
}

/// The shape left when `axes` are reduced.
pub(crate) fn reduced_shape(shape: &[usize], axes: &[usize], keepdims: bool) -> Shape {
    let size = |(axis, &n): (usize, &usize)| match axes.contains(&axis) {
        true => keepdims.then_some(1),
        false => Some(n),
    };
    shape.iter().enumerate().filter_map(size).collect()
}

/// Contiguous memory whose middle axis is everything to be reduced; outputs come in the order of the kept axes.
pub(crate) fn arrange(x: &Tensor, axes: &[usize]) -> Result<(Tensor, Geometry)> {
    let kept: Axes = (0..x.rank()).filter(|a| !axes.contains(a)).collect();
    // Elements in the order of memory: reductions may visit them in any order, as long as outputs keep theirs.
    let mut order: Axes = (0..x.rank()).collect();
    order.sort_by_key(|&a| std::cmp::Reverse(if x.shape()[a] == 1 { 0 } else { x.layout().strides[a].unsigned_abs() }));
    let in_memory = permuted(x, &order)?;
    let kept_in_order = order.iter().filter(|a| kept.contains(a) && x.shape()[**a] != 1).is_sorted();
    if in_memory.is_contiguous()
        && kept_in_order
        && let Some(geometry) = Geometry::of(in_memory.shape(), |i| axes.contains(&order[i]))
    {
        return Ok((in_memory, geometry));
    }
    if let Some(geometry) = Geometry::of(x.shape(), |a| axes.contains(&a)) {
        return Ok((copy::contiguous(x)?, geometry));
    }
    let order: Axes = kept.iter().chain(axes).copied().collect();
    let size = |axes: &[usize]| axes.iter().map(|&a| x.shape()[a]).product();
    let geometry = Geometry { outer: size(&kept), n: size(axes), inner: 1 };
    Ok((copy::contiguous(&permuted(x, &order)?)?, geometry))
}

fn permuted(x: &Tensor, order: &[usize]) -> Result<Tensor> {
    let Layout { shape, strides, offset } = x.layout();
    let shape = order.iter().map(|&a| shape[a]).collect();
    x.with_layout(Layout { shape, strides: order.iter().map(|&a| strides[a]).collect(), offset: *offset })
}

/// The axes a user named (all of them for `None`), ascending.
pub(crate) fn sorted_axes(op: &str, x: &Tensor, axes: Option<&[i64]>) -> Result<Axes> {
    let mut axes = match axes {
        Some(axes) => shape::normalize_axes(op, axes, x.rank())?,
        None => (0..x.rank()).collect(),
    };
    axes.sort_unstable();
    Ok(axes)
}

/// Reduces the named axes.
pub fn reduce(kind: Reduction, x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    let mut op = Reduce { kind, axes: Axes::new(), keepdims };
    op.axes = sorted_axes(op.name(), x, axes)?;
    let groups = 1 + op.axes.windows(2).filter(|pair| pair[0] + 1 != pair[1]).count();
    let repeatable = matches!(kind, Sum | Prod | Mean | Max | Min | Any | All) && x.dtype().compute() == x.dtype();
    if groups == 1 || !repeatable || !x.is_contiguous() {
        return apply1(op, &[x]);
    }
    // Separate runs of axes, innermost first: cheaper than bringing them together by a copy.
    let mut y = x.clone();
    let mut rest = op.axes.as_slice();
    while let Some(&last) = rest.last() {
        let run = (0..rest.len()).rev().take_while(|&i| rest[i] + (rest.len() - 1 - i) == last).count();
        let (left, axes) = rest.split_at(rest.len() - run);
        y = apply1(Reduce { kind, axes: Axes::from_slice(axes), keepdims }, &[&y])?;
        rest = left;
    }
    Ok(y)
}

/// `sum` and `prod` with the standard's choice of type: integers wide enough, floats as they are, or `dtype`.
fn accumulated(
    kind: Reduction,
    x: &Tensor,
    axes: Option<&[i64]>,
    dtype: Option<DType>,
    keepdims: bool,
) -> Result<Tensor> {
    match dtype {
        None => reduce(kind, x, axes, keepdims),
        // Wrapping arithmetic commutes with narrowing, so integers are accumulated wide and cast once.
        Some(dtype) if x.dtype().kind() < Kind::Float && dtype.is_int() => {
            cast::astype(&reduce(kind, x, axes, keepdims)?, dtype)
        }
        Some(dtype) => reduce(kind, &cast::astype(x, dtype)?, axes, keepdims),
    }
}

/// The sum over the axes, accumulated in a fixed tree: exact to about one rounding, the same bits on any thread count.
pub fn sum(x: &Tensor, axes: Option<&[i64]>, dtype: Option<DType>, keepdims: bool) -> Result<Tensor> {
    accumulated(Sum, x, axes, dtype, keepdims)
}

/// The product over the axes.
pub fn prod(x: &Tensor, axes: Option<&[i64]>, dtype: Option<DType>, keepdims: bool) -> Result<Tensor> {
    accumulated(Prod, x, axes, dtype, keepdims)
}

/// The arithmetic mean over the axes; NaN over none.
pub fn mean(x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    reduce(Mean, x, axes, keepdims)
}

/// The largest element, or NaN when there is one. Equal largest elements share the gradient.
pub fn max(x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    reduce(Max, x, axes, keepdims)
}

/// The smallest element, or NaN when there is one. Equal smallest elements share the gradient.
pub fn min(x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    reduce(Min, x, axes, keepdims)
}

/// Whether some element is not zero.
pub fn any(x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    reduce(Any, x, axes, keepdims)
}

/// Whether no element is zero.
pub fn all(x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    reduce(All, x, axes, keepdims)
}

/// How many elements are not zero.
pub fn count_nonzero(x: &Tensor, axes: Option<&[i64]>, keepdims: bool) -> Result<Tensor> {
    reduce(CountNonzero, x, axes, keepdims)
}

/// The sum that undoes a broadcast: `x` summed down to `shape`, which broadcasts to it.
pub fn sum_to(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if x.shape() == shape {
        return Ok(x.clone());
    }
    let broadcast = shape::broadcast("sum_to", x.shape(), shape)?;
    if broadcast.as_slice() != x.shape() {
        let (from, to) = (shape::display(x.shape()), shape::display(shape));
        return Err(Error::shape("sum_to", format!("expected a shape that broadcasts to {from}, got {to}")));
    }
    let lead = x.rank() - shape.len();
    let stretched = |a: &i64| (*a as usize) < lead || shape[*a as usize - lead] != x.shape()[*a as usize];
    let axes: SmallVec<[i64; 6]> = (0..x.rank() as i64).filter(stretched).collect();
    let total = sum(x, Some(&axes), Some(x.dtype()), true)?;
    movement::reshape(&total, shape)
}

#[cfg(test)]
mod tests;
