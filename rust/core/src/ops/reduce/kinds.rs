//! The folds themselves: sum, product, extrema, truth and counts, for every element type they make sense for.

use super::fold::Steps;
use crate::dtype::{Complex32, Complex64, Element, bf16, f16};
use std::marker::PhantomData;

/// Numbers that accumulators are made of. Integers wrap, as array libraries agree.
pub trait Number: Copy + Send + Sync + 'static {
    const ZERO: Self;
    const ONE: Self;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

macro_rules! numbers {
    ($($t:ty: $zero:expr, $one:expr, $plus:expr, $times:expr;)*) => {
        $(impl Number for $t {
            const ZERO: $t = $zero;
            const ONE: $t = $one;
            #[inline(always)]
            fn plus(self, other: $t) -> $t { $plus(self, other) }
            #[inline(always)]
            fn times(self, other: $t) -> $t { $times(self, other) }
        })*
    };
}
numbers! {
    i64: 0, 1, i64::wrapping_add, i64::wrapping_mul;
    u64: 0, 1, u64::wrapping_add, u64::wrapping_mul;
    f32: 0.0, 1.0, std::ops::Add::add, std::ops::Mul::mul;
    f64: 0.0, 1.0, std::ops::Add::add, std::ops::Mul::mul;
    Complex32: Complex32::new(0.0, 0.0), Complex32::new(1.0, 0.0), std::ops::Add::add, std::ops::Mul::mul;
    Complex64: Complex64::new(0.0, 0.0), Complex64::new(1.0, 0.0), std::ops::Add::add, std::ops::Mul::mul;
}

/// f16 as f32 without a branch or a library call, so that loops over it vectorise.
#[inline(always)]
pub fn widen_f16(x: f16) -> f32 {
    let (sign, magnitude) = ((x.to_bits() as u32 & 0x8000) << 16, (x.to_bits() as u32 & 0x7fff) << 13);
    // Moving the exponent by a multiplication makes subnormal numbers right too; infinities and NaN keep theirs.
    let finite = (f32::from_bits(magnitude) * f32::from_bits(0x7780_0000)).to_bits();
    f32::from_bits(sign | if magnitude < 0x0f80_0000 { finite } else { magnitude | 0x7f80_0000 })
}

#[inline(always)]
pub fn widen_bf16(x: bf16) -> f32 {
    f32::from_bits((x.to_bits() as u32) << 16)
}

/// What sums and products of an element type are accumulated in: `Lane` inside a block, `Wide` between blocks.
pub trait Summable: Element {
    type Lane: Number;
    type Wide: Number;
    type Total: Element;
    fn lane(self) -> Self::Lane;
    fn widen(lane: Self::Lane) -> Self::Wide;
    fn total(wide: Self::Wide) -> Self::Total;
    /// The total over `n`; integers have no mean, the callers convert them first.
    fn mean(wide: Self::Wide, n: usize) -> Self::Total;
}

