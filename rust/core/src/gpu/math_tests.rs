//! Every function of `math.wgsl` against f64, over ordinary, extreme and special arguments.

use super::tests::gpu_or_skip;
use super::*;

const UNARY: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
// begin formula
// end formula
@compute @workgroup_size(64)
fn evaluate(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) { y[id.x] = formula(id.x); }
}
";

fn evaluate(gpu: &'static Context, formula: &str, variant: u64, x: &[f32]) -> Vec<f32> {
    let (input, output) = (upload(0, bytemuck::cast_slice(x)).unwrap(), alloc(0, 4 * x.len()).unwrap());
    let body = format!("fn formula(i: u32) -> f32 {{ let x = x[i]; return {formula}; }}");
    Launch::on(gpu, "test_math")
        .variant(variant)
        .writes(&output, Element::F32)
        .reads(&input, Element::F32)
        .run(x.len().div_ceil(64), || Source::new(UNARY).section("formula", &body).library(MATH))
        .unwrap();
    let mut y = vec![0f32; x.len()];
    download(&output, 0, bytemuck::cast_slice_mut(&mut y)).unwrap();
    y
}

/// Distance in units in the last place of the wanted value; subnormal results may be flushed.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got.is_nan() || rounded.is_nan() {
        return if got.is_nan() && rounded.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got == rounded || (rounded.abs() <= f32::MIN_POSITIVE && got.abs() <= f32::MIN_POSITIVE) {
        return 0.0;
    }
    let unit =
        f32::from_bits(rounded.abs().max(f32::MIN_POSITIVE).to_bits() + 1) - rounded.abs().max(f32::MIN_POSITIVE);
    if !got.is_finite() || !rounded.is_finite() {
        return f64::INFINITY;
    }
    ((got as f64 - want) / unit as f64).abs()
}

fn arguments() -> Vec<f32> {
    let special = [
        0.0,
        1.0,
        0.5,
        2.0,
        3.0,
        10.0,
        88.7,
        88.8,
        89.5,
        103.9,
        150.0,
        1e4,
        1e9,
        1e30,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
        f32::MIN_POSITIVE,
        1e-40,
        1e-30,
        1e-6,
        0.3399,
        0.34,
        0.4,
        0.625,
        0.92773,
        0.99999994,
        1.0000001,
        1.5707963,
        3.1415927,
        1e3,
        99999.0,
    ];
    let ordinary = (0..2000).map(|i| (i as f32 + 0.37) * 0.011);
    let wide = (0..600).map(|i| f32::from_bits(0x0200_0000 + i * 3_500_003));
    let all: Vec<f32> = special.into_iter().chain(ordinary).chain(wide).collect();
    all.iter().copied().chain(all.iter().map(|x| -x)).collect()
}

#[test]
fn test_math_against_f64() {
    let Some(gpu) = gpu_or_skip("test_math_against_f64") else { return };
    let x = arguments();
    type Reference = fn(f64) -> f64;
    let table: [(&str, Reference, f64); 31] = [
        (
            "sign(x)",
            |x| {
                if x.is_nan() {
                    x
                } else if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            },
            0.0,
        ),
        ("rsqrt(x)", |x| 1.0 / x.sqrt(), 4.0),
        ("exp(x)", f64::exp, 2.0),
        ("exp2(x)", f64::exp2, 2.0),
        ("expm1(x)", f64::exp_m1, 4.0),
        ("log(x)", f64::ln, 2.0),
        ("log2(x)", f64::log2, 2.0),
        ("log10(x)", f64::log10, 3.0),
        ("log1p(x)", f64::ln_1p, 3.0),
        ("tanh(x)", f64::tanh, 3.0),
        ("sinh(x)", f64::sinh, 4.0),
        ("cosh(x)", f64::cosh, 4.0),
        ("asinh(x)", f64::asinh, 5.0),
        ("acosh(x)", |x| if x < 1.0 { f64::NAN } else { x.acosh() }, 5.0),
        ("atanh(x)", f64::atanh, 5.0),
        ("asin(x)", f64::asin, 4.0),
        ("acos(x)", f64::acos, 4.0),
        ("atan(x)", f64::atan, 3.0),
        ("sin(x)", f64::sin, 3.0),
        ("cos(x)", f64::cos, 3.0),
        ("tan(x)", f64::tan, 5.0),
        ("sigmoid(x)", |x| 1.0 / (1.0 + (-x).exp()), 4.0),
        ("maximum(x, 1.5)", |x| if x.is_nan() { x } else { x.max(1.5) }, 0.0),
        ("minimum(1.5, x)", |x| if x.is_nan() { x } else { x.min(1.5) }, 0.0),
        ("hypot(x, -3.0)", |x| x.hypot(3.0), 4.0),
        ("copysign(2.0, x)", |x| 2f64.copysign(x), 0.0),
        ("if_gt(x, 1.0, 5.0, 6.0)", |x| if x > 1.0 { 5.0 } else { 6.0 }, 0.0),
        ("if_le(x, 1.0, 5.0, 6.0)", |x| if x <= 1.0 { 5.0 } else { 6.0 }, 0.0),
        ("if_eq(x, x, 5.0, 6.0)", |x| if x.is_nan() { 6.0 } else { 5.0 }, 0.0),
        ("logaddexp(x, 1.0)", |x| if x.is_nan() { x } else { x.max(1.0) + (-(x - 1.0).abs()).exp().ln_1p() }, 4.0),
        ("atan2(x, -2.0)", |x| x.atan2(-2.0), 4.0),
    ];
    let mut wrong = Vec::new();
    for (variant, (formula, reference, bound)) in (0..).zip(table) {
        let got = evaluate(gpu, formula, variant, &x);
        let error = |&i: &usize| ulps(got[i], reference(x[i] as f64));
        let worst = (0..x.len()).max_by(|i, j| error(i).total_cmp(&error(j))).unwrap();
        let line = format!("{formula}: {:.2} ulp at {:e} ({:e})", error(&worst), x[worst], got[worst]);
        println!("{line}");
        if error(&worst) > bound {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn test_math_pow() {
    let Some(gpu) = gpu_or_skip("test_math_pow") else { return };
    let x = arguments();
    for (variant, y) in (1000..).zip([
        -1.5f32,
        -1.0,
        0.0,
        0.5,
        1.0,
        2.0,
        3.0,
        17.3,
        -126.0,
        1e-3,
        1e30,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ]) {
        let literal = format!("pow(x, from_bits({}u))", y.to_bits());
        let got = evaluate(gpu, &literal, variant, &x);
        for (&x, got) in x.iter().zip(got) {
            let error = ulps(got, (x as f64).powf(y as f64));
            assert!(error <= 4.0, "pow({x:e}, {y}) = {got:e}: {error} ulp");
        }
    }
}
