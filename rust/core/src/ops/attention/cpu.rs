//! The attention kernels: blocks of rows against blocks of columns, scores only ever in cache.

use super::{Attention, Dropout, Sizes};
use crate::cpu::arena::Block;
use crate::cpu::gemm::{Entry, Strided, multiply_block};
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::cpu::rows::{self, Wide};
use crate::error::Result;
use crate::random::TILE;
use crate::tensor::Tensor;
use bytemuck::Pod;

/// Rows and columns of a block of scores; columns are whole tiles of random words.
const ROWS: usize = 64;
const COLUMNS: usize = 4 * TILE;

/// Where a query may look: everywhere, where a bool is true, or with a number added to its score.
pub enum Mask<'a> {
    None,
    Bool(Region<'a, bool>),
    F32(Region<'a, f32>),
    F64(Region<'a, f64>),
}

/// The elements of a mask of any strides: batch axes, rows, columns.
pub struct Region<'a, T> {
    elements: &'a [T],
    mask: &'a Tensor,
}

impl<'a> Mask<'a> {
    pub fn new(mask: Option<&'a Tensor>) -> Result<Mask<'a>> {
        use crate::DType;
        Ok(match mask {
            None => Mask::None,
            Some(mask) => match mask.dtype() {
                DType::Bool => Mask::Bool(Region { elements: mask.elements()?, mask }),
                DType::F32 => Mask::F32(Region { elements: mask.elements()?, mask }),
                _ => Mask::F64(Region { elements: mask.elements()?, mask }),
            },
        })
    }
}

impl<T: Copy> Region<'_, T> {
    /// Calls `body(column, element)` along one row of scores.
    fn along(&self, head: usize, row: usize, columns: std::ops::Range<usize>, mut body: impl FnMut(usize, T)) {
        let layout = self.mask.layout();
        let (axes, rest) = (layout.rank() - 2, &layout.strides[layout.rank() - 2..]);
        let (mut at, mut head) = (layout.offset as isize + row as isize * rest[0], head);
        for axis in (0..axes).rev() {
            at += (head % layout.shape[axis]) as isize * layout.strides[axis];
            head /= layout.shape[axis];
        }
        for (i, column) in columns.enumerate() {
            body(i, self.elements[(at + column as isize * rest[1]) as usize]);
        }
    }
}

pub fn is_kept(p: f64, word: u32) -> bool {
    word as f64 >= p * (1u64 << 32) as f64
}

/// What kept probabilities are multiplied with.
pub fn kept_scale(p: f64) -> f64 {
    if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 }
}

pub trait Real: Entry + Wide + Pod {
    /// Adds a block of scores to a row's running softmax: scores become exponentials, earlier results shrink.
    fn online(scores: &mut [Self], top: &mut Self, sum: &mut Self, out: &mut [Self]);
    fn scale_row(x: &mut [Self], factor: Self);
    /// `out = out / sum`, zeros where nothing was seen; the log of the sum.
    fn finish(top: Self, sum: Self, out: &mut [Self]) -> Self;
    /// Probabilities again from scores and the log of their sum.
    fn probabilities(scores: &mut [Self], log_sum: Self);
    /// `p * (dp - shared) * scale`, in place of `dp`.
    fn score_gradient(p: &[Self], dp: &mut [Self], shared: Self, scale: Self);
    fn dot(a: &[Self], b: &[Self]) -> Self;
}

macro_rules! real {
    ($($t:ident),*) => { $(impl Real for $t {
        leveled! {
            fn online(scores: &mut [$t], top: &mut $t, sum: &mut $t, out: &mut [$t]) {
                use math::$t::*;
                let new = rows::join(scores, *top, maximum);
                if new == <$t>::NEG_INFINITY {
                    return scores.fill(0.0);
                }
                scores.iter_mut().for_each(|x| *x = exp(*x - new));
                let shrink = exp(*top - new);
                *sum = *sum * shrink + rows::sum(scores, |x| x) as $t;
                if shrink != 1.0 {
                    out.iter_mut().for_each(|o| *o *= shrink);
                }
                *top = new;
            }

            fn scale_row(x: &mut [$t], factor: $t) {
                x.iter_mut().for_each(|x| *x *= factor);
            }

            fn finish(top: $t, sum: $t, out: &mut [$t]) -> $t {
                if top == <$t>::NEG_INFINITY {
                    out.fill(0.0);
                    return top;
                }
                let factor = 1.0 / sum;
                out.iter_mut().for_each(|o| *o *= factor);
                top + math::$t::log(sum)
            }

            fn probabilities(scores: &mut [$t], log_sum: $t) {
                if log_sum == <$t>::NEG_INFINITY {
                    return scores.fill(0.0);
                }
                scores.iter_mut().for_each(|x| *x = math::$t::exp(*x - log_sum));
            }

            fn score_gradient(p: &[$t], dp: &mut [$t], shared: $t, scale: $t) {
                for (dp, &p) in dp.iter_mut().zip(p) {
                    *dp = p * (*dp - shared) * scale;
                }
            }

            fn dot(a: &[$t], b: &[$t]) -> $t {
                rows::sums([a, b], |[a, b]| a * b) as $t
            }
        }
    })* };
}
real!(f32, f64);

