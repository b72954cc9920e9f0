//! What a reduction does with elements: a fold sees one block at a time, block results are merged in a fixed tree.

use super::tree::Tree;
use crate::cpu::level::{self, Kernel};
use crate::dtype::Element;

/// Columns folded together: a page of f32, and their accumulators stay in the first-level cache.
pub const TILE: usize = 1024;
/// Narrow rows are folded side by side up to so many columns.
const NARROW: usize = 128;
/// Elements of a row folded in lanes before the result goes into the tree.
const ROW_BLOCK: usize = 2048;
/// Independent accumulators of a long row, as many registers as keep memory busy, and of a short one.
const LANES: usize = 128;
const FEW: usize = 16;
/// Blocks of a long row folded in one call, so that the end of one overlaps the loads of the next.
const BLOCKS: usize = 16;

/// Rows (steps along the reduced axis) that one block holds, for outputs `inner` elements apart.
pub fn block_rows(inner: usize) -> usize {
    if inner == 1 { ROW_BLOCK } else { (4096 / inner).clamp(64, 1024).next_power_of_two() }
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
    #[inline(always)]
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
    #[allow(clippy::needless_range_loop)] // indices are inlined however the crate is compiled
    fn run(self) {
        let Rows { x, n, acc } = self;
        for i in 0..acc.len() {
            acc[i] = S::widen(fold_row::<S>(&x[i * n..(i + 1) * n]));
        }
    }
}

/// Folds a row in independent accumulators, then those pairwise.
#[inline(always)]
fn fold_row<S: Steps>(row: &[S::In]) -> S::Lane {
    let mut few = [S::START; FEW];
    let mut rest = row;
    if row.len() >= LANES {
        let mut lanes = [S::START; LANES];
        rest = in_lanes::<S, LANES>(row, &mut lanes);
        few = halve::<S, 32, FEW>(halve::<S, 64, 32>(halve::<S, LANES, 64>(lanes)));
    }
    rest = in_lanes::<S, FEW>(rest, &mut few);
    let [a, b] = halve::<S, 4, 2>(halve::<S, 8, 4>(halve::<S, FEW, 8>(few)));
    let mut last = [S::join(a, b)];
    in_lanes::<S, 1>(rest, &mut last);
    last[0]
}

/// Folds whole parts of `N` elements into as many lanes; returns what is left of the row.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn in_lanes<'a, S: Steps, const N: usize>(row: &'a [S::In], lanes: &mut [S::Lane; N]) -> &'a [S::In] {
    let (parts, rest) = row.as_chunks::<N>();
    for p in 0..parts.len() {
        for i in 0..N {
            lanes[i] = S::step(lanes[i], parts[p][i]);
        }
    }
    rest
}

/// The first half joined with the second.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn halve<S: Steps, const N: usize, const HALF: usize>(lanes: [S::Lane; N]) -> [S::Lane; HALF] {
    let mut joined = [lanes[0]; HALF];
    for i in 0..HALF {
        joined[i] = S::join(lanes[i], lanes[i + HALF]);
    }
    joined
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
        match self.acc.len() {
            0..=NARROW => down::<S, NARROW>(self),
            _ => down::<S, TILE>(self),
        }
    }
}

/// Folds at most `WIDTH` columns.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn down<S: Steps, const WIDTH: usize>(Columns { x, stride, acc }: Columns<S>) {
    let width = acc.len();
    let mut lanes = [S::START; WIDTH];
    // Narrow rows that follow each other without a gap are folded several at a time.
    let together = if stride == width { (NARROW / width).max(1) } else { 1 };
    let span = together * stride;
    let whole = x.len() / span * span;
    add_rows::<S>(&x[..whole], span, &mut lanes[..together * width]);
    add_rows::<S>(&x[whole..], stride, &mut lanes[..width]);
    for group in 1..together {
        for i in 0..width {
            lanes[i] = S::join(lanes[i], lanes[group * width + i]);
        }
    }
    for i in 0..width {
        acc[i] = S::widen(lanes[i]);
    }
}

/// Folds rows `stride` apart into `lanes`, four at a time: their streams keep memory busy, and a lane is loaded once.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn add_rows<S: Steps>(x: &[S::In], stride: usize, lanes: &mut [S::Lane]) {
    let width = lanes.len();
    let mut start = 0;
    while start + 3 * stride + width <= x.len() {
        let rows = &x[start..];
        let (a, b) = (&rows[..width], &rows[stride..stride + width]);
        let (c, d) = (&rows[2 * stride..2 * stride + width], &rows[3 * stride..3 * stride + width]);
        for i in 0..width {
            lanes[i] = S::step(S::step(S::step(S::step(lanes[i], a[i]), b[i]), c[i]), d[i]);
        }
        start += 4 * stride;
    }
    while start < x.len() {
        let row = &x[start..];
        for i in 0..width.min(row.len()) {
            lanes[i] = S::step(lanes[i], row[i]);
        }
        start += stride;
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
    let mut start = 0;
    if stride == 1 {
        let mut blocks = [F::empty(); BLOCKS];
        while rows - start >= BLOCKS * block {
            F::rows(&x[start..start + BLOCKS * block], block, &mut blocks);
            blocks.iter().for_each(|one| tree.push(&[*one]));
            start += BLOCKS * block;
        }
    }
    while start < rows {
        let count = block.min(rows - start);
        fold(start, count, acc);
        tree.push(acc);
        start += count;
    }
    tree.finish(acc);
}
