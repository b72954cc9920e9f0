//! The launch plan: axes coalesced over all operands, every index proven to lie inside its buffer.
//!
//! Kernels that walk strides take a `Plan`; having one is the proof that unchecked access is sound.

use crate::error::{Error, Result};
use crate::shape::{self, Layout, Shape, Strides};
use smallvec::SmallVec;

/// How `N` operands of one shape are walked together, last axis innermost.
#[derive(Debug, Clone)]
pub struct Plan<const N: usize> {
    shape: Shape,
    strides: [Strides; N],
    offsets: [usize; N],
}

impl<const N: usize> Plan<N> {
    /// Fails unless all layouts have one shape and stay inside `lengths` (elements of each buffer).
    pub fn new(op: &str, layouts: [&Layout; N], lengths: [usize; N]) -> Result<Plan<N>> {
        let shape = &layouts[0].shape;
        for (layout, length) in layouts.iter().zip(lengths) {
            if layout.shape != *shape {
                let (a, b) = (shape::display(shape), shape::display(&layout.shape));
                return Err(Error::internal(op, format!("operands planned with shapes {a} and {b}")));
            }
            if layout.bounds(op)?.is_some_and(|(_, last)| last >= length) {
                return Err(Error::internal(op, "operand reaches outside its buffer"));
            }
        }
        let mut plan = Plan {
            shape: SmallVec::new(),
            strides: std::array::from_fn(|_| SmallVec::new()),
            offsets: layouts.map(|l| l.offset),
        };
        for axis in 0..shape.len() {
            plan.push_axis(shape[axis], std::array::from_fn(|k| layouts[k].strides[axis]));
        }
        if plan.shape.is_empty() {
            plan.shape.push(1);
            plan.strides.iter_mut().for_each(|s| s.push(0));
        }
        Ok(plan)
    }

    /// Adds an inner axis, fused with the previous one where every operand continues it.
    fn push_axis(&mut self, n: usize, steps: [isize; N]) {
        if n == 1 {
            return;
        }
        if let Some(last) = self.shape.last_mut() {
            let i = self.strides[0].len() - 1;
            if n != 0 && (0..N).all(|k| steps[k].checked_mul(n as isize) == Some(self.strides[k][i])) {
                *last *= n;
                (0..N).for_each(|k| self.strides[k][i] = steps[k]);
                return;
            }
        }
        self.shape.push(n);
        (0..N).for_each(|k| self.strides[k].push(steps[k]));
    }

    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }

    /// Coalesced sizes, outermost first; at least one axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
    pub fn strides(&self, operand: usize) -> &[isize] {
        &self.strides[operand]
    }
    pub fn offset(&self, operand: usize) -> usize {
        self.offsets[operand]
    }

    /// Elements in one row (the innermost axis).
    pub fn row_len(&self) -> usize {
        self.shape[self.shape.len() - 1]
    }

    /// Steps of all operands along a row.
    pub fn row_strides(&self) -> [isize; N] {
        std::array::from_fn(|k| self.strides[k][self.shape.len() - 1])
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.shape[..self.shape.len() - 1].iter().product()
    }

    /// Where the first element of a row lies, for each operand.
    pub fn row_start(&self, row: usize) -> [usize; N] {
        self.find_row(row, |_, _| {}).map(|a| a as usize)
    }

    /// The same; `visit` gets the row's index along every outer axis.
    #[inline(always)]
    fn find_row(&self, row: usize, mut visit: impl FnMut(usize, usize)) -> [isize; N] {
        let mut rest = row;
        let mut at: [isize; N] = self.offsets.map(|o| o as isize);
        for axis in (0..self.shape.len() - 1).rev() {
            let size = self.shape[axis].max(1);
            let index = rest % size;
            rest /= size;
            visit(axis, index);
            (0..N).for_each(|k| at[k] += index as isize * self.strides[k][axis]);
        }
        at
    }

    /// Calls `body(row, start of the row in each operand)` for rows in the range, in order.
    pub fn for_rows(&self, rows: std::ops::Range<usize>, mut body: impl FnMut(usize, [usize; N])) {
        let outer = self.shape.len() - 1;
        let mut index: Shape = SmallVec::from_elem(0, outer);
        let mut at = self.find_row(rows.start, |axis, i| index[axis] = i);
        for row in rows {
            body(row, at.map(|a| a as usize));
            for axis in (0..outer).rev() {
                index[axis] += 1;
                if index[axis] < self.shape[axis] {
                    (0..N).for_each(|k| at[k] += self.strides[k][axis]);
                    break;
                }
                index[axis] = 0;
                let back = self.shape[axis] as isize - 1;
                (0..N).for_each(|k| at[k] -= back * self.strides[k][axis]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(shape: &[usize], strides: &[isize], offset: usize) -> Layout {
        Layout { shape: SmallVec::from_slice(shape), strides: SmallVec::from_slice(strides), offset }
    }

    #[test]
    fn contiguous_operands_become_one_row() {
        let a = Layout::contiguous(&[2, 3, 4]);
        let plan = Plan::new("t", [&a, &a], [24, 24]).unwrap();
        assert_eq!((plan.shape(), plan.rows()), (&[24usize][..], 1));
    }

    #[test]
    fn rows_visit_what_nested_loops_visit() {
        let a = layout(&[2, 3, 4], &[1, 2, -6], 18);
        let b = layout(&[2, 3, 4], &[0, 4, 1], 0);
        let plan = Plan::new("t", [&a, &b], [24, 12]).unwrap();
        let (n, step) = (plan.row_len(), plan.row_strides());
        let mut seen = Vec::new();
        for part in [0..4, 4..plan.rows()] {
            plan.for_rows(part, |_, at| {
                for i in 0..n as isize {
                    seen.push((at[0] as isize + i * step[0], at[1] as isize + i * step[1]));
                }
            });
        }
        let mut want = Vec::new();
        for i in 0..2 {
            for j in 0..3 {
                for k in 0..4 {
                    want.push((18 + i + 2 * j - 6 * k, 4 * j + k));
                }
            }
        }
        assert_eq!(seen, want);
    }

    #[test]
    fn a_layout_outside_its_buffer_gets_no_plan() {
        let a = layout(&[4], &[2], 1);
        assert!(Plan::new("t", [&a], [8]).is_ok());
        assert!(Plan::new("t", [&a], [7]).is_err());
        assert!(Plan::new("t", [&layout(&[2], &[-1], 0)], [8]).is_err());
        assert!(Plan::new("t", [&layout(&[0, 9], &[1, 1], 99)], [0]).is_ok());
    }
}
