// The vocabulary of formulas, as on the CPU: NaN propagates, results stay within a few units in the last place.
// Functions that share a name with a built-in shadow it, because drivers may be coarse or drop NaN there.

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

// Through a variable: WGSL rejects non-finite constants.
fn from_bits(bits: u32) -> f32 { var opaque = bits; return bitcast<f32>(opaque); }
fn infinity() -> f32 { return from_bits(0x7f800000u); }
fn not_a_number() -> f32 { return from_bits(0x7fc00000u); }

fn is_zero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0u; }
fn is_inf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u; }
fn is_negative(x: f32) -> bool { return (bitcast<u32>(x) >> 31u) == 1u; }

fn copysign(x: f32, sign_of: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(sign_of) & 0x80000000u));
}

fn sign(x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    return select(0.0, 1.0, x > 0.0) - select(0.0, 1.0, x < 0.0);
}

fn maximum(a: f32, b: f32) -> f32 {
    if (is_nan(a)) { return a; }
    if (is_nan(b)) { return b; }
    return select(b, a, a > b);
}

fn minimum(a: f32, b: f32) -> f32 {
    if (is_nan(a)) { return a; }
    if (is_nan(b)) { return b; }
    return select(b, a, a < b);
}

fn if_gt(x: f32, y: f32, a: f32, b: f32) -> f32 { return select(b, a, x > y); }
fn if_ge(x: f32, y: f32, a: f32, b: f32) -> f32 { return select(b, a, x >= y); }
fn if_lt(x: f32, y: f32, a: f32, b: f32) -> f32 { return select(b, a, x < y); }
fn if_le(x: f32, y: f32, a: f32, b: f32) -> f32 { return select(b, a, x <= y); }
fn if_eq(x: f32, y: f32, a: f32, b: f32) -> f32 { return select(b, a, x == y); }

fn divide(a: f32, b: f32) -> f32 { return a / b; }
fn conj(x: f32) -> f32 { return x; }
fn real(x: f32) -> f32 { return x; }
fn imag(x: f32) -> f32 { return 0.0; }

fn rsqrt(x: f32) -> f32 { return 1.0 / sqrt(x); }

fn hypot(x: f32, y: f32) -> f32 {
    let large = max(abs(x), abs(y));
    let small = min(abs(x), abs(y));
    if (is_inf(x) || is_inf(y)) { return infinity(); }
    if (is_nan(x) || is_nan(y)) { return not_a_number(); }
    if (is_zero(large)) { return large; }
    let ratio = small / large;
    return large * sqrt(1.0 + ratio * ratio);
}

// a * b where the product has few bits; the mask keeps compilers from factoring sums of such products.
fn exact_product(a: f32, b: f32) -> f32 { return bitcast<f32>(bitcast<u32>(a * b) & 0xfffffffcu); }

// x * 2^n in two steps, so that results near both ends of the range survive.
fn scale(x: f32, n: i32) -> f32 {
    let half = n / 2;
    return x * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(n - half + 127) << 23u);
}

// A polynomial of z, highest power first.
fn cubic(z: f32, c: vec4<f32>) -> f32 { return fma(fma(fma(c.x, z, c.y), z, c.z), z, c.w); }

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2 (Cephes).
fn exp_tail(r: f32) -> f32 {
    let p = fma(cubic(r, vec4(1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2)), r, 1.6666665459e-1);
    return fma(p, r, 5.0000001201e-1);
}

fn exp(x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    let bounded = clamp(x, -104.0, 89.0);
    let n = round(bounded * 1.4426950408889634);
    let r = fma(n, 2.12194440e-4, bounded - exact_product(n, 0.693359375));
    return scale(1.0 + fma(r * r, exp_tail(r), r), i32(n));
}

fn exp2(x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    let bounded = clamp(x, -150.0, 129.0);
    let n = round(bounded);
    let r = (bounded - n) * 0.6931471805599453;
    return scale(1.0 + fma(r * r, exp_tail(r), r), i32(n));
}

fn expm1(x: f32) -> f32 {
    if (abs(x) < 0.34) { return fma(x * x, exp_tail(x), x); }
    return exp(x) - 1.0;
}

// A positive finite number as m * 2^e with m in [sqrt(1/2), sqrt(2)): (m - 1, e). Subnormals are read as integers.
fn split(x: f32) -> vec2<f32> {
    var bits = bitcast<u32>(x);
    var e = 0;
    if (bits < 0x00800000u) {
        bits = bitcast<u32>(f32(bits));
        e = -149;
    }
    let shifted = bits - 0x3f3504f3u;
    e += bitcast<i32>(shifted) >> 23u;
    return vec2(bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0, f32(e));
}

