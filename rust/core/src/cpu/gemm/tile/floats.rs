//! Float products that the machine's tile unit takes over.

use super::amx::{self, Amx};
use super::multiply;
use crate::cpu::gemm::Start;
use crate::cpu::gemm::entry::{Block, Entry};
use crate::cpu::gemm::tiles::{Part, Target, Tiles};
use crate::cpu::{level, precision};
use crate::dtype::bf16;
use crate::error::Result;

/// Rows, columns and common axis from which rearranging both operands may pay.
const LEAST: usize = 64;
/// Multiplications from which it does, for operands of one part, two and three: what it costs was measured beside
/// vector kernels, what the unit gains is its peak.
const LEAST_WORK: [usize; 3] = [1 << 24, 1 << 28, 1 << 31];

/// A float type that tile units multiply.
pub trait OnTiles: Entry {
    /// How many bf16 stand for a number.
    fn parts() -> usize;

    /// # Safety
    /// As `multiply::run`, on a machine that has the unit.
    unsafe fn multiply_on_tiles(x: &Block<Self>) -> Result<()>;
}

impl OnTiles for f32 {
    fn parts() -> usize {
        precision::parts()
    }

    unsafe fn multiply_on_tiles(x: &Block<f32>) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe {
            match Self::parts() {
                1 => multiply::run::<Amx, f32, 1>(x),
                2 => multiply::run::<Amx, f32, 2>(x),
                _ => multiply::run::<Amx, f32, 3>(x),
            }
        }
    }
}

impl OnTiles for bf16 {
    fn parts() -> usize {
        1
    }

    unsafe fn multiply_on_tiles(x: &Block<bf16>) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { multiply::run::<Amx, bf16, 1>(x) }
    }
}

/// All products of a batch; None where the machine has no tile unit, or it is not worth it.
pub fn run<T: OnTiles>(tiles: &Tiles<T>, start: Start<T>, c: &mut [T]) -> Option<Result<()>> {
    let split = tiles.split;
    let (m, n, k) = (split.m, split.n, split.k);
    let worth = m.min(n).min(k) >= LEAST && m.saturating_mul(n).saturating_mul(k) >= LEAST_WORK[T::parts() - 1];
    if !worth || level::is_capped() || !amx::available() {
        return None;
    }
    let target = Target::new(c);
    Some((0..split.batch).try_for_each(|matrix| {
        let part = Part { matrix, rows: 0..m, columns: 0..n, depths: 0..k };
        // SAFETY: the part is one whole product, which the output holds; the unit is there.
        unsafe { T::multiply_on_tiles(&tiles.block(&part, 0, start, &target)) }
    }))
}
