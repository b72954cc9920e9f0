//! Inverse hyperbolic functions after Kahan, and the inverse trigonometric ones as those turned by a right angle.

use super::exponential::sqrt;
use super::{turned_left, turned_right};
use crate::cpu::math::plain::f64::{asinh as asinh_real, log1p};
use num_complex::{Complex, Complex64};
use std::f64::consts::{FRAC_PI_2, LN_2};

/// Beyond it 1 is lost beside z^2, and squares may leave the range.
const LARGE: f64 = 1e150;

fn is_large(z: Complex64) -> bool {
    z.re.abs() > LARGE || z.im.abs() > LARGE
}

/// log |2 z| for large z.
fn log_of_double(z: Complex64) -> f64 {
    (0.5 * z.re).hypot(0.5 * z.im).ln() + 2.0 * LN_2
}

pub(super) fn asin(z: Complex64) -> Complex64 {
    turned_right(asinh(turned_left(z)))
}

pub(super) fn atan(z: Complex64) -> Complex64 {
    turned_right(atanh(turned_left(z)))
}

pub(super) fn acos(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if a.is_nan() || b.is_nan() {
        return if a == 0.0 {
            Complex::new(FRAC_PI_2, f64::NAN)
        } else if a.is_infinite() {
            Complex::new(f64::NAN, f64::INFINITY)
        } else if b.is_infinite() {
            Complex::new(f64::NAN, -b)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    if is_large(z) {
        return Complex::new(b.abs().atan2(a), -log_of_double(z).copysign(b));
    }
    let below = sqrt(Complex::new(1.0 - a, -b));
    let above = sqrt(Complex::new(1.0 + a, b));
    let re = 2.0 * below.re.atan2(above.re);
    Complex::new(re, asinh_real(above.re * below.im - above.im * below.re))
}

pub(super) fn asinh(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if a.is_nan() || b.is_nan() {
        return if a.is_infinite() || b == 0.0 {
            z
        } else if b.is_infinite() {
            Complex::new(b.abs(), f64::NAN)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    if is_large(z) {
        return Complex::new(log_of_double(z).copysign(a), b.atan2(a.abs()));
    }
    let left = sqrt(Complex::new(1.0 + b, -a));
    let right = sqrt(Complex::new(1.0 - b, a));
    let re = asinh_real(left.re * right.im - right.re * left.im);
    Complex::new(re.copysign(a), b.atan2(left.re * right.re - left.im * right.im))
}

pub(super) fn acosh(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if a.is_nan() || b.is_nan() {
        return if a == 0.0 {
            Complex::new(f64::NAN, FRAC_PI_2)
        } else if a.is_infinite() || b.is_infinite() {
            Complex::new(f64::INFINITY, f64::NAN)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    if is_large(z) {
        return Complex::new(log_of_double(z), b.atan2(a));
    }
    let below = sqrt(Complex::new(a - 1.0, b));
    let above = sqrt(Complex::new(a + 1.0, b));
    Complex::new(asinh_real(below.re * above.re + below.im * above.im), 2.0 * below.im.atan2(above.re))
}

pub(super) fn atanh(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if a.is_nan() || b.is_nan() {
        return if a == 0.0 {
            z
        } else if a.is_infinite() {
            Complex::new(0.0f64.copysign(a), f64::NAN)
        } else if b.is_infinite() {
            Complex::new(0.0f64.copysign(a), FRAC_PI_2.copysign(b))
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    // By symmetry for a real part that is not negative.
    let (x, y) = (a.abs(), b.abs());
    let (re, im) = if is_large(z) {
        let half = (0.5 * x).hypot(0.5 * y);
        (if half.is_infinite() { 0.0 } else { x / 4.0 / half / half }, FRAC_PI_2)
    } else if x == 1.0 && y < 1e-150 {
        if y == 0.0 { (f64::INFINITY, 0.0) } else { (-(y.sqrt() / 2f64.sqrt()).ln(), 2f64.atan2(-y) / 2.0) }
    } else {
        let gap = (1.0 - x) * (1.0 - x);
        (log1p(4.0 * x / (gap + y * y)) / 4.0, (2.0 * y).atan2((1.0 - x) * (1.0 + x) - y * y) / 2.0)
    };
    Complex::new(re.copysign(a), im.copysign(b))
}
