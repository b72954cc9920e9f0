//! Operands rearranged for the kernels, and how kernels find their rows and columns in them or in the operand itself.

use super::kernel::{LINE, NEXT_LINES};
use super::pack::Panels;
use super::table::Real;
use super::tiles::Shared;
use crate::cpu::arena;
use crate::error::Result;
use std::marker::PhantomData;

/// An operand: its first element, its row step and its column step.
pub type Matrix<T> = (*const T, isize, isize);

/// So many rows down and columns to the right.
pub fn moved<T>((at, row, column): Matrix<T>, rows: usize, columns: usize) -> Matrix<T> {
    (at.wrapping_offset(rows as isize * row + columns as isize * column), row, column)
}

/// An operand in panels, depth block after depth block: columns of a right operand, or rows of a left one.
pub struct Packed<T> {
    block: arena::Block,
    elements: PhantomData<T>,
    rows: usize,
    /// Rows of a depth block; the last may have fewer.
    depth: usize,
    /// Columns, rounded up to whole panels.
    columns: usize,
    /// Columns of a panel.
    pub width: usize,
}

impl<T: Real> Packed<T> {
    /// Room for `k x columns` elements with arbitrary values.
    pub fn new(k: usize, columns: usize, depth: usize, width: usize) -> Result<Packed<T>> {
        let columns = columns.next_multiple_of(width);
        let block = arena::Block::new(k * columns * size_of::<T>())?;
        Ok(Packed { block, elements: PhantomData, rows: k, depth, columns, width })
    }

    /// The panel that begins at a column, in the depth block that begins at a row and has so many.
    fn panel(&self, row: usize, rows: usize, column: usize) -> *mut T {
        self.block.as_mut_ptr().cast::<T>().wrapping_add(row * self.columns + column * rows)
    }

    /// Fills the panels of some columns, the first of them at the beginning of a panel, from an operand of `k` rows.
    ///
    /// # Safety
    /// `from` must hold those columns, there must be room for them, and nobody else fill or read their panels.
    pub unsafe fn fill(&self, k: usize, first: usize, columns: usize, from: Matrix<T>) {
        for p in (0..k).step_by(self.depth) {
            let rows = self.depth.min(k - p);
            let (from, row, column) = moved(from, p, first);
            let to = self.panel(p, rows, first);
            // SAFETY: the caller's promise.
            unsafe { (T::kernels().pack)(&Panels { from, row, column, rows, columns, width: self.width, to }) };
        }
    }

    /// The panels from a column on, in the depth block that begins at a row.
    pub fn right(&self, row: usize, rows: usize, column: usize) -> Right<T> {
        let (at, next) = (self.panel(row, rows, column), row + rows);
        let after = match next < self.rows {
            true => self.panel(next, self.depth.min(self.rows - next), column),
            false => at,
        };
        Right { at, row_step: self.width as isize, column_step: rows, after: Some(after) }
    }

    /// The rows of a left operand from one on, in the depth block that begins at a step and has so many.
    pub fn left(&self, step: usize, steps: usize, first: usize) -> Left<T> {
        let panel = (self.width, (self.width * steps) as isize);
        Left { at: self.panel(step, steps, 0), first, row_step: 1, step: self.width as isize, panel }
    }
}

/// Elements rearranged by one task, and the least columns: so many that memory is read in runs.
const FILL: usize = 1 << 13;
const LEAST_COLUMNS: usize = 64;

/// An operand on its way into panels, cut into tasks.
pub struct Filling<T> {
    from: Shared<T>,
    pub to: Packed<T>,
    depth: usize,
    columns: usize,
    /// Columns of one task.
    each: usize,
}

impl<T: Real> Filling<T> {
    pub fn new(from: Matrix<T>, depth: usize, columns: usize, block: usize, width: usize) -> Result<Filling<T>> {
        let each = (FILL / depth).max(LEAST_COLUMNS).next_multiple_of(width);
        Ok(Filling { from: Shared(from), to: Packed::new(depth, columns, block, width)?, depth, columns, each })
    }

    pub fn tasks(&self) -> usize {
        self.columns.div_ceil(self.each)
    }

    pub fn run(&self, task: usize) {
        let first = task * self.each;
        // SAFETY: each task fills its own panels, from columns of the operand.
        unsafe { self.to.fill(self.depth, first, self.each.min(self.columns - first), self.from.get()) };
    }
}

/// Rows of a right operand, whose columns lie side by side within a panel.
#[derive(Clone, Copy)]
pub struct Right<T> {
    at: *const T,
    pub row_step: isize,
    /// From panel to panel, for each column.
    column_step: usize,
    /// Of an operand in panels: where its next depth block begins.
    after: Option<*const T>,
}

impl<T> Right<T> {
    /// An operand as it lies; its column step must be one.
    pub fn as_it_lies((at, row_step, _): Matrix<T>) -> Right<T> {
        Right { at, row_step, column_step: 1, after: None }
    }

    pub fn is_packed(&self) -> bool {
        self.after.is_some()
    }

    /// The panel that begins at a column.
    pub fn panel(&self, column: usize) -> *const T {
        self.at.wrapping_add(column * self.column_step)
    }

    /// Of an operand in panels: what a tile of these rows is to fetch of the panel after the one that begins at a
    /// column, or, where nothing is left of it, something fetched already.
    pub fn ahead(&self, column: usize, row: usize, [width, columns, depth]: [usize; 3]) -> Option<*const T> {
        let first = row * NEXT_LINES * LINE / size_of::<T>();
        let after = self.after?;
        let next = if column + width < columns { self.panel(column + width) } else { after };
        Some(if first < depth * width { next.wrapping_add(first) } else { self.panel(column) })
    }
}

/// Rows of a left operand.
#[derive(Clone, Copy)]
pub struct Left<T> {
    at: *const T,
    /// The row of the panels that is this operand's first.
    first: usize,
    pub row_step: isize,
    pub step: isize,
    /// Rows of a panel, and elements from panel to panel.
    panel: (usize, isize),
}

impl<T> Left<T> {
    pub fn as_it_lies((at, row_step, step): Matrix<T>) -> Left<T> {
        Left { at, first: 0, row_step, step, panel: (1, row_step) }
    }

    pub fn is_packed(&self) -> bool {
        self.panel.0 > 1
    }

    /// The rows from one on, which must not cross into the next panel.
    pub fn rows_from(&self, row: usize) -> *const T {
        let ((stack, step), row) = (self.panel, self.first + row);
        self.at.wrapping_offset((row / stack) as isize * step + (row % stack) as isize * self.row_step)
    }
}
