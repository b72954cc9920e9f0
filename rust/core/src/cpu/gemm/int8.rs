//! Products of 8-bit integers with sums in 32 bits: exact as long as the sums fit, modulo 2^32 beyond.

// Registers are indexed by constants, so that every loop over them unrolls.
#![allow(clippy::needless_range_loop)]

use super::Matrix;
use super::entry::Block;
use super::tile::engine::{Engine, Registers};
use super::tile::multiply;
use super::tile::source::STRIPE;
use crate::cpu::level::leveled;
use crate::error::{Error, Result};
use crate::shape;

/// `c = a b`, where `c` is contiguous: batch, rows of `a`, columns of `b`. The batch axes must be the same.
pub fn product_i8(op: &str, a: &Matrix<i8>, b: &Matrix<i8>, c: &mut [i32]) -> Result<()> {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    let batch = shape::checked_numel(op, a.batch())?;
    if a.batch() != b.batch() || b.rows() != k || c.len() != batch * m * n {
        return Err(Error::internal(op, "matrix operands do not fit together"));
    }
    if c.is_empty() || k == 0 {
        c.fill(0);
        return Ok(());
    }
    c.chunks_mut(m * n).enumerate().try_for_each(|(index, c)| {
        let start = |x: &Matrix<i8>| x.elements.as_ptr().wrapping_offset(x.start(index, x.batch().len()));
        let block = Block {
            size: [m, n, k],
            c: (c.as_mut_ptr(), n as isize),
            from: (std::ptr::null(), 0),
            a: (start(a), a.row_step(), a.column_step()),
            b: (start(b), b.row_step(), b.column_step()),
        };
        // SAFETY: `Matrix::new` proved that the operands lie inside their elements, and `c` is as large as the product.
        unsafe { on_this_machine(&block) }
    })
}

/// # Safety
/// As `Entry::multiply`.
unsafe fn on_this_machine(block: &Block<i8, i32>) -> Result<()> {
    // SAFETY: the caller's promise; each engine is used where the machine has it.
    unsafe {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if block.size[0] >= STRIPE && !crate::cpu::level::is_capped() && super::tile::amx::available() {
            return multiply::run::<super::tile::amx::Amx, i8, 1>(block);
        }
        #[cfg(target_arch = "x86_64")]
        if vnni::available() {
            return multiply::run::<vnni::Vnni, i8, 1>(block);
        }
        multiply::run::<Loops, i8, 1>(block)
    }
}

/// Plain loops over stripes.
struct Loops;

leveled! {
    /// Adds the products of a row of 64 bytes and, for each 16 columns, 16 groups of four rows.
    fn add_row(a: &[i8; 64], b: &[[[[i8; 4]; 16]; 16]; 2], sums: &mut [i32; STRIPE]) {
        for tile in 0..2 {
            for group in 0..16 {
                for column in 0..16 {
                    let sum = &mut sums[16 * tile + column];
                    for k in 0..4 {
                        let product = i32::from(a[4 * group + k]) * i32::from(b[tile][group][column][k]);
                        *sum = sum.wrapping_add(product);
                    }
                }
            }
        }
    }
}

impl Engine<i8> for Loops {
    unsafe fn configure() -> Loops {
        Loops
    }

