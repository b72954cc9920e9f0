//! The registers of NEON, which every AArch64 has.

use super::Vector;
use std::arch::aarch64::*;

macro_rules! neon {
    ($vector:ty, $t:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $fma:ident, $add:ident, $sum:ident,
     $low:ident, $high:ident, $evens:ident,
     $greater:ident, $equal:ident, $choose:ident) => {
        impl Vector for $vector {
            type Element = $t;
            type Mask = usize;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: NEON is part of the architecture; so in every block here.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn mask(lanes: usize) -> usize {
                lanes
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller vouches for all lanes.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn load_part(from: *const $t, lanes: usize) -> Self {
                let mut all = [0 as $t; $lanes];
                // SAFETY: the caller vouches for the lanes inside the mask, and the array is as long as a register.
                unsafe {
                    std::ptr::copy_nonoverlapping(from, all.as_mut_ptr(), lanes);
                    $load(all.as_ptr())
                }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller vouches for all lanes.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn store_part(self, to: *mut $t, lanes: usize) {
                let mut all = [0 as $t; $lanes];
                // SAFETY: the array is as long as a register, and the caller vouches for the lanes inside the mask.
                unsafe {
                    $store(all.as_mut_ptr(), self);
                    std::ptr::copy_nonoverlapping(all.as_ptr(), to, lanes);
                }
            }
            #[inline(always)]
            unsafe fn fma(self, factor: Self, addend: Self) -> Self {
                // SAFETY: as above.
                unsafe { $fma(addend, self, factor) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: as above.
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                // SAFETY: as above.
                unsafe { $sum(self) }
            }
            #[inline(always)]
            unsafe fn interleave(self, other: Self) -> (Self, Self) {
                // SAFETY: as above.
                unsafe { ($low(self, other), $high(self, other)) }
            }
            #[inline(always)]
            unsafe fn evens(self, other: Self) -> Self {
                // SAFETY: as above.
                unsafe { $evens(self, other) }
            }
            #[inline(always)]
            unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self {
                // SAFETY: as above.
                unsafe {
                    let number = $equal(self, self);
                    $choose(number, $choose($greater(self, other), yes, no), yes)
                }
            }
        }
    };
}

neon!(
    float32x4_t,
    f32,
    4,
    vdupq_n_f32,
    vld1q_f32,
    vst1q_f32,
    vfmaq_f32,
    vaddq_f32,
    vaddvq_f32,
    vzip1q_f32,
    vzip2q_f32,
    vuzp1q_f32,
    vcgtq_f32,
    vceqq_f32,
    vbslq_f32
);
neon!(
    float64x2_t,
    f64,
    2,
    vdupq_n_f64,
    vld1q_f64,
    vst1q_f64,
    vfmaq_f64,
    vaddq_f64,
    vaddvq_f64,
    vzip1q_f64,
    vzip2q_f64,
    vuzp1q_f64,
    vcgtq_f64,
    vceqq_f64,
    vbslq_f64
);