// log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1] (Cephes).
fn log_tail(f: f32) -> f32 {
    let leading = cubic(f, vec4(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1));
    let middle = fma(fma(leading, f, 1.4249322787e-1), f, -1.6668057665e-1);
    let p = fma(fma(fma(middle, f, 2.0000714765e-1), f, -2.4999993993e-1), f, 3.3333331174e-1);
    return fma(p * f * f, f, -0.5 * f * f);
}

// What every logarithm gives outside of the positive finite numbers; 0 inside.
fn log_special(x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    if (is_zero(x)) { return -infinity(); }
    if (is_negative(x)) { return not_a_number(); }
    return select(0.0, infinity(), is_inf(x));
}

fn log(x: f32) -> f32 {
    let special = log_special(x);
    if (!is_zero(special)) { return special; }
    let s = split(x);
    return fma(s.y, 0.693359375, fma(s.y, -2.12194440e-4, log_tail(s.x)) + s.x);
}

fn log2(x: f32) -> f32 {
    let special = log_special(x);
    if (!is_zero(special)) { return special; }
    let s = split(x);
    // log2(e) = 1 + 0.44269504...: the exact part keeps the last bits.
    let tail = log_tail(s.x);
    return s.y + (s.x + (tail + (s.x + tail) * 0.44269504088896340736));
}

fn log10(x: f32) -> f32 {
    let special = log_special(x);
    if (!is_zero(special)) { return special; }
    let s = split(x);
    let tail = log_tail(s.x);
    return fma(s.y, 0.30102539062, fma(s.y, 4.6050389811952e-6, (s.x + tail) * 0.43429448190325182765));
}

// Away from zero the rounding of 1 + x does not show; near it 2 atanh(x / (2 + x)).
fn log1p(x: f32) -> f32 {
    if (abs(x) >= 0.4) { return log(1.0 + x); }
    let s = x / (2.0 + x);
    let z = s * s;
    let p = fma(cubic(z, vec4(1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0)), z, 1.0 / 3.0);
    // With 2 s = x - x s keeps the leading term exact.
    return select(x - s * (x - 2.0 * z * p), x, is_zero(x) || is_nan(x));
}

fn high_half(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }

// log2 of a positive finite number as a sum of two parts (FreeBSD's e_powf.c).
fn log2_parts(magnitude: f32) -> vec2<f32> {
    var bits = bitcast<u32>(magnitude);
    var e = -127;
    if (bits < 0x00800000u) {
        bits = bitcast<u32>(f32(bits));
        e = -276;
    }
    e += i32(bits >> 23u);
    let fraction = bits & 0x007fffffu;
    bits = fraction | 0x3f800000u;
    var upper = 0u;
    if (fraction > 0x1cc471u) {
        if (fraction < 0x5db3d7u) {
            upper = 1u;
        } else {
            e += 1;
            bits -= 0x00800000u;
        }
    }
    let base = select(1.0, 1.5, upper == 1u);
    let a = bitcast<f32>(bits);
    let u = a - base;
    let v = 1.0 / (a + base);
    let s = u * v;
    let s_high = high_half(s);
    let t_high = bitcast<f32>((((bits >> 1u) & 0xfffff000u) | 0x20000000u) + 0x00400000u + (upper << 21u));
    let t_low = a - (t_high - base);
    let s_low = v * ((u - s_high * t_high) - s_high * t_low);
    let s2 = s * s;
    let leading = cubic(s2, vec4(2.0697501302e-1, 2.3066075146e-1, 2.7272811532e-1, 3.3333334327e-1));
    var r = fma(fma(leading, s2, 4.2857143283e-1), s2, 6.0000002384e-1);
    r = s2 * s2 * r + s_low * (s_high + s);
    let square = s_high * s_high;
    let q_high = high_half(3.0 + square + r);
    let q_low = r - ((q_high - 3.0) - square);
    let w = s_high * q_high;
    let x = s_low * q_high + q_low * s;
    let p_high = high_half(w + x);
    let p_low = x - (p_high - w);
    let z_high = 9.6191406250e-1 * p_high;
    let z_low = -1.1736857402e-4 * p_high + p_low * 9.6179670095e-1 + select(0.0, 1.56322085e-6, upper == 1u);
    let shift = select(0.0, 5.84960938e-1, upper == 1u);
    let n = f32(e);
    let high = high_half(((z_high + z_low) + shift) + n);
    return vec2(high, z_low - (((high - n) - shift) - z_high));
}

fn is_odd(y: f32) -> bool {
    return abs(y) < 16777216.0 && (i32(y) & 1) == 1 && trunc(y) == y;
}

