//! The loops around an engine: stripes of both operands, squares of sums, whatever the element type.

use super::engine::{Engine, Registers};
use super::extent::Extent;
use super::source::{Lines, STRIPE, Source};
use crate::cpu::arena;
use crate::cpu::gemm::entry::Block;
use crate::cpu::gemm::packed::moved;
use crate::cpu::parts::for_each_item;
use crate::cpu::scratch::Scratch;
use crate::error::Result;
use std::marker::PhantomData;
use std::ops::Range;

/// The most rows and columns of a task, and the common axis between two additions to its sums: in three parts, a stripe
/// of the right operand, the left one and the sums fit the second-level cache.
const TASK_ROWS: usize = 128;
const TASK_COLUMNS: usize = 1024;
const DEPTH: usize = 512;
/// Elements of a right operand rearranged at once: they should stay in the last-level cache.
const SHARED: usize = 1 << 21;
/// Stripes of a right operand rearranged by one task.
const FILL: usize = 8;
/// Tasks wanted where there is enough work.
const WANTED: usize = 8;

/// Stripes of one operand in registers' order, depth block after depth block. Threads fill each its own.
struct Stripes<S, const P: usize> {
    registers: arena::Block,
    extents: arena::Block,
    count: usize,
    /// Steps along the common axis in a depth block; the last may have fewer.
    steps: usize,
    source: PhantomData<S>,
}

impl<S: Source, const P: usize> Stripes<S, P> {
    fn new(count: usize, blocks: usize, depth: usize) -> Result<Stripes<S, P>> {
        let steps = depth.div_ceil(S::STEP);
        let registers = arena::Block::new(blocks * count * steps * P * size_of::<Registers>())?;
        let extents = arena::Block::new(blocks * count * size_of::<Extent>())?;
        Ok(Stripes { registers, extents, count, steps, source: PhantomData })
    }

    fn registers(&self, block: usize, stripe: usize) -> *mut [Registers; P] {
        self.registers.as_mut_ptr().cast::<[Registers; P]>().wrapping_add((block * self.count + stripe) * self.steps)
    }

    fn extent(&self, block: usize, stripe: usize) -> *mut Extent {
        self.extents.as_mut_ptr().cast::<Extent>().wrapping_add(block * self.count + stripe)
    }

    /// Fills some stripes of a depth block from the first `count` lines and `depth` places of an operand.
    ///
    /// # Safety
    /// `pack` must be one of the source's, the lines valid, and nobody else fill or read these stripes of this block.
    unsafe fn fill(
        &self,
        block: usize,
        stripes: Range<usize>,
        lines: Lines<S>,
        [count, depth]: [usize; 2],
        pack: unsafe fn(Lines<S>, [usize; 2], &mut [Registers; P]) -> Extent,
    ) {
        let one = |stripe: usize, step: usize| {
            let (line, place) = (stripe * STRIPE, step * S::STEP);
            let size = [STRIPE.min(count - line), S::STEP.min(depth - place)];
            // SAFETY: the caller's promise; a block has room for so many steps, and an extent for each stripe.
            unsafe {
                let part = pack(moved(lines, line, place), size, &mut *self.registers(block, stripe).add(step));
                let before = if step == 0 { Extent::ZEROS } else { *self.extent(block, stripe) };
                *self.extent(block, stripe) = before.merged(part);
            }
        };
        let steps = depth.div_ceil(S::STEP);
        // In the order of memory.
        if lines.2 == 1 {
            stripes.for_each(|stripe| (0..steps).for_each(|step| one(stripe, step)));
        } else {
            (0..steps).for_each(|step| stripes.clone().for_each(|stripe| one(stripe, step)));
        }
    }
}

/// A block whose parts several threads do.
struct Job<'a, S: Source>(&'a Block<S, S::Output>);
// SAFETY: operands are only read, and tasks write disjoint parts of the output.
unsafe impl<S: Source> Sync for Job<'_, S> {}

/// Depth blocks of a common axis: index, beginning and length.
fn depth_blocks(k: usize, each: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..k).step_by(each).enumerate().map(move |(block, first)| (block, first, each.min(k - first)))
}

/// `c = from + a b` with operands of `P` parts, whose products are summed but for the smallest; in parallel.
///
/// # Safety
/// As `Entry::multiply` and `Engine::configure`; no size may be zero.
pub unsafe fn run<E: Engine<S>, S: Source, const P: usize>(x: &Block<S, S::Output>) -> Result<()> {
    let [m, n, k] = x.size;
    let depth = k.div_ceil(k.div_ceil(DEPTH)).next_multiple_of(S::STEP);
    let width = (SHARED / k).max(STRIPE) / STRIPE * STRIPE;
    let job = Job(x);
    for first in (0..n).step_by(width) {
        let columns = width.min(n - first);
        let right = Stripes::<S, P>::new(columns.div_ceil(STRIPE), k.div_ceil(depth), depth)?;
        for_each_item(0..right.count.div_ceil(FILL), |task| {
            let job = &job;
            let (at, row, column) = moved(job.0.b, 0, first);
            let stripes = task * FILL..((task + 1) * FILL).min(right.count);
            for (block, first, depths) in depth_blocks(k, depth) {
                let lines = moved((at, column, row), 0, first);
                // SAFETY: the caller's promise; each task fills its own stripes.
                unsafe { right.fill(block, stripes.clone(), lines, [columns, depths], S::pack_right::<P>) };
            }
            Ok(())
        })?;
        // Each cut along the columns rearranges the left operand once more.
        let across = columns.div_ceil(TASK_COLUMNS);
        let each = columns.div_ceil(across).next_multiple_of(STRIPE);
        let across = columns.div_ceil(each);
        let height = (m * across / WANTED).clamp(STRIPE, TASK_ROWS).next_multiple_of(STRIPE);
        let down = m.div_ceil(height);
        for_each_item(0..down * across, |index| {
            let (row, column) = (index / across * height, index % across * each);
            let (rows, columns) = (height.min(m - row), each.min(columns - column));
            let task = Task { job: &job, right: &right, depth, row, rows, column, columns, first };
            // SAFETY: the caller's promise; tasks are disjoint.
            unsafe { task.run::<E>() }
        })?;
    }
    Ok(())
}

