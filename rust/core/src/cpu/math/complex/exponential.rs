//! Exponential, power, square root and quotient.

use super::{infinity_to_one, logarithm};
use num_complex::{Complex, Complex64};

/// e^a (cosine + i sine), also where e^a alone would overflow or be rounded as a subnormal.
pub(super) fn scaled(a: f64, cosine: f64, sine: f64) -> Complex64 {
    if a.abs() < 700.0 {
        let r = a.exp();
        return Complex::new(r * cosine, r * sine);
    }
    let half = (0.5 * a.clamp(-1e4, 1e4)).exp();
    Complex::new(half * cosine * half, half * sine * half)
}

pub(super) fn exp(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if b == 0.0 {
        return Complex::new(a.exp(), b);
    }
    if a == f64::NEG_INFINITY && !b.is_finite() {
        return Complex::new(0.0, 0.0f64.copysign(b));
    }
    if a == f64::INFINITY && !b.is_finite() {
        return Complex::new(f64::INFINITY, f64::NAN);
    }
    if a.is_infinite() {
        let r = a.exp();
        return Complex::new(r * b.cos(), r * b.sin());
    }
    if a.is_nan() || !b.is_finite() {
        return Complex::new(f64::NAN, f64::NAN);
    }
    scaled(a, b.cos(), b.sin())
}

pub(super) fn expm1(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if a == 0.0 && b == 0.0 {
        return Complex::new(0.0, b);
    }
    if b == 0.0 {
        return Complex::new(a.exp_m1(), b);
    }
    if !a.is_finite() || !b.is_finite() || a > 700.0 {
        let e = exp(z);
        return Complex::new(e.re - 1.0, e.im);
    }
    let half = (0.5 * b).sin();
    // e^a cos b - 1 with neither difference of nearly equal numbers taken first.
    Complex::new(a.exp_m1().mul_add(b.cos(), -2.0 * half * half), a.exp() * b.sin())
}

pub(super) fn sqrt(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if a == 0.0 && b == 0.0 {
        return Complex::new(0.0, b);
    }
    if b.is_infinite() {
        return Complex::new(f64::INFINITY, b);
    }
    if a == f64::NEG_INFINITY {
        return Complex::new(if b.is_nan() { b } else { 0.0 }, a.abs().copysign(b));
    }
    if a == f64::INFINITY {
        return Complex::new(a, if b.is_nan() { b } else { 0.0f64.copysign(b) });
    }
    if a.is_nan() || b.is_nan() {
        return Complex::new(f64::NAN, f64::NAN);
    }
    // An even power of two brings the larger part to a size whose sum and square stay in range.
    let largest = a.abs().max(b.abs());
    let (up, back) = if largest > 1e300 {
        (2f64.powi(-4), 4.0)
    } else if largest < 1e-290 {
        (2f64.powi(600), 2f64.powi(-300))
    } else {
        (1.0, 1.0)
    };
    let (a, b) = (a * up, b * up);
    let t = (0.5 * (a.abs() + a.hypot(b))).sqrt();
    let other = b.abs() / (2.0 * t);
    let (re, im) = if a >= 0.0 { (t, other) } else { (other, t) };
    Complex::new(re * back, (im * back).copysign(b))
}

