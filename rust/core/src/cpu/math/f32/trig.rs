//! Sine, cosine and tangent, right for every argument and without a table or a branch.

use std::f64::consts::FRAC_PI_2;

use super::super::{mul_add64 as mul_add, round64 as round};

/// 1/(2 pi) in five parts of 29 bits, whose products with a float are exact in double precision, and a long last one.
const TURN: [f64; 6] = [
    part(0x0517_cc1b, 29),
    part(0x0e4e_4415, 58),
    part(0x053f_84ea, 87),
    part(0x1f47_d4d3, 116),
    part(0x0ee0_6db1, 145),
    part(0x0009_5993_c439_041f, 198),
];

/// bits / 2^shift
const fn part(bits: u64, shift: u64) -> f64 {
    bits as f64 * f64::from_bits((1023 - shift) << 52)
}

/// (quadrant bits, sine, cosine) of x less its multiple of pi/2.
///
/// Each part of x / (2 pi) gives up its whole turns exactly; what the sum of the rests loses is kept in `low`.
#[inline(always)]
fn reduced(x: f32) -> (u64, f64, f64) {
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: adding it rounds to an integer, found in the low bits
    let x = x as f64;
    let first = x * TURN[0];
    let mut high = first - round(first);
    let mut low = x * TURN[5];
    for part in [TURN[1], TURN[2], TURN[3], TURN[4]] {
        let turns = x * part;
        let rest = turns - round(turns);
        let sum = high + rest;
        low += rest - (sum - high);
        high = sum;
    }
    let quarters = 4.0 * high;
    let shifted = quarters + MAGIC;
    let r = mul_add(4.0, low, quarters - (shifted - MAGIC)) * FRAC_PI_2;
    let z = r * r;
    let sine = polynomial!(z; -0.166_666_666_406_131_3, 0.008_333_329_266_742_313, -0.000_198_392_961_338_728_7,
        2.717_939_919_621_972_3e-6);
    let cosine = polynomial!(z; 1.0, -0.499_999_999_995_219_8, 0.041_666_666_557_849_195, -0.001_388_888_084_320_296_9,
        2.479_899_015_242_157_3e-5, -2.717_635_766_315_422_5e-7);
    (shifted.to_bits(), mul_add(r * z, sine, r), cosine)
}

/// Negates `y` where bit 1 of `quadrant` is set.
#[inline(always)]
fn signed(y: f64, quadrant: u64) -> f32 {
    f64::from_bits(y.to_bits() ^ (quadrant & 2) << 62) as f32
}

/// Half a unit in the last place.
#[inline(always)]
pub fn sin(x: f32) -> f32 {
    let (quadrant, sine, cosine) = reduced(x);
    let y = signed(if quadrant & 1 == 0 { sine } else { cosine }, quadrant);
    if x.abs() < 1e-30 { x } else { y }
}

/// Half a unit in the last place.
#[inline(always)]
pub fn cos(x: f32) -> f32 {
    let (quadrant, sine, cosine) = reduced(x);
    signed(if quadrant & 1 == 0 { cosine } else { sine }, quadrant.wrapping_add(quadrant & 1))
}

/// Half a unit in the last place.
#[inline(always)]
pub fn tan(x: f32) -> f32 {
    let (quadrant, sine, cosine) = reduced(x);
    let odd = quadrant & 1 != 0;
    let y = (if odd { -cosine } else { sine } / if odd { sine } else { cosine }) as f32;
    if x.abs() < 1e-30 { x } else { y }
}
