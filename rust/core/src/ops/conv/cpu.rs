//! The three passes of a convolution as matrix products over a column buffer that stays in cache: row `(channel, tap)`,
//! one column an output position. Tasks write disjoint slices of the output; the cut depends on the shapes alone.

use super::direct::Direct;
use super::geometry::{Geometry, Run};
use super::{Pass, Problem};
use crate::cpu::arena::Block;
use crate::cpu::gemm::{Entry, Strided, multiply_block};
use crate::cpu::parts::for_each_item;
use crate::error::Result;
use bytemuck::Pod;
use std::ops::{AddAssign, Range};

/// Elements of the column buffer: it should stay in the second-level cache.
const COLUMNS: usize = 128 * 1024;
/// Independent tasks worth having, for machines with many cores.
const TASKS: usize = 16;
/// Rows of an output block below which building the columns again costs more than it gains.
const ROWS: usize = 32;

pub trait Real: Entry + AddAssign + Pod + Direct {}
impl Real for f32 {}
impl Real for f64 {}

/// One block of output positions and how its taps reach into the image.
struct Band {
    positions: Range<usize>,
    runs: Vec<Run>,
}

pub struct Plan<'a> {
    problem: &'a Problem,
    bands: Vec<Band>,
    pointwise: bool,
    padded: bool,
}

impl<'a> Plan<'a> {
    /// `channels` of the image share one column buffer.
    fn new(name: &'static str, problem: &'a Problem, channels: usize) -> Result<Plan<'a>> {
        let geometry = &problem.geometry;
        let (positions, rows) = (geometry.positions(), channels * geometry.taps());
        let pointwise = geometry.is_pointwise();
        let width = if pointwise { positions } else { (COLUMNS / rows.max(1)).max(64).min(positions) };
        let mut bands = Vec::new();
        for start in (0..positions).step_by(width.max(1)) {
            let block = start..(start + width).min(positions);
            let runs = if pointwise { Vec::new() } else { geometry.runs(name, block.clone())? };
            bands.push(Band { positions: block, runs });
        }
        Ok(Plan { problem, bands, pointwise, padded: geometry.is_padded() })
    }

    fn geometry(&self) -> &Geometry {
        &self.problem.geometry
    }

    fn scratch(&self, channels: usize, size: usize) -> Result<Block> {
        let width = self.bands.iter().map(|band| band.positions.len()).max().unwrap_or(0);
        let elements = if self.pointwise { 0 } else { channels * self.geometry().taps() * width };
        Block::new(elements * size)
    }

    /// Columns of the channels in `x`: what each tap sees at each position.
    fn gather<T: Real>(&self, band: &Band, x: &[T], columns: &mut [T]) {
        let (width, step) = (band.positions.len(), self.geometry().step());
        let (taps, pixels) = (self.geometry().taps(), self.geometry().pixels());
        if self.padded {
            columns.fill(T::default());
        }
        for (x, columns) in x.chunks_exact(pixels).zip(columns.chunks_exact_mut(taps * width)) {
            for run in &band.runs {
                let to = &mut columns[run.tap * width + run.position..][..run.count];
                match step {
                    1 => to.copy_from_slice(&x[run.pixel..][..run.count]),
                    _ => to.iter_mut().zip(x[run.pixel..].iter().step_by(step)).for_each(|(to, &x)| *to = x),
                }
            }
        }
    }

    /// Adds every column entry to the pixel it was taken from.
    fn scatter<T: Real>(&self, band: &Band, columns: &[T], x: &mut [T]) {
        let (width, step) = (band.positions.len(), self.geometry().step());
        let (taps, pixels) = (self.geometry().taps(), self.geometry().pixels());
        for (x, columns) in x.chunks_exact_mut(pixels).zip(columns.chunks_exact(taps * width)) {
            for run in &band.runs {
                let from = &columns[run.tap * width + run.position..][..run.count];
                match step {
                    1 => x[run.pixel..][..run.count].iter_mut().zip(from).for_each(|(x, &c)| *x += c),
                    _ => x[run.pixel..].iter_mut().step_by(step).zip(from).for_each(|(x, &c)| *x += c),
                }
            }
        }
    }
}

/// How many pieces to cut `rows` into so that `units` of them become enough tasks.
fn pieces(rows: usize, units: usize) -> usize {
    TASKS.div_ceil(units.max(1)).min(rows / ROWS).max(1)
}

