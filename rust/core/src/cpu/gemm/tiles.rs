//! The tiles of a batch of products, done in parallel.

use super::entry::{Block, Entry};
use super::kept::{Cut, Panels};
use super::packed::{self, Filling};
use super::real;
use super::split::{Shape, Split};
use super::table::Real;
use super::{Matrix, Start};
use crate::cpu::pool;
use crate::error::{Error, Result};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Elements of both operands rearranged at once: they should stay in the last-level cache.
const SHARED: usize = 1 << 21;
/// The most rows of one and columns of the other.
const SIDE: usize = 4096;
/// Rows, and tiles of one matrix, from which rearranging the left operand for all of them is worth it.
const LEFT_ROWS: usize = 48;
const LEFT_TILES: usize = 4;
/// Rows up to which a right operand is read as it lies, whether its panels could be kept or not.
const KEPT_ROWS: usize = 16;
/// Columns from which on it is worth it for rows that are contiguous, too.
const WIDE: usize = 1280;
/// Bytes after which memory falls on the same places of a first-level cache.
const WAY: usize = 4096;

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

/// Runs every task; the first error found is returned. A single one needs no region.
fn in_parallel(tasks: usize, body: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    if tasks == 1 {
        return body(0);
    }
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
    /// Operands that several tiles need are rearranged once for all of them; None where that is of no use.
    pub fn run_shared_panels(&self, start: Start<T>, c: &mut [T]) -> Option<Result<()>> {
        let split = self.split;
        let tile = [split.tile_rows, split.n, split.k];
        let lies = real::takes_as_it_lies(tile, (self.b.row_step(), self.b.column_step()));
        let kept = match if lies { Ok(None) } else { self.kept_panels() } {
            Ok(kept) => kept,
            Err(error) => return Some(Err(error)),
        };
        let right = split.shares_columns() && !lies && kept.is_none();
        // Contiguous rows are read as they lie for few columns, unless elements below each other push each other out.
        let row_bytes = self.row_step.unsigned_abs() * size_of::<T>();
        let lies_well = self.a.column_step() == 1 && !row_bytes.is_multiple_of(WAY) && split.n < WIDE;
        let left = !lies_well && split.shares_rows() && split.m >= LEFT_ROWS && split.tiles() >= LEFT_TILES;
        (left || right || kept.is_some()).then(|| {
            let target = Target::new(c);
            // Whole tiles, as many as memory is to hold.
            let most = |total: usize, tile: usize| total.min((SIDE / tile).max(1) * tile);
            let rows = if left { most(split.m, split.tile_rows) } else { split.m };
            let columns = if right { most(split.n, split.tile_columns) } else { split.n };
            let held = if left { rows } else { 0 } + if right { columns } else { 0 };
            let block = real::depth_block(split.k);
            let depth = (SHARED / held.max(1) / block).max(1) * block;
            let cut = |total: usize, size: usize| (0..total).step_by(size).map(move |at| at..(at + size).min(total));
            for matrix in 0..split.batch {
                for depths in cut(split.k, depth) {
                    let start = if depths.start == 0 { start } else { Start::Output };
                    for rows in cut(split.m, rows) {
                        for columns in cut(split.n, columns) {
                            let part = Part { matrix, rows: rows.clone(), columns, depths: depths.clone() };
                            self.run_panels(part, [left, right], kept.as_deref(), start, &target)?;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    /// The right operand's panels, if they are kept.
    fn kept_panels(&self) -> Result<Option<Arc<Panels<T>>>> {
        let split = self.split;
        let Some(kept) = self.b.kept.filter(|_| split.batch == 1 && split.slices == 1 && split.m > KEPT_ROWS) else {
            return Ok(None);
        };
        let first = self.b.start(0, self.axes);
        let cut = Cut { depth: real::depth_block(split.k), width: T::grain(split.m, split.n).columns };
        // SAFETY: `Matrix::new` proved that the operand lies inside its elements.
        unsafe {
            let from = (self.b.elements.as_ptr().offset(first), self.b.row_step(), self.b.column_step());
            kept.panels((split.k, split.n), first, from, cut)
        }
    }

    /// Rearranges the part's operands, then does its tiles.
    fn run_panels(
        &self,
        part: Part,
        [left, right]: [bool; 2],
        kept: Option<&Panels<T>>,
        start: Start<T>,
        target: &Target<T>,
    ) -> Result<()> {
        let (split, grain) = (self.split, T::grain(self.split.m, self.split.n));
        let (rows, columns, depths) = (part.rows.len(), part.columns.len(), part.depths.len());
        let block = real::depth_block(split.k);
        // SAFETY: the part lies inside the product, and the output holds it.
        let whole = unsafe { self.block(&part, 0, start, target) };
        let (a, a_row, a_column) = whole.a;
        // The rows of the left operand are the columns of its panels.
        let left =
            left.then(|| Filling::<T>::new((a, a_column, a_row), depths, rows, block, grain.rows)).transpose()?;
        let right = right.then(|| Filling::<T>::new(whole.b, depths, columns, block, grain.columns)).transpose()?;
        let tasks = |filling: &Option<Filling<T>>| filling.as_ref().map_or(0, Filling::tasks);
        in_parallel(tasks(&left) + tasks(&right), |task| {
            match (&left, &right) {
                (Some(left), _) if task < left.tasks() => left.run(task),
                (_, Some(right)) => right.run(task - tasks(&left)),
                _ => {}
            }
            Ok(())
        })?;
        let (down, across) = (rows.div_ceil(split.tile_rows), columns.div_ceil(split.tile_columns));
        in_parallel(down * across, |task| {
            let (row, column) = (task / across * split.tile_rows, task % across * split.tile_columns);
            let (rows, columns) = (&part.rows, &part.columns);
            let tile = Part {
                matrix: part.matrix,
                rows: rows.start + row..rows.end.min(rows.start + row + split.tile_rows),
                columns: columns.start + column..columns.end.min(columns.start + column + split.tile_columns),
                depths: part.depths.clone(),
            };
            let shared = real::Shared {
                grain,
                depth: block,
                left: left.as_ref().map(|left| (&left.to, row)),
                right: match kept {
                    Some(kept) => Some((&kept.packed, part.depths.start, tile.columns.start)),
                    None => right.as_ref().map(|right| (&right.to, 0, column)),
                },
            };
            // SAFETY: tiles of the part are disjoint, and its panels are filled.
            unsafe { real::multiply(self.block(&tile, 0, start, target), Some(&shared)) }
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
