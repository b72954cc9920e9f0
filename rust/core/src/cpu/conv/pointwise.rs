//! Kernels of one tap that see each pixel as it is: plain matrix products, image by image.

use super::geometry::Problem;
use crate::cpu::gemm::{Entry, Strided, multiply_block};
use crate::cpu::parts::for_each_item;
use crate::error::{Error, Result};

/// Independent tasks worth having, for machines with many cores.
const TASKS: usize = 16;
/// Fewest rows worth a task.
const ROWS: usize = 32;

/// Rows of a product for each task, so that `units` products become enough of them.
fn block(rows: usize, units: usize) -> usize {
    rows.div_ceil(TASKS.div_ceil(units.max(1)).min(rows / ROWS).max(1)).max(1)
}

/// `out[n, g] = bias + a[g] source[n, g]`, where `a` is `rows x depth` weights with these steps.
struct Product<'a, T> {
    problem: &'a Problem,
    rows: usize,
    depth: usize,
    source: &'a [T],
    weights: &'a [T],
    steps: [usize; 2],
    bias: Option<&'a [T]>,
}

impl<T: Entry> Product<'_, T> {
    fn run(&self, op: &str, out: &mut [T]) -> Result<()> {
        let Product { rows, depth, steps: [row, column], .. } = *self;
        let Problem { batch, groups, geometry, .. } = *self.problem;
        let pixels = geometry.pixels();
        let block = block(rows, batch * groups);
        let mut parts = Vec::new();
        let full = |_| Error::memory(op, "cannot list the tasks");
        parts.try_reserve(batch * groups * rows.div_ceil(block)).map_err(full)?;
        for (unit, out) in out.chunks_mut(rows * pixels).enumerate() {
            parts.extend(out.chunks_mut(block * pixels).enumerate().map(|(i, out)| (unit, i * block, out)));
        }
        for_each_item(parts.into_iter(), |(unit, first, out)| {
            let group = unit % groups;
            if let Some(bias) = self.bias {
                let bias = &bias[group * rows + first..];
                out.chunks_mut(pixels).zip(bias).for_each(|(out, &b)| out.fill(b));
            }
            let size = [out.len() / pixels, pixels, depth];
            let data = &self.weights[group * rows * depth + first * row..];
            let right = Strided::rows(&self.source[unit * depth * pixels..][..depth * pixels], pixels);
            multiply_block(size, (out, pixels), self.bias.is_some(), Strided { data, row, column }, right)
        })
    }
}

pub fn forward<T: Entry>(
    op: &str,
    problem: &Problem,
    [source, weights]: [&[T]; 2],
    bias: Option<&[T]>,
    y: &mut [T],
) -> Result<()> {
    let (rows, depth) = (problem.outputs, problem.inputs);
    Product { problem, rows, depth, source, weights, steps: [depth, 1], bias }.run(op, y)
}

pub fn data<T: Entry>(
    op: &str,
    problem: &Problem,
    [source, weights]: [&[T]; 2],
    bias: Option<&[T]>,
    x: &mut [T],
) -> Result<()> {
    let (rows, depth) = (problem.inputs, problem.outputs);
    Product { problem, rows, depth, source, weights, steps: [1, rows], bias }.run(op, x)
}
