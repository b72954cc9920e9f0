//! Products in half precision: operands widened to f32 once, where several tiles use them, or else panel by panel.

use super::entry::{Block, DEPTH, Entry, PANEL, begin, panels, typed_mut};
use super::packed::moved;
use super::tiles::{Part, Shared, Target, Tiles};
use super::{Matrix, Start, product};
use crate::cpu::arena;
use crate::cpu::pool::for_each_chunk;
use crate::cpu::scratch::Scratch;
use crate::dtype::{Element, bf16, f16};
use crate::error::Result;
use crate::shape::Layout;
use half::slice::HalfFloatSliceExt;

/// Converts `rows x columns` elements into a contiguous panel, in the order they lie in; returns the panel's steps.
///
/// # Safety
/// Every element that pointer, steps and sizes describe must be valid.
pub unsafe fn widen<T: Element>(
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

/// Elements of an operand widened at once, and those widened by one task.
const WIDENED: usize = 1 << 22;
const GRAIN: usize = 1 << 15;

/// A `rows x columns` operand in f32, with its layout.
///
/// # Safety
/// Every element that pointer, steps and sizes describe must be valid.
unsafe fn wide<T: Entry>(from: (*const T, isize, isize), [rows, columns]: [usize; 2]) -> Result<(Scratch<f32>, Layout)>
where
    [T]: HalfFloatSliceExt,
{
    let (_, row_step, column_step) = from;
    let by_rows = column_step.unsigned_abs() <= row_step.unsigned_abs();
    let length = if by_rows { columns } else { rows };
    let (mut to, shared) = (Scratch::new("matmul", rows * columns)?, Shared(from));
    let lines = (GRAIN / length).max(1);
    for_each_chunk(&mut to, lines * length, |i, to| {
        let count = to.len() / length;
        let (size, first) = if by_rows { ([count, columns], [i * lines, 0]) } else { ([rows, count], [0, i * lines]) };
        let (at, row, column) = moved(shared.get(), first[0], first[1]);
        // SAFETY: the caller's promise, for some of the lines; equal steps would still choose the same order.
        unsafe { widen((at, row, column), size, to, |from, to| from.convert_to_f32_slice(to)) };
    })?;
    let strides = if by_rows { [columns as isize, 1] } else { [1, rows as isize] };
    Ok((to, Layout { shape: [rows, columns][..].into(), strides: strides[..].into(), offset: 0 }))
}

/// All tiles as products in f32 of a few millions of elements.
fn widened<T: Entry>(tiles: &Tiles<T>, start: Start<T>, c: &mut [T]) -> Result<()>
where
    [T]: HalfFloatSliceExt,
{
    let (split, op, target) = (tiles.split, "matmul", Target::new(c));
    let most = (WIDENED / split.k).max(PANEL);
    let along = |total: usize| (0..total).step_by(most).map(move |first| first..(first + most).min(total));
    for matrix in 0..split.batch {
        for (rows, columns) in
            along(split.m).flat_map(|rows| along(split.n).map(move |columns| (rows.clone(), columns)))
        {
            let part = Part { matrix, rows, columns, depths: 0..split.k };
            // SAFETY: the part lies inside the product, and the output holds it; nobody else works on it.
            let x = unsafe { tiles.block(&part, 0, start, &target) };
            let [m, n, k] = x.size;
            // SAFETY: as above.
            let ((a, la), (b, lb)) = unsafe { (wide(x.a, [m, k])?, wide(x.b, [k, n])?) };
            let mut sum = Scratch::<f32>::new(op, m * n)?;
            let (from, to) = (Shared((x.from.0, x.from.1, 1)), Shared((x.c.0.cast_const(), x.c.1, 1)));
            let lines = (GRAIN / n).max(1);
            let begin = match x.from.0.is_null() {
                true => Start::Zero,
                false => {
                    for_each_chunk(&mut sum, lines * n, |i, sum| {
                        let from = moved(from.get(), i * lines, 0);
                        // SAFETY: the start is as large as the part.
                        unsafe { widen_rows(from, sum, n) };
                    })?;
                    Start::Output
                }
            };
            product(op, &Matrix::new(op, &a, &la)?, &Matrix::new(op, &b, &lb)?, begin, &mut sum)?;
            for_each_chunk(&mut sum, lines * n, |i, sum| {
                let (first, row, _) = moved(to.get(), i * lines, 0);
                for (i, sum) in sum.chunks(n).enumerate() {
                    // SAFETY: rows of the output part, each written by one task.
                    let to = unsafe { std::slice::from_raw_parts_mut(first.offset(i as isize * row).cast_mut(), n) };
                    to.convert_from_f32_slice(sum);
                }
            })?;
        }
    }
    Ok(())
}

/// Widens rows of `n` elements a step apart, which may be zero.
///
/// # Safety
/// The rows must be valid.
unsafe fn widen_rows<T: Entry>((first, step, _): (*const T, isize, isize), to: &mut [f32], n: usize)
where
    [T]: HalfFloatSliceExt,
{
    for (i, to) in to.chunks_mut(n).enumerate() {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(first.offset(i as isize * step), n) }.convert_to_f32_slice(to);
    }
}

macro_rules! by_f32_panels {
    ($($t:ty $(, $on_unit:path)?);*) => {$(
        impl Entry for $t {
            // Partial products would be rounded to few digits.
            const EXACT: bool = false;

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            $(#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            fn run_on_unit(tiles: &Tiles<Self>, start: Start<Self>, c: &mut [Self]) -> Option<Result<()>> {
                $on_unit(tiles, start, c)
            })?

            fn run_shared(tiles: &Tiles<Self>, start: Start<Self>, c: &mut [Self]) -> Option<Result<()>> {
                tiles.split.shares_columns().then(|| widened(tiles, start, c))
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
by_f32_panels!(f16; bf16, super::tile::floats::run);