macro_rules! summable {
    ($($t:ty: $lane:ty, $wide:ty, $total:ty; $x:ident => $to_lane:expr, $l:ident => $widen:expr, $w:ident => $total_of:expr, $n:ident => $mean:expr;)*) => {
        $(impl Summable for $t {
            type Lane = $lane;
            type Wide = $wide;
            type Total = $total;
            #[inline(always)]
            fn lane(self) -> $lane { let $x = self; $to_lane }
            #[inline(always)]
            fn widen($l: $lane) -> $wide { $widen }
            #[inline(always)]
            fn total($w: $wide) -> $total { $total_of }
            #[inline(always)]
            fn mean($w: $wide, $n: usize) -> $total { $mean }
        })*
    };
    (integers $($t:ty: $wide:ty),*) => {
        summable! { $($t: $wide, $wide, $wide; x => x as $wide, l => l, w => w, _n => w;)* }
    };
}
summable! { integers bool: i64, i8: i64, i16: i64, i32: i64, i64: i64, u8: u64, u16: u64, u32: u64, u64: u64 }
summable! {
    f16: f32, f64, f16; x => widen_f16(x), l => l as f64, w => f16::from_f64(w), n => f16::from_f64(w / n as f64);
    bf16: f32, f64, bf16; x => widen_bf16(x), l => l as f64, w => bf16::from_f64(w), n => bf16::from_f64(w / n as f64);
    f32: f32, f64, f32; x => x, l => l as f64, w => w as f32, n => (w / n as f64) as f32;
    f64: f64, f64, f64; x => x, l => l, w => w, n => w / n as f64;
    Complex32: Complex32, Complex64, Complex32; x => x, l => Complex64::new(l.re as f64, l.im as f64),
        w => Complex32::new(w.re as f32, w.im as f32), n => { let m = w / n as f64; Complex32::new(m.re as f32, m.im as f32) };
    Complex64: Complex64, Complex64, Complex64; x => x, l => l, w => w, n => w / n as f64;
}

pub struct Sum<T>(PhantomData<T>);
pub struct Mean<T>(PhantomData<T>);
pub struct Prod<T>(PhantomData<T>);

macro_rules! accumulate {
    ($($name:ident: $start:ident, $method:ident, $wide:ident, $n:ident => $finish:expr;)*) => {
        $(impl<T: Summable> Steps for $name<T> {
            type In = T;
            type Lane = T::Lane;
            type Acc = T::Wide;
            type Out = T::Total;
            const START: T::Lane = T::Lane::$start;
            #[inline(always)]
            fn step(lane: T::Lane, x: T) -> T::Lane { lane.$method(x.lane()) }
            #[inline(always)]
            fn join(a: T::Lane, b: T::Lane) -> T::Lane { a.$method(b) }
            #[inline(always)]
            fn widen(lane: T::Lane) -> T::Wide { T::widen(lane) }
            #[inline(always)]
            fn merge(a: T::Wide, b: T::Wide) -> T::Wide { a.$method(b) }
            fn finish($wide: T::Wide, $n: usize) -> T::Total { $finish }
        })*
    };
}
accumulate! {
    Sum: ZERO, plus, wide, _n => T::total(wide);
    Prod: ONE, times, wide, _n => T::total(wide);
    Mean: ZERO, plus, wide, n => T::mean(wide, n);
}

/// Types with an order. NaN counts as above and below everything, so that it comes out of both extrema.
pub trait Ordered: Element {
    /// What comparisons run in.
    type Key: Copy + Send + Sync + PartialOrd + 'static;
    const LOWEST: Self::Key;
    const HIGHEST: Self::Key;
    fn key(self) -> Self::Key;
    fn from_key(key: Self::Key) -> Self;
}

macro_rules! ordered {
    ($($t:ty: $key:ty, $low:expr, $high:expr, $x:ident => $to:expr, $k:ident => $from:expr;)*) => {
        $(impl Ordered for $t {
            type Key = $key;
            const LOWEST: $key = $low;
            const HIGHEST: $key = $high;
            #[inline(always)]
            fn key(self) -> $key { let $x = self; $to }
            #[inline(always)]
            fn from_key($k: $key) -> $t { $from }
        })*
    };
    (plain $($t:ty),*) => { ordered! { $($t: $t, <$t>::MIN, <$t>::MAX, x => x, k => k;)* } };
}
ordered! { plain i8, i16, i32, i64, u8, u16, u32, u64 }
ordered! {
    bool: bool, false, true, x => x, k => k;
    f16: f32, f32::NEG_INFINITY, f32::INFINITY, x => widen_f16(x), k => f16::from_f32(k);
    bf16: f32, f32::NEG_INFINITY, f32::INFINITY, x => widen_bf16(x), k => bf16::from_f32(k);
    f32: f32, f32::NEG_INFINITY, f32::INFINITY, x => x, k => k;
    f64: f64, f64::NEG_INFINITY, f64::INFINITY, x => x, k => k;
}