// C's pow: every special case of IEEE 754.
fn pow(x: f32, y: f32) -> f32 {
    if (is_zero(y) || x == 1.0) { return 1.0; }
    if (is_nan(x)) { return x; }
    if (is_nan(y)) { return y; }
    let negative = is_negative(x);
    let flip = select(1.0, -1.0, negative && is_odd(y));
    let magnitude = abs(x);
    if (is_inf(y)) {
        if (magnitude == 1.0) { return 1.0; }
        return select(0.0, infinity(), (magnitude > 1.0) == (y > 0.0));
    }
    if (is_zero(x) || is_inf(x)) {
        return flip * select(0.0, infinity(), is_zero(x) == (y < 0.0));
    }
    if (negative && trunc(y) != y) { return not_a_number(); }
    let parts = log2_parts(magnitude);
    let y_high = high_half(y);
    let low = (y - y_high) * parts.x + y * parts.y;
    let high = y_high * parts.x;
    let total = high + low;
    if (total >= 128.5) { return flip * infinity(); }
    if (total < -150.5) { return flip * 0.0; }
    let n = round(total);
    let r = ((high - n) + low) * 0.6931471805599453;
    return flip * scale(1.0 + fma(r * r, exp_tail(r), r), i32(n));
}

fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

fn logaddexp(a: f32, b: f32) -> f32 {
    let large = maximum(a, b);
    // Equal operands, both infinite ones among them, have no usable difference.
    if (a == b) { return a + 0.6931471805599453; }
    return large + log1p(exp(-abs(a - b)));
}

fn tanh(x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    let a = abs(x);
    if (a < 0.625) {
        let z = x * x;
        let leading = cubic(z, vec4(-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1));
        let p = fma(leading, z, -3.33332819422e-1);
        return fma(p * z, x, x);
    }
    return copysign(1.0 - 2.0 / (exp(2.0 * min(a, 20.0)) + 1.0), x);
}

fn sinh(x: f32) -> f32 {
    let a = abs(x);
    if (a < 1.0) {
        let z = x * x;
        let p = fma(fma(2.03721912945e-4, z, 8.33028376239e-3), z, 1.66667160211e-1);
        return fma(p * z, x, x);
    }
    let root = exp(0.5 * a);
    return copysign((0.5 * root) * root - 0.5 * exp(-a), x);
}

fn cosh(x: f32) -> f32 {
    let root = exp(0.5 * abs(x));
    return (0.5 * root) * root + 0.5 * exp(-abs(x));
}

fn asinh(x: f32) -> f32 {
    let a = abs(x);
    if (is_nan(x) || is_inf(x)) { return x; }
    if (a > 1e9) { return copysign(log(a) + 0.6931471805599453, x); }
    return copysign(log1p(a + a * a / (1.0 + sqrt(a * a + 1.0))), x);
}

fn acosh(x: f32) -> f32 {
    if (x < 1.0) { return not_a_number(); }
    if (x > 1e9) { return log(x) + 0.6931471805599453; }
    let t = x - 1.0;
    return log1p(t + sqrt(2.0 * t + t * t));
}

fn atanh(x: f32) -> f32 {
    let a = abs(x);
    if (a > 1.0) { return not_a_number(); }
    if (a < 0.25) { return 0.5 * (log1p(x) - log1p(-x)); }
    return copysign(0.5 * log1p(2.0 * a / (1.0 - a)), x);
}

// asin for |x| <= 1/2 (Cephes).
fn asin_small(x: f32) -> f32 {
    let z = x * x;
    let p = fma(cubic(z, vec4(4.2163199048e-2, 2.4181311049e-2, 4.5470025998e-2, 7.4953002686e-2)), z, 1.6666752422e-1);
    return fma(p * z, x, x);
}

fn asin(x: f32) -> f32 {
    let a = abs(x);
    if (is_nan(x) || a > 1.0) { return not_a_number(); }
    if (a <= 0.5) { return asin_small(x); }
    return copysign(1.57079632679489662 - 2.0 * asin_small(sqrt(0.5 * (1.0 - a))), x);
}

fn acos(x: f32) -> f32 {
    let a = abs(x);
    if (is_nan(x) || a > 1.0) { return not_a_number(); }
    if (a <= 0.5) { return 1.57079632679489662 - asin_small(x); }
    let half = 2.0 * asin_small(sqrt(0.5 * (1.0 - a)));
    return select(half, 3.14159265358979324 - half, x < 0.0);
}

