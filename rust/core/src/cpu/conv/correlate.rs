//! Correlation as products of the weights with what the taps see, read where it lies in a window: no matrix of columns
//! is made. How positions and depth are cut depends on the shapes alone; output channels are shared out among the
//! threads, which no sum notices.

use super::geometry::{Axes3, Axis};
use super::kernel::{Gather, Run, Step, Tile};
use super::scatter::Scatter;
use super::table::{Float, Kernels};
use super::window::{Filler, Part, Parts, Window};
use crate::cpu::parts::{even, for_each_item};
use crate::cpu::pool;
use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};
use std::ops::Range;

/// Steps of the common axis whose sum is made in registers: what they see at a tile stays in the first-level cache.
pub const DEPTH: usize = 160;
/// Elements of a window, and of an output that is made in scratch: they should stay in the second-level cache.
pub const WINDOW: usize = 64 * 1024;
const DENSE: usize = 128 * 1024;
/// Output channels whose weights are used together.
const ROWS: usize = 512;
/// Fewest output positions of a task: windows cost little beside the work on them.
const POSITIONS: usize = 128;
/// Independent tasks worth having, for machines with many cores, and the multiplications worth a task.
pub const TASKS: usize = 16;
pub const WORK: usize = 1 << 20;
/// Multiplications that take as long as beginning a unit.
const OVERHEAD: usize = 1 << 13;
/// Rows and columns of the largest tiles.
const TALLEST: usize = 8;
const WIDEST: usize = 64;

/// `out[n, g, row] = bias + sum over channels and taps of weights source[n, g, channel]`.
pub struct Correlation<'a, T> {
    pub axes: [Axis; 3],
    pub batch: usize,
    pub groups: usize,
    /// Of one group: output channels and source channels.
    pub rows: usize,
    pub channels: usize,
    pub source: &'a [T],
    pub weights: &'a [T],
    /// From one output channel to the next in the weights, and from one source channel to the next.
    pub row_step: usize,
    pub channel_step: usize,
    pub bias: Option<&'a [T]>,
}

impl<T> Correlation<'_, T> {
    /// An error unless all operands have the sizes that the axes say.
    pub fn check(&self, op: &str, out: &[T]) -> Result<()> {
        let product = |of: fn(&Axis) -> usize| self.axes.iter().map(of).product::<usize>();
        let images = self.batch * self.groups;
        if self.source.len() != images * self.channels * product(|axis| axis.source)
            || out.len() != images * self.rows * product(|axis| axis.size)
            || self.weights.len() != self.groups * self.rows * self.channels * product(|axis| axis.kernel)
            || self.bias.is_some_and(|bias| bias.len() != self.groups * self.rows)
        {
            return Err(Error::internal(op, "operands do not fit the sizes of the convolution"));
        }
        Ok(())
    }
}

/// The output, written by several threads, each its own positions and channels.
pub struct Target<T>(*mut T);
// SAFETY: tasks write disjoint elements, and every task is done once.
unsafe impl<T: Send> Sync for Target<T> {}

impl<T> Target<T> {
    pub fn new(out: &mut [T]) -> Target<T> {
        Target(out.as_mut_ptr())
    }

    pub fn at(&self, element: usize) -> *mut T {
        self.0.wrapping_add(element)
    }
}

/// Calls `body` with every tap of a phase: its place in the kernel, and where it sees the first output in the window.
pub fn for_each_tap(axes: &[Axis; 3], phase: Axes3, window: &Window, mut body: impl FnMut(usize, usize)) {
    let taps: [_; 3] = std::array::from_fn(|a| axes[a].taps(phase[a]));
    for i in 0..taps[0].count {
        let (k, z) = taps[0].get(i);
        for i in 0..taps[1].count {
            let (l, y) = taps[1].get(i);
            for i in 0..taps[2].count {
                let (m, x) = taps[2].get(i);
                body((k * axes[1].kernel + l) * axes[2].kernel + m, window.tap([z, y, x]));
            }
        }
    }
}

/// How a correlation is cut.
struct Plan<'a, T: Float> {
    x: &'a Correlation<'a, T>,
    kernels: &'static Kernels<T>,
    parts: Parts,
    /// Output channels of a unit, which is a part of one group.
    rows: usize,
    /// Rows and columns of a tile.
    tall: usize,
    width: usize,
    phases: usize,
    /// Whether no tap reaches some of the phases.
    sparse: bool,
}