    unsafe fn add_product<const P: usize>(
        &mut self,
        [rows, steps]: [usize; 2],
        a: *const [Registers; P],
        b: *const [Registers; P],
        (sums, width): (*mut i32, usize),
    ) {
        for step in 0..steps {
            for row in 0..rows {
                // SAFETY: the caller's promise; registers are bytes in rows of 64, or in groups of four.
                unsafe {
                    let a = &*a.add(step).cast::<[i8; 64]>().add(row);
                    add_row(a, &*b.add(step).cast(), &mut *sums.add(row * width).cast());
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use super::{Engine, Registers, STRIPE};
    use crate::cpu::level::{Level, level};
    use std::arch::x86_64::*;

    /// AVX-512's dot products of four unsigned by four signed bytes.
    pub struct Vnni;

    pub fn available() -> bool {
        level() == Level::Avx512 && is_x86_feature_detected!("avx512vnni")
    }

    /// Rows whose sums stay in registers, two to a row.
    const ROWS: usize = 8;

    impl Engine<i8> for Vnni {
        unsafe fn configure() -> Vnni {
            Vnni
        }

        unsafe fn add_product<const P: usize>(
            &mut self,
            [rows, steps]: [usize; 2],
            a: *const [Registers; P],
            b: *const [Registers; P],
            (sums, width): (*mut i32, usize),
        ) {
            for first in (0..rows).step_by(ROWS) {
                let a = a.cast::<[i8; 64]>().wrapping_add(first);
                // SAFETY: the caller's promise; stripes have 32 rows, a multiple of those done here.
                unsafe { some_rows(steps, a, b.cast(), (sums.add(first * width), width), ROWS.min(rows - first)) };
            }
        }
    }

    /// # Safety
    /// Both stripes must hold so many steps, the left one eight rows from here, and the sums the rows given.
    /// The machine must have VNNI.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn some_rows(
        steps: usize,
        a: *const [i8; 64],
        b: *const [i8; 64],
        (sums, width): (*mut i32, usize),
        rows: usize,
    ) {
        let flip = _mm512_set1_epi8(i8::MIN);
        let ones = _mm512_set1_epi8(1);
        let mut products = [[_mm512_setzero_si512(); 2]; ROWS];
        let mut totals = [_mm512_setzero_si512(); ROWS];
        for step in 0..steps {
            // SAFETY: the caller's promise: a step has 32 rows on the left, and two times 16 groups on the right.
            unsafe {
                let (a, b) = (a.add(step * STRIPE), b.add(step * STRIPE));
                for row in 0..ROWS {
                    totals[row] = _mm512_dpbusd_epi32(totals[row], ones, _mm512_loadu_si512(a.add(row).cast()));
                }
                for group in 0..16 {
                    // Flipping the highest bit adds 128: signed bytes become unsigned ones.
                    let low = _mm512_xor_si512(_mm512_loadu_si512(b.add(group).cast()), flip);
                    let high = _mm512_xor_si512(_mm512_loadu_si512(b.add(16 + group).cast()), flip);
                    for row in 0..ROWS {
                        let factors = _mm512_set1_epi32(a.add(row).cast::<i32>().add(group).read_unaligned());
                        products[row][0] = _mm512_dpbusd_epi32(products[row][0], low, factors);
                        products[row][1] = _mm512_dpbusd_epi32(products[row][1], high, factors);
                    }
                }
            }
        }
        for row in 0..ROWS {
            if row == rows {
                break;
            }
            let excess = _mm512_set1_epi32(_mm512_reduce_add_epi32(totals[row]).wrapping_mul(128));
            for half in 0..2 {
                let product = _mm512_sub_epi32(products[row][half], excess);
                // SAFETY: a row of sums is two registers long.
                unsafe {
                    let at = sums.add(row * width + 16 * half);
                    _mm512_storeu_si512(at.cast(), _mm512_add_epi32(_mm512_loadu_si512(at.cast()), product));
                }
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::cpu::gemm::differential::Guarded;
    use crate::cpu::level::{Level, at_level};
    use crate::shape::Layout;

    fn bytes(seed: usize, count: usize) -> Vec<i8> {
        (0..count).map(|i| ((i + seed).wrapping_mul(0x9E37_79B9) >> 13) as i8).collect()
    }

    /// One product compared with a plain sum; operands lie by rows or by columns, against a guarded page.
    fn check([batch, m, n, k]: [usize; 4], by_rows: [bool; 2], at_end: bool) {
        let layout = |by_rows: bool, rows: usize, columns: usize| {
            let strides = if by_rows { [columns as isize, 1] } else { [1, rows as isize] };
            let strides = [(rows * columns) as isize, strides[0], strides[1]];
            Layout { shape: [batch, rows, columns][..].into(), strides: strides[..].into(), offset: 0 }
        };
        let (la, lb) = (layout(by_rows[0], m, k), layout(by_rows[1], k, n));
        let (a, b) = (bytes(1, batch * m * k), bytes(77, batch * k * n));
        let (mut ga, mut gb) = (Guarded::new(&a, at_end), Guarded::new(&b, at_end));
        let mut c = Guarded::new(&vec![9; batch * m * n], at_end);
        let (ma, mb) = (Matrix::new("t", ga.slice(), &la).unwrap(), Matrix::new("t", gb.slice(), &lb).unwrap());
        product_i8("t", &ma, &mb, c.slice()).unwrap();
        for (at, &c) in c.slice().iter().enumerate() {
            let (z, i, j) = ((at / n / m) as isize, (at / n % m) as isize, (at % n) as isize);
            let of = |l: &Layout, x: &[i8], i: isize, j: isize| {
                i32::from(x[(z * l.strides[0] + i * l.strides[1] + j * l.strides[2]) as usize])
            };
            let want: i32 = (0..k as isize).map(|p| of(&la, &a, i, p) * of(&lb, &b, p, j)).sum();
            assert_eq!(c, want, "({z}, {i}, {j}) of {m} x {n} x {k}");
        }
    }

    #[test]
    fn every_length_along_each_axis_is_exact() {
        for &level in Level::ALL {
            at_level(level, || {
                for length in 0..=257 {
                    let (by_rows, at_end) = ([length % 2 == 0, length / 2 % 2 == 0], length / 4 % 2 == 0);
                    check([1, length, 9, 5], by_rows, at_end);
                    check([2, 3, length, 7], by_rows, at_end);
                    check([1, 5, 4, length], by_rows, at_end);
                }
                check([1, 140, 300, 1100], [true, false], true);
            });
        }
    }

    #[test]
    fn extremes_fill_all_32_bits() {
        let k = 3000;
        let (a, b) = (vec![i8::MIN; 2 * k], vec![i8::MIN; k]);
        let (la, lb) = (Layout::contiguous(&[2, k]), Layout::contiguous(&[k, 1]));
        let mut c = [0; 2];
        let (ma, mb) = (Matrix::new("t", &a, &la).unwrap(), Matrix::new("t", &b, &lb).unwrap());
        for &level in Level::ALL {
            at_level(level, || product_i8("t", &ma, &mb, &mut c).unwrap());
            assert_eq!(c, [k as i32 * 16384; 2]);
        }
        let short = Layout::contiguous(&[2, 2]);
        assert!(product_i8("t", &ma, &Matrix::new("t", &b, &short).unwrap(), &mut c).is_err());
    }
}
