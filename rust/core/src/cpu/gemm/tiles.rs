//! The tiles of a batch of products, done in parallel.

use super::entry::{Block, Entry};
use super::packed::{self, Packed};
use super::real;
use super::split::{Shape, Split};
use super::table::Real;
use super::{Matrix, Start};
use crate::cpu::pool;
use crate::error::{Error, Result};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Elements of a right operand rearranged at once: they should stay in the last-level cache.
const SHARED: usize = 1 << 21;
/// And the most rows of it.
const SHARED_DEPTH: usize = 8192;

/// Rows and panels rearranged by one task.
const FILL: usize = 2048;

/// A batch of products cut into tiles.
pub struct Tiles<'a, T> {
    a: &'a Matrix<'a, T>,
    b: &'a Matrix<'a, T>,
    /// What is left of the batch after folding: its outer axes.
    axes: usize,
    /// From row to row of `a`, through what was folded.
    row_step: isize,
    pub split: Split,
}

/// A part of one product.
pub struct Part {
    pub matrix: usize,
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    pub depths: Range<usize>,
}

/// The output, written by several threads, each its own tiles.
pub struct Target<T>(*mut T);
// SAFETY: tiles of different units are disjoint, and every unit is done by one task.
unsafe impl<T: Send> Sync for Target<T> {}

impl<T> Target<T> {
    pub fn new(c: &mut [T]) -> Target<T> {
        Target(c.as_mut_ptr())
    }
}

