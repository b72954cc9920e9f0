//! Sums and maxima along one contiguous row, in a fixed order: lanes within a block, blocks in f64. The order does not
//! depend on the machine's vector width, and every loop vectorises inside `leveled!`.

use crate::dtype::Element;
use std::ops::{Add, Mul, Sub};

/// Independent accumulators: one AVX-512 register of f32, two of f64.
const LANES: usize = 16;
/// Elements added in their own precision before the sum goes on in f64.
const BLOCK: usize = 512;

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

/// Folds the lanes pairwise: the first half with the second, until one is left.
#[inline(always)]
fn join<T: Copy>(mut lanes: [T; LANES], both: impl Fn(T, T) -> T) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = both(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest element that is not NaN; minus infinity when there is none.
#[inline(always)]
pub fn max<T: Wide>(x: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let mut lanes = [T::LOWEST; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, x);
        }
    }
    rest.iter().fold(join(lanes, larger), |a, &b| larger(a, b))
}

/// The sum of `term(x)`.
#[inline(always)]
pub fn sum<T: Wide>(x: &[T], term: impl Fn(T) -> T) -> f64 {
    let mut total = 0.0;
    for block in x.chunks(BLOCK) {
        let mut lanes = [T::default(); LANES];
        let chunks = block.chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = *lane + term(x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = *lane + term(x);
        }
        total += join(lanes, |a, b| a + b).widen();
    }
    total
}

/// The sum of `term(x, y)` over two rows of one length.
#[inline(always)]
pub fn sum2<T: Wide>(x: &[T], y: &[T], term: impl Fn(T, T) -> T) -> f64 {
    let mut total = 0.0;
    for (x, y) in x.chunks(BLOCK).zip(y.chunks(BLOCK)) {
        let mut lanes = [T::default(); LANES];
        let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
        let (x_rest, y_rest) = (xs.remainder(), ys.remainder());
        for (x, y) in xs.zip(ys) {
            for (lane, (&x, &y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
                *lane = *lane + term(x, y);
            }
        }
        for (lane, (&x, &y)) in lanes.iter_mut().zip(x_rest.iter().zip(y_rest)) {
            *lane = *lane + term(x, y);
        }
        total += join(lanes, |a, b| a + b).widen();
    }
    total
}

/// The sum of three factors along rows of one length.
#[inline(always)]
pub fn sum3<T: Wide>(x: &[T], y: &[T], z: &[T], term: impl Fn(T, T, T) -> T) -> f64 {
    let mut total = 0.0;
    for ((x, y), z) in x.chunks(BLOCK).zip(y.chunks(BLOCK)).zip(z.chunks(BLOCK)) {
        let mut lanes = [T::default(); LANES];
        for ((x, y), z) in x.chunks(LANES).zip(y.chunks(LANES)).zip(z.chunks(LANES)) {
            for (lane, ((&x, &y), &z)) in lanes.iter_mut().zip(x.iter().zip(y).zip(z)) {
                *lane = *lane + term(x, y, z);
            }
        }
        total += join(lanes, |a, b| a + b).widen();
    }
    total
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
            assert_eq!(sum2(&x, &x, |x, y| x * y), x.iter().map(|x| x * x).sum::<f64>());
            assert_eq!(sum3(&x, &x, &x, |x, _, z| x - 2.0 * z), -plain);
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
