//! Kernels of batch norm and of maps by channel: first the sums of each channel, one channel a task, then the values, several runs a task.

use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::cpu::{pool, rows};
use crate::dispatch;
use crate::dtype::Element;
use crate::error::Result;
use crate::storage::Output;
use crate::tensor::Tensor;

/// Elements per task.
const GRAIN: usize = 16 * 1024;

/// Values of one channel: a run for each sample.
type Runs<'a, T> = &'a [&'a [T]];

trait Kernels: Element {
    fn statistics(runs: Runs<Self>, eps: f64, stats: &mut [Self]);
    /// `(x - mean) * scale + bias` for values of one channel, and for one value of each.
    fn map(x: &[Self], mean: Self, scale: Self, bias: Self, y: &mut [Self]);
    fn map_each(x: &[Self], values: [&[Self]; 3], y: &mut [Self]);
    /// Sums of `dy * xhat` and of `dy`.
    fn sums(x: Runs<Self>, dy: Runs<Self>, stats: &[Self]) -> [Self; 2];
    fn gradient(inputs: [&[Self]; 3], weight: Self, sums: [Self; 2], count: usize, dx: &mut [Self]);
}

macro_rules! kernels {
    ($($t:ident in $channels:ident),*) => {$(
        mod $channels {
            use super::*;

            leveled! {
                pub fn statistics(runs: Runs<$t>, eps: f64, stats: &mut [$t]) {
                    let count = runs.iter().map(|run| run.len()).sum::<usize>() as f64;
                    let mean = (runs.iter().map(|run| rows::sum(run, |x| x)).sum::<f64>() / count) as $t;
                    let squares = runs.iter().map(|run| rows::sum(run, |x| (x - mean) * (x - mean))).sum::<f64>() / count;
                    // The mean was rounded: what it is off by does not belong into the variance.
                    let off = runs.iter().map(|run| rows::sum(run, |x| x - mean)).sum::<f64>() / count;
                    let var = squares - off * off;
                    let var = if var < 0.0 { 0.0 } else { var };
                    stats.copy_from_slice(&[mean, var as $t, (1.0 / (var + eps).sqrt()) as $t]);
                }

                pub fn map(x: &[$t], mean: $t, scale: $t, bias: $t, y: &mut [$t]) {
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * scale + bias);
                }

                pub fn map_each(x: &[$t], values: [&[$t]; 3], y: &mut [$t]) {
                    let [mean, scale, bias] = values.map(|values| &values[..y.len()]);
                    let x = &x[..y.len()];
                    for i in 0..y.len() {
                        y[i] = (x[i] - mean[i]) * scale[i] + bias[i];
                    }
                }

                pub fn sums(x: Runs<$t>, dy: Runs<$t>, stats: &[$t]) -> [$t; 2] {
                    let mean = stats[0];
                    let (mut along, mut level) = (0.0, 0.0);
                    for (x, dy) in x.iter().zip(dy) {
                        along += rows::sums([x, dy], |[x, dy]| (x - mean) * dy);
                        level += rows::sum(dy, |dy| dy);
                    }
                    [(along * stats[2] as f64) as $t, level as $t]
                }

                pub fn gradient(inputs: [&[$t]; 3], weight: $t, sums: [$t; 2], count: usize, dx: &mut [$t]) {
                    let [x, dy, stats] = inputs;
                    let (mean, rstd) = (stats[0], stats[2]);
                    let (along, level) = (sums[0] / count as $t * rstd, sums[1] / count as $t);
                    let scale = rstd * weight;
                    for (dx, (&x, &dy)) in dx.iter_mut().zip(x.iter().zip(dy)) {
                        *dx = scale * (dy - level - (x - mean) * along);
                    }
                }
            }
        }

        impl Kernels for $t {
            fn statistics(runs: Runs<$t>, eps: f64, stats: &mut [$t]) {
                $channels::statistics(runs, eps, stats)
            }
            fn map(x: &[$t], mean: $t, scale: $t, bias: $t, y: &mut [$t]) {
                $channels::map(x, mean, scale, bias, y)
            }
            fn map_each(x: &[$t], values: [&[$t]; 3], y: &mut [$t]) {
                $channels::map_each(x, values, y)
            }
            fn sums(x: Runs<$t>, dy: Runs<$t>, stats: &[$t]) -> [$t; 2] {
                $channels::sums(x, dy, stats)
            }
            fn gradient(inputs: [&[$t]; 3], weight: $t, sums: [$t; 2], count: usize, dx: &mut [$t]) {
                $channels::gradient(inputs, weight, sums, count, dx)
            }
        }
    )*};
}
kernels!(f32 in single, f64 in double);

