//! Kernels of row normalisation: a task takes several rows; weight and bias gradients are summed in fixed groups of rows.

use crate::cpu::arena::Block;
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::cpu::{gemm, rows};
use crate::dispatch;
use crate::dtype::Element;
use crate::error::{Error, Result};
use crate::storage::Output;
use crate::tensor::Tensor;

/// Elements per task.
const GRAIN: usize = 16 * 1024;
/// Groups of rows whose weight gradients are summed apart: more than a machine has cores, little memory.
const GROUPS: usize = 64;

trait Kernels: Element {
    fn forward(x: &[Self], weight: &[Self], bias: &[Self], eps: f64, centred: bool, y: &mut [Self], stats: &mut [Self]);
    fn backward(inputs: [&[Self]; 4], centred: bool, dx: &mut [Self], dweight: &mut [Self], dbias: &mut [Self]);
    fn add(x: &[Self], residual: &[Self], sum: &mut [Self]);
    fn add_onto(part: &[Self], total: &mut [Self]);
}

macro_rules! kernels {
    ($($t:ident in $rows:ident),*) => {$(
        mod $rows {
            use super::*;

            leveled! {
                /// Whole rows as long as the weight.
                pub fn forward(
                    x: &[$t], weight: &[$t], bias: &[$t], eps: f64, centred: bool, y: &mut [$t], stats: &mut [$t],
                ) {
                    let n = weight.len();
                    for ((x, y), stats) in x.chunks(n).zip(y.chunks_mut(n)).zip(stats.chunks_mut(2)) {
                        let mean = if centred { (rows::sum(x, |x| x) / n as f64) as $t } else { 0.0 };
                        let squares = rows::sum(x, |x| (x - mean) * (x - mean)) / n as f64;
                        // The mean was rounded: what it is off by does not belong into the variance.
                        let off = if centred { rows::sum(x, |x| x - mean) / n as f64 } else { 0.0 };
                        let var = squares - off * off;
                        let rstd = (1.0 / (if var < 0.0 { 0.0 } else { var } + eps).sqrt()) as $t;
                        for ((y, &x), (&w, &b)) in y.iter_mut().zip(x).zip(weight.iter().zip(bias)) {
                            *y = (x - mean) * rstd * w + b;
                        }
                        stats[0] = mean;
                        stats[1] = rstd;
                    }
                }

                /// Adds to `dweight` and `dbias`; inputs are x, weight, stats and dy.
                pub fn backward(
                    inputs: [&[$t]; 4], centred: bool, dx: &mut [$t], dweight: &mut [$t], dbias: &mut [$t],
                ) {
                    let [x, weight, stats, dy] = inputs;
                    let n = weight.len();
                    for (((x, dy), dx), stats) in x.chunks(n).zip(dy.chunks(n)).zip(dx.chunks_mut(n)).zip(stats.chunks(2)) {
                        let (mean, rstd) = (stats[0], stats[1]);
                        let along = rows::sums([x, dy, weight], |[x, dy, w]| (x - mean) * rstd * dy * w) / n as f64;
                        let level = if centred { rows::sums([dy, weight], |[dy, w]| dy * w) / n as f64 } else { 0.0 };
                        let (along, level) = (along as $t, level as $t);
                        let row = dx.iter_mut().zip(x.iter().zip(dy)).zip(weight.iter().zip(dweight.iter_mut().zip(dbias.iter_mut())));
                        for ((dx, (&x, &dy)), (&w, (dw, db))) in row {
                            let xhat = (x - mean) * rstd;
                            *dx = rstd * (dy * w - level - xhat * along);
                            *dw += dy * xhat;
                            *db += dy;
                        }
                    }
                }

                pub fn add(x: &[$t], residual: &[$t], sum: &mut [$t]) {
                    sum.iter_mut().zip(x.iter().zip(residual)).for_each(|(sum, (&x, &r))| *sum = x + r);
                }

                pub fn add_onto(part: &[$t], total: &mut [$t]) {
                    total.iter_mut().zip(part).for_each(|(t, &p)| *t += p);
                }
            }
        }

        impl Kernels for $t {
            fn forward(x: &[$t], weight: &[$t], bias: &[$t], eps: f64, centred: bool, y: &mut [$t], stats: &mut [$t]) {
                $rows::forward(x, weight, bias, eps, centred, y, stats)
            }
            fn backward(inputs: [&[$t]; 4], centred: bool, dx: &mut [$t], dweight: &mut [$t], dbias: &mut [$t]) {
                $rows::backward(inputs, centred, dx, dweight, dbias)
            }
            fn add(x: &[$t], residual: &[$t], sum: &mut [$t]) {
                $rows::add(x, residual, sum)
            }
            fn add_onto(part: &[$t], total: &mut [$t]) {
                $rows::add_onto(part, total)
            }
        }
    )*};
}
kernels!(f32 in single, f64 in double);

