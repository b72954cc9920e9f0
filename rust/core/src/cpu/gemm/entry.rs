//! One tile of a product for each element type: the `gemm` crate for f32, f64 and complex, panels converted to f32 for the
//! half types, and a wrapping loop for integers.

use super::Start;
use super::real;
use super::table::{Grain, Real};
use super::tiles::Tiles;
use crate::cpu::arena;
use crate::cpu::level::leveled;
use crate::dtype::{Complex32, Complex64, Element, bf16, f16};
use crate::error::Result;
use half::slice::HalfFloatSliceExt;

/// A tile: `c = [c +] a b`. Pointers are to the first element; steps are in elements.
pub struct Block<T> {
    /// Rows of `c`, columns of `c`, length of the common axis.
    pub size: [usize; 3],
    /// The output and its step from row to row; columns lie side by side.
    pub c: (*mut T, isize),
    /// What the product is added to, and its step from row to row; null for zero. It may be `c` itself.
    pub from: (*const T, isize),
    /// An operand, its row step and its column step.
    pub a: (*const T, isize, isize),
    pub b: (*const T, isize, isize),
}

/// An element type that matrices can be multiplied in.
pub trait Entry: Element {
    fn plus(self, other: Self) -> Self;

    /// Rows and columns that the kernels compute at once, for a product of `m` rows and `n` columns.
    fn grain(_m: usize, _n: usize) -> Grain {
        Grain { rows: 16, columns: 16 }
    }

    /// Does all tiles after rearranging what several of them need; None where that is of no use.
    fn run_shared(_: &Tiles<Self>, _: Start<Self>, _: &mut [Self]) -> Option<Result<()>> {
        None
    }

    /// # Safety
    /// Every element that the block describes must be valid, and those of `c` be the caller's alone.
    unsafe fn multiply(block: Block<Self>) -> Result<()>;
}

/// The elements of a scratch block.
pub fn typed_mut<T: Element>(block: &mut arena::Block) -> &mut [T] {
    // SAFETY: arena blocks are aligned for every element type and initialised; the length is floored.
    unsafe { std::slice::from_raw_parts_mut(block.as_mut_ptr().cast(), block.len() / size_of::<T>()) }
}

macro_rules! by_kernels {
    ($($t:ty),*) => {$(
        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn grain(m: usize, n: usize) -> Grain {
                <$t>::kernels().grain(m, n)
            }

            fn run_shared(tiles: &Tiles<Self>, start: Start<Self>, c: &mut [Self]) -> Option<Result<()>> {
                tiles.run_shared_panels(start, c)
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                // SAFETY: the caller's promise.
                unsafe { real::multiply(x, None) }
            }
        }
    )*};
}
by_kernels!(f32, f64);

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
                    let keep = begin(&x);
                    gemm::gemm(
                        m, n, k, c, 1, c_row, keep, a, a_column, a_row, b, b_column, b_row,
                        if keep { $one } else { $zero }, $one, false, false, false, alone,
                    );
                }
                Ok(())
            }
        }
    )*};
}
by_crate!(Complex32, Complex32::new(0.0, 0.0), Complex32::new(1.0, 0.0);
    Complex64, Complex64::new(0.0, 0.0), Complex64::new(1.0, 0.0));

/// Writes what the product is added to into `c`; false where that is zero.
///
/// # Safety
/// As `Entry::multiply`.
unsafe fn begin<T: Element>(x: &Block<T>) -> bool {
    if x.from.0.is_null() {
        return false;
    }
    if x.from.0 != x.c.0.cast_const() {
        for row in 0..x.size[0] as isize {
            // SAFETY: the caller's promise; what is not `c` itself does not overlap it.
            unsafe {
                std::ptr::copy_nonoverlapping(x.from.0.offset(row * x.from.1), x.c.0.offset(row * x.c.1), x.size[1]);
            }
        }
    }
    true
}

/// Rows of a panel; with `DEPTH` columns of f32 it fits the second-level cache.
const PANEL: usize = 128;
const DEPTH: usize = 512;

/// The block cut into panels of at most `PANEL x PANEL x DEPTH`, with row, column and depth of each corner; depth innermost.
fn panels(size: [usize; 3]) -> impl Iterator<Item = ([usize; 3], [usize; 3])> {
    let [m, n, k] = size;
    let corners = (0..m).step_by(PANEL).flat_map(move |i| (0..n).step_by(PANEL).map(move |j| (i, j)));
    corners.flat_map(move |(i, j)| {
        (0..k).step_by(DEPTH).map(move |p| ([i, j, p], [PANEL.min(m - i), PANEL.min(n - j), DEPTH.min(k - p)]))
    })
}