impl<'a, T: Float> Plan<'a, T> {
    fn new(x: &'a Correlation<'a, T>) -> Plan<'a, T> {
        let kernels = T::kernels();
        let product = |of: fn(&Axis) -> usize| x.axes.iter().map(of).fold(1, usize::saturating_mul);
        let (outputs, taps) = (product(|axis| axis.outputs), product(|axis| axis.kernel));
        let phases = product(|axis| axis.phases);
        // Window elements for each position: a copy for each column of the kernel, and rows between the outputs'.
        let copies = x.axes[2].extent / x.axes[2].unit + 1;
        let spaced = x.axes[..2].iter().map(|axis| axis.step.min(axis.kernel)).product::<usize>();
        let each = x.rows.saturating_mul(x.channels).saturating_mul(taps).max(1);
        let total = x.batch.saturating_mul(x.groups).saturating_mul(outputs);
        let mut rows = even(x.rows, ROWS);
        let channels = x.channels.clamp(1, (DEPTH / taps).max(1));
        let most = WINDOW / channels.saturating_mul(copies).saturating_mul(spaced);
        let most = if phases == 1 { most } else { most.min(DENSE / rows / phases) }.max(1);
        let target = (total / TASKS).max(POSITIONS).max(outputs.min(WORK / each)).min(most);
        let parts = Part::cut(x.axes.map(|axis| axis.outputs), x.batch, target);
        let units = (parts.count() * x.groups * x.rows.div_ceil(rows)).max(1);
        let worth = (total.saturating_mul(each) / WORK).min(2 * pool::num_threads()) / units;
        if worth > 1 {
            rows = even(rows, rows.div_ceil(worth).max(32));
        }
        let (tall, registers) = kernels.shape(rows, parts.largest());
        let sparse = x.axes.iter().any(|axis| (0..axis.phases).any(|phase| axis.taps(phase).count == 0));
        Plan { x, kernels, parts, rows, tall, width: registers * kernels.lanes, phases, sparse }
    }
}

/// Computes a correlation.
pub fn correlate<T: Float>(op: &str, x: &Correlation<T>, out: &mut [T]) -> Result<()> {
    x.check(op, out)?;
    if out.is_empty() {
        return Ok(());
    }
    let plan = Plan::new(x);
    let target = Target::new(out);
    let pieces = x.rows.div_ceil(plan.rows);
    let units = plan.parts.count() * x.groups * pieces;
    let taps: usize = x.axes.iter().map(|axis| axis.kernel).product();
    let each = plan.rows.saturating_mul(x.channels).saturating_mul(taps).max(1);
    let together = (WORK / OVERHEAD.max(each.saturating_mul(plan.parts.largest()))).max(1);
    for_each_item(0..units.div_ceil(together), |task| {
        let mut at: Option<Unit<T>> = None;
        for unit in task * together..units.min((task + 1) * together) {
            let (rest, piece) = (unit / pieces, unit % pieces);
            let (part, group) = (plan.parts.get(rest / x.groups), rest % x.groups);
            let mut moved = match at.take() {
                Some(unit) if unit.window.suits(&part) => Unit { part, ..unit },
                _ => Unit::new(op, &plan, part)?,
            };
            (moved.group, moved.first) = (group, piece * plan.rows);
            moved.rows = plan.rows.min(x.rows - moved.first);
            moved.run(&target);
            at = Some(moved);
        }
        Ok(())
    })
}

/// The output channels `first..first + rows` of a group at the positions of a part.
struct Unit<'a, T: Float> {
    plan: &'a Plan<'a, T>,
    part: Part,
    group: usize,
    first: usize,
    rows: usize,
    window: Window,
    filler: Filler,
    source: Scratch<T>,
    /// What the steps see at a tile whose positions do not lie side by side.
    panel: Scratch<T>,
    /// The output, unless the positions of the part follow each other in it.
    dense: Option<Scratch<T>>,
    /// Steps of a depth block, in the window and in the panel, and the phase and channels that they are for.
    steps: [Scratch<Step>; 2],
    listed: Option<(Axes3, usize)>,
}

