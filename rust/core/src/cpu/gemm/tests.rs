use super::*;
use crate::dtype::{Complex64, bf16, f16};

fn layout(shape: &[usize], strides: &[isize], offset: usize) -> Layout {
    Layout { shape: shape.into(), strides: strides.into(), offset }
}

/// Values that every dtype holds and whose sums stay exact.
fn small(i: usize) -> i64 {
    (i * 7919 % 11) as i64 - 5
}

fn naive(a: &[i64], la: &Layout, b: &[i64], lb: &Layout) -> Vec<i64> {
    let (a, b) = (Matrix::new("t", a, la).unwrap(), Matrix::new("t", b, lb).unwrap());
    let (axes, batch) = (a.batch().len(), a.batch().iter().product::<usize>());
    let mut out = Vec::new();
    for index in 0..batch {
        for i in 0..a.rows() as isize {
            for j in 0..b.columns() as isize {
                let at = |p: isize| {
                    let from = a.start(index, axes) + i * a.row_step() + p * a.column_step();
                    let with = b.start(index, axes) + p * b.row_step() + j * b.column_step();
                    a.elements[from as usize] * b.elements[with as usize]
                };
                out.push((0..a.columns() as isize).map(at).sum());
            }
        }
    }
    out
}

fn check<T: Entry>(la: &Layout, lb: &Layout, convert: impl Fn(i64) -> T) {
    let length = |l: &Layout| l.bounds("t").unwrap().map_or(0, |(_, last)| last + 1);
    let a: Vec<i64> = (0..length(la)).map(small).collect();
    let b: Vec<i64> = (0..length(lb)).map(|i| small(i + 3)).collect();
    let want = naive(&a, la, &b, lb);
    let (ta, tb): (Vec<T>, Vec<T>) = (a.iter().map(|&v| convert(v)).collect(), b.iter().map(|&v| convert(v)).collect());
    let (ma, mb) = (Matrix::new("t", &ta, la).unwrap(), Matrix::new("t", &tb, lb).unwrap());
    let n = lb.shape[lb.rank() - 1];
    let row: Vec<T> = (0..n).map(|i| convert(small(i))).collect();
    for start in [Start::Zero, Start::Row(&row), Start::Output] {
        let mut c: Vec<T> = (0..want.len()).map(|i| convert(small(i + 1))).collect();
        product("t", &ma, &mb, start, &mut c).unwrap();
        for (i, (&got, &want)) in c.iter().zip(&want).enumerate() {
            let first = match start {
                Start::Zero => 0,
                Start::Row(_) => small(i % n),
                Start::Output => small(i + 1),
            };
            assert_eq!(got, convert(want + first), "element {i} of {:?} x {:?}", la.shape, lb.shape);
        }
    }
}

fn check_all_types(la: &Layout, lb: &Layout) {
    check(la, lb, |v| v as f32);
    check(la, lb, |v| v as f64);
    check(la, lb, |v| Complex64::new(v as f64, 0.0));
    check(la, lb, |v| v as i8);
    check(la, lb, |v| v as u64);
    check(la, lb, |v| f16::from_f64(v as f64));
    check(la, lb, |v| bf16::from_f64(v as f64));
}

#[test]
fn every_stride_pattern_agrees_with_a_naive_loop() {
    let (m, k, n) = (7usize, 9usize, 5usize);
    let a = [
        layout(&[m, k], &[k as isize, 1], 0),
        layout(&[m, k], &[1, m as isize], 2),
        layout(&[m, k], &[-(k as isize), -1], m * k - 1),
        layout(&[m, k], &[0, 2], 1),
    ];
    let b = [
        layout(&[k, n], &[n as isize, 1], 0),
        layout(&[k, n], &[1, k as isize], 0),
        layout(&[k, n], &[3 * n as isize, -2], 2 * n),
        layout(&[k, n], &[1, 0], 0),
    ];
    a.iter().for_each(|la| b.iter().for_each(|lb| check_all_types(la, lb)));
}

#[test]
fn sizes_around_tile_edges_agree() {
    for (m, k, n) in [(1, 1, 1), (1, 130, 1), (129, 3, 130), (1, 40, 300), (300, 40, 1), (16, 513, 17)] {
        let (la, lb) = (Layout::contiguous(&[m, k]), Layout::contiguous(&[k, n]));
        check(&la, &lb, |v| v as f32);
        check(&la, &lb, |v| v as i16);
        check(&la, &lb, |v| v as f64);
    }
    let (la, lb) = (Layout::contiguous(&[3, 2000]), Layout::contiguous(&[2000, 2]));
    check(&la, &lb, |v| v as f32);
}

#[test]
fn long_common_axis_is_sliced_and_large_products_are_tiled() {
    let (la, lb) = (Layout::contiguous(&[2, 500_000]), Layout::contiguous(&[500_000, 3]));
    check(&la, &lb, |v| v as f64);
    check(&la, &lb, |v| v as i64);
    let (la, lb) = (Layout::contiguous(&[200, 300]), Layout::contiguous(&[300, 250]));
    check(&la, &lb, |v| v as f32);
}

