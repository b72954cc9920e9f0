//! What the machine can do at most now, on as many threads as ops use: the bounds that a kernel is judged by.

use super::gemm::{Strided, multiply_block};
use super::level::leveled;
use super::parts::for_each_item;
use super::pool::{for_each_chunk, num_threads};
use super::scratch::Scratch;
use super::{rows, stream};
use crate::error::{Error, Result};
use std::hint::black_box;
use std::time::Instant;

/// Each a second, of all threads together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roof {
    /// Multiplications and additions of f32 on operands in the first-level cache.
    pub flops: f64,
    /// Bytes read, and bytes written, over and over in memory of the size that was asked for.
    pub read: f64,
    pub write: f64,
}

/// Rows, columns and depth of a product whose operands fit a first-level cache of 48 KiB.
const PRODUCT: [usize; 3] = [32, 48, 128];
/// Enough for a clock; in emulation a few must do.
const PRODUCTS: usize = if cfg!(test) { 10 } else { 1000 };
/// Tasks for each thread, so that one that is held up for a moment holds up little.
const SHARES: usize = 8;
/// Elements read or written by one task.
const PART: usize = 1 << 14;
/// Bytes moved between two looks at the clock, at least.
const MOVED: usize = if cfg!(test) { 1 << 16 } else { 1 << 25 };
const TRIALS: usize = 5;

leveled! {
    fn sum(x: &[f32]) -> f64 {
        rows::sum(x, |x| x)
    }
}

/// The shortest time that `work` took.
fn least_seconds(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..TRIALS {
        let start = Instant::now();
        work()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least.max(f64::MIN_POSITIVE))
}

fn flops() -> Result<f64> {
    let [m, n, k] = PRODUCT;
    let tasks = num_threads() * SHARES;
    let seconds = least_seconds(|| {
        for_each_item(0..tasks, |_| {
            let (a, b) = (Scratch::<f32>::zeroed("roofline", m * k)?, Scratch::<f32>::zeroed("roofline", k * n)?);
            let mut c = Scratch::<f32>::zeroed("roofline", m * n)?;
            for _ in 0..PRODUCTS {
                multiply_block(PRODUCT, (&mut c, n), false, Strided::rows(&a, k), Strided::rows(&b, n))?;
            }
            Ok(())
        })
    })?;
    Ok((2 * m * n * k * PRODUCTS * tasks) as f64 / seconds)
}

/// Measures for about a tenth of a second, with `bytes` of temporary memory.
pub fn roof(bytes: usize) -> Result<Roof> {
    let count = bytes / size_of::<f32>();
    if count == 0 {
        return Err(Error::value("roofline", format!("expected at least {} bytes, got {bytes}", size_of::<f32>())));
    }
    let mut memory = Scratch::<f32>::zeroed("roofline", count)?;
    let repeats = (MOVED / bytes).max(1);
    let moved = (repeats * count * size_of::<f32>()) as f64;
    let write = least_seconds(|| {
        (0..repeats).try_for_each(|i| {
            for_each_chunk(&mut memory[..count], PART, |_, part| match stream::is_worthwhile(bytes) {
                true => stream::through(part, |_, block| block.fill(i as f32)),
                false => part.fill(i as f32),
            })
        })
    })?;
    let read = least_seconds(|| {
        (0..repeats).try_for_each(|_| {
            for_each_item(memory[..count].chunks(PART), |part| {
                black_box(sum(part));
                Ok(())
            })
        })
    })?;
    Ok(Roof { flops: flops()?, read: moved / read, write: moved / write })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roofs_are_figures_and_nonsense_is_refused() {
        for bytes in [4, 5000, 1 << 20] {
            let Roof { flops, read, write } = roof(bytes).unwrap();
            assert!([flops, read, write].iter().all(|x| x.is_finite() && *x > 0.0), "{flops} {read} {write}");
        }
        assert!(matches!(roof(3), Err(Error::Value(_))));
        assert!(matches!(roof(1 << 50), Err(Error::Memory(_))));
    }
}
