//! One product on the calling thread, for kernels that cut their work themselves: operands and output are parts of slices.

use super::entry::{self, Entry};
use crate::error::{Error, Result};

/// A matrix inside a slice: the element in row `i` and column `j` is `data[i * row + j * column]`.
#[derive(Clone, Copy)]
pub struct Strided<'a, T> {
    pub data: &'a [T],
    pub row: usize,
    pub column: usize,
}

impl<'a, T> Strided<'a, T> {
    /// Rows `row` elements apart, columns side by side.
    pub fn rows(data: &'a [T], row: usize) -> Strided<'a, T> {
        Strided { data, row, column: 1 }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        reach(rows, self.row, columns, self.column).is_some_and(|last| last < self.data.len())
    }
}

/// The last element of a matrix that is not empty.
fn reach(rows: usize, row: usize, columns: usize, column: usize) -> Option<usize> {
    (rows - 1).checked_mul(row)?.checked_add((columns - 1).checked_mul(column)?)
}

/// `c = a b`, or `c += a b` where `keep`: `a` is `m x k`, `b` is `k x n`, and the rows of `c` lie `c_row` apart.
pub fn multiply_block<T: Entry>(
    size: [usize; 3],
    (c, c_row): (&mut [T], usize),
    keep: bool,
    a: Strided<T>,
    b: Strided<T>,
) -> Result<()> {
    let [m, n, k] = size;
    if m == 0 || n == 0 {
        return Ok(());
    }
    let outside = || Error::internal("matmul", "a block reaches outside its buffer");
    if reach(m, c_row, n, 1).is_none_or(|last| last >= c.len()) || (m > 1 && c_row < n) {
        return Err(outside());
    }
    if k == 0 {
        if !keep {
            c.chunks_mut(c_row.max(1)).take(m).for_each(|row| row[..n].fill(T::default()));
        }
        return Ok(());
    }
    if !a.holds(m, k) || !b.holds(k, n) {
        return Err(outside());
    }
    // SAFETY: all three matrices were just proven to lie inside their slices, and `c` is borrowed exclusively.
    unsafe {
        let to = c.as_mut_ptr();
        T::multiply(entry::Block {
            size,
            c: (to, c_row as isize),
            from: (if keep { to.cast_const() } else { std::ptr::null() }, c_row as isize),
            a: (a.data.as_ptr(), a.row as isize, a.column as isize),
            b: (b.data.as_ptr(), b.row as isize, b.column as isize),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_written_and_nothing_else() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut c = [9.0; 8];
        let b = Strided { data: &a, row: 1, column: 3 };
        multiply_block([2, 2, 3], (&mut c, 4), false, Strided::rows(&a, 3), b).unwrap();
        assert_eq!(c, [14.0, 32.0, 9.0, 9.0, 32.0, 77.0, 9.0, 9.0]);
        multiply_block([2, 2, 3], (&mut c, 4), true, Strided::rows(&a, 3), b).unwrap();
        assert_eq!(c, [28.0, 64.0, 9.0, 9.0, 64.0, 154.0, 9.0, 9.0]);
        multiply_block([2, 2, 0], (&mut c, 4), false, Strided::rows(&a, 3), b).unwrap();
        assert_eq!(c, [0.0, 0.0, 9.0, 9.0, 0.0, 0.0, 9.0, 9.0]);
    }

    #[test]
    fn a_block_outside_its_slice_is_an_error() {
        let (a, mut c) = ([1.0f32; 6], [0.0; 4]);
        let rows = |row| Strided::rows(&a, row);
        assert!(multiply_block([2, 2, 3], (&mut c, 2), false, rows(3), rows(2)).is_ok());
        assert!(multiply_block([2, 2, 3], (&mut c, 3), false, rows(3), rows(2)).is_err());
        assert!(multiply_block([2, 2, 3], (&mut c, 1), false, rows(3), rows(2)).is_err());
        assert!(multiply_block([2, 2, 3], (&mut c, 2), false, rows(4), rows(2)).is_err());
        assert!(multiply_block([2, 2, 3], (&mut c, 2), false, rows(3), rows(usize::MAX)).is_err());
    }
}
