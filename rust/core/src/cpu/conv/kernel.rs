//! The innermost loops, written once over registers and compiled for every instruction set.

// Registers are indexed by constants, so that every loop over them unrolls.
#![allow(clippy::needless_range_loop)]

use crate::cpu::gemm::vector::{Vector, interleaved};
use bytemuck::{Pod, Zeroable};

/// One step along the common axis: where its column of `a` and its row of `b` begin.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Step {
    pub a: usize,
    pub b: usize,
}

/// A tile of the output, at most as large as the registers hold: `c = start + sum over steps of a b`, where `a` is
/// scattered numbers and `b` whole registers.
pub struct Tile<T> {
    pub steps: *const Step,
    pub depth: usize,
    pub a: *const T,
    /// Where each row of `a` begins.
    pub rows: *const usize,
    pub b: *const T,
    pub c: *mut T,
    pub c_row: usize,
    /// Columns in the last register of a row; `b` is read beyond them.
    pub last: usize,
    /// Whether the sums are added to what `c` holds.
    pub keep: bool,
    /// Else to one number a row, or to zero where this is null.
    pub bias: *const T,
}

/// Keeps the compiler from doing the work of several rounds of a loop at once: loads ahead would take registers away
/// from sums, and short loops would pay for the preparation of long ones.
#[inline(always)]
fn in_turn() {
    // SAFETY: no instruction at all.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    unsafe {
        std::arch::asm!("", options(nostack, preserves_flags))
    };
}

/// `R` rows by `N` registers.
///
/// # Safety
/// The tile must describe valid elements, those of `c` the caller's alone; see `Vector` for the instructions.
#[inline(always)]
pub unsafe fn tile<V: Vector, const R: usize, const N: usize>(tile: &Tile<V::Element>) {
    // SAFETY: the caller's promise; only the last register of a row of `c` is partial.
    unsafe {
        let mut sums = [[V::splat(V::Element::default()); N]; R];
        let mut rows = [0; R];
        for i in 0..R {
            rows[i] = *tile.rows.add(i);
            for j in 0..N {
                V::prefetch(tile.c.wrapping_add(i * tile.c_row + j * V::LANES));
            }
        }
        let (mut step, end) = (tile.steps, tile.steps.add(tile.depth));
        while step < end {
            let (a, b) = (tile.a.add((*step).a), tile.b.add((*step).b));
            let mut row = [V::splat(V::Element::default()); N];
            for j in 0..N {
                row[j] = V::load(b.add(j * V::LANES));
            }
            for i in 0..R {
                let x = V::splat(*a.add(rows[i]));
                for j in 0..N {
                    sums[i][j] = x.fma(row[j], sums[i][j]);
                }
                in_turn();
            }
            step = step.add(1);
        }
        let mask = V::mask(tile.last);
        let at = |i: usize, j: usize| tile.c.add(i * tile.c_row + j * V::LANES);
        if tile.keep {
            for i in 0..R {
                for j in 0..N {
                    let before = if j + 1 < N { V::load(at(i, j)) } else { V::load_part(at(i, j), mask) };
                    sums[i][j] = sums[i][j].add(before);
                }
            }
        } else if !tile.bias.is_null() {
            for i in 0..R {
                for j in 0..N {
                    sums[i][j] = sums[i][j].add(V::splat(*tile.bias.add(i)));
                }
            }
        }
        for i in 0..R {
            for j in 0..N {
                if j + 1 < N { sums[i][j].store(at(i, j)) } else { sums[i][j].store_part(at(i, j), mask) }
            }
        }
    }
}

/// Elements that lie side by side in a window and in a row of a panel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    pub from: usize,
    pub to: usize,
    /// So many are copied: what is written beyond the run is overwritten by the next one.
    pub registers: usize,
}

/// Rows of a panel: each the same runs of a window, moved to what its step sees.
pub struct Gather<'a, T> {
    pub from: *const T,
    pub steps: &'a [Step],
    pub runs: &'a [Run],
    pub to: *mut T,
    /// From row to row of the panel.
    pub width: usize,
}

/// Copies the runs of every step, in order.
///
/// # Safety
/// All registers of all runs must be valid to read, and to write in a panel that one register follows.
#[inline(always)]
pub unsafe fn gather<V: Vector>(x: &Gather<V::Element>) {
    for (row, step) in x.steps.iter().enumerate() {
        for run in x.runs {
            // SAFETY: the caller's promise.
            unsafe {
                let (from, to) = (x.from.add(step.b + run.from), x.to.add(row * x.width + run.to));
                for i in 0..run.registers {
                    V::load(from.add(i * V::LANES)).store(to.add(i * V::LANES));
                }
            }
        }
    }
}

/// A row of the window that lies outside the source.
pub const OUTSIDE: usize = usize::MAX;

/// The columns of a window row that the source has: the first of them there, its place here, and how many.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Span {
    pub from: usize,
    pub start: usize,
    pub count: usize,
}