pub(super) fn pow(z: Complex64, w: Complex64) -> Complex64 {
    if w.re == 0.0 && w.im == 0.0 {
        return Complex::new(1.0, 0.0);
    }
    if z.re == 0.0 && z.im == 0.0 {
        let defined = w.re > 0.0 && !w.im.is_nan();
        let value = if defined { 0.0 } else { f64::NAN };
        return Complex::new(value, value);
    }
    if w.im == 0.0 && w.re.trunc() == w.re && w.re.abs() <= 64.0 {
        let power = whole_power(z, w.re.abs() as u32);
        let power = if w.re < 0.0 { div(Complex::new(1.0, 0.0), power) } else { power };
        if power.re.is_finite() && power.im.is_finite() && (power.re != 0.0 || power.im != 0.0) {
            return power;
        }
    }
    let log = logarithm::log(z);
    let angle = if w.re == 0.0 { 0.0 } else { w.re * log.im } + if w.im == 0.0 { 0.0 } else { w.im * log.re };
    let size = z.re.hypot(z.im);
    if w.im == 0.0 && size.is_finite() && size > 0.0 {
        let r = size.powf(w.re);
        if r.is_finite() && r >= f64::MIN_POSITIVE {
            return Complex::new(r * angle.cos(), r * angle.sin());
        }
    }
    exp(Complex::new(w.re * log.re - if w.im == 0.0 { 0.0 } else { w.im * log.im }, angle))
}

/// z^n by squaring.
fn whole_power(z: Complex64, mut n: u32) -> Complex64 {
    let (mut power, mut square) = (Complex::new(1.0, 0.0), z);
    let mut first = true;
    while n > 0 {
        if n & 1 == 1 {
            power = if first { square } else { power * square };
            first = false;
        }
        n >>= 1;
        if n > 0 {
            square = square * square;
        }
    }
    power
}

/// The power of two that brings `x` into [1, 2), within what a float can hold twice.
fn unit_scale(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return 1.0;
    }
    let exponent = (x.to_bits() >> 52 & 0x7ff) as i64 - 1023;
    2f64.powi(-exponent.clamp(-1000, 1000) as i32)
}

pub(super) fn div(z: Complex64, w: Complex64) -> Complex64 {
    let scale = unit_scale(w.re.abs().max(w.im.abs()));
    let (c, d) = (w.re * scale, w.im * scale);
    // The dividend too: its products with c and d, below 2 both, must not overflow before the division.
    let back = unit_scale(z.re.abs().max(z.im.abs()));
    let (a, b) = (z.re * back, z.im * back);
    let square = c.mul_add(c, d * d);
    let re = difference_of_products(a, c, -b, d) / square;
    let im = difference_of_products(b, c, a, d) / square;
    if re.is_nan() && im.is_nan() {
        return recovered(z, w);
    }
    Complex::new(unscaled(re, scale, back), unscaled(im, scale, back))
}

/// x * scale / back without leaving the range on the way.
fn unscaled(x: f64, scale: f64, back: f64) -> f64 {
    if (scale > 1.0) == (back > 1.0) { x * (scale / back) } else { x * scale / back }
}

/// x y - z w with one rounding of the larger cancellation (Kahan's algorithm).
fn difference_of_products(x: f64, y: f64, z: f64, w: f64) -> f64 {
    let product = z * w;
    let error = (-z).mul_add(w, product);
    x.mul_add(y, -product) + error
}

/// C99 G.5.1: quotients of infinities and zeros that come out NaN but have a meaning.
fn recovered(z: Complex64, w: Complex64) -> Complex64 {
    if w.re == 0.0 && w.im == 0.0 && (!z.re.is_nan() || !z.im.is_nan()) {
        let infinite = f64::INFINITY.copysign(w.re);
        return Complex::new(infinite * z.re, infinite * z.im);
    }
    if (z.re.is_infinite() || z.im.is_infinite()) && w.re.is_finite() && w.im.is_finite() {
        let (a, b) = (infinity_to_one(z.re), infinity_to_one(z.im));
        return Complex::new(f64::INFINITY * (a * w.re + b * w.im), f64::INFINITY * (b * w.re - a * w.im));
    }
    if (w.re.is_infinite() || w.im.is_infinite()) && z.re.is_finite() && z.im.is_finite() {
        let (c, d) = (infinity_to_one(w.re), infinity_to_one(w.im));
        return Complex::new(0.0 * (z.re * c + z.im * d), 0.0 * (z.im * c - z.re * d));
    }
    Complex::new(f64::NAN, f64::NAN)
}
