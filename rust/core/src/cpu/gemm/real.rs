//! One product of real numbers on the calling thread: which kernel, in which order, on operands packed or as they lie.

use super::entry::Block;
use super::kernel::Tile;
use super::packed::{Left, Matrix, Packed, Right, moved};
use super::table::{Grain, Real};
use crate::cpu::parts::even;
use crate::error::Result;

/// Most rows of `b` used together: long enough that loading and storing the output costs little beside them.
const DEPTH: usize = 384;
/// Products up to which one chain of sums is exact enough: longer ones are cut, and are more exact than a chain.
const CHAIN: usize = 192;
/// Rows of `a` and columns of `b` used together: with `DEPTH` both fit a second-level cache of a megabyte.
const ROWS: usize = 384;
const COLUMNS: usize = 192;
/// Rows of `b` read side by side where every element is used only a few times: streams the processor foresees.
const STREAMS: usize = 16;
/// The same where `b` has few enough elements to be in the second-level cache.
const NEAR_STREAMS: usize = 64;
const NEAR: usize = 1 << 18;
/// Rows of `a` up to which reading `b` takes all the time.
const FEW: usize = 16;
/// Elements of `b` up to which rearranging it is never worth it; with few rows more of them, if rows of `b` lie close
/// enough together not to fall on the same places of a cache.
const UNPACKED: usize = 16384;
const UNPACKED_ROWS: usize = 48;
const UNPACKED_FEW: usize = 1 << 17;
const CLOSE: isize = 1024;
/// Rows of `a` up to which dot products beat transposing `b`.
const DOT_ROWS: usize = 16;

/// Beginnings and sizes of the parts of `total`.
fn parts(total: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..total).step_by(size).map(move |first| (first, size.min(total - first)))
}

/// Length of the depth blocks of a product: their sums are added in order, whatever the tile.
pub fn depth_block(k: usize) -> usize {
    even(k, k.div_ceil(2).clamp(CHAIN, DEPTH))
}

/// Whether a right operand with these steps is better not rearranged for so many rows.
pub fn takes_as_it_lies([m, n, k]: [usize; 3], (row_step, column_step): (isize, isize)) -> bool {
    let elements = n.saturating_mul(k);
    let close = m <= UNPACKED_ROWS && elements <= UNPACKED_FEW && row_step.abs() <= CLOSE;
    column_step == 1 && (m <= FEW || elements <= UNPACKED || close)
}

/// Operands of a larger product, rearranged for several tiles, and where those of one tile begin in them: at a row of the
/// left one; at a row and a column of the right one.
pub struct Shared<'a, T> {
    pub grain: Grain,
    /// Length of the depth blocks.
    pub depth: usize,
    pub left: Option<(&'a Packed<T>, usize)>,
    pub right: Option<(&'a Packed<T>, usize, usize)>,
}

/// # Safety
/// As `Entry::multiply`; shared operands must hold the rows, columns and depth of the block.
pub unsafe fn multiply<T: Real>(mut x: Block<T>, shared: Option<&Shared<T>>) -> Result<()> {
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
            let tile =
                Tile { depth, a, a_row, a_step, b, b_step, c, c_row, from, from_row, last: columns, panels: None };
            // SAFETY: the tile is a part of the block, whose elements the caller vouches for.
            unsafe { (dots[rows - 1][columns - 1])(&tile) };
        }
    }
}

/// How a product is cut for the kernels.
struct Plan {
    grain: Grain,
    depth: usize,
    /// Whether each operand is rearranged here.
    pack_left: bool,
    pack_right: bool,
}

impl Plan {
    fn new<T: Real>(x: &Block<T>, shared: Option<&Shared<T>>) -> Plan {
        let [m, n, k] = x.size;
        let grain = shared.map_or_else(|| T::kernels().grain(m, n), |shared| shared.grain);
        let as_it_lies = takes_as_it_lies(x.size, (x.b.1, x.b.2));
        let streams = shared.is_none() && as_it_lies && m <= FEW && n >= 4 * grain.columns;
        let pack_left = shared.is_none_or(|shared| shared.left.is_none());
        let pack_right = shared.is_none_or(|shared| shared.right.is_none());
        Plan {
            grain,
            depth: match shared {
                Some(shared) => shared.depth,
                None if streams && n.saturating_mul(k) <= NEAR => NEAR_STREAMS,
                None if streams => STREAMS,
                None => depth_block(k),
            },
            pack_left: pack_left && x.a.2 != 1 && n > grain.columns,
            pack_right: pack_right && !as_it_lies,
        }
    }
}