/// A block of rows of one head.
#[derive(Clone, Copy)]
struct Band {
    head: usize,
    first: usize,
    rows: usize,
}

impl Attention {
    /// The columns some row of the band may look at, in blocks.
    fn blocks(&self, band: Band) -> impl Iterator<Item = (usize, usize)> + use<> {
        let end = match self.causal {
            true => (band.first + band.rows).min(self.sizes.columns),
            false => self.sizes.columns,
        };
        (0..end).step_by(COLUMNS).map(move |first| (first, COLUMNS.min(end - first)))
    }

    /// Scores of a band against columns, scaled and masked; rows lie `columns` apart.
    fn scores<T: Real>(
        &self,
        band: Band,
        (first, columns): (usize, usize),
        q: &[T],
        k: &[T],
        mask: &Mask,
        scores: &mut [T],
    ) -> Result<()> {
        let width = self.sizes.width;
        let left = Strided::rows(&q[(band.head * self.sizes.rows + band.first) * width..], width);
        let right = Strided {
            data: &k[(band.head / self.sizes.group * self.sizes.columns + first) * width..],
            row: 1,
            column: width,
        };
        multiply_block([band.rows, columns, width], (&mut *scores, columns), false, left, right)?;
        for (i, scores) in scores.chunks_mut(columns).take(band.rows).enumerate() {
            let row = band.first + i;
            T::scale_row(scores, T::narrow(self.scale));
            let all = first..first + columns;
            match mask {
                Mask::None => {}
                Mask::Bool(region) => region.along(band.head, row, all, |j, seen| {
                    if !seen {
                        scores[j] = T::LOWEST;
                    }
                }),
                Mask::F32(region) => {
                    region.along(band.head, row, all, |j, m| scores[j] = scores[j].plus(T::narrow(m as f64)))
                }
                Mask::F64(region) => region.along(band.head, row, all, |j, m| scores[j] = scores[j].plus(T::narrow(m))),
            }
            if self.causal && row + 1 < first + columns {
                scores[(row + 1).saturating_sub(first)..].fill(T::LOWEST);
            }
        }
        Ok(())
    }

    /// Applies the dropout mask of one row's columns to `x`.
    fn drop<T: Real>(&self, dropout: Dropout, band: Band, row: usize, first: usize, x: &mut [T]) {
        let tiles = self.sizes.columns.div_ceil(TILE);
        let tile = (band.head * self.sizes.rows + band.first + row) * tiles + first / TILE;
        let mut words = [0; COLUMNS];
        dropout.stream.words(tile as u64, &mut words[..x.len()]);
        let scale = kept_scale(dropout.p);
        for (x, &word) in x.iter_mut().zip(&words) {
            *x = if is_kept(dropout.p, word) { T::narrow(x.widen() * scale) } else { T::default() };
        }
    }
}

fn scratch<T>(elements: usize) -> Result<Block> {
    Block::new(elements * size_of::<T>())
}

pub fn forward<T: Real>(
    attention: &Attention,
    [q, k, v]: [&[T]; 3],
    mask: &Mask,
    out: &mut [T],
    logs: &mut [T],
) -> Result<()> {
    let Sizes { rows, columns, group, value_width, .. } = attention.sizes;
    if logs.is_empty() {
        return Ok(());
    }
    let bands = rows.div_ceil(ROWS);
    let mut parts = Vec::new();
    let full = |_| crate::Error::memory(super::NAME, "cannot list the blocks of rows");
    parts.try_reserve(attention.sizes.heads * bands).map_err(full)?;
    let mut rest = out;
    for (head, logs) in logs.chunks_mut(rows).enumerate() {
        for (i, logs) in logs.chunks_mut(ROWS).enumerate() {
            let (own, others) = rest.split_at_mut(logs.len() * value_width);
            rest = others;
            parts.push((Band { head, first: i * ROWS, rows: logs.len() }, own, logs));
        }
    }
    for_each_item(parts.into_iter(), |(band, out, logs)| {
        let mut memory = scratch::<T>(ROWS * COLUMNS.min(columns))?;
        let scores: &mut [T] = bytemuck::cast_slice_mut(memory.as_bytes_mut());
        let (mut tops, mut sums) = ([T::LOWEST; ROWS], [T::default(); ROWS]);
        out.fill(T::default());
        for (first, width) in attention.blocks(band) {
            attention.scores(band, (first, width), q, k, mask, scores)?;
            for (row, scores) in scores.chunks_mut(width).take(band.rows).enumerate() {
                T::online(scores, &mut tops[row], &mut sums[row], &mut out[row * value_width..][..value_width]);
                if let Some(dropout) = attention.dropout {
                    attention.drop(dropout, band, row, first, scores);
                }
            }
            let values = &v[(band.head / group * columns + first) * value_width..];
            let size = [band.rows, value_width, width];
            multiply_block(
                size,
                (&mut *out, value_width),
                true,
                Strided::rows(scores, width),
                Strided::rows(values, value_width),
            )?;
        }
        for (row, log) in logs.iter_mut().enumerate() {
            *log = T::finish(tops[row], sums[row], &mut out[row * value_width..][..value_width]);
        }
        Ok(())
    })
}

