use super::*;

/// The special cases of the array API 2025.12 standard (C99 Annex G): argument and result for a positive imaginary part.
/// `f` stands for several positive finite numbers, `~` for "sign not specified", `cis` for r (cos b + i sin b).
const SPECIAL: &str = "
    exp: 0 0 1 0, -0 0 1 0, f inf nan nan, f nan nan nan, inf 0 inf 0, -inf f 0cis, inf f infcis, -inf inf ~0 ~0,
         inf inf ~inf nan, -inf nan ~0 ~0, inf nan ~inf nan, nan 0 nan 0, nan f nan nan, nan inf nan nan, nan nan nan nan
    expm1: 0 0 0 0, -0 0 0 0, f inf nan nan, f nan nan nan, inf 0 inf 0, -inf f 0cis-1, inf f infcis, -inf inf -1 ~0,
         inf inf ~inf nan, -inf nan -1 ~0, inf nan ~inf nan, nan 0 nan 0, nan f nan nan, nan nan nan nan
    log: -0 0 -inf pi, 0 0 -inf 0, f inf inf pi/2, f nan nan nan, -inf f inf pi, inf f inf 0, -inf inf inf 3pi/4,
         inf inf inf pi/4, inf nan inf nan, -inf nan inf nan, nan f nan nan, nan inf inf nan, nan nan nan nan
    log1p: -1 0 -inf 0, f inf inf pi/2, f nan nan nan, -inf f inf pi, inf f inf 0, -inf inf inf 3pi/4, inf inf inf pi/4,
         inf nan inf nan, -inf nan inf nan, nan f nan nan, nan inf inf nan, nan nan nan nan
    sqrt: 0 0 0 0, -0 0 0 0, f inf inf inf, nan inf inf inf, f nan nan nan, -inf f 0 inf, inf f inf 0, -inf nan nan ~inf,
         inf nan inf nan, nan f nan nan, nan 0 nan nan, nan nan nan nan
    sinh: 0 0 0 0, 0 inf ~0 nan, 0 nan ~0 nan, f inf nan nan, f nan nan nan, inf 0 inf 0, inf f infcis, inf inf ~inf nan,
         inf nan ~inf nan, nan 0 nan 0, nan f nan nan, nan nan nan nan
    cosh: 0 0 1 0, 0 inf nan ~0, 0 nan nan ~0, f inf nan nan, f nan nan nan, inf 0 inf 0, inf f infcis, inf inf inf nan,
         inf nan inf nan, nan 0 nan ~0, nan f nan nan, nan nan nan nan
    tanh: 0 0 0 0, f inf nan nan, 0 inf 0 nan, f nan nan nan, 0 nan 0 nan, inf inf 1 ~0, inf nan 1 ~0, nan 0 nan 0,
         nan f nan nan, nan nan nan nan
    acos: 0 0 pi/2 -0, -0 0 pi/2 -0, 0 nan pi/2 nan, f inf pi/2 -inf, f nan nan nan, -inf f pi -inf, inf f 0 -inf,
         -inf inf 3pi/4 -inf, inf inf pi/4 -inf, inf nan nan ~inf, nan f nan nan, nan inf nan -inf, nan nan nan nan
    acosh: 0 0 0 pi/2, -0 0 0 pi/2, f inf inf pi/2, 0 nan nan ~pi/2, f nan nan nan, -inf f inf pi, inf f inf 0,
         -inf inf inf 3pi/4, inf inf inf pi/4, inf nan inf nan, nan f nan nan, nan inf inf nan, nan nan nan nan
    asinh: 0 0 0 0, f inf inf pi/2, f nan nan nan, inf f inf 0, inf inf inf pi/4, inf nan inf nan, nan 0 nan 0,
         nan f nan nan, nan inf ~inf nan, nan nan nan nan
    atanh: 0 0 0 0, 0 nan 0 nan, 1 0 inf 0, f inf 0 pi/2, f nan nan nan, inf f 0 pi/2, inf inf 0 pi/2, inf nan 0 nan,
         nan f nan nan, nan inf ~0 pi/2, nan nan nan nan