/// Some rows and columns of the output.
struct Task<'a, S: Source, const P: usize> {
    job: &'a Job<'a, S>,
    right: &'a Stripes<S, P>,
    depth: usize,
    row: usize,
    rows: usize,
    /// The first column, counted from the first of the right operand's stripes, and that one's column.
    column: usize,
    first: usize,
    columns: usize,
}

impl<S: Source, const P: usize> Task<'_, S, P> {
    /// # Safety
    /// As the function `run`.
    unsafe fn run<E: Engine<S>>(&self) -> Result<()> {
        let (x, width) = (self.job.0, self.columns.next_multiple_of(STRIPE));
        let (down, across) = (self.rows.div_ceil(STRIPE), width / STRIPE);
        let left = Stripes::<S, P>::new(down, 1, self.depth)?;
        let mut sums = Scratch::<S::Sum>::zeroed("matmul", down * STRIPE * width)?;
        for (block, first, depths) in depth_blocks(x.size[2], self.depth) {
            // SAFETY: the caller's promise, for the task's part of the operands.
            unsafe {
                left.fill(0, 0..down, moved(x.a, self.row, first), [self.rows, depths], S::pack_left::<P>);
                let suits = |i: usize, j: usize| {
                    (*left.extent(0, i)).suits(*self.right.extent(block, self.column / STRIPE + j), depths)
                };
                let mut engine = E::configure();
                for (j, i) in (0..across).flat_map(|j| (0..down).map(move |i| (j, i))).filter(|&(j, i)| suits(i, j)) {
                    let (a, b) = (left.registers(0, i), self.right.registers(block, self.column / STRIPE + j));
                    let rows = STRIPE.min(self.rows - i * STRIPE);
                    let sums = sums[i * STRIPE * width + j * STRIPE..].as_mut_ptr();
                    engine.add_product([rows, depths.div_ceil(S::STEP)], a, b, (sums, width));
                }
                drop(engine);
                for i in 0..down {
                    let mut j = 0;
                    while j < across {
                        let run = (j..across).take_while(|&j| !suits(i, j)).count();
                        if run > 0 {
                            self.plain([i, j, run], [first, depths], &mut sums, width)?;
                        }
                        j += run.max(1);
                    }
                }
            }
        }
        // SAFETY: the caller's promise, for the task's part of the output.
        unsafe { self.finish(&sums, width) };
        Ok(())
    }

    /// A row of squares that the engine would get wrong, over one depth block.
    ///
    /// # Safety
    /// As `run`.
    unsafe fn plain(
        &self,
        [i, j, run]: [usize; 3],
        [first, depths]: [usize; 2],
        sums: &mut [S::Sum],
        width: usize,
    ) -> Result<()> {
        let (row, column) = (i * STRIPE, j * STRIPE);
        let size = [STRIPE.min(self.rows - row), (run * STRIPE).min(self.columns - column), depths];
        let sum = sums[row * width + column..].as_mut_ptr();
        let (a, b) = (self.job.0.a, self.job.0.b);
        // SAFETY: the caller's promise; the sums hold whole stripes.
        unsafe {
            S::plain(Block {
                size,
                c: (sum, width as isize),
                from: (sum.cast_const(), width as isize),
                a: moved(a, self.row + row, first),
                b: moved(b, first, self.first + self.column + column),
            })
        }
    }

    /// Writes the output.
    ///
    /// # Safety
    /// As `run`.
    unsafe fn finish(&self, sums: &[S::Sum], width: usize) {
        let ((c, c_row), (from, from_row)) = (self.job.0.c, self.job.0.from);
        let column = self.first + self.column;
        for (row, sums) in sums.chunks(width).enumerate().take(self.rows) {
            let (row, sums) = ((self.row + row) as isize, &sums[..self.columns]);
            // SAFETY: the caller's promise.
            unsafe {
                let c = c.offset(row * c_row).add(column);
                if from.is_null() {
                    let c = std::slice::from_raw_parts_mut(c, self.columns);
                    c.iter_mut().zip(sums).for_each(|(c, &sum)| *c = S::finish(sum, None));
                } else {
                    let from = from.offset(row * from_row).add(column);
                    for (at, &sum) in sums.iter().enumerate() {
                        *c.add(at) = S::finish(sum, Some(*from.add(at)));
                    }
                }
            }
        }
    }
}
