//! What a list of indices means for a tensor: a basic part (spans, dropped and new axes), then at most one lookup of rows.

use super::{Index, cpu::out_of_bounds, rows};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::movement::{self, Span, spanned};
use crate::ops::{create, sort};
use crate::scalar::Scalar;
use crate::shape::{self, Layout, Shape};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// The basic part of an index, and the lookup that follows it.
pub struct Parsed {
    /// One span for each axis of the tensor.
    spans: SmallVec<[Span; 6]>,
    /// The shape of the part once integers have dropped axes and `None` has added some.
    pub shape: Shape,
    pub advanced: Option<Advanced>,
}

/// Index tensors as one lookup: axes `axis..axis + count` of the part (in `order`) merged, and rows of that taken.
pub struct Advanced {
    pub axis: usize,
    pub count: usize,
    /// The order that brings the indexed axes to the front, where they do not lie side by side.
    pub order: Option<Vec<i64>>,
    /// Whether the axes of `rows` come first in the result instead of at `axis`.
    pub first: bool,
    /// Resolved positions on the merged axis.
    pub rows: Tensor,
}

/// An index tensor on some axes of the part.
struct Group {
    axis: usize,
    sizes: Shape,
    rows: Tensor,
}

impl Parsed {
    pub fn view(&self, x: &Tensor) -> Result<Tensor> {
        let whole = self.spans.iter().zip(x.shape()).all(|(span, &n)| *span == Span::all(n));
        let part = if whole { x.clone() } else { movement::slice(x, &self.spans)? };
        movement::reshape(&part, &self.shape)
    }

    /// Where the part lies in the contiguous form of the tensor.
    pub fn region(&self, whole: &Layout) -> Result<Layout> {
        let part = spanned(whole, &self.spans);
        part.view_as(&self.shape).ok_or_else(|| Error::internal("setitem", "axes of size one changed the strides"))
    }

    pub fn is_whole(&self, x: &Tensor) -> bool {
        self.shape.as_slice() == x.shape() && self.spans.iter().zip(x.shape()).all(|(span, &n)| *span == Span::all(n))
    }
}

/// Axes of the tensor that one index uses up.
fn uses(index: &Index) -> usize {
    match index {
        Index::Int(_) | Index::Slice { .. } | Index::Tensor(_) => 1,
        Index::Mask(mask) => mask.rank(),
        Index::NewAxis | Index::Ellipsis => 0,
    }
}

pub fn parse(op: &str, x: &Tensor, index: &[Index]) -> Result<Parsed> {
    let used: usize = index.iter().map(uses).sum();
    if used > x.rank() {
        let message = format!("too many indices: the tensor has {} axes, but {used} were indexed", x.rank());
        return Err(Error::index(op, message));
    }
    if index.iter().filter(|i| matches!(i, Index::Ellipsis)).count() > 1 {
        return Err(Error::index(op, "an index can only have one ellipsis ('...')"));
    }
    let has_tensors = index.iter().any(|i| matches!(i, Index::Tensor(_) | Index::Mask(_)));
    let mut spans = SmallVec::new();
    let mut part = Shape::new();
    let mut groups: Vec<Group> = Vec::new();
    // Runs of neighbouring integers and tensors: in more than one run, their axes come first in the result.
    let (mut runs, mut in_run) = (0, false);
    for entry in index {
        let axis = spans.len();
        let advanced = matches!(entry, Index::Int(_) | Index::Tensor(_) | Index::Mask(_));
        runs += (advanced && !in_run) as usize;
        in_run = advanced;
        match entry {
            Index::Int(i) => spans.push(single(op, *i, x.shape()[axis], axis)?),
            Index::Slice { start, stop, step } => {
                let span = Span::from_slice(*start, *stop, step.unwrap_or(1), x.shape()[axis])?;
                part.push(span.count);
                spans.push(span);
            }
            Index::NewAxis => part.push(1),
            Index::Ellipsis => rest(x, x.rank() - used, &mut spans, &mut part),
            Index::Tensor(t) => {
                let rows = rows::resolve(op, t, x.shape()[axis], axis)?;
                groups.push(Group { axis: part.len(), sizes: Shape::from_slice(&x.shape()[axis..axis + 1]), rows });
                rest(x, 1, &mut spans, &mut part);
            }
            Index::Mask(mask) => groups.push(masked(op, x, mask, &mut spans, &mut part)?),
        }
    }
    rest(x, x.rank() - spans.len(), &mut spans, &mut part);
    shape::checked_numel(op, &part)?;
    let advanced = if has_tensors { Some(combine(op, groups, &part, runs > 1)?) } else { None };
    Ok(Parsed { spans, shape: part, advanced })
}

