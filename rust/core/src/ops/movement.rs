//! Movement: the same elements under another shape. All of these are views; none copies unless strides force it.

use super::{View, copy, view};
use crate::autograd::{self, Gradient, Grads, Saved, one, only};
use crate::error::{Error, Result};
use crate::shape::{self, Layout, Shape, Strides};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::sync::Arc;

type Axes = SmallVec<[usize; 6]>;

#[derive(Debug)]
struct Reshape(Layout);

impl Gradient for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(reshape(only(dy)?, &saved.spec(0).shape)?)
    }
}

impl View for Reshape {
    fn layout(&self, _: &Tensor) -> Result<Layout> {
        Ok(self.0.clone())
    }
}

/// The same elements, in order, under `shape`.
pub fn reshape(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let numel = shape::checked_numel("reshape", shape)?;
    if numel != x.numel() {
        let (from, to) = (shape::display(x.shape()), shape::display(shape));
        let message = format!("{from} has {} elements, expected as many in {to}, got {numel}", x.numel());
        return Err(Error::shape("reshape", message));
    }
    if shape == x.shape() {
        return Ok(x.clone());
    }
    match x.layout().view_as(shape) {
        Some(layout) => view(Reshape(layout), x),
        None => reshape(&copy::copied(x)?, shape),
    }
}

/// `reshape` with at most one -1, which takes what is left.
pub fn reshape_inferred(x: &Tensor, sizes: &[i64]) -> Result<Tensor> {
    let op = "reshape";
    if let Some(bad) = sizes.iter().find(|&&n| n < -1) {
        return Err(Error::shape(op, format!("expected sizes >= 0 or one -1, got {bad}")));
    }
    let unknown = sizes.iter().filter(|&&n| n == -1).count();
    if unknown > 1 {
        return Err(Error::shape(op, format!("expected at most one -1, got {sizes:?}")));
    }
    let known = |&n: &i64| if n < 0 { 1 } else { n as usize };
    let mut shape: Shape = sizes.iter().map(known).collect();
    if let Some(free) = sizes.iter().position(|&n| n == -1) {
        let rest = shape::checked_numel(op, &shape)?;
        if rest == 0 || x.numel() % rest != 0 {
            let from = shape::display(x.shape());
            return Err(Error::shape(op, format!("cannot fill in the -1 of {sizes:?} from shape {from}")));
        }
        shape[free] = x.numel() / rest;
    }
    reshape(x, &shape)
}

/// Axis `i` of the result is axis `self.0[i]` of the input.
#[derive(Debug)]
struct Permute(Axes);

impl Gradient for Permute {
    fn name(&self) -> &'static str {
        "permute_dims"
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let mut inverse: Axes = SmallVec::from_elem(0, self.0.len());
        self.0.iter().enumerate().for_each(|(i, &a)| inverse[a] = i);
        one(view(Permute(inverse), only(dy)?)?)
    }
}

impl View for Permute {
    fn layout(&self, x: &Tensor) -> Result<Layout> {
        let Layout { shape, strides, offset } = x.layout();
        let layout = Layout {
            shape: self.0.iter().map(|&a| shape[a]).collect(),
            strides: self.0.iter().map(|&a| strides[a]).collect(),
            offset: *offset,
        };
        Ok(layout)
    }
}

/// Axes in another order.
pub fn permute(x: &Tensor, axes: &[i64]) -> Result<Tensor> {
    let op = "permute_dims";
    if axes.len() != x.rank() {
        return Err(Error::value(op, format!("expected {} axes, got {axes:?}", x.rank())));
    }
    view(Permute(shape::normalize_axes(op, axes, x.rank())?), x)
}

/// Two axes exchanged.
pub fn swap_axes(x: &Tensor, a: i64, b: i64) -> Result<Tensor> {
    let (a, b) = (shape::normalize_axis("transpose", a, x.rank())?, shape::normalize_axis("transpose", b, x.rank())?);
    let mut axes: Axes = (0..x.rank()).collect();
    axes.swap(a, b);
    view(Permute(axes), x)
}

/// The last two axes exchanged: `x.mT`.
pub fn matrix_transpose(x: &Tensor) -> Result<Tensor> {
    if x.rank() < 2 {
        let got = shape::display(x.shape());
        return Err(Error::shape("matrix_transpose", format!("expected at least two axes, got shape {got}")));
    }
    swap_axes(x, -2, -1)
}

