//! Declared ops that answer with bool: comparisons, tests of one number, and logic.

crate::ops::declare::rows! { Compare truths (y, dy)
    /// a is the same number as b.
    equal(a, b) [Any] = a == b;
    /// a is above b.
    greater(a, b) [Ordered] = a > b;
    /// a is above b or equal to it.
    greater_equal(a, b) [Ordered] = a >= b;
    /// x is neither infinite nor NaN.
    isfinite(x) [Any] = is_finite(x);
    /// x is infinite.
    isinf(x) [Any] = is_inf(x);
    /// x is not a number.
    isnan(x) [Any] = is_nan(x);
    /// a is below b.
    less(a, b) [Ordered] = a < b;
    /// a is below b or equal to it.
    less_equal(a, b) [Ordered] = a <= b;
    /// Both hold; numbers hold where they are not zero.
    logical_and(a, b) [Truth] = a & b;
    /// x does not hold.
    logical_not(x) [Truth] = !x;
    /// One of them holds, or both.
    logical_or(a, b) [Truth] = a | b;
    /// One of them holds, but not both.
    logical_xor(a, b) [Truth] = a != b;
    /// a is not the same number as b.
    not_equal(a, b) [Any] = a != b;
    /// The sign bit is set: true for -0.0.
    signbit(x) [Real] = is_negative(x);
}
