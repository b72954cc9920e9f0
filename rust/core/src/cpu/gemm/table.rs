//! The kernels of each element type at each level, as tables of functions.

use super::kernel::{Tile, dots, outer};
use super::pack::{Panels, pack};
use super::vector::Vector;
#[cfg(not(target_arch = "aarch64"))]
use super::vector::portable::Lanes;
#[cfg(target_arch = "x86_64")]
use crate::cpu::level::{Level, level};
use crate::dtype::Element;
use std::ops::Add;

pub type Run<T> = unsafe fn(&Tile<T>);

/// The kernels of one element type at one level.
pub struct Kernels<T: 'static> {
    /// Elements in a register.
    pub lanes: usize,
    /// `outer[r - 1][n - 1]` computes `r` rows by `n` registers.
    pub outer: &'static [&'static [Run<T>]],
    /// The largest tiles: rows and registers that leave room for the operands.
    shapes: &'static [(usize, usize)],
    /// `dots[r - 1][n - 1]` computes `r` rows by `n` columns.
    pub dots: &'static [&'static [Run<T>]],
    pub pack: unsafe fn(&Panels<T>),
}

/// Rows and columns of the tiles that a product is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grain {
    pub rows: usize,
    pub columns: usize,
}

impl<T> Kernels<T> {
    /// The largest tile, out of those the registers hold, that suits `m` rows and `n` columns best.
    pub fn grain(&self, m: usize, n: usize) -> Grain {
        let columns = n.div_ceil(self.lanes);
        // Half cycles of a step along the common axis: two multiplications or two loads a cycle, none below the latency;
        // elements of `a` cost a little more than registers of `b`.
        let step = |rows: usize, n: usize| if n == 0 { 0 } else { (rows * n).max(rows + n).max(8) + rows / 4 };
        let cost = |&&(rows, n): &&(usize, usize)| {
            let down = m.div_ceil(rows);
            let each = m.div_ceil(down.max(1));
            down * (columns / n * step(each, n) + step(each, columns % n))
        };
        let (rows, n) = *self.shapes.iter().min_by_key(cost).unwrap_or(&(1, 1));
        Grain { rows, columns: n * self.lanes }
    }
}

/// An element type with kernels of its own.
pub trait Real: Element + Add<Output = Self> {
    /// The kernels for this machine's level.
    fn kernels() -> &'static Kernels<Self>;
}

/// Compiles the kernels with the instructions of one level and lists them.
macro_rules! compile {
    ($level:ident, [$($enable:meta)?], $shapes:tt, outer $outer:tt, dots $dots:tt) => {
        mod $level {
            use super::*;

            $(#[$enable])?
            unsafe fn run_outer<V: Vector, const R: usize, const N: usize>(tile: &Tile<V::Element>) {
                // SAFETY: the caller's promise; this level's instructions are enabled.
                unsafe { outer::<V, R, N>(tile) }
            }

            $(#[$enable])?
            unsafe fn run_dots<V: Vector, const R: usize, const N: usize>(tile: &Tile<V::Element>) {
                // SAFETY: as above.
                unsafe { dots::<V, R, N>(tile) }
            }

            $(#[$enable])?
            unsafe fn run_pack<V: Vector, const N: usize>(panels: &Panels<V::Element>) {
                // SAFETY: as above.
                unsafe { pack::<V, N>(panels) }
            }

            pub const fn kernels<V: Vector + 'static, const N: usize>() -> Kernels<V::Element> {
                Kernels {
                    lanes: N,
                    outer: compile!(@rows run_outer, V, $outer),
                    dots: compile!(@rows run_dots, V, $dots),
                    shapes: &$shapes,
                    pack: run_pack::<V, N>,
                }
            }
        }
    };
    (@rows $run:ident, $v:ident, [$($r:literal: $n:tt)*]) => { &[$(compile!(@row $run, $v, $r, $n)),*] };
    (@row $run:ident, $v:ident, $r:literal, [$($n:literal)*]) => { &[$($run::<$v, $r, $n>),*] };
}

#[cfg(target_arch = "x86_64")]
compile!(avx512, [target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")],
    [(8, 3), (6, 4)],
    outer [1: [1 2 3 4] 2: [1 2 3 4] 3: [1 2 3 4] 4: [1 2 3 4] 5: [1 2 3 4] 6: [1 2 3 4] 7: [1 2 3] 8: [1 2 3]],
    dots [1: [1 2 3 4] 2: [1 2 3 4] 3: [1 2 3 4] 4: [1 2 3 4]]);
#[cfg(target_arch = "x86_64")]
compile!(avx2, [target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")],
    [(6, 2), (4, 3)],
    outer [1: [1 2 3] 2: [1 2 3] 3: [1 2 3] 4: [1 2 3] 5: [1 2] 6: [1 2]],
    dots [1: [1 2] 2: [1 2] 3: [1 2] 4: [1 2]]);
#[cfg(target_arch = "aarch64")]
compile!(neon, [],
    [(8, 3), (6, 4)],
    outer [1: [1 2 3 4] 2: [1 2 3 4] 3: [1 2 3 4] 4: [1 2 3 4] 5: [1 2 3 4] 6: [1 2 3 4] 7: [1 2 3] 8: [1 2 3]],
    dots [1: [1 2 3 4] 2: [1 2 3 4] 3: [1 2 3 4] 4: [1 2 3 4]]);
#[cfg(not(target_arch = "aarch64"))]
compile!(portable, [],
    [(4, 2)],
    outer [1: [1 2] 2: [1 2] 3: [1 2] 4: [1 2]],
    dots [1: [1 2] 2: [1 2] 3: [1 2] 4: [1 2]]);

macro_rules! real {
    ($t:ty, $avx512:ident $in_avx512:literal, $avx2:ident $in_avx2:literal, $neon:ident $in_neon:literal, $portable:literal) => {
        impl Real for $t {
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
real!(f32, __m512 16, __m256 8, float32x4_t 4, 4);
real!(f64, __m512d 8, __m256d 4, float64x2_t 2, 2);