/// The larger key, or NaN when one is NaN.
#[inline(always)]
#[allow(clippy::eq_op)] // true for NaN only
pub fn higher<K: Copy + PartialOrd>(a: K, b: K) -> K {
    if b > a || b != b { b } else { a }
}

/// The smaller key, or NaN when one is NaN.
#[inline(always)]
#[allow(clippy::eq_op)] // true for NaN only
pub fn lower<K: Copy + PartialOrd>(a: K, b: K) -> K {
    if b < a || b != b { b } else { a }
}

pub struct Max<T>(PhantomData<T>);
pub struct Min<T>(PhantomData<T>);

macro_rules! extrema {
    ($($name:ident: $start:ident, $choose:ident;)*) => {
        $(impl<T: Ordered> Steps for $name<T> {
            type In = T;
            type Lane = T::Key;
            type Acc = T::Key;
            type Out = T;
            const START: T::Key = T::$start;
            #[inline(always)]
            fn step(lane: T::Key, x: T) -> T::Key { $choose(lane, x.key()) }
            #[inline(always)]
            fn join(a: T::Key, b: T::Key) -> T::Key { $choose(a, b) }
            #[inline(always)]
            fn widen(lane: T::Key) -> T::Key { lane }
            #[inline(always)]
            fn merge(a: T::Key, b: T::Key) -> T::Key { $choose(a, b) }
            fn finish(acc: T::Key, _: usize) -> T { T::from_key(acc) }
        })*
    };
}
extrema! {
    Max: LOWEST, higher;
    Min: HIGHEST, lower;
}

/// Counts elements that are not zero; NaN is not zero.
pub struct Nonzero<T>(PhantomData<T>);

impl<T: Element> Steps for Nonzero<T> {
    type In = T;
    /// A block has fewer than 2^32 elements.
    type Lane = u32;
    type Acc = i64;
    type Out = i64;
    const START: u32 = 0;
    #[inline(always)]
    fn step(lane: u32, x: T) -> u32 {
        lane + (x != T::default()) as u32
    }
    #[inline(always)]
    fn join(a: u32, b: u32) -> u32 {
        a + b
    }
    #[inline(always)]
    fn widen(lane: u32) -> i64 {
        lane as i64
    }
    fn merge(a: i64, b: i64) -> i64 {
        a + b
    }
    fn finish(acc: i64, _: usize) -> i64 {
        acc
    }
}

pub struct Any<T>(PhantomData<T>);
pub struct All<T>(PhantomData<T>);

macro_rules! truths {
    ($($name:ident: $start:literal, $op:tt;)*) => {
        $(impl<T: Element> Steps for $name<T> {
            type In = T;
            type Lane = bool;
            type Acc = bool;
            type Out = bool;
            const START: bool = $start;
            #[inline(always)]
            fn step(lane: bool, x: T) -> bool { lane $op (x != T::default()) }
            #[inline(always)]
            fn join(a: bool, b: bool) -> bool { a $op b }
            #[inline(always)]
            fn widen(lane: bool) -> bool { lane }
            fn merge(a: bool, b: bool) -> bool { a $op b }
            fn finish(acc: bool, _: usize) -> bool { acc }
        })*
    };
}
truths! {
    Any: false, |;
    All: true, &;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_widened_as_the_library_does() {
        for bits in 0..=u16::MAX {
            let (h, b) = (f16::from_bits(bits), bf16::from_bits(bits));
            assert!(widen_f16(h) == h.to_f32() || h.is_nan() && widen_f16(h).is_nan(), "{bits:#x}");
            assert!(widen_bf16(b) == b.to_f32() || b.is_nan() && widen_bf16(b).is_nan(), "{bits:#x}");
            assert_eq!(widen_f16(h).is_sign_negative(), h.is_sign_negative());
        }
    }
}
