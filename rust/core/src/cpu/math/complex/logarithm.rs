//! Logarithms: the angle is exact, the modulus needs care near the unit circle and at the ends of the range.

use num_complex::{Complex, Complex64};
use std::f64::consts::{LN_2, LN_10, LOG2_E, LOG10_E};

/// x^2 as an unevaluated sum.
fn square(x: f64) -> (f64, f64) {
    let high = x * x;
    (high, x.mul_add(x, -high))
}

/// x + y as an unevaluated sum.
fn two_sum(x: f64, y: f64) -> (f64, f64) {
    let sum = x + y;
    let part = sum - x;
    (sum, (x - (sum - part)) + (y - part))
}

/// first + a^2 + b^2 with the errors of each step kept: the terms may cancel.
fn sum_of_squares(first: f64, a: f64, b: f64) -> f64 {
    let ((p, p_error), (q, q_error)) = (square(a), square(b));
    let (large, small) = if p > q { (p, q) } else { (q, p) };
    let (sum, e1) = two_sum(first, large);
    let (sum, e2) = two_sum(sum, small);
    sum + (e1 + e2 + p_error + q_error)
}

/// log |z| for any z: finite, infinite or NaN.
pub(super) fn log_abs(z: Complex64) -> f64 {
    let (a, b) = (z.re.abs(), z.im.abs());
    let size = a.hypot(b);
    if a == 0.0 || b == 0.0 || !a.is_finite() || !b.is_finite() {
        return size.ln();
    }
    if size > 0.5 && size < 2.0 {
        0.5 * sum_of_squares(-1.0, a, b).ln_1p()
    } else if size > 1e300 {
        (0.5 * a).hypot(0.5 * b).ln() + LN_2
    } else if size < 1e-290 {
        const UP: f64 = 200.0;
        (a * UP.exp2()).hypot(b * UP.exp2()).ln() - UP * LN_2
    } else {
        size.ln()
    }
}

pub(super) fn log(z: Complex64) -> Complex64 {
    Complex::new(log_abs(z), z.im.atan2(z.re))
}

pub(super) fn log2(z: Complex64) -> Complex64 {
    let log = log(z);
    let re = if z.im == 0.0 { z.re.abs().log2() } else { log.re * LOG2_E };
    Complex::new(re, log.im / LN_2)
}

pub(super) fn log10(z: Complex64) -> Complex64 {
    let log = log(z);
    let re = if z.im == 0.0 { z.re.abs().log10() } else { log.re * LOG10_E };
    Complex::new(re, log.im / LN_10)
}

pub(super) fn log1p(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    let moved = Complex::new(1.0 + a, b);
    let near = a.abs() < 2.0 && b.abs() < 2.0 && moved.re.hypot(b) > 0.5;
    let re = if near { 0.5 * sum_of_squares(2.0 * a, a, b).ln_1p() } else { log_abs(moved) };
    Complex::new(re, b.atan2(moved.re))
}
