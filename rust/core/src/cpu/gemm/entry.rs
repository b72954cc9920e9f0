//! One tile of a product for each element type: the `gemm` crate for f32, f64 and complex, panels converted to f32 for the
//! half types, and a wrapping loop for integers.

use crate::cpu::arena;
use crate::dtype::{Complex32, Complex64, Element, bf16, f16};
use crate::error::Result;

/// A tile: `c = [c +] a b`. Pointers are to the first element; steps are in elements.
pub struct Block<T> {
    /// Rows of `c`, columns of `c`, length of the common axis.
    pub size: [usize; 3],
    /// The output and its step from row to row; columns lie side by side.
    pub c: (*mut T, isize),
    /// Add to what `c` holds, instead of overwriting it.
    pub keep: bool,
    /// An operand, its row step and its column step.
    pub a: (*const T, isize, isize),
    pub b: (*const T, isize, isize),
}

/// An element type that matrices can be multiplied in.
pub trait Entry: Element {
    fn plus(self, other: Self) -> Self;

    /// # Safety
    /// Every element that the block describes must be valid, and those of `c` be the caller's alone.
    unsafe fn multiply(block: Block<Self>) -> Result<()>;
}

/// The elements of a scratch block.
pub fn typed_mut<T: Element>(block: &mut arena::Block) -> &mut [T] {
    // SAFETY: arena blocks are aligned for every element type and initialised; the length is floored.
    unsafe { std::slice::from_raw_parts_mut(block.as_mut_ptr().cast(), block.len() / size_of::<T>()) }
}

macro_rules! by_crate {
    ($($t:ty, $zero:expr, $one:expr);*) => {$(
        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                let ([m, n, k], (c, c_row), (a, a_row, a_column), (b, b_row, b_column)) = (x.size, x.c, x.a, x.b);
                let alone = gemm::Parallelism::None;
                // SAFETY: the caller's promise.
                unsafe {
                    gemm::gemm(
                        m, n, k, c, 1, c_row, x.keep, a, a_column, a_row, b, b_column, b_row,
                        if x.keep { $one } else { $zero }, $one, false, false, false, alone,
                    );
                }
                Ok(())
            }
        }
    )*};
}
by_crate!(f32, 0.0, 1.0; f64, 0.0, 1.0;
    Complex32, Complex32::new(0.0, 0.0), Complex32::new(1.0, 0.0);
    Complex64, Complex64::new(0.0, 0.0), Complex64::new(1.0, 0.0));

/// Rows of an f32 panel: with `DEPTH` columns it fits the second-level cache.
const PANEL: usize = 128;
const DEPTH: usize = 512;

/// Copies `rows x columns` elements into a contiguous panel.
///
/// # Safety
/// Every element that pointer, steps and sizes describe must be valid.
unsafe fn pack<T: Element, P>(
    from: (*const T, isize, isize),
    size: [usize; 2],
    to: &mut [P],
    convert: impl Fn(T) -> P,
) {
    let (start, row_step, column_step) = from;
    let [rows, columns] = size;
    // Reading along the smaller step keeps cache lines.
    if column_step.unsigned_abs() <= row_step.unsigned_abs() {
        for (i, row) in to.chunks_mut(columns).take(rows).enumerate() {
            for (j, to) in row.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                *to = convert(unsafe { *start.offset(i as isize * row_step + j as isize * column_step) });
            }
        }
    } else {
        for j in 0..columns {
            for i in 0..rows {
                // SAFETY: the caller's promise.
                to[i * columns + j] =
                    convert(unsafe { *start.offset(i as isize * row_step + j as isize * column_step) });
            }
        }
    }
}

/// The block cut into panels of at most `PANEL x PANEL x DEPTH`, with row, column and depth of each corner; depth innermost.
fn panels(size: [usize; 3]) -> impl Iterator<Item = ([usize; 3], [usize; 3])> {
    let [m, n, k] = size;
    let corners = (0..m).step_by(PANEL).flat_map(move |i| (0..n).step_by(PANEL).map(move |j| (i, j)));
    corners.flat_map(move |(i, j)| {
        (0..k).step_by(DEPTH).map(move |p| ([i, j, p], [PANEL.min(m - i), PANEL.min(n - j), DEPTH.min(k - p)]))
    })
}