impl<'a, T: Float> Unit<'a, T> {
    fn new(op: &str, plan: &'a Plan<'a, T>, part: Part) -> Result<Unit<'a, T>> {
        let mut window = Window::dense(&plan.x.axes, part);
        window.channels = even(plan.x.channels, (WINDOW / window.len()).max(1));
        let filler = Filler::new(op, &plan.x.axes, &window)?;
        // Tiles and runs are read, and rows and runs written, in whole registers beyond their end.
        let slack = plan.width + 2 * plan.kernels.lanes;
        let mut source = Scratch::new(op, window.len() + slack)?;
        source[window.len()..].fill(T::default());
        let depth = DEPTH.max(plan.x.axes.iter().map(|axis| axis.kernel).product::<usize>());
        let steps = [Scratch::new(op, depth)?, Scratch::new(op, depth)?];
        let panel = Scratch::new(op, DEPTH * plan.width + slack)?;
        let direct = plan.phases == 1 && part.images == 1;
        let room = plan.rows * plan.phases * part.positions() + plan.kernels.lanes;
        let dense = (!direct).then(|| Scratch::new(op, room)).transpose()?;
        let (group, first, rows, listed) = (0, 0, plan.rows, None);
        Ok(Unit { plan, part, group, first, rows, window, filler, source, panel, dense, steps, listed })
    }

    fn run(&mut self, out: &Target<T>) {
        let (x, positions) = (self.plan.x, self.part.positions());
        if let Some(dense) = self.dense.as_mut() {
            let to = dense.as_mut_ptr();
            self.product(to, self.plan.phases * positions);
            self.scatter(out);
            return;
        }
        let plane: usize = x.axes.iter().map(|axis| axis.size).product();
        let row = (self.part.first_image * x.groups + self.group) * x.rows + self.first;
        let [_, height, width] = x.axes.map(|axis| axis.size);
        let [z, y, column] = self.part.start;
        self.product(out.at(row * plane + (z * height + y) * width + column), plane);
    }

    /// Copies what was made in scratch to its places.
    fn scatter(&self, out: &Target<T>) {
        let Plan { x, phases, kernels, .. } = *self.plan;
        let Some(dense) = self.dense.as_deref() else { return };
        let (part, positions) = (self.part, self.part.positions());
        let (each, plane) = (positions / part.images, x.axes.iter().map(|axis| axis.size).product::<usize>());
        for i in 0..self.rows * part.images {
            let (row, image) = (i / part.images, i % part.images);
            let from = dense[row * phases * positions + image * each..].as_ptr();
            let channel = ((part.first_image + image) * x.groups + self.group) * x.rows + self.first + row;
            let to = out.at(channel * plane);
            if phases > 1 {
                let scatter = Scatter { axes: &x.axes, part, from, positions, to };
                // SAFETY: all phases were written and a register follows them; these outputs are this task's alone.
                unsafe { (kernels.scatter)(&scatter) };
                continue;
            }
            // SAFETY: whole planes of several images, each of them this task's alone.
            unsafe { std::ptr::copy_nonoverlapping(from, to, plane) };
        }
    }

    /// All depth blocks, whose sums are added in order; phases follow each other in a row of `c`.
    fn product(&mut self, c: *mut T, c_row: usize) {
        let x = self.plan.x;
        let [planes, rows, columns] = x.axes.map(|axis| axis.phases);
        let empty = |a: usize, phase: usize| self.plan.sparse && x.axes[a].taps(phase).count == 0;
        // Without any channel or tap there is one empty block, which writes the bias.
        for channel in (0..x.channels.max(1)).step_by(self.window.channels) {
            let count = self.window.channels.min(x.channels - channel);
            self.fill(channel, count);
            if self.plan.sparse && channel == 0 {
                self.start();
            }
            for i in (0..planes).filter(|&i| !empty(0, i)) {
                for j in (0..rows).filter(|&j| !empty(1, j)) {
                    for k in (0..columns).filter(|&k| !empty(2, k)) {
                        let offset = ((i * rows + j) * columns + k) * self.part.positions();
                        self.phase([i, j, k], [channel, count], c.wrapping_add(offset), c_row);
                    }
                }
            }
        }
    }

    /// Writes the bias to all phases, most of which no tap reaches.
    fn start(&mut self) {
        let each = self.plan.phases * self.part.positions();
        let first = self.group * self.plan.x.rows + self.first;
        let rows = self.dense.iter_mut().flat_map(|dense| dense.chunks_exact_mut(each)).take(self.rows);
        rows.enumerate().for_each(|(i, row)| row.fill(self.plan.x.bias.map_or(T::default(), |bias| bias[first + i])));
    }

    /// The depth blocks of some channels in one phase.
    fn phase(&mut self, at: Axes3, [channel, count]: [usize; 2], c: *mut T, c_row: usize) {
        let x = self.plan.x;
        let taps: usize = (0..3).map(|a| x.axes[a].taps(at[a]).count).product();
        // Several channels with all taps, or some taps of one.
        let each = even(count, (DEPTH / taps.max(1)).max(1));
        let depth = if each > 1 { each * taps } else { even(taps, DEPTH) };
        self.step(at, each);
        for first in (0..count.max(1)).step_by(each) {
            let all = each.min(count - first) * taps;
            for start in (0..all.max(1)).step_by(depth.max(1)) {
                let steps = start..(start + depth).min(all);
                let keep = self.plan.sparse || channel + first + start > 0;
                self.tiles([channel, first], steps, keep, c, c_row);
            }
        }
    }

    /// Fills the window with some channels.
    fn fill(&mut self, channel: usize, count: usize) {
        let x = self.plan.x;
        let plane: usize = x.axes.iter().map(|axis| axis.source).product();
        for image in 0..self.part.images {
            let from = ((self.part.first_image + image) * x.groups + self.group) * x.channels + channel;
            for c in 0..count {
                let to = &mut self.source[(image * self.window.channels + c) * self.window.plane()..];
                self.filler.fill(&x.source[(from + c) * plane..][..plane], to);
            }
        }
    }

    /// Lists the steps of so many channels.
    fn step(&mut self, phase: Axes3, channels: usize) {
        if self.listed.replace((phase, channels)) == Some((phase, channels)) {
            return;
        }
        let x = self.plan.x;
        let [steps, panel] = &mut self.steps;
        let mut used = 0;
        for_each_tap(&x.axes, phase, &self.window, |index, offset| {
            steps[used] = Step { a: index, b: offset };
            used += 1;
        });
        for channel in 1..channels {
            for i in 0..used {
                let Step { a, b } = steps[i];
                let (a, b) = (a + channel * x.channel_step, b + channel * self.window.plane());
                steps[channel * used + i] = Step { a, b };
            }
        }
        for (i, (panel, step)) in panel.iter_mut().zip(&**steps).take(used * channels).enumerate() {
            *panel = Step { a: step.a, b: i * self.plan.width };
        }
    }

    /// All tiles of a depth block: what the steps see at a tile is used by all output channels.
    fn tiles(&mut self, [channel, first]: [usize; 2], steps: Range<usize>, keep: bool, c: *mut T, c_row: usize) {
        let Plan { x, kernels, width, .. } = *self.plan;
        let weights = self.group * (x.weights.len() / x.groups) + (channel + first) * x.channel_step;
        let weights = x.weights.as_ptr().wrapping_add(weights + self.first * x.row_step);
        let bias = x.bias.map_or(std::ptr::null(), |bias| bias[self.group * x.rows + self.first..].as_ptr());
        let source = self.source.as_ptr().wrapping_add(first * self.window.plane());
        let mut rows_at = [0; TALLEST];
        rows_at.iter_mut().zip(0..).for_each(|(at, row)| *at = row * x.row_step);
        let tall = even(self.rows, self.plan.tall);
        let mut runs = [Run::default(); WIDEST];
        let positions = self.part.positions();
        for at in (0..positions).step_by(width) {
            let count = width.min(positions - at);
            let registers = count.div_ceil(kernels.lanes);
            let (from, _, together) = self.window.run(at, count);
            let (mut table, mut b) = (&self.steps[0][steps.clone()], source.wrapping_add(from));
            if together < count {
                let used = self.window.runs(at, count, registers, kernels.lanes, &mut runs);
                let to = self.panel.as_mut_ptr();
                let gather = Gather { from: source, steps: table, runs: &runs[..used], to, width };
                // SAFETY: runs lie inside the window at every step; it and the panel have room for what is copied
                // beyond them.
                unsafe { (kernels.gather)(&gather) };
                // The panel begins with the first of these steps, which may be anywhere in the list.
                (table, b) = (&self.steps[1][steps.clone()], to.cast_const().wrapping_sub(steps.start * width));
            }
            for row in (0..self.rows).step_by(tall) {
                let rows = tall.min(self.rows - row);
                let tile = Tile {
                    steps: table.as_ptr(),
                    depth: table.len(),
                    a: weights.wrapping_add(row * x.row_step),
                    rows: rows_at.as_ptr(),
                    b,
                    c: c.wrapping_add(row * c_row + at),
                    c_row,
                    last: count - (registers - 1) * kernels.lanes,
                    keep,
                    bias: if bias.is_null() { bias } else { bias.wrapping_add(row) },
                };
                // SAFETY: `correlate` proved the sizes of weights, bias and output, window or panel hold the depth
                // block, and these rows and positions are this task's alone.
                unsafe { (kernels.tiles[rows - 1][registers - 1])(&tile) };
            }
        }
    }
}