/// What forward had and gave, and the gradient of its output.
pub struct Saved<'a, T> {
    pub operands: [&'a [T]; 3],
    pub output: &'a [T],
    pub logs: &'a [T],
    pub dy: &'a [T],
}

/// One task is one head of keys and values with all query heads that share it.
pub fn backward<T: Real>(attention: &Attention, saved: &Saved<T>, mask: &Mask, grads: [&mut [T]; 3]) -> Result<()> {
    let Sizes { heads, group, rows, columns, width, value_width } = attention.sizes;
    let Saved { operands: [q, k, v], output, logs, dy } = *saved;
    let [dq, dk, dv] = grads;
    let mut parts = Vec::new();
    let full = |_| crate::Error::memory(super::NAME, "cannot list the heads");
    parts.try_reserve(heads / group).map_err(full)?;
    let (mut dq, mut dk, mut dv) = (dq, dk, dv);
    for head in 0..heads / group {
        let (own_q, rest_q) = dq.split_at_mut(group * rows * width);
        let (own_k, rest_k) = dk.split_at_mut(columns * width);
        let (own_v, rest_v) = dv.split_at_mut(columns * value_width);
        (dq, dk, dv) = (rest_q, rest_k, rest_v);
        parts.push((head, own_q, own_k, own_v));
    }
    for_each_item(parts.into_iter(), |(shared_head, dq, dk, dv)| {
        let block = ROWS * COLUMNS.min(columns);
        let mut memory = scratch::<T>(3 * block)?;
        let all: &mut [T] = bytemuck::cast_slice_mut(memory.as_bytes_mut());
        let (p, rest) = all.split_at_mut(block);
        let (dp, kept) = rest.split_at_mut(block);
        [&mut *dq, &mut *dk, &mut *dv].into_iter().for_each(|grad| grad.fill(T::default()));
        for i in 0..group {
            let head = shared_head * group + i;
            for band_first in (0..rows).step_by(ROWS) {
                let band = Band { head, first: band_first, rows: ROWS.min(rows - band_first) };
                let row = head * rows + band.first;
                let (dy, output) = (&dy[row * value_width..], &output[row * value_width..]);
                let shared: [T; ROWS] = std::array::from_fn(|r| match r < band.rows {
                    true => T::dot(&dy[r * value_width..][..value_width], &output[r * value_width..][..value_width]),
                    false => T::default(),
                });
                for (first, n) in attention.blocks(band) {
                    attention.scores(band, (first, n), q, k, mask, p)?;
                    let values = &v[(shared_head * columns + first) * value_width..];
                    let right = Strided { data: values, row: 1, column: value_width };
                    multiply_block(
                        [band.rows, n, value_width],
                        (&mut *dp, n),
                        false,
                        Strided::rows(dy, value_width),
                        right,
                    )?;
                    let used = band.rows * n;
                    for (r, p) in p[..used].chunks_mut(n).enumerate() {
                        T::probabilities(p, logs[row + r]);
                    }
                    kept[..used].copy_from_slice(&p[..used]);
                    for (r, (p, dp)) in p[..used].chunks(n).zip(dp.chunks_mut(n)).enumerate() {
                        if let Some(dropout) = attention.dropout {
                            attention.drop(dropout, band, r, first, dp);
                            attention.drop(dropout, band, r, first, &mut kept[r * n..][..n]);
                        }
                        T::score_gradient(p, dp, shared[r], T::narrow(attention.scale));
                    }
                    let transposed = |data| Strided { data, row: 1, column: n };
                    let to = &mut dv[first * value_width..];
                    let right = Strided::rows(dy, value_width);
                    multiply_block([n, value_width, band.rows], (to, value_width), true, transposed(&*kept), right)?;
                    let keys = Strided::rows(&k[(shared_head * columns + first) * width..], width);
                    let to = &mut dq[(i * rows + band.first) * width..];
                    multiply_block([band.rows, width, n], (to, width), true, Strided::rows(dp, n), keys)?;
                    let queries = Strided::rows(&q[row * width..], width);
                    multiply_block(
                        [n, width, band.rows],
                        (&mut dk[first * width..], width),
                        true,
                        transposed(&*dp),
                        queries,
                    )?;
                }
            }
        }
        Ok(())
    })
}
