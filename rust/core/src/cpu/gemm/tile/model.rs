//! The tile unit in plain Rust, bit for bit as Intel's manual describes its instructions.

use super::unit::{ROW, ROWS, Unit};

type Tile = [[u8; ROW]; ROWS];

pub struct Model([Tile; 8]);

/// The unit takes denormal numbers for zeros, and writes none.
fn flushed(x: f32) -> f32 {
    if x.is_subnormal() { 0f32.copysign(x) } else { x }
}

fn fma(x: f32, y: f32, sum: f32) -> f32 {
    flushed(flushed(x).mul_add(flushed(y), flushed(sum)))
}

/// A group of four bytes.
fn group(row: &[u8; ROW], at: usize) -> [u8; 4] {
    std::array::from_fn(|i| row[4 * at + i])
}

/// The pair of bf16 in a group.
fn pair(row: &[u8; ROW], at: usize) -> [f32; 2] {
    let [a, b, c, d] = group(row, at);
    [f32::from_le_bytes([0, 0, a, b]), f32::from_le_bytes([0, 0, c, d])]
}

impl Model {
    /// Each sum of `C` by what the row of `A`, `B` and the column make of it.
    fn update<const C: usize, const A: usize, const B: usize>(
        &mut self,
        dot: impl Fn([u8; 4], &[u8; ROW], &Tile, usize) -> [u8; 4],
    ) {
        let (a, b) = (self.0[A], self.0[B]);
        for (sums, a) in self.0[C].iter_mut().zip(&a) {
            for column in 0..ROW / 4 {
                let sum = dot(group(sums, column), a, &b, column);
                sums[4 * column..4 * column + 4].copy_from_slice(&sum);
            }
        }
    }
}

impl Unit for Model {
    unsafe fn configure() -> Model {
        Model([[[0; ROW]; ROWS]; 8])
    }

    unsafe fn zero<const C: usize>(&mut self) {
        self.0[C] = [[0; ROW]; ROWS];
    }

    unsafe fn load<const T: usize>(&mut self, from: *const u8, step: usize) {
        for (i, row) in self.0[T].iter_mut().enumerate() {
            // SAFETY: the caller vouches for every row.
            unsafe { std::ptr::copy_nonoverlapping(from.add(i * step), row.as_mut_ptr(), ROW) };
        }
    }

    unsafe fn store<const T: usize>(&mut self, to: *mut u8, step: usize) {
        for (i, row) in self.0[T].iter().enumerate() {
            // SAFETY: the caller vouches for every row.
            unsafe { std::ptr::copy_nonoverlapping(row.as_ptr(), to.add(i * step), ROW) };
        }
    }

    // TDPBF16PS: products of even and of odd places are summed apart, each step rounded once.
    unsafe fn dot_bf16<const C: usize, const A: usize, const B: usize>(&mut self) {
        self.update::<C, A, B>(|sum, a, b, column| {
            let (mut even, mut odd) = (0.0, 0.0);
            for (k, b) in b.iter().enumerate() {
                let ([x, u], [y, v]) = (pair(a, k), pair(b, column));
                even = fma(x, y, even);
                odd = fma(u, v, odd);
            }
            flushed(flushed(f32::from_le_bytes(sum)) + flushed(even + odd)).to_le_bytes()
        });
    }

    // TDPBSSD: four products at a time, modulo 2^32.
    unsafe fn dot_i8<const C: usize, const A: usize, const B: usize>(&mut self) {
        self.update::<C, A, B>(|sum, a, b, column| {
            let mut sum = i32::from_le_bytes(sum);
            for (k, b) in b.iter().enumerate() {
                for (x, y) in group(a, k).into_iter().zip(group(b, column)) {
                    sum = sum.wrapping_add(i32::from(x as i8) * i32::from(y as i8));
                }
            }
            sum.to_le_bytes()
        });
    }
}
