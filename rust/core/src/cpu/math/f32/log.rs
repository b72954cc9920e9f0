//! Logarithms: the argument is split into 2^k (1 + f) with 1 + f between the square roots of 1/2 and 2.

use super::exp::power_of_two;
use super::mul_add;

const LN2_HIGH: f32 = 0.693_359_375;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// Bits of the square root of 1/2.
const SQRT_HALF: u32 = 0x3f35_04f3;

/// (k, f) of a positive normal number; anything, without a trap, for others.
#[inline(always)]
fn split_normal(x: f32) -> (i32, f32) {
    let above = x.to_bits().wrapping_sub(SQRT_HALF);
    let m = f32::from_bits((above & 0x007f_ffff).wrapping_add(SQRT_HALF));
    (above as i32 >> 23, m - 1.0)
}

/// (k, f) of any positive number, k as a float.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    let tiny = x < f32::MIN_POSITIVE;
    let (k, f) = split_normal(if tiny { x * 8_388_608.0 } else { x });
    (k as f32 - if tiny { 23.0 } else { 0.0 }, f)
}

/// (f^2 / 2, the part of log(1 + f) of third order and up)
#[inline(always)]
fn series(f: f32) -> (f32, f32) {
    let q = polynomial!(f; 0.333_333_3, -0.250_008_23, 0.200_012_31, -0.166_232_51, 0.142_015_64, -0.131_610_93,
        0.127_635, -0.076_344_4);
    let square = f * f;
    (0.5 * square, square * f * q)
}

/// Puts in what the bit tricks get wrong: zero, negative numbers, infinity and NaN, whose logarithm is known.
#[inline(always)]
fn special(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let edge = if x == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    if x > 0.0 { y } else { edge }
}

/// 1 unit in the last place.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    let (k, f) = split(x);
    let (half_square, rest) = series(f);
    let low = (mul_add(k, LN2_LOW, rest) - half_square) + f;
    special(x, mul_add(k, LN2_HIGH, low))
}

/// log(1 + x), precise for small x: what the rounding of 1 + x loses is added to f. 1 unit in the last place.
#[inline(always)]
pub fn log1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let (k, f) = split_normal(u);
    let lost = if x < 1e9 { x - (u - 1.0) } else { 0.0 };
    let lost = lost * power_of_two(if k > 100 { -100 } else { k.wrapping_neg() });
    let sum = f + lost;
    let tail = (f - sum) + lost;
    let (half_square, rest) = series(sum);
    let k = k as f32;
    let low = (mul_add(k, LN2_LOW, tail + rest) - half_square) + sum;
    let y = special(u, mul_add(k, LN2_HIGH, low));
    if x.abs() < 2.0f32.powi(-25) { x } else { y }
}

/// log(1 + f) in two parts, the first short enough for exact products with short constants.
#[inline(always)]
fn two_parts(f: f32) -> (f32, f32) {
    let (half_square, rest) = series(f);
    let high = f32::from_bits((f - half_square).to_bits() & 0xffff_f000);
    (high, ((f - high) - half_square) + rest)
}

/// 1 unit in the last place; powers of two are exact.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    const LOG2_E_HIGH: f32 = 1.442_871_1;
    const LOG2_E_LOW: f32 = -1.760_528_5e-4;
    let (k, f) = split(x);
    let (high, low) = two_parts(f);
    let y = mul_add(low, LOG2_E_HIGH, (low + high) * LOG2_E_LOW);
    special(x, mul_add(high, LOG2_E_HIGH, y) + k)
}

/// 1 unit in the last place.
#[inline(always)]
pub fn log10(x: f32) -> f32 {
    const LOG10_E_HIGH: f32 = 0.434_326_17;
    const LOG10_E_LOW: f32 = -3.168_997_1e-5;
    const LOG10_2_HIGH: f32 = 0.301_029_2;
    const LOG10_2_LOW: f32 = 7.903_415e-7;
    let (k, f) = split(x);
    let (high, low) = two_parts(f);
    let y = mul_add(k, LOG10_2_LOW, (low + high) * LOG10_E_LOW);
    let y = mul_add(high, LOG10_E_HIGH, mul_add(low, LOG10_E_HIGH, y));
    special(x, mul_add(k, LOG10_2_HIGH, y))
}
