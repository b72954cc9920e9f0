//! The recurrent weights as steps use them: in panels of columns whose rows lie close together. Long rows would fall on
//! the same few lines of a cache, at every step again.

use super::cells::Real;
use crate::cpu::gemm::{Strided, multiply_block};
use crate::cpu::parts::for_each_item;
use crate::cpu::scratch::Scratch;
use crate::error::Result;

/// Columns of a panel: a whole tile of the product's kernels, so that weights are read in the order they lie.
const WIDTH: usize = 48;
/// Rows and columns copied together.
const BLOCK: usize = 16;

pub struct Panels<T> {
    elements: Scratch<T>,
    rows: usize,
    columns: usize,
}

impl<T: Real> Panels<T> {
    /// Copies a matrix, which may be transposed.
    pub fn new(op: &str, matrix: Strided<T>, [rows, columns]: [usize; 2]) -> Result<Panels<T>> {
        let mut elements = Scratch::<T>::new(op, rows * columns)?;
        let panels = elements.chunks_mut((rows * WIDTH).max(1)).enumerate();
        for_each_item(panels, |(i, panel)| {
            let (first, width) = (i * WIDTH, WIDTH.min(columns - i * WIDTH));
            for (top, rows) in panel.chunks_mut(BLOCK * width).enumerate() {
                for left in (0..width).step_by(BLOCK) {
                    for (k, row) in rows.chunks_mut(width).enumerate() {
                        let from = (top * BLOCK + k) * matrix.row;
                        for (j, to) in row.iter_mut().enumerate().skip(left).take(BLOCK) {
                            *to = matrix.data[from + (first + j) * matrix.column];
                        }
                    }
                }
            }
            Ok(())
        })?;
        Ok(Panels { elements, rows, columns })
    }

    /// `c += a b` for a few rows of `a`; the rows of `c` lie `c_row` apart.
    pub fn add_product(&self, a: Strided<T>, few: usize, c: &mut [T], c_row: usize) -> Result<()> {
        for first in (0..self.columns).step_by(WIDTH) {
            let width = WIDTH.min(self.columns - first);
            let panel = Strided::rows(&self.elements[first * self.rows..], width);
            multiply_block([few, width, self.rows], (&mut c[first..], c_row), true, a, panel)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_hold_every_column_of_either_layout() {
        for [rows, columns] in [[1, 1], [17, 40], [33, 192], [5, 500], [0, 3], [3, 0]] {
            let plain: Vec<f64> = (0..rows * columns).map(|i| (i % 101) as f64 - 50.0).collect();
            let turned: Vec<f64> =
                (0..rows * columns).map(|i| plain[i % rows.max(1) * columns + i / rows.max(1)]).collect();
            let a: Vec<f64> = (0..2 * rows).map(|i| i as f64).collect();
            let product = |b: Strided<f64>| {
                let mut c = vec![1.0; 2 * columns];
                Panels::new("t", b, [rows, columns])
                    .unwrap()
                    .add_product(Strided::rows(&a, rows), 2, &mut c, columns)
                    .unwrap();
                c
            };
            let sum = |i: usize, j: usize| (0..rows).map(|k| a[i * rows + k] * plain[k * columns + j]).sum::<f64>();
            let want: Vec<f64> = (0..2 * columns).map(|at| 1.0 + sum(at / columns, at % columns)).collect();
            assert_eq!(product(Strided::rows(&plain, columns)), want);
            assert_eq!(product(Strided { data: &turned, row: 1, column: rows }), want);
        }
    }
}