/// Axes moved to other places, the rest keeping their order.
pub fn move_axes(x: &Tensor, source: &[i64], destination: &[i64]) -> Result<Tensor> {
    let op = "moveaxis";
    let from = shape::normalize_axes(op, source, x.rank())?;
    let to = shape::normalize_axes(op, destination, x.rank())?;
    if from.len() != to.len() {
        return Err(Error::value(
            op,
            format!("expected as many destinations as sources, got {} and {}", to.len(), from.len()),
        ));
    }
    let mut rest = (0..x.rank()).filter(|a| !from.contains(a));
    let place = |i: usize| to.iter().position(|&t| t == i).map(|k| from[k]);
    let axes: Axes = (0..x.rank()).filter_map(|i| place(i).or_else(|| rest.next())).collect();
    view(Permute(axes), x)
}

#[derive(Debug)]
struct Broadcast(Shape);

impl Gradient for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(super::reduce::sum_to(only(dy)?, &saved.spec(0).shape)?)
    }
}

impl View for Broadcast {
    fn layout(&self, x: &Tensor) -> Result<Layout> {
        x.layout().broadcast_to("broadcast_to", &self.0)
    }
}

/// Axes of size one stretched to `shape`, without copying.
pub fn broadcast_to(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if x.shape() == shape {
        return Ok(x.clone());
    }
    view(Broadcast(SmallVec::from_slice(shape)), x)
}

/// Every tensor stretched to their common shape.
pub fn broadcast_all(op: &str, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    let mut common = Shape::new();
    for x in inputs {
        common = shape::broadcast(op, &common, x.shape())?;
    }
    inputs.iter().map(|x| broadcast_to(x, &common)).collect()
}

/// A region of the input, given as a layout over the input's contiguous form.
#[derive(Debug)]
struct Region {
    layout: Layout,
}

impl Gradient for Region {
    fn name(&self) -> &'static str {
        "getitem"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(copy::place(saved.spec(0), &[only(dy)?], SmallVec::from_buf([self.layout.clone()]))?)
    }
}

impl View for Region {
    fn layout(&self, x: &Tensor) -> Result<Layout> {
        if !x.is_contiguous() {
            return Err(Error::internal("getitem", "region of a strided tensor"));
        }
        Ok(Layout { offset: x.layout().offset + self.layout.offset, ..self.layout.clone() })
    }
}

/// The elements of a contiguous tensor that `region` (a layout over it) describes.
pub fn region(x: &Tensor, region: Layout) -> Result<Tensor> {
    view(Region { layout: region }, &copy::contiguous(x)?)
}

/// What a basic index takes of one axis: `count` elements from `start`, `step` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub step: isize,
    pub count: usize,
}

impl Span {
    pub fn all(n: usize) -> Span {
        Span { start: 0, step: 1, count: n }
    }

    /// Python's slice rules for an axis of `n`.
    pub fn from_slice(start: Option<i64>, stop: Option<i64>, step: i64, n: usize) -> Result<Span> {
        if step == 0 {
            return Err(Error::value("getitem", "slice step must not be zero"));
        }
        let n = n as i64;
        let (lowest, highest) = if step > 0 { (0, n) } else { (-1, n - 1) };
        let place = |i: i64| (if i < 0 { i.saturating_add(n) } else { i }).clamp(lowest, highest);
        let first = start.map_or(if step > 0 { lowest } else { highest }, place);
        let last = stop.map_or(if step > 0 { highest } else { lowest }, place);
        let span = if step > 0 { last - first } else { first - last };
        let count = if span <= 0 { 0 } else { (span - 1) / step.saturating_abs() + 1 };
        // A step past the axis is never taken; keeping it small keeps strides inside isize.
        let step = step.clamp(-n.max(1), n.max(1)) as isize;
        Ok(Span { start: if count == 0 { 0 } else { first as usize }, step, count: count as usize })
    }
}

/// The layout that spans of every axis describe.
pub fn spanned(layout: &Layout, spans: &[Span]) -> Layout {
    let mut offset = layout.offset as isize;
    let mut shape = Shape::new();
    let mut strides = Strides::new();
    for (span, stride) in spans.iter().zip(&layout.strides) {
        offset += span.start as isize * stride;
        shape.push(span.count);
        strides.push(if span.count > 1 { stride * span.step } else { *stride });
    }
    let offset = if shape.contains(&0) { 0 } else { offset as usize };
    Layout { shape, strides, offset }
}

/// Start, step and count on every axis.
#[derive(Debug)]
struct Slice(SmallVec<[Span; 4]>);

impl Gradient for Slice {
    fn name(&self) -> &'static str {
        "getitem"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let whole = saved.spec(0);
        let region = spanned(&Layout::contiguous(&whole.shape), &self.0);
        one(copy::place(whole, &[only(dy)?], SmallVec::from_buf([region]))?)
    }
}

