//! Registers as plain arrays, for machines without a kernel of their own: the compiler finds the instructions.

use super::Vector;
use crate::dtype::Element;
use std::ops::{Add, Mul};

/// `N` elements; 16 bytes, what every vector unit has.
#[derive(Clone, Copy)]
pub struct Lanes<T, const N: usize>([T; N]);

/// The sum of the halves of a power of two of elements, halved again and again.
#[inline(always)]
pub fn pairwise<T: Copy + Add<Output = T>, const N: usize>(mut lanes: [T; N]) -> T {
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = lanes[i] + lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

impl<T, const N: usize> Vector for Lanes<T, N>
where
    T: Element + Add<Output = T> + Mul<Output = T> + PartialOrd,
{
    type Element = T;
    type Mask = usize;
    const LANES: usize = N;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Lanes([x; N])
    }
    #[inline(always)]
    unsafe fn mask(lanes: usize) -> usize {
        lanes
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller vouches for all lanes.
        Lanes(unsafe { from.cast::<[T; N]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_part(from: *const T, lanes: usize) -> Self {
        // SAFETY: the caller vouches for the lanes inside the mask.
        Lanes(std::array::from_fn(|i| if i < lanes { unsafe { *from.add(i) } } else { T::default() }))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller vouches for all lanes.
        unsafe { to.cast::<[T; N]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut T, lanes: usize) {
        for (i, &x) in self.0.iter().enumerate().take(lanes) {
            // SAFETY: the caller vouches for the lanes inside the mask.
            unsafe { *to.add(i) = x }
        }
    }
    #[inline(always)]
    unsafe fn fma(self, factor: Self, addend: Self) -> Self {
        Lanes(std::array::from_fn(|i| self.0[i] * factor.0[i] + addend.0[i]))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Lanes(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    unsafe fn sum(self) -> T {
        pairwise(self.0)
    }
    #[inline(always)]
    unsafe fn interleave(self, other: Self) -> (Self, Self) {
        let mixed = |i: usize| if i % 2 == 0 { self.0[i / 2] } else { other.0[i / 2] };
        (Lanes(std::array::from_fn(mixed)), Lanes(std::array::from_fn(|i| mixed(i + N))))
    }
    #[inline(always)]
    unsafe fn evens(self, other: Self) -> Self {
        Lanes(std::array::from_fn(|i| if 2 * i < N { self.0[2 * i] } else { other.0[2 * i - N] }))
    }
    #[inline(always)]
    #[allow(clippy::eq_op)]
    unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self {
        let greater = |i: usize| self.0[i] > other.0[i] || self.0[i] != self.0[i];
        Lanes(std::array::from_fn(|i| if greater(i) { yes.0[i] } else { no.0[i] }))
    }
}