/// Converts `rows x columns` elements into a contiguous panel, in the order they lie in; returns the panel's steps.
///
/// # Safety
/// Every element that pointer, steps and sizes describe must be valid.
unsafe fn widen<T: Element>(
    from: (*const T, isize, isize),
    [rows, columns]: [usize; 2],
    to: &mut [f32],
    convert: impl Fn(&[T], &mut [f32]),
) -> (isize, isize) {
    let (start, row_step, column_step) = from;
    let by_rows = column_step.unsigned_abs() <= row_step.unsigned_abs();
    let (lines, length, line_step, step) =
        if by_rows { (rows, columns, row_step, column_step) } else { (columns, rows, column_step, row_step) };
    for (i, line) in to.chunks_mut(length).take(lines).enumerate() {
        // SAFETY: the caller's promise, for every element of the line.
        unsafe {
            let first = start.offset(i as isize * line_step);
            if step == 1 {
                convert(std::slice::from_raw_parts(first, length), line);
            } else {
                for (j, to) in line.iter_mut().enumerate() {
                    convert(&[*first.offset(j as isize * step)], std::slice::from_mut(to));
                }
            }
        }
    }
    if by_rows { (columns as isize, 1) } else { (1, rows as isize) }
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
                // SAFETY: the caller's promise.
                let keep = unsafe { begin(&x) };
                let convert = |from: &[$t], to: &mut [f32]| from.convert_to_f32_slice(to);
                for ([i, j, p], [m, n, k]) in panels(x.size) {
                    let (i, j, p) = (i as isize, j as isize, p as isize);
                    // SAFETY: panels lie inside the block the caller vouches for.
                    unsafe {
                        let row_of_c = |row: usize| c.offset((i + row as isize) * c_row + j);
                        if p == 0 && keep {
                            for (row, to) in c_panel.chunks_mut(n).take(m).enumerate() {
                                convert(std::slice::from_raw_parts(row_of_c(row), n), to);
                            }
                        }
                        let a_from = (a.offset(i * a_row + p * a_column), a_row, a_column);
                        let b_from = (b.offset(p * b_row + j * b_column), b_row, b_column);
                        let (a_row, a_column) = widen(a_from, [m, k], a_panel, convert);
                        let (b_row, b_column) = widen(b_from, [k, n], b_panel, convert);
                        f32::multiply(Block {
                            size: [m, n, k],
                            c: (c_panel.as_mut_ptr(), n as isize),
                            from: (if keep || p > 0 { c_panel.as_ptr() } else { std::ptr::null() }, n as isize),
                            a: (a_panel.as_ptr(), a_row, a_column),
                            b: (b_panel.as_ptr(), b_row, b_column),
                        })?;
                        if p as usize + k == x.size[2] {
                            for (row, from) in c_panel.chunks(n).take(m).enumerate() {
                                std::slice::from_raw_parts_mut(row_of_c(row), n).convert_from_f32_slice(from);
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
    ($($t:ty, $add_products:ident);*) => {$(
        leveled! {
            /// Adds each row of the panel, as long as `out`, times its factor.
            fn $add_products(factors: &[$t], panel: &[$t], out: &mut [$t]) {
                for (&factor, row) in factors.iter().zip(panel.chunks(out.len())) {
                    for (out, &b) in out.iter_mut().zip(row) {
                        *out = out.wrapping_add(factor.wrapping_mul(b));
                    }
                }
            }
        }

        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                let (columns, depth) = (x.size[1].min(PANEL), x.size[2].min(DEPTH));
                let mut scratch = arena::Block::new(size_of::<$t>() * depth * columns)?;
                // SAFETY: the caller's promise.
                let keep = unsafe { begin(&x) };
                let (panel, mut factors) = (typed_mut::<$t>(&mut scratch), [0; DEPTH]);
                let ((c, c_row), (a, a_row, a_column), (b, b_row, b_column)) = (x.c, x.a, x.b);
                for ([i, j, p], [m, n, k]) in panels(x.size) {
                    let (i, j, p) = (i as isize, j as isize, p as isize);
                    // SAFETY: panels lie inside the block the caller vouches for.
                    unsafe {
                        let first = b.offset(p * b_row + j * b_column);
                        for (at, to) in panel.iter_mut().take(k * n).enumerate() {
                            *to = *first.offset((at / n) as isize * b_row + (at % n) as isize * b_column);
                        }
                        for row in i..i + m as isize {
                            for (at, factor) in factors.iter_mut().take(k).enumerate() {
                                *factor = *a.offset(row * a_row + (p + at as isize) * a_column);
                            }
                            let out = std::slice::from_raw_parts_mut(c.offset(row * c_row + j), n);
                            if p == 0 && !keep {
                                out.fill(0);
                            }
                            $add_products(&factors[..k], panel, out);
                        }
                    }
                }
                Ok(())
            }
        }
    )*};
}
by_wrapping_loop! {
    i8, add_i8; i16, add_i16; i32, add_i32; i64, add_i64;
    u8, add_u8; u16, add_u16; u32, add_u32; u64, add_u64
}
