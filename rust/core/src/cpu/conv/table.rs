//! The kernels of each element type at each level, as tables of functions.

use super::kernel::{Fill, Gather, Tile, Turn, fill, gather, tile, turn};
use super::scatter::{Scatter, scatter};
use super::sweep::{Dots, Largest, Sweep, dots, largest, sweep};
use crate::cpu::gemm::vector::Vector;
#[cfg(not(target_arch = "aarch64"))]
use crate::cpu::gemm::vector::portable::Lanes;
#[cfg(target_arch = "x86_64")]
use crate::cpu::level::{Level, level};
use crate::dtype::Element;
use bytemuck::Pod;
use std::ops::AddAssign;

type Run<T> = unsafe fn(&Tile<T>);

/// The kernels of one element type at one level.
pub struct Kernels<T: 'static> {
    /// Elements in a register.
    pub lanes: usize,
    /// `tiles[r - 1][n - 1]` computes `r` rows by `n` registers.
    pub tiles: &'static [&'static [Run<T>]],
    /// The largest tiles: rows and registers that leave room for the operands.
    shapes: &'static [(usize, usize)],
    pub gather: for<'a> unsafe fn(&Gather<'a, T>),
    pub fill: for<'a> unsafe fn(&Fill<'a, T>),
    pub turn: unsafe fn(&Turn<T>),
    pub scatter: for<'a> unsafe fn(&Scatter<'a, T>),
    pub sweep: unsafe fn(&Sweep<T>),
    pub largest: unsafe fn(&Largest<T>),
    /// `dots[g - 1]` takes `g` taps.
    pub dots: &'static [unsafe fn(&Dots<T>)],
}

impl<T> Kernels<T> {
    /// Rows and registers of the largest tile, out of those that fit, that suits `m` rows and `n` columns best.
    pub fn shape(&self, m: usize, n: usize) -> (usize, usize) {
        let columns = n.div_ceil(self.lanes);
        // Half cycles of a step: two multiplications or two loads a cycle, none below the latency.
        let step = |rows: usize, n: usize| if n == 0 { 0 } else { (rows * n).max(rows + n).max(8) + 1 };
        let cost = |&&(rows, n): &&(usize, usize)| {
            let down = m.div_ceil(rows);
            down * (columns / n * step(m.div_ceil(down.max(1)), n) + step(m.div_ceil(down.max(1)), columns % n))
        };
        *self.shapes.iter().min_by_key(cost).unwrap_or(&(1, 1))
    }
}

/// An element type that convolutions compute in.
pub trait Float: Element + Pod + AddAssign {
    /// The kernels for this machine's level.
    fn kernels() -> &'static Kernels<Self>;
}

