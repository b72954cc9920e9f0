//! The exponential and the functions made of it.

use super::mul_add;
use std::f32::consts::{LN_2, LOG2_E};

/// Adding it rounds a small number to an integer n; the low bits of the sum are then n + 254, twice the exponent's bias.
const MAGIC: f32 = 12_583_166.0; // 1.5 * 2^23 + 254

/// ln 2 in two parts; multiples of the first are exact.
const LN2_HIGH: f32 = 0.693_359_375;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// 2^n for n from -126 to 127; anything, without a trap, for others.
#[inline(always)]
pub(super) fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// x * 2^n in two steps, so that results below the normal range are rounded once and above it become infinite.
#[inline(always)]
fn scale(x: f32, shifted: f32) -> f32 {
    let bits = shifted.to_bits();
    let half = bits << 22 & 0xff80_0000;
    x * f32::from_bits(half) * f32::from_bits((bits << 23).wrapping_sub(half))
}

/// x * 2^n for n from -126 to 127.
#[inline(always)]
fn scale_once(x: f32, shifted: f32) -> f32 {
    x * f32::from_bits((shifted.to_bits() << 23).wrapping_sub(127 << 23))
}

/// NaN stays NaN.
#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// (n + MAGIC, r, p) with x = n ln 2 + r, |r| at most half of ln 2 and e^r = 1 + r + r^2 p.
#[inline(always)]
fn reduced(x: f32) -> (f32, f32, f32) {
    let shifted = mul_add(x, LOG2_E, MAGIC);
    let whole = shifted - MAGIC;
    let r = mul_add(whole, -LN2_LOW, mul_add(whole, -LN2_HIGH, x));
    let p = polynomial!(r; 0.5, 0.166_665_18, 0.041_666_206, 0.008_368_953, 0.001_395_060_3);
    (shifted, r, p)
}

/// 0.9 units in the last place, 1.2 without fused multiply-add.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (shifted, r, p) = reduced(clamp(x, -104.0, 89.0));
    scale(mul_add(mul_add(p, r, 1.0), r, 1.0), shifted)
}

/// `exp` where the result is known to be a normal number (or NaN).
#[inline(always)]
fn exp_normal(x: f32) -> f32 {
    let (shifted, r, p) = reduced(x);
    scale_once(mul_add(mul_add(p, r, 1.0), r, 1.0), shifted)
}

/// 1.3 units in the last place; powers of two are exact.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    let x = clamp(x, -150.0, 128.0);
    let shifted = x + MAGIC;
    let r = x - (shifted - MAGIC);
    let q = polynomial!(r; LN_2, 0.240_226_5, 0.055_503_275, 0.009_618_004, 0.001_340_040_4, 0.000_154_764_45);
    scale(mul_add(r, q, 1.0), shifted)
}

/// e^x - 1 without cancellation: 2^n (e^r - 1) + (2^n - 1), halved until the end so that 2^n does not overflow early.
/// 1.8 units in the last place.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let (shifted, r, p) = reduced(clamp(x, -18.0, 89.0));
    let half = f32::from_bits((shifted.to_bits() << 23).wrapping_sub(128 << 23)); // 2^(n - 1)
    let y = 2.0 * mul_add(half, mul_add(r * r, p, r), half - 0.5);
    if x.abs() < 2.0f32.powi(-25) { x } else { y }
}

/// 1 / (1 + e^-x), precise down to the smallest results. 2.5 units in the last place.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

/// 1.4 units in the last place.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let small = polynomial!(z; -0.333_332_84, 0.133_314_91, -0.053_743_497, 0.020_650_588, -0.005_717_045);
    let small = mul_add(a * z, small, a);
    let bounded = if a > 10.0 { 10.0 } else { a };
    let large = 1.0 - 2.0 / (exp_normal(2.0 * bounded) + 1.0);
    (if a < 0.625 { small } else { large }).copysign(x)
}

/// The error function, after N. Juffa. 1.2 units in the last place.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let z = x * x;
    let small = polynomial!(z; 1.283_791_66e-1, -3.761_253_36e-1, 1.128_199_25e-1, -2.676_813_49e-2, 4.991_194_23e-3, -5.967_617_03e-4);
    let high = mul_add(-1.728_534_70e-5, a, 3.831_971_26e-4);
    let low = mul_add(-3.883_964_38e-3, a, 2.425_462_19e-2);
    let tail = polynomial!(a; -1.287_175_12e-1, -6.348_466_87e-1, -1.067_778_77e-1, mul_add(high, z, low));
    let exponent = mul_add(tail, a, -a);
    let large = 1.0 - exp_normal(if exponent < -50.0 { -50.0 } else { exponent });
    if a > 0.927_734_4 { large.copysign(x) } else { mul_add(small, x, x) }
}