/// `inputs` are the operands of the pass; the output holds arbitrary values before.
pub fn run<T: Real>(name: &'static str, pass: Pass, problem: &Problem, inputs: &[&[T]], out: &mut [T]) -> Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let bias = inputs.get(2).copied();
    match (pass, problem.is_depthwise()) {
        (Pass::Forward, true) => direct_forward(name, problem, inputs[0], inputs[1], bias, out),
        (Pass::Data, true) => direct_data(name, problem, inputs[0], inputs[1], bias, out),
        (Pass::Weights, true) => direct_weights(name, problem, inputs[0], inputs[1], out),
        (Pass::Forward, false) => forward(name, problem, inputs[0], inputs[1], bias, out),
        (Pass::Data, false) => data(name, problem, inputs[0], inputs[1], bias, out),
        (Pass::Weights, false) => weights(name, problem, inputs[0], inputs[1], out),
    }
}

/// `y[n, g] = w[g] columns(x[n, g])`, cut by image, group and output channels.
fn forward<T: Real>(
    name: &'static str,
    problem: &Problem,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) -> Result<()> {
    let Problem { groups, inputs, outputs, .. } = *problem;
    let plan = Plan::new(name, problem, inputs)?;
    let (pixels, positions) = (plan.geometry().pixels(), plan.geometry().positions());
    let depth = inputs * plan.geometry().taps();
    let block = outputs.div_ceil(pieces(outputs, problem.batch * groups));
    let tasks = y.chunks_mut(outputs * positions).enumerate();
    // A unit is one image and group; its blocks of output channels follow each other.
    let blocks = outputs.div_ceil(block);
    let mut parts = Vec::new();
    super::reserve(name, &mut parts, problem.batch * groups * blocks)?;
    for (unit, y) in tasks {
        parts.extend(y.chunks_mut(block * positions).enumerate().map(|(i, y)| (unit, i * block, y)));
    }
    for_each_item(parts.into_iter(), |(unit, first, y)| {
        let group = unit % groups;
        let x = &x[unit * inputs * pixels..][..inputs * pixels];
        let (rows, first) = (y.len() / positions, group * outputs + first);
        let w = &w[first * depth..][..rows * depth];
        if let Some(bias) = bias {
            y.chunks_mut(positions).zip(&bias[first..]).for_each(|(y, &b)| y.fill(b));
        }
        let mut scratch = plan.scratch(inputs, size_of::<T>())?;
        let columns: &mut [T] = bytemuck::cast_slice_mut(scratch.as_bytes_mut());
        for band in &plan.bands {
            let width = band.positions.len();
            let right = match plan.pointwise {
                true => Strided::rows(x, positions),
                false => {
                    plan.gather(band, x, &mut columns[..depth * width]);
                    Strided::rows(columns, width)
                }
            };
            let to = (&mut y[band.positions.start..], positions);
            multiply_block([rows, width, depth], to, bias.is_some(), Strided::rows(w, depth), right)?;
        }
        Ok(())
    })
}

/// `x[n, g] = scatter(w[g]^T y[n, g])`, cut by image, group and input channels.
fn data<T: Real>(
    name: &'static str,
    problem: &Problem,
    y: &[T],
    w: &[T],
    bias: Option<&[T]>,
    x: &mut [T],
) -> Result<()> {
    let Problem { groups, inputs, outputs, geometry, .. } = *problem;
    let (pixels, positions, taps) = (geometry.pixels(), geometry.positions(), geometry.taps());
    let depth = inputs * taps;
    let block = inputs.div_ceil(pieces(depth, problem.batch * groups).min(inputs.max(1)));
    let plan = Plan::new(name, problem, block)?;
    let mut parts = Vec::new();
    super::reserve(name, &mut parts, problem.batch * groups * inputs.div_ceil(block))?;
    for (unit, x) in x.chunks_mut(inputs * pixels).enumerate() {
        parts.extend(x.chunks_mut(block * pixels).enumerate().map(|(i, x)| (unit, i * block, x)));
    }
    for_each_item(parts.into_iter(), |(unit, first, x)| {
        let group = unit % groups;
        let y = &y[unit * outputs * positions..][..outputs * positions];
        let w = &w[group * outputs * depth..][..outputs * depth];
        let (channels, rows) = (x.len() / pixels, x.len() / pixels * taps);
        let left = Strided { data: &w[first * taps..], row: 1, column: depth };
        let start = |channel: usize| bias.map_or(T::default(), |bias| bias[group * inputs + first + channel]);
        x.chunks_mut(pixels).enumerate().for_each(|(channel, x)| x.fill(start(channel)));
        if plan.pointwise {
            let right = Strided::rows(y, positions);
            return multiply_block([rows, pixels, outputs], (x, pixels), true, left, right);
        }
        let mut scratch = plan.scratch(channels, size_of::<T>())?;
        let columns: &mut [T] = bytemuck::cast_slice_mut(scratch.as_bytes_mut());
        for band in &plan.bands {
            let width = band.positions.len();
            let right = Strided::rows(&y[band.positions.start..], positions);
            multiply_block([rows, width, outputs], (&mut columns[..], width), false, left, right)?;
            plan.scatter(band, columns, x);
        }
        Ok(())
    })
}