/// Compiles the kernels with the instructions of one level and lists them.
macro_rules! compile {
    ($level:ident, [$($enable:meta)?], $shapes:tt, [$($r:literal: $n:tt)*]) => {
        mod $level {
            use super::*;

            $(#[$enable])?
            unsafe fn run_tile<V: Vector, const R: usize, const N: usize>(x: &Tile<V::Element>) {
                // SAFETY: the caller's promise; this level's instructions are enabled.
                unsafe { tile::<V, R, N>(x) }
            }

            $(#[$enable])?
            unsafe fn run_gather<V: Vector>(x: &Gather<V::Element>) {
                // SAFETY: as above.
                unsafe { gather::<V>(x) }
            }

            $(#[$enable])?
            unsafe fn run_fill<V: Vector>(x: &Fill<V::Element>) {
                // SAFETY: as above.
                unsafe { fill::<V>(x) }
            }

            $(#[$enable])?
            unsafe fn run_turn<V: Vector, const N: usize>(x: &Turn<V::Element>) {
                // SAFETY: as above.
                unsafe { turn::<V, N>(x) }
            }

            $(#[$enable])?
            unsafe fn run_scatter<V: Vector>(x: &Scatter<V::Element>) {
                // SAFETY: as above.
                unsafe { scatter::<V>(x) }
            }

            $(#[$enable])?
            unsafe fn run_sweep<V: Vector>(x: &Sweep<V::Element>) {
                // SAFETY: as above.
                unsafe { sweep::<V>(x) }
            }

            $(#[$enable])?
            unsafe fn run_largest<V: Vector>(x: &Largest<V::Element>) {
                // SAFETY: as above.
                unsafe { largest::<V>(x) }
            }

            $(#[$enable])?
            unsafe fn run_dots<V: Vector, const G: usize>(x: &Dots<V::Element>) {
                // SAFETY: as above.
                unsafe { dots::<V, G>(x) }
            }

            pub const fn kernels<V: Vector + 'static, const N: usize>() -> Kernels<V::Element> {
                Kernels {
                    lanes: N,
                    tiles: &[$(compile!(@row V, $r, $n)),*],
                    shapes: &$shapes,
                    gather: run_gather::<V>,
                    fill: run_fill::<V>,
                    turn: run_turn::<V, N>,
                    scatter: run_scatter::<V>,
                    sweep: run_sweep::<V>,
                    largest: run_largest::<V>,
                    dots: compile!(@dots V, [1 2 3 4 5 6 7 8 9]),
                }
            }
        }
    };
    (@row $v:ident, $r:literal, [$($n:literal)*]) => { &[$(run_tile::<$v, $r, $n>),*] };
    (@dots $v:ident, [$($g:literal)*]) => { &[$(run_dots::<$v, $g>),*] };
}

#[cfg(target_arch = "x86_64")]
compile!(avx512, [target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")],
    [(8, 3), (6, 4)],
    [1: [1 2 3 4] 2: [1 2 3 4] 3: [1 2 3 4] 4: [1 2 3 4] 5: [1 2 3 4] 6: [1 2 3 4] 7: [1 2 3] 8: [1 2 3]]);
#[cfg(target_arch = "x86_64")]
compile!(avx2, [target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")],
    [(6, 2), (4, 3)],
    [1: [1 2 3] 2: [1 2 3] 3: [1 2 3] 4: [1 2 3] 5: [1 2] 6: [1 2]]);
#[cfg(target_arch = "aarch64")]
compile!(neon, [],
    [(8, 3), (6, 4)],
    [1: [1 2 3 4] 2: [1 2 3 4] 3: [1 2 3 4] 4: [1 2 3 4] 5: [1 2 3 4] 6: [1 2 3 4] 7: [1 2 3] 8: [1 2 3]]);
#[cfg(not(target_arch = "aarch64"))]
compile!(portable, [], [(4, 2)], [1: [1 2] 2: [1 2] 3: [1 2] 4: [1 2]]);

macro_rules! float {
    ($t:ty, $avx512:ident $in_avx512:literal, $avx2:ident $in_avx2:literal, $neon:ident $in_neon:literal, $portable:literal) => {
        impl Float for $t {
            #[inline]
            fn kernels() -> &'static Kernels<$t> {
                #[cfg(target_arch = "x86_64")]
                {
                    use std::arch::x86_64::*;
                    const AVX512: &Kernels<$t> = &avx512::kernels::<$avx512, $in_avx512>();
                    const AVX2: &Kernels<$t> = &avx2::kernels::<$avx2, $in_avx2>();
                    const PORTABLE: &Kernels<$t> = &portable::kernels::<Lanes<$t, $portable>, $portable>();
                    match level() {
                        Level::Avx512 => AVX512,
                        Level::Avx2 => AVX2,
                        _ => PORTABLE,
                    }
                }
                #[cfg(target_arch = "aarch64")]
                {
                    const NEON: &Kernels<$t> = &neon::kernels::<std::arch::aarch64::$neon, $in_neon>();
                    NEON
                }
                #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
                {
                    const PORTABLE: &Kernels<$t> = &portable::kernels::<Lanes<$t, $portable>, $portable>();
                    PORTABLE
                }
            }
        }
    };
}
float!(f32, __m512 16, __m256 8, float32x4_t 4, 4);
float!(f64, __m512d 8, __m256d 4, float64x2_t 2, 2);