fn atan(x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    var a = abs(x);
    var base = 0.0;
    if (a > 2.414213562373095) {
        base = 1.57079632679489662;
        a = select(-1.0 / a, 0.0, is_inf(x));
    } else if (a > 0.4142135623730950) {
        base = 0.785398163397448310;
        a = (a - 1.0) / (a + 1.0);
    }
    let z = a * a;
    let p = cubic(z, vec4(8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1));
    return copysign(base + fma(p * z, a, a), x);
}

fn atan2(y: f32, x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    if (is_nan(y)) { return y; }
    let behind = is_negative(x);
    var angle: f32;
    if (is_zero(y)) {
        angle = 0.0;
    } else if (is_inf(y)) {
        angle = select(1.57079632679489662, 0.785398163397448310, is_inf(x));
    } else if (is_inf(x)) {
        angle = 0.0;
    } else if (is_zero(x)) {
        angle = 1.57079632679489662;
    } else {
        angle = atan(abs(y) / abs(x));
    }
    return copysign(select(angle, 3.14159265358979324 - angle, behind), y);
}

// After N. Juffa: below one unit in the last place.
fn erf(x: f32) -> f32 {
    let a = abs(x);
    let z = x * x;
    if (a > 0.927734375) {
        var r = fma(-1.72853470e-5, a, 3.83197126e-4);
        r = fma(r, z, fma(-3.88396438e-3, a, 2.42546219e-2));
        r = fma(r, a, -1.06777877e-1);
        r = fma(r, a, -6.34846687e-1);
        r = fma(r, a, -1.28717512e-1);
        r = fma(r, a, -a);
        return copysign(1.0 - select(exp(r), 0.0, a > 4.0), x);
    }
    let leading = cubic(z, vec4(-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1));
    let p = fma(fma(leading, z, -3.76125336e-1), z, 1.28379166e-1);
    return fma(p, x, x);
}

// |x| = mantissa * 2^exponent for a finite number, subnormal or not.
fn integer_parts(x: f32) -> vec2<u32> {
    let bits = bitcast<u32>(x) & 0x7fffffffu;
    let exponent = bits >> 23u;
    return vec2(select(bits, (bits & 0x007fffffu) | 0x00800000u, exponent > 0u), max(exponent, 1u));
}

// C's fmod, exact: long division of the mantissas, eight bits at a time. The built-in % divides and rounds.
fn fmod(a: f32, b: f32) -> f32 {
    if (!is_finite(a) || is_nan(b) || is_zero(b)) { return not_a_number(); }
    if (is_inf(b) || abs(a) < abs(b)) { return a; }
    let divisor = integer_parts(b);
    var rest = integer_parts(a);
    while (rest.y > divisor.y) {
        let step = min(rest.y - divisor.y, 8u);
        rest = vec2((rest.x % divisor.x) << step, rest.y - step);
    }
    return copysign(scale(scale(f32(rest.x % divisor.x), -75), i32(divisor.y) - 75), a);
}

// Python's //, computed as NumPy does so that it agrees with remainder; the quotient itself at infinities and zero.
fn floor_divide(a: f32, b: f32) -> f32 {
    if (is_zero(b) || is_inf(b) || !is_finite(a)) { return a / b; }
    let rest = fmod(a, b);
    let quotient = (a - rest) / b - select(0.0, 1.0, rest != 0.0 && (rest < 0.0) != (b < 0.0));
    if (quotient == 0.0) { return copysign(0.0, a / b); }
    return floor(quotient) + select(0.0, 1.0, quotient - floor(quotient) > 0.5);
}

// Python's %: the sign of the divisor.
fn remainder(a: f32, b: f32) -> f32 {
    let rest = fmod(a, b);
    if (rest == 0.0) { return copysign(rest, b); }
    return rest + select(0.0, b, (rest < 0.0) != (b < 0.0));
}

fn nextafter(a: f32, b: f32) -> f32 {
    if (is_nan(a) || is_nan(b)) { return not_a_number(); }
    if (a == b) { return b; }
    if (is_zero(a)) { return copysign(from_bits(1u), b); }
    return bitcast<f32>(select(bitcast<u32>(a) - 1u, bitcast<u32>(a) + 1u, (a < b) == (a > 0.0)));
}

// Fractions dropped, ends saturating, NaN zero.
fn to_i32(x: f32) -> i32 {
    if (is_nan(x)) { return 0; }
    if (x >= 2147483648.0) { return 2147483647; }
    return select(i32(x), -2147483647 - 1, x <= -2147483648.0);
}

fn to_u32(x: f32) -> u32 {
    if (!(x > 0.0)) { return 0u; }
    if (x >= 4294967296.0) { return 4294967295u; }
    return u32(x);
}
