//! The matrix product: operands of any strides, in batches, split over threads.
//!
//! The cut into tasks depends on the shapes alone, so the bits do not depend on the number of threads.

mod block;
mod entry;
mod split;

pub use block::{Strided, multiply_block};
pub use entry::{Entry, typed_mut};

use crate::cpu::arena::Block;
use crate::cpu::pool;
use crate::error::{Error, Result};
use crate::shape::{self, Layout};
use split::Split;
use std::sync::Mutex;

/// A batch of matrices: the last two axes of the layout are rows and columns, those before them the batch.
pub struct Matrix<'a, T> {
    elements: &'a [T],
    layout: &'a Layout,
}

impl<'a, T> Matrix<'a, T> {
    /// Proves that every element of the layout lies inside `elements`.
    pub fn new(op: &str, elements: &'a [T], layout: &'a Layout) -> Result<Matrix<'a, T>> {
        if layout.rank() < 2 {
            return Err(Error::internal(op, "a matrix operand needs two axes"));
        }
        if layout.bounds(op)?.is_some_and(|(_, last)| last >= elements.len()) {
            return Err(Error::internal(op, "operand reaches outside its buffer"));
        }
        Ok(Matrix { elements, layout })
    }

    fn batch(&self) -> &[usize] {
        &self.layout.shape[..self.layout.rank() - 2]
    }
    fn rows(&self) -> usize {
        self.layout.shape[self.layout.rank() - 2]
    }
    fn columns(&self) -> usize {
        self.layout.shape[self.layout.rank() - 1]
    }
    fn row_step(&self) -> isize {
        self.layout.strides[self.layout.rank() - 2]
    }
    fn column_step(&self) -> isize {
        self.layout.strides[self.layout.rank() - 1]
    }

    /// Where matrix `index` of the batch begins; only `axes` outer axes are left after folding.
    fn start(&self, mut index: usize, axes: usize) -> isize {
        let mut at = self.layout.offset as isize;
        for axis in (0..axes).rev() {
            let n = self.layout.shape[axis];
            at += (index % n) as isize * self.layout.strides[axis];
            index /= n;
        }
        at
    }
}

/// What the product is added to.
#[derive(Clone, Copy)]
pub enum Start<'a, T> {
    Zero,
    /// One value for each column, as the bias of a linear layer.
    Row(&'a [T]),
    /// What the output holds already.
    Output,
}

/// `c = start + a b`, where `c` is contiguous: batch, rows of `a`, columns of `b`. The batch axes of `a` and `b` must be
/// the same (stretch them by stride zero).
pub fn product<T: Entry>(op: &str, a: &Matrix<T>, b: &Matrix<T>, start: Start<T>, c: &mut [T]) -> Result<()> {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    let batch = shape::checked_numel(op, a.batch())?;
    if a.batch() != b.batch() || b.rows() != k || c.len() != batch * m * n {
        return Err(Error::internal(op, "matrix operands do not fit together"));
    }
    if let Start::Row(row) = start
        && row.len() != n
    {
        return Err(Error::internal(op, "the starting row does not fit the columns"));
    }
    if c.is_empty() {
        return Ok(());
    }
    if k == 0 {
        c.chunks_mut(n).for_each(|row| begin(row, start));
        return Ok(());
    }
    let folded = fold_batch(a, b, batch);
    let split = Split::new(folded.batch, folded.m, n, k);
    if split.slices == 1 {
        return Task { a, b, folded, split }.run(start, c);
    }
    // Partial products of slices of the common axis, then their sum in order.
    let mut scratch = Block::new(split.slices * size_of_val(c))?;
    let partial = entry::typed_mut::<T>(&mut scratch);
    Task { a, b, folded, split }.run(Start::Zero, partial)?;
    c.chunks_mut(n).for_each(|row| begin(row, start));
    for slice in partial.chunks(c.len()) {
        c.iter_mut().zip(slice).for_each(|(c, &p)| *c = T::plus(*c, p));
    }
    Ok(())
}

fn begin<T: Entry>(row: &mut [T], start: Start<T>) {
    match start {
        Start::Zero => row.fill(T::default()),
        Start::Row(values) => row.copy_from_slice(values),
        Start::Output => {}
    }
}

