//! The host side of `index.wgsl`: how the operands of a kernel are walked together.

use smallvec::SmallVec;

use crate::plan::Plan;
use crate::shape::{Shape, Strides};

/// Strided operands: takes the place of a shader's contiguous section `positions`.
const INDEX: &str = include_str!("index.wgsl");

/// The most merged dimensions that `index.wgsl` walks.
const RANK: usize = 6;

/// The index space of a launch plan, in elements.
#[derive(Debug, Clone)]
pub(crate) struct Positions {
    shape: Shape,
    strides: SmallVec<[Strides; 4]>,
    offsets: SmallVec<[usize; 4]>,
}

impl Positions {
    pub(crate) fn new<const N: usize>(plan: &Plan<N>) -> Positions {
        Positions {
            shape: plan.shape().into(),
            strides: (0..N).map(|operand| plan.strides(operand).into()).collect(),
            offsets: (0..N).map(|operand| plan.offset(operand)).collect(),
        }
    }

    /// So many elements of a kernel that reads no tensor.
    pub(crate) fn flat(count: usize) -> Positions {
        Positions { shape: SmallVec::from_slice(&[count]), strides: SmallVec::new(), offsets: SmallVec::new() }
    }

    pub(crate) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    pub(crate) fn operands(&self) -> usize {
        self.offsets.len()
    }

    /// Every operand is read from its buffer's start without gaps: no index computation is needed.
    pub(crate) fn is_contiguous(&self) -> bool {
        let starts = self.offsets.iter().all(|&offset| offset == 0);
        starts && self.shape.len() == 1 && (self.shape[0] == 1 || self.strides.iter().all(|strides| strides[0] == 1))
    }

    /// Whether one launch can walk it; else `launches` splits it.
    pub(crate) fn fits(&self) -> bool {
        self.shape.len() <= RANK
    }

    /// Splits off the outermost dimensions that the shader cannot walk.
    pub(crate) fn launches(self) -> Vec<Positions> {
        let mut parts = vec![self];
        while let Some(outer) = parts.first().filter(|part| !part.fits()).map(|part| part.shape[0]) {
            parts = parts.iter().flat_map(|part| (0..outer).map(|index| part.inner(index))).collect();
        }
        parts
    }

    fn inner(&self, index: usize) -> Positions {
        let moved =
            |(offset, strides): (&usize, &Strides)| offset.wrapping_add_signed(strides[0].wrapping_mul(index as isize));
        Positions {
            shape: self.shape[1..].into(),
            strides: self.strides.iter().map(|strides| strides[1..].into()).collect(),
            offsets: self.offsets.iter().zip(&self.strides).map(moved).collect(),
        }
    }

    /// The parameter block of `index.wgsl`; all numbers fit because bindings end below 2 GiB.
    pub(crate) fn block(&self, constants: [u32; 4]) -> SmallVec<[u32; 40]> {
        let padding = RANK.saturating_sub(self.shape.len());
        let mut block: SmallVec<[u32; 40]> = SmallVec::new();
        block.push(self.count() as u32);
        block.extend(self.offsets.iter().map(|&offset| offset as u32));
        block.extend(std::iter::repeat_n(1, padding));
        block.extend(self.shape.iter().map(|&extent| extent as u32));
        for strides in &self.strides {
            block.extend(std::iter::repeat_n(0, padding));
            block.extend(strides.iter().map(|&stride| stride as u32));
        }
        block.extend(constants);
        block
    }

    /// `index.wgsl` for this number of operands.
    pub(crate) fn section(operands: usize) -> String {
        INDEX.replace("const OPERANDS: u32 = 3u;", &format!("const OPERANDS: u32 = {operands}u;"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Layout;

    fn layout(shape: &[usize], strides: &[isize], offset: usize) -> Layout {
        Layout { shape: shape.into(), strides: strides.into(), offset }
    }

    #[test]
    fn test_positions_block() {
        let (a, b) = (layout(&[2, 3, 4], &[12, 4, 1], 0), layout(&[2, 3, 4], &[0, 0, 1], 5));
        let positions = Positions::new(&Plan::new("test", [&a, &b], [24, 9]).unwrap());
        assert!(!positions.is_contiguous());
        let want = [24, 0, 5, 1, 1, 1, 1, 6, 4, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 1, 7, 8, 9, 0];
        assert_eq!(positions.block([7, 8, 9, 0]).as_slice(), &want);
        let flat = Positions::new(&Plan::new("test", [&a, &a], [24, 24]).unwrap());
        assert_eq!((flat.is_contiguous(), flat.count()), (true, 24));
    }

    #[test]
    fn test_positions_split_high_ranks() {
        let strides: Vec<isize> = (0..8).map(|d| 1 << (2 * d)).collect();
        let plan = Plan::new("test", [&layout(&[2, 3, 2, 3, 2, 3, 2, 3], &strides, 1)], [1 << 20]).unwrap();
        let parts = Positions::new(&plan).launches();
        let offsets: Vec<usize> = parts.iter().map(|part| part.offsets[0]).collect();
        assert_eq!(offsets, [1, 5, 9, 2, 6, 10]);
        assert!(parts.iter().all(|part| part.fits() && part.count() == 216));
    }
}
