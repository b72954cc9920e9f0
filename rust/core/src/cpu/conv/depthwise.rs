//! Depthwise convolution: one image channel a group, a few outputs. Weights fill no registers and no sum is long, so
//! every pass walks plane by plane, with what the taps see of a band of it in the first-level cache.

use super::band::{Band, bands};
use super::correlate::{Correlation, TASKS, Target, WORK, for_each_tap};
use super::geometry::{Axes3, Axis, Problem};
use super::kernel::Step;
use super::scatter::Scatter;
use super::sweep::{Dots, Sweep};
use super::table::{Float, Kernels};
use super::window::Part;
use crate::cpu::parts::{even, for_each_item};
use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};

/// Multiplications worth a task: they wait for memory, so they take longer than those of other convolutions.
const TASK: usize = WORK / 4;

/// Computes a correlation with few rows and channels.
pub fn correlate<T: Float>(op: &str, x: &Correlation<T>, out: &mut [T]) -> Result<()> {
    x.check(op, out)?;
    let product = |of: fn(&Axis) -> usize| x.axes.iter().map(of).product::<usize>();
    let (phases, taps, planes) = (product(|axis| axis.phases), product(|axis| axis.kernel), x.batch * x.groups);
    let parts = bands(&x.axes, x.channels, phases);
    let each = parts.largest().saturating_mul(taps * x.channels * x.rows);
    let together = (TASK / each.max(1)).clamp(1, planes.max(1));
    let chunks = planes.div_ceil(together);
    let target = Target::new(out);
    for_each_item(0..parts.count() * chunks, |task| {
        let (part, chunk) = (parts.get(task / chunks), task % chunks);
        let mut unit = Unit::new(op, x, part)?;
        let (held, end) = (unit.band.held / x.channels, planes.min((chunk + 1) * together));
        for first in (chunk * together..end).step_by(held) {
            unit.run([first, held.min(end - first)], &target);
        }
        Ok(())
    })
}

/// A band of the outputs, moved from plane to plane.
struct Unit<'a, T: Float> {
    x: &'a Correlation<'a, T>,
    kernels: &'static Kernels<T>,
    band: Band<T>,
    /// Steps of all phases, and where those of each end.
    steps: Scratch<Step>,
    ends: Scratch<usize>,
    /// The outputs phase by phase, if there are several.
    mixed: Option<Scratch<T>>,
}

impl<'a, T: Float> Unit<'a, T> {
    fn new(op: &str, x: &'a Correlation<'a, T>, part: Part) -> Result<Unit<'a, T>> {
        let band = Band::new(op, &x.axes, x.channels, part)?;
        let [planes, rows, columns] = x.axes.map(|axis| axis.phases);
        let phases = planes * rows * columns;
        let taps: usize = x.axes.iter().map(|axis| axis.kernel).product();
        let mut steps = Scratch::<Step>::new(op, x.channels * taps)?;
        let mut ends = Scratch::<usize>::new(op, phases)?;
        let mut used = 0;
        for (phase, end) in ends.iter_mut().enumerate() {
            let phase: Axes3 = [phase / (rows * columns), phase / columns % rows, phase % columns];
            for channel in 0..x.channels {
                for_each_tap(&x.axes, phase, &band.window, |index, offset| {
                    let b = channel * band.each + offset;
                    steps[used] = Step { a: channel * x.channel_step + index, b };
                    used += 1;
                });
            }
            *end = used;
        }
        // It is read in whole registers.
        let room = phases * part.positions() + T::kernels().lanes;
        let mixed = (phases > 1).then(|| Scratch::new(op, room)).transpose()?;
        Ok(Unit { x, kernels: T::kernels(), band, steps, ends, mixed })
    }

    /// All outputs of some images' groups.
    fn run(&mut self, [first, count]: [usize; 2], out: &Target<T>) {
        let source: usize = self.x.axes.iter().map(|axis| axis.source).product();
        let planes = &self.x.source[first * self.x.channels * source..][..count * self.x.channels * source];
        self.band.fill(planes.chunks_exact(source.max(1)));
        for i in 0..count {
            (0..self.x.rows).for_each(|row| self.row(i, first + i, row, out));
        }
    }

    /// One output channel.
    fn row(&mut self, held: usize, plane: usize, row: usize, out: &Target<T>) {
        let (x, part) = (self.x, self.band.part);
        let [depth, height, width] = x.axes.map(|axis| axis.size);
        let to = out.at((plane * x.rows + row) * depth * height * width);
        let group = plane % x.groups;
        let bias = x.bias.map_or(T::default(), |bias| bias[group * x.rows + row]);
        let weights = &x.weights[group * (x.weights.len() / x.groups) + row * x.row_step..];
        let source = &self.band.source[held * x.channels * self.band.each..];
        let (kernels, band, steps) = (self.kernels, &self.band, &self.steps);
        // The outputs of one phase.
        let sweep = |steps: &[Step], to: *mut T| {
            band.for_each_lines(|[from, at], [lines, length], [b_line, c_line]| {
                let (b, c) = (source[from..].as_ptr(), to.wrapping_add(at));
                let (a, depth, steps) = (weights.as_ptr(), steps.len(), steps.as_ptr());
                // SAFETY: the window holds every step of these lines and two registers more; these outputs are the
                // task's alone.
                unsafe { (kernels.sweep)(&Sweep { steps, depth, a, b, c, bias, lines, length, b_line, c_line }) };
            });
        };
        let Some(mixed) = &mut self.mixed else {
            let [z, y, column] = part.start;
            return sweep(steps, to.wrapping_add((z * height + y) * width + column));
        };
        let (mut first, positions) = (0, part.positions());
        for (&end, to) in self.ends.iter().zip(mixed.chunks_exact_mut(positions)) {
            sweep(&steps[first..end], to.as_mut_ptr());
            first = end;
        }
        let scatter = Scatter { axes: &x.axes, part, from: mixed.as_ptr(), positions, to };
        // SAFETY: all phases were written and a register follows them; these outputs are the task's alone.
        unsafe { (kernels.scatter)(&scatter) };
    }
}