impl View for Slice {
    fn layout(&self, x: &Tensor) -> Result<Layout> {
        Ok(spanned(x.layout(), &self.0))
    }
}

/// Part of a tensor, one span an axis.
pub fn slice(x: &Tensor, spans: &[Span]) -> Result<Tensor> {
    if spans.len() != x.rank() {
        return Err(Error::internal("getitem", "expected one span an axis"));
    }
    view(Slice(SmallVec::from_slice(spans)), x)
}

/// Neighbours along an axis, which together are the whole; their gradients are joined in one go.
#[derive(Debug)]
struct Parts {
    axis: usize,
    sizes: Vec<usize>,
}

impl Parts {
    fn layouts(&self, whole: &Layout) -> impl Iterator<Item = Layout> {
        let mut start = 0;
        self.sizes.iter().map(move |&count| {
            let mut spans: SmallVec<[Span; 4]> = whole.shape.iter().map(|&n| Span::all(n)).collect();
            spans[self.axis] = Span { start, step: 1, count };
            start += count;
            spanned(whole, &spans)
        })
    }
}

impl Gradient for Parts {
    fn name(&self) -> &'static str {
        "split"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let whole = saved.spec(0);
        let full = Layout::contiguous(&whole.shape);
        let regions = self.layouts(&full).zip(dy);
        let (regions, parts): (SmallVec<_>, Vec<_>) =
            regions.filter_map(|(region, dy)| dy.as_ref().map(|dy| (region, dy))).unzip();
        one(copy::place(whole, &parts, regions)?)
    }
}

/// The tensor cut along an axis into parts of these sizes, which add up to it.
pub fn parts(x: &Tensor, axis: usize, sizes: Vec<usize>) -> Result<Vec<Tensor>> {
    if x.shape().get(axis) != Some(&sizes.iter().sum()) {
        return Err(Error::internal("split", "sizes do not add up"));
    }
    let op = Parts { axis, sizes };
    let views = op.layouts(x.layout()).map(|layout| x.with_layout(layout)).collect::<Result<_>>()?;
    let views = if autograd::must_record(&[x]) { autograd::record(Arc::new(op), &[x], views)? } else { views };
    Ok(views.into_vec())
}

/// `x` with the part that the spans name replaced by `value`.
pub fn assign_slice(x: &Tensor, spans: &[Span], value: &Tensor) -> Result<Tensor> {
    copy::assign(x, value, spanned(&Layout::contiguous(x.shape()), spans))
}

/// `count` elements from `start` along one axis.
pub fn narrow(x: &Tensor, axis: usize, start: usize, count: usize) -> Result<Tensor> {
    let n = x.shape().get(axis).copied().unwrap_or(0);
    if start.checked_add(count).is_none_or(|end| end > n) {
        return Err(Error::index("narrow", format!("range {start}..{start}+{count} outside axis {axis} of size {n}")));
    }
    let mut spans: SmallVec<[Span; 6]> = x.shape().iter().map(|&n| Span::all(n)).collect();
    spans[axis] = Span { start, step: 1, count };
    slice(x, &spans)
}

/// Reversed order along the axes (all of them when none is named).
pub fn flip(x: &Tensor, axes: Option<&[i64]>) -> Result<Tensor> {
    let axes = match axes {
        Some(axes) => shape::normalize_axes("flip", axes, x.rank())?,
        None => (0..x.rank()).collect(),
    };
    let span = |(axis, &n): (usize, &usize)| match axes.contains(&axis) && n > 0 {
        true => Span { start: n - 1, step: -1, count: n },
        false => Span::all(n),
    };
    let spans: SmallVec<[Span; 6]> = x.shape().iter().enumerate().map(span).collect();
    slice(x, &spans)
}

/// A new axis of size one at each of the given places of the result.
pub fn expand_dims(x: &Tensor, axes: &[i64]) -> Result<Tensor> {
    let rank = x.rank() + axes.len();
    let places = shape::normalize_axes("expand_dims", axes, rank)?;
    let mut old = x.shape().iter();
    let size = |i: usize| if places.contains(&i) { Some(1) } else { old.next().copied() };
    let shape: Shape = (0..rank).map_while(size).collect();
    reshape(x, &shape)
}

