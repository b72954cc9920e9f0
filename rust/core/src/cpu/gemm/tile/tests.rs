//! Everything but the assembly is tested on the model of the unit, on any machine; the assembly where there is one.

use super::model::Model;
use super::multiply::run;
use super::source::Source;
use crate::cpu::gemm::entry::Block;
use crate::dtype::bf16;

/// Numbers from -1 to 1, different for every seed.
fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Row and column step of a matrix: by rows, or else by columns.
fn steps(by_rows: bool, rows: usize, columns: usize) -> (usize, usize) {
    if by_rows { (columns, 1) } else { (1, rows) }
}

/// A product on the model, of operands by rows or by columns; `start` is what it is added to.
fn product<S: Source, const P: usize>(
    size: [usize; 3],
    (a, b): (&[S], &[S]),
    by_rows: [bool; 2],
    start: Option<&[S::Output]>,
) -> Vec<S::Output>
where
    S::Output: Default,
{
    let [m, n, k] = size;
    let mut c = vec![S::Output::default(); m * n];
    let ((a_row, a_column), (b_row, b_column)) = (steps(by_rows[0], m, k), steps(by_rows[1], k, n));
    let block = Block {
        size,
        c: (c.as_mut_ptr(), n as isize),
        from: (start.map_or(std::ptr::null(), |start| start.as_ptr()), n as isize),
        a: (a.as_ptr(), a_row as isize, a_column as isize),
        b: (b.as_ptr(), b_row as isize, b_column as isize),
    };
    // SAFETY: all slices are as large as the sizes say.
    unsafe { run::<Model, S, P>(&block).unwrap() };
    c
}

/// Errors of the product and of a chain of f32 operations: root mean squares, relative to the sum of magnitudes.
fn errors<const P: usize>([m, n, k]: [usize; 3], (a, b): (&[f32], &[f32]), by_rows: [bool; 2]) -> (f64, f64) {
    let c = product::<f32, P>([m, n, k], (a, b), by_rows, None);
    let ((a_row, a_column), (b_row, b_column)) = (steps(by_rows[0], m, k), steps(by_rows[1], k, n));
    let (mut own, mut chained) = (0.0, 0.0);
    for (at, &c) in c.iter().enumerate() {
        let (i, j) = (at / n, at % n);
        let (mut want, mut scale, mut chain) = (0.0, 0.0, 0.0f32);
        for p in 0..k {
            let (x, y) = (a[i * a_row + p * a_column], b[p * b_row + j * b_column]);
            want += f64::from(x) * f64::from(y);
            scale += (f64::from(x) * f64::from(y)).abs();
            chain = x.mul_add(y, chain);
        }
        // Among denormals every step of a sum may lose half of the least of them.
        let error =
            |got: f32| ((f64::from(got) - want).abs() - k as f64 * 1.4e-45).max(0.0) / scale.max(f64::MIN_POSITIVE);
        let bound = [0.0, 8e-3, 3e-5, 1.2e-7 * (k as f64 + 2.0).sqrt()][P];
        assert!(error(c) <= bound, "({i}, {j}) of {m} x {n} x {k} in {P} parts: {c}, not {want}");
        own += error(c).powi(2);
        chained += error(chain).powi(2);
    }
    ((own / (m * n) as f64).sqrt(), (chained / (m * n) as f64).sqrt())
}

#[test]
fn every_length_along_each_axis_agrees() {
    for length in 1..=100 {
        for size in [[length, 19, 33], [7, length, 21], [5, 18, length]] {
            let [m, n, k] = size;
            let (a, b) = (random(1, m * k), random(2, k * n));
            let by_rows = [length % 2 == 0, length / 2 % 2 == 0];
            errors::<3>(size, (&a, &b), by_rows);
            errors::<1>(size, (&a, &b), by_rows);
        }
    }
}

