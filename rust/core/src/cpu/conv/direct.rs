//! Passes with one image channel a group: each run of a tap is one scaled addition or one dot product.

use super::geometry::{Problem, Run};
use super::table::Float;
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::error::Result;

/// The inner loops, for one image plane and one output plane.
pub trait Direct: Sized {
    fn forward(runs: &[Run], step: usize, w: &[Self], x: &[Self], y: &mut [Self]);
    fn data(runs: &[Run], step: usize, w: &[Self], y: &[Self], x: &mut [Self]);
    fn weights(runs: &[Run], step: usize, x: &[Self], y: &[Self], w: &mut [Self]);
}

macro_rules! direct {
    ($($t:ident),*) => { $(impl Direct for $t {
        leveled! {
            fn forward(runs: &[Run], step: usize, w: &[$t], x: &[$t], y: &mut [$t]) {
                for run in runs {
                    let (w, y) = (w[run.tap], &mut y[run.position..][..run.count]);
                    match step {
                        1 => y.iter_mut().zip(&x[run.pixel..][..run.count]).for_each(|(y, &x)| *y += w * x),
                        _ => y.iter_mut().zip(x[run.pixel..].iter().step_by(step)).for_each(|(y, &x)| *y += w * x),
                    }
                }
            }

            fn data(runs: &[Run], step: usize, w: &[$t], y: &[$t], x: &mut [$t]) {
                for run in runs {
                    let (w, y) = (w[run.tap], &y[run.position..][..run.count]);
                    match step {
                        1 => x[run.pixel..][..run.count].iter_mut().zip(y).for_each(|(x, &y)| *x += w * y),
                        _ => x[run.pixel..].iter_mut().step_by(step).zip(y).for_each(|(x, &y)| *x += w * y),
                    }
                }
            }

            fn weights(runs: &[Run], step: usize, x: &[$t], y: &[$t], w: &mut [$t]) {
                for run in runs {
                    let y = &y[run.position..][..run.count];
                    let x = &x[run.pixel..];
                    let mut lanes = [0 as $t; 8];
                    if step == 1 {
                        let (x_whole, x_rest) = x[..run.count].as_chunks::<8>();
                        let (y_whole, y_rest) = y.as_chunks::<8>();
                        for (x, y) in x_whole.iter().zip(y_whole) {
                            (0..8).for_each(|i| lanes[i] += x[i] * y[i]);
                        }
                        lanes[0] += x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<$t>();
                    } else {
                        lanes[0] = x.iter().step_by(step).zip(y).map(|(x, y)| x * y).sum::<$t>();
                    }
                    w[run.tap] += lanes.iter().sum::<$t>();
                }
            }
        }
    })* };
}
direct!(f32, f64);

/// Every output plane is a sum of shifted, scaled copies of one image plane.
pub fn forward<T: Direct + Float>(
    op: &str,
    problem: &Problem,
    [x, w]: [&[T]; 2],
    bias: Option<&[T]>,
    y: &mut [T],
) -> Result<()> {
    let Problem { groups, outputs, geometry, .. } = *problem;
    let (pixels, positions, taps) = (geometry.pixels(), geometry.positions(), geometry.taps());
    let runs = geometry.runs(op, 0..positions)?;
    for_each_item(y.chunks_mut(positions).enumerate(), |(plane, y)| {
        let channel = plane % (groups * outputs);
        y.fill(bias.map_or(T::default(), |bias| bias[channel]));
        let x = &x[plane / outputs * pixels..][..pixels];
        T::forward(&runs, geometry.step(), &w[channel * taps..][..taps], x, y);
        Ok(())
    })
}

/// The gradient of the image, plane by plane.
pub fn data<T: Direct + Float>(
    op: &str,
    problem: &Problem,
    [y, w]: [&[T]; 2],
    bias: Option<&[T]>,
    x: &mut [T],
) -> Result<()> {
    let Problem { groups, outputs, geometry, .. } = *problem;
    let (pixels, positions, taps) = (geometry.pixels(), geometry.positions(), geometry.taps());
    let runs = geometry.runs(op, 0..positions)?;
    for_each_item(x.chunks_mut(pixels).enumerate(), |(plane, x)| {
        let group = plane % groups;
        x.fill(bias.map_or(T::default(), |bias| bias[group]));
        for output in 0..outputs {
            let w = &w[(group * outputs + output) * taps..][..taps];
            T::data(&runs, geometry.step(), w, &y[(plane * outputs + output) * positions..][..positions], x);
        }
        Ok(())
    })
}

/// The gradient of the weights, output channel by output channel.
pub fn weights<T: Direct + Float>(op: &str, problem: &Problem, [x, y]: [&[T]; 2], w: &mut [T]) -> Result<()> {
    let Problem { batch, groups, outputs, geometry, .. } = *problem;
    let (pixels, positions, taps) = (geometry.pixels(), geometry.positions(), geometry.taps());
    let runs = geometry.runs(op, 0..positions)?;
    for_each_item(w.chunks_mut(taps).enumerate(), |(channel, w)| {
        w.fill(T::default());
        for n in 0..batch {
            let x = &x[(n * groups + channel / outputs) * pixels..][..pixels];
            let y = &y[(n * groups * outputs + channel) * positions..][..positions];
            T::weights(&runs, geometry.step(), x, y, w);
        }
        Ok(())
    })
}
