//! Functions computed in double precision and rounded once: half a unit in the last place.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::super::f64 as wide;
use super::super::mul_add64 as mul_add;

/// atan(y / x) in double precision to 35 bits, for y and x not negative.
#[inline(always)]
fn angle(y: f64, x: f64) -> f64 {
    // Turned by an eighth or a quarter where that makes the ratio smaller than tan(pi/8), with one division.
    let steep = y > 2.414_213_562_373_095 * x;
    let middle = y > 0.414_213_562_373_095_05 * x;
    let (numerator, denominator) = (if middle { y - x } else { y }, if middle { y + x } else { x });
    let (numerator, denominator) = (if steep { -x } else { numerator }, if steep { y } else { denominator });
    let base = if middle { FRAC_PI_4 } else { 0.0 };
    let base = if steep { FRAC_PI_2 } else { base };
    let t = numerator / denominator;
    let z = t * t;
    let p = polynomial!(z; -0.333_333_325_146_136_3, 0.199_999_051_872_219_56, -0.142_820_420_846_463_49,
        0.110_450_936_635_806_21, -0.084_784_068_708_379_29, 0.047_482_766_277_990_74);
    base + mul_add(t * z, p, t)
}

#[inline(always)]
pub fn atan(x: f32) -> f32 {
    // Infinity over one would be infinity over infinity once turned.
    let a = (x as f64).abs();
    let a = if a > 1e300 { 1e300 } else { a };
    (angle(a, 1.0) as f32).copysign(x)
}

/// The angle of the point (x, y), from -pi to pi.
#[inline(always)]
pub fn atan2(y: f32, x: f32) -> f32 {
    let (a, b) = ((y as f64).abs(), (x as f64).abs());
    // Infinities become large numbers of the same ratio; the origin counts as on the axis.
    let a = if a > 1e100 { 1e100 } else { a };
    let b = if b > 1e100 { 1e100 } else { b };
    let b = if a + b == 0.0 { 1.0 } else { b };
    let t = angle(a, b);
    let t = if x.is_sign_negative() { PI - t } else { t };
    (t as f32).copysign(y)
}

/// (whether |x| > 1/2, asin |x| or the complement it is computed by)
#[inline(always)]
fn arc(x: f32) -> (bool, f64) {
    let a = (x as f64).abs();
    let outer = a > 0.5;
    let z = if outer { (1.0 - a) * 0.5 } else { a * a };
    let s = if outer { z.sqrt() } else { a };
    let p = polynomial!(z; 0.166_666_666_696_959_2, 0.074_999_995_255_835_35, 0.044_643_112_473_176_59,
        0.030_375_233_177_317_6, 0.022_471_303_113_921_003, 0.016_477_795_515_047_838, 0.018_630_082_204_118_94,
        -0.002_857_459_627_189_626_8, 0.031_958_490_808_666_83);
    (outer, mul_add(s * z, p, s))
}

#[inline(always)]
pub fn asin(x: f32) -> f32 {
    let (outer, arc) = arc(x);
    ((if outer { FRAC_PI_2 - 2.0 * arc } else { arc }) as f32).copysign(x)
}

#[inline(always)]
pub fn acos(x: f32) -> f32 {
    let (outer, arc) = arc(x);
    let arc = if outer { 2.0 * arc } else { arc };
    let right = if outer { arc } else { FRAC_PI_2 - arc };
    let left = if outer { PI - arc } else { FRAC_PI_2 + arc };
    (if x < 0.0 { left } else { right }) as f32
}

#[inline(always)]
pub fn sinh(x: f32) -> f32 {
    let t = wide::expm1((x as f64).abs());
    let t = if t > 1e300 { 1e300 } else { t };
    ((0.5 * (t + t / (t + 1.0))) as f32).copysign(x)
}

#[inline(always)]
pub fn cosh(x: f32) -> f32 {
    let e = wide::exp((x as f64).abs());
    (0.5 * (e + 1.0 / e)) as f32
}

#[inline(always)]
pub fn asinh(x: f32) -> f32 {
    let a = (x as f64).abs();
    let large = wide::log(a + mul_add(a, a, 1.0).sqrt());
    let small = a - a * a * a * (1.0 / 6.0);
    ((if a < 0.000_244_140_625 { small } else { large }) as f32).copysign(x)
}

#[inline(always)]
pub fn acosh(x: f32) -> f32 {
    let a = x as f64;
    let y = wide::log(a + ((a - 1.0) * (a + 1.0)).sqrt());
    (if x < 1.0 { f64::NAN } else { y }) as f32
}

#[inline(always)]
pub fn atanh(x: f32) -> f32 {
    let a = (x as f64).abs();
    ((0.5 * wide::log1p(2.0 * a / (1.0 - a))) as f32).copysign(x)
}

/// The length of (x, y); infinite if either is, even beside a NaN.
#[inline(always)]
pub fn hypot(x: f32, y: f32) -> f32 {
    let (a, b) = (x as f64, y as f64);
    let length = mul_add(a, a, b * b).sqrt() as f32;
    if x.abs() == f32::INFINITY || y.abs() == f32::INFINITY { f32::INFINITY } else { length }
}

/// log(e^x + e^y) without overflow.
#[inline(always)]
pub fn logaddexp(x: f32, y: f32) -> f32 {
    wide::logaddexp(x as f64, y as f64) as f32
}

/// x^y with the special cases of C: 1 for y = 0 or x = 1, NaN for a negative x and a broken y.
#[inline(always)]
pub fn pow(x: f32, y: f32) -> f32 {
    let (a, b) = ((x as f64).abs(), y as f64);
    let size = wide::exp(b * wide::log(a));
    let size = if y == 0.0 || x == 1.0 || (x == -1.0 && y.abs() == f32::INFINITY) { 1.0 } else { size };
    let whole = y.trunc() == y;
    let half = y * 0.5;
    let odd = whole && half.trunc() != half && y.abs() < 16_777_216.0;
    let size = if odd && x.is_sign_negative() { -size } else { size };
    let broken = x < 0.0 && x != f32::NEG_INFINITY && !whole;
    (if broken { f64::NAN } else { size }) as f32
}
