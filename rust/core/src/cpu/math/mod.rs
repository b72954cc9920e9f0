//! The vocabulary of formulas: branch-free scalar functions that vectorise inside `leveled!` loops.
//!
//! `fma` and `plain` hold the same functions, compiled with and without fused multiply-add.

macro_rules! vocabulary {
    ($t:ident) => {
        pub mod $t {
            #[inline(always)]
            pub fn abs(x: $t) -> $t {
                x.abs()
            }
            #[inline(always)]
            pub fn sqrt(x: $t) -> $t {
                x.sqrt()
            }
            #[inline(always)]
            pub fn exp(x: $t) -> $t {
                x.exp()
            }
            #[inline(always)]
            pub fn exp2(x: $t) -> $t {
                x.exp2()
            }
            #[inline(always)]
            pub fn expm1(x: $t) -> $t {
                x.exp_m1()
            }
            #[inline(always)]
            pub fn log(x: $t) -> $t {
                x.ln()
            }
            #[inline(always)]
            pub fn log1p(x: $t) -> $t {
                x.ln_1p()
            }
            #[inline(always)]
            pub fn log2(x: $t) -> $t {
                x.log2()
            }
            #[inline(always)]
            pub fn log10(x: $t) -> $t {
                x.log10()
            }
            #[inline(always)]
            pub fn sin(x: $t) -> $t {
                x.sin()
            }
            #[inline(always)]
            pub fn cos(x: $t) -> $t {
                x.cos()
            }
            #[inline(always)]
            pub fn tan(x: $t) -> $t {
                x.tan()
            }
            #[inline(always)]
            pub fn asin(x: $t) -> $t {
                x.asin()
            }
            #[inline(always)]
            pub fn acos(x: $t) -> $t {
                x.acos()
            }
            #[inline(always)]
            pub fn atan(x: $t) -> $t {
                x.atan()
            }
            #[inline(always)]
            pub fn sinh(x: $t) -> $t {
                x.sinh()
            }
            #[inline(always)]
            pub fn cosh(x: $t) -> $t {
                x.cosh()
            }
            #[inline(always)]
            pub fn tanh(x: $t) -> $t {
                x.tanh()
            }
            #[inline(always)]
            pub fn asinh(x: $t) -> $t {
                x.asinh()
            }
            #[inline(always)]
            pub fn acosh(x: $t) -> $t {
                x.acosh()
            }
            #[inline(always)]
            pub fn atanh(x: $t) -> $t {
                x.atanh()
            }
            #[inline(always)]
            pub fn floor(x: $t) -> $t {
                x.floor()
            }
            #[inline(always)]
            pub fn ceil(x: $t) -> $t {
                x.ceil()
            }
            #[inline(always)]
            pub fn trunc(x: $t) -> $t {
                x.trunc()
            }
            #[inline(always)]
            pub fn round(x: $t) -> $t {
                x.round_ties_even()
            }
            #[inline(always)]
            pub fn sign(x: $t) -> $t {
                if x > 0.0 {
                    1.0
                } else if x < 0.0 {
                    -1.0
                } else {
                    x
                }
            }
            #[inline(always)]
            pub fn rsqrt(x: $t) -> $t {
                1.0 / x.sqrt()
            }
            #[inline(always)]
            pub fn sigmoid(x: $t) -> $t {
                let e = (-x.abs()).exp();
                (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e) + (x - x)
            }
            #[inline(always)]
            pub fn erf(x: $t) -> $t {
                super::super::erf(x as f64) as $t
            }
            #[inline(always)]
            pub fn atan2(x: $t, y: $t) -> $t {
                x.atan2(y)
            }
            #[inline(always)]
            pub fn pow(x: $t, y: $t) -> $t {
                x.powf(y)
            }
            #[inline(always)]
            pub fn hypot(x: $t, y: $t) -> $t {
                x.hypot(y)
            }
            #[inline(always)]
            pub fn copysign(x: $t, y: $t) -> $t {
                x.copysign(y)
            }
            #[inline(always)]
            pub fn maximum(x: $t, y: $t) -> $t {
                if x > y || x.is_nan() { x } else { y }
            }
            #[inline(always)]
            pub fn minimum(x: $t, y: $t) -> $t {
                if x < y || x.is_nan() { x } else { y }
            }
            #[inline(always)]
            pub fn logaddexp(x: $t, y: $t) -> $t {
                if x == y { x + (2.0 as $t).ln() } else { maximum(x, y) + (-(x - y).abs()).exp().ln_1p() }
            }
            #[inline(always)]
            pub fn if_gt(x: $t, y: $t, a: $t, b: $t) -> $t {
                if x > y { a } else { b }
            }
            #[inline(always)]
            pub fn if_ge(x: $t, y: $t, a: $t, b: $t) -> $t {
                if x >= y { a } else { b }
            }
            #[inline(always)]
            pub fn if_lt(x: $t, y: $t, a: $t, b: $t) -> $t {
                if x < y { a } else { b }
            }
            #[inline(always)]
            pub fn if_le(x: $t, y: $t, a: $t, b: $t) -> $t {
                if x <= y { a } else { b }
            }
            #[inline(always)]
            pub fn if_eq(x: $t, y: $t, a: $t, b: $t) -> $t {
                if x == y { a } else { b }
            }
        }
    };
}

pub mod fma {
    vocabulary!(f32);
    vocabulary!(f64);
}

pub mod plain {
    vocabulary!(f32);
    vocabulary!(f64);
}

/// Taylor series near zero, continued fraction of the complement beyond.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    let value = if a < 2.5 {
        let (mut term, mut sum) = (a, a);
        for n in 1..60 {
            term *= -a * a / n as f64;
            sum += term / (2 * n + 1) as f64;
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        let fraction = (1..60).rev().fold(a, |rest, n| a + n as f64 / 2.0 / rest);
        1.0 - (-a * a).exp() / fraction * std::f64::consts::FRAC_2_SQRT_PI / 2.0
    };
    if x.is_nan() || x == 0.0 { x } else { value.min(1.0).copysign(x) }
}