/// What is left of the batch after folding: its outer axes, the matrices in it, and the rows of one, `row_step` apart.
#[derive(Clone, Copy)]
struct Folded {
    axes: usize,
    batch: usize,
    m: usize,
    row_step: isize,
}

/// Batch axes along which `b` stands still and `a` goes on row after row become rows.
fn fold_batch<T>(a: &Matrix<T>, b: &Matrix<T>, batch: usize) -> Folded {
    let mut folded = Folded { axes: a.batch().len(), batch, m: a.rows(), row_step: a.row_step() };
    while folded.axes > 0 {
        let (n, step) = (a.layout.shape[folded.axes - 1], a.layout.strides[folded.axes - 1]);
        if n != 1 {
            let continues = folded.m == 1 || folded.row_step.checked_mul(folded.m as isize) == Some(step);
            if !continues || b.layout.strides[folded.axes - 1] != 0 {
                break;
            }
            folded.row_step = if folded.m == 1 { step } else { folded.row_step };
        }
        folded = Folded { axes: folded.axes - 1, batch: folded.batch / n, m: folded.m * n, ..folded };
    }
    folded
}

struct Task<'a, T> {
    a: &'a Matrix<'a, T>,
    b: &'a Matrix<'a, T>,
    folded: Folded,
    split: Split,
}

/// The output, written by several threads, each its own tiles.
struct Target<T>(*mut T);
// SAFETY: tiles of different units are disjoint, and every unit is done by one task.
unsafe impl<T: Send> Sync for Target<T> {}

impl<T: Entry> Task<'_, T> {
    fn run(&self, start: Start<T>, c: &mut [T]) -> Result<()> {
        let split = self.split;
        if c.len() != split.slices * split.batch * split.m * split.n {
            return Err(Error::internal("matmul", "output does not fit the split"));
        }
        let (target, failed) = (Target(c.as_mut_ptr()), Mutex::new(None));
        pool::parallel_for(split.tasks(), &|task| {
            for unit in split.units_of(task) {
                // SAFETY: `c` holds every tile of the split, and each unit is visited once.
                if let Err(error) = unsafe { self.tile(unit, start, &target) } {
                    *failed.lock().unwrap_or_else(|p| p.into_inner()) = Some(error);
                }
            }
        })?;
        failed.into_inner().unwrap_or_else(|p| p.into_inner()).map_or(Ok(()), Err)
    }

    /// # Safety
    /// The target must hold all tiles of the split, and nobody else may work on this unit.
    unsafe fn tile(&self, unit: usize, start: Start<T>, target: &Target<T>) -> Result<()> {
        let split = self.split;
        let tile = split.tile(unit);
        let (a, b) = (self.a, self.b);
        let Folded { axes, row_step, .. } = self.folded;
        let a_start = a.start(tile.matrix, axes) + tile.row as isize * row_step + tile.depth as isize * a.column_step();
        let b_start =
            b.start(tile.matrix, axes) + tile.depth as isize * b.row_step() + tile.column as isize * b.column_step();
        let c_start = ((tile.slice * split.batch + tile.matrix) * split.m + tile.row) * split.n + tile.column;
        // SAFETY: the tile lies inside the matrices, which `Matrix::new` proved to lie inside their elements; the
        // output tile is ours alone.
        unsafe {
            let c = target.0.add(c_start);
            if let Start::Row(values) = start {
                for row in 0..tile.rows {
                    let row = std::slice::from_raw_parts_mut(c.add(row * split.n), tile.columns);
                    row.copy_from_slice(&values[tile.column..][..tile.columns]);
                }
            }
            T::multiply(entry::Block {
                size: [tile.rows, tile.columns, tile.depths],
                c: (c, split.n as isize),
                keep: !matches!(start, Start::Zero),
                a: (a.elements.as_ptr().offset(a_start), row_step, a.column_step()),
                b: (b.elements.as_ptr().offset(b_start), b.row_step(), b.column_step()),
            })
        }
    }
}

#[cfg(test)]
mod tests;