#[test]
fn halves_widened_as_a_whole_agree() {
    let (m, k, n) = (300, 60, 310);
    let by_columns = |rows: usize, columns: usize| layout(&[rows, columns], &[1, rows as isize], 0);
    for (la, lb) in [
        (Layout::contiguous(&[m, k]), Layout::contiguous(&[k, n])),
        (by_columns(m, k), by_columns(k, n)),
        (layout(&[2, m, k], &[0, 60, 1], 0), Layout::contiguous(&[2, k, n])),
    ] {
        check(&la, &lb, |v| bf16::from_f64(v as f64));
        check(&la, &lb, |v| f16::from_f64(v as f64));
        check(&la, &lb, |v| Complex64::new(v as f64, 0.0));
    }
}

#[test]
fn complex_products_have_both_parts() {
    let (m, k, n) = (140, 270, 3);
    let z = |i: usize| Complex64::new(small(i) as f64, small(i + 5) as f64);
    let (a, b): (Vec<_>, Vec<_>) = ((0..m * k).map(z).collect(), (0..k * n).map(|i| z(i + 2)).collect());
    let (la, lb) = (Layout::contiguous(&[m, k]), Layout::contiguous(&[k, n]));
    let mut c = vec![z(1); m * n];
    product("t", &Matrix::new("t", &a, &la).unwrap(), &Matrix::new("t", &b, &lb).unwrap(), Start::Output, &mut c)
        .unwrap();
    for (at, &c) in c.iter().enumerate() {
        let want = (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum::<Complex64>() + z(1);
        assert_eq!(c, want);
    }
}

#[test]
fn batches_fold_and_broadcast() {
    let still = layout(&[2, 3, 4, 5], &[0, 0, 5, 1], 0);
    check_all_types(&Layout::contiguous(&[2, 3, 6, 4]), &still);
    check_all_types(&Layout::contiguous(&[2, 3, 1, 4]), &still);
    check_all_types(&layout(&[2, 3, 6, 4], &[4, 48, 8, 1], 0), &still);
    check_all_types(&layout(&[2, 3, 6, 4], &[0, 24, 1, 6], 0), &Layout::contiguous(&[2, 3, 4, 5]));
}

#[test]
fn empty_products_are_zero_or_the_start() {
    let mut c = [9f32; 6];
    let (la, lb) = (Layout::contiguous(&[2, 0]), Layout::contiguous(&[0, 3]));
    let (a, b) = (Matrix::new("t", &[], &la).unwrap(), Matrix::new("t", &[], &lb).unwrap());
    product("t", &a, &b, Start::Row(&[1.0, 2.0, 3.0]), &mut c).unwrap();
    assert_eq!(c, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    product("t", &a, &b, Start::Zero, &mut c).unwrap();
    assert_eq!(c, [0.0; 6]);
    assert!(Matrix::new("t", &[1f32; 5], &Layout::contiguous(&[2, 3])).is_err());
}

#[test]
fn not_a_number_in_the_output_does_not_leak_in() {
    for (m, k, n) in [(1, 1, 1), (5, 2, 5), (1, 50, 1), (40, 50, 1), (20, 30, 20), (1, 9, 40)] {
        let (la, lb) = (Layout::contiguous(&[m, k]), Layout::contiguous(&[k, n]));
        let (ones_a, ones_b) = (vec![1f32; m * k], vec![1f32; k * n]);
        let (a, b) = (Matrix::new("t", &ones_a, &la).unwrap(), Matrix::new("t", &ones_b, &lb).unwrap());
        let mut c = vec![f32::NAN; m * n];
        product("t", &a, &b, Start::Zero, &mut c).unwrap();
        assert!(c.iter().all(|&v| v == k as f32), "{m} {k} {n}");
    }
}

#[test]
fn products_larger_than_the_room_for_panels_agree() {
    let (m, n, k) = (500, 4200, 500);
    let (la, lb) = (Layout::contiguous(&[m, k]), Layout::contiguous(&[k, n]));
    let a: Vec<f32> = (0..m * k).map(|i| (i / k % 7) as f32).collect();
    let b: Vec<f32> = (0..k * n).map(|i| (i % n % 5) as f32).collect();
    let bias: Vec<f32> = (0..n).map(|j| (j % 3) as f32).collect();
    let mut c = vec![f32::NAN; m * n];
    let (ma, mb) = (Matrix::new("t", &a, &la).unwrap(), Matrix::new("t", &b, &lb).unwrap());
    product("t", &ma, &mb, Start::Row(&bias), &mut c).unwrap();
    for (at, &got) in c.iter().enumerate() {
        let (i, j) = (at / n, at % n);
        assert_eq!(got, (k * (i % 7) * (j % 5) + j % 3) as f32, "({i}, {j})");
    }
}
