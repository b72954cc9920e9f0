//! Hyperbolic functions, and the trigonometric ones as hyperbolic ones turned by a right angle.

use super::exponential::scaled;
use super::{turned_left, turned_right};
use num_complex::{Complex, Complex64};

pub(super) fn sin(z: Complex64) -> Complex64 {
    turned_right(sinh(turned_left(z)))
}

pub(super) fn cos(z: Complex64) -> Complex64 {
    cosh(turned_left(z))
}

pub(super) fn tan(z: Complex64) -> Complex64 {
    turned_right(tanh(turned_left(z)))
}

pub(super) fn sinh(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if b == 0.0 {
        return Complex::new(a.sinh(), b);
    }
    if !b.is_finite() {
        // A zero or infinite real part survives an angle that means nothing.
        return Complex::new(if a == 0.0 || a.is_infinite() { a } else { f64::NAN }, f64::NAN);
    }
    let (sine, cosine) = b.sin_cos();
    if a.is_infinite() {
        return Complex::new(a * cosine, a.abs() * sine);
    }
    if a.abs() > 700.0 {
        let e = scaled(a.abs(), 0.5 * cosine, 0.5 * sine);
        return Complex::new(e.re * 1.0f64.copysign(a), e.im);
    }
    Complex::new(a.sinh() * cosine, a.cosh() * sine)
}

pub(super) fn cosh(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if b == 0.0 {
        // The sign of a zero imaginary part is that of sinh a sin b.
        return Complex::new(a.cosh(), if a.is_nan() { b } else { b * 1.0f64.copysign(a) });
    }
    if !b.is_finite() {
        let re = if a.is_infinite() { f64::INFINITY } else { f64::NAN };
        return Complex::new(re, if a == 0.0 { 0.0f64.copysign(a) * 1.0f64.copysign(b) } else { f64::NAN });
    }
    let (sine, cosine) = b.sin_cos();
    if a.is_infinite() {
        return Complex::new(a.abs() * cosine, a * sine);
    }
    if a.abs() > 700.0 {
        let e = scaled(a.abs(), 0.5 * cosine, 0.5 * sine);
        return Complex::new(e.re, e.im * 1.0f64.copysign(a));
    }
    Complex::new(a.cosh() * cosine, a.sinh() * sine)
}

/// Kahan's algorithm: no overflow for large real parts, no cancellation near the poles.
pub(super) fn tanh(z: Complex64) -> Complex64 {
    let (a, b) = (z.re, z.im);
    if a.is_nan() {
        return Complex::new(a, if b == 0.0 { b } else { f64::NAN });
    }
    if a.is_infinite() {
        // The standard's sign of zero: that of the imaginary part, where C's is that of sin(2b).
        return Complex::new(1.0f64.copysign(a), 0.0f64.copysign(b));
    }
    if !b.is_finite() {
        return Complex::new(if a == 0.0 { a } else { f64::NAN }, f64::NAN);
    }
    if a.abs() > 22.0 {
        // Past the last place of 1; the imaginary part is 4 sin b cos b e^(-2|a|).
        let (sine, cosine) = b.sin_cos();
        let decay = (-a.abs()).exp();
        let im = if b == 0.0 { b } else { 4.0 * sine * cosine * decay * decay };
        return Complex::new(1.0f64.copysign(a), im);
    }
    let t = b.tan();
    let (s, beta) = (a.sinh(), t.mul_add(t, 1.0));
    let rho = s.mul_add(s, 1.0).sqrt();
    let divisor = (beta * s).mul_add(s, 1.0);
    Complex::new(beta * rho * s / divisor, t / divisor)
}
