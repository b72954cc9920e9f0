//! Shapes, strides and layouts, with checked arithmetic everywhere a size comes from outside.

use crate::error::{Error, Result};
use smallvec::SmallVec;

/// Sizes per axis. Up to six axes live without a heap allocation.
pub type Shape = SmallVec<[usize; 6]>;
/// Steps per axis, in elements; may be zero (broadcast) or negative (flipped).
pub type Strides = SmallVec<[isize; 6]>;

/// More axes than this are refused: nothing real needs them and kernels keep per-axis state on the stack.
pub const MAX_RANK: usize = 64;

/// How elements lie in a storage: `offset + sum(index[i] * strides[i])`, in elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub shape: Shape,
    pub strides: Strides,
    pub offset: usize,
}

/// The number of elements; an error where the product or the rank leaves what a machine can address.
pub fn checked_numel(op: &str, shape: &[usize]) -> Result<usize> {
    if shape.len() > MAX_RANK {
        return Err(Error::shape(op, format!("too many axes, expected at most {MAX_RANK}, got {}", shape.len())));
    }
    // Zero sizes do not excuse the others: strides are computed from them.
    let mut product: usize = 1;
    for &n in shape {
        let next = product.checked_mul(n.max(1)).filter(|&p| p <= isize::MAX as usize / 16);
        product = next.ok_or_else(|| Error::shape(op, format!("shape {} has too many elements", display(shape))))?;
    }
    Ok(if shape.contains(&0) { 0 } else { product })
}

/// `(2, 3)` as Python writes it.
pub fn display(shape: &[usize]) -> String {
    match shape {
        [n] => format!("({n},)"),
        _ => format!("({})", shape.iter().map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
    }
}

/// The strides of a freshly allocated tensor: last axis fastest.
pub fn contiguous_strides(shape: &[usize]) -> Strides {
    let mut strides: Strides = SmallVec::from_elem(0, shape.len());
    let mut step: isize = 1;
    for (stride, &n) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.saturating_mul(n.max(1) as isize);
    }
    strides
}

/// An axis given by a user, counted from the end when negative.
pub fn normalize_axis(op: &str, axis: i64, rank: usize) -> Result<usize> {
    let r = rank as i64;
    if axis < -r || axis >= r {
        let range =
            if rank == 0 { "no axis (the tensor is 0-d)".into() } else { format!("an axis in [{}, {}]", -r, r - 1) };
        return Err(Error::index(op, format!("axis out of range, expected {range}, got {axis}")));
    }
    Ok(if axis < 0 { axis + r } else { axis } as usize)
}

/// Several axes, each once; the result keeps the order given.
pub fn normalize_axes(op: &str, axes: &[i64], rank: usize) -> Result<SmallVec<[usize; 6]>> {
    let mut out: SmallVec<[usize; 6]> = SmallVec::new();
    for &axis in axes {
        let a = normalize_axis(op, axis, rank)?;
        if out.contains(&a) {
            return Err(Error::value(op, format!("an axis is named twice, expected distinct axes, got {axes:?}")));
        }
        out.push(a);
    }
    Ok(out)
}

/// The broadcast shape of two operands.
pub fn broadcast(op: &str, a: &[usize], b: &[usize]) -> Result<Shape> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| if i + s.len() >= rank { s[i + s.len() - rank] } else { 1 };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(Error::shape(op, format!("shapes {} and {} do not broadcast", display(a), display(b)))),
        })
        .collect()
}

