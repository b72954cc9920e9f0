//! The innermost loops, written once over registers and compiled for every instruction set.

// Registers are indexed by constants, so that every loop over them unrolls.
#![allow(clippy::needless_range_loop)]

use super::vector::{Vector, transpose};

/// A tile of the output, at most as large as the registers hold: `c = from + a b`. Steps are in elements.
pub struct Tile<T> {
    /// Length of the common axis.
    pub depth: usize,
    pub a: *const T,
    pub a_row: isize,
    pub a_step: isize,
    pub b: *const T,
    /// From one row of `b` to the next (`outer`), or from one column to the next (`dots`).
    pub b_step: isize,
    pub c: *mut T,
    pub c_row: isize,
    /// What the product is added to, laid out like `c`; null for zero.
    pub from: *const T,
    pub from_row: isize,
    /// Columns in the last register of a row.
    pub last: usize,
}

/// Hides where a number comes from, so that it stays in a register of its own: computing addresses from each other would
/// take the ports that multiply.
#[inline(always)]
fn opaque(mut x: isize) -> isize {
    // SAFETY: no instruction at all.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags))
    };
    x
}

/// `R` rows by `N` registers, as a sum of outer products: columns of `b` lie side by side.
///
/// # Safety
/// The tile must describe valid elements, those of `c` the caller's alone; see `Vector` for the instructions.
#[inline(always)]
pub unsafe fn outer<V: Vector, const R: usize, const N: usize>(tile: &Tile<V::Element>) {
    // SAFETY: the caller's promise; only the last register of a row is partial, and pointers wrap past the end unused.
    unsafe {
        let mask = V::mask(tile.last);
        let zero = V::splat(V::Element::default());
        let mut sums = [[zero; N]; R];
        let (mut a, mut b) = (tile.a, tile.b);
        for i in 0..R {
            for j in 0..N {
                V::prefetch(tile.c.wrapping_offset(i as isize * tile.c_row).wrapping_add(j * V::LANES));
            }
        }
        let mut rows = [0; R];
        for i in 1..R {
            rows[i] = opaque(i as isize * tile.a_row);
        }
        for _ in 0..tile.depth {
            let mut row = [zero; N];
            for j in 0..N {
                let at = b.add(j * V::LANES);
                row[j] = if j + 1 < N { V::load(at) } else { V::load_part(at, mask) };
            }
            for i in 0..R {
                let x = V::splat(*a.offset(rows[i]));
                for j in 0..N {
                    sums[i][j] = x.fma(row[j], sums[i][j]);
                }
            }
            a = a.wrapping_offset(tile.a_step);
            b = b.wrapping_offset(tile.b_step);
        }
        for i in 0..R {
            let c = tile.c.offset(i as isize * tile.c_row);
            for j in 0..N {
                let (at, mut sum) = (j * V::LANES, sums[i][j]);
                if !tile.from.is_null() {
                    let from = tile.from.offset(i as isize * tile.from_row).add(at);
                    sum = sum.add(if j + 1 < N { V::load(from) } else { V::load_part(from, mask) });
                }
                if j + 1 < N { sum.store(c.add(at)) } else { sum.store_part(c.add(at), mask) }
            }
        }
    }
}

/// `R` rows by `N` columns of dot products: rows of `a` and columns of `b` are contiguous along the common axis.
///
/// # Safety
/// As `outer`; steps inside rows and columns are one, and columns of `c` lie side by side.
#[inline(always)]
pub unsafe fn dots<V: Vector, const R: usize, const N: usize>(tile: &Tile<V::Element>) {
    // SAFETY: the caller's promise; what is left of the depth after whole registers is read through the mask.
    unsafe {
        let mut sums = [[V::splat(V::Element::default()); N]; R];
        let whole = tile.depth / V::LANES * V::LANES;
        for at in (0..whole).step_by(V::LANES) {
            add_dots::<V, R, N, false>(tile, at, V::mask(V::LANES), &mut sums);
        }
        if whole < tile.depth {
            add_dots::<V, R, N, true>(tile, whole, V::mask(tile.depth - whole), &mut sums);
        }
        for i in 0..R {
            for j in 0..N {
                let mut sum = sums[i][j].sum();
                if !tile.from.is_null() {
                    sum = *tile.from.offset(i as isize * tile.from_row).add(j) + sum;
                }
                *tile.c.offset(i as isize * tile.c_row).add(j) = sum;
            }
        }
    }
}

/// One register of each row times one of each column.
#[inline(always)]
unsafe fn add_dots<V: Vector, const R: usize, const N: usize, const PART: bool>(
    tile: &Tile<V::Element>,
    at: usize,
    mask: V::Mask,
    sums: &mut [[V; N]; R],
) {
    // SAFETY: the promise of `dots`.
    unsafe {
        let load = |from: *const V::Element| if PART { V::load_part(from, mask) } else { V::load(from) };
        let mut columns = [V::splat(V::Element::default()); N];
        for j in 0..N {
            columns[j] = load(tile.b.offset(j as isize * tile.b_step).add(at));
        }
        for i in 0..R {
            let x = load(tile.a.offset(i as isize * tile.a_row).add(at));
            for j in 0..N {
                sums[i][j] = x.fma(columns[j], sums[i][j]);
            }
        }
    }
}

/// Part of a matrix to be copied into panels of so many columns, which are contiguous row after row.
pub struct Panels<T> {
    pub from: *const T,
    pub row: isize,
    pub column: isize,
    pub rows: usize,
    pub columns: usize,
    pub width: usize,
    pub to: *mut T,
}

/// Copies a matrix into panels; columns missing in the last panel become zeros. `N` is the number of lanes.
///
/// # Safety
/// `from` must hold all rows and columns, `to` have room for `rows` times the columns rounded up to whole panels, and
/// the width be a multiple of the lanes.
#[inline(always)]
pub unsafe fn pack<V: Vector, const N: usize>(x: &Panels<V::Element>) {
    // SAFETY: the caller's promise; partial registers are read through masks, and whole ones written.
    unsafe {
        let zero = V::splat(V::Element::default());
        for column in (0..x.columns.next_multiple_of(x.width)).step_by(N) {
            let panel = x.to.add(column / x.width * x.width * x.rows + column % x.width);
            let present = x.columns.saturating_sub(column).min(N);
            let from = x.from.wrapping_offset(column as isize * x.column);
            let mask = V::mask(present.max(1));
            if present == 0 {
                (0..x.rows).for_each(|row| zero.store(panel.add(row * x.width)));
            } else if x.column == 1 {
                for row in 0..x.rows {
                    V::load_part(from.offset(row as isize * x.row), mask).store(panel.add(row * x.width));
                }
            } else if x.row == 1 {
                for first in (0..x.rows).step_by(N) {
                    let rows = (x.rows - first).min(N);
                    let mask = V::mask(rows);
                    let mut block = [zero; N];
                    for j in 0..present {
                        block[j] = V::load_part(from.offset(j as isize * x.column).add(first), mask);
                    }
                    let block = transpose(block);
                    for (i, register) in block.iter().enumerate().take(rows) {
                        register.store(panel.add((first + i) * x.width));
                    }
                }
            } else {
                for row in 0..x.rows {
                    let from = from.offset(row as isize * x.row);
                    for j in 0..N {
                        let value =
                            if j < present { *from.offset(j as isize * x.column) } else { V::Element::default() };
                        *panel.add(row * x.width + j) = value;
                    }
                }
            }
        }
    }
}
