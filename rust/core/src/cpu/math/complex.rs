//! Complex functions with C99's branch cuts, signed zeros and special values (Annex G), as the array API asks.
//!
//! All are computed in double precision; single-precision arguments are widened, so their results are rounded once.
//! The inverse functions follow W. Kahan, "Branch cuts for complex elementary functions" (1987).

mod exponential;
mod hyperbolic;
mod inverse;
mod logarithm;
#[cfg(test)]
mod tests;

use num_complex::{Complex, Complex64};

/// The types a complex number can be made of.
pub trait Part: Copy {
    fn widen(self) -> f64;
    fn narrow(x: f64) -> Self;
}

impl Part for f32 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self as f64
    }
    #[inline(always)]
    fn narrow(x: f64) -> f32 {
        x as f32
    }
}

impl Part for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
    #[inline(always)]
    fn narrow(x: f64) -> f64 {
        x
    }
}

fn widen<T: Part>(z: Complex<T>) -> Complex64 {
    Complex { re: z.re.widen(), im: z.im.widen() }
}

fn narrow<T: Part>(z: Complex64) -> Complex<T> {
    Complex { re: T::narrow(z.re), im: T::narrow(z.im) }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $double:path;)*) => {$(
        $(#[$doc])*
        pub fn $name<T: Part>(z: Complex<T>) -> Complex<T> {
            narrow($double(widen(z)))
        }
    )*};
}

functions! {
    exp: exponential::exp;
    /// e^z - 1 without cancellation near zero.
    expm1: exponential::expm1;
    /// Cut along the negative real axis, as for all logarithms and the square root.
    log: logarithm::log;
    /// log(1 + z), precise near zero.
    log1p: logarithm::log1p;
    log2: logarithm::log2;
    log10: logarithm::log10;
    sqrt: exponential::sqrt;
    sin: hyperbolic::sin;
    cos: hyperbolic::cos;
    tan: hyperbolic::tan;
    sinh: hyperbolic::sinh;
    cosh: hyperbolic::cosh;
    tanh: hyperbolic::tanh;
    /// Cut along the real axis beyond -1 and 1, as `acos` and `atanh`.
    asin: inverse::asin;
    acos: inverse::acos;
    /// Cut along the imaginary axis beyond -i and i, as `asinh`.
    atan: inverse::atan;
    asinh: inverse::asinh;
    /// Cut along the real axis below 1.
    acosh: inverse::acosh;
    atanh: inverse::atanh;
    /// z / |z|, and 0 for 0; an infinite z keeps its direction.
    sign: sign64;
}

/// The modulus, infinite if either part is, without spurious overflow.
pub fn abs<T: Part>(z: Complex<T>) -> T {
    T::narrow(z.re.widen().hypot(z.im.widen()))
}

/// z to the power w: e^(w log z), by products where w is a small integer.
pub fn pow<T: Part>(z: Complex<T>, w: Complex<T>) -> Complex<T> {
    narrow(exponential::pow(widen(z), widen(w)))
}

/// z / w without spurious overflow or underflow; infinities win over NaN as in C99.
pub fn div<T: Part>(z: Complex<T>, w: Complex<T>) -> Complex<T> {
    narrow(exponential::div(widen(z), widen(w)))
}

fn sign64(z: Complex64) -> Complex64 {
    if z.re.is_nan() || z.im.is_nan() {
        return Complex::new(f64::NAN, f64::NAN);
    }
    let largest = z.re.abs().max(z.im.abs());
    if largest == 0.0 {
        return Complex::new(0.0, 0.0);
    }
    let part = |x: f64| if largest.is_infinite() { infinity_to_one(x) } else { x / largest };
    let (re, im) = (part(z.re), part(z.im));
    let length = re.hypot(im);
    Complex::new(re / length, im / length)
}

/// The direction of an infinite number: 1 for infinity, 0 for anything finite, with the sign of x.
fn infinity_to_one(x: f64) -> f64 {
    (if x.is_infinite() { 1.0f64 } else { 0.0 }).copysign(x)
}

/// i z and -i z: the turns that make trigonometric functions of hyperbolic ones, exact with signed zeros.
fn turned_left(z: Complex64) -> Complex64 {
    Complex::new(-z.im, z.re)
}

fn turned_right(z: Complex64) -> Complex64 {
    Complex::new(z.im, -z.re)
}
