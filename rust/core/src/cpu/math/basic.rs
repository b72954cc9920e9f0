//! The words that need no approximation, written once for both float types.

macro_rules! basic {
    ($float:ident) => {
        #[inline(always)]
        pub fn abs(x: $float) -> $float {
            x.abs()
        }

        /// -1, 0 or 1; both zeros give 0 and NaN stays NaN.
        #[inline(always)]
        pub fn sign(x: $float) -> $float {
            let positive: $float = if x > 0.0 { 1.0 } else { 0.0 };
            let negative: $float = if x < 0.0 { 1.0 } else { 0.0 };
            if x.is_nan() { x } else { positive - negative }
        }

        #[inline(always)]
        pub fn sqrt(x: $float) -> $float {
            x.sqrt()
        }

        #[inline(always)]
        pub fn rsqrt(x: $float) -> $float {
            1.0 / x.sqrt()
        }

        #[inline(always)]
        pub fn floor(x: $float) -> $float {
            x.floor()
        }

        #[inline(always)]
        pub fn ceil(x: $float) -> $float {
            x.ceil()
        }

        #[inline(always)]
        pub fn trunc(x: $float) -> $float {
            x.trunc()
        }

        /// To the nearest integer, halves to the even one.
        #[inline(always)]
        pub fn round(x: $float) -> $float {
            x.round_ties_even()
        }

        #[inline(always)]
        pub fn copysign(x: $float, y: $float) -> $float {
            x.copysign(y)
        }

        /// The larger one, or NaN if either is NaN; +0 is larger than -0.
        #[inline(always)]
        pub fn maximum(x: $float, y: $float) -> $float {
            let zeros = $float::from_bits(x.to_bits() & y.to_bits());
            let larger = if x > y { x } else { y };
            let larger = if x == y { zeros } else { larger };
            if x.is_nan() { x } else { larger }
        }

        /// The smaller one, or NaN if either is NaN; -0 is smaller than +0.
        #[inline(always)]
        pub fn minimum(x: $float, y: $float) -> $float {
            let zeros = $float::from_bits(x.to_bits() | y.to_bits());
            let smaller = if x < y { x } else { y };
            let smaller = if x == y { zeros } else { smaller };
            if x.is_nan() { x } else { smaller }
        }

        #[inline(always)]
        pub fn if_gt(x: $float, y: $float, a: $float, b: $float) -> $float {
            if x > y { a } else { b }
        }

        #[inline(always)]
        pub fn if_ge(x: $float, y: $float, a: $float, b: $float) -> $float {
            if x >= y { a } else { b }
        }

        #[inline(always)]
        pub fn if_lt(x: $float, y: $float, a: $float, b: $float) -> $float {
            if x < y { a } else { b }
        }

        #[inline(always)]
        pub fn if_le(x: $float, y: $float, a: $float, b: $float) -> $float {
            if x <= y { a } else { b }
        }

        #[inline(always)]
        pub fn if_eq(x: $float, y: $float, a: $float, b: $float) -> $float {
            if x == y { a } else { b }
        }
    };
}
pub(super) use basic;
