// sin, cos and tan of any finite number; built-in ones lose all digits away from zero. Part of the math vocabulary.

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
    var bits = array<u32, 8>(
        0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau,
    );
    return bits[min(word, 7u)];
}

// a - n c for an exact product; the mask keeps compilers from factoring.
fn minus_exact(a: f32, n: f32, c: f32) -> f32 { return a - bitcast<f32>(bitcast<u32>(n * c) & 0xfffffffcu); }

// |x| as quadrant and remainder in [-pi/4, pi/4], for finite numbers of any size.
fn reduce(x: f32) -> vec2<f32> {
    let a = abs(x);
    if (a < 1000.0) {
        let n = round(a * 0.63661977236758134);
        let r = minus_exact(minus_exact(a, n, 1.5703125), n, 4.837512969970703125e-4);
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
    let p = fma(fma(-1.9515295891e-4, z, 8.3321608736e-3), z, -1.6666654611e-1);
    return fma(p * z, r, r);
}

fn cos_small(r: f32) -> f32 {
    let z = r * r;
    let p = fma(fma(2.443315711809948e-5, z, -1.388731625493765e-3), z, 4.166664568298827e-2);
    return fma(p * z, z, fma(-0.5, z, 1.0));
}

fn sin(x: f32) -> f32 {
    if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { return bitcast<f32>(bitcast<u32>(x) | 0x00400000u); }
    let s = reduce(x);
    let quadrant = u32(s.x);
    let magnitude = select(sin_small(s.y), cos_small(s.y), (quadrant & 1u) == 1u);
    let flip = (quadrant & 2u) != 0u;
    return select(magnitude, -magnitude, flip != ((bitcast<u32>(x) >> 31u) == 1u));
}

fn cos(x: f32) -> f32 {
    if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { return bitcast<f32>(bitcast<u32>(x) | 0x00400000u); }
    let s = reduce(x);
    let quadrant = u32(s.x);
    let magnitude = select(cos_small(s.y), sin_small(s.y), (quadrant & 1u) == 1u);
    return select(magnitude, -magnitude, quadrant == 1u || quadrant == 2u);
}

fn tan(x: f32) -> f32 {
    if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { return bitcast<f32>(bitcast<u32>(x) | 0x00400000u); }
    let s = reduce(x);
    // Cephes' tangent of the remainder; its negative reciprocal in odd quadrants.
    let z = s.y * s.y;
    let leading = fma(fma(9.38540185543e-3, z, 3.11992232697e-3), z, 2.44301354525e-2);
    let p = fma(fma(fma(leading, z, 5.34112807005e-2), z, 1.33387994085e-1), z, 3.33331568548e-1);
    let tangent = fma(p * z, s.y, s.y);
    let magnitude = select(tangent, -1.0 / tangent, (u32(s.x) & 1u) == 1u);
    return select(magnitude, -magnitude, (bitcast<u32>(x) >> 31u) == 1u);
}
