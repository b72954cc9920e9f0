//! Depthwise passes without a column buffer: each run of a tap is one scaled addition or one dot product.

use super::geometry::Run;
use crate::cpu::level::leveled;

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
