//! The gradient of the weights: for each tap the sum over all output positions of output times image. Numbers of the
//! image are spread over registers that hold neighbouring output channels, so a tap reads the image wherever it lies.

use super::correlate::{DEPTH, TASKS, Target, WINDOW, WORK, for_each_tap};
use super::geometry::{Axis, Problem};
use super::kernel::{Step, Tile, Turn};
use super::table::{Float, Kernels};
use super::window::{Filler, Part, Parts, Window};
use crate::cpu::parts::{even, for_each_item};
use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};

/// Weights of one output channel in a task: turning the output costs little beside the work on them.
const CHUNK: usize = 288;
/// Elements of partial sums that may be made side by side.
const PARTIAL: usize = 1 << 21;

/// How the sums are cut: tasks make `slices` partial sums, each over some parts, for some channels of a group.
struct Plan<'a, T: Float> {
    problem: &'a Problem,
    kernels: &'static Kernels<T>,
    axes: [Axis; 3],
    taps: usize,
    /// Image channels of a task.
    channels: usize,
    parts: Parts,
    slices: usize,
    /// Rows and columns of a tile, and output channels rounded up to whole registers.
    tall: usize,
    width: usize,
    columns: usize,
}

impl<'a, T: Float> Plan<'a, T> {
    fn new(problem: &'a Problem) -> Plan<'a, T> {
        let Problem { batch, groups, inputs, outputs, geometry } = *problem;
        let (kernels, axes, taps) = (T::kernels(), geometry.forward(), geometry.taps());
        let columns = outputs.next_multiple_of(kernels.lanes);
        let channels = even(inputs, (CHUNK / taps).max(1));
        let spaced: usize = axes.iter().map(|axis| axis.step.min(axis.kernel)).product();
        let parts = Part::cut(geometry.output, batch, (WINDOW / channels / spaced).max(1));
        let tasks = groups * inputs.div_ceil(channels);
        let total = problem.batch.saturating_mul(geometry.positions()).saturating_mul(outputs * inputs * taps);
        let worth = (total / WORK).min(TASKS) / tasks;
        let room = PARTIAL / (groups * inputs * taps * columns);
        let slices = worth.min(room).clamp(1, parts.count().max(1));
        let (tall, registers) = kernels.shape(channels * taps, columns);
        Plan { problem, kernels, axes, taps, channels, parts, slices, tall, width: registers * kernels.lanes, columns }
    }

    /// Where a group's channel begins in the partial sums.
    fn start(&self, slice: usize, group: usize, channel: usize) -> usize {
        let Problem { groups, inputs, .. } = *self.problem;
        ((slice * groups + group) * inputs + channel) * self.taps * self.columns
    }
}

/// `w[g, o, c, tap] = sum over images and positions of y[n, g, o] x[n, g, c] under the tap`.
pub fn gradient<T: Float>(op: &str, problem: &Problem, [x, y]: [&[T]; 2], w: &mut [T]) -> Result<()> {
    if [x.len(), y.len(), w.len()] != problem.sizes() {
        return Err(Error::internal(op, "operands do not fit the sizes of the convolution"));
    }
    if x.is_empty() || y.is_empty() || w.is_empty() {
        w.fill(T::default());
        return Ok(());
    }
    let Problem { groups, inputs, outputs, .. } = *problem;
    let plan = Plan::<T>::new(problem);
    let (chunks, count) = (inputs.div_ceil(plan.channels), plan.parts.count());
    let channels = |chunk: usize| [chunk * plan.channels, plan.channels.min(inputs - chunk * plan.channels)];
    // Sums of the parts of one slice; the sums are arbitrary before.
    let sum = |slice: usize, group: usize, chunk: usize, sums: *mut T| {
        let mut task = Task::new(op, &plan, group, channels(chunk), sums)?;
        (slice * count / plan.slices..(slice + 1) * count / plan.slices)
            .try_for_each(|part| task.add(op, plan.parts.get(part), [x, y]))
    };
    let weights = Target::new(w);
    let depth = inputs * plan.taps;
    let turn = |group: usize, chunk: usize, from: *const T| {
        let [first, count] = channels(chunk);
        let to = weights.at(group * outputs * depth + first * plan.taps);
        let rows = count * plan.taps;
        let turn = Turn { from, from_row: plan.columns, rows, columns: outputs, to, to_row: depth };
        // SAFETY: the sums are those of these channels, whose weights are this task's alone.
        unsafe { (plan.kernels.turn)(&turn) };
    };
    if plan.slices == 1 {
        return for_each_item(0..groups * chunks, |task| {
            let (group, chunk) = (task / chunks, task % chunks);
            let mut sums = Scratch::<T>::new(op, plan.channels * plan.taps * plan.columns)?;
            sum(0, group, chunk, sums.as_mut_ptr())?;
            turn(group, chunk, sums.as_ptr());
            Ok(())
        });
    }
    let mut sums = Scratch::<T>::new(op, plan.slices * plan.start(1, 0, 0))?;
    let target = Target::new(&mut sums);
    for_each_item(0..plan.slices * groups * chunks, |task| {
        let (slice, rest) = (task / (groups * chunks), task % (groups * chunks));
        let (group, chunk) = (rest / chunks, rest % chunks);
        sum(slice, group, chunk, target.at(plan.start(slice, group, channels(chunk)[0])))
    })?;
    // The first slice takes up the others in order.
    for_each_item(0..groups * chunks, |task| {
        let (group, chunk) = (task / chunks, task % chunks);
        let [first, count] = channels(chunk);
        let size = count * plan.taps * plan.columns;
        let slice = |slice: usize| target.at(plan.start(slice, group, first));
        // SAFETY: every task reads and writes the sums of its own channels.
        let total = unsafe { std::slice::from_raw_parts_mut(slice(0), size) };
        for part in 1..plan.slices {
            // SAFETY: as above; slices do not overlap.
            let part = unsafe { std::slice::from_raw_parts(slice(part).cast_const(), size) };
            total.iter_mut().zip(part).for_each(|(total, &part)| *total += part);
        }
        turn(group, chunk, total.as_ptr());
        Ok(())
    })
}

/// One partial sum of some channels: a row for each channel and tap, a column for each output channel.
struct Task<'a, T: Float> {
    plan: &'a Plan<'a, T>,
    group: usize,
    first: usize,
    channels: usize,
    sums: *mut T,
    keep: bool,
    /// Output positions of a depth block, turned: a panel for each tile of columns, one row a position.
    panels: Scratch<T>,
    steps: Scratch<Step>,
    rows: Scratch<usize>,
}

