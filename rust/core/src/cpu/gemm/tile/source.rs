//! Element types that engines multiply, and how stripes of an operand are rearranged for them.

// Registers are indexed by constants, so that every loop over them unrolls.
#![allow(clippy::needless_range_loop)]

use super::engine::Registers;
use super::extent::Extent;
use super::unit::Unit;
use crate::cpu::gemm::entry::{Block, Entry};
use crate::cpu::gemm::half::widen;
use crate::cpu::gemm::packed;
use crate::cpu::level::leveled;
use crate::cpu::scratch::Scratch;
use crate::dtype::{Element, bf16};
use crate::error::{Error, Result};
use bytemuck::Pod;
use half::slice::HalfFloatSliceExt;

/// Rows of a left operand, or columns of a right one, that are rearranged together: two registers of them.
pub const STRIPE: usize = 32;

/// Lines of an operand, its rows or its columns: the first element, from line to line, along the common axis.
pub type Lines<T> = packed::Matrix<T>;

/// An element type with a dot product on tile units.
pub trait Source: Element {
    type Sum: Element + Pod;
    type Output: Element;
    /// Places along the common axis in the registers of one step.
    const STEP: usize;

    /// Fills a pair of registers for each part from at most `STRIPE` lines of at most `STEP` elements, then zeros.
    ///
    /// # Safety
    /// The lines must be valid.
    unsafe fn pack_left<const P: usize>(from: Lines<Self>, size: [usize; 2], to: &mut [Registers; P]) -> Extent;

    /// # Safety
    /// As `pack_left`.
    unsafe fn pack_right<const P: usize>(from: Lines<Self>, size: [usize; 2], to: &mut [Registers; P]) -> Extent;

    /// `C += A B`.
    ///
    /// # Safety
    /// As `Unit`.
    unsafe fn dot<U: Unit, const C: usize, const A: usize, const B: usize>(unit: &mut U);

    /// `sum += a b` without an engine; the block's output and start are both the sum.
    ///
    /// # Safety
    /// As `Entry::multiply`.
    unsafe fn plain(block: Block<Self, Self::Sum>) -> Result<()>;

    fn plus(sum: Self::Sum, other: Self::Sum) -> Self::Sum;

    /// The output: a sum, added to where it starts.
    fn finish(sum: Self::Sum, start: Option<Self::Output>) -> Self::Output;
}

/// Rows as columns.
fn across<T>((first, line, step): Lines<T>) -> Lines<T> {
    (first, step, line)
}

/// Copies lines into the rows of a block; `convert` keeps what zero is.
#[inline(always)]
unsafe fn gather<T: Copy, W: Copy, const C: usize>(
    (first, line_step, step): Lines<T>,
    [lines, length]: [usize; 2],
    convert: impl Fn(T) -> W,
    to: &mut [[W; C]],
) {
    let by_lines = step.unsigned_abs() <= line_step.unsigned_abs();
    // SAFETY: the caller vouches for every line.
    unsafe {
        if by_lines && step == 1 {
            for (i, to) in to.iter_mut().enumerate().take(lines) {
                let line = first.offset(i as isize * line_step);
                if length == C {
                    let line = &*line.cast::<[T; C]>();
                    for k in 0..C {
                        to[k] = convert(line[k]);
                    }
                } else {
                    let line = std::slice::from_raw_parts(line, length);
                    to.iter_mut().zip(line).for_each(|(to, &from)| *to = convert(from));
                }
            }
        } else {
            // In the order of memory.
            let mut copy = |i: usize, k: usize| {
                to[i][k] = convert(*first.offset(i as isize * line_step + k as isize * step));
            };
            if by_lines {
                (0..lines).for_each(|i| (0..length).for_each(|k| copy(i, k)));
            } else {
                (0..length).for_each(|k| (0..lines).for_each(|i| copy(i, k)));
            }
        }
    }
}

/// Bits of the nearest bf16, as an f32; for finite numbers whose bf16 is finite.
#[inline(always)]
fn nearest_half(x: f32) -> u32 {
    let bits = x.to_bits();
    bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000
}

