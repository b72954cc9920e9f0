//! What a reduction does with elements: a fold sees one block at a time, block results are merged in a fixed tree.

use super::tree::Tree;
use crate::dtype::Element;

/// Lanes of independent accumulators in a row: four AVX2 registers of f32.
const LANES: usize = 32;
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

    /// Folds a contiguous block.
    fn row(x: &[Self::In]) -> Self::Acc;

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

    /// The two loops; types that are worth it compile them once per CPU level.
    #[inline(always)]
    fn fold_row(x: &[Self::In]) -> Self::Lane {
        fold_row::<Self>(x)
    }
    #[inline(always)]
    fn fold_columns(x: &[Self::In], stride: usize, lanes: &mut [Self::Lane]) {
        fold_columns::<Self>(x, stride, lanes);
    }
}

impl<S: Steps> Fold for S {
    type In = S::In;
    type Acc = S::Acc;
    type Out = S::Out;

    fn row(x: &[S::In]) -> S::Acc {
        S::widen(S::fold_row(x))
    }

    fn columns(x: &[S::In], stride: usize, acc: &mut [S::Acc]) {
        let width = acc.len();
        let mut lanes = [S::START; TILE];
        // Narrow rows that follow each other without a gap are folded several at a time.
        let together = if stride == width { (TILE / 2 / width).max(1) } else { 1 };
        let (span, folded) = (together * stride, x.len() / (together * stride) * together * stride);
        S::fold_columns(&x[..folded], span, &mut lanes[..together * width]);
        S::fold_columns(&x[folded..], stride, &mut lanes[..width]);
        for group in 1..together {
            for i in 0..width {
                lanes[i] = S::join(lanes[i], lanes[group * width + i]);
            }
        }
        acc.iter_mut().zip(lanes).for_each(|(acc, lane)| *acc = S::widen(lane));
    }

    fn merge(a: S::Acc, b: S::Acc) -> S::Acc {
        S::merge(a, b)
    }

    fn finish(acc: S::Acc, n: usize) -> S::Out {
        S::finish(acc, n)
    }
}

#[inline(always)]
pub fn fold_row<S: Steps + ?Sized>(x: &[S::In]) -> S::Lane {
    if x.len() < 2 * LANES {
        return x.iter().fold(S::START, |lane, &x| S::step(lane, x));
    }
    let mut lanes = [S::START; LANES];
    let (body, tail) = x.split_at(x.len() / LANES * LANES);
    for part in body.chunks_exact(LANES) {
        for (lane, &x) in lanes.iter_mut().zip(part) {
            *lane = S::step(*lane, x);
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

#[inline(always)]
pub fn fold_columns<S: Steps + ?Sized>(x: &[S::In], stride: usize, lanes: &mut [S::Lane]) {
    for row in x.chunks(stride) {
        for (lane, &x) in lanes.iter_mut().zip(row) {
            *lane = S::step(*lane, x);
        }
    }
}

/// Folds `acc.len()` neighbouring columns of `rows` rows that begin at `x[0]`, block by block.
pub fn fold_tile<F: Fold>(x: &[F::In], rows: usize, stride: usize, acc: &mut [F::Acc]) {
    let (width, block) = (acc.len(), block_rows(stride));
    let mut tree = Tree::new(width, F::merge);
    let mut start = 0;
    while start < rows {
        let count = block.min(rows - start);
        // The last row of a tile ends with the tile, not with the stride.
        let end = (start + count - 1) * stride + width;
        let part = &x[start * stride..end];
        if stride == 1 {
            acc[0] = F::row(part);
        } else {
            F::columns(part, stride, acc);
        }
        tree.push(acc);
        start += count;
    }
    tree.finish(acc);
}
