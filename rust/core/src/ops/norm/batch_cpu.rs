//! Kernels of batch norm and of maps by channel. Batch norm takes a channel a task, whose values are then still in a
//! cache when they are read again; a map takes several runs a task.

use crate::cpu::channels::{channel, channels_mut};
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::cpu::scratch::Scratch;
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
    /// `(x - mean) * scale + bias` for values of one channel, and for one value of each; then the residual and the relu.
    fn map(x: &[Self], values: [Self; 3], residual: Option<&[Self]>, relu: bool, y: &mut [Self]);
    fn map_each(x: &[Self], values: [&[Self]; 3], residual: Option<&[Self]>, relu: bool, y: &mut [Self]);
    /// `dy` where the relu let values through.
    fn passed(dy: &[Self], y: &[Self], out: &mut [Self]);
    /// Sums of `dy * xhat` and of `dy`.
    fn sums(x: Runs<Self>, dy: Runs<Self>, stats: &[Self]) -> [Self; 2];
    fn gradient(inputs: [&[Self]; 3], weight: Self, sums: [Self; 2], count: usize, dx: &mut [Self]);
}

/// `y = value + residual`, nowhere below zero with `relu`.
#[inline(always)]
fn finish<T: rows::Wide>(y: &mut [T], residual: Option<&[T]>, relu: bool, value: impl Fn(usize) -> T) {
    let zero = T::default();
    let floor = |x: T| if x < zero { zero } else { x };
    let n = y.len();
    match (residual.map(|residual| &residual[..n]), relu) {
        (None, false) => (0..n).for_each(|i| y[i] = value(i)),
        (None, true) => (0..n).for_each(|i| y[i] = floor(value(i))),
        (Some(residual), false) => (0..n).for_each(|i| y[i] = value(i) + residual[i]),
        (Some(residual), true) => (0..n).for_each(|i| y[i] = floor(value(i) + residual[i])),
    }
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

                pub fn map(x: &[$t], values: [$t; 3], residual: Option<&[$t]>, relu: bool, y: &mut [$t]) {
                    let ([mean, scale, bias], x) = (values, &x[..y.len()]);
                    finish(y, residual, relu, |i| (x[i] - mean) * scale + bias);
                }

                pub fn map_each(x: &[$t], values: [&[$t]; 3], residual: Option<&[$t]>, relu: bool, y: &mut [$t]) {
                    let [mean, scale, bias] = values.map(|values| &values[..y.len()]);
                    let x = &x[..y.len()];
                    finish(y, residual, relu, |i| (x[i] - mean[i]) * scale[i] + bias[i]);
                }

                pub fn passed(dy: &[$t], y: &[$t], out: &mut [$t]) {
                    for (out, (&dy, &y)) in out.iter_mut().zip(dy.iter().zip(y)) {
                        *out = if y <= 0.0 { 0.0 } else { dy };
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
            fn map(x: &[$t], values: [$t; 3], residual: Option<&[$t]>, relu: bool, y: &mut [$t]) {
                $channels::map(x, values, residual, relu, y)
            }
            fn map_each(x: &[$t], values: [&[$t]; 3], residual: Option<&[$t]>, relu: bool, y: &mut [$t]) {
                $channels::map_each(x, values, residual, relu, y)
            }
            fn passed(dy: &[$t], y: &[$t], out: &mut [$t]) {
                $channels::passed(dy, y, out)
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

/// Inputs x, weight, bias and perhaps a residual; outputs y and the statistics of each channel.
pub fn forward(inputs: &[&Tensor], outputs: &mut [Output], eps: f64, relu: bool) -> Result<()> {
    let [y, stats] = outputs else { return Ok(()) };
    let (channels, length, numel) = (y.shape[1], y.shape[2], y.numel());
    dispatch!(y.dtype, "batch_norm", [wide], T => {
        let (x, weight, bias) = (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?, inputs[2].slice::<T>()?);
        let residual = inputs.get(3).map(|residual| residual.slice::<T>()).transpose()?;
        let (y, stats) = (&mut y.slice_mut::<T>()?[..numel], &mut stats.slice_mut::<T>()?[..3 * channels]);
        if y.is_empty() {
            stats.fill(T::default());
            return Ok(());
        }
        for_each_item(stats.chunks_mut(3).zip(channels_mut(y, channels, length)).enumerate(), |(c, (stats, mut y))| {
            let x = channel(x, c, channels, length);
            let residual = residual.map(|residual| channel(residual, c, channels, length));
            <T as Kernels>::statistics(&x, eps, stats);
            let values = [stats[0], stats[2] * weight[c], bias[c]];
            for (i, y) in y.runs().enumerate() {
                <T as Kernels>::map(x[i], values, residual.as_ref().map(|residual| residual[i]), relu, y);
            }
            Ok(())
        })
    })
}

/// Calls `kernel` for every run of the output, with where it begins; a task takes several.
fn each_run<T: Element>(out: &mut [T], length: usize, kernel: impl Fn(usize, &mut [T]) + Sync) -> Result<()> {
    let per_task = (GRAIN / length).max(1) * length;
    pool::for_each_chunk(out, per_task, |task, chunk| {
        chunk.chunks_mut(length).enumerate().for_each(|(i, run)| kernel(task * per_task + i * length, run));
    })
}

/// Inputs x, mean, scale, bias and perhaps a residual.
pub fn affine(inputs: &[&Tensor], outputs: &mut [Output], relu: bool) -> Result<()> {
    let [y] = outputs else { return Ok(()) };
    let (channels, length, numel) = (y.shape[1], y.shape[2], y.numel());
    dispatch!(y.dtype, "channel_affine", [wide], T => {
        let x = inputs[0].slice::<T>()?;
        let values = [inputs[1].slice::<T>()?, inputs[2].slice::<T>()?, inputs[3].slice::<T>()?];
        let residual = inputs.get(4).map(|residual| residual.slice::<T>()).transpose()?;
        let residual = |at: usize| residual.map(|residual| &residual[at..]);
        let y = &mut y.slice_mut::<T>()?[..numel];
        match length {
            _ if y.is_empty() => Ok(()),
            1 => each_run(y, channels, |at, y| T::map_each(&x[at..], values, residual(at), relu, y)),
            _ => each_run(y, length, |at, y| {
                let of_channel = values.map(|values| values[at / length % channels]);
                T::map(&x[at..], of_channel, residual(at), relu, y);
            }),
        }
    })
}

/// Inputs x, weight, statistics, dy, and y after a relu; outputs dx, dweight, dbias, and after a relu perhaps the
/// residual's gradient.
pub fn backward(inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
    let [dx, dweight, dbias, dresidual @ ..] = outputs else { return Ok(()) };
    let (samples, channels, length, numel) = (dx.shape[0], dx.shape[1], dx.shape[2], dx.numel());
    dispatch!(dx.dtype, "batch_norm", [wide], T => {
        let (x, weight, stats, dy) =
            (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?, inputs[2].slice::<T>()?, inputs[3].slice::<T>()?);
        let y = inputs.get(4).map(|y| y.slice::<T>()).transpose()?;
        let dx = &mut dx.slice_mut::<T>()?[..numel];
        let (dweight, dbias) = (&mut dweight.slice_mut::<T>()?[..channels], &mut dbias.slice_mut::<T>()?[..channels]);
        if dx.is_empty() {
            dweight.fill(T::default());
            dbias.fill(T::default());
            return Ok(());
        }
        let dresidual = match dresidual {
            [] => (0..channels).map(|_| None).collect::<Vec<_>>(),
            [dresidual, ..] => {
                let dresidual = &mut dresidual.slice_mut::<T>()?[..numel];
                channels_mut(dresidual, channels, length).map(Some).collect()
            }
        };
        let targets = channels_mut(dx, channels, length).zip(dresidual).zip(dweight.iter_mut().zip(dbias));
        for_each_item(targets.enumerate(), |(c, ((mut dx, mut dresidual), (dw, db)))| {
            let of_channel = |array| channel(array, c, channels, length);
            let (x, stats, mut dy) = (of_channel(x), &stats[3 * c..], of_channel(dy));
            let unseen = if y.is_some() && dresidual.is_none() { samples * length } else { 0 };
            let mut unseen = Scratch::<T>::new("batch_norm", unseen)?;
            if let Some(y) = y {
                let passed: Vec<&mut [T]> = match &mut dresidual {
                    Some(dresidual) => dresidual.runs().collect(),
                    None => unseen.chunks_mut(length).take(samples).collect(),
                };
                for (dy, (y, out)) in dy.iter_mut().zip(of_channel(y).into_iter().zip(passed)) {
                    <T as Kernels>::passed(dy, y, out);
                    *dy = out;
                }
            }
            [*dw, *db] = <T as Kernels>::sums(&x, &dy, stats);
            for (i, dx) in dx.runs().enumerate() {
                <T as Kernels>::gradient([x[i], dy[i], stats], weight[c], [*dw, *db], samples * length, dx);
            }
            Ok(())
        })
    })
}
