//! The registers of AVX-512 and of AVX2 with FMA.

use super::Vector;
use std::arch::x86_64::*;

// SAFETY of every block here: the trait's promise about instructions and pointers.
macro_rules! avx512 {
    ($vector:ty, $t:ty, $mask:ty, $lanes:literal, $splat:ident, $load:ident, $load_part:ident, $store:ident,
     $store_part:ident, $fma:ident, $add:ident, $sum:ident, $mix:ident, $index:ty, $low:expr, $high:expr,
     $evens:expr, $compare:ident, $blend:ident) => {
        impl Vector for $vector {
            type Element = $t;
            type Mask = $mask;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: as above.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn mask(lanes: usize) -> $mask {
                <$mask>::MAX >> ($lanes - lanes)
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: as above.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn load_part(from: *const $t, mask: $mask) -> Self {
                // SAFETY: as above.
                unsafe { $load_part(mask, from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: as above.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn store_part(self, to: *mut $t, mask: $mask) {
                // SAFETY: as above.
                unsafe { $store_part(to, mask, self) }
            }
            #[inline(always)]
            unsafe fn fma(self, factor: Self, addend: Self) -> Self {
                // SAFETY: as above.
                unsafe { $fma(self, factor, addend) }
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
                const LOW: $index = $low;
                const HIGH: $index = $high;
                // SAFETY: as above; an index array is as long as a register.
                unsafe {
                    let (low, high) =
                        (_mm512_loadu_si512(LOW.as_ptr().cast()), _mm512_loadu_si512(HIGH.as_ptr().cast()));
                    ($mix(self, low, other), $mix(self, high, other))
                }
            }
            #[inline(always)]
            unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self {
                // SAFETY: as above.
                unsafe {
                    let greater = $compare::<_CMP_GT_OQ>(self, other) | $compare::<_CMP_UNORD_Q>(self, self);
                    $blend(greater, no, yes)
                }
            }
            #[inline(always)]
            unsafe fn evens(self, other: Self) -> Self {
                const EVENS: $index = $evens;
                // SAFETY: as above; an index array is as long as a register.
                unsafe { $mix(self, _mm512_loadu_si512(EVENS.as_ptr().cast()), other) }
            }
            #[inline(always)]
            unsafe fn prefetch(at: *const $t) {
                // SAFETY: as above; a prefetch never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            unsafe fn prefetch_far(at: *const $t) {
                // SAFETY: as above.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
            }
        }
    };
}

avx512!(
    __m512,
    f32,
    u16,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_storeu_ps,
    _mm512_mask_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_reduce_add_ps,
    _mm512_permutex2var_ps,
    [i32; 16],
    [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23],
    [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31],
    [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30],
    _mm512_cmp_ps_mask,
    _mm512_mask_blend_ps
);
avx512!(
    __m512d,
    f64,
    u8,
    8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_storeu_pd,
    _mm512_mask_storeu_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd,
    _mm512_reduce_add_pd,
    _mm512_permutex2var_pd,
    [i64; 8],
    [0, 8, 1, 9, 2, 10, 3, 11],
    [4, 12, 5, 13, 6, 14, 7, 15],
    [0, 2, 4, 6, 8, 10, 12, 14],
    _mm512_cmp_pd_mask,
    _mm512_mask_blend_pd
);

/// All bits, then none: a window on it is the mask of so many lanes.
static WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

macro_rules! avx2 {
    ($vector:ty, $t:ty, $lanes:literal, $splat:ident, $load:ident, $load_part:ident, $store:ident, $store_part:ident,
     $fma:ident, $add:ident, $low:ident, $high:ident, $halves:ident, $shuffle:ident,
     $evens:literal, $compare:ident, $either:ident, $blend:ident) => {
        impl Vector for $vector {
            type Element = $t;
            type Mask = __m256i;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: as above.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn mask(lanes: usize) -> __m256i {
                let first = ($lanes - lanes.min($lanes)) * (8 / $lanes);
                // SAFETY: the window of eight begins at most eight entries into sixteen.
                unsafe { _mm256_loadu_si256(WINDOW.as_ptr().add(first).cast()) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: as above.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn load_part(from: *const $t, mask: __m256i) -> Self {
                // SAFETY: as above.
                unsafe { $load_part(from, mask) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: as above.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn store_part(self, to: *mut $t, mask: __m256i) {
                // SAFETY: as above.
                unsafe { $store_part(to, mask, self) }
            }
            #[inline(always)]
            unsafe fn fma(self, factor: Self, addend: Self) -> Self {
                // SAFETY: as above.
                unsafe { $fma(self, factor, addend) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: as above.
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                let mut lanes = [0 as $t; $lanes];
                // SAFETY: the array is as long as a register.
                unsafe { $store(lanes.as_mut_ptr(), self) };
                super::portable::pairwise(lanes)
            }
            #[inline(always)]
            unsafe fn interleave(self, other: Self) -> (Self, Self) {
                // SAFETY: as above. Interleaving works within halves, which then change places.
                unsafe {
                    let (even, odd) = ($low(self, other), $high(self, other));
                    ($halves::<0x20>(even, odd), $halves::<0x31>(even, odd))
                }
            }
            #[inline(always)]
            unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self {
                // SAFETY: as above.
                unsafe {
                    let greater = $either($compare::<_CMP_GT_OQ>(self, other), $compare::<_CMP_UNORD_Q>(self, self));
                    $blend(no, yes, greater)
                }
            }
            #[inline(always)]
            #[allow(clippy::useless_transmute)] // of f64 the pairs are what they were
            unsafe fn evens(self, other: Self) -> Self {
                // SAFETY: as above; registers are 32 bytes of any element. Shuffling works within halves, whose
                // pairs of elements then come together.
                unsafe {
                    let pairs: __m256d = std::mem::transmute($shuffle::<$evens>(self, other));
                    std::mem::transmute(_mm256_permute4x64_pd::<0b11_01_10_00>(pairs))
                }
            }
            #[inline(always)]
            unsafe fn prefetch(at: *const $t) {
                // SAFETY: as above; a prefetch never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            unsafe fn prefetch_far(at: *const $t) {
                // SAFETY: as above.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
            }
        }
    };
}

avx2!(
    __m256,
    f32,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_maskload_ps,
    _mm256_storeu_ps,
    _mm256_maskstore_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_unpacklo_ps,
    _mm256_unpackhi_ps,
    _mm256_permute2f128_ps,
    _mm256_shuffle_ps,
    0b10_00_10_00,
    _mm256_cmp_ps,
    _mm256_or_ps,
    _mm256_blendv_ps
);
avx2!(
    __m256d,
    f64,
    4,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_maskload_pd,
    _mm256_storeu_pd,
    _mm256_maskstore_pd,
    _mm256_fmadd_pd,
    _mm256_add_pd,
    _mm256_unpacklo_pd,
    _mm256_unpackhi_pd,
    _mm256_permute2f128_pd,
    _mm256_shuffle_pd,
    0,
    _mm256_cmp_pd,
    _mm256_or_pd,
    _mm256_blendv_pd
);
