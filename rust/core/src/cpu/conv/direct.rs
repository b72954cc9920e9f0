//! The gradient of the weights with one image channel a group: each run of a tap is one dot product.

use super::geometry::{Problem, Run};
use super::table::Float;
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::error::Result;

/// The inner loop, for one image plane and one output plane.
pub trait Direct: Sized {
    fn weights(runs: &[Run], step: usize, x: &[Self], y: &[Self], w: &mut [Self]);
}

macro_rules! direct {
    ($($t:ident),*) => { $(impl Direct for $t {
        leveled! {
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