/// Inputs: x, weight, bias and, where there is a third output for the sums, a residual that is added to x first.
pub fn forward(op: &str, inputs: &[&Tensor], outputs: &mut [Output], eps: f64, centred: bool) -> Result<()> {
    let (y, stats, sum) = match outputs {
        [y, stats] => (y, stats, None),
        [y, stats, sum] => (y, stats, Some(sum)),
        _ => return Err(Error::internal(op, "expected two or three outputs")),
    };
    let (rows, n) = (y.shape[0], y.shape[1]);
    dispatch!(y.dtype, op, [wide], T => {
        let (x, weight, bias) = (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?, inputs[2].slice::<T>()?);
        let (y, stats) = (&mut y.slice_mut::<T>()?[..rows * n], &mut stats.slice_mut::<T>()?[..2 * rows]);
        if y.is_empty() {
            stats.fill(T::default());
            return Ok(());
        }
        let each = (GRAIN / n).max(1);
        let residual = inputs.get(3).map_or(Ok(&[][..]), |residual| residual.slice::<T>())?;
        let sum = sum.map_or(Ok(&mut [][..]), |sum| sum.slice_mut::<T>())?;
        let mut added = residual.chunks(each * n).zip(sum.chunks_mut(each * n));
        let tasks = x.chunks(each * n).zip(y.chunks_mut(each * n)).zip(stats.chunks_mut(2 * each));
        for_each_item(tasks.map(|task| (task, added.next())), |(((x, y), stats), added)| {
            let x = match added {
                Some((residual, sum)) => {
                    <T as Kernels>::add(x, residual, sum);
                    &*sum
                }
                None => x,
            };
            <T as Kernels>::forward(x, weight, bias, eps, centred, y, stats);
            Ok(())
        })
    })
}

/// Inputs: x, weight, stats, dy and, where there is one, a further gradient of x.
pub fn backward(op: &str, inputs: &[&Tensor], outputs: &mut [Output], centred: bool) -> Result<()> {
    let [dx, dweight, dbias] = outputs else { return Ok(()) };
    let (rows, n) = (dx.shape[0], dx.shape[1]);
    dispatch!(dx.dtype, op, [wide], T => {
        let (x, weight, stats, dy) =
            (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?, inputs[2].slice::<T>()?, inputs[3].slice::<T>()?);
        let dx = &mut dx.slice_mut::<T>()?[..rows * n];
        let (dweight, dbias) = (&mut dweight.slice_mut::<T>()?[..n], &mut dbias.slice_mut::<T>()?[..n]);
        if dx.is_empty() {
            dweight.fill(T::default());
            dbias.fill(T::default());
            return Ok(());
        }
        let each = rows.div_ceil(GROUPS).max(GRAIN / n).max(1);
        let groups = rows.div_ceil(each);
        let mut scratch = Block::zeroed(2 * groups * n * size_of::<T>())?;
        let (weights, biases) = gemm::typed_mut::<T>(&mut scratch)[..2 * groups * n].split_at_mut(groups * n);
        let more = inputs.get(4).map_or(Ok(&[][..]), |more| more.slice::<T>())?;
        let mut more = more.chunks(each * n);
        let sources = x.chunks(each * n).zip(dy.chunks(each * n)).zip(stats.chunks(2 * each));
        let targets = dx.chunks_mut(each * n).zip(weights.chunks_mut(n)).zip(biases.chunks_mut(n));
        for_each_item(sources.zip(targets).map(|task| (task, more.next())), |(task, more)| {
            let (((x, dy), stats), ((dx, dw), db)) = task;
            <T as Kernels>::backward([x, weight, stats, dy], centred, dx, dw, db);
            if let Some(more) = more {
                <T as Kernels>::add_onto(more, dx);
            }
            Ok(())
        })?;
        for (total, parts) in [(dweight, &*weights), (dbias, &*biases)] {
            total.fill(T::default());
            parts.chunks(n).for_each(|part| <T as Kernels>::add_onto(part, total));
        }
        Ok(())
    })
}