";

type Function = fn(Complex64) -> Complex64;
type FunctionF32 = fn(Complex<f32>) -> Complex<f32>;

fn function(name: &str) -> (Function, FunctionF32) {
    macro_rules! find {
        ($($function:ident)*) => {
            match name { $(stringify!($function) => ($function::<f64>, $function::<f32>),)* _ => panic!("{name}") }
        };
    }
    find!(exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh sign)
}

fn number(text: &str) -> f64 {
    use std::f64::consts::PI;
    match text {
        "pi" => PI,
        "pi/2" => PI / 2.0,
        "pi/4" => PI / 4.0,
        "3pi/4" => 3.0 * PI / 4.0,
        _ => text.parse().unwrap(),
    }
}

/// Whether `x` is the number the table asks for, sign of zero included.
fn fits(x: f64, text: &str, tolerance: f64) -> bool {
    let (x, text) = text.strip_prefix('~').map_or((x, text), |text| (x.abs(), text));
    let wanted = number(text);
    (x.is_nan() && wanted.is_nan())
        || (x.is_sign_negative() == wanted.is_sign_negative()
            && (x == wanted || (x - wanted).abs() <= tolerance * wanted.abs()))
}

#[test]
fn special_values_are_the_standards() {
    let mut name = "";
    let mut cases = 0;
    for entry in SPECIAL.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty()) {
        let entry = entry.split_once(": ").map_or(entry, |(function, rest)| {
            name = function;
            rest
        });
        let words: Vec<&str> = entry.split_whitespace().collect();
        let values = |word: &str| if word == "f" { vec![0.25, 1.5, 3.0, 1e30] } else { vec![number(word)] };
        let (double, single) = function(name);
        for re in values(words[0]) {
            for im in values(words[1]) {
                for (mirrored, sign) in [(false, 1.0), (true, -1.0)] {
                    let z = Complex64::new(re, sign * im);
                    let wide = double(z);
                    let narrow = single(Complex::new(z.re as f32, z.im as f32));
                    for (y, tolerance) in [(wide, 1e-15), (Complex64::new(narrow.re as f64, narrow.im as f64), 1e-7)] {
                        let y = if mirrored { y.conj() } else { y };
                        let ok = match words[2] {
                            "0cis" => {
                                y.re == 0.0
                                    && y.im == 0.0
                                    && y.re.is_sign_negative() == (im.cos() < 0.0)
                                    && y.im.is_sign_negative() == (im.sin() < 0.0)
                            }
                            "0cis-1" => y.re == -1.0 && y.im == 0.0 && y.im.is_sign_negative() == (im.sin() < 0.0),
                            "infcis" => y.re == f64::INFINITY * im.cos() && y.im == f64::INFINITY * im.sin(),
                            _ => fits(y.re, words[2], tolerance) && fits(y.im, words[3], tolerance),
                        };
                        // 1e30 is another number in f32, so its cosine has another sign.
                        let other = im == 1e30 && words[2].contains("cis") && tolerance > 1e-10;
                        assert!(ok || other, "{name}({z}) = {y}, expected {}", words[2..].join(" "));
                        cases += 1;
                    }
                }
            }
        }
    }
    assert!(cases > 1000, "only {cases} cases ran");
}

/// Points all over the plane, small, large and near the unit circle.
fn points() -> Vec<Complex64> {
    let sizes = [1e-200, 1e-9, 1e-3, 0.3, 0.999999, 1.0, 1.000001, 1.7, 6.0];
    let mut points = Vec::new();
    for size in sizes {
        for angle in 0..48 {
            points.push(Complex64::from_polar(size, angle as f64 * 0.1309 + 0.01));
        }
    }
    points
}

fn close(x: Complex64, y: Complex64, what: &str, tolerance: f64) {
    let error = (x - y).norm() / y.norm().max(f64::MIN_POSITIVE);
    assert!(error <= tolerance, "{what}: {x} is not {y}, error {error:e}");
}

