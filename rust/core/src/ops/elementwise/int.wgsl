// The vocabulary of formulas on integers, as in vocabulary.rs; the host sets Int to the type computed in.

alias Int = i32;

fn sign(x: Int) -> Int { return select(Int(0), Int(1), x > Int(0)) - select(Int(0), Int(1), x < Int(0)); }
fn maximum(a: Int, b: Int) -> Int { return max(a, b); }
fn minimum(a: Int, b: Int) -> Int { return min(a, b); }
fn floor(x: Int) -> Int { return x; }
fn ceil(x: Int) -> Int { return x; }
fn trunc(x: Int) -> Int { return x; }
fn round(x: Int) -> Int { return x; }
fn invert(x: Int) -> Int { return ~x; }
fn conj(x: Int) -> Int { return x; }
fn real(x: Int) -> Int { return x; }
fn imag(x: Int) -> Int { return Int(0); }
fn is_nan(x: Int) -> bool { return false; }
fn is_inf(x: Int) -> bool { return false; }
fn is_finite(x: Int) -> bool { return true; }
fn is_negative(x: Int) -> bool { return x < Int(0); }

// Rounded to minus infinity; zero where the divisor is zero.
fn floor_divide(a: Int, b: Int) -> Int {
    if (b == Int(0)) { return Int(0); }
    let quotient = a / b;
    let rest = a - quotient * b;
    return quotient - select(Int(0), Int(1), rest != Int(0) && (rest < Int(0)) != (b < Int(0)));
}

// The sign of the divisor; zero where the divisor is zero.
fn remainder(a: Int, b: Int) -> Int {
    if (b == Int(0)) { return Int(0); }
    let rest = a % b;
    return rest + select(Int(0), b, rest != Int(0) && (rest < Int(0)) != (b < Int(0)));
}

// Square and multiply, wrapping around; negative exponents round to zero.
fn pow(a: Int, b: Int) -> Int {
    if (b < Int(0)) {
        if (a == Int(1)) { return a; }
        let minus_one = ~Int(0);
        return select(Int(0), select(minus_one, Int(1), (b & Int(1)) == Int(0)), a == minus_one);
    }
    var base = a;
    var product = Int(1);
    for (var exponent = u32(b); exponent > 0u; exponent >>= 1u) {
        if ((exponent & 1u) == 1u) { product *= base; }
        base *= base;
    }
    return product;
}

// Counts outside 0..32 shift everything out.
fn shift_left(a: Int, count: Int) -> Int {
    return select(Int(0), a << (u32(count) & 31u), u32(count) < 32u);
}

fn shift_right(a: Int, count: Int) -> Int {
    return a >> min(u32(count), 31u) >> select(0u, 1u, u32(count) > 31u);
}
