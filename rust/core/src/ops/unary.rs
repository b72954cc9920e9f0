//! Declared ops of one operand: the mathematics. Activations have a table of their own.

crate::ops::declare::rows! { $ Unary unary_rows values (y, dy)
    /// The magnitude.
    abs(x) [Real] = abs(x); grad(x, dy) = dy * sign(x);
    /// The inverse cosine, in radians.
    acos(x) = acos(x); grad(x, dy) = -dy / sqrt(1.0 - x * x);
    /// The inverse hyperbolic cosine.
    acosh(x) = acosh(x); grad(x, dy) = dy / (sqrt(x - 1.0) * sqrt(x + 1.0));
    /// The inverse sine, in radians.
    asin(x) = asin(x); grad(x, dy) = dy / sqrt(1.0 - x * x);
    /// The inverse hyperbolic sine.
    asinh(x) = asinh(x); grad(x, dy) = dy / sqrt(x * x + 1.0);
    /// The inverse tangent, in radians.
    atan(x) = atan(x); grad(x, dy) = dy / (1.0 + x * x);
    /// The inverse hyperbolic tangent.
    atanh(x) = atanh(x); grad(x, dy) = dy / (1.0 - x * x);
    /// Every bit flipped; for bool, the opposite.
    bitwise_invert(x) [Bits] = invert(x);
    /// The smallest integer not below x.
    ceil(x) [Real] = ceil(x); grad() = 0.0;
    /// The cosine of x radians.
    cos(x) = cos(x); grad(x, dy) = -dy * sin(x);
    /// The hyperbolic cosine.
    cosh(x) = cosh(x); grad(x, dy) = dy * sinh(x);
    /// The error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x.
    erf(x) = erf(x); grad(x, dy) = dy * 1.1283791670955126 * exp(-x * x);
    /// e to the power of x.
    exp(x) = exp(x); grad(y, dy) = dy * y;
    /// 2 to the power of x.
    exp2(x) = exp2(x); grad(y, dy) = dy * y * 0.6931471805599453;
    /// exp(x) - 1, accurate near zero.
    expm1(x) = expm1(x); grad(x, dy) = dy * exp(x);
    /// The largest integer not above x.
    floor(x) [Real] = floor(x); grad() = 0.0;
    /// The natural logarithm.
    log(x) = log(x); grad(x, dy) = dy / x;
    /// log(1 + x), accurate near zero.
    log1p(x) = log1p(x); grad(x, dy) = dy / (1.0 + x);
    /// The logarithm to base 2.
    log2(x) = log2(x); grad(x, dy) = dy / (x * 0.6931471805599453);
    /// The logarithm to base 10.
    log10(x) = log10(x); grad(x, dy) = dy / (x * 2.302585092994046);
    /// The number with the other sign.
    negative(x) [Numeric] = -x; grad(dy) = -dy;
    /// The number itself.
    positive(x) [Numeric] = x; grad(dy) = dy;
    /// 1 / x.
    reciprocal(x) = 1.0 / x; grad(y, dy) = -dy * y * y;
    /// The nearest integer; halves go to the even one.
    round(x) [Real] = round(x); grad() = 0.0;
    /// 1 / sqrt(x).
    rsqrt(x) = rsqrt(x); grad(y, dy) = -0.5 * dy * y * y * y;
    /// -1, 0 or 1.
    sign(x) [Real] = sign(x); grad() = 0.0;
    /// The sine of x radians.
    sin(x) = sin(x); grad(x, dy) = dy * cos(x);
    /// The hyperbolic sine.
    sinh(x) = sinh(x); grad(x, dy) = dy * cosh(x);
    /// The square root.
    sqrt(x) = sqrt(x); grad(y, dy) = 0.5 * dy / y;
    /// x * x.
    square(x) [Numeric] = x * x; grad(x, dy) = 2.0 * x * dy;
    /// The tangent of x radians.
    tan(x) = tan(x); grad(y, dy) = dy * (1.0 + y * y);
    /// The hyperbolic tangent.
    tanh(x) = tanh(x); grad(y, dy) = dy * (1.0 - y * y);
    /// The integer part.
    trunc(x) [Real] = trunc(x); grad() = 0.0;
}
