//! Every function at every level against double precision (f32) or the standard library (f64).
//! `FERROGRAD_MATH_STRIDE=1 cargo test --profile verify float_functions -- --nocapture` visits all 2^32 floats.

use crate::cpu::level::{Level, at_level, leveled};
use crate::cpu::pool::parallel_for;
use std::sync::Mutex;

/// |y - expected| in units of the last place of `expected` as a float with `digits` bits and smallest exponent `least`.
fn units(y: f64, expected: f64, digits: i32, least: i32) -> f64 {
    if y == expected || (y.is_nan() && expected.is_nan()) {
        return 0.0;
    }
    let exponent = (expected.abs().log2().floor() as i32).max(least);
    let error = (y - expected).abs() / 2f64.powi(exponent + 1 - digits);
    if error.is_nan() { f64::INFINITY } else { error }
}

fn units32(y: f32, expected: f64) -> f64 {
    // Beyond the largest float by less than half a unit rounds to infinity, as does everything larger.
    if y.is_infinite() && (expected as f32) == y { 0.0 } else { units(y as f64, expected, 24, -126) }
}

struct Row {
    name: &'static str,
    run: fn(&[f32], &mut [f32]),
    reference: fn(f64) -> f64,
    bound: f64,
}

macro_rules! rows {
    ($($name:ident: $reference:expr, $bound:expr;)*) => {
        $(mod $name {
            use super::leveled;
            leveled! {
                pub fn run(x: &[f32], y: &mut [f32]) {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = math::f32::$name(x);
                    }
                }
            }
        })*
        const ROWS: &[Row] = &[$(Row { name: stringify!($name), run: $name::run, reference: $reference, bound: $bound }),*];
    };
}

rows! {
    exp: f64::exp, 1.2;
    exp2: f64::exp2, 1.3;
    expm1: f64::exp_m1, 1.8;
    log: f64::ln, 1.0;
    log1p: f64::ln_1p, 1.0;
    log2: f64::log2, 1.0;
    log10: f64::log10, 1.0;
    sin: f64::sin, 0.501;
    cos: f64::cos, 0.501;
    tan: f64::tan, 0.501;
    asin: f64::asin, 0.501;
    acos: f64::acos, 0.501;
    atan: f64::atan, 0.501;
    sinh: f64::sinh, 0.501;
    cosh: f64::cosh, 0.501;
    tanh: f64::tanh, 1.4;
    asinh: f64::asinh, 0.501;
    acosh: f64::acosh, 0.501;
    atanh: f64::atanh, 0.501;
    sigmoid: |x| 1.0 / (1.0 + (-x).exp()), 2.5;
    erf: super::fma::f64::erf, 1.2;
    rsqrt: |x| 1.0 / x.sqrt(), 1.5;
    sqrt: f64::sqrt, 0.5;
    floor: f64::floor, 0.0;
    ceil: f64::ceil, 0.0;
    trunc: f64::trunc, 0.0;
    round: f64::round_ties_even, 0.0;
    abs: f64::abs, 0.0;
    sign: |x| if x == 0.0 { 0.0 } else { x.signum() }, 0.0;
}

/// Worst error per row and level over every `stride`th float.
fn sweep(stride: u64) -> Vec<(f64, f32)> {
    const BATCH: u64 = 1 << 12;
    let worst = Mutex::new(vec![(0.0, 0.0); ROWS.len()]);
    let batches = (1u64 << 32).div_ceil(stride * BATCH);
    parallel_for(batches as usize, &|batch| {
        let first = batch as u64 * BATCH * stride;
        let x: Vec<f32> =
            (0..BATCH).map(|i| f32::from_bits((first + i * stride).min(u32::MAX as u64) as u32)).collect();
        let mut y = vec![0.0; x.len()];
        for (row, entry) in ROWS.iter().enumerate() {
            (entry.run)(&x, &mut y);
            let mut here = (0.0, 0.0);
            for (&x, &y) in x.iter().zip(&y) {
                let error = units32(y, (entry.reference)(x as f64));
                if error > here.0 {
                    here = (error, x);
                }
            }
            let mut worst = worst.lock().unwrap();
            if here.0 > worst[row].0 {
                worst[row] = here;
            }
        }
    })
    .unwrap();
    worst.into_inner().unwrap()
}