fn single(op: &str, i: i64, n: usize, axis: usize) -> Result<Span> {
    let place = if i < 0 { i.checked_add(n as i64) } else { Some(i) };
    match place {
        Some(start) if (0..n as i64).contains(&start) => Ok(Span { start: start as usize, step: 1, count: 1 }),
        _ => Err(out_of_bounds(op, i, n, axis)),
    }
}

/// The next `count` axes as they are.
fn rest(x: &Tensor, count: usize, spans: &mut SmallVec<[Span; 6]>, part: &mut Shape) {
    for &n in &x.shape()[spans.len()..spans.len() + count] {
        spans.push(Span::all(n));
        part.push(n);
    }
}

/// A mask as positions on the axes it covers; a 0-d one acts on a new axis of size one.
fn masked(op: &str, x: &Tensor, mask: &Tensor, spans: &mut SmallVec<[Span; 6]>, part: &mut Shape) -> Result<Group> {
    let (start, axis) = (spans.len(), part.len());
    let covered = &x.shape()[start..start + mask.rank()];
    // The standard lets an axis of size zero select nothing, whatever it meets.
    if let Some(a) = (0..mask.rank()).find(|&a| mask.shape()[a] != covered[a] && mask.shape()[a] != 0) {
        let (want, got) = (covered[a], mask.shape()[a]);
        let message = format!("mask does not match the tensor along axis {}, expected {want}, got {got}", start + a);
        return Err(Error::index(op, message));
    }
    if !mask.dtype().is_bool() {
        return Err(Error::index(op, format!("expected a bool mask, got {}", mask.dtype())));
    }
    let mut sizes = Shape::from_slice(covered);
    if mask.rank() == 0 {
        part.push(1);
        sizes.push(1);
    } else {
        rest(x, mask.rank(), spans, part);
    }
    Ok(Group { axis, sizes, rows: sort::flat_nonzero(mask)? })
}

/// Several index tensors, broadcast against each other, as positions on one merged axis.
fn combine(op: &str, groups: Vec<Group>, part: &[usize], separate: bool) -> Result<Advanced> {
    let all: Vec<&Tensor> = groups.iter().map(|g| &g.rows).collect();
    let stretched = movement::broadcast_all(op, &all).map_err(|_| {
        let shapes: Vec<String> = all.iter().map(|t| shape::display(t.shape())).collect();
        Error::index(op, format!("index tensors do not broadcast together, got shapes {}", shapes.join(" ")))
    })?;
    let mut rows: Option<Tensor> = None;
    for (group, next) in groups.iter().zip(stretched) {
        rows = Some(match rows {
            None => next,
            Some(rows) => {
                let n: usize = group.sizes.iter().product();
                let n = create::full(&[], Scalar::Int(n as i128), DType::I64, next.device())?;
                rows.multiply(&n)?.add(&next)?
            }
        });
    }
    let rows = rows.ok_or_else(|| Error::internal(op, "no index tensor"))?;
    let rows = crate::ops::copy::contiguous(&rows)?;
    let axes: Vec<usize> = groups.iter().flat_map(|g| g.axis..g.axis + g.sizes.len()).collect();
    let (axis, count) = (axes[0], axes.len());
    if axes.windows(2).all(|pair| pair[0] + 1 == pair[1]) {
        return Ok(Advanced { axis, count, order: None, first: separate, rows });
    }
    let others = (0..part.len()).filter(|a| !axes.contains(a));
    let order = axes.iter().copied().chain(others).map(|a| a as i64).collect();
    Ok(Advanced { axis: 0, count, order: Some(order), first: separate, rows })
}
