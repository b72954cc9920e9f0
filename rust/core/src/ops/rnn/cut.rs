//! How the work on a sequence is cut: the batch into shards, which threads take through the steps alone, and the steps
//! into segments, between which an interrupt is heard. Shapes decide, never the number of threads.

use super::Sizes;
use crate::error::{Error, Result};
use std::ops::Range;

/// Rows of the batch that share one pass over the recurrent weights; half of them where there would be one shard only.
const ROWS: usize = 16;
/// The least work for a shard, in floating-point operations.
const SMALL: usize = 1 << 20;
/// The most work between two looks for an interrupt.
const LARGE: usize = 1 << 32;

#[derive(Debug, Clone, Copy)]
pub struct Cut {
    batch: usize,
    steps: usize,
    /// Rows of a shard; the last may have fewer.
    rows: usize,
    /// Steps of a segment.
    segment: usize,
}

impl Cut {
    /// All sizes but the steps are at least one.
    pub fn new(sizes: &Sizes, gates: usize) -> Cut {
        let Sizes { steps, batch, hidden, .. } = *sizes;
        let step = [2, batch, gates, hidden, hidden].into_iter().fold(1, usize::saturating_mul);
        let rows = if batch < 2 * ROWS { ROWS / 2 } else { ROWS };
        let shards = (step.saturating_mul(steps) / SMALL).clamp(1, batch.div_ceil(rows));
        Cut { batch, steps, rows: batch.div_ceil(shards), segment: (LARGE / step).max(1) }
    }

    pub fn shards(&self) -> usize {
        self.batch.div_ceil(self.rows)
    }

    /// The rows of every shard.
    pub fn rows(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Cut { batch, rows, .. } = *self;
        (0..batch).step_by(rows).map(move |first| first..(first + rows).min(batch))
    }

    /// The steps of every segment, in the order of time.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let Cut { steps, segment, .. } = *self;
        (0..steps.div_ceil(segment)).map(move |i| i * segment..((i + 1) * segment).min(steps))
    }

    /// What lies row by row, `width` elements each, as the shards' parts.
    pub fn by_shard<'a, T>(&self, data: &'a mut [T], width: usize) -> impl Iterator<Item = &'a mut [T]> + use<'a, T> {
        let mut rest = data;
        self.rows().map(move |rows| rest.split_off_mut(..rows.len() * width).unwrap_or_default())
    }

    /// The same for every step of a segment: for each shard its parts, step by step.
    pub fn by_step<'a, T>(
        &self,
        op: &str,
        data: &'a mut [T],
        width: usize,
        segment: &Range<usize>,
    ) -> Result<Parts<'a, T>> {
        let full = |_| Error::memory(op, "cannot list the steps of the sequence");
        let mut parts = Vec::new();
        parts.try_reserve_exact(self.shards()).map_err(full)?;
        for _ in 0..self.shards() {
            let mut steps = Vec::new();
            steps.try_reserve_exact(segment.len()).map_err(full)?;
            parts.push(steps);
        }
        let step = self.batch * width;
        let mut rest = data.get_mut(segment.start * step..segment.end * step).unwrap_or_default();
        for _ in segment.clone() {
            let row = rest.split_off_mut(..step).unwrap_or_default();
            parts.iter_mut().zip(self.by_shard(row, width)).for_each(|(steps, part)| steps.push(part));
        }
        Ok(parts)
    }
}

pub type Parts<'a, T> = Vec<Vec<&'a mut [T]>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_and_segments_cover_everything_once() {
        for (steps, batch, hidden) in [(1, 1, 1), (7, 33, 300), (64, 32, 256), (3, 100, 4), (40, 17, 3000)] {
            let cut = Cut::new(&Sizes { steps, batch, input: 1, hidden }, 4);
            assert_eq!(cut.rows().flatten().collect::<Vec<_>>(), (0..batch).collect::<Vec<_>>());
            assert_eq!(cut.segments().flatten().collect::<Vec<_>>(), (0..steps).collect::<Vec<_>>());
            let mut data: Vec<usize> = (0..steps * batch * 2).collect();
            for segment in cut.segments() {
                let parts = cut.by_step("t", &mut data, 2, &segment).unwrap();
                assert_eq!(parts.len(), cut.shards());
                for (part, rows) in parts.iter().zip(cut.rows()) {
                    for (step, t) in part.iter().zip(segment.clone()) {
                        let first = (t * batch + rows.start) * 2;
                        assert!(step.iter().copied().eq(first..first + rows.len() * 2));
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_dealt_as_nothing() {
        let cut = Cut::new(&Sizes { steps: 3, batch: 40, input: 1, hidden: 500 }, 1);
        let parts = cut.by_step("t", &mut [0f32; 0], 0, &(0..3)).unwrap();
        assert!(parts.iter().all(|steps| steps.len() == 3 && steps.iter().all(|part| part.is_empty())));
    }
}