impl Layout {
    pub fn contiguous(shape: &[usize]) -> Layout {
        Layout { shape: SmallVec::from_slice(shape), strides: contiguous_strides(shape), offset: 0 }
    }

    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Number of elements; cannot overflow, since every layout was made from a checked shape.
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }

    /// Last axis fastest, no gaps: a kernel may walk it as a slice.
    pub fn is_contiguous(&self) -> bool {
        let mut step = 1;
        for (&n, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if n == 0 {
                return true;
            }
            if n != 1 {
                if stride != step {
                    return false;
                }
                step *= n as isize;
            }
        }
        true
    }

    /// The lowest and highest element reached, or `None` when there are no elements.
    pub fn bounds(&self, op: &str) -> Result<Option<(usize, usize)>> {
        let overflow = || Error::shape(op, "strides reach outside the address space");
        let (mut low, mut high) = (self.offset as i128, self.offset as i128);
        for (&n, &stride) in self.shape.iter().zip(&self.strides) {
            if n == 0 {
                return Ok(None);
            }
            let reach = (n as i128 - 1) * stride as i128;
            if reach < 0 { low += reach } else { high += reach }
        }
        if low < 0 || high > isize::MAX as i128 {
            return Err(overflow());
        }
        Ok(Some((low as usize, high as usize)))
    }

    /// The same elements with axes stretched to `shape` by stride zero.
    pub fn broadcast_to(&self, op: &str, shape: &[usize]) -> Result<Layout> {
        checked_numel(op, shape)?;
        let fits = self.rank() <= shape.len()
            && self.shape.iter().rev().zip(shape.iter().rev()).all(|(&have, &want)| have == want || have == 1);
        if !fits {
            let message = format!("shape {} does not broadcast to {}", display(&self.shape), display(shape));
            return Err(Error::shape(op, message));
        }
        let lead = shape.len() - self.rank();
        let strides = (0..shape.len())
            .map(|i| if i < lead || (self.shape[i - lead] == 1 && shape[i] != 1) { 0 } else { self.strides[i - lead] })
            .collect();
        Ok(Layout { shape: SmallVec::from_slice(shape), strides, offset: self.offset })
    }

    /// The same elements under another shape without moving them, if strides allow.
    pub fn view_as(&self, shape: &[usize]) -> Option<Layout> {
        let offset = self.offset;
        if self.is_contiguous() {
            return Some(Layout { offset, ..Layout::contiguous(shape) });
        }
        if self.numel() == 0 {
            return Some(Layout { offset, ..Layout::contiguous(shape) });
        }
        // Walk both shapes from the end, matching groups of axes with equal products.
        let mut strides: Strides = SmallVec::from_elem(0, shape.len());
        let old: Vec<(usize, isize)> =
            self.shape.iter().copied().zip(self.strides.iter().copied()).filter(|&(n, _)| n != 1).collect();
        let (mut i, mut j) = (old.len(), shape.len());
        while i > 0 {
            let (mut have, mut step) = old[i - 1];
            i -= 1;
            while i > 0 && old[i - 1].1 == step * have as isize && have > 0 {
                // Fuse axes that continue each other; the loop below splits them again as wanted.
                have *= old[i - 1].0;
                i -= 1;
            }
            while have > 1 {
                j = j.checked_sub(1)?;
                if have % shape[j] != 0 {
                    return None;
                }
                strides[j] = step;
                step *= shape[j] as isize;
                have /= shape[j];
            }
        }
        Some(Layout { shape: SmallVec::from_slice(shape), strides, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_wrap_are_errors() {
        assert!(checked_numel("t", &[1 << 62, 4]).is_err());
        assert!(checked_numel("t", &[0, 1 << 62, 1 << 62]).is_err());
        assert!(checked_numel("t", &[1; 65]).is_err());
        assert_eq!(checked_numel("t", &[0, 1 << 40]), Ok(0));
        assert_eq!(checked_numel("t", &[]), Ok(1));
    }

    #[test]
    fn broadcast_follows_numpy() {
        assert_eq!(broadcast("t", &[3, 1], &[4]).unwrap().as_slice(), &[3, 4]);
        assert_eq!(broadcast("t", &[0, 1], &[1, 5]).unwrap().as_slice(), &[0, 5]);
        assert!(broadcast("t", &[3], &[4]).is_err());
    }

    #[test]
    fn views_split_and_fuse_axes_only_where_strides_allow() {
        let transposed =
            Layout { shape: SmallVec::from_slice(&[3, 2]), strides: SmallVec::from_slice(&[1, 3]), offset: 0 };
        assert!(transposed.view_as(&[6]).is_none());
        assert_eq!(transposed.view_as(&[3, 1, 2]).unwrap().strides.as_slice(), &[1, 1, 3]);
        let sliced =
            Layout { shape: SmallVec::from_slice(&[2, 4]), strides: SmallVec::from_slice(&[10, 1]), offset: 2 };
        assert_eq!(sliced.view_as(&[2, 2, 2]).unwrap().strides.as_slice(), &[10, 2, 1]);
        assert!(sliced.view_as(&[8]).is_none());
        let stretched = Layout::contiguous(&[1, 4]).broadcast_to("t", &[3, 4]).unwrap();
        assert!(stretched.view_as(&[12]).is_none());
    }

    #[test]
    fn axes_count_from_the_end() {
        assert_eq!(normalize_axis("t", -1, 3), Ok(2));
        assert!(normalize_axis("t", 3, 3).is_err());
        assert!(normalize_axis("t", 0, 0).is_err());
        assert!(normalize_axes("t", &[0, -2], 2).is_err());
    }
}
