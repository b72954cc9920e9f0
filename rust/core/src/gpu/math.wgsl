// The vocabulary of formulas, as on the CPU: NaN propagates, results stay within a few units in the last place.
// Functions that share a name with a built-in shadow it, because drivers may be coarse or drop NaN there.

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

// Through a variable: WGSL rejects non-finite constants.
fn from_bits(bits: u32) -> f32 { var opaque = bits; return bitcast<f32>(opaque); }
fn infinity() -> f32 { return from_bits(0x7f800000u); }
fn not_a_number() -> f32 { return from_bits(0x7fc00000u); }

fn is_zero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0u; }
fn is_infinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }

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

fn rsqrt(x: f32) -> f32 { return 1.0 / sqrt(x); }

fn hypot(x: f32, y: f32) -> f32 {
    let large = max(abs(x), abs(y));
    let small = min(abs(x), abs(y));
    if (is_infinite(x) || is_infinite(y)) { return infinity(); }
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

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2 (Cephes).
fn exp_tail(r: f32) -> f32 {
    var p = 1.9875691500e-4;
    p = fma(p, r, 1.3981999507e-3);
    p = fma(p, r, 8.3334519073e-3);
    p = fma(p, r, 4.1665795894e-2);
    p = fma(p, r, 1.6666665459e-1);
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
    var p = 7.0376836292e-2;
    p = fma(p, f, -1.1514610310e-1);
    p = fma(p, f, 1.1676998740e-1);
    p = fma(p, f, -1.2420140846e-1);
    p = fma(p, f, 1.4249322787e-1);
    p = fma(p, f, -1.6668057665e-1);
    p = fma(p, f, 2.0000714765e-1);
    p = fma(p, f, -2.4999993993e-1);
    p = fma(p, f, 3.3333331174e-1);
    return fma(p * f * f, f, -0.5 * f * f);
}

// What every logarithm gives outside of the positive finite numbers; 0 inside.
fn log_special(x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    if (is_zero(x)) { return -infinity(); }
    if ((bitcast<u32>(x) >> 31u) == 1u) { return not_a_number(); }
    return select(0.0, infinity(), is_infinite(x));
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
    var p = 1.0 / 11.0;
    p = fma(p, z, 1.0 / 9.0);
    p = fma(p, z, 1.0 / 7.0);
    p = fma(p, z, 1.0 / 5.0);
    p = fma(p, z, 1.0 / 3.0);
    // 2 s = x - x s keeps the leading term exact.
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
    var r = 2.0697501302e-1;
    r = fma(r, s2, 2.3066075146e-1);
    r = fma(r, s2, 2.7272811532e-1);
    r = fma(r, s2, 3.3333334327e-1);
    r = fma(r, s2, 4.2857143283e-1);
    r = fma(r, s2, 6.0000002384e-1);
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
    let negative = (bitcast<u32>(x) >> 31u) == 1u;
    let flip = select(1.0, -1.0, negative && is_odd(y));
    let magnitude = abs(x);
    if (is_infinite(y)) {
        if (magnitude == 1.0) { return 1.0; }
        return select(0.0, infinity(), (magnitude > 1.0) == (y > 0.0));
    }
    if (is_zero(x) || is_infinite(x)) {
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
        var p = -5.70498872745e-3;
        p = fma(p, z, 2.06390887954e-2);
        p = fma(p, z, -5.37397155531e-2);
        p = fma(p, z, 1.33314422036e-1);
        p = fma(p, z, -3.33332819422e-1);
        return fma(p * z, x, x);
    }
    return copysign(1.0 - 2.0 / (exp(2.0 * min(a, 20.0)) + 1.0), x);
}

fn sinh(x: f32) -> f32 {
    let a = abs(x);
    if (a < 1.0) {
        let z = x * x;
        var p = 2.03721912945e-4;
        p = fma(p, z, 8.33028376239e-3);
        p = fma(p, z, 1.66667160211e-1);
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
    if (is_nan(x) || is_infinite(x)) { return x; }
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
    var p = 4.2163199048e-2;
    p = fma(p, z, 2.4181311049e-2);
    p = fma(p, z, 4.5470025998e-2);
    p = fma(p, z, 7.4953002686e-2);
    p = fma(p, z, 1.6666752422e-1);
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
        a = select(-1.0 / a, 0.0, is_infinite(x));
    } else if (a > 0.4142135623730950) {
        base = 0.785398163397448310;
        a = (a - 1.0) / (a + 1.0);
    }
    let z = a * a;
    var p = 8.05374449538e-2;
    p = fma(p, z, -1.38776856032e-1);
    p = fma(p, z, 1.99777106478e-1);
    p = fma(p, z, -3.33329491539e-1);
    return copysign(base + fma(p * z, a, a), x);
}

fn atan2(y: f32, x: f32) -> f32 {
    if (is_nan(x)) { return x; }
    if (is_nan(y)) { return y; }
    let behind = (bitcast<u32>(x) >> 31u) == 1u;
    var angle: f32;
    if (is_zero(y)) {
        angle = 0.0;
    } else if (is_infinite(y)) {
        angle = select(1.57079632679489662, 0.785398163397448310, is_infinite(x));
    } else if (is_infinite(x)) {
        angle = 0.0;
    } else if (is_zero(x)) {
        angle = 1.57079632679489662;
    } else {
        angle = atan(abs(y) / abs(x));
    }
    return copysign(select(angle, 3.14159265358979324 - angle, behind), y);
}

// The high word of a 32 x 32 bit product.
fn multiply_high(a: u32, b: u32) -> u32 {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let other = a0 * b1 + (middle & 0xffffu);
    return a1 * b1 + (middle >> 16u) + (other >> 16u);
}

// Bits of 2 / pi, 32 from each word on.
fn two_over_pi(word: u32) -> u32 {
    var bits = array<u32, 8>(0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau);
    return bits[min(word, 7u)];
}

// |x| as quadrant and remainder in [-pi/4, pi/4], for finite numbers of any size.
fn reduce(x: f32) -> vec2<f32> {
    let a = abs(x);
    if (a < 1000.0) {
        let n = round(a * 0.63661977236758134);
        let r = (a - exact_product(n, 1.5703125)) - exact_product(n, 4.837512969970703125e-4);
        return vec2(f32(i32(n) & 3), fma(n, -7.54978995489188216e-8, r));
    }
    // Payne-Hanek (after N. Juffa): the product of the 24 bits of x with the 96 bits of 2/pi that matter.
    let bits = bitcast<u32>(a);
    let exponent = (bits >> 23u) - 126u;
    let mantissa = ((bits & 0x007fffffu) | 0x00800000u) << 8u;
    let word = exponent >> 5u;
    let shift = exponent & 31u;
    var high = two_over_pi(word);
    var middle = two_over_pi(word + 1u);
    var low = two_over_pi(word + 2u);
    if (shift != 0u) {
        high = (high << shift) | (middle >> (32u - shift));
        middle = (middle << shift) | (low >> (32u - shift));
        low = (low << shift) | (two_over_pi(word + 3u) >> (32u - shift));
    }
    let carry = multiply_high(mantissa, low);
    var p_low = mantissa * middle + carry;
    var p_high = mantissa * high + multiply_high(mantissa, middle) + select(0u, 1u, p_low < carry);
    var quadrant = p_high >> 30u;
    p_high &= 0x3fffffffu;
    var flip = 1.0;
    if ((p_high & 0x20000000u) != 0u) {
        // The fraction minus one, negated: two's complement over 62 bits.
        quadrant += 1u;
        flip = -1.0;
        p_low = ~p_low + 1u;
        p_high = (~p_high + select(0u, 1u, p_low == 0u)) & 0x3fffffffu;
    }
    let fraction = fma(f32(p_high), 9.31322574615478515625e-10, f32(p_low) * 2.16840434497100886801e-19);
    return vec2(f32(quadrant & 3u), flip * fraction * 1.57079632679489662);
}

fn sin_small(r: f32) -> f32 {
    let z = r * r;
    var p = -1.9515295891e-4;
    p = fma(p, z, 8.3321608736e-3);
    p = fma(p, z, -1.6666654611e-1);
    return fma(p * z, r, r);
}

fn cos_small(r: f32) -> f32 {
    let z = r * r;
    var p = 2.443315711809948e-5;
    p = fma(p, z, -1.388731625493765e-3);
    p = fma(p, z, 4.166664568298827e-2);
    return fma(p * z, z, fma(-0.5, z, 1.0));
}

fn sin(x: f32) -> f32 {
    if (is_nan(x) || is_infinite(x)) { return not_a_number(); }
    let s = reduce(x);
    let quadrant = u32(s.x);
    let magnitude = select(sin_small(s.y), cos_small(s.y), (quadrant & 1u) == 1u);
    let flip = (quadrant & 2u) != 0u;
    return select(magnitude, -magnitude, flip != ((bitcast<u32>(x) >> 31u) == 1u));
}

fn cos(x: f32) -> f32 {
    if (is_nan(x) || is_infinite(x)) { return not_a_number(); }
    let s = reduce(x);
    let quadrant = u32(s.x);
    let magnitude = select(cos_small(s.y), sin_small(s.y), (quadrant & 1u) == 1u);
    return select(magnitude, -magnitude, quadrant == 1u || quadrant == 2u);
}

fn tan(x: f32) -> f32 {
    if (is_nan(x) || is_infinite(x)) { return not_a_number(); }
    let s = reduce(x);
    // Cephes' tangent of the remainder; its negative reciprocal in odd quadrants.
    let z = s.y * s.y;
    var p = 9.38540185543e-3;
    p = fma(p, z, 3.11992232697e-3);
    p = fma(p, z, 2.44301354525e-2);
    p = fma(p, z, 5.34112807005e-2);
    p = fma(p, z, 1.33387994085e-1);
    p = fma(p, z, 3.33331568548e-1);
    let tangent = fma(p * z, s.y, s.y);
    let magnitude = select(tangent, -1.0 / tangent, (u32(s.x) & 1u) == 1u);
    return select(magnitude, -magnitude, (bitcast<u32>(x) >> 31u) == 1u);
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
    var p = -5.96761703e-4;
    p = fma(p, z, 4.99119423e-3);
    p = fma(p, z, -2.67681349e-2);
    p = fma(p, z, 1.12819925e-1);
    p = fma(p, z, -3.76125336e-1);
    p = fma(p, z, 1.28379166e-1);
    return fma(p, x, x);
}
