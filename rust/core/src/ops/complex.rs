//! Declared ops that make complex numbers real, and leave real ones real.

crate::ops::declare::rows! { Complex reals (y, dy)
    /// The magnitude.
    abs(x) [Numeric] = abs(x); grad(x, dy) = dy * sign(x);
    /// The imaginary part; zero for a real number.
    imag(x) [Numeric] = imag(x); grad() = 0.0;
    /// The real part.
    real(x) [Numeric] = real(x); grad(dy) = dy;
}