#[test]
fn functions_keep_their_identities() {
    let one = Complex64::new(1.0, 0.0);
    for z in points() {
        close(exp(log(z)), z, "exp log", 1e-13);
        close(expm1(log1p(z)), z, "expm1 log1p", 4e-15 * (1.0 + 1.0 / (z + one).norm()));
        close(sqrt(z) * sqrt(z), z, "sqrt", 1e-15);
        close(sin(asin(z)), z, "sin asin", 1e-14);
        close(tan(atan(z)), z, "tan atan", 1e-13 * (1.0 + 1.0 / (z * z + one).norm()));
        close(sinh(asinh(z)), z, "sinh asinh", 1e-14);
        close(tanh(atanh(z)), z, "tanh atanh", 1e-13 * (1.0 + 1.0 / (z * z - one).norm()));
        close(cosh(acosh(z)), z, "cosh acosh", 1e-14 * (1.0 + 1.0 / z.norm()));
        close(cos(acos(z)), z, "cos acos", 1e-14 * (1.0 + 1.0 / z.norm()));
        close(div(z, tan(z)) * tan(z), z, "division", 1e-15);
        close(div(sin(z), cos(z)), tan(z), "tan", 2e-15);
        close(pow(z, Complex64::new(3.0, 0.0)), z * z * z, "cube", 1e-15);
        close(pow(z, Complex64::new(0.5, 0.0)), sqrt(z), "half power", 1e-14);
        close(sign(z) * abs(z), z, "sign", 1e-15);
        close(log2(z) * std::f64::consts::LN_2, log(z), "log2", 1e-15);
        close(log10(z) * std::f64::consts::LN_10, log(z), "log10", 1e-15);
    }
}

#[test]
fn nothing_overflows_before_the_result_does() {
    let big = Complex64::new(1.5e308, 1.5e308);
    close(log(big), Complex64::new(1.5e308f64.ln() + 0.5 * 2f64.ln(), std::f64::consts::FRAC_PI_4), "log", 1e-15);
    close(div(big, big), Complex64::new(1.0, 0.0), "quotient", 1e-15);
    close(sqrt(big) / 1e154, sqrt(Complex64::new(1.5, 1.5)), "sqrt", 1e-15);
    let tiny = Complex64::new(5e-324, 5e-324);
    close(div(tiny, tiny), Complex64::new(1.0, 0.0), "tiny quotient", 1e-15);
    let steep = exp(Complex64::new(710.0, std::f64::consts::FRAC_PI_2 - 1e-3));
    assert!(steep.re.is_finite() && steep.re > 1e305 && steep.im.is_infinite());
    assert!(sinh(Complex64::new(710.4, 1.0)).re.is_finite());
    assert!((log(Complex64::new(0.6, 0.8)).re).abs() < 1e-16);
}

#[test]
fn branch_cuts_follow_the_sign_of_zero() {
    for x in [1.5, 2.0, 1e10] {
        assert!(asin(Complex64::new(x, 0.0)).im > 0.0 && asin(Complex64::new(x, -0.0)).im < 0.0);
        assert!(acos(Complex64::new(x, 0.0)).im < 0.0 && acos(Complex64::new(x, -0.0)).im > 0.0);
        assert!(atan(Complex64::new(0.0, x)).re > 0.0 && atan(Complex64::new(-0.0, x)).re < 0.0);
        assert!(asinh(Complex64::new(0.0, x)).re > 0.0 && asinh(Complex64::new(-0.0, x)).re < 0.0);
        assert!(atanh(Complex64::new(x, 0.0)).im > 0.0 && atanh(Complex64::new(x, -0.0)).im < 0.0);
        assert!(log(Complex64::new(-x, 0.0)).im > 0.0 && log(Complex64::new(-x, -0.0)).im < 0.0);
        assert!(sqrt(Complex64::new(-x, 0.0)).im > 0.0 && sqrt(Complex64::new(-x, -0.0)).im < 0.0);
        assert!(acosh(Complex64::new(-x, 0.0)).im > 0.0 && acosh(Complex64::new(-x, -0.0)).im < 0.0);
    }
}
