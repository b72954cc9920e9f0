//! The innermost loops, written once over registers and compiled for every instruction set.

// Registers are indexed by constants, so that every loop over them unrolls.
#![allow(clippy::needless_range_loop)]

use super::vector::Vector;

/// Bytes fetched together.
pub const LINE: usize = 64;
/// Lines of what comes after a tile that are fetched for each of its rows.
pub const NEXT_LINES: usize = 6;

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
    /// Where `b` lies in panels, whose rows may be read to the end of the last register: what the tile is to fetch of
    /// those that come next.
    pub panels: Option<*const T>,
}

/// Steps along the common axis from asking for elements of `a` to using them.
const STEPS_AHEAD: isize = 32;

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
        // Reading through a mask takes a port that multiplies, so only where a row ends inside a register.
        match tile.panels {
            Some(next) => add_panels::<V, R, N>(tile, next, mask, &mut sums),
            None if tile.last == V::LANES => add_outer::<V, R, N, false>(tile, mask, &mut sums),
            None => add_outer::<V, R, N, true>(tile, mask, &mut sums),
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

/// Distances between the rows of `a`, each in a register.
#[inline(always)]
fn rows_of_a<T, const R: usize>(tile: &Tile<T>) -> [isize; R] {
    let mut rows = [0; R];
    for i in 1..R {
        rows[i] = opaque(i as isize * tile.a_row);
    }
    rows
}

/// Asks for a row of the output.
#[inline(always)]
unsafe fn prefetch_row<V: Vector, const N: usize>(tile: &Tile<V::Element>, row: usize) {
    for j in 0..N {
        // SAFETY: the caller answers for the instructions.
        unsafe { V::prefetch(tile.c.wrapping_offset(row as isize * tile.c_row).wrapping_add(j * V::LANES)) };
    }
}

/// All steps along the common axis, rows of `b` as they lie.
#[inline(always)]
unsafe fn add_outer<V: Vector, const R: usize, const N: usize, const PART: bool>(
    tile: &Tile<V::Element>,
    mask: V::Mask,
    sums: &mut [[V; N]; R],
) {
    // SAFETY: the promise of `outer`.
    unsafe {
        for i in 0..R {
            prefetch_row::<V, N>(tile, i);
        }
        let (rows, mut a, mut b) = (rows_of_a::<_, R>(tile), tile.a, tile.b);
        for _ in 0..tile.depth {
            step::<V, R, N, PART>(a, &rows, b, mask, sums);
            a = a.wrapping_offset(tile.a_step);
            b = b.wrapping_offset(tile.b_step);
        }
    }
}

/// All steps along the common axis, rows of `b` in a panel. What has to come from far away is asked for bit by bit, so
/// that it does not hold up the operands.
#[inline(always)]
unsafe fn add_panels<V: Vector, const R: usize, const N: usize>(
    tile: &Tile<V::Element>,
    mut next: *const V::Element,
    mask: V::Mask,
    sums: &mut [[V; N]; R],
) {
    // SAFETY: the promise of `outer`.
    unsafe {
        let (rows, mut a, mut b) = (rows_of_a::<_, R>(tile), tile.a, tile.b);
        let ahead = opaque(STEPS_AHEAD * tile.a_step);
        let (pairs, each) = (tile.depth / 2, tile.depth / 2 / R);
        for i in 0..=R {
            if i < R {
                prefetch_row::<V, N>(tile, i);
                for _ in 0..NEXT_LINES {
                    V::prefetch_far(next);
                    next = next.wrapping_add(LINE / size_of::<V::Element>());
                }
            }
            for _ in 0..if i < R { each } else { pairs - R * each } {
                V::prefetch(a.wrapping_offset(ahead));
                for _ in 0..2 {
                    step::<V, R, N, false>(a, &rows, b, mask, sums);
                    a = a.wrapping_offset(opaque(tile.a_step));
                    b = b.wrapping_offset(tile.b_step);
                }
            }
        }
        if tile.depth % 2 == 1 {
            step::<V, R, N, false>(a, &rows, b, mask, sums);
        }
    }
}

/// One step along the common axis.
#[inline(always)]
unsafe fn step<V: Vector, const R: usize, const N: usize, const PART: bool>(
    a: *const V::Element,
    rows: &[isize; R],
    b: *const V::Element,
    mask: V::Mask,
    sums: &mut [[V; N]; R],
) {
    // SAFETY: the promise of `outer`.
    unsafe {
        let mut row = [V::splat(V::Element::default()); N];
        for j in 0..N {
            let at = b.add(j * V::LANES);
            row[j] = if PART && j + 1 == N { V::load_part(at, mask) } else { V::load(at) };
        }
        for i in 0..R {
            let x = V::splat(*a.offset(rows[i]));
            for j in 0..N {
                sums[i][j] = x.fma(row[j], sums[i][j]);
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
