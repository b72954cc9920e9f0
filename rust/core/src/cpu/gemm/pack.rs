//! Copying operands into panels, written once over registers and compiled for every instruction set.

// Registers are indexed by constants, so that every loop over them unrolls.
#![allow(clippy::needless_range_loop)]

use super::vector::{Vector, interleaved};

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

/// Rows from asking for elements to copying them.
const AHEAD: usize = 4;

/// Copies a matrix into panels; columns missing in the last panel become zeros. `N` is the number of lanes.
///
/// # Safety
/// `from` must hold all rows and columns, and `to` have room for `rows` times the columns rounded up to whole panels.
#[inline(always)]
pub unsafe fn pack<V: Vector, const N: usize>(x: &Panels<V::Element>) {
    // SAFETY: the caller's promise, for the same matrix or a part of it.
    unsafe {
        if x.column == 1 {
            return pack_rows::<V, N>(x);
        }
        for first in (0..x.columns).step_by(x.width) {
            let from = x.from.wrapping_offset(first as isize * x.column);
            let panel = x.to.add(first * x.rows);
            for part in (0..x.width).step_by(N) {
                let lanes = (x.width - part).min(N);
                let present = (x.columns - first).saturating_sub(part).min(lanes);
                let from = from.wrapping_offset(part as isize * x.column);
                if x.row == 1 {
                    pack_columns::<V, N>(x, from, [present, lanes], panel.add(part));
                } else {
                    pack_elements(x, from, [present, lanes], panel.add(part));
                }
            }
        }
    }
}

/// Columns side by side: row after row, as memory likes to be read.
#[inline(always)]
unsafe fn pack_rows<V: Vector, const N: usize>(x: &Panels<V::Element>) {
    // SAFETY: the promise of `pack`; partial registers are read and written through masks.
    unsafe {
        // Lanes of the last register of a panel, and columns of the last panel.
        let narrow = V::mask((x.width - 1) % N + 1);
        let whole = x.columns / x.width * x.width;
        for row in 0..x.rows {
            let from = x.from.wrapping_offset(row as isize * x.row);
            let ahead = from.wrapping_offset(AHEAD as isize * x.row);
            let to = x.to.add(row * x.width);
            for first in (0..whole).step_by(x.width) {
                let panel = to.add(first * x.rows);
                for part in (0..x.width).step_by(N) {
                    let from = from.add(first + part);
                    V::prefetch(ahead.wrapping_add(first + part));
                    if part + N <= x.width {
                        V::load(from).store(panel.add(part));
                    } else if 2 * x.width == N {
                        std::ptr::copy_nonoverlapping(from, panel, N / 2);
                    } else {
                        V::load_part(from, narrow).store_part(panel.add(part), narrow);
                    }
                }
            }
            for part in (0..if whole < x.columns { x.width } else { 0 }).step_by(N) {
                let present = (x.columns - whole).saturating_sub(part).min(N);
                let register = match present {
                    0 => V::splat(V::Element::default()),
                    _ => V::load_part(from.add(whole + part), V::mask(present)),
                };
                register.store_part(to.add(whole * x.rows + part), V::mask((x.width - part).min(N)));
            }
        }
    }
}

/// At most one register of columns, each contiguous: blocks of as many rows are transposed.
#[inline(always)]
unsafe fn pack_columns<V: Vector, const N: usize>(
    x: &Panels<V::Element>,
    from: *const V::Element,
    [present, lanes]: [usize; 2],
    panel: *mut V::Element,
) {
    // SAFETY: the promise of `pack`, of which these are `present` columns in a place for `lanes`.
    unsafe {
        let narrow = V::mask(lanes);
        for first in (0..x.rows).step_by(N) {
            let rows = (x.rows - first).min(N);
            let mask = V::mask(rows);
            let mut block = [V::splat(V::Element::default()); N];
            for j in 0..N {
                if j < present {
                    let at = from.offset(j as isize * x.column).add(first);
                    V::prefetch(at.wrapping_offset(lanes as isize * x.column));
                    block[j] = if rows == N { V::load(at) } else { V::load_part(at, mask) };
                }
            }
            if 2 * x.width == N && rows == N {
                // Two rows to a register.
                let block = interleaved::<V, N>(block, N / 2);
                for i in 0..N / 2 {
                    block[i].store(panel.add(first * x.width + i * N));
                }
                continue;
            }
            let block = interleaved::<V, N>(block, N);
            for i in 0..N {
                if i < rows {
                    let to = panel.add((first + i) * x.width);
                    if lanes == N { block[i].store(to) } else { block[i].store_part(to, narrow) }
                }
            }
        }
    }
}

/// Columns of which nothing is contiguous.
///
/// # Safety
/// As `pack_columns`.
unsafe fn pack_elements<T: Copy + Default>(x: &Panels<T>, from: *const T, [present, lanes]: [usize; 2], panel: *mut T) {
    for row in 0..x.rows {
        for j in 0..lanes {
            let at = from.wrapping_offset(row as isize * x.row + j as isize * x.column);
            // SAFETY: an element of the matrix, and its place.
            unsafe { *panel.add(row * x.width + j) = if j < present { *at } else { T::default() } };
        }
    }
}
