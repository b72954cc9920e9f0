//! Sums and maxima along one contiguous row, in a fixed order: lanes within a block, blocks in f64. The order does not
//! depend on the machine's vector width, and every loop vectorises inside `leveled!`.

use crate::dtype::Element;
use std::ops::{Add, Mul, Sub};

/// One AVX-512 register of f32, two of f64.
const LANES: usize = 16;
/// Independent accumulators: as many registers as hide the latency of an addition.
const WIDE: usize = 4 * LANES;
/// Elements added in their own precision before the sum goes on in f64.
const BLOCK: usize = 1024;

/// A type that row kernels compute in.
pub trait Wide: Element + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + PartialOrd {
    const LOWEST: Self;
    fn widen(self) -> f64;
    fn narrow(value: f64) -> Self;
}

impl Wide for f32 {
    const LOWEST: f32 = f32::NEG_INFINITY;
    #[inline(always)]
    fn widen(self) -> f64 {
        self as f64
    }
    #[inline(always)]
    fn narrow(value: f64) -> f32 {
        value as f32
    }
}

impl Wide for f64 {
    const LOWEST: f64 = f64::NEG_INFINITY;
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
    #[inline(always)]
    fn narrow(value: f64) -> f64 {
        value
    }
}

/// The first half joined with the second.
#[inline(always)]
fn halve<T: Copy, const N: usize, const HALF: usize>(x: [T; N], join: impl Fn(T, T) -> T) -> [T; HALF] {
    let mut y = [x[0]; HALF];
    for (i, y) in y.iter_mut().enumerate() {
        *y = join(x[i], x[i + HALF]);
    }
    y
}

/// Folds whole parts of `SIZE` elements into as many lanes; returns what is left of the slices.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // iterator adapters are not always inlined across codegen units; indices are
fn fold_parts<'a, T: Copy, const N: usize, const SIZE: usize>(
    x: [&'a [T]; N],
    lanes: &mut [T; SIZE],
    term: impl Fn([T; N]) -> T,
    join: impl Fn(T, T) -> T,
) -> [&'a [T]; N] {
    let n = x[0].len();
    let mut rests = x;
    let mut parts = [x[0].as_chunks::<SIZE>().0; N];
    for k in 0..N {
        (parts[k], rests[k]) = x[k][..n].as_chunks::<SIZE>();
    }
    for part in 0..n / SIZE {
        for i in 0..SIZE {
            let mut elements = [parts[0][part][i]; N];
            for k in 1..N {
                elements[k] = parts[k][part][i];
            }
            lanes[i] = join(lanes[i], term(elements));
        }
    }
    rests
}

/// Folds `term` of the elements of `N` slices of one length. Sizes are constants and loops plain, so that accumulators
/// stay in registers however the crate is compiled.
#[inline(always)]
fn fold<T: Copy, const N: usize>(x: [&[T]; N], start: T, term: impl Fn([T; N]) -> T, join: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; WIDE];
    let rests = fold_parts(x, &mut lanes, &term, &join);
    let mut lanes: [T; LANES] = halve(halve::<T, WIDE, { 2 * LANES }>(lanes, &join), &join);
    let tails = fold_parts(rests, &mut lanes, &term, &join);
    let [a, b] = halve(halve::<T, 8, 4>(halve::<T, LANES, 8>(lanes, &join), &join), &join);
    let mut last = [join(a, b)];
    fold_parts(tails, &mut last, &term, &join);
    last[0]
}

/// The largest element that is not NaN; minus infinity when there is none.
#[inline(always)]
pub fn max<T: Wide>(x: &[T]) -> T {
    join(x, T::LOWEST, |a, b| if b > a { b } else { a })
}

/// All elements and `start` joined by a rule whose order does not matter, such as a maximum.
#[inline(always)]
pub fn join<T: Wide>(x: &[T], start: T, rule: impl Fn(T, T) -> T) -> T {
    fold([x], start, |[x]| x, rule)
}

/// The sum of `term` over the elements of `N` rows of one length.
#[inline(always)]
pub fn sums<T: Wide, const N: usize>(x: [&[T]; N], term: impl Fn([T; N]) -> T) -> f64 {
    let n = x[0].len();
    let mut total = 0.0;
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        let mut block = x;
        block.iter_mut().for_each(|x| *x = &x[start..end]);
        total += fold(block, T::default(), &term, |a, b| a + b).widen();
    }
    total
}

/// The sum of `term(x)`.
#[inline(always)]
pub fn sum<T: Wide>(x: &[T], term: impl Fn(T) -> T) -> f64 {
    sums([x], |[x]| term(x))
}

/// `y = map(x)`, and the sum of what was written.
#[inline(always)]
pub fn map_sum<T: Wide>(x: &[T], y: &mut [T], map: impl Fn(T) -> T) -> f64 {
    let mut total = 0.0;
    for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = map(x);
        }
        total += sum(y, |y| y);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_maxima_agree_with_plain_folds_at_every_length() {
        for n in (0..70).chain([511, 512, 513, 5000]) {
            let x: Vec<f64> = (0..n).map(|i| ((i * 37 % 101) as f64) - 50.0).collect();
            let mut y = vec![0.0; n];
            let plain: f64 = x.iter().sum();
            assert_eq!(sum(&x, |x| x), plain);
            assert_eq!(sums([&x, &x], |[x, y]| x * y), x.iter().map(|x| x * x).sum::<f64>());
            assert_eq!(sums([&x, &x, &x], |[x, _, z]| x - 2.0 * z), -plain);
            assert_eq!(map_sum(&x, &mut y, |x| 2.0 * x), 2.0 * plain);
            assert_eq!(max(&x), x.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
    }

    #[test]
    fn long_f32_sums_lose_little() {
        let x = vec![0.1f32; 1_000_000];
        assert!((sum(&x, |x| x) - 1e6 * 0.1f32 as f64).abs() < 0.1);
    }
}
