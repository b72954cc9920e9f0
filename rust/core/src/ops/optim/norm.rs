//! The norm of many tensors as one vector, for clipping.

use crate::cpu::level::leveled;
use crate::cpu::pool::for_each_chunk;
use crate::dispatch;
use crate::dtype::{Element, bf16, f16};
use crate::error::{Error, Result};
use crate::ops::{copy, host_only};
use crate::tensor::Tensor;

/// Elements per task.
const GRAIN: usize = 16 * 1024;

/// The Euclidean norm of all tensors together, summed in f64 over a fixed tree.
pub fn global_norm(tensors: &[Tensor]) -> Result<f64> {
    let op = "global_norm";
    let mut sums = Vec::new();
    for x in tensors {
        host_only(op, x)?;
        let x = copy::contiguous(&x.detach())?;
        dispatch!(x.dtype(), op, [float], T => square_sums::<T>(x.slice()?, &mut sums))?;
    }
    Ok(tree_sum(sums).sqrt())
}

/// A type whose squares are summed in f64.
trait Squared: Element {
    fn squares(x: &[Self]) -> f64;
}

macro_rules! squared {
    ($($t:ident: |$x:ident| $square:expr;)*) => { $(
        impl Squared for $t {
            fn squares(x: &[$t]) -> f64 {
                leveled! {
                    fn squares(x: &[$t]) -> f64 {
                        let mut lanes = [0f64; 16];
                        let (whole, rest) = x.as_chunks::<16>();
                        for x in whole {
                            lanes.iter_mut().zip(x).for_each(|(sum, &$x)| *sum += $square);
                        }
                        let tail = rest.iter().map(|&$x| $square).sum::<f64>();
                        lanes.iter().sum::<f64>() + tail
                    }
                }
                squares(x)
            }
        }
    )* };
}
squared! {
    f32: |x| x as f64 * x as f64;
    f64: |x| x * x;
    f16: |x| x.to_f64() * x.to_f64();
    bf16: |x| x.to_f64() * x.to_f64();
}

/// Adds the sum of squares of every part to the list.
fn square_sums<T: Squared>(x: &[T], sums: &mut Vec<f64>) -> Result<()> {
    let (first, count) = (sums.len(), x.len().div_ceil(GRAIN));
    let full = |_| Error::memory("global_norm", "cannot list the parts of the tensors");
    sums.try_reserve(count).map_err(full)?;
    sums.resize(first + count, 0.0);
    for_each_chunk(&mut sums[first..], 1, |i, sum| {
        let start = i * GRAIN;
        sum[0] = T::squares(&x[start..(start + GRAIN).min(x.len())]);
    })
}

/// Neighbours added pairwise until one is left.
fn tree_sum(mut sums: Vec<f64>) -> f64 {
    while sums.len() > 1 {
        for i in 0..sums.len().div_ceil(2) {
            sums[i] = sums[2 * i] + sums.get(2 * i + 1).copied().unwrap_or(0.0);
        }
        sums.truncate(sums.len().div_ceil(2));
    }
    sums.first().copied().unwrap_or(0.0)
}
