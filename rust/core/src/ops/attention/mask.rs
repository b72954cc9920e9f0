//! Masks of scores: bools that say where a query may look, or numbers that are added.

use super::lanes::Real;
use crate::error::Result;
use crate::tensor::Tensor;

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

    /// Whether scores have to be scaled before they meet the mask.
    pub fn adds(&self) -> bool {
        matches!(self, Mask::F32(_) | Mask::F64(_))
    }

    /// Masks scores of keys from `first` on, `lanes` of them a key. `place` tells the head and row of a lane's query.
    pub fn apply<T: Real>(
        &self,
        scores: &mut [T],
        lanes: usize,
        first: usize,
        rows: usize,
        place: impl Fn(usize) -> (usize, usize),
    ) {
        match self {
            Mask::None => {}
            Mask::Bool(region) => {
                region.meet(scores, lanes, first, rows, place, |score, seen| if seen { score } else { T::LOWEST })
            }
            Mask::F32(region) => {
                region.meet(scores, lanes, first, rows, place, |score, m| score.plus(T::narrow(m as f64)))
            }
            Mask::F64(region) => region.meet(scores, lanes, first, rows, place, |score, m| score.plus(T::narrow(m))),
        }
    }
}

impl<T: Copy> Region<'_, T> {
    /// Where the first element of a row of scores lies.
    fn start(&self, (mut head, row): (usize, usize)) -> isize {
        let layout = self.mask.layout();
        let axes = layout.rank() - 2;
        let mut at = layout.offset as isize + row as isize * layout.strides[axes];
        for axis in (0..axes).rev() {
            at += (head % layout.shape[axis]) as isize * layout.strides[axis];
            head /= layout.shape[axis];
        }
        at
    }

    /// `score = rule(score, element)` for every score.
    #[inline(always)]
    fn meet<S: Copy>(
        &self,
        scores: &mut [S],
        lanes: usize,
        first: usize,
        rows: usize,
        place: impl Fn(usize) -> (usize, usize),
        rule: impl Fn(S, T) -> S,
    ) {
        let layout = self.mask.layout();
        let step = layout.strides[layout.rank() - 1];
        let one = (0..rows).all(|lane| self.start(place(lane)) == self.start(place(0)));
        let element = |at: isize, key: usize| self.elements[(at + (first + key) as isize * step) as usize];
        if one {
            // All queries share a row of the mask, as where it tells padding.
            let at = self.start(place(0));
            for (key, scores) in scores.chunks_mut(lanes).enumerate() {
                let m = element(at, key);
                scores[..rows].iter_mut().for_each(|score| *score = rule(*score, m));
            }
            return;
        }
        for lane in 0..rows {
            let at = self.start(place(lane));
            for (key, scores) in scores.chunks_mut(lanes).enumerate() {
                scores[lane] = rule(scores[lane], element(at, key));
            }
        }
    }
}