/// A plane of a window: for each span all rows, `width` elements each.
pub struct Fill<'a, T> {
    pub from: *const T,
    /// Where each row begins in the source.
    pub rows: &'a [usize],
    pub spans: &'a [Span],
    /// From one column to the next in the source.
    pub pitch: usize,
    pub width: usize,
    pub to: *mut T,
}

/// Copies the rows in order, with zeros around what the source has of them.
///
/// # Safety
/// The spans of all rows must be valid to read, and the window be followed by two registers that may become zero.
#[inline(always)]
pub unsafe fn fill<V: Vector>(x: &Fill<V::Element>) {
    let mut to = x.to;
    for span in x.spans {
        let narrow = x.pitch <= 2 && x.width <= V::LANES;
        let part = span.count % V::LANES;
        // SAFETY: the caller's promise; what is written beyond a row is zeros, which the next row overwrites.
        unsafe {
            let (zero, mask) = (V::splat(V::Element::default()), V::mask(if part == 0 { V::LANES } else { part }));
            for &row in x.rows {
                if row == OUTSIDE || span.count == 0 {
                    zeros::<V>(to, x.width);
                } else if narrow {
                    zero.store(to);
                    let from = x.from.add(row + span.from);
                    let few = if x.pitch == 1 { V::load_part(from, mask) } else { every_second::<V>(from, span.count) };
                    few.store(to.add(span.start));
                } else {
                    zeros::<V>(to, span.start);
                    let (from, first) = (x.from.add(row + span.from), to.add(span.start));
                    let done = match x.pitch {
                        1 => {
                            let whole = span.count - part;
                            for at in (0..whole).step_by(V::LANES) {
                                V::load(from.add(at)).store(first.add(at));
                            }
                            if part > 0 {
                                V::load_part(from.add(whole), mask).store(first.add(whole));
                            }
                            span.count.next_multiple_of(V::LANES)
                        }
                        2 => {
                            for at in (0..span.count).step_by(V::LANES) {
                                every_second::<V>(from.add(2 * at), span.count - at).store(first.add(at));
                            }
                            span.count.next_multiple_of(V::LANES)
                        }
                        pitch => {
                            for i in 0..span.count {
                                *first.add(i) = *from.add(pitch * i);
                                in_turn();
                            }
                            span.count
                        }
                    };
                    zeros::<V>(first.add(done), x.width.saturating_sub(span.start + done));
                }
                to = to.add(x.width);
            }
        }
    }
}

/// So many elements, at most a register of them, from every second place.
#[inline(always)]
unsafe fn every_second<V: Vector>(from: *const V::Element, count: usize) -> V {
    // SAFETY: the caller vouches for the elements, the last of which ends what is read.
    unsafe {
        if count > V::LANES {
            return V::load(from).evens(V::load(from.add(V::LANES)));
        }
        let reach = 2 * count - 1;
        let low = V::load_part(from, V::mask(reach.min(V::LANES)));
        let high = match reach.saturating_sub(V::LANES) {
            0 => V::splat(V::Element::default()),
            more => V::load_part(from.add(V::LANES), V::mask(more)),
        };
        low.evens(high)
    }
}

/// Whole registers of zeros that cover so many elements; few, so that a call of `memset` would take longer.
#[inline(always)]
unsafe fn zeros<V: Vector>(to: *mut V::Element, count: usize) {
    for at in (0..count).step_by(V::LANES) {
        // SAFETY: the caller vouches for the elements and one register more.
        unsafe { V::splat(V::Element::default()).store(to.add(at)) };
        in_turn();
    }
}

/// A matrix to be written with rows and columns exchanged.
pub struct Turn<T> {
    pub from: *const T,
    pub from_row: usize,
    pub rows: usize,
    pub columns: usize,
    pub to: *mut T,
    pub to_row: usize,
}

/// `to[j][i] = from[i][j]`; `N` is the number of lanes.
///
/// # Safety
/// Both matrices must be valid.
#[inline(always)]
pub unsafe fn turn<V: Vector, const N: usize>(x: &Turn<V::Element>) {
    for j in (0..x.columns).step_by(N) {
        for i in (0..x.rows).step_by(N) {
            let (rows, columns) = (N.min(x.rows - i), N.min(x.columns - j));
            // SAFETY: the caller's promise; what is less than a block is read and written through masks.
            unsafe {
                let (from, to) = (x.from.add(i * x.from_row + j), x.to.add(j * x.to_row + i));
                let mut block = [V::splat(V::Element::default()); N];
                if rows == N && columns == N {
                    for k in 0..N {
                        block[k] = V::load(from.add(k * x.from_row));
                    }
                    let block = interleaved(block, N);
                    for k in 0..N {
                        block[k].store(to.add(k * x.to_row));
                    }
                    continue;
                }
                let (across, down) = (V::mask(columns), V::mask(rows));
                for k in 0..rows {
                    block[k] = V::load_part(from.add(k * x.from_row), across);
                }
                let block = interleaved(block, N);
                for k in 0..columns {
                    block[k].store_part(to.add(k * x.to_row), down);
                }
            }
        }
    }
}