#[test]
fn three_parts_are_as_exact_as_float32() {
    let (mut own, mut chained) = (0.0, 0.0);
    for (seed, size) in [[40, 50, 96], [33, 70, 600], [130, 40, 64]].into_iter().enumerate() {
        let [m, n, k] = size;
        let (a, b) = (random(seed as u64, m * k), random(seed as u64 + 9, k * n));
        let (ours, chain) = errors::<3>(size, (&a, &b), [true, false]);
        (own, chained) = (own + ours, chained + chain);
        assert!(errors::<2>(size, (&a, &b), [true, true]).0 < 3e-6);
        assert!(errors::<1>(size, (&a, &b), [false, true]).0 < 1e-3);
    }
    assert!(own <= chained, "error {own:e}, of a chain {chained:e}");
}

#[test]
fn every_scale_keeps_its_accuracy() {
    let (m, n, k) = (34, 40, 70);
    for exponent in (-30..=30).step_by(6) {
        for other in [-30, -9, 0, 8, 30] {
            let scaled = |seed, count, exponent: i32| {
                let factor = 10f32.powi(exponent);
                random(seed, count).into_iter().map(|x| x * factor).collect::<Vec<_>>()
            };
            let (a, b) = (scaled(1, m * k, exponent), scaled(2, k * n, other));
            if exponent + other < 37 {
                errors::<3>([m, n, k], (&a, &b), [true, true]);
            } else {
                let c = product::<f32, 3>([m, n, k], (&a, &b), [true, true], None);
                assert!(c.iter().all(|c| !c.is_nan()), "infinities of one sign came to nothing");
            }
        }
    }
}

#[test]
fn infinite_not_a_number_and_denormal_values_come_through() {
    let (m, n, k) = (40, 70, 600);
    for parts in 1..=3 {
        let run = |a: &[f32], b: &[f32]| match parts {
            1 => product::<f32, 1>([m, n, k], (a, b), [true, true], None),
            2 => product::<f32, 2>([m, n, k], (a, b), [true, true], None),
            _ => product::<f32, 3>([m, n, k], (a, b), [true, true], None),
        };
        let (mut a, mut b) = (vec![1.0; m * k], vec![1.0; k * n]);
        (b[(k - 1) * n], b[n - 1]) = (f32::INFINITY, f32::NAN);
        for (at, &c) in run(&a, &b).iter().enumerate() {
            match at % n {
                0 => assert_eq!(c, f32::INFINITY),
                j if j == n - 1 => assert!(c.is_nan()),
                _ => assert_eq!(c, k as f32),
            }
        }
        // Denormals in one depth block, and in the other numbers that suit the unit: nothing may be flushed.
        a.fill(0.0);
        b.fill(1.0);
        a.iter_mut().step_by(k).for_each(|a| *a = f32::from_bits(3));
        a[k - 1] = 1.0;
        let c = run(&a, &b);
        assert!(c[..n].iter().all(|&c| c == 1.0) && c[n..].iter().all(|&c| c == f32::from_bits(3)), "{parts}");
        // The greatest of all numbers is none of bf16.
        a.fill(0.0);
        a[0] = f32::MAX;
        assert!(run(&a, &b)[..n].iter().all(|&c| c == f32::MAX));
    }
}

#[test]
fn halves_are_rounded_once() {
    let (m, n, k) = (37, 45, 700);
    let narrow = |x: Vec<f32>| x.into_iter().map(bf16::from_f32).collect::<Vec<_>>();
    let (mut a, b, start) = (narrow(random(1, m * k)), narrow(random(2, k * n)), narrow(random(3, m * n)));
    // One row that does not suit the unit.
    a[0] = bf16::from_f32(1e-38);
    for by_rows in [[true, true], [true, false]] {
        let (b_row, b_column) = steps(by_rows[1], k, n);
        for (at, c) in product::<bf16, 1>([m, n, k], (&a, &b), by_rows, Some(&start)).into_iter().enumerate() {
            let term = |p: usize| a[at / n * k + p].to_f64() * b[p * b_row + at % n * b_column].to_f64();
            let want = start[at].to_f64() + (0..k).map(term).sum::<f64>();
            assert!((c.to_f64() - want).abs() <= want.abs() / 256.0 + 1e-4, "{c}, not {want}");
        }
    }
}