/// The runs of channel `c` of a contiguous (N, C, L) tensor.
fn runs<T>(x: &[T], c: usize, channels: usize, length: usize) -> Vec<&[T]> {
    x.chunks(length).skip(c).step_by(channels).collect()
}

/// Calls `kernel` for every run of the output, with its number; a task takes several.
fn each_run<T: Element>(out: &mut [T], length: usize, kernel: impl Fn(usize, &mut [T]) + Sync) -> Result<()> {
    let per_task = (GRAIN / length).max(1);
    pool::for_each_chunk(out, per_task * length, |task, chunk| {
        chunk.chunks_mut(length).enumerate().for_each(|(i, run)| kernel(task * per_task + i, run));
    })
}

pub fn forward(inputs: &[&Tensor], outputs: &mut [Output], eps: f64) -> Result<()> {
    let [y, stats] = outputs else { return Ok(()) };
    let (channels, length, numel) = (y.shape[1], y.shape[2], y.numel());
    dispatch!(y.dtype, "batch_norm", [wide], T => {
        let (x, weight, bias) = (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?, inputs[2].slice::<T>()?);
        let (y, stats) = (&mut y.slice_mut::<T>()?[..numel], &mut stats.slice_mut::<T>()?[..3 * channels]);
        if y.is_empty() {
            stats.fill(T::default());
            return Ok(());
        }
        for_each_item(stats.chunks_mut(3).enumerate(), |(c, stats)| {
            <T as Kernels>::statistics(&runs(x, c, channels, length), eps, stats);
            Ok(())
        })?;
        each_run(y, length, |i, y| {
            let c = i % channels;
            let (mean, scale) = (stats[3 * c], stats[3 * c + 2] * weight[c]);
            <T as Kernels>::map(&x[i * length..][..length], mean, scale, bias[c], y);
        })
    })
}

pub fn affine(inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
    let [y] = outputs else { return Ok(()) };
    let (channels, length, numel) = (y.shape[1], y.shape[2], y.numel());
    dispatch!(y.dtype, "channel_affine", [wide], T => {
        let x = inputs[0].slice::<T>()?;
        let values = [inputs[1].slice::<T>()?, inputs[2].slice::<T>()?, inputs[3].slice::<T>()?];
        let y = &mut y.slice_mut::<T>()?[..numel];
        match length {
            _ if y.is_empty() => Ok(()),
            1 => each_run(y, channels, |i, y| T::map_each(&x[i * channels..], values, y)),
            _ => each_run(y, length, |i, y| {
                let [mean, scale, bias] = values.map(|values| values[i % channels]);
                T::map(&x[i * length..][..length], mean, scale, bias, y);
            }),
        }
    })
}

pub fn backward(inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
    let [dx, dweight, dbias] = outputs else { return Ok(()) };
    let (samples, channels, length, numel) = (dx.shape[0], dx.shape[1], dx.shape[2], dx.numel());
    dispatch!(dx.dtype, "batch_norm", [wide], T => {
        let (x, weight, stats, dy) =
            (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?, inputs[2].slice::<T>()?, inputs[3].slice::<T>()?);
        let dx = &mut dx.slice_mut::<T>()?[..numel];
        let (dweight, dbias) = (&mut dweight.slice_mut::<T>()?[..channels], &mut dbias.slice_mut::<T>()?[..channels]);
        if dx.is_empty() {
            dweight.fill(T::default());
            dbias.fill(T::default());
            return Ok(());
        }
        for_each_item(dweight.iter_mut().zip(dbias.iter_mut()).enumerate(), |(c, (dw, db))| {
            let (x, dy) = (runs(x, c, channels, length), runs(dy, c, channels, length));
            [*dw, *db] = <T as Kernels>::sums(&x, &dy, &stats[3 * c..]);
            Ok(())
        })?;
        each_run(dx, length, |i, dx| {
            let (c, run) = (i % channels, i * length..(i + 1) * length);
            let inputs = [&x[run.clone()], &dy[run], &stats[3 * c..]];
            <T as Kernels>::gradient(inputs, weight[c], [dweight[c], dbias[c]], samples * length, dx);
        })
    })
}
