//! Row kernels: the row is read for its maximum, then once more for everything else while it is still in cache.

use super::RowFunction::{self, LogSoftmax, LogSumExp, Softmax};
use crate::cpu::level::leveled;
use crate::cpu::{pool, rows};
use crate::dispatch;
use crate::dtype::Element;
use crate::error::Result;
use crate::storage::Output;
use crate::tensor::Tensor;

/// Elements per task.
const GRAIN: usize = 16 * 1024;

/// The row kernels of one element type.
trait Kernels: Element {
    fn softmax(x: &[Self], y: &mut [Self]);
    fn log_softmax(x: &[Self], y: &mut [Self]);
    fn logsumexp(x: &[Self]) -> Self;
    fn softmax_backward(y: &[Self], dy: &[Self], dx: &mut [Self]);
    fn log_softmax_backward(y: &[Self], dy: &[Self], dx: &mut [Self]);
    fn logsumexp_backward(y: Self, dy: Self, x: &[Self], dx: &mut [Self]);
}

macro_rules! kernels {
    ($($t:ident in $rows:ident),*) => {$(
        mod $rows {
            use super::*;

            leveled! {
                pub fn softmax(x: &[$t], y: &mut [$t]) {
                    let max = rows::max(x);
                    let sum = rows::map_sum(x, y, |x| math::$t::exp(x - max));
                    let scale = (1.0 / sum) as $t;
                    y.iter_mut().for_each(|y| *y *= scale);
                }

                pub fn log_softmax(x: &[$t], y: &mut [$t]) {
                    let max = rows::max(x);
                    let shift = rows::sum(x, |x| math::$t::exp(x - max)).ln() as $t;
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - max) - shift);
                }

                pub fn logsumexp(x: &[$t]) -> $t {
                    let max = rows::max(x);
                    // An infinite maximum is the answer itself; subtracting it would give NaN.
                    let shift = if max.is_infinite() { 0.0 } else { max };
                    shift + rows::sum(x, |x| math::$t::exp(x - shift)).ln() as $t
                }

                pub fn softmax_backward(y: &[$t], dy: &[$t], dx: &mut [$t]) {
                    let dot = rows::sums([y, dy], |[y, dy]| y * dy) as $t;
                    dx.iter_mut().zip(y.iter().zip(dy)).for_each(|(dx, (&y, &dy))| *dx = y * (dy - dot));
                }

                pub fn log_softmax_backward(y: &[$t], dy: &[$t], dx: &mut [$t]) {
                    let sum = rows::sum(dy, |dy| dy) as $t;
                    dx.iter_mut().zip(y.iter().zip(dy)).for_each(|(dx, (&y, &dy))| *dx = dy - math::$t::exp(y) * sum);
                }

                pub fn logsumexp_backward(y: $t, dy: $t, x: &[$t], dx: &mut [$t]) {
                    // A row of minus infinities has no slope, where the difference would be NaN.
                    let y = if y == <$t>::NEG_INFINITY { 0.0 } else { y };
                    dx.iter_mut().zip(x).for_each(|(dx, &x)| *dx = dy * math::$t::exp(x - y));
                }
            }
        }

        impl Kernels for $t {
            fn softmax(x: &[$t], y: &mut [$t]) {
                $rows::softmax(x, y)
            }
            fn log_softmax(x: &[$t], y: &mut [$t]) {
                $rows::log_softmax(x, y)
            }
            fn logsumexp(x: &[$t]) -> $t {
                $rows::logsumexp(x)
            }
            fn softmax_backward(y: &[$t], dy: &[$t], dx: &mut [$t]) {
                $rows::softmax_backward(y, dy, dx)
            }
            fn log_softmax_backward(y: &[$t], dy: &[$t], dx: &mut [$t]) {
                $rows::log_softmax_backward(y, dy, dx)
            }
            fn logsumexp_backward(y: $t, dy: $t, x: &[$t], dx: &mut [$t]) {
                $rows::logsumexp_backward(y, dy, x, dx)
            }
        }
    )*};
}
kernels!(f32 in single, f64 in double);

/// Contiguous rows of `n` elements, several to a task: `kernel(row number, row of the output)`.
fn each_row<T: Element>(out: &mut [T], n: usize, kernel: impl Fn(usize, &mut [T]) + Sync) -> Result<()> {
    if n == 0 {
        return Ok(());
    }
    let per_task = (GRAIN / n).max(1);
    pool::for_each_chunk(out, per_task * n, |task, chunk| {
        chunk.chunks_mut(n).enumerate().for_each(|(i, row)| kernel(task * per_task + i, row));
    })
}

pub fn forward(function: RowFunction, x: &Tensor, out: &mut Output) -> Result<()> {
    let (n, numel) = (x.shape().last().copied().unwrap_or(1), out.numel());
    dispatch!(x.dtype(), function.name(), [wide], T => {
        let x = x.slice::<T>()?;
        let y = &mut out.slice_mut::<T>()?[..numel];
        let row = |i: usize| &x[i * n..][..n];
        match function {
            Softmax => each_row(y, n, |i, y| <T as Kernels>::softmax(row(i), y)),
            LogSoftmax => each_row(y, n, |i, y| <T as Kernels>::log_softmax(row(i), y)),
            LogSumExp => {
                let per_task = (GRAIN / n.max(1)).max(1);
                pool::for_each_chunk(y, per_task, |task, chunk| {
                    let first = task * per_task;
                    chunk.iter_mut().enumerate().for_each(|(i, y)| *y = <T as Kernels>::logsumexp(row(first + i)));
                })
            }
        }
    })
}

pub fn backward(function: RowFunction, inputs: &[&Tensor], out: &mut Output) -> Result<()> {
    let (n, numel) = (out.shape.last().copied().unwrap_or(1), out.numel());
    dispatch!(out.dtype, function.name(), [wide], T => {
        let (y, dy) = (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?);
        let dx = &mut out.slice_mut::<T>()?[..numel];
        let row = |i: usize| i * n..(i + 1) * n;
        match function {
            Softmax => each_row(dx, n, |i, dx| <T as Kernels>::softmax_backward(&y[row(i)], &dy[row(i)], dx)),
            LogSoftmax => each_row(dx, n, |i, dx| <T as Kernels>::log_softmax_backward(&y[row(i)], &dy[row(i)], dx)),
            LogSumExp => {
                let x = inputs[2].slice::<T>()?;
                each_row(dx, n, |i, dx| <T as Kernels>::logsumexp_backward(y[i], dy[i], &x[row(i)], dx))
            }
        }
    })
}
