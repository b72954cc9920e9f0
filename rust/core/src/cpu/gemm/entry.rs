//! What an element type needs to be multiplied in; `f32` and `f64` have kernels of their own.

use super::Start;
use super::real;
use super::table::{Grain, Real};
use super::tiles::Tiles;
use crate::cpu::arena;
use crate::dtype::Element;
use crate::error::Result;

/// A tile: `c = [c +] a b`. Pointers are to the first element; steps are in elements.
pub struct Block<T, C = T> {
    /// Rows of `c`, columns of `c`, length of the common axis.
    pub size: [usize; 3],
    /// The output and its step from row to row; columns lie side by side.
    pub c: (*mut C, isize),
    /// What the product is added to, and its step from row to row; null for zero. It may be `c` itself.
    pub from: (*const C, isize),
    /// An operand, its row step and its column step.
    pub a: (*const T, isize, isize),
    pub b: (*const T, isize, isize),
}

/// An element type that matrices can be multiplied in.
pub trait Entry: Element {
    /// Whether sums of a few partial products are as good as one sum.
    const EXACT: bool = true;

    fn plus(self, other: Self) -> Self;

    /// Rows and columns that the kernels compute at once, for a product of `m` rows and `n` columns.
    fn grain(_m: usize, _n: usize) -> Grain {
        Grain { rows: 16, columns: 16 }
    }

    /// Does all products on a unit beside the processor's vectors; None where there is none, or it is of no use.
    fn run_on_unit(_: &Tiles<Self>, _: Start<Self>, _: &mut [Self]) -> Option<Result<()>> {
        None
    }

    /// Does all tiles after rearranging what several of them need; None where that is of no use.
    fn run_shared(_: &Tiles<Self>, _: Start<Self>, _: &mut [Self]) -> Option<Result<()>> {
        None
    }

    /// # Safety
    /// Every element that the block describes must be valid, and those of `c` be the caller's alone.
    unsafe fn multiply(block: Block<Self>) -> Result<()>;
}

/// The elements of a scratch block.
pub fn typed_mut<T: Element>(block: &mut arena::Block) -> &mut [T] {
    // SAFETY: arena blocks are aligned for every element type and initialised; the length is floored.
    unsafe { std::slice::from_raw_parts_mut(block.as_mut_ptr().cast(), block.len() / size_of::<T>()) }
}

macro_rules! by_kernels {
    ($($t:ty $(, $on_unit:path)?);*) => {$(
        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn grain(m: usize, n: usize) -> Grain {
                <$t>::kernels().grain(m, n)
            }

            $(#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            fn run_on_unit(tiles: &Tiles<Self>, start: Start<Self>, c: &mut [Self]) -> Option<Result<()>> {
                $on_unit(tiles, start, c)
            })?

            fn run_shared(tiles: &Tiles<Self>, start: Start<Self>, c: &mut [Self]) -> Option<Result<()>> {
                tiles.run_shared_panels(start, c)
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                // SAFETY: the caller's promise.
                unsafe { real::multiply(x, None) }
            }
        }
    )*};
}
by_kernels!(f32, super::tile::floats::run; f64);

/// Writes what the product is added to into `c`; false where that is zero.
///
/// # Safety
/// As `Entry::multiply`.
pub unsafe fn begin<T: Element>(x: &Block<T>) -> bool {
    if x.from.0.is_null() {
        return false;
    }
    if x.from.0 != x.c.0.cast_const() {
        for row in 0..x.size[0] as isize {
            // SAFETY: the caller's promise; what is not `c` itself does not overlap it.
            unsafe {
                std::ptr::copy_nonoverlapping(x.from.0.offset(row * x.from.1), x.c.0.offset(row * x.c.1), x.size[1]);
            }
        }
    }
    true
}

/// Rows of a panel; with `DEPTH` columns of f32 it fits the second-level cache.
pub const PANEL: usize = 128;
pub const DEPTH: usize = 512;

/// The block cut into panels of at most `PANEL x PANEL x DEPTH`, with row, column and depth of each corner; depth innermost.
pub fn panels(size: [usize; 3]) -> impl Iterator<Item = ([usize; 3], [usize; 3])> {
    let [m, n, k] = size;
    let corners = (0..m).step_by(PANEL).flat_map(move |i| (0..n).step_by(PANEL).map(move |j| (i, j)));
    corners.flat_map(move |(i, j)| {
        (0..k).step_by(DEPTH).map(move |p| ([i, j, p], [PANEL.min(m - i), PANEL.min(n - j), DEPTH.min(k - p)]))
    })
}