/// # Safety
/// As `multiply`.
unsafe fn by_panels<T: Real>(x: &Block<T>, shared: Option<&Shared<T>>) -> Result<()> {
    let [m, n, k] = x.size;
    let plan = Plan::new(x, shared);
    let (most_rows, most_columns) =
        (even(m, ROWS).next_multiple_of(plan.grain.rows), if plan.pack_right { COLUMNS.min(n) } else { n });
    let room = |lines, width| Packed::<T>::new(plan.depth, lines, plan.depth, width);
    let own_left = plan.pack_left.then(|| room(most_rows, plan.grain.rows)).transpose()?;
    let own_right = plan.pack_right.then(|| room(most_columns, plan.grain.columns)).transpose()?;
    for (i, rows) in parts(m, most_rows) {
        for (p, depth) in parts(k, plan.depth) {
            let sink = Sink { c: x.c, from: if p == 0 { x.from } else { (x.c.0.cast_const(), x.c.1) } };
            let a: Matrix<T> = moved(x.a, i, p);
            let left = match (&own_left, shared.and_then(|shared| shared.left)) {
                (Some(own), _) => {
                    // SAFETY: `a` holds these rows, which are the columns of the panels; the panels are ours.
                    unsafe { own.fill(depth, 0, rows, (a.0, a.2, a.1)) };
                    own.left(0, depth, 0)
                }
                (None, Some((packed, row))) => packed.left(p, depth, row + i),
                (None, None) => Left::as_it_lies(a),
            };
            for (j, columns) in parts(n, most_columns) {
                let b = moved(x.b, p, j);
                let right = match (&own_right, shared.and_then(|shared| shared.right)) {
                    (Some(own), _) => {
                        // SAFETY: the block's columns are valid and the panels are ours.
                        unsafe { own.fill(depth, 0, columns, b) };
                        own.right(0, depth, 0)
                    }
                    (None, Some((packed, row, column))) => packed.right(row + p, depth, column + j),
                    (None, None) => Right::as_it_lies(b),
                };
                // SAFETY: parts of the block, whose elements the caller vouches for, or panels filled from it.
                unsafe { tiles(&plan, [rows, columns, depth], &left, &right, sink.at(i, j)) };
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
    plan: &Plan,
    [rows, columns, depth]: [usize; 3],
    left: &Left<T>,
    right: &Right<T>,
    sink: Sink<T>,
) {
    let kernels = T::kernels();
    let (lanes, registers) = (kernels.lanes, columns.div_ceil(kernels.lanes));
    // Where nothing binds the parts to panels they are as even as can be.
    let registers_each =
        if right.is_packed() { plan.grain.columns / lanes } else { even(registers, plan.grain.columns / lanes) };
    let rows_each = if left.is_packed() { plan.grain.rows } else { even(rows, plan.grain.rows) };
    for (first, registers) in parts(registers, registers_each) {
        let column = first * lanes;
        let last = columns.min(column + registers * lanes) - column - (registers - 1) * lanes;
        for (row, rows) in parts(rows, rows_each) {
            let Sink { c: (c, c_row), from: (from, from_row) } = sink.at(row, column);
            let (a, a_row, a_step) = (left.rows_from(row), left.row_step, left.step);
            let (b, b_step) = (right.panel(column), right.row_step);
            let panels = right.ahead(column, row, [plan.grain.columns, columns, depth]);
            let tile = Tile { depth, a, a_row, a_step, b, b_step, c, c_row, from, from_row, last, panels };
            // SAFETY: the caller's promise, for a part of it.
            unsafe { (kernels.outer[rows - 1][registers - 1])(&tile) };
        }
    }
}
