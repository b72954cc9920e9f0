//! What a reduction does with elements: a fold sees one block at a time, block results are merged in a fixed tree.

use super::tree::Tree;
use crate::cpu::level::{self, Kernel};
use crate::dtype::Element;

/// Columns folded together; their accumulators stay in the first-level cache.
pub const TILE: usize = 256;
/// Elements of a row folded in lanes before the result goes into the tree.
const ROW_BLOCK: usize = 1024;

/// Rows (steps along the reduced axis) that one block holds, for outputs `inner` elements apart.
pub fn block_rows(inner: usize) -> usize {
    if inner == 1 { ROW_BLOCK } else { (4096 / inner).clamp(64, ROW_BLOCK).next_power_of_two() }
}

/// A reduction over one block, and how block results are merged.
pub trait Fold: 'static {
    type In: Element;
    type Acc: Copy + Send + Sync + 'static;
    type Out: Element;

    /// The fold of nothing.
    fn empty() -> Self::Acc;

    /// Folds each of `acc.len()` rows of `n` elements that follow each other.
    fn rows(x: &[Self::In], n: usize, acc: &mut [Self::Acc]);

    /// Folds each of `acc.len()` columns of a block whose rows are `stride` apart.
    fn columns(x: &[Self::In], stride: usize, acc: &mut [Self::Acc]);

    fn merge(a: Self::Acc, b: Self::Acc) -> Self::Acc;

    /// The result over `n` elements.
    fn finish(acc: Self::Acc, n: usize) -> Self::Out;
}

/// A fold made of single steps, so that lanes of it run side by side.
pub trait Steps: 'static {
    type In: Element;
    type Lane: Copy + Send + Sync + 'static;
    type Acc: Copy + Send + Sync + 'static;
    type Out: Element;
    const START: Self::Lane;

    fn step(lane: Self::Lane, x: Self::In) -> Self::Lane;
    fn join(a: Self::Lane, b: Self::Lane) -> Self::Lane;
    fn widen(lane: Self::Lane) -> Self::Acc;
    fn merge(a: Self::Acc, b: Self::Acc) -> Self::Acc;
    fn finish(acc: Self::Acc, n: usize) -> Self::Out;
}

impl<S: Steps> Fold for S {
    type In = S::In;
    type Acc = S::Acc;
    type Out = S::Out;

    fn empty() -> S::Acc {
        S::widen(S::START)
    }
    fn rows(x: &[S::In], n: usize, acc: &mut [S::Acc]) {
        level::run(Rows::<S> { x, n, acc });
    }
    fn columns(x: &[S::In], stride: usize, acc: &mut [S::Acc]) {
        level::run(Columns::<S> { x, stride, acc });
    }
    fn merge(a: S::Acc, b: S::Acc) -> S::Acc {
        S::merge(a, b)
    }
    fn finish(acc: S::Acc, n: usize) -> S::Out {
        S::finish(acc, n)
    }
}

struct Rows<'a, S: Steps> {
    x: &'a [S::In],
    n: usize,
    acc: &'a mut [S::Acc],
}

impl<S: Steps> Kernel for Rows<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (acc, row) in self.acc.iter_mut().zip(self.x.chunks_exact(self.n)) {
            *acc = S::widen(match row.len() {
                0..16 => row.iter().fold(S::START, |lane, &x| S::step(lane, x)),
                16..128 => in_lanes::<S, 8>(row),
                _ => in_lanes::<S, 64>(row),
            });
        }
    }
}

/// Folds a row in `LANES` independent accumulators, then those pairwise.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // indices are inlined however the crate is compiled
fn in_lanes<S: Steps, const LANES: usize>(row: &[S::In]) -> S::Lane {
    let mut lanes = [S::START; LANES];
    let (body, tail) = row.as_chunks::<LANES>();
    for part in body {
        for i in 0..LANES {
            lanes[i] = S::step(lanes[i], part[i]);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        low.iter_mut().zip(&*high).for_each(|(a, &b)| *a = S::join(*a, b));
        half /= 2;
    }
    tail.iter().fold(lanes[0], |lane, &x| S::step(lane, x))
}

struct Columns<'a, S: Steps> {
    x: &'a [S::In],
    stride: usize,
    acc: &'a mut [S::Acc],
}

impl<S: Steps> Kernel for Columns<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Columns { x, stride, acc } = self;
        let width = acc.len();
        let mut lanes = [S::START; TILE];
        // Narrow rows that follow each other without a gap are folded several at a time.
        let together = if stride == width { (TILE / 2 / width).max(1) } else { 1 };
        let span = together * stride;
        let (body, tail) = x.split_at(x.len() / span * span);
        down::<S>(body, span, &mut lanes[..together * width]);
        down::<S>(tail, stride, &mut lanes[..width]);
        for group in 1..together {
            for i in 0..width {
                lanes[i] = S::join(lanes[i], lanes[group * width + i]);
            }
        }
        acc.iter_mut().zip(lanes).for_each(|(acc, lane)| *acc = S::widen(lane));
    }
}

#[inline(always)]
fn down<S: Steps>(x: &[S::In], stride: usize, lanes: &mut [S::Lane]) {
    for row in x.chunks(stride) {
        for (lane, &x) in lanes.iter_mut().zip(row) {
            *lane = S::step(*lane, x);
        }
    }
}

/// Folds `acc.len()` neighbouring columns of `rows` rows that begin at `x[0]`, block by block.
pub fn fold_tile<F: Fold>(x: &[F::In], rows: usize, stride: usize, acc: &mut [F::Acc]) {
    let (width, block) = (acc.len(), block_rows(stride));
    let fold = |start: usize, count: usize, acc: &mut [F::Acc]| {
        // The last row of a tile ends with the tile, not with the stride.
        let part = &x[start * stride..(start + count - 1) * stride + width];
        if stride == 1 { F::rows(part, count, acc) } else { F::columns(part, stride, acc) }
    };
    if rows <= block {
        return fold(0, rows, acc);
    }
    let mut tree = Tree::new(width, F::merge);
    for start in (0..rows).step_by(block) {
        fold(start, block.min(rows - start), acc);
        tree.push(acc);
    }
    tree.finish(acc);
}
