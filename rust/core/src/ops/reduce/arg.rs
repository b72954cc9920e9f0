//! argmax and argmin: the place of the first extremum; a NaN is one.

use super::{Axes, Geometry, arrange, gpu, reduced_shape};
use crate::autograd::{Gradient, Grads, Saved, not_differentiable};
use crate::cpu::pool;
use crate::dispatch;
use crate::dtype::Element;
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply1, movement};
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

#[derive(Debug)]
struct Arg {
    axis: usize,
    keepdims: bool,
    highest: bool,
}

impl Gradient for Arg {
    fn name(&self) -> &'static str {
        if self.highest { "argmax" } else { "argmin" }
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable(self.name())
    }
}

impl Op for Arg {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        let shape = reduced_shape(x.shape(), &[self.axis], self.keepdims);
        if x.shape()[self.axis] == 0 && !shape.contains(&0) {
            let got = shape::display(x.shape());
            return Err(Error::value(self.name(), format!("no elements to choose from, got shape {got}")));
        }
        Ok(smallvec![Spec { shape, dtype: x.device().widest_int() }])
    }

    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, geometry) = arrange(&inputs[0].detach(), &Axes::from_slice(&[self.axis]))?;
        let out = outputs[0].slice_mut::<i64>()?;
        dispatch!(x.dtype(), self.name(), [real], T => {
            let x = x.slice::<T>()?;
            match self.highest {
                true => places(self.name(), x, geometry, out, beats::<T, true>),
                false => places(self.name(), x, geometry, out, beats::<T, false>),
            }
        })
    }

    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let fold = gpu::Fold::Place { highest: self.highest };
        gpu::reduce(self.name(), fold, inputs[0], &Axes::from_slice(&[self.axis]), &mut outputs[0])
    }
}

/// Whether `b`, which comes later, takes the place of `a`.
#[inline(always)]
#[allow(clippy::eq_op)] // true for NaN only
fn beats<T: Element + PartialOrd, const HIGHEST: bool>(a: T, b: T) -> bool {
    (if HIGHEST { b > a } else { b < a }) || (b != b && a == a)
}

/// Columns searched together; their extrema stay in the first-level cache.
const TILE: usize = 256;
/// Elements of one task, and the length of the parts that long rows are cut into.
const GRAIN: usize = 64 * 1024;

fn places<T: Element>(
    op: &str,
    x: &[T],
    geometry: Geometry,
    out: &mut [i64],
    beats: impl Fn(T, T) -> bool + Sync + Copy,
) -> Result<()> {
    let Geometry { outer: _, n, inner } = geometry;
    if out.is_empty() {
        return Ok(());
    }
    if inner > 1 {
        return pool::for_each_chunk(out, TILE.min(inner), |task, out| {
            column_places(x, geometry, task * TILE.min(inner), out, beats)
        });
    }
    if n <= 2 * GRAIN {
        let rows = (GRAIN / n.max(1)).max(1);
        return pool::for_each_chunk(out, rows, |task, out| {
            let x = &x[task * rows * n..];
            out.iter_mut().zip(x.chunks(n.max(1))).for_each(|(out, row)| *out = row_place(row, beats) as i64);
        });
    }
    let parts = n.div_ceil(GRAIN);
    let mut found: Vec<usize> = Vec::new();
    let count = parts * out.len();
    found.try_reserve_exact(count).map_err(|_| Error::memory(op, format!("no memory for {count} partial results")))?;
    found.resize(count, 0);
    pool::for_each_chunk(&mut found, 1, |task, found| {
        let (row, start) = (task / parts, task % parts * GRAIN);
        let part = &x[row * n..][start..n.min(start + GRAIN)];
        found[0] = start + row_place(part, beats);
    })?;
    for (row, (out, found)) in out.iter_mut().zip(found.chunks(parts)).enumerate() {
        let row = &x[row * n..][..n];
        *out = found.iter().copied().reduce(|a, b| if beats(row[a], row[b]) { b } else { a }).unwrap_or(0) as i64;
    }
    Ok(())
}

/// The place in one row: blocks are compared by their extremum first, which vectorises, and only the winner is searched.
#[allow(clippy::needless_range_loop)] // indices are inlined however the crate is compiled
fn row_place<T: Element>(row: &[T], beats: impl Fn(T, T) -> bool + Copy) -> usize {
    const BLOCK: usize = 1024;
    const LANES: usize = 64;
    let mut best = row[0];
    let mut place = 0;
    for (i, block) in row.chunks(BLOCK).enumerate() {
        let mut lanes = [block[0]; LANES];
        let (parts, tail) = block.as_chunks::<LANES>();
        for p in 0..parts.len() {
            for j in 0..LANES {
                lanes[j] = if beats(lanes[j], parts[p][j]) { parts[p][j] } else { lanes[j] };
            }
        }
        for j in 0..tail.len() {
            lanes[j] = if beats(lanes[j], tail[j]) { tail[j] } else { lanes[j] };
        }
        if lanes.iter().any(|&lane| beats(best, lane)) {
            for (j, &x) in block.iter().enumerate() {
                if beats(best, x) {
                    (best, place) = (x, i * BLOCK + j);
                }
            }
        }
    }
    place
}

/// Places for neighbouring columns, which may belong to several outer blocks.
fn column_places<T: Element>(x: &[T], g: Geometry, first: usize, out: &mut [i64], beats: impl Fn(T, T) -> bool) {
    let mut done = 0;
    while done < out.len() {
        let (outer, column) = ((first + done) / g.inner, (first + done) % g.inner);
        let width = (g.inner - column).min(out.len() - done);
        let places = &mut out[done..done + width];
        places.fill(0);
        let x = &x[outer * g.n * g.inner + column..];
        let mut best = [x[0]; TILE];
        best[..width].copy_from_slice(&x[..width]);
        for i in 1..g.n {
            let row = &x[i * g.inner..][..width];
            for ((best, place), &x) in best.iter_mut().zip(places.iter_mut()).zip(row) {
                let better = beats(*best, x);
                *best = if better { x } else { *best };
                *place = if better { i as i64 } else { *place };
            }
        }
        done += width;
    }
}

fn arg(x: &Tensor, axis: Option<i64>, keepdims: bool, highest: bool) -> Result<Tensor> {
    let name = if highest { "argmax" } else { "argmin" };
    let Some(axis) = axis else {
        let flat = movement::reshape(x, &[x.numel()])?;
        let place = apply1(Arg { axis: 0, keepdims: false, highest }, &[&flat])?;
        return if keepdims { movement::reshape(&place, &vec![1; x.rank()]) } else { Ok(place) };
    };
    let axis = shape::normalize_axis(name, axis, x.rank())?;
    apply1(Arg { axis, keepdims, highest }, &[x])
}

/// The place of the first largest element along an axis, or in the flattened tensor.
pub fn argmax(x: &Tensor, axis: Option<i64>, keepdims: bool) -> Result<Tensor> {
    arg(x, axis, keepdims, true)
}

/// The place of the first smallest element along an axis, or in the flattened tensor.
pub fn argmin(x: &Tensor, axis: Option<i64>, keepdims: bool) -> Result<Tensor> {
    arg(x, axis, keepdims, false)
}