fn check(stride: u64) {
    let mut failures = Vec::new();
    for &level in Level::ALL.iter().filter(|level| level.supported()) {
        for (row, (error, x)) in ROWS.iter().zip(at_level(level, || sweep(stride))) {
            println!("{:9} {:9} {error:.3} units at {x:e}", row.name, level.name());
            if error > row.bound {
                failures.push(format!(
                    "{} at {}: {error} > {} at {x:e} ({:#x})",
                    row.name,
                    level.name(),
                    row.bound,
                    x.to_bits()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn float_functions_sampled() {
    check(std::env::var("FERROGRAD_MATH_STRIDE").map_or(9973, |stride| stride.parse().unwrap()));
}

#[test]
fn special_values_of_floats() {
    let x = [
        0.0,
        -0.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        1.0,
        -1.0,
        2.0,
        -2.0,
        f32::MIN_POSITIVE,
        1e-45,
        -1e-45,
        f32::MAX,
    ];
    for &level in Level::ALL.iter().filter(|level| level.supported()) {
        at_level(level, || {
            for row in ROWS {
                let mut y = [0.0; 13];
                (row.run)(&x, &mut y);
                for (&x, &y) in x.iter().zip(&y) {
                    let expected = (row.reference)(x as f64) as f32;
                    let known = expected.is_nan() || expected == 0.0 || expected.is_infinite();
                    let same = y.is_nan() == expected.is_nan()
                        && (y.is_nan() || y.is_sign_negative() == expected.is_sign_negative());
                    assert!(
                        same && (!known || y.is_nan() || y == expected),
                        "{}({x}) = {y} at {}, expected {expected}",
                        row.name,
                        level.name()
                    );
                }
            }
        });
    }
}

#[test]
fn functions_of_two_floats() {
    let special = [
        0.0f32,
        -0.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        -3.0,
        1e-45,
        3e38,
        16_777_217.0,
    ];
    let pairs = special.iter().flat_map(|&x| special.iter().map(move |&y| (x, y)));
    let scattered = (0..20_000u32).map(|i| {
        let mix = |salt: u32| (i.wrapping_mul(2_654_435_769) ^ salt).wrapping_mul(0x85eb_ca6b) as f32 / u32::MAX as f32;
        (mix(1) * 8.0, mix(0x55) * 20.0 - 10.0)
    });
    for (x, y) in pairs.chain(scattered) {
        use super::fma::f32 as math;
        let (a, b) = (x as f64, y as f64);
        for (name, got, expected) in [
            ("pow", math::pow(x, y), a.powf(b)),
            ("atan2", math::atan2(x, y), a.atan2(b)),
            ("hypot", math::hypot(x, y), a.hypot(b)),
            ("maximum", math::maximum(x, y), if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }),
            ("minimum", math::minimum(x, y), if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }),
            (
                "logaddexp",
                math::logaddexp(x, y),
                if a == b { a + 2f64.ln() } else { a.max(b) + (-(a - b).abs()).exp().ln_1p() + (a - a) * 0.0 },
            ),
        ] {
            let expected = if name == "logaddexp" && (a.is_nan() || b.is_nan()) { f64::NAN } else { expected };
            let expected = if name == "logaddexp" && (a - b).is_infinite() { a.max(b) } else { expected };
            let units = units32(got, expected);
            assert!(
                units <= 0.501 || (expected as f32) == got,
                "{name}({x:e}, {y:e}) = {got:e}, expected {expected:e}, {units} units"
            );
            let zero = expected as f32 == 0.0 && matches!(name, "pow" | "atan2" | "hypot");
            assert!(!zero || got.is_sign_negative() == expected.is_sign_negative(), "{name}({x:e}, {y:e}) = {got:e}");
        }
    }
    use super::plain::f64::{maximum, minimum};
    assert!(maximum(0.0, -0.0).is_sign_positive() && maximum(-0.0, 0.0).is_sign_positive());
    assert!(minimum(0.0, -0.0).is_sign_negative() && minimum(-0.0, 0.0).is_sign_negative());
    assert!(maximum(1.0, f64::NAN).is_nan() && maximum(f64::NAN, 1.0).is_nan() && minimum(1.0, f64::NAN).is_nan());
}

macro_rules! doubles {
    ($($name:ident: $reference:expr, $bound:expr;)*) => {
        mod double {
            use super::leveled;
            $(leveled! {
                pub fn $name(x: &[f64], y: &mut [f64]) {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = math::f64::$name(x);
                    }
                }
            })*
        }
        type Loop = fn(&[f64], &mut [f64]);
        const DOUBLES: &[(&str, Loop, fn(f64) -> f64, f64)] = &[$((stringify!($name), double::$name, $reference, $bound)),*];
    };
}

doubles! {
    exp: f64::exp, 1.5;
    expm1: f64::exp_m1, 2.0;
    log: f64::ln, 1.5;
    log1p: f64::ln_1p, 2.0;
    tanh: f64::tanh, 4.0;
    sigmoid: |x| if x > 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }, 4.0;
    asinh: |x| if x.abs() > 1e300 { (x.abs().ln() + std::f64::consts::LN_2).copysign(x) } else { x.asinh() }, 4.0;
    atanh: |x| x.abs().atanh().copysign(x), 4.0; // the library loses digits for negative x
}

/// The reference is the platform's library, itself wrong by up to a unit.
#[test]
fn double_functions_sampled() {
    let mut x = vec![
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        5e-324,
        1e-310,
        -1e-310,
        1.0,
        -1.0,
        709.78,
        -745.13,
        -746.0,
        710.0,
    ];
    for i in 0..40_000u64 {
        let bits = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x.push(f64::from_bits(bits)); // every exponent
        x.push((bits >> 11) as f64 / 2f64.powi(53) * 60.0 - 30.0);
        x.push((bits >> 11) as f64 / 2f64.powi(52) - 1.0);
    }
    let mut y = vec![0.0; x.len()];
    for &level in Level::ALL.iter().filter(|level| level.supported()) {
        for (name, run, reference, bound) in DOUBLES {
            at_level(level, || run(&x, &mut y));
            let mut worst = (0.0, 0.0);
            for (&x, &y) in x.iter().zip(&y) {
                let error = units(y, reference(x), 53, -1022);
                worst = if error > worst.0 { (error, x) } else { worst };
                assert!(x != 0.0 || y != 0.0 || x.is_sign_negative() == y.is_sign_negative(), "{name}({x})");
            }
            println!("{name:9} {:9} {:.3} units at {:e}", level.name(), worst.0, worst.1);
            assert!(worst.0 <= *bound, "{name} at {}: {} units at {:e}", level.name(), worst.0, worst.1);
        }
    }
}

/// Values to 20 digits by mpmath.
#[test]
fn erf_of_doubles() {
    for (x, expected) in [
        (1e-300, 1.128_379_167_095_512_6e-300),
        (0.1, 0.112_462_916_018_284_9),
        (0.5, 0.520_499_877_813_046_5),
        (0.99, 0.838_508_069_555_369_8),
        (1.01, 0.846_810_496_228_276_7),
        (2.0, 0.995_322_265_018_952_7),
        (3.5, 0.999_999_256_901_627_7),
        (5.5, 0.999_999_999_999_992_6),
        (40.0, 1.0),
    ] {
        for y in [super::fma::f64::erf(x), super::plain::f64::erf(x), -super::plain::f64::erf(-x)] {
            assert!(units(y, expected, 53, -1022) <= 1.0, "erf({x}) = {y}, expected {expected}");
        }
    }
    assert!(super::fma::f64::erf(f64::NAN).is_nan());
}
