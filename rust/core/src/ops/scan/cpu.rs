//! Scans over contiguous (outer, n, inner) memory: lines are independent, each is walked in order.

use crate::cpu::pool;
use crate::error::Result;
use crate::ops::reduce::kinds::{Number, Ordered, Summable};

/// Elements per task.
const GRAIN: usize = 32 * 1024;
/// Neighbouring lines walked together when the axis is not the last.
const TILE: usize = 128;

/// How the lines to be scanned lie in memory.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    pub n: usize,
    pub inner: usize,
}

impl Lines {
    pub fn of(shape: &[usize], axis: usize) -> Lines {
        Lines { n: shape[axis], inner: shape[axis + 1..].iter().product() }
    }

    /// Calls `body` for each block of `inner` lines with its number and its part of `out`, which has `length` steps a line.
    fn for_blocks<O: Send>(self, length: usize, out: &mut [O], body: impl Fn(usize, &mut [O]) + Sync) -> Result<()> {
        let block = length * self.inner;
        if block == 0 || out.is_empty() {
            return Ok(());
        }
        let together = (GRAIN / block).max(1);
        pool::for_each_chunk(out, together * block, |task, part| {
            part.chunks_mut(block).enumerate().for_each(|(i, out)| body(task * together + i, out))
        })
    }
}

/// Walks the lines of one block: `step` turns the state into the next, `emit` is what is written after it.
#[inline(always)]
fn walk<A: Copy, O>(
    out: &mut [O],
    inner: usize,
    initial: bool,
    start: A,
    step: impl Fn(A, usize) -> A,
    emit: impl Fn(A) -> O,
) {
    for first in (0..inner).step_by(TILE) {
        let width = TILE.min(inner - first);
        let mut states = [start; TILE];
        for (t, row) in out.chunks_mut(inner).enumerate() {
            let row = &mut row[first..first + width];
            if initial && t == 0 {
                row.iter_mut().for_each(|out| *out = emit(start));
                continue;
            }
            let from = (t - initial as usize) * inner + first;
            for (i, (state, out)) in states.iter_mut().zip(row).enumerate() {
                *state = step(*state, from + i);
                *out = emit(*state);
            }
        }
    }
}

/// Running sums or products, carried in the wide type.
pub fn cumulative<T: Summable>(
    x: &[T],
    lines: Lines,
    product: bool,
    initial: bool,
    out: &mut [T::Total],
) -> Result<()> {
    let Lines { n, inner } = lines;
    lines.for_blocks(n + initial as usize, out, |block, out| {
        let x = &x[block * n * inner..][..n * inner];
        let at = |i: usize| T::widen(x[i].lane());
        match product {
            false => walk(out, inner, initial, T::Wide::ZERO, |sum, i| sum.plus(at(i)), T::total),
            true => walk(out, inner, initial, T::Wide::ONE, |product, i| product.times(at(i)), T::total),
        }
    })
}

/// `h[t] = a[t] * h[t-1] + b[t]`.
pub fn recurrence<T: Summable>(a: &[T], b: &[T], lines: Lines, out: &mut [T::Total]) -> Result<()> {
    let Lines { n, inner } = lines;
    lines.for_blocks(n, out, |block, out| {
        let start = block * n * inner;
        let wide = |x: T| T::widen(x.lane());
        let step = |h: T::Wide, i: usize| wide(a[start + i]).times(h).plus(wide(b[start + i]));
        walk(out, inner, false, T::Wide::ZERO, step, T::total);
    })
}

/// Running extrema and their places: the newest of equal ones, the first NaN.
pub fn extremum<T: Ordered + PartialOrd>(
    x: &[T],
    lines: Lines,
    highest: bool,
    values: &mut [T],
    places: &mut [i64],
) -> Result<()> {
    let Lines { n, inner } = lines;
    #[allow(clippy::eq_op)] // true for NaN only
    let stays = |old: T, new: T| old != old || (new == new && if highest { new < old } else { new > old });
    lines.for_blocks(n, places, |block, out| {
        let x = &x[block * n * inner..][..n * inner];
        let step = |place: usize, i: usize| if place != usize::MAX && stays(x[place], x[i]) { place } else { i };
        walk(out, inner, false, usize::MAX, step, |place| (place / inner) as i64);
    })?;
    let places = &*places;
    lines.for_blocks(n, values, |block, out| {
        let start = block * n * inner;
        for (i, out) in out.iter_mut().enumerate() {
            *out = x[start + places[start + i] as usize * inner + i % inner];
        }
    })
}
