//! Pooling kernels, plane by plane: loops for windows of any size.

use super::regular;
use super::windows::Windows;
use crate::cpu::conv;
use crate::cpu::parts::for_each_item;
use crate::cpu::rows::Wide;
use crate::cpu::scratch::Scratch;
use crate::error::Result;
use std::ops::{AddAssign, Div};

/// Elements per task, in whole planes.
const GRAIN: usize = 16 * 1024;

pub trait Real: Wide + AddAssign + Div<Output = Self> + conv::Real {}
impl<T: Wide + AddAssign + Div<Output = T> + conv::Real> Real for T {}

/// How many planes of these sizes one task takes.
pub fn planes_a_task(positions: usize, pixels: usize) -> usize {
    (GRAIN / positions.max(pixels).max(1)).max(1)
}

/// The largest element of every window and where in the image plane it is; a NaN wins.
pub fn max<T: Real>(op: &str, windows: &Windows, x: &[T], values: &mut [T], indices: &mut [i64]) -> Result<()> {
    let (positions, pixels) = (windows.positions(), windows.pixels());
    if values.is_empty() {
        return Ok(());
    }
    if let Some(geometry) = regular::geometry(windows) {
        return regular::max(op, windows, geometry, x, values, indices);
    }
    let ([_, height, width], [step_d, step_h, step_w]) = (windows.image, windows.step);
    let chunk = planes_a_task(positions, pixels);
    let outputs = values.chunks_mut(chunk * positions).zip(indices.chunks_mut(chunk * positions));
    for_each_item(outputs.zip(x.chunks(chunk * pixels)), |((values, indices), x)| {
        let planes = values.chunks_mut(positions).zip(indices.chunks_mut(positions));
        for ((values, indices), x) in planes.zip(x.chunks(pixels)) {
            for (([d, h, w], value), index) in windows.iter().zip(values).zip(indices) {
                let mut best = T::LOWEST;
                let mut place = (d.start * height + h.start) * width + w.start;
                for d in (d.start..d.end).step_by(step_d) {
                    for h in (h.start..h.end).step_by(step_h) {
                        let line = (d * height + h) * width;
                        for w in (w.start..w.end).step_by(step_w) {
                            let candidate = x[line + w];
                            #[allow(clippy::eq_op)]
                            if candidate > best || candidate != candidate {
                                (best, place) = (candidate, line + w);
                            }
                        }
                    }
                }
                (*value, *index) = (best, place as i64);
            }
        }
        Ok(())
    })
}

/// `x[plane][indices] += y[plane]`.
pub fn scatter<T: Real>(y: &[T], indices: &[i64], positions: usize, pixels: usize, x: &mut [T]) -> Result<()> {
    if x.is_empty() {
        return Ok(());
    }
    let chunk = planes_a_task(positions, pixels);
    for_each_item(x.chunks_mut(chunk * pixels).enumerate(), |(task, x)| {
        x.fill(T::default());
        let from = task * chunk * positions;
        for (plane, x) in x.chunks_mut(pixels).enumerate() {
            let at = from + plane * positions..from + (plane + 1) * positions;
            y[at.clone()].iter().zip(&indices[at]).for_each(|(&y, &i)| x[i as usize] += y);
        }
        Ok(())
    })
}

/// `y[plane] = x[plane][indices]`.
pub fn gather<T: Real>(x: &[T], indices: &[i64], positions: usize, pixels: usize, y: &mut [T]) -> Result<()> {
    if y.is_empty() {
        return Ok(());
    }
    let chunk = planes_a_task(positions, pixels);
    let planes = y.chunks_mut(chunk * positions).zip(indices.chunks(chunk * positions));
    for_each_item(planes.zip(x.chunks(chunk * pixels)), |((y, indices), x)| {
        for ((y, indices), x) in y.chunks_mut(positions).zip(indices.chunks(positions)).zip(x.chunks(pixels)) {
            y.iter_mut().zip(indices).for_each(|(y, &i)| *y = x[i as usize]);
        }
        Ok(())
    })
}

fn divisor<T: Real>(covers: [usize; 3], fixed: Option<f64>) -> T {
    T::narrow(fixed.unwrap_or_else(|| covers.iter().map(|&c| c as f64).product()))
}

/// The average of every window.
pub fn average<T: Real>(op: &str, windows: &Windows, fixed: Option<f64>, x: &[T], y: &mut [T]) -> Result<()> {
    let (positions, pixels) = (windows.positions(), windows.pixels());
    if y.is_empty() {
        return Ok(());
    }
    if let Some(geometry) = regular::geometry(windows) {
        let mut divisors = Scratch::new(op, positions)?;
        let windows = windows.iter().zip(divisors.iter_mut());
        windows.for_each(|(window, slot)| *slot = divisor(window.map(|w| w.cover), fixed));
        return regular::average(op, geometry, &divisors, x, y);
    }
    let [_, height, width] = windows.image;
    let chunk = planes_a_task(positions, pixels);
    for_each_item(y.chunks_mut(chunk * positions).zip(x.chunks(chunk * pixels)), |(y, x)| {
        for (y, x) in y.chunks_mut(positions).zip(x.chunks(pixels)) {
            for ([d, h, w], y) in windows.iter().zip(y) {
                let mut sum = T::default();
                for d in d.start..d.end {
                    for h in h.start..h.end {
                        let line = (d * height + h) * width;
                        x[line + w.start..line + w.end].iter().for_each(|&x| sum += x);
                    }
                }
                *y = sum / divisor([d.cover, h.cover, w.cover], fixed);
            }
        }
        Ok(())
    })
}

/// The transpose of `average`: every window's share of its output is added to its elements.
pub fn spread<T: Real>(windows: &Windows, fixed: Option<f64>, y: &[T], x: &mut [T]) -> Result<()> {
    let (positions, pixels) = (windows.positions(), windows.pixels());
    if x.is_empty() {
        return Ok(());
    }
    let [_, height, width] = windows.image;
    let chunk = planes_a_task(positions, pixels);
    for_each_item(x.chunks_mut(chunk * pixels).enumerate(), |(task, x)| {
        x.fill(T::default());
        for (plane, x) in x.chunks_mut(pixels).enumerate() {
            let y = &y[(task * chunk + plane) * positions..][..positions];
            for ([d, h, w], &y) in windows.iter().zip(y) {
                let share = y / divisor([d.cover, h.cover, w.cover], fixed);
                for d in d.start..d.end {
                    for h in h.start..h.end {
                        let line = (d * height + h) * width;
                        x[line + w.start..line + w.end].iter_mut().for_each(|x| *x += share);
                    }
                }
            }
        }
        Ok(())
    })
}
