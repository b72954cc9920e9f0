//! Walks a contiguous (outer, n, inner) block of memory: which part of a reduction is a task, and how parts are put together.

use super::fold::{Fold, TILE, block_rows, fold_tile};
use super::tree::Tree;
use crate::cpu::pool;
use crate::error::{Error, Result};

/// A reduction over the middle one of three axes of contiguous memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub outer: usize,
    pub n: usize,
    pub inner: usize,
}

/// Elements per task: enough to be worth a hand-off between threads.
const GRAIN: usize = 64 * 1024;
/// Most spans that rows of several outputs are cut into, for their partial results are merged by one thread.
const SPANS: usize = 16;

impl Geometry {
    /// The geometry of a contiguous shape, if the reduced axes lie side by side (axes of size one do not matter).
    pub fn of(shape: &[usize], reduced: impl Fn(usize) -> bool) -> Option<Geometry> {
        let mut g = Geometry { outer: 1, n: 1, inner: 1 };
        let mut stage = 0;
        for (axis, &size) in shape.iter().enumerate().filter(|(_, size)| **size != 1) {
            match (reduced(axis), stage) {
                (false, 0) => g.outer *= size,
                (true, 0 | 1) => (stage, g.n) = (1, g.n * size),
                (false, _) => (stage, g.inner) = (2, g.inner * size),
                (true, _) => return None,
            }
        }
        // Without reduced axes every element is its own result.
        if stage == 0 { Some(Geometry { outer: 1, n: 1, inner: g.outer }) } else { Some(g) }
    }
}

impl Geometry {
    /// Steps along the reduced axis that one task takes: a power of two of blocks, see `Tree`.
    fn span(&self) -> usize {
        let block = block_rows(self.inner);
        let least = if self.inner == 1 { 1 } else { self.n.div_ceil(block * SPANS) };
        let blocks = GRAIN / (block * self.inner.min(TILE));
        block * blocks.max(least).next_power_of_two()
    }

    /// Outputs of one task when the reduced axis is not split.
    fn outputs_per_task(&self) -> usize {
        let wanted = GRAIN / self.n.max(1) + 1;
        if wanted < self.inner { wanted.next_multiple_of(TILE / 4) } else { wanted.next_multiple_of(self.inner) }
    }

    /// Folds rows `start..start + rows` for the outputs that begin with number `first`.
    fn fold<F: Fold>(&self, x: &[F::In], start: usize, rows: usize, first: usize, acc: &mut [F::Acc]) {
        if self.inner == 1 && rows <= block_rows(1) && rows == self.n {
            return F::rows(&x[first * rows..], rows, acc);
        }
        let mut done = 0;
        while done < acc.len() {
            let (outer, column) = ((first + done) / self.inner, (first + done) % self.inner);
            let width = (self.inner - column).min(TILE).min(acc.len() - done);
            let from = (outer * self.n + start) * self.inner + column;
            fold_tile::<F>(&x[from..], rows, self.inner, &mut acc[done..done + width]);
            done += width;
        }
    }
}

/// Reduces `x`, laid out as `geometry` says, into `out`.
pub fn run<F: Fold>(op: &str, x: &[F::In], geometry: Geometry, out: &mut [F::Out]) -> Result<()> {
    let n = geometry.n;
    if out.is_empty() {
        return Ok(());
    }
    if n == 0 {
        out.fill(F::finish(F::empty(), 0));
        return Ok(());
    }
    let (per_task, span) = (geometry.outputs_per_task(), geometry.span());
    if out.len().div_ceil(per_task) < 16 && n > span && out.len() * 8 <= n * geometry.inner.min(TILE) {
        return run_split::<F>(op, x, geometry, out);
    }
    pool::for_each_chunk(out, per_task, |task, out| {
        let mut acc = [F::empty(); TILE];
        for (i, part) in out.chunks_mut(TILE).enumerate() {
            let acc = &mut acc[..part.len()];
            geometry.fold::<F>(x, 0, n, task * per_task + i * TILE, acc);
            part.iter_mut().zip(acc).for_each(|(out, acc)| *out = F::finish(*acc, n));
        }
    })
}

/// Few outputs of many elements: the reduced axis is cut into spans, and their results are merged.
fn run_split<F: Fold>(op: &str, x: &[F::In], geometry: Geometry, out: &mut [F::Out]) -> Result<()> {
    let (n, span, width) = (geometry.n, geometry.span(), out.len());
    let parts = n.div_ceil(span);
    let mut partial = Vec::new();
    let no_room = |_| Error::memory(op, format!("no memory for {parts} x {width} partial results"));
    partial.try_reserve_exact(parts * width).map_err(no_room)?;
    partial.resize(parts * width, F::empty());
    pool::for_each_chunk(&mut partial, width, |part, acc| {
        let start = part * span;
        geometry.fold::<F>(x, start, span.min(n - start), 0, acc);
    })?;
    let mut tree = Tree::new(width, F::merge);
    partial.chunks(width).for_each(|part| tree.push(part));
    let (total, _) = partial.split_at_mut(width);
    tree.finish(total);
    out.iter_mut().zip(total).for_each(|(out, acc)| *out = F::finish(*acc, n));
    Ok(())
}
