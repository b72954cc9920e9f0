//! Formulas on blocks of scores. A block has a row for each key, with queries side by side in its lanes: what is told
//! of a query, such as its largest score, is then one lane of a register, and no formula works across lanes.

// Lanes are indexed by constants, so that every loop over them becomes registers.
#![allow(clippy::needless_range_loop)]

use crate::cpu::gemm::Entry;
use crate::cpu::level::leveled;
use crate::cpu::rows::Wide;
use bytemuck::Pod;

/// Lanes come in groups of so many: one AVX-512 register of f32.
pub const LANES: usize = 16;
/// The most lanes of a block.
pub const MOST: usize = 4 * LANES;

/// The softmax of the keys seen so far, lane by lane.
pub struct Running<T> {
    /// The largest score, and the sum of the exponentials of what the scores lie below it.
    pub top: [T; MOST],
    pub sum: [T; MOST],
    /// What the last block of keys made of everything before it.
    pub shrink: [T; MOST],
}

impl<T: Real> Running<T> {
    pub fn new() -> Running<T> {
        Running { top: [T::LOWEST; MOST], sum: [T::default(); MOST], shrink: [T::default(); MOST] }
    }
}

/// What backward knows of a band.
pub struct Known<T> {
    /// What scores are multiplied with: as far as they are not yet, and altogether.
    pub scales: [T; 2],
    pub logs: [T; MOST],
    /// The part of the gradient that all scores of a query have in common: outputs times their gradients.
    pub shared: [T; MOST],
}

pub trait Real: Entry + Wide + Pod {
    /// Adds a block of scores to the running softmax; the scores become exponentials.
    fn online(scores: &mut [Self], lanes: usize, scale: Self, running: &mut Running<Self>);
    /// Multiplies each row of `out` with its factor.
    fn scale_rows(out: &mut [Self], width: usize, factors: &[Self]);
    /// The logs of the sums, where nothing was seen the lowest number; `sum` becomes what outputs are multiplied with.
    fn finish(running: &mut Running<Self>, logs: &mut [Self]);
    /// Probabilities from scores, and in place of their gradients those of the scores. `factors`, unless empty, is what
    /// dropout multiplied the probabilities with.
    fn differentiate(scores: &mut [Self], dp: &mut [Self], factors: &[Self], lanes: usize, known: &Known<Self>);
    /// The dot product of each row of `a` with that of `b`.
    fn dots(a: &[Self], b: &[Self], width: usize, dots: &mut [Self]);
    fn scale_all(x: &mut [Self], factor: Self);
    fn times(x: &mut [Self], factors: &[Self]);
    /// Rows that lie `step` apart become lanes: `to` gets a row of `lanes` for each column; missing rows are zeros.
    fn turn(from: &[Self], step: usize, rows: usize, columns: usize, to: &mut [Self], lanes: usize);
}

/// The exponential of what is, but for rounding, not above zero. Below the least argument it would leave the normal
/// numbers, and counts for nothing beside a sum of at least one.
macro_rules! below {
    ($x:expr) => {{
        let x = $x;
        let y = exp(if x < LEAST { LEAST } else { x });
        if x < LEAST { 0.0 } else { y }
    }};
}

