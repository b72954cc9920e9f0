//! The rest of the vocabulary, from the standard library where that is precise.

use super::{exp, log1p, maximum};

macro_rules! standard {
    ($($name:ident: $method:ident),*) => {$(
        #[inline(always)]
        pub fn $name(x: f64) -> f64 {
            x.$method()
        }
    )*};
}

standard!(exp2: exp2, log2: log2, log10: log10, sin: sin, cos: cos, tan: tan, asin: asin, acos: acos, atan: atan, sinh: sinh, cosh: cosh);

#[inline(always)]
pub fn atan2(y: f64, x: f64) -> f64 {
    y.atan2(x)
}

#[inline(always)]
pub fn pow(x: f64, y: f64) -> f64 {
    x.powf(y)
}

#[inline(always)]
pub fn hypot(x: f64, y: f64) -> f64 {
    x.hypot(y)
}

/// 2 units in the last place.
#[inline(always)]
pub fn asinh(x: f64) -> f64 {
    let a = x.abs();
    // Above 2^28 the square root of a^2 + 1 is a, and the result log 2a.
    let huge = a > 268_435_456.0;
    let t = if huge { a - 1.0 } else { a + a * a / (1.0 + (a * a + 1.0).sqrt()) };
    (log1p(t) + if huge { std::f64::consts::LN_2 } else { 0.0 }).copysign(x)
}

/// 2 units in the last place.
#[inline(always)]
pub fn acosh(x: f64) -> f64 {
    let huge = x > 268_435_456.0;
    let t = x - 1.0;
    let y = log1p(if huge { t } else { t + (t * (t + 2.0)).sqrt() }) + if huge { std::f64::consts::LN_2 } else { 0.0 };
    if t < 0.0 { f64::NAN } else { y }
}

/// 2 units in the last place.
#[inline(always)]
pub fn atanh(x: f64) -> f64 {
    let a = x.abs();
    (0.5 * log1p(2.0 * a / (1.0 - a))).copysign(x)
}

/// log(e^x + e^y) without overflow.
#[inline(always)]
pub fn logaddexp(x: f64, y: f64) -> f64 {
    let gap = -(x - y).abs();
    // Equal infinities have no difference.
    maximum(x, y) + log1p(exp(if x == y { 0.0 } else { gap }))
}
