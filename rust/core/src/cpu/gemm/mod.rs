//! The matrix product: operands of any strides, in batches, split over threads.
//!
//! The cut into tasks depends on the shapes alone, so the bits do not depend on the number of threads.

mod block;
mod complex;
mod entry;
mod half;
mod int8;
mod integer;
mod kept;
mod kernel;
mod pack;
mod packed;
mod real;
mod split;
mod table;
mod tile;
mod tiles;
pub(in crate::cpu) mod vector;

pub use block::{Strided, multiply_block};
pub use entry::{Entry, typed_mut};
pub use int8::product_i8;
pub use kept::Kept;

use crate::cpu::arena::Block;
use crate::cpu::pool::for_each_chunk;
use crate::error::{Error, Result};
use crate::shape::{self, Layout};
use tiles::Tiles;

/// A batch of matrices: the last two axes of the layout are rows and columns, those before them the batch.
pub struct Matrix<'a, T> {
    elements: &'a [T],
    layout: &'a Layout,
    /// Where panels of it are kept from product to product.
    kept: Option<&'a Kept>,
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
        Ok(Matrix { elements, layout, kept: None })
    }

    /// As a right operand that other products may have as well; `elements` must be the whole memory that `kept` is of.
    pub fn kept_in(self, kept: &'a Kept) -> Matrix<'a, T> {
        Matrix { kept: Some(kept), ..self }
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

/// Elements of the output whose partial products one task adds.
const SUMMED: usize = 1 << 13;

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
    let tiles = Tiles::new(a, b, batch);
    if let Some(done) = T::run_on_unit(&tiles, start, c) {
        return done;
    }
    if tiles.split.slices == 1 {
        return tiles.run(start, c);
    }
    // Partial products of slices of the common axis, then their sum in order.
    let mut scratch = Block::new(tiles.split.slices * size_of_val(c))?;
    let partial = &mut entry::typed_mut::<T>(&mut scratch)[..tiles.split.slices * c.len()];
    tiles.run(Start::Zero, partial)?;
    let (size, rows) = (c.len(), (SUMMED / n).max(1));
    for_each_chunk(c, rows * n, |i, c| {
        c.chunks_mut(n).for_each(|row| begin(row, start));
        for slice in partial.chunks(size) {
            c.iter_mut().zip(&slice[i * rows * n..]).for_each(|(c, &p)| *c = T::plus(*c, p));
        }
    })
}

fn begin<T: Entry>(row: &mut [T], start: Start<T>) {
    match start {
        Start::Zero => row.fill(T::default()),
        Start::Row(values) => row.copy_from_slice(values),
        Start::Output => {}
    }
}

#[cfg(all(test, target_os = "linux"))]
pub(in crate::cpu) mod differential;
#[cfg(test)]
mod tests;