/// Axes of size one removed.
pub fn squeeze(x: &Tensor, axes: &[i64]) -> Result<Tensor> {
    let axes = shape::normalize_axes("squeeze", axes, x.rank())?;
    if let Some(&axis) = axes.iter().find(|&&a| x.shape()[a] != 1) {
        let message = format!("expected size 1 on axis {axis}, got {}", x.shape()[axis]);
        return Err(Error::value("squeeze", message));
    }
    let shape: Shape = (0..x.rank()).filter(|a| !axes.contains(a)).map(|a| x.shape()[a]).collect();
    reshape(x, &shape)
}

/// Several axes from `start` to `end` (both included) as one.
pub fn flatten(x: &Tensor, start: i64, end: i64) -> Result<Tensor> {
    if x.rank() == 0 {
        return reshape(x, &[1]);
    }
    let (a, b) = (shape::normalize_axis("flatten", start, x.rank())?, shape::normalize_axis("flatten", end, x.rank())?);
    if a > b {
        return Err(Error::value("flatten", format!("start axis {a} lies behind end axis {b}")));
    }
    let mut shape: Shape = SmallVec::from_slice(&x.shape()[..a]);
    shape.push(x.shape()[a..=b].iter().product());
    shape.extend_from_slice(&x.shape()[b + 1..]);
    reshape(x, &shape)
}

/// Diagonal `k` of two axes, as a new last axis. A view.
pub fn diagonal(x: &Tensor, k: i64, axis1: i64, axis2: i64) -> Result<Tensor> {
    let axes = shape::normalize_axes("diagonal", &[axis1, axis2], x.rank())?;
    let x = copy::contiguous(x)?;
    let layout = Layout::contiguous(x.shape());
    let (rows, columns) = (x.shape()[axes[0]] as i64, x.shape()[axes[1]] as i64);
    let (down, right) = (k.saturating_neg().clamp(0, rows), k.clamp(0, columns));
    let count = (rows - down).min(columns - right).max(0) as usize;
    let kept = (0..x.rank()).filter(|a| !axes.contains(a));
    let mut part = Layout { shape: kept.clone().map(|a| x.shape()[a]).collect(), strides: Strides::new(), offset: 0 };
    part.strides = kept.map(|a| layout.strides[a]).collect();
    part.shape.push(count);
    part.strides.push(layout.strides[axes[0]] + layout.strides[axes[1]]);
    if part.numel() > 0 {
        part.offset =
            down as usize * layout.strides[axes[0]] as usize + right as usize * layout.strides[axes[1]] as usize;
    }
    region(&x, part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_python() {
        let span = |a, b, s, n| Span::from_slice(a, b, s, n).unwrap();
        assert_eq!(span(None, None, -1, 4), Span { start: 3, step: -1, count: 4 });
        assert_eq!(span(Some(-3), Some(100), 2, 4), Span { start: 1, step: 2, count: 2 });
        assert_eq!(span(Some(9), Some(1), 1, 4).count, 0);
        assert_eq!(span(None, None, i64::MAX, 4).count, 1);
        assert_eq!(span(None, None, i64::MIN, 4).count, 1);
        assert!(Span::from_slice(None, None, 0, 4).is_err());
    }

    #[test]
    fn views_reach_the_elements_numpy_reaches() {
        let x = Tensor::from_slice(&(0..12i64).collect::<Vec<_>>(), &[3, 4]).unwrap();
        let values = |t: &Tensor| copy::contiguous(t).unwrap().slice::<i64>().unwrap().to_vec();
        assert_eq!(values(&flip(&x, Some(&[1])).unwrap()), [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]);
        assert_eq!(values(&diagonal(&x, 1, 0, 1).unwrap()), [1, 6, 11]);
        assert_eq!(values(&diagonal(&x, -1, 0, 1).unwrap()), [4, 9]);
        assert_eq!(
            values(&reshape(&permute(&x, &[1, 0]).unwrap(), &[2, 6]).unwrap()),
            [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
        );
        assert_eq!(move_axes(&expand_dims(&x, &[0]).unwrap(), &[0], &[-1]).unwrap().shape(), &[3, 4, 1]);
        assert_eq!(reshape_inferred(&x, &[2, -1]).unwrap().shape(), &[2, 6]);
        assert!(reshape_inferred(&x, &[-1, -1]).is_err());
    }

    #[test]
    fn assigning_a_slice_leaves_the_original_alone() {
        let x = Tensor::from_slice(&[1i64, 2, 3, 4], &[4]).unwrap();
        let v = Tensor::scalar(9i64).unwrap();
        let y = assign_slice(&x, &[Span { start: 3, step: -2, count: 2 }], &v).unwrap();
        assert_eq!(y.slice::<i64>().unwrap(), &[1, 9, 3, 9]);
        assert_eq!(x.slice::<i64>().unwrap(), &[1, 2, 3, 4]);
    }
}
