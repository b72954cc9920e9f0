//! Rows of contiguous (outer, n, inner) memory read and written by number. Every index was resolved to 0..n before.

use crate::cpu::pool;
use crate::dtype::{Complex32, Complex64, Element};
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Elements per task.
const GRAIN: usize = 32 * 1024;
/// Parts the targets of a scatter are cut into; each part scans all indices.
const PARTS: usize = 8;

/// `outer` blocks of `n` rows of `inner` elements.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub outer: usize,
    pub n: usize,
    pub inner: usize,
}

impl Rows {
    pub fn of(shape: &[usize], axis: usize) -> Rows {
        Rows { outer: shape[..axis].iter().product(), n: shape[axis], inner: shape[axis + 1..].iter().product() }
    }
}

/// `out[o, j] = x[o, index[j]]`; rows with number `blank` become zeros.
pub fn take<T: Element>(x: &[T], index: &[i64], rows: Rows, blank: Option<usize>, out: &mut [T]) -> Result<()> {
    let Rows { n, inner, .. } = rows;
    let m = index.len();
    if out.is_empty() {
        return Ok(());
    }
    let per_task = (GRAIN / inner).max(1);
    pool::for_each_chunk(out, per_task * inner, |task, out| {
        let first = task * per_task;
        if inner == 1 && blank.is_none() {
            let mut done = 0;
            while done < out.len() {
                let (o, j) = ((first + done) / m, (first + done) % m);
                let count = (m - j).min(out.len() - done);
                let block = &x[o * n..][..n];
                let pairs = out[done..done + count].iter_mut().zip(&index[j..]);
                pairs.for_each(|(out, &i)| *out = block[i as usize]);
                done += count;
            }
            return;
        }
        for (k, out) in out.chunks_exact_mut(inner).enumerate() {
            let (o, i) = ((first + k) / m, index[(first + k) % m] as usize);
            match blank == Some(i) {
                true => out.fill(T::default()),
                false => out.copy_from_slice(&x[(o * n + i) * inner..][..inner]),
            }
        }
    })
}

/// Calls `body(row of out, row of source)` for every wanted index, in order for each row of `out`, whoever runs it.
pub fn for_targets<T: Element>(
    out: &mut [T],
    index: &[i64],
    rows: Rows,
    source: &[T],
    wanted: impl Fn(i64) -> bool + Sync,
    body: impl Fn(&mut [T], &[T]) + Sync,
) -> Result<()> {
    let Rows { outer, n, inner } = rows;
    let m = index.len();
    if out.is_empty() || source.is_empty() {
        return Ok(());
    }
    // A small scatter is one part: scanning the indices again would cost more than the writes.
    let parts = if source.len() < GRAIN { 1 } else { PARTS };
    let per_task = (outer * n).div_ceil(parts);
    pool::for_each_chunk(out, per_task * inner, |task, out| {
        let (first, last) = (task * per_task, task * per_task + out.len() / inner);
        for o in first / n..last.div_ceil(n) {
            let source = &source[o * m * inner..][..m * inner];
            for (&i, row) in index.iter().zip(source.chunks_exact(inner)) {
                let target = o * n + i as usize;
                if (first..last).contains(&target) && wanted(i) {
                    body(&mut out[(target - first) * inner..][..inner], row);
                }
            }
        }
    })
}

/// Elements that are added when several land in one place. Integers wrap; bools are joined by or.
pub trait Accumulate: Element {
    fn accumulate(&mut self, other: Self);
}

macro_rules! accumulate {
    ($($t:ty: $a:ident, $b:ident => $sum:expr;)*) => {
        $(impl Accumulate for $t {
            #[inline(always)]
            fn accumulate(&mut self, $b: $t) { let $a = *self; *self = $sum; }
        })*
    };
    (wrapping $($t:ty),*) => { accumulate! { $($t: a, b => a.wrapping_add(b);)* } };
}
accumulate! { wrapping i8, i16, i32, i64, u8, u16, u32, u64 }
accumulate! {
    bool: a, b => a | b;
    f32: a, b => a + b;
    f64: a, b => a + b;
    Complex32: a, b => a + b;
    Complex64: a, b => a + b;
}

/// Indices counted from the start, in 0..n; the first one outside is an `IndexError`.
pub fn resolve<T: Element + TryInto<i64>>(op: &str, index: &[T], n: usize, axis: usize, out: &mut [i64]) -> Result<()> {
    let bad = AtomicUsize::new(usize::MAX);
    let place = |i: T| {
        let i: i64 = i.try_into().ok()?;
        let i = if i < 0 { i.checked_add(n as i64)? } else { i };
        (0..n as i64).contains(&i).then_some(i)
    };
    pool::for_each_chunk(out, GRAIN, |task, out| {
        let start = task * GRAIN;
        for (k, (out, &i)) in out.iter_mut().zip(&index[start..]).enumerate() {
            match place(i) {
                Some(i) => *out = i,
                None => {
                    bad.fetch_min(start + k, Ordering::Relaxed);
                    return;
                }
            }
        }
    })?;
    match bad.into_inner() {
        usize::MAX => Ok(()),
        first => Err(out_of_bounds(op, format!("{:?}", index[first]), n, axis)),
    }
}

pub fn out_of_bounds(op: &str, index: impl std::fmt::Display, n: usize, axis: usize) -> Error {
    Error::index(op, format!("index {index} is out of bounds for axis {axis} with size {n}"))
}