/// `w[g] = sum over n of y[n, g] columns(x[n, g])^T`, cut by group, output channels and slices of the batch whose
/// partial sums are added in order.
fn weights<T: Real>(name: &'static str, problem: &Problem, x: &[T], y: &[T], w: &mut [T]) -> Result<()> {
    let Problem { batch, groups, inputs, outputs, .. } = *problem;
    let plan = Plan::new(name, problem, inputs)?;
    let (pixels, positions) = (plan.geometry().pixels(), plan.geometry().positions());
    let depth = inputs * plan.geometry().taps();
    if batch == 0 || positions == 0 {
        w.fill(T::default());
        return Ok(());
    }
    // Large weights are cut by channels, small ones by images: partial sums cost memory, columns built twice cost time.
    let slices = TASKS.div_ceil(groups).min(COLUMNS / w.len()).clamp(1, batch);
    let block = outputs.div_ceil(pieces(outputs, groups * slices));
    let mut partial = Block::new(if slices > 1 { slices * size_of_val(w) } else { 0 })?;
    let total = w.len();
    let target: &mut [T] = if slices > 1 { bytemuck::cast_slice_mut(partial.as_bytes_mut()) } else { &mut *w };
    let mut parts = Vec::new();
    super::reserve(name, &mut parts, slices * groups * outputs.div_ceil(block))?;
    for (slice, w) in target.chunks_mut(total).enumerate() {
        for (group, w) in w.chunks_mut(outputs * depth).enumerate() {
            parts.extend(w.chunks_mut(block * depth).enumerate().map(|(i, w)| (slice, group, i * block, w)));
        }
    }
    for_each_item(parts.into_iter(), |(slice, group, first, w)| {
        let rows = w.len() / depth;
        let mut scratch = plan.scratch(inputs, size_of::<T>())?;
        let columns: &mut [T] = bytemuck::cast_slice_mut(scratch.as_bytes_mut());
        let mut keep = false;
        for n in slice * batch / slices..(slice + 1) * batch / slices {
            let unit = n * groups + group;
            let x = &x[unit * inputs * pixels..][..inputs * pixels];
            let y = &y[(unit * outputs + first) * positions..][..rows * positions];
            for band in &plan.bands {
                let width = band.positions.len();
                let right = match plan.pointwise {
                    true => Strided { data: x, row: 1, column: positions },
                    false => {
                        plan.gather(band, x, &mut columns[..depth * width]);
                        Strided { data: &*columns, row: 1, column: width }
                    }
                };
                let left = Strided::rows(&y[band.positions.start..], positions);
                multiply_block([rows, depth, width], (&mut *w, depth), keep, left, right)?;
                keep = true;
            }
        }
        Ok(())
    })?;
    if slices > 1 {
        w.copy_from_slice(&target_of::<T>(&partial)[..total]);
        for slice in target_of::<T>(&partial).chunks(total).skip(1) {
            w.iter_mut().zip(slice).for_each(|(w, &part)| *w += part);
        }
    }
    Ok(())
}

fn target_of<T: Pod>(block: &Block) -> &[T] {
    bytemuck::cast_slice(block.as_bytes())
}

/// One input channel a group: every output plane is a sum of shifted, scaled copies of one image plane.
fn direct_forward<T: Real>(
    name: &'static str,
    problem: &Problem,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) -> Result<()> {
    let Problem { groups, outputs, geometry, .. } = *problem;
    let (pixels, positions, taps) = (geometry.pixels(), geometry.positions(), geometry.taps());
    let runs = geometry.runs(name, 0..positions)?;
    for_each_item(y.chunks_mut(positions).enumerate(), |(plane, y)| {
        let channel = plane % (groups * outputs);
        y.fill(bias.map_or(T::default(), |bias| bias[channel]));
        let x = &x[plane / outputs * pixels..][..pixels];
        T::forward(&runs, geometry.step(), &w[channel * taps..][..taps], x, y);
        Ok(())
    })
}

fn direct_data<T: Real>(
    name: &'static str,
    problem: &Problem,
    y: &[T],
    w: &[T],
    bias: Option<&[T]>,
    x: &mut [T],
) -> Result<()> {
    let Problem { groups, outputs, geometry, .. } = *problem;
    let (pixels, positions, taps) = (geometry.pixels(), geometry.positions(), geometry.taps());
    let runs = geometry.runs(name, 0..positions)?;
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

fn direct_weights<T: Real>(name: &'static str, problem: &Problem, x: &[T], y: &[T], w: &mut [T]) -> Result<()> {
    let Problem { batch, groups, outputs, geometry, .. } = *problem;
    let (pixels, positions, taps) = (geometry.pixels(), geometry.positions(), geometry.taps());
    let runs = geometry.runs(name, 0..positions)?;
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