macro_rules! real {
    ($($t:ident in $module:ident, least $least:literal);*) => {$(
        mod $module {
            use super::*;

            const LEAST: $t = $least;

            leveled! {
                pub fn online(scores: &mut [$t], lanes: usize, scale: $t, running: &mut Running<$t>) {
                    use math::$t::*;

                    /// Of some of the lanes. NaN is never the largest score, but its exponential reaches the sum.
                    #[inline(always)]
                    fn online<const W: usize>(
                        scores: &mut [$t],
                        lanes: usize,
                        first: usize,
                        scale: $t,
                        running: &mut Running<$t>,
                    ) {
                        let keys = scores.len() / lanes;
                        let [mut top, mut sum, mut shift] = [[0.0; W]; 3];
                        for l in 0..W {
                            top[l] = running.top[first + l];
                        }
                        for j in 0..keys {
                            let x = &scores[j * lanes + first..][..W];
                            for l in 0..W {
                                let score = x[l] * scale;
                                top[l] = if score > top[l] { score } else { top[l] };
                            }
                        }
                        for l in 0..W {
                            shift[l] = if top[l] == <$t>::NEG_INFINITY { 0.0 } else { top[l] };
                        }
                        for j in 0..keys {
                            let x = &mut scores[j * lanes + first..][..W];
                            for l in 0..W {
                                let y = below!(x[l] * scale - shift[l]);
                                x[l] = y;
                                sum[l] += y;
                            }
                        }
                        for l in 0..W {
                            let shrink = below!(running.top[first + l] - shift[l]);
                            running.shrink[first + l] = shrink;
                            running.sum[first + l] = running.sum[first + l] * shrink + sum[l];
                            running.top[first + l] = top[l];
                        }
                    }

                    if lanes == MOST {
                        return online::<MOST>(scores, lanes, 0, scale, running);
                    }
                    for first in (0..lanes).step_by(LANES) {
                        online::<LANES>(scores, lanes, first, scale, running);
                    }
                }

                pub fn differentiate(
                    scores: &mut [$t],
                    dp: &mut [$t],
                    factors: &[$t],
                    lanes: usize,
                    known: &Known<$t>,
                ) {
                    use math::$t::*;

                    #[inline(always)]
                    fn differentiate<const W: usize, const DROPS: bool>(
                        scores: &mut [$t],
                        dp: &mut [$t],
                        factors: &[$t],
                        [lanes, first]: [usize; 2],
                        known: &Known<$t>,
                    ) {
                        let [mut shift, mut shared] = [[0.0; W]; 2];
                        for l in 0..W {
                            let log = known.logs[first + l];
                            shift[l] = if log == <$t>::NEG_INFINITY { <$t>::INFINITY } else { log };
                            shared[l] = known.shared[first + l];
                        }
                        let [own, scale] = known.scales;
                        for j in 0..scores.len() / lanes {
                            let at = j * lanes + first;
                            let (x, dp) = (&mut scores[at..][..W], &mut dp[at..][..W]);
                            let factors = if DROPS { &factors[at..][..W] } else { &[] };
                            for l in 0..W {
                                let p = below!(x[l] * own - shift[l]);
                                let factor = if DROPS { factors[l] } else { 1.0 };
                                dp[l] = p * (dp[l] * factor - shared[l]) * scale;
                                x[l] = p * factor;
                            }
                        }
                    }

                    let drops = !factors.is_empty();
                    for first in (0..lanes).step_by(if lanes == MOST { MOST } else { LANES }) {
                        let place = [lanes, first];
                        match (lanes == MOST, drops) {
                            (true, false) => differentiate::<MOST, false>(scores, dp, factors, place, known),
                            (true, true) => differentiate::<MOST, true>(scores, dp, factors, place, known),
                            (false, false) => differentiate::<LANES, false>(scores, dp, factors, place, known),
                            (false, true) => differentiate::<LANES, true>(scores, dp, factors, place, known),
                        }
                    }
                }

                pub fn dots(a: &[$t], b: &[$t], width: usize, dots: &mut [$t]) {
                    for i in 0..dots.len() {
                        let (a, b) = (&a[i * width..][..width], &b[i * width..][..width]);
                        let (whole_a, rest_a) = a.as_chunks::<LANES>();
                        let (whole_b, rest_b) = b.as_chunks::<LANES>();
                        let mut sums = [0.0; LANES];
                        for j in 0..whole_a.len() {
                            for l in 0..LANES {
                                sums[l] += whole_a[j][l] * whole_b[j][l];
                            }
                        }
                        for l in 0..rest_a.len() {
                            sums[l] += rest_a[l] * rest_b[l];
                        }
                        for half in [8, 4, 2, 1] {
                            for l in 0..half {
                                sums[l] += sums[l + half];
                            }
                        }
                        dots[i] = sums[0];
                    }
                }

                pub fn scale_rows(out: &mut [$t], width: usize, factors: &[$t]) {
                    for i in 0..factors.len() {
                        let (row, factor) = (&mut out[i * width..][..width], factors[i]);
                        for j in 0..width {
                            row[j] *= factor;
                        }
                    }
                }

                pub fn finish(running: &mut Running<$t>, logs: &mut [$t]) {
                    for l in 0..logs.len() {
                        let (sum, top) = (running.sum[l], running.top[l]);
                        logs[l] = if sum == 0.0 { <$t>::NEG_INFINITY } else { top + math::$t::log(sum) };
                        running.sum[l] = if sum == 0.0 { 0.0 } else { 1.0 / sum };
                    }
                }

                pub fn scale_all(x: &mut [$t], factor: $t) {
                    for i in 0..x.len() {
                        x[i] *= factor;
                    }
                }

                pub fn times(x: &mut [$t], factors: &[$t]) {
                    let factors = &factors[..x.len()];
                    for i in 0..x.len() {
                        x[i] *= factors[i];
                    }
                }

                pub fn turn(from: &[$t], step: usize, rows: usize, columns: usize, to: &mut [$t], lanes: usize) {
                    const TILE: usize = LANES * LANES;

                    /// Interleaves the halves; four times over a tile is transposed.
                    #[inline(always)]
                    fn weave(x: &[$t; TILE], y: &mut [$t; TILE]) {
                        for i in 0..TILE / 2 {
                            y[2 * i] = x[i];
                            y[2 * i + 1] = x[i + TILE / 2];
                        }
                    }

                    for row in (0..lanes).step_by(LANES) {
                        let present = rows.saturating_sub(row).min(LANES);
                        for column in (0..columns).step_by(LANES) {
                            let width = LANES.min(columns - column);
                            let (mut x, mut y) = ([0.0; TILE], [0.0; TILE]);
                            for i in 0..present {
                                let from = &from[(row + i) * step + column..];
                                match from.first_chunk::<LANES>() {
                                    Some(whole) if width == LANES => x.as_chunks_mut::<LANES>().0[i] = *whole,
                                    _ => (0..width).for_each(|l| x[i * LANES + l] = from[l]),
                                }
                            }
                            weave(&x, &mut y);
                            weave(&y, &mut x);
                            weave(&x, &mut y);
                            weave(&y, &mut x);
                            for j in 0..width {
                                let to = &mut to[(column + j) * lanes + row..][..LANES];
                                for l in 0..LANES {
                                    to[l] = x[j * LANES + l];
                                }
                            }
                        }
                    }
                }
            }
        }

        impl Real for $t {
            fn online(scores: &mut [$t], lanes: usize, scale: $t, running: &mut Running<$t>) {
                $module::online(scores, lanes, scale, running)
            }
            fn scale_rows(out: &mut [$t], width: usize, factors: &[$t]) {
                $module::scale_rows(out, width, factors)
            }
            fn finish(running: &mut Running<$t>, logs: &mut [$t]) {
                $module::finish(running, logs)
            }
            fn differentiate(scores: &mut [$t], dp: &mut [$t], factors: &[$t], lanes: usize, known: &Known<$t>) {
                $module::differentiate(scores, dp, factors, lanes, known)
            }
            fn dots(a: &[$t], b: &[$t], width: usize, dots: &mut [$t]) {
                $module::dots(a, b, width, dots)
            }
            fn scale_all(x: &mut [$t], factor: $t) {
                $module::scale_all(x, factor)
            }
            fn times(x: &mut [$t], factors: &[$t]) {
                $module::times(x, factors)
            }
            fn turn(from: &[$t], step: usize, rows: usize, columns: usize, to: &mut [$t], lanes: usize) {
                $module::turn(from, step, rows, columns, to, lanes)
            }
        }
    )*};
}
real!(f32 in single, least -87.0; f64 in double, least -708.0);
