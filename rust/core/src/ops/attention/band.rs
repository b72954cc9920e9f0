//! How the work is cut: bands of queries of one head of keys against blocks of its keys.

use super::lanes::{LANES, MOST, Real};
use super::mask::Mask;
use super::{Attention, Dropout, Sizes};
use crate::cpu::gemm::{Strided, multiply_block};
use crate::cpu::scratch::Scratch;
use crate::error::Result;
use crate::random::TILE;
use std::ops::Range;

/// Keys of a block: whole tiles of random words.
pub const KEYS: usize = 2 * TILE;

/// Queries told apart by how many keys they see, where products are made for them: whole tiles of the kernels.
const SPAN: usize = 24;

/// Queries that share a head of keys, by their places among all queries of that head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    pub head: usize,
    pub first: usize,
    pub rows: usize,
}

impl Band {
    pub fn lanes(&self) -> usize {
        self.rows.next_multiple_of(LANES)
    }
}

/// Random words from here on keep what dropout drops with probability `p`.
pub fn threshold(p: f64) -> u64 {
    (p * (1u64 << 32) as f64).ceil() as u64
}

/// What kept probabilities are multiplied with.
pub fn kept_scale(p: f64) -> f64 {
    if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 }
}

/// A product of a part of a block: some of its keys, from the first lane on whose query sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub keys: Range<usize>,
    pub lane: usize,
}

/// The other way round: some of a band's queries, and how many keys of the block they see at the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub lanes: Range<usize>,
    pub keys: usize,
}

impl Attention {
    /// The bands of the queries that share one head of keys. Where queries see different keys, a band stays inside one
    /// head of queries.
    pub fn bands(&self, head: usize) -> impl Iterator<Item = Band> + use<> {
        let Sizes { group, rows, .. } = self.sizes;
        let (all, span) = (group * rows, if self.causal { rows } else { group * rows });
        (0..all).step_by(span.max(1)).flat_map(move |start| {
            (0..span).step_by(MOST).map(move |i| Band { head, first: start + i, rows: MOST.min(span - i) })
        })
    }

    /// Where the band's first query stands in its head.
    fn position(&self, band: Band) -> usize {
        band.first % self.sizes.rows
    }

    /// The keys some query of the band may look at, in blocks.
    pub fn blocks(&self, band: Band) -> impl Iterator<Item = Range<usize>> + use<> {
        let end = match self.causal {
            true => (self.position(band) + band.rows).min(self.sizes.columns),
            false => self.sizes.columns,
        };
        (0..end).step_by(KEYS).map(move |first| first..end.min(first + KEYS))
    }

    /// The block without most of what no query sees, by keys.
    pub fn steps(&self, band: Band, block: &Range<usize>) -> impl Iterator<Item = Step> + use<> {
        let (causal, position, Range { start, end }) = (self.causal, self.position(band), block.clone());
        let mut key = start;
        std::iter::from_fn(move || {
            (key < end).then(|| {
                let lane = if causal { key.saturating_sub(position) / LANES * LANES } else { 0 };
                let stop = if causal { end.min(position + lane + LANES) } else { end };
                let step = Step { keys: key - start..stop - start, lane };
                key = stop;
                step
            })
        })
    }

    /// The block without most of what no query sees, by queries.
    pub fn spans(&self, band: Band, block: &Range<usize>) -> impl Iterator<Item = Span> + use<> {
        let (causal, position, start, all) = (self.causal, self.position(band), block.start, block.len());
        let mut lane = 0;
        std::iter::from_fn(move || {
            (lane < band.rows).then(|| {
                let next = band.rows.min(lane + SPAN);
                let keys = if causal { (position + next).saturating_sub(start).min(all) } else { all };
                let stop = if keys == all { band.rows } else { next };
                let span = Span { lanes: lane..stop, keys };
                lane = stop;
                span
            })
        })
    }

    /// Products of keys (or values) with the band's turned queries (or gradients), in the lanes that see them.
    pub fn products<T: Real>(
        &self,
        band: Band,
        block: &Range<usize>,
        [keys, turned]: [&[T]; 2],
        width: usize,
        out: &mut [T],
    ) -> Result<()> {
        let lanes = band.lanes();
        let keys = &keys[(band.head * self.sizes.columns + block.start) * width..];
        for Step { keys: part, lane } in self.steps(band, block) {
            let size = [part.len(), lanes - lane, width];
            let (keys, to) = (Strided::rows(&keys[part.start * width..], width), &mut out[part.start * lanes + lane..]);
            multiply_block(size, (to, lanes), false, keys, Strided::rows(&turned[lane..], lanes))?;
        }
        Ok(())
    }

