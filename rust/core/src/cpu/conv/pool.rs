//! Sums and maxima over what the taps of a kernel see, for pools: plane by plane, many windows side by side.

use super::Real;
use super::band::{Band, bands};
use super::correlate::for_each_tap;
use super::geometry::Geometry;
use super::kernel::Step;
use super::sweep::{Largest, Sweep};
use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};

/// Lines of positions, in the window and in the output.
struct Lines<'a, T> {
    seen: &'a [T],
    /// Where the taps look.
    steps: &'a [Step],
    plane: usize,
    /// In the plane.
    position: usize,
    lines: usize,
    length: usize,
    b_line: usize,
    c_line: usize,
}

/// Calls `body` with all lines of all planes of `x`.
fn for_each_lines<T: Real>(
    op: &str,
    geometry: &Geometry,
    outside: T,
    x: &[T],
    mut body: impl FnMut(Lines<T>),
) -> Result<()> {
    let (axes, pixels) = (geometry.forward(), geometry.pixels());
    let [_, height, width] = geometry.output;
    let mut steps = Scratch::<Step>::new(op, geometry.taps())?;
    let parts = bands(&axes, 1, 1);
    for part in (0..parts.count()).map(|i| parts.get(i)) {
        let mut band = Band::<T>::new(op, &axes, 1, part)?;
        for_each_tap(&axes, [0; 3], &band.window, |index, b| steps[index] = Step { a: 0, b });
        let [z, row, column] = part.start;
        let start = (z * height + row) * width + column;
        for (first, planes) in (0..).step_by(band.held).zip(x.chunks(band.held * pixels)) {
            match outside == T::default() {
                true => band.fill(planes.chunks_exact(pixels)),
                false => band.fill_around(planes.chunks_exact(pixels), outside),
            }
            for i in 0..planes.len() / pixels {
                let seen = &band.source[i * band.each..];
                band.for_each_lines(|[from, at], [lines, length], [b_line, c_line]| {
                    let (seen, position) = (&seen[from..], start + at);
                    body(Lines { seen, steps: &steps, plane: first + i, position, lines, length, b_line, c_line });
                });
            }
        }
    }
    Ok(())
}

/// An error unless image and outputs are of the same planes.
fn check(op: &str, geometry: &Geometry, image: usize, outputs: &[usize]) -> Result<()> {
    let planes = image / geometry.pixels().max(1);
    if image != planes * geometry.pixels() || outputs.iter().any(|&len| len != planes * geometry.positions()) {
        return Err(Error::internal(op, "operands do not fit the sizes of the windows"));
    }
    Ok(())
}

/// The sum of every window of some planes.
pub fn sums<T: Real>(op: &str, geometry: &Geometry, x: &[T], one: T, y: &mut [T]) -> Result<()> {
    check(op, geometry, x.len(), &[y.len()])?;
    let (kernels, bias) = (T::kernels(), T::default());
    for_each_lines(op, geometry, T::default(), x, |at| {
        let Lines { seen, lines, length, b_line, c_line, .. } = at;
        let (steps, depth, b) = (at.steps.as_ptr(), at.steps.len(), seen.as_ptr());
        let c = y[at.plane * geometry.positions() + at.position..].as_mut_ptr();
        let sweep = Sweep { steps, depth, a: &one, b, c, bias, lines, length, b_line, c_line };
        // SAFETY: the window holds every tap of these lines and two registers more; the planes' sizes were checked.
        unsafe { (kernels.sweep)(&sweep) };
    })
}

/// The largest element of every window of some planes, and the number that belongs to the tap that sees it. They start
/// from `lowest` and a number given for each position; a NaN wins.
pub fn largest<T: Real>(
    op: &str,
    geometry: &Geometry,
    lowest: T,
    [numbers, first]: [&[T]; 2],
    x: &[T],
    [values, taps]: [&mut [T]; 2],
) -> Result<()> {
    check(op, geometry, x.len(), &[values.len(), taps.len()])?;
    check(op, geometry, geometry.pixels(), &[first.len()])?;
    if numbers.len() != geometry.taps() {
        return Err(Error::internal(op, "expected a number for each tap"));
    }
    let (kernels, numbers) = (T::kernels(), numbers.as_ptr());
    for_each_lines(op, geometry, lowest, x, |at| {
        let Lines { seen, lines, length, b_line, c_line, .. } = at;
        let (steps, depth, b) = (at.steps.as_ptr(), at.steps.len(), seen.as_ptr());
        let out = at.plane * geometry.positions() + at.position;
        let (c, taps, first) = (values[out..].as_mut_ptr(), taps[out..].as_mut_ptr(), first[at.position..].as_ptr());
        let largest = Largest { steps, depth, b, c, taps, numbers, first, lowest, lines, length, b_line, c_line };
        // SAFETY: as above.
        unsafe { (kernels.largest)(&largest) };
    })
}
