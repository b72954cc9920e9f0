//! Natural logarithms, after FreeBSD: 2^k (1 + f) with 1 + f between the square roots of 1/2 and 2.

use super::exp::power_of_two;
use super::mul_add;

const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Bits of the square root of 1/2, and of one.
const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE: u64 = 1023 << 52;

/// (k + 1023, f) of a positive normal number; anything, without a trap, for others.
#[inline(always)]
fn split(x: f64) -> (u64, f64) {
    let above = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let m = f64::from_bits((above & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF));
    (above >> 52, m - 1.0)
}

/// A small integer as a float by its bits: vectors convert no 64-bit integers before AVX-512.
#[inline(always)]
fn unbiased(k: u64) -> f64 {
    f64::from_bits(k | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0)
}

/// k ln 2 + log(1 + f + tail), the tail far below the last place of f.
#[inline(always)]
fn combine(k: f64, f: f64, tail: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * polynomial!(z; 0.666_666_666_666_673_5, 0.399_999_999_994_094_2, 0.285_714_287_436_623_9,
        0.222_221_984_321_497_84, 0.181_835_721_616_180_5, 0.153_138_376_992_093_73, 0.147_981_986_051_165_86);
    let half_square = 0.5 * f * f;
    let low = mul_add(s, half_square + r, mul_add(k, LN2_LOW, tail));
    mul_add(k, LN2_HIGH, (low - half_square) + f)
}

/// Puts in what the bit tricks get wrong: zero, negative numbers, infinity and NaN, whose logarithm is known.
#[inline(always)]
fn special(x: f64, y: f64) -> f64 {
    let y = if x < f64::INFINITY { y } else { x };
    let edge = if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    if x > 0.0 { y } else { edge }
}

/// 1 unit in the last place.
#[inline(always)]
pub fn log(x: f64) -> f64 {
    let tiny = x < f64::MIN_POSITIVE;
    let (k, f) = split(if tiny { x * 18_014_398_509_481_984.0 } else { x });
    let k = unbiased(k) - if tiny { 54.0 } else { 0.0 };
    special(x, combine(k, f, 0.0))
}

/// log(1 + x), precise for small x: what the rounding of 1 + x loses is added to f. 1 unit in the last place.
#[inline(always)]
pub fn log1p(x: f64) -> f64 {
    let u = 1.0 + x;
    let (k, f) = split(u);
    let lost = if x < 1e18 { x - (u - 1.0) } else { 0.0 };
    let lost = lost * power_of_two(if k > 2000 { 0 } else { 1023u64.wrapping_sub(k) });
    let sum = f + lost;
    let tail = (f - sum) + lost;
    let y = special(u, combine(unbiased(k), sum, tail));
    if x.abs() < 2.0f64.powi(-54) { x } else { y }
}