/// The gradient of the weights: sums over the positions of all images, which slices of the batch share if channels are
/// few.
pub fn weights<T: Float>(op: &str, problem: &Problem, [x, y]: [&[T]; 2], w: &mut [T]) -> Result<()> {
    if [x.len(), y.len(), w.len()] != problem.sizes() {
        return Err(Error::internal(op, "operands do not fit the sizes of the convolution"));
    }
    let Problem { batch, groups, outputs, geometry, .. } = *problem;
    let each = outputs * geometry.taps();
    let total = batch.saturating_mul(geometry.positions()).saturating_mul(each);
    let slices = TASKS.div_ceil(groups).min(total.saturating_mul(groups) / TASK).clamp(1, batch.max(1));
    let together = if slices > 1 { 1 } else { (TASK / total.max(1)).clamp(1, groups) };
    let mut partial = Scratch::<T>::new(op, if slices > 1 { slices * w.len() } else { 0 })?;
    let sums = if slices > 1 { &mut *partial } else { &mut *w };
    for_each_item(sums.chunks_mut(together * each).enumerate(), |(task, w)| {
        let (slice, group) = (task * together / groups, task * together % groups);
        slice_sums(op, problem, [x, y], group, [slice * batch / slices, (slice + 1) * batch / slices], w)
    })?;
    if slices > 1 {
        w.fill(T::default());
        partial.chunks_exact(w.len()).for_each(|part| w.iter_mut().zip(part).for_each(|(w, &part)| *w += part));
    }
    Ok(())
}

/// The sums over the images `from..to`, of the groups from `first` on whose weights `w` are.
fn slice_sums<T: Float>(
    op: &str,
    problem: &Problem,
    [x, y]: [&[T]; 2],
    first: usize,
    [from, to]: [usize; 2],
    w: &mut [T],
) -> Result<()> {
    let Problem { groups, outputs, geometry, .. } = *problem;
    let (axes, kernels, taps) = (geometry.forward(), T::kernels(), geometry.taps());
    let (pixels, positions) = (geometry.pixels(), geometry.positions());
    let each = outputs * taps * kernels.lanes;
    let count = w.len() / (outputs * taps);
    let [_, height, width] = geometry.output;
    let mut sums = Scratch::<T>::zeroed(op, w.len() * kernels.lanes)?;
    let mut steps = Scratch::<Step>::new(op, taps)?;
    let together = even(taps, kernels.dots.len());
    let parts = bands(&axes, 1, 1);
    for part in (0..parts.count()).map(|i| parts.get(i)) {
        let mut band = Band::<T>::new(op, &axes, 1, part)?;
        for_each_tap(&axes, [0; 3], &band.window, |index, b| steps[index] = Step { a: index, b });
        let [z, row, column] = part.start;
        let at = (z * height + row) * width + column;
        // Planes of these images and groups.
        let planes = (from * count..to * count).map(|i| i / count * groups + first + i % count);
        for start in (0..planes.len()).step_by(band.held) {
            let planes = planes.clone().skip(start).take(band.held);
            band.fill(planes.clone().map(|plane| &x[plane * pixels..][..pixels]));
            for (held, plane) in planes.enumerate() {
                let source = &band.source[held * band.each..];
                let sums = &mut sums[(plane % groups - first) * each..][..each];
                for (o, sums) in sums.chunks_exact_mut(taps * kernels.lanes).enumerate() {
                    let y = &y[(plane * outputs + o) * positions + at..][..part.positions()];
                    for (steps, sums) in steps.chunks(together).zip(sums.chunks_mut(together * kernels.lanes)) {
                        band.for_each_lines(|[from, at], [lines, length], [b_line, c_line]| {
                            let (b, c) = (source[from..].as_ptr(), y[at..].as_ptr());
                            let (taps, steps, sums) = (steps.len(), steps.as_ptr(), sums.as_mut_ptr());
                            // SAFETY: the window holds every tap at every position, the output all of these, and
                            // there is a register of sums for each tap.
                            unsafe {
                                (kernels.dots[taps - 1])(&Dots { steps, b, c, lines, length, b_line, c_line, sums })
                            };
                        });
                    }
                }
            }
        }
    }
    for (w, lanes) in w.iter_mut().zip(sums.chunks_exact(kernels.lanes)) {
        *w = T::default();
        lanes.iter().for_each(|&lane| *w += lane);
    }
    Ok(())
}
