//! The loops of depthwise convolutions and of pools: every output sees one plane of a window.

// Registers are indexed by constants, so that every loop over them unrolls.
#![allow(clippy::needless_range_loop)]

use super::kernel::Step;
use crate::cpu::gemm::vector::Vector;

/// Lines of outputs: `c = bias + sum over steps of a[step.a] b[step.b + position]`.
pub struct Sweep<T> {
    pub steps: *const Step,
    pub depth: usize,
    pub a: *const T,
    pub b: *const T,
    pub c: *mut T,
    pub bias: T,
    pub lines: usize,
    pub length: usize,
    /// From line to line.
    pub b_line: usize,
    pub c_line: usize,
}

/// Four lines at a time; the last four overlap with those before.
///
/// # Safety
/// Lines of `b` must be valid at every step with two registers behind them, those of `c` the caller's alone; see
/// `Vector` for the instructions.
#[inline(always)]
pub unsafe fn sweep<V: Vector>(x: &Sweep<V::Element>) {
    let together = if x.lines < 4 { 1 } else { 4 };
    for line in (0..x.lines).step_by(together) {
        // SAFETY: the caller's promise.
        unsafe {
            match together {
                4 => across::<V, 4>(x, line.min(x.lines - 4)),
                _ => across::<V, 1>(x, line),
            }
        }
    }
}

/// `R` lines, two registers at a time.
#[inline(always)]
unsafe fn across<V: Vector, const R: usize>(x: &Sweep<V::Element>, line: usize) {
    for at in (0..x.length).step_by(2 * V::LANES) {
        let (b, c) = (x.b.wrapping_add(line * x.b_line + at), x.c.wrapping_add(line * x.c_line + at));
        // SAFETY: the caller's promise.
        unsafe {
            match x.length - at {
                rest if rest > V::LANES => block::<V, R, 2>(x, b, c, (rest - V::LANES).min(V::LANES)),
                rest => block::<V, R, 1>(x, b, c, rest),
            }
        }
    }
}

/// `R` lines by `N` registers, the last of which has so many elements.
#[inline(always)]
unsafe fn block<V: Vector, const R: usize, const N: usize>(
    x: &Sweep<V::Element>,
    b: *const V::Element,
    c: *mut V::Element,
    last: usize,
) {
    // SAFETY: the caller's promise; only the last register of a line of `c` is partial.
    unsafe {
        let mut sums = [[V::splat(x.bias); N]; R];
        for step in 0..x.depth {
            let step = *x.steps.add(step);
            let (weight, b) = (V::splat(*x.a.add(step.a)), b.add(step.b));
            for i in 0..R {
                for j in 0..N {
                    sums[i][j] = weight.fma(V::load(b.add(i * x.b_line + j * V::LANES)), sums[i][j]);
                }
            }
        }
        let mask = V::mask(last);
        for i in 0..R {
            for j in 0..N {
                let to = c.add(i * x.c_line + j * V::LANES);
                if j + 1 < N { sums[i][j].store(to) } else { sums[i][j].store_part(to, mask) }
            }
        }
    }
}

/// What some taps contribute to their weights: `sums[tap] += b[steps[tap] + position] c[position]` over all lines, lane
/// by lane.
pub struct Dots<T> {
    pub steps: *const Step,
    pub b: *const T,
    pub c: *const T,
    pub lines: usize,
    pub length: usize,
    /// From line to line.
    pub b_line: usize,
    pub c_line: usize,
    /// One register for each tap.
    pub sums: *mut T,
}

/// The sums of `G` taps.
///
/// # Safety
/// Lines of `b` must be valid at every step, `sums` the caller's alone; see `Vector` for the instructions.
#[inline(always)]
pub unsafe fn dots<V: Vector, const G: usize>(x: &Dots<V::Element>) {
    // SAFETY: the caller's promise; ends of lines are read through masks.
    unsafe {
        let mut sums = [V::splat(V::Element::default()); G];
        let mut steps = [0; G];
        for i in 0..G {
            steps[i] = (*x.steps.add(i)).b;
        }
        for line in 0..x.lines {
            let (b, c) = (x.b.add(line * x.b_line), x.c.add(line * x.c_line));
            let mut at = 0;
            while at + 2 * V::LANES <= x.length {
                let (first, second) = (V::load(c.add(at)), V::load(c.add(at + V::LANES)));
                for i in 0..G {
                    let b = b.add(steps[i] + at);
                    sums[i] = first.fma(V::load(b), sums[i]);
                    sums[i] = second.fma(V::load(b.add(V::LANES)), sums[i]);
                }
                at += 2 * V::LANES;
            }
            while at < x.length {
                let mask = V::mask((x.length - at).min(V::LANES));
                let last = V::load_part(c.add(at), mask);
                for i in 0..G {
                    sums[i] = last.fma(V::load_part(b.add(steps[i] + at), mask), sums[i]);
                }
                at += V::LANES;
            }
        }
        for i in 0..G {
            let to = x.sums.add(i * V::LANES);
            sums[i].add(V::load(to)).store(to);
        }
    }
}

/// Lines of maxima: `c = max over steps of b[step.b + position]`, and the number that belongs to the step.
pub struct Largest<T> {
    pub steps: *const Step,
    pub depth: usize,
    pub b: *const T,
    pub c: *mut T,
    pub taps: *mut T,
    pub numbers: *const T,
    /// The number where nothing is above `lowest`; lines lie as those of `c`.
    pub first: *const T,
    pub lowest: T,
    pub lines: usize,
    pub length: usize,
    /// From line to line.
    pub b_line: usize,
    pub c_line: usize,
}

/// The first of equals, and the last NaN.
///
/// # Safety
/// Lines of `b` must be valid at every step with a register behind them, those of `c` and `taps` the caller's alone;
/// see `Vector` for the instructions.
#[inline(always)]
pub unsafe fn largest<V: Vector>(x: &Largest<V::Element>) {
    for line in 0..x.lines {
        for at in (0..x.length).step_by(V::LANES) {
            let (b, c) = (x.b.wrapping_add(line * x.b_line + at), line * x.c_line + at);
            // SAFETY: the caller's promise; ends of lines of outputs are masked.
            unsafe {
                let mask = V::mask((x.length - at).min(V::LANES));
                let (mut best, mut tap) = (V::splat(x.lowest), V::load_part(x.first.add(c), mask));
                for step in 0..x.depth {
                    let seen = V::load(b.add((*x.steps.add(step)).b));
                    tap = seen.choose(best, V::splat(*x.numbers.add(step)), tap);
                    best = seen.choose(best, seen, best);
                }
                best.store_part(x.c.add(c), mask);
                tap.store_part(x.taps.add(c), mask);
            }
        }
    }
}