/// Runs every task; the first error found is returned.
fn in_parallel(tasks: usize, body: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let failed = Mutex::new(None);
    pool::parallel_for(tasks, &|task| {
        if let Err(error) = body(task) {
            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    })?;
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

impl<'a, T: Entry> Tiles<'a, T> {
    /// Batch axes along which `b` stands still and `a` goes on row after row become rows. The batch axes of the
    /// operands must be the same.
    pub fn new(a: &'a Matrix<'a, T>, b: &'a Matrix<'a, T>, batch: usize) -> Tiles<'a, T> {
        let (mut axes, mut batch, mut m, mut row_step) = (a.batch().len(), batch, a.rows(), a.row_step());
        while axes > 0 {
            let (n, step) = (a.layout.shape[axes - 1], a.layout.strides[axes - 1]);
            if n != 1 {
                let continues = m == 1 || row_step.checked_mul(m as isize) == Some(step);
                if !continues || b.layout.strides[axes - 1] != 0 {
                    break;
                }
                row_step = if m == 1 { step } else { row_step };
            }
            (axes, batch, m) = (axes - 1, batch / n, m * n);
        }
        let by_columns = b.row_step() == 1 && b.column_step() != 1;
        let n = b.columns();
        let shape = Shape { batch, m, n, k: a.columns(), grain: T::grain(m, n), by_columns, exact: T::EXACT };
        Tiles { a, b, axes, row_step, split: Split::new(shape) }
    }

    /// `c = start + a b`; with several slices `c` holds one product a slice.
    pub fn run(&self, start: Start<T>, c: &mut [T]) -> Result<()> {
        let split = self.split;
        if c.len() != split.slices * split.batch * split.m * split.n {
            return Err(Error::internal("matmul", "output does not fit the split"));
        }
        if let Some(done) = T::run_shared(self, start, c) {
            return done;
        }
        let target = Target::new(c);
        in_parallel(split.tasks(), |task| {
            split.units_of(task).try_for_each(|unit| {
                let tile = split.tile(unit);
                let part = Part {
                    matrix: tile.matrix,
                    rows: tile.row..tile.row + tile.rows,
                    columns: tile.column..tile.column + tile.columns,
                    depths: tile.depth..tile.depth + tile.depths,
                };
                // SAFETY: `c` holds every tile of the split, and each unit is visited once.
                unsafe { T::multiply(self.block(&part, tile.slice, start, &target)) }
            })
        })
    }

    /// The operands and output of a part.
    ///
    /// # Safety
    /// The target must hold the products of all slices up to this one.
    pub unsafe fn block(&self, part: &Part, slice: usize, start: Start<T>, target: &Target<T>) -> Block<T> {
        let (a, b, split) = (self.a, self.b, self.split);
        let (row, column, depth) = (part.rows.start, part.columns.start, part.depths.start);
        let a_start = a.start(part.matrix, self.axes) + row as isize * self.row_step + depth as isize * a.column_step();
        let b_start =
            b.start(part.matrix, self.axes) + depth as isize * b.row_step() + column as isize * b.column_step();
        let c_start = ((slice * split.batch + part.matrix) * split.m + row) * split.n + column;
        // SAFETY: the part lies inside the matrices, which `Matrix::new` proved to lie inside their elements.
        unsafe {
            let c = target.0.add(c_start);
            let from = match start {
                Start::Zero => (std::ptr::null(), 0),
                Start::Row(values) => (values.as_ptr().add(column), 0),
                Start::Output => (c.cast_const(), split.n as isize),
            };
            Block {
                size: [part.rows.len(), part.columns.len(), part.depths.len()],
                c: (c, split.n as isize),
                from,
                a: (a.elements.as_ptr().offset(a_start), self.row_step, a.column_step()),
                b: (b.elements.as_ptr().offset(b_start), b.row_step(), b.column_step()),
            }
        }
    }
}

impl<T: Real + Entry> Tiles<'_, T> {
    /// Where several tiles need the same columns of `b`, these are rearranged once for all of them.
    pub fn run_shared_panels(&self, start: Start<T>, c: &mut [T]) -> Option<Result<()>> {
        let split = self.split;
        let tile = [split.tile_rows, split.n, split.k];
        let wanted = split.shares_columns() && !real::takes_as_it_lies(tile, self.b.column_step());
        wanted.then(|| {
            let target = Target::new(c);
            let width = split.tile_columns_within(SHARED / split.k.min(SHARED_DEPTH));
            for matrix in 0..split.batch {
                for depth in (0..split.k).step_by(SHARED_DEPTH) {
                    let start = if depth == 0 { start } else { Start::Output };
                    for column in (0..split.n).step_by(width) {
                        let columns = column..(column + width).min(split.n);
                        let depths = depth..(depth + SHARED_DEPTH).min(split.k);
                        self.run_panels(Part { matrix, rows: 0..split.m, columns, depths }, start, &target)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Rearranges the part's right operand, then does its tiles.
    fn run_panels(&self, part: Part, start: Start<T>, target: &Target<T>) -> Result<()> {
        let split = self.split;
        let width = T::grain(split.m, split.n).columns;
        let (columns, depths) = (part.columns.len(), part.depths.len());
        let packed = Packed::<T>::new(depths, columns, real::depth_block(depths), width)?;
        // SAFETY: the part lies inside the product, and the output holds it.
        let whole = unsafe { self.block(&part, 0, start, target) };
        let source = Shared(whole.b);
        let each = (FILL / depths.max(1)).max(1) * width;
        in_parallel(columns.div_ceil(each), |task| {
            let first = task * each;
            // SAFETY: each task fills its own panels from columns of the part.
            unsafe { packed.fill(depths, first, each.min(columns - first), source.get()) };
            Ok(())
        })?;
        let (down, across) = (split.m.div_ceil(split.tile_rows), columns.div_ceil(split.tile_columns));
        in_parallel(down * across, |task| {
            let (row, column) = (task / across * split.tile_rows, task % across * split.tile_columns);
            let tile = Part {
                matrix: part.matrix,
                rows: row..(row + split.tile_rows).min(split.m),
                columns: part.columns.start + column
                    ..part.columns.end.min(part.columns.start + column + split.tile_columns),
                depths: part.depths.clone(),
            };
            // SAFETY: tiles of the part are disjoint, and its panels are filled.
            unsafe { real::multiply(self.block(&tile, 0, start, target), Some((&packed, column))) }
        })
    }
}

/// An operand read by several threads.
pub struct Shared<T>(pub packed::Matrix<T>);
// SAFETY: it is only a place; who reads or writes through it answers for that.
unsafe impl<T: Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn get(&self) -> packed::Matrix<T> {
        self.0
    }
}
