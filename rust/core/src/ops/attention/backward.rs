//! Attention backward: probabilities are computed again, block by block, and go straight into the gradients.

use super::band::{Band, KEYS, turned};
use super::lanes::{Known, MOST, Real};
use super::mask::Mask;
use super::{Attention, NAME, Sizes};
use crate::cpu::gemm::{Strided, multiply_block};
use crate::cpu::parts::for_each_item;
use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};
use std::ops::Range;

/// What forward had and gave, and the gradient of its output.
pub struct Saved<'a, T> {
    pub operands: [&'a [T]; 3],
    pub output: &'a [T],
    pub logs: &'a [T],
    pub dy: &'a [T],
}

/// The gradients of one head of keys and values, and of all queries that share it.
struct Part<'a, T> {
    head: usize,
    dq: &'a mut [T],
    dk: &'a mut [T],
    dv: &'a mut [T],
}

pub fn backward<T: Real>(attention: &Attention, saved: &Saved<T>, mask: &Mask, grads: [&mut [T]; 3]) -> Result<()> {
    let Sizes { heads, group, rows, columns, width, value_width } = attention.sizes;
    let [mut dq, mut dk, mut dv] = grads;
    let mut parts = Vec::new();
    parts.try_reserve(heads / group).map_err(|_| Error::memory(NAME, "cannot list the heads"))?;
    for head in 0..heads / group {
        parts.push(Part {
            head,
            dq: dq.split_off_mut(..group * rows * width).unwrap_or_default(),
            dk: dk.split_off_mut(..columns * width).unwrap_or_default(),
            dv: dv.split_off_mut(..columns * value_width).unwrap_or_default(),
        });
    }
    for_each_item(parts.into_iter(), |mut part| {
        [&mut *part.dq, &mut *part.dk, &mut *part.dv].into_iter().for_each(bytemuck::fill_zeroes);
        let most = MOST * KEYS.min(columns);
        let blocks = Blocks {
            p: Scratch::new(NAME, most)?,
            dp: Scratch::new(NAME, most)?,
            words: Scratch::new(NAME, if attention.dropout.is_some() { most } else { 0 })?,
            factors: Scratch::new(NAME, if attention.dropout.is_some() { most } else { 0 })?,
        };
        attention.bands(part.head).try_fold(blocks, |blocks, band| part.add(attention, saved, mask, band, blocks))?;
        Ok(())
    })
}

/// Room for blocks of probabilities, of their gradients, and for dropout.
struct Blocks<T> {
    p: Scratch<T>,
    dp: Scratch<T>,
    words: Scratch<T>,
    factors: Scratch<T>,
}

impl<T: Real> Part<'_, T> {
    /// Adds what a band of queries contributes.
    fn add(
        &mut self,
        attention: &Attention,
        saved: &Saved<T>,
        mask: &Mask,
        band: Band,
        mut blocks: Blocks<T>,
    ) -> Result<Blocks<T>> {
        let Sizes { group, rows, width, value_width, .. } = attention.sizes;
        let Saved { operands: [q, k, v], output, logs, dy } = *saved;
        let row = band.head * group * rows + band.first;
        let (q, dy, output) = (&q[row * width..], &dy[row * value_width..], &output[row * value_width..]);
        let (queries, turned_dy) = (turned(NAME, q, band, width)?, turned(NAME, dy, band, value_width)?);
        let scale = T::narrow(attention.scale);
        let mut known = Known { scales: [scale; 2], logs: [T::LOWEST; MOST], shared: [T::default(); MOST] };
        known.logs[..band.rows].copy_from_slice(&logs[row..][..band.rows]);
        T::dots(dy, output, value_width, &mut known.shared[..band.rows]);
        let lanes = band.lanes();
        for block in attention.blocks(band) {
            let Blocks { p, dp, words, factors } = &mut blocks;
            let (p, dp) = (&mut p[..block.len() * lanes], &mut dp[..block.len() * lanes]);
            known.scales[0] = attention.scores(band, &block, [k, &queries], mask, p)?;
            attention.products(band, &block, [v, &turned_dy], value_width, dp)?;
            if let Some(dropout) = attention.dropout {
                attention.factors(dropout, band, &block, words, factors);
            }
            T::differentiate(p, dp, factors, lanes, &known);
            self.add_block(attention, band, &block, [p, dp], [q, k, dy])?;
        }
        Ok(blocks)
    }

    /// The products of a block of probabilities and of score gradients.
    fn add_block(
        &mut self,
        attention: &Attention,
        band: Band,
        block: &Range<usize>,
        [p, ds]: [&[T]; 2],
        [q, k, dy]: [&[T]; 3],
    ) -> Result<()> {
        let (Sizes { columns, width, value_width, .. }, lanes) = (attention.sizes, band.lanes());
        for step in attention.steps(band, block) {
            let (key, queries) = (block.start + step.keys.start, band.rows.saturating_sub(step.lane));
            for (out, data, right, width) in [(&mut *self.dv, p, dy, value_width), (&mut *self.dk, ds, q, width)] {
                let left = Strided::rows(&data[step.keys.start * lanes + step.lane..], lanes);
                let right = Strided::rows(&right[step.lane * width..], width);
                multiply_block([step.keys.len(), width, queries], (&mut out[key * width..], width), true, left, right)?;
            }
        }
        let keys = Strided::rows(&k[(band.head * columns + block.start) * width..], width);
        for span in attention.spans(band, block) {
            let left = Strided { data: &ds[span.lanes.start..], row: 1, column: lanes };
            let to = &mut self.dq[(band.first + span.lanes.start) * width..];
            multiply_block([span.lanes.len(), width, span.keys], (to, width), true, left, keys)?;
        }
        Ok(())
    }
}