impl<'a, T: Float> Task<'a, T> {
    fn new(
        op: &str,
        plan: &'a Plan<'a, T>,
        group: usize,
        [first, channels]: [usize; 2],
        sums: *mut T,
    ) -> Result<Task<'a, T>> {
        let panels = plan.columns.div_ceil(plan.width);
        Ok(Task {
            plan,
            group,
            first,
            channels,
            sums,
            keep: false,
            panels: Scratch::zeroed(op, panels * DEPTH * plan.width)?,
            steps: Scratch::new(op, DEPTH)?,
            rows: Scratch::new(op, channels * plan.taps)?,
        })
    }

    /// Adds what the positions of a part contribute.
    fn add(&mut self, op: &str, part: Part, [x, y]: [&[T]; 2]) -> Result<()> {
        let Problem { groups, inputs, geometry, .. } = *self.plan.problem;
        let pixels = geometry.pixels();
        let mut window = Window::plain(&self.plan.axes, part);
        window.channels = self.channels;
        let filler = Filler::new(op, &self.plan.axes, &window)?;
        let mut image = Scratch::<T>::new(op, window.len() + 2 * self.plan.kernels.lanes)?;
        for i in 0..part.images * self.channels {
            let (n, channel) = (part.first_image + i / self.channels, self.first + i % self.channels);
            let from = ((n * groups + self.group) * inputs + channel) * pixels;
            filler.fill(&x[from..][..pixels], &mut image[i * window.plane()..]);
        }
        for (rows, channel) in self.rows.chunks_exact_mut(self.plan.taps).zip(0..) {
            for_each_tap(&self.plan.axes, [0; 3], &window, |index, offset| {
                rows[index] = channel * window.plane() + offset;
            });
        }
        let positions = part.positions();
        for start in (0..positions).step_by(DEPTH) {
            let depth = DEPTH.min(positions - start);
            let mut done = 0;
            while done < depth {
                let (from, across, count) = window.run(start + done, depth - done);
                let steps = self.steps[done..done + count].iter_mut().enumerate();
                steps.for_each(|(i, step)| *step = Step { a: from + i * across, b: (done + i) * self.plan.width });
                done += count;
            }
            self.turn(part, start, depth, y);
            self.multiply(&image, depth);
        }
        Ok(())
    }

    /// Fills the panels with the positions of a depth block.
    fn turn(&mut self, part: Part, start: usize, depth: usize, y: &[T]) {
        let Plan { kernels, width, .. } = *self.plan;
        let Problem { groups, outputs, geometry, .. } = *self.plan.problem;
        let (plane, [_, height, row]) = (geometry.positions(), geometry.output);
        let [z, h, c] = part.start;
        let (each, offset) = (part.positions() / part.images, (z * height + h) * row + c);
        let mut done = 0;
        while done < depth {
            let (image, position) = ((start + done) / each, (start + done) % each);
            let columns = (each - position).min(depth - done);
            let channel = ((part.first_image + image) * groups + self.group) * outputs;
            for first in (0..outputs).step_by(width) {
                let rows = width.min(outputs - first);
                let from = &y[(channel + first) * plane + offset + position..];
                let to = &mut self.panels[first * DEPTH + done * width..];
                let (from, to) = (from.as_ptr(), to.as_mut_ptr());
                // SAFETY: these channels and positions are part of the output, and the panel has room for them.
                unsafe { (kernels.turn)(&Turn { from, from_row: plane, rows, columns, to, to_row: width }) };
            }
            done += columns;
        }
    }

    /// Adds the products of a depth block, panel by panel.
    fn multiply(&mut self, image: &[T], depth: usize) {
        let Plan { kernels, width, columns, .. } = *self.plan;
        let tall = even(self.rows.len(), self.plan.tall);
        for column in (0..columns).step_by(width) {
            let registers = width.min(columns - column) / kernels.lanes;
            for (i, rows) in self.rows.chunks(tall).enumerate() {
                let tile = Tile {
                    steps: self.steps.as_ptr(),
                    depth,
                    a: image.as_ptr(),
                    rows: rows.as_ptr(),
                    b: self.panels[column * DEPTH..].as_ptr(),
                    c: self.sums.wrapping_add(i * tall * columns + column),
                    c_row: columns,
                    last: kernels.lanes,
                    keep: self.keep,
                    bias: std::ptr::null(),
                };
                // SAFETY: the window holds every tap at every position, the panel all positions of the block, and the
                // sums are this task's alone.
                unsafe { (kernels.tiles[rows.len() - 1][registers - 1])(&tile) };
            }
        }
        self.keep = true;
    }
}
