//! Every level's kernels against a product in f64: all lengths around the tiles, guarded memory, odd values.

use super::*;
use crate::cpu::level::{Level, at_level};
use crate::dtype::Element;

/// What the tests compute with: the two types with kernels of their own.
trait Number: Entry {
    const EPSILON: f64;
    fn narrow(x: f64) -> Self;
    fn wide(self) -> f64;
    fn chain(self, b: Self, sum: Self) -> Self;
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl Number for $t {
            const EPSILON: f64 = <$t>::EPSILON as f64;
            fn narrow(x: f64) -> $t {
                x as $t
            }
            fn wide(self) -> f64 {
                self as f64
            }
            fn chain(self, b: $t, sum: $t) -> $t {
                self.mul_add(b, sum)
            }
        }
    )*};
}
number!(f32, f64);

/// Numbers from -1 to 1, different for every seed.
fn random<T: Number>(seed: u64, count: usize) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| T::narrow(next())).collect()
}

/// Elements that end, or begin, at a page nobody may touch.
pub struct Guarded<T> {
    base: *mut u8,
    bytes: usize,
    first: *mut T,
    count: usize,
}

impl<T: Element> Guarded<T> {
    pub fn new(values: &[T], at_end: bool) -> Guarded<T> {
        const PAGE: usize = 1 << 16;
        let inner = size_of_val(values).next_multiple_of(PAGE);
        let bytes = inner + 2 * PAGE;
        // SAFETY: a fresh private mapping, whose outer pages are closed; the values fit between them.
        unsafe {
            let (open, private) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            let base = libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, private, -1, 0).cast::<u8>();
            assert_ne!(base.cast(), libc::MAP_FAILED);
            assert_eq!(libc::mprotect(base.add(PAGE).cast(), inner.max(1), open), 0);
            let offset = if at_end { inner - size_of_val(values) } else { 0 };
            let first = base.add(PAGE + offset).cast::<T>();
            std::ptr::copy_nonoverlapping(values.as_ptr(), first, values.len());
            Guarded { base, bytes, first, count: values.len() }
        }
    }

    pub fn view(&self) -> &[T] {
        // SAFETY: `new` wrote so many values there.
        unsafe { std::slice::from_raw_parts(self.first, self.count) }
    }

    pub fn slice(&mut self) -> &mut [T] {
        // SAFETY: `new` wrote so many values there.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.count) }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and no slice of it is left.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}

/// Strides of a `rows x columns` matrix: by rows, by columns, or every third element.
fn strides(order: u8, rows: usize, columns: usize) -> [isize; 2] {
    match order {
        b'r' => [columns as isize, 1],
        b'c' => [1, rows as isize],
        _ => [3 * columns as isize, 3],
    }
}

/// One product compared with the sum in f64; what lies between guarded pages is all that may be touched.
fn check<T: Number>([m, n, k]: [usize; 3], orders: [u8; 2], from: u8, guarded_end: bool) {
    let room = |order: u8, rows: usize, columns: usize| rows * columns * if order == b's' { 3 } else { 1 };
    let cut = |mut values: Vec<T>, order: u8| {
        values.truncate(if order == b's' { values.len().saturating_sub(2) } else { values.len() });
        values
    };
    let a = cut(random::<T>(1, room(orders[0], m, k)), orders[0]);
    let b = cut(random::<T>(2, room(orders[1], k, n)), orders[1]);
    let (sa, sb) = (strides(orders[0], m, k), strides(orders[1], k, n));
    let (bias, before) = (random::<T>(3, n), random::<T>(4, m * n));
    let (mut ga, mut gb) = (Guarded::new(&a, guarded_end), Guarded::new(&b, guarded_end));
    let (mut gc, mut gbias) = (Guarded::new(&before, guarded_end), Guarded::new(&bias, guarded_end));
    let la = Layout { shape: [m, k][..].into(), strides: sa[..].into(), offset: 0 };
    let lb = Layout { shape: [k, n][..].into(), strides: sb[..].into(), offset: 0 };
    let start = match from {
        b'z' => Start::Zero,
        b'r' => Start::Row(&*gbias.slice()),
        _ => Start::Output,
    };
    let (ma, mb) = (Matrix::new("t", ga.slice(), &la).unwrap(), Matrix::new("t", gb.slice(), &lb).unwrap());
    product("t", &ma, &mb, start, gc.slice()).unwrap();
    let (mut own, mut chained) = (0.0, 0.0);
    for (at, &got) in gc.slice().iter().enumerate() {
        let (i, j) = (at / n, at % n);
        let first = match from {
            b'z' => T::default(),
            b'r' => bias[j],
            _ => before[at],
        };
        let (mut want, mut chain, mut scale) = (first.wide(), first, first.wide().abs());
        for p in 0..k {
            let x = a[i * sa[0] as usize + p * sa[1] as usize];
            let y = b[p * sb[0] as usize + j * sb[1] as usize];
            want += x.wide() * y.wide();
            scale += (x.wide() * y.wide()).abs();
            chain = x.chain(y, chain);
        }
        let bound = T::EPSILON * scale * (k as f64 + 2.0).sqrt() * 2.0 + f64::MIN_POSITIVE;
        assert!(
            (got.wide() - want).abs() <= bound,
            "({i}, {j}) of {m} x {n} x {k} {orders:?} {from}: {got:?}, not {want}"
        );
        own += (got.wide() - want).powi(2);
        chained += (chain.wide() - want).powi(2);
    }
    if T::EPSILON > 1e-10 && m * n * k > 100_000 && k > 100 {
        assert!(own <= chained * 1.05, "error {own:e} of {m} x {n} x {k}, of a chain {chained:e}");
    }
}

fn at_every_level(body: impl Fn()) {
    for &level in Level::ALL {
        at_level(level, &body);
    }
}

#[test]
fn every_length_along_each_axis_agrees() {
    at_every_level(|| {
        for length in 0..=257 {
            let orders = [[b'r', b'r'], [b'c', b'r'], [b'r', b'c'], [b's', b'c']][length % 4];
            let from = [b'z', b'r', b'o'][length % 3];
            check::<f32>([length, 19, 33], orders, from, length % 2 == 0);
            check::<f32>([7, length, 21], orders, from, length % 2 == 0);
            check::<f32>([5, 18, length], orders, from, length % 2 == 0);
            check::<f64>([9, length, 13], orders, from, length % 2 == 1);
        }
    });
}

#[test]
fn every_path_stays_inside_its_operands() {
    at_every_level(|| {
        for size in [
            [1, 1, 1],
            [1, 300, 70],
            [300, 1, 70],
            [2, 200, 50],
            [4, 260, 40],
            [17, 65, 200],
            [60, 70, 40],
            [50, 100, 200],
            [130, 390, 50],
            [97, 49, 385],
            [3, 3, 5000],
            [1, 40, 3000],
        ] {
            for a in *b"rcs" {
                for b in *b"rcs" {
                    for end in [false, true] {
                        check::<f32>(size, [a, b], b"zro"[size[1] % 3], end);
                        check::<f64>(size, [a, b], b"zro"[size[2] % 3], end);
                    }
                }
            }
        }
    });
}

#[test]
fn large_products_share_panels_and_keep_their_error_small() {
    at_every_level(|| {
        for (a, b) in [(b'r', b'r'), (b'c', b'r'), (b'r', b'c'), (b'c', b'c')] {
            check::<f32>([260, 230, 300], [a, b], b'o', true);
            check::<f64>([210, 250, 200], [a, b], b'r', true);
        }
        // Rows a page apart, and partial products summed by several tasks.
        check::<f32>([200, 150, 1024], [b'r', b'c'], b'r', true);
        check::<f32>([100, 90, 3000], [b'c', b'r'], b'o', true);
    });
}

#[test]
fn threads_do_not_change_a_bit() {
    let before = crate::cpu::pool::num_threads();
    for (m, n, k) in [(300, 280, 270), (1, 900, 1300), (900, 1, 1300), (30, 20, 9000), (100, 90, 3000), (4, 2000, 600)]
    {
        let (a, b) = (random::<f32>(1, m * k), random::<f32>(2, k * n));
        let (la, lb) = (Layout::contiguous(&[m, k]), Layout::contiguous(&[k, n]));
        let (ma, mb) = (Matrix::new("t", &a, &la).unwrap(), Matrix::new("t", &b, &lb).unwrap());
        let results: Vec<Vec<f32>> = [1, 2, 3, 2]
            .iter()
            .map(|&threads| {
                crate::cpu::pool::set_num_threads(threads).unwrap();
                let mut c = vec![0.0; m * n];
                product("t", &ma, &mb, Start::Zero, &mut c).unwrap();
                c
            })
            .collect();
        assert!(results.iter().all(|c| c.iter().zip(&results[0]).all(|(x, y)| x.to_bits() == y.to_bits())));
    }
    crate::cpu::pool::set_num_threads(before).unwrap();
}

#[test]
fn infinite_not_a_number_and_denormal_values_come_through() {
    at_every_level(|| {
        for (m, n, k) in [(1, 50, 40), (50, 1, 40), (9, 50, 200), (70, 60, 50)] {
            for order in *b"rc" {
                let (la, lb) = (Layout::contiguous(&[m, k]), layout_of(order, k, n));
                let at = |p: usize, j: usize| (p as isize * lb.strides[0] + j as isize * lb.strides[1]) as usize;
                let (mut a, mut b) = (vec![1f32; m * k], vec![1f32; k * n]);
                b[at(k - 1, 0)] = f32::INFINITY;
                b[at(0, n - 1)] = if n > 1 { f32::NAN } else { f32::INFINITY };
                let mut c = vec![0f32; m * n];
                let run = |a: &[f32], b: &[f32], c: &mut [f32]| {
                    let (ma, mb) = (Matrix::new("t", a, &la).unwrap(), Matrix::new("t", b, &lb).unwrap());
                    product("t", &ma, &mb, Start::Zero, c).unwrap();
                };
                run(&a, &b, &mut c);
                for (i, &c) in c.iter().enumerate() {
                    match i % n {
                        0 => assert_eq!(c, f32::INFINITY),
                        j if j == n - 1 => assert!(c.is_nan()),
                        _ => assert_eq!(c, k as f32),
                    }
                }
                // Sums of denormals are exact, and must not be flushed.
                let tiny = f32::from_bits(3);
                a.fill(tiny);
                b.fill(1.0);
                run(&a, &b, &mut c);
                assert!(c.iter().all(|&c| c == f32::from_bits(3 * k as u32)), "{m} {n} {k}");
            }
        }
    });
}

fn layout_of(order: u8, rows: usize, columns: usize) -> Layout {
    Layout { shape: [rows, columns][..].into(), strides: strides(order, rows, columns)[..].into(), offset: 0 }
}
