//! One product of real numbers on the calling thread: which kernel, in which order, on operands packed or as they lie.

use super::entry::{Block, typed_mut};
use super::kernel::Tile;
use super::packed::{Left, Matrix, Packed, Right, moved};
use super::table::{Kernels, Real};
use crate::cpu::arena;
use crate::error::Result;

/// Rows of `b` used together: a panel of them and a few rows of `a` fit the first-level cache.
const DEPTH: usize = 192;
/// Rows of `a` and columns of `b` used together: with `DEPTH`, and with the output, they fit the second-level cache.
const ROWS: usize = 96;
const COLUMNS: usize = 384;
/// Rows of `b` read side by side where every element is used only a few times: streams the processor foresees.
const STREAMS: usize = 16;
/// Rows of `a` up to which reading `b` takes all the time.
const FEW: usize = 4;
/// Rows of `a` up to which rearranging `b` is not worth it, and elements of `b` up to which it never is.
const UNPACKED_ROWS: usize = 48;
const UNPACKED: usize = 16384;
/// Rows of `a` up to which dot products beat transposing `b`.
const DOT_ROWS: usize = 16;

/// Size of the fewest parts of at most `most` that make up `total`, as even as possible.
fn even(total: usize, most: usize) -> usize {
    total.div_ceil(total.div_ceil(most).max(1)).max(1)
}

/// Beginnings and sizes of the parts of `total`.
fn parts(total: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..total).step_by(size).map(move |first| (first, size.min(total - first)))
}

/// Length of the depth blocks of a product: their sums are added in order, whatever the tile.
pub fn depth_block(k: usize) -> usize {
    even(k, DEPTH)
}

/// Whether a right operand with this column step is better not rearranged for so many rows.
pub fn takes_as_it_lies([m, n, k]: [usize; 3], column_step: isize) -> bool {
    column_step == 1 && (m <= UNPACKED_ROWS || n.saturating_mul(k) <= UNPACKED)
}

/// # Safety
/// As `Entry::multiply`; a shared `b` must hold the depth of the block and, from the column given on, its columns.
pub unsafe fn multiply<T: Real>(mut x: Block<T>, shared: Option<(&Packed<T>, usize)>) -> Result<()> {
    let [m, n, k] = x.size;
    // Steps along an axis of one element say nothing.
    x.a = (x.a.0, if m == 1 { 0 } else { x.a.1 }, if k == 1 { 1 } else { x.a.2 });
    x.b = (x.b.0, if k == 1 { 1 } else { x.b.1 }, if n == 1 { 1 } else { x.b.2 });
    // SAFETY: the caller's promise, for the same elements; dots are of operands contiguous along the common axis.
    unsafe {
        if shared.is_none() && n == 1 && x.a.2 != 1 && x.a.1 == 1 && x.c.1 == 1 {
            return multiply(turned(x), None);
        }
        let few = m <= DOT_ROWS || n == 1;
        if shared.is_none() && few && x.a.2 == 1 && x.b.1 == 1 && k >= 2 * T::kernels().lanes {
            by_dots(&x);
            return Ok(());
        }
        by_panels(&x, shared)
    }
}

/// A column of the output as a row: `c' = b' a'`.
///
/// # Safety
/// As `Entry::multiply`.
unsafe fn turned<T: Real>(mut x: Block<T>) -> Block<T> {
    let [m, _, k] = x.size;
    if !x.from.0.is_null() && x.from.1 != 1 {
        for i in 0..m {
            // SAFETY: the caller's promise.
            unsafe { *x.c.0.add(i) = *x.from.0.offset(i as isize * x.from.1) };
        }
        x.from.0 = x.c.0;
    }
    let ((a, a_row, a_column), (b, b_row, _)) = (x.a, x.b);
    Block { size: [1, m, k], c: (x.c.0, m as isize), from: (x.from.0, 0), a: (b, 0, b_row), b: (a, a_column, a_row) }
}

/// Where the output of a tile goes and what it is added to.
#[derive(Clone, Copy)]
struct Sink<T> {
    c: (*mut T, isize),
    from: (*const T, isize),
}

impl<T> Sink<T> {
    fn at(&self, row: usize, column: usize) -> Sink<T> {
        let ((c, c_row), (from, from_row)) = (self.c, self.from);
        let to = c.wrapping_offset(row as isize * c_row).wrapping_add(column);
        let start = from.wrapping_offset(row as isize * from_row).wrapping_add(column);
        Sink { c: (to, c_row), from: (if from.is_null() { from } else { start }, from_row) }
    }
}

/// # Safety
/// As `Entry::multiply`; both operands must be contiguous along the common axis.
unsafe fn by_dots<T: Real>(x: &Block<T>) {
    let (dots, [m, n, depth]) = (T::kernels().dots, x.size);
    for (j, columns) in parts(n, even(n, dots[0].len())) {
        for (i, rows) in parts(m, even(m, dots.len())) {
            let Sink { c: (c, c_row), from: (from, from_row) } = Sink { c: x.c, from: x.from }.at(i, j);
            let ((a, a_row, a_step), (b, _, b_step)) = (moved(x.a, i, 0), moved(x.b, 0, j));
            let tile = Tile { depth, a, a_row, a_step, b, b_step, c, c_row, from, from_row, last: columns };
            // SAFETY: the tile is a part of the block, whose elements the caller vouches for.
            unsafe { (dots[rows - 1][columns - 1])(&tile) };
        }
    }
}