type Square = [[f32; STRIPE]; STRIPE];
/// Registers of a left operand: 32 rows of 32 bf16. And of a right one: for each 16 columns 16 rows of 16 groups.
type LeftPair = [[u16; 32]; 32];
type RightPair = [[[u32; 16]; 16]; 2];

leveled! {
    fn extent_of(block: &Square) -> Extent {
        let (mut low, mut high) = ([u32::MAX; STRIPE], [0; STRIPE]);
        for row in block {
            for k in 0..STRIPE {
                let bits = row[k].to_bits() & 0x7FFF_FFFF;
                // Zero wraps around to the greatest of all.
                low[k] = low[k].min(bits.wrapping_sub(1));
                high[k] = high[k].max(bits);
            }
        }
        let least = low.into_iter().min().unwrap_or(u32::MAX);
        Extent { low: least.saturating_add(1), high: high.into_iter().max().unwrap_or(0) }
    }

    /// Parts of each number, each the nearest bf16 of what those before it left.
    fn split_left(block: &Square, parts: &mut [LeftPair]) {
        for (i, row) in block.iter().enumerate() {
            let mut rest = *row;
            for part in parts.iter_mut() {
                for k in 0..32 {
                    let bits = nearest_half(rest[k]);
                    part[i][k] = (bits >> 16) as u16;
                    rest[k] -= f32::from_bits(bits);
                }
            }
        }
    }

    /// The same in pairs along the common axis, which runs down the columns here: two rows of the block at a time.
    fn split_right(block: &Square, parts: &mut [RightPair]) {
        for row in 0..16 {
            let (mut even, mut odd) = (block[2 * row], block[2 * row + 1]);
            for part in parts.iter_mut() {
                for tile in 0..2 {
                    for column in 0..16 {
                        let at = 16 * tile + column;
                        let (low, high) = (nearest_half(even[at]), nearest_half(odd[at]));
                        part[tile][row][column] = low >> 16 | high;
                        even[at] -= f32::from_bits(low);
                        odd[at] -= f32::from_bits(high);
                    }
                }
            }
        }
    }
}

leveled! {
    /// Registers of a right operand from its columns: what would be those of a left one, turned group by group.
    fn turn(columns: &[[[u32; 16]; STRIPE]], to: &mut [RightPair]) {
        for (columns, to) in columns.iter().zip(to) {
            for tile in 0..2 {
                for row in 0..16 {
                    for column in 0..16 {
                        to[tile][row][column] = columns[16 * tile + column][row];
                    }
                }
            }
        }
    }

    /// The same from rows of bytes, of which four make a group.
    fn group_rows(block: &[[u8; STRIPE]; 64], to: &mut RightPair) {
        for row in 0..16 {
            for tile in 0..2 {
                for column in 0..16 {
                    let at = 16 * tile + column;
                    let byte = |i: usize| u32::from(block[4 * row + i][at]) << (8 * i);
                    to[tile][row][column] = (byte(0) | byte(1) | byte(2) | byte(3)).to_le();
                }
            }
        }
    }
}