#[test]
fn bytes_are_exact() {
    for [m, n, k] in [[1, 1, 1], [33, 70, 65], [40, 31, 700]] {
        let bytes = |seed, count| random(seed, count).into_iter().map(|x| (x * 128.0) as i8).collect::<Vec<_>>();
        let (a, b) = (bytes(1, m * k), bytes(2, k * n));
        let start: Vec<i32> = (0..m * n).map(|i| i as i32 - 7).collect();
        for (at, c) in product::<i8, 1>([m, n, k], (&a, &b), [true, true], Some(&start)).into_iter().enumerate() {
            let term = |p: usize| i32::from(a[at / n * k + p]) * i32::from(b[p * n + at % n]);
            assert_eq!(c, start[at] + (0..k).map(term).sum::<i32>());
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let (m, n, k) = (150, 260, 80);
    let (a, b) = (random(1, m * k), random(2, k * n));
    let once = || product::<f32, 2>([m, n, k], (&a, &b), [true, false], None);
    let before = crate::cpu::pool::num_threads();
    let results = [1, 2, 3].map(|threads| {
        crate::cpu::pool::set_num_threads(threads).unwrap();
        once()
    });
    crate::cpu::pool::set_num_threads(before).unwrap();
    assert!(results.iter().all(|c| c.iter().zip(&results[0]).all(|(x, y)| x.to_bits() == y.to_bits())));
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod assembly {
    use super::super::amx::{self, Amx};
    use super::super::unit::{ROW, TILE, Unit};
    use super::*;

    #[test]
    fn the_trial_says_what_the_model_does() {
        // SAFETY: the model runs anywhere.
        assert!(unsafe { amx::trial::<Model>() });
    }

    /// Registers of random bits, whose floats are of all kinds, after one product of each kind.
    unsafe fn products<U: Unit>(seed: u64) -> [[u32; TILE / 4]; 2] {
        let bits = |seed| random(seed, TILE / 4).into_iter().map(|x| (x * 2e9) as i32 as u32).collect::<Vec<_>>();
        let (a, b, mut out) = (bits(seed), bits(seed + 1), [[0; TILE / 4]; 2]);
        // SAFETY: all lists are as large as a register; the caller answers for the unit.
        unsafe {
            let mut unit = U::configure();
            unit.load::<1>(a.as_ptr().cast(), ROW);
            unit.load::<2>(b.as_ptr().cast(), ROW);
            unit.zero::<0>();
            unit.dot_bf16::<0, 1, 2>();
            unit.store::<0>(out[0].as_mut_ptr().cast(), ROW);
            unit.zero::<3>();
            unit.dot_i8::<3, 1, 2>();
            unit.store::<3>(out[1].as_mut_ptr().cast(), ROW);
        }
        out
    }

    #[test]
    fn the_assembly_does_what_the_model_says() {
        if !amx::available() {
            eprintln!("NOT RUN without AMX and FERROGRAD_AMX=1: only the model was tested");
            return;
        }
        for seed in 1..50 {
            // SAFETY: the unit is there.
            let (got, want) = unsafe { (products::<Amx>(seed), products::<Model>(seed)) };
            let same = |(x, y): (&u32, &u32)| x == y || (f32::from_bits(*x).is_nan() && f32::from_bits(*y).is_nan());
            assert!(got[0].iter().zip(&want[0]).all(same) && got[1] == want[1]);
        }
    }

    #[test]
    fn each_precision_keeps_its_error_on_the_unit() {
        if !amx::available() {
            eprintln!("NOT RUN without AMX and FERROGRAD_AMX=1: only the model was tested");
            return;
        }
        let (m, n, k) = (70, 90, 600);
        let (a, b) = (random(1, m * k), random(2, k * n));
        let mut c = vec![0f32; m * n];
        let block = Block {
            size: [m, n, k],
            c: (c.as_mut_ptr(), n as isize),
            from: (std::ptr::null(), 0),
            a: (a.as_ptr(), k as isize, 1),
            b: (b.as_ptr(), n as isize, 1),
        };
        // SAFETY: all slices are as large as the sizes say, and the unit is there.
        unsafe { run::<Amx, f32, 3>(&block).unwrap() };
        let model = product::<f32, 3>([m, n, k], (&a, &b), [true, true], None);
        assert!(c.iter().zip(&model).all(|(x, y)| x.to_bits() == y.to_bits()));
    }
}
