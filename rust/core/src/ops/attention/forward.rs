//! Attention forward: every band of queries goes through the keys it sees, block by block, with a running softmax.

use super::band::{Band, KEYS, turned};
use super::lanes::{MOST, Real, Running};
use super::mask::Mask;
use super::{Attention, NAME, Sizes};
use crate::cpu::gemm::{Strided, multiply_block};
use crate::cpu::parts::for_each_item;
use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};

/// A band and its parts of the outputs.
struct Part<'a, T> {
    band: Band,
    out: &'a mut [T],
    logs: &'a mut [T],
}

pub fn forward<T: Real>(
    attention: &Attention,
    [q, k, v]: [&[T]; 3],
    mask: &Mask,
    out: &mut [T],
    logs: &mut [T],
) -> Result<()> {
    let Sizes { heads, group, rows, value_width, .. } = attention.sizes;
    if logs.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::new();
    let full = |_| Error::memory(NAME, "cannot list the bands of queries");
    parts.try_reserve(heads * rows.div_ceil(MOST)).map_err(full)?;
    let (mut out, mut logs) = (out, logs);
    for band in (0..heads / group).flat_map(|head| attention.bands(head)) {
        let (own_out, own_logs) = (out.split_off_mut(..band.rows * value_width), logs.split_off_mut(..band.rows));
        parts.push(Part { band, out: own_out.unwrap_or_default(), logs: own_logs.unwrap_or_default() });
    }
    for_each_item(parts.into_iter(), |part| part.run(attention, [q, k, v], mask))
}

impl<T: Real> Part<'_, T> {
    fn run(self, attention: &Attention, [q, k, v]: [&[T]; 3], mask: &Mask) -> Result<()> {
        let Sizes { group, rows, columns, width, value_width, .. } = attention.sizes;
        let Part { band, out, logs } = self;
        let lanes = band.lanes();
        let queries = &q[(band.head * group * rows + band.first) * width..];
        let queries = turned(NAME, queries, band, width)?;
        let mut scores = Scratch::<T>::new(NAME, lanes * KEYS.min(columns))?;
        let drops = if attention.dropout.is_some() { scores.len() } else { 0 };
        let (mut words, mut factors) = (Scratch::<T>::new(NAME, drops)?, Scratch::<T>::new(NAME, drops)?);
        let mut running = Running::new();
        for block in attention.blocks(band) {
            let scores = &mut scores[..block.len() * lanes];
            let scale = attention.scores(band, &block, [k, &queries], mask, scores)?;
            T::online(scores, lanes, scale, &mut running);
            if let Some(dropout) = attention.dropout {
                attention.factors(dropout, band, &block, &mut words, &mut factors);
                T::times(scores, &factors);
            }
            // The first block is seen by every query.
            let keep = block.start > 0;
            if keep {
                T::scale_rows(out, value_width, &running.shrink[..band.rows]);
            }
            let values = &v[(band.head * columns + block.start) * value_width..];
            for span in attention.spans(band, &block) {
                let size = [span.lanes.len(), value_width, span.keys];
                let left = Strided { data: &scores[span.lanes.start..], row: 1, column: lanes };
                let to = &mut out[span.lanes.start * value_width..];
                multiply_block(size, (to, value_width), keep, left, Strided::rows(values, value_width))?;
            }
        }
        T::finish(&mut running, logs);
        if columns == 0 {
            out.fill(T::default());
        }
        T::scale_rows(out, value_width, &running.sum[..band.rows]);
        Ok(())
    }
}
