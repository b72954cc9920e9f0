//! One vector register of an element type: what the kernels are written in, once for all instruction sets.

#[cfg(target_arch = "aarch64")]
pub mod neon;
#[cfg(not(target_arch = "aarch64"))]
pub mod portable;
#[cfg(target_arch = "x86_64")]
pub mod x86;

use crate::dtype::Element;
use std::ops::Add;

/// A register of `LANES` elements.
///
/// # Safety
/// Every method is `#[inline(always)]` and must end up in a function compiled with the register's instructions, on a
/// processor that has them. Pointers must be valid for the lanes they are asked for.
pub trait Vector: Copy {
    type Element: Element + Add<Output = Self::Element>;
    /// The first so many lanes.
    type Mask: Copy;
    const LANES: usize;

    unsafe fn splat(x: Self::Element) -> Self;
    /// From 1 to all lanes.
    unsafe fn mask(lanes: usize) -> Self::Mask;
    unsafe fn load(from: *const Self::Element) -> Self;
    /// Lanes outside the mask are not read and become zero.
    unsafe fn load_part(from: *const Self::Element, mask: Self::Mask) -> Self;
    unsafe fn store(self, to: *mut Self::Element);
    /// Lanes outside the mask are not written.
    unsafe fn store_part(self, to: *mut Self::Element, mask: Self::Mask);
    /// `self * factor + addend`, rounded once where the processor can.
    unsafe fn fma(self, factor: Self, addend: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    /// The sum of all lanes, in a fixed order.
    unsafe fn sum(self) -> Self::Element;
    /// Lanes of the lower halves in turn, then those of the upper halves.
    unsafe fn interleave(self, other: Self) -> (Self, Self);
    /// Lanes of `yes` where `self` is greater than `other` or not a number, else of `no`.
    unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self;
    /// Every second lane, those of `self` first.
    unsafe fn evens(self, other: Self) -> Self;
    /// Asks for the cache line at an address that may be invalid.
    #[inline(always)]
    unsafe fn prefetch(_: *const Self::Element) {}
    /// The same, but not into the first-level cache.
    #[inline(always)]
    unsafe fn prefetch_far(_: *const Self::Element) {}
}

/// The first `count` rows as one list of their columns: log2(count) rounds of interleaving rows half the block apart.
/// All `N = LANES` of them are transposed.
#[inline(always)]
pub unsafe fn interleaved<V: Vector, const N: usize>(mut rows: [V; N], count: usize) -> [V; N] {
    for _ in 0..count.ilog2() {
        let before = rows;
        for i in 0..count / 2 {
            // SAFETY: the caller answers for the instructions.
            (rows[2 * i], rows[2 * i + 1]) = unsafe { before[i].interleave(before[i + count / 2]) };
        }
    }
    rows
}
