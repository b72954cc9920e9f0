//! Functions of formulas that `cpu::math` has not: what depends on the kind of number, for every kind.
//!
//! A kernel turns each stored element into a `lane` (integers wrap around instead of overflowing) and back by `value`.

macro_rules! float {
    ($($t:ident, $bits:ident);*) => { $(
        pub mod $t {
            #[inline(always)]
            pub fn lane(x: $t) -> $t {
                x
            }
            #[inline(always)]
            pub fn value(x: $t) -> $t {
                x
            }
            #[inline(always)]
            pub fn divide(a: $t, b: $t) -> $t {
                a / b
            }
            pub use super::real::*;
            #[inline(always)]
            pub fn is_nan(x: $t) -> bool {
                x.is_nan()
            }
            #[inline(always)]
            pub fn is_inf(x: $t) -> bool {
                x.is_infinite()
            }
            #[inline(always)]
            pub fn is_finite(x: $t) -> bool {
                x.is_finite()
            }
            #[inline(always)]
            pub fn is_negative(x: $t) -> bool {
                x.is_sign_negative()
            }
            /// The floor of the quotient, computed as NumPy does so that it agrees with `remainder`; where an operand
            /// is infinite or the divisor zero, the quotient itself.
            #[inline(always)]
            pub fn floor_divide(a: $t, b: $t) -> $t {
                if b == 0.0 || b.is_infinite() || !a.is_finite() {
                    return a / b;
                }
                let rest = a % b;
                let quotient = (a - rest) / b - ((rest != 0.0 && (rest < 0.0) != (b < 0.0)) as u8 as $t);
                let floor = quotient.floor();
                match quotient == 0.0 {
                    true => (0.0 as $t).copysign(a / b),
                    false => floor + ((quotient - floor > 0.5) as u8 as $t),
                }
            }
            /// Python's `%`: the sign of the divisor.
            #[inline(always)]
            pub fn remainder(a: $t, b: $t) -> $t {
                let rest = a % b;
                if rest == 0.0 {
                    return rest.copysign(b);
                }
                if (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
            }
            #[inline(always)]
            pub fn nextafter(a: $t, b: $t) -> $t {
                if a.is_nan() || b.is_nan() {
                    return a + b;
                }
                if a == b {
                    return b;
                }
                if a == 0.0 {
                    return $t::from_bits(1).copysign(b);
                }
                let away = (a < b) == (a > 0.0);
                $t::from_bits(if away { a.to_bits() + 1 } else { a.to_bits() - 1 })
            }
        }
    )* };
}
float!(f32, u32; f64, u64);

/// Numbers without an imaginary part.
pub mod real {
    #[inline(always)]
    pub fn real_value<T>(x: T) -> T {
        x
    }
    #[inline(always)]
    pub fn conj<T>(x: T) -> T {
        x
    }
    #[inline(always)]
    pub fn real<T>(x: T) -> T {
        x
    }
    #[inline(always)]
    pub fn imag<T: Default>(_: T) -> T {
        T::default()
    }
}

pub mod int {
    pub use super::real::{conj, imag, real};

    use std::num::Wrapping;
    use std::ops::Not;

    #[inline(always)]
    pub fn lane<T>(x: T) -> Wrapping<T> {
        Wrapping(x)
    }
    #[inline(always)]
    pub fn value<T>(x: Wrapping<T>) -> T {
        x.0
    }
    #[inline(always)]
    pub fn real_value<T>(x: Wrapping<T>) -> T {
        x.0
    }

    /// What integers of each width and sign do in their own way.
    pub trait Int: Copy + Ord + Default {
        const BITS: u32;
        fn magnitude(self) -> Self;
        fn signum(self) -> Self;
        /// Rounded to minus infinity; zero where the divisor is zero.
        fn quotient(self, b: Self) -> Self;
        /// The sign of the divisor; zero where the divisor is zero.
        fn rest(self, b: Self) -> Self;
        fn power(self, b: Self) -> Self;
        /// Counts outside `0..BITS` shift everything out.
        fn left(self, count: Self) -> Self;
        fn right(self, count: Self) -> Self;
    }

    macro_rules! signed {
        ($($t:ident),*) => { $(impl Int for $t {
            const BITS: u32 = $t::BITS;
            #[inline(always)]
            fn magnitude(self) -> $t {
                self.wrapping_abs()
            }
            #[inline(always)]
            fn signum(self) -> $t {
                $t::signum(self)
            }
            #[inline(always)]
            fn quotient(self, b: $t) -> $t {
                if b == 0 {
                    return 0;
                }
                let (quotient, rest) = (self.wrapping_div(b), self.wrapping_rem(b));
                quotient.wrapping_sub((rest != 0 && (rest < 0) != (b < 0)) as $t)
            }
            #[inline(always)]
            fn rest(self, b: $t) -> $t {
                if b == 0 {
                    return 0;
                }
                let rest = self.wrapping_rem(b);
                if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
            }
            #[inline(always)]
            fn power(self, b: $t) -> $t {
                match (self, b < 0) {
                    (_, false) => power(self, b as u64, <$t>::wrapping_mul, 1),
                    (1, true) => 1,
                    (-1, true) => if b & 1 == 0 { 1 } else { -1 },
                    _ => 0,
                }
            }
            #[inline(always)]
            fn left(self, count: $t) -> $t {
                if (0..$t::BITS as $t).contains(&count) { self << count } else { 0 }
            }
            #[inline(always)]
            fn right(self, count: $t) -> $t {
                if (0..$t::BITS as $t).contains(&count) { self >> count } else { self >> ($t::BITS - 1) }
            }
        })* };
    }
    signed!(i8, i16, i32, i64);

    macro_rules! unsigned {
        ($($t:ident),*) => { $(impl Int for $t {
            const BITS: u32 = $t::BITS;
            #[inline(always)]
            fn magnitude(self) -> $t {
                self
            }
            #[inline(always)]
            fn signum(self) -> $t {
                (self != 0) as $t
            }
            #[inline(always)]
            fn quotient(self, b: $t) -> $t {
                self.checked_div(b).unwrap_or(0)
            }
            #[inline(always)]
            fn rest(self, b: $t) -> $t {
                self.checked_rem(b).unwrap_or(0)
            }
            #[inline(always)]
            fn power(self, b: $t) -> $t {
                power(self, b as u64, <$t>::wrapping_mul, 1)
            }
            #[inline(always)]
            fn left(self, count: $t) -> $t {
                if count < $t::BITS as $t { self << count } else { 0 }
            }
            #[inline(always)]
            fn right(self, count: $t) -> $t {
                if count < $t::BITS as $t { self >> count } else { 0 }
            }
        })* };
    }
    unsigned!(u8, u16, u32, u64);

    /// Square and multiply, modulo two to the width.
    #[inline(always)]
    fn power<T: Copy>(base: T, mut exponent: u64, multiply: fn(T, T) -> T, one: T) -> T {
        let (mut base, mut product) = (base, one);
        while exponent > 0 {
            if exponent & 1 == 1 {
                product = multiply(product, base);
            }
            base = multiply(base, base);
            exponent >>= 1;
        }
        product
    }

    macro_rules! lanes {
        ($($name:ident($($x:ident),+) => $method:ident;)*) => { $(
            #[inline(always)]
            pub fn $name<T: Int>($($x: Wrapping<T>),+) -> Wrapping<T> {
                lanes!(@ $method $($x),+)
            }
        )* };
        (@ $method:ident $x:ident) => { Wrapping($x.0.$method()) };
        (@ $method:ident $x:ident, $y:ident) => { Wrapping($x.0.$method($y.0)) };
    }
    lanes! {
        abs(x) => magnitude; sign(x) => signum; floor_divide(a, b) => quotient; remainder(a, b) => rest;
        pow(a, b) => power; shift_left(a, b) => left; shift_right(a, b) => right;
        maximum(a, b) => max; minimum(a, b) => min;
        floor(x) => clone; ceil(x) => clone; trunc(x) => clone; round(x) => clone;
    }

    #[inline(always)]
    pub fn invert<T>(x: Wrapping<T>) -> Wrapping<T>
    where
        Wrapping<T>: Not<Output = Wrapping<T>>,
    {
        !x
    }
    #[inline(always)]
    pub fn is_nan<T>(_: T) -> bool {
        false
    }
    #[inline(always)]
    pub fn is_inf<T>(_: T) -> bool {
        false
    }
    #[inline(always)]
    pub fn is_finite<T>(_: T) -> bool {
        true
    }
    #[inline(always)]
    pub fn is_negative<T: Int>(x: Wrapping<T>) -> bool {
        x.0 < T::default()
    }
}

pub mod boolean {
    #[inline(always)]
    pub fn lane(x: bool) -> bool {
        x
    }
    #[inline(always)]
    pub fn value(x: bool) -> bool {
        x
    }
    #[inline(always)]
    pub fn invert(x: bool) -> bool {
        !x
    }
    pub use super::int::{is_finite, is_inf, is_nan};
}

pub mod complex {
    pub use super::real::real_value;
    pub use crate::cpu::math::complex::*;
    use num_complex::{Complex, ComplexFloat};

    #[inline(always)]
    pub fn lane<T>(x: Complex<T>) -> Complex<T> {
        x
    }
    #[inline(always)]
    pub fn value<T>(x: Complex<T>) -> Complex<T> {
        x
    }
    #[inline(always)]
    pub fn divide<T: Part>(a: impl Into<Complex<T>>, b: Complex<T>) -> Complex<T> {
        div(a.into(), b)
    }
    #[inline(always)]
    pub fn conj<T: ComplexFloat>(x: T) -> T {
        x.conj()
    }
    #[inline(always)]
    pub fn real<T: ComplexFloat>(x: T) -> T::Real {
        x.re()
    }
    #[inline(always)]
    pub fn imag<T: ComplexFloat>(x: T) -> T::Real {
        x.im()
    }
    #[inline(always)]
    pub fn round<T: Part>(x: Complex<T>) -> Complex<T> {
        let part = |x: T| T::narrow(x.widen().round_ties_even());
        Complex { re: part(x.re), im: part(x.im) }
    }
    #[inline(always)]
    pub fn is_nan<T: ComplexFloat>(x: T) -> bool {
        x.is_nan()
    }
    #[inline(always)]
    pub fn is_inf<T: ComplexFloat>(x: T) -> bool {
        x.is_infinite()
    }
    #[inline(always)]
    pub fn is_finite<T: ComplexFloat>(x: T) -> bool {
        x.is_finite()
    }
}