macro_rules! float_source {
    ($t:ty, $wide:expr, $plain:expr, $finish:expr) => {
        impl Source for $t {
            type Sum = f32;
            type Output = $t;
            const STEP: usize = 32;

            unsafe fn pack_left<const P: usize>(from: Lines<$t>, size: [usize; 2], to: &mut [Registers; P]) -> Extent {
                let mut block = [[0.0; STRIPE]; STRIPE];
                // SAFETY: the caller's promise.
                unsafe { gather(from, size, $wide, &mut block) };
                split_left(&block, bytemuck::cast_slice_mut(to));
                extent_of(&block)
            }

            unsafe fn pack_right<const P: usize>(from: Lines<$t>, size: [usize; 2], to: &mut [Registers; P]) -> Extent {
                let mut block = [[0.0; STRIPE]; STRIPE];
                // SAFETY: the caller's promise; lines become columns of the block unless they lie contiguous.
                unsafe {
                    if from.2 == 1 {
                        gather(from, size, $wide, &mut block);
                        let mut parts = [[0; size_of::<Registers>()]; P];
                        split_left(&block, bytemuck::cast_slice_mut(&mut parts));
                        turn(bytemuck::cast_slice(&parts), bytemuck::cast_slice_mut(to));
                    } else {
                        gather(across(from), [size[1], size[0]], $wide, &mut block);
                        split_right(&block, bytemuck::cast_slice_mut(to));
                    }
                }
                extent_of(&block)
            }

            #[inline(always)]
            unsafe fn dot<U: Unit, const C: usize, const A: usize, const B: usize>(unit: &mut U) {
                // SAFETY: the caller's promise.
                unsafe { unit.dot_bf16::<C, A, B>() }
            }

            unsafe fn plain(block: Block<$t, f32>) -> Result<()> {
                // SAFETY: the caller's promise.
                unsafe { $plain(block) }
            }

            fn plus(sum: f32, other: f32) -> f32 {
                sum + other
            }

            fn finish(sum: f32, start: Option<$t>) -> $t {
                $finish(start.map_or(sum, |start| $wide(start) + sum))
            }
        }
    };
}
float_source!(f32, |x: f32| x, f32::multiply, |sum| sum);
float_source!(bf16, |x: bf16| x.to_f32(), by_widening, bf16::from_f32);

/// # Safety
/// As `Entry::multiply`.
unsafe fn by_widening(x: Block<bf16, f32>) -> Result<()> {
    let [m, n, k] = x.size;
    let (mut a, mut b) = (Scratch::<f32>::new("matmul", m * k)?, Scratch::<f32>::new("matmul", k * n)?);
    let convert = |from: &[bf16], to: &mut [f32]| from.convert_to_f32_slice(to);
    // SAFETY: the caller's promise; the copies are as large as the operands.
    unsafe {
        let (a_row, a_column) = widen(x.a, [m, k], &mut a, convert);
        let (b_row, b_column) = widen(x.b, [k, n], &mut b, convert);
        let (a, b) = ((a.as_ptr(), a_row, a_column), (b.as_ptr(), b_row, b_column));
        f32::multiply(Block { size: x.size, c: x.c, from: x.from, a, b })
    }
}

impl Source for i8 {
    type Sum = i32;
    type Output = i32;
    const STEP: usize = 64;

    unsafe fn pack_left<const P: usize>(from: Lines<i8>, size: [usize; 2], to: &mut [Registers; P]) -> Extent {
        let rows: &mut [[i8; 64]] = bytemuck::cast_slice_mut(to);
        rows.fill([0; 64]);
        // SAFETY: the caller's promise.
        unsafe { gather(from, size, |x| x, rows) };
        Extent::ZEROS
    }

    unsafe fn pack_right<const P: usize>(from: Lines<i8>, size: [usize; 2], to: &mut [Registers; P]) -> Extent {
        let pairs: &mut [RightPair] = bytemuck::cast_slice_mut(to);
        // SAFETY: the caller's promise; lines become columns of the block unless they lie contiguous.
        unsafe {
            if from.2 == 1 {
                let mut block = [[0; 64]; STRIPE];
                gather(from, size, |x| x as u8, &mut block);
                turn(bytemuck::cast_slice(&block), pairs);
            } else {
                let mut block = [[0; STRIPE]; 64];
                gather(across(from), [size[1], size[0]], |x| x as u8, &mut block);
                group_rows(&block, &mut pairs[0]);
            }
        }
        // Every integer suits.
        Extent::ZEROS
    }

    #[inline(always)]
    unsafe fn dot<U: Unit, const C: usize, const A: usize, const B: usize>(unit: &mut U) {
        // SAFETY: the caller's promise.
        unsafe { unit.dot_i8::<C, A, B>() }
    }

    unsafe fn plain(_: Block<i8, i32>) -> Result<()> {
        Err(Error::internal("matmul", "integers of any size suit"))
    }

    fn plus(sum: i32, other: i32) -> i32 {
        sum.wrapping_add(other)
    }

    fn finish(sum: i32, start: Option<i32>) -> i32 {
        start.map_or(sum, |start| start.wrapping_add(sum))
    }
}
