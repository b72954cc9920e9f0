//! Declared ops of one operand: the mathematics. Activations have a table of their own.

crate::ops::declare::rows! { Unary values (y, dy)
    /// The inverse cosine, in radians.
    acos(x) [Inexact] = acos(x); grad(x, dy) = -dy / sqrt(1.0 - x * x);
    /// The inverse hyperbolic cosine.
    acosh(x) [Inexact] = acosh(x); grad(x, dy) = dy / (sqrt(x - 1.0) * sqrt(x + 1.0));
    /// The inverse sine, in radians.
    asin(x) [Inexact] = asin(x); grad(x, dy) = dy / sqrt(1.0 - x * x);
    /// The inverse hyperbolic sine.
    asinh(x) [Inexact] = asinh(x); grad(x, dy) = dy / sqrt(x * x + 1.0);
    /// The inverse tangent, in radians.
    atan(x) [Inexact] = atan(x); grad(x, dy) = dy / (1.0 + x * x);
    /// The inverse hyperbolic tangent.
    atanh(x) [Inexact] = atanh(x); grad(x, dy) = dy / (1.0 - x * x);
    /// Every bit flipped; for bool, the opposite.
    bitwise_invert(x) [Bits] = invert(x);
    /// The smallest integer not below x.
    ceil(x) [Real] = ceil(x); grad() = 0.0;
    /// The number with its imaginary part negated; real numbers stay.
    conj(x) [Numeric] = conj(x); grad(dy) = dy;
    /// The cosine of x radians.
    cos(x) [Inexact] = cos(x); grad(x, dy) = -dy * sin(x);
    /// The hyperbolic cosine.
    cosh(x) [Inexact] = cosh(x); grad(x, dy) = dy * sinh(x);
    /// The error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x.
    erf(x) = erf(x); grad(x, dy) = dy * 1.1283791670955126 * exp(-x * x);
    /// e to the power of x.
    exp(x) [Inexact] = exp(x); grad(y, dy) = dy * y;
    /// 2 to the power of x.
    exp2(x) = exp2(x); grad(y, dy) = dy * y * 0.6931471805599453;
    /// exp(x) - 1, accurate near zero.
    expm1(x) [Inexact] = expm1(x); grad(x, dy) = dy * exp(x);
    /// The largest integer not above x.
    floor(x) [Real] = floor(x); grad() = 0.0;
    /// The natural logarithm.
    log(x) [Inexact] = log(x); grad(x, dy) = dy / x;
    /// log(1 + x), accurate near zero.
    log1p(x) [Inexact] = log1p(x); grad(x, dy) = dy / (1.0 + x);
    /// The logarithm to base 2.
    log2(x) [Inexact] = log2(x); grad(x, dy) = dy / (x * 0.6931471805599453);
    /// The logarithm to base 10.
    log10(x) [Inexact] = log10(x); grad(x, dy) = dy / (x * 2.302585092994046);
    /// The number with the other sign.
    negative(x) [Numeric] = -x; grad(dy) = -dy;
    /// The number itself.
    positive(x) [Numeric] = x; grad(dy) = dy;
    /// 1 / x.
    reciprocal(x) [Inexact] = divide(1.0, x); grad(y, dy) = -dy * y * y;
    /// The nearest integer; halves go to the even one.
    round(x) [Numeric] = round(x); grad() = 0.0;
    /// 1 / sqrt(x).
    rsqrt(x) = rsqrt(x); grad(y, dy) = -0.5 * dy * y * y * y;
    /// -1, 0 or 1.
    sign(x) [Numeric] = sign(x); grad() = 0.0;
    /// The sine of x radians.
    sin(x) [Inexact] = sin(x); grad(x, dy) = dy * cos(x);
    /// The hyperbolic sine.
    sinh(x) [Inexact] = sinh(x); grad(x, dy) = dy * cosh(x);
    /// The square root.
    sqrt(x) [Inexact] = sqrt(x); grad(y, dy) = 0.5 * dy / y;
    /// x * x.
    square(x) [Numeric] = x * x; grad(x, dy) = 2.0 * x * dy;
    /// The tangent of x radians.
    tan(x) [Inexact] = tan(x); grad(y, dy) = dy * (1.0 + y * y);
    /// The hyperbolic tangent.
    tanh(x) [Inexact] = tanh(x); grad(y, dy) = dy * (1.0 - y * y);
    /// The integer part.
    trunc(x) [Real] = trunc(x); grad() = 0.0;
}
