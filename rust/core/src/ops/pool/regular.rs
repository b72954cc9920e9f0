//! Pools whose windows all look alike: many windows side by side.

use super::cpu::{Real, planes_a_task};
use super::windows::Windows;
use crate::cpu::conv::{Geometry, pool};
use crate::cpu::level;
use crate::cpu::parts::for_each_item;
use crate::cpu::scratch::Scratch;
use crate::error::Result;

/// Windows that make it worth the while.
const FEW: usize = 16;

/// The geometry of windows that are worth it: many, of fewer taps than that, with places that any element type counts.
pub fn geometry(windows: &Windows) -> Option<&Geometry> {
    let suits = |g: &&Geometry| {
        let reach = |a: usize| g.image[a].max((g.kernel[a] - 1).saturating_mul(g.dilation[a]).saturating_add(1));
        let places = reach(0).saturating_mul(reach(1)).saturating_mul(reach(2));
        g.positions() >= FEW && g.taps() <= g.positions() && places < 1 << 24
    };
    windows.geometry.as_ref().filter(suits)
}

/// Where windows and taps lie in the image plane.
struct Places<T> {
    /// What would be each window's first element without the image's borders.
    base: Scratch<i32>,
    /// From there to the first element that the image has, and to each tap.
    first: Scratch<T>,
    ahead: Scratch<T>,
}

impl<T: Real> Places<T> {
    fn new(op: &str, windows: &Windows, g: &Geometry) -> Result<Places<T>> {
        let place = |[z, y, x]: [usize; 3]| (z * g.image[1] + y) * g.image[2] + x;
        let (mut base, mut first) = (Scratch::new(op, g.positions())?, Scratch::new(op, g.positions())?);
        let [depth, height, width] = windows.axes.each_ref().map(|axis| axis.iter().enumerate());
        let mut at = 0;
        for (z, d) in depth {
            for (y, h) in height.clone() {
                for (x, w) in width.clone() {
                    // Before the image lies what padding hides of the window.
                    let hidden = |a: usize, o: usize, start: usize| start + g.before[a] - o * g.stride[a];
                    let ahead = place([hidden(0, z, d.start), hidden(1, y, h.start), hidden(2, x, w.start)]);
                    base[at] = place([d.start, h.start, w.start]) as i32 - ahead as i32;
                    first[at] = T::narrow(ahead as f64);
                    at += 1;
                }
            }
        }
        let mut ahead = Scratch::new(op, g.taps())?;
        for (i, ahead) in ahead.iter_mut().enumerate() {
            let k = [i / (g.kernel[1] * g.kernel[2]), i / g.kernel[2] % g.kernel[1], i % g.kernel[2]];
            *ahead = T::narrow(place([0, 1, 2].map(|a| k[a] * g.dilation[a])) as f64);
        }
        Ok(Places { base, first, ahead })
    }
}

/// The largest element of every window and where in the image plane it is; a NaN wins.
pub fn max<T: Real>(
    op: &str,
    windows: &Windows,
    g: &Geometry,
    x: &[T],
    values: &mut [T],
    indices: &mut [i64],
) -> Result<()> {
    let Places { base, first, ahead } = &Places::<T>::new(op, windows, g)?;
    let (planes, positions) = (planes_a_task(g.positions(), g.pixels()), g.positions());
    let outputs = values.chunks_mut(planes * positions).zip(indices.chunks_mut(planes * positions));
    for_each_item(outputs.zip(x.chunks(planes * g.pixels())), |((values, indices), x)| {
        let mut ahead_of = Scratch::<T>::new(op, values.len())?;
        pool::largest(op, g, T::LOWEST, [ahead, first], x, [values, &mut ahead_of])?;
        for (indices, ahead) in indices.chunks_mut(positions).zip(ahead_of.chunks(positions)) {
            level::run(Sums { base, ahead, indices });
        }
        Ok(())
    })
}

/// `indices = base + ahead`.
struct Sums<'a, T> {
    base: &'a [i32],
    ahead: &'a [T],
    indices: &'a mut [i64],
}

impl<T: Real> level::Kernel for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((index, base), ahead) in self.indices.iter_mut().zip(self.base).zip(self.ahead) {
            *index = i64::from(base.wrapping_add(ahead.widen() as i32));
        }
    }
}

/// The average of every window; `divisors` has a number for each position.
pub fn average<T: Real>(op: &str, g: &Geometry, divisors: &[T], x: &[T], y: &mut [T]) -> Result<()> {
    let (planes, positions) = (planes_a_task(g.positions(), g.pixels()), g.positions());
    for_each_item(y.chunks_mut(planes * positions).zip(x.chunks(planes * g.pixels())), |(y, x)| {
        pool::sums(op, g, x, T::narrow(1.0), y)?;
        y.chunks_mut(positions).for_each(|y| y.iter_mut().zip(divisors).for_each(|(y, &by)| *y = *y / by));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::cpu;
    use super::super::windows::Regular;
    use super::*;
    use crate::cpu::level::{Level, at_level};

    /// Both ways of pooling three planes: side by side, and window by window.
    fn check<T: Real>(image: [usize; 3], options: &Regular) {
        let fast = Windows::regular("t", image, 3, options).unwrap();
        let slow = Windows { geometry: None, ..Windows::regular("t", image, 3, options).unwrap() };
        assert!(geometry(&fast).is_some(), "{image:?} {options:?}");
        // Many equal ones, infinities and a few that are not numbers.
        let value = |i: usize| match i * 7919 % 101 {
            0..40 => T::LOWEST,
            40 => T::narrow(f64::NAN),
            n => T::narrow((n % 7) as f64),
        };
        let x: Vec<T> = (0..3 * fast.pixels()).map(value).collect();
        let mut results = Vec::new();
        for windows in [&fast, &slow] {
            let count = 3 * windows.positions();
            let (mut values, mut indices, mut means) =
                (vec![T::default(); count], vec![0; count], vec![T::default(); count]);
            cpu::max("t", windows, &x, &mut values, &mut indices).unwrap();
            if windows.step == [1; 3] {
                cpu::average("t", windows, None, &x, &mut means).unwrap();
            }
            let bits =
                |values: Vec<T>| values.into_iter().map(|x| x.widen().to_bits() & !(1 << 63)).collect::<Vec<_>>();
            results.push((bits(values), indices, bits(means)));
        }
        assert!(results[0] == results[1], "{image:?} {options:?}");
    }

    #[test]
    fn side_by_side_agrees_with_window_by_window() {
        for (image, kernel, stride, padding, dilation) in [
            ([1, 26, 26], [1, 2, 2], [1, 2, 2], [0; 3], [1; 3]),
            ([1, 13, 70], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1; 3]),
            ([1, 9, 40], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1; 3]),
            ([1, 120, 130], [1, 3, 3], [1, 2, 1], [0, 1, 0], [1; 3]),
            ([1, 11, 12], [1, 3, 2], [1, 1, 2], [0, 2, 1], [1, 2, 3]),
            ([6, 7, 8], [2, 2, 3], [2, 1, 2], [1, 0, 1], [1; 3]),
        ] {
            for (ceil_mode, count_include_pad) in [(false, true), (true, false)] {
                let stride = Some(&stride[..]);
                let (kernel, padding, dilation) = (&kernel[..], &padding[..], &dilation[..]);
                let options = Regular { kernel, stride, padding, dilation, ceil_mode, count_include_pad };
                for &level in Level::ALL {
                    at_level(level, || {
                        check::<f32>(image, &options);
                        check::<f64>(image, &options);
                    });
                }
            }
        }
    }
}