/// How a product is cut for the kernels.
struct Plan {
    /// Columns of a panel, and rows of the tallest tile of that width.
    width: usize,
    tall: usize,
    depth: usize,
    /// Whether each operand is rearranged here.
    pack_left: bool,
    pack_right: bool,
}

impl Plan {
    fn new<T: Real>(x: &Block<T>, shared: Option<usize>) -> Plan {
        let (kernels, [m, n, k]) = (T::kernels(), x.size);
        let width = shared.unwrap_or(kernels.grain(m, n).columns);
        let tall = kernels.outer.iter().filter(|row| row.len() * kernels.lanes >= width).count();
        let as_it_lies = takes_as_it_lies(x.size, x.b.2);
        let streams = shared.is_none() && as_it_lies && m <= FEW && n >= 4 * width;
        let depth = if streams { STREAMS } else { depth_block(k) };
        Plan { width, tall, depth, pack_left: x.a.2 != 1 && n > width, pack_right: shared.is_none() && !as_it_lies }
    }

    /// Rows of a panel of `a`: whole registers and whole tiles.
    fn stack(&self, lanes: usize) -> usize {
        if self.tall.is_multiple_of(lanes) { self.tall } else { self.tall * lanes / (1 << self.tall.trailing_zeros()) }
    }
}

/// # Safety
/// As `multiply`.
unsafe fn by_panels<T: Real>(x: &Block<T>, shared: Option<(&Packed<T>, usize)>) -> Result<()> {
    let (kernels, [m, n, k]) = (T::kernels(), x.size);
    let plan = Plan::new(x, shared.map(|(packed, _)| packed.width));
    let columns = COLUMNS.min(n);
    let own = plan.pack_right.then(|| Packed::<T>::new(plan.depth, columns, plan.depth, plan.width)).transpose()?;
    let stack = plan.stack(kernels.lanes);
    let room = if plan.pack_left { plan.depth * ROWS.min(m).next_multiple_of(stack) } else { 0 };
    let mut memory = arena::Block::new(room * size_of::<T>())?;
    let panels = typed_mut::<T>(&mut memory).as_mut_ptr();
    for (p, depth) in parts(k, plan.depth) {
        let sink = Sink { c: x.c, from: if p == 0 { x.from } else { (x.c.0.cast_const(), x.c.1) } };
        for (j, columns) in parts(n, COLUMNS) {
            let b = moved(x.b, p, j);
            let right = match (&own, shared) {
                (Some(own), _) => {
                    // SAFETY: the block's columns are valid and the panels are ours.
                    unsafe { own.fill(depth, 0, columns, b) };
                    own.right(0, depth, 0)
                }
                (None, Some((packed, column))) => packed.right(p, depth, column + j),
                (None, None) => Right::as_it_lies(b),
            };
            for (i, rows) in parts(m, ROWS) {
                let a: Matrix<T> = moved(x.a, i, p);
                let left = match plan.pack_left {
                    // SAFETY: `a` holds these rows, and there is room for all panels of them.
                    true => unsafe { Left::packed(a, [rows, depth], stack, panels) },
                    false => Left::as_it_lies(a),
                };
                // SAFETY: parts of the block, whose elements the caller vouches for, or panels filled from it.
                unsafe { tiles(kernels, &plan, [rows, columns, depth], &left, &right, sink.at(i, j)) };
            }
        }
    }
    Ok(())
}

/// All tiles of a few rows and columns: panel by panel, so that a panel stays in the first-level cache.
///
/// # Safety
/// The operands and the sink must hold so many rows, columns and steps.
unsafe fn tiles<T: Real>(
    kernels: &Kernels<T>,
    plan: &Plan,
    [rows, columns, depth]: [usize; 3],
    left: &Left<T>,
    right: &Right<T>,
    sink: Sink<T>,
) {
    let (lanes, registers) = (kernels.lanes, columns.div_ceil(kernels.lanes));
    // Where nothing binds the parts to panels they are as even as can be.
    let registers_each = if right.is_packed() { plan.width / lanes } else { even(registers, plan.width / lanes) };
    let rows_each = if plan.pack_left { plan.tall } else { even(rows, plan.tall) };
    for (first, registers) in parts(registers, registers_each) {
        let column = first * lanes;
        let last = columns.min(column + registers * lanes) - column - (registers - 1) * lanes;
        for (row, rows) in parts(rows, rows_each) {
            let Sink { c: (c, c_row), from: (from, from_row) } = sink.at(row, column);
            let (a, a_row, a_step) = (left.rows_from(row), left.row_step, left.step);
            let (b, b_step) = (right.panel(column), right.row_step);
            let tile = Tile { depth, a, a_row, a_step, b, b_step, c, c_row, from, from_row, last };
            // SAFETY: the caller's promise, for a part of it.
            unsafe { (kernels.outer[rows - 1][registers - 1])(&tile) };
        }
    }
}