    /// Scores of the band's turned queries with a block of keys, masked; returns what they still have to be scaled by.
    pub fn scores<T: Real>(
        &self,
        band: Band,
        block: &Range<usize>,
        operands: [&[T]; 2],
        mask: &Mask,
        scores: &mut [T],
    ) -> Result<T> {
        let Sizes { group, rows, width, .. } = self.sizes;
        let lanes = band.lanes();
        self.products(band, block, operands, width, scores)?;
        let mut scale = self.scale;
        // What hides a score has to stay the lowest number.
        if mask.adds() || scale <= 0.0 {
            T::scale_all(scores, T::narrow(scale));
            scale = 1.0;
        }
        let place = |lane: usize| {
            let query = band.first + lane;
            (band.head * group + query / rows, query % rows)
        };
        mask.apply(scores, lanes, block.start, band.rows, place);
        if self.causal {
            let position = self.position(band);
            for (key, scores) in block.clone().zip(scores.chunks_mut(lanes)).skip_while(|(key, _)| *key <= position) {
                scores[..(key - position).min(lanes)].fill(T::LOWEST);
            }
        }
        Ok(T::narrow(scale))
    }

    /// What dropout multiplies the probabilities of a block with, laid out like them. `words` has room for the block.
    pub fn factors<T: Real>(
        &self,
        dropout: Dropout,
        band: Band,
        block: &Range<usize>,
        words: &mut [T],
        factors: &mut [T],
    ) {
        let Sizes { group, rows, columns, .. } = self.sizes;
        let tiles = columns.div_ceil(TILE);
        let (threshold, scale) = (threshold(dropout.p), T::narrow(kept_scale(dropout.p)));
        let mut drawn = [0; KEYS];
        let drawn = &mut drawn[..block.len()];
        for (lane, words) in words.chunks_mut(block.len()).take(band.rows).enumerate() {
            let row = band.head * group * rows + band.first + lane;
            dropout.stream.words((row * tiles + block.start / TILE) as u64, drawn);
            for (factor, &word) in words.iter_mut().zip(&*drawn) {
                *factor = if u64::from(word) >= threshold { scale } else { T::default() };
            }
        }
        T::turn(words, block.len(), band.rows, block.len(), factors, band.lanes());
    }
}

/// The rows of a band with its queries as lanes.
pub fn turned<T: Real>(op: &str, rows: &[T], band: Band, width: usize) -> Result<Scratch<T>> {
    let mut turned = Scratch::<T>::new(op, width * band.lanes())?;
    T::turn(rows, width, band.rows, width, &mut turned, band.lanes());
    Ok(turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attention(group: usize, rows: usize, columns: usize, causal: bool) -> Attention {
        let sizes = Sizes { heads: 2 * group, group, rows, columns, width: 3, value_width: 2 };
        Attention { sizes, scale: 1.0, causal, dropout: None }
    }

    #[test]
    fn every_score_that_is_seen_is_in_a_step_and_a_span() {
        for (group, rows, columns) in [(1, 1, 1), (1, 64, 64), (3, 5, 200), (2, 130, 300), (1, 300, 130), (4, 1, 70)] {
            for causal in [false, true] {
                let attention = attention(group, rows, columns, causal);
                let mut next = 0;
                for band in attention.bands(1) {
                    assert_eq!((band.head, band.first), (1, next));
                    next += band.rows;
                    let (mut by_steps, mut by_spans) = (vec![0; band.rows * columns], vec![0; band.rows * columns]);
                    for block in attention.blocks(band) {
                        for step in attention.steps(band, &block) {
                            for (key, lane) in step.keys.flat_map(|key| (step.lane..band.rows).map(move |l| (key, l))) {
                                by_steps[lane * columns + block.start + key] += 1;
                            }
                        }
                        for span in attention.spans(band, &block) {
                            for (lane, key) in span.lanes.flat_map(|lane| (0..span.keys).map(move |key| (lane, key))) {
                                by_spans[lane * columns + block.start + key] += 1;
                            }
                        }
                    }
                    for (at, counts) in by_steps.into_iter().zip(by_spans).enumerate() {
                        let (row, key) = ((band.first + at / columns) % rows, at % columns);
                        let seen = !causal || key <= row;
                        assert!(counts.0 <= 1 && counts.1 <= 1 && (!seen || counts == (1, 1)));
                    }
                }
                assert_eq!(next, group * rows);
            }
        }
    }
}