macro_rules! by_f32_panels {
    ($($t:ty),*) => {$(
        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                let (rows, columns, depth) = (x.size[0].min(PANEL), x.size[1].min(PANEL), x.size[2].min(DEPTH));
                let mut scratch = arena::Block::new(size_of::<f32>() * (rows * depth + depth * columns + rows * columns))?;
                let scratch = typed_mut::<f32>(&mut scratch);
                let (a_panel, rest) = scratch.split_at_mut(rows * depth);
                let (b_panel, c_panel) = rest.split_at_mut(depth * columns);
                let ((c, c_row), (a, a_row, a_column), (b, b_row, b_column)) = (x.c, x.a, x.b);
                for ([i, j, p], [m, n, k]) in panels(x.size) {
                    let (i, j, p) = (i as isize, j as isize, p as isize);
                    // SAFETY: panels lie inside the block the caller vouches for.
                    unsafe {
                        let c = c.offset(i * c_row + j);
                        if p == 0 && x.keep {
                            pack((c.cast_const(), c_row, 1), [m, n], c_panel, <$t>::to_f32);
                        }
                        pack((a.offset(i * a_row + p * a_column), a_row, a_column), [m, k], a_panel, <$t>::to_f32);
                        pack((b.offset(p * b_row + j * b_column), b_row, b_column), [k, n], b_panel, <$t>::to_f32);
                        f32::multiply(Block {
                            size: [m, n, k],
                            c: (c_panel.as_mut_ptr(), n as isize),
                            keep: x.keep || p > 0,
                            a: (a_panel.as_ptr(), k as isize, 1),
                            b: (b_panel.as_ptr(), n as isize, 1),
                        })?;
                        if p as usize + k == x.size[2] {
                            for (row, from) in c_panel.chunks(n).take(m).enumerate() {
                                let to = std::slice::from_raw_parts_mut(c.offset(row as isize * c_row), n);
                                to.iter_mut().zip(from).for_each(|(to, &from)| *to = <$t>::from_f32(from));
                            }
                        }
                    }
                }
                Ok(())
            }
        }
    )*};
}
by_f32_panels!(f16, bf16);

macro_rules! by_wrapping_loop {
    ($($t:ty),*) => {$(
        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                let (columns, depth) = (x.size[1].min(PANEL), x.size[2].min(DEPTH));
                let mut scratch = arena::Block::new(size_of::<$t>() * depth * columns)?;
                let panel = typed_mut::<$t>(&mut scratch);
                let ((c, c_row), (a, a_row, a_column), (b, b_row, b_column)) = (x.c, x.a, x.b);
                for ([i, j, p], [m, n, k]) in panels(x.size) {
                    let (i, j, p) = (i as isize, j as isize, p as isize);
                    // SAFETY: panels lie inside the block the caller vouches for.
                    unsafe {
                        pack((b.offset(p * b_row + j * b_column), b_row, b_column), [k, n], panel, |v| v);
                        for row in i..i + m as isize {
                            let out = std::slice::from_raw_parts_mut(c.offset(row * c_row + j), n);
                            if p == 0 && !x.keep {
                                out.fill(0);
                            }
                            for (depth, from) in panel.chunks(n).take(k).enumerate() {
                                let factor = *a.offset(row * a_row + (p + depth as isize) * a_column);
                                let add = |(c, &b): (&mut $t, &$t)| *c = c.wrapping_add(factor.wrapping_mul(b));
                                out.iter_mut().zip(from).for_each(add);
                            }
                        }
                    }
                }
                Ok(())
            }
        }
    )*};
}
by_wrapping_loop!(i8, i16, i32, i64, u8, u16, u32, u64);
