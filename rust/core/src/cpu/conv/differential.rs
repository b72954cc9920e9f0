//! Every pass at every level against plain loops in f64, between guarded pages.

use super::*;
use crate::cpu::gemm::differential::Guarded;
use crate::cpu::level::{Level, at_level};
use crate::cpu::pool;

/// Numbers from -1 to 1, different for every seed.
fn random(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from((state >> 41) as i32) / f64::from(1 << 22) - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// What the tests compute with.
trait Number: Real {
    const EPSILON: f64;
    fn narrow(x: f64) -> Self;
    fn wide(self) -> f64;
}
macro_rules! number {
    ($($t:ty),*) => { $(impl Number for $t {
        const EPSILON: f64 = <$t>::EPSILON as f64;
        fn narrow(x: f64) -> $t {
            x as $t
        }
        fn wide(self) -> f64 {
            self as f64
        }
    })* };
}
number!(f32, f64);

/// Calls `body` with every image, output and weight element that are multiplied with each other.
fn for_each_product(p: &Problem, mut body: impl FnMut([usize; 3])) {
    let g = &p.geometry;
    let at = |[z, y, x]: Axes3, size: Axes3| (z * size[1] + y) * size[2] + x;
    let all = |size: Axes3| {
        (0..size[0]).flat_map(move |z| (0..size[1]).flat_map(move |y| (0..size[2]).map(move |x| [z, y, x])))
    };
    for unit in 0..p.batch * p.groups {
        for (o, c) in (0..p.outputs).flat_map(|o| (0..p.inputs).map(move |c| (o, c))) {
            let filter = (unit % p.groups * p.outputs + o) * p.inputs + c;
            for (to, k) in all(g.output).flat_map(|to| all(g.kernel).map(move |k| (to, k))) {
                let place = |a: usize| (to[a] * g.stride[a] + k[a] * g.dilation[a]).checked_sub(g.before[a]);
                let (Some(z), Some(y), Some(x)) = (place(0), place(1), place(2)) else { continue };
                if z < g.image[0] && y < g.image[1] && x < g.image[2] {
                    body([
                        (unit * p.inputs + c) * g.pixels() + at([z, y, x], g.image),
                        (unit * p.outputs + o) * g.positions() + at(to, g.output),
                        filter * g.taps() + at(k, g.kernel),
                    ]);
                }
            }
        }
    }
}

/// All passes of a problem, compared with sums in f64.
fn check<T: Number>(p: &Problem, at_end: bool) {
    let values: [Vec<f64>; 3] = std::array::from_fn(|side| {
        random(side as u64 + 1, p.sizes()[side]).iter().map(|&x| T::narrow(x).wide()).collect()
    });
    let sides = values.clone().map(|v| Guarded::new(&v.iter().map(|&x| T::narrow(x)).collect::<Vec<_>>(), at_end));
    for (pass, side, operands) in [(Pass::Forward, 1, [0, 2]), (Pass::Data, 0, [1, 2]), (Pass::Weights, 2, [0, 1])] {
        let channels = p.groups * if pass == Pass::Forward { p.outputs } else { p.inputs };
        for with_bias in [false, pass != Pass::Weights] {
            let bias = random(7, channels).iter().map(|&x| T::narrow(x)).collect::<Vec<_>>();
            let bias = Guarded::new(&bias, at_end);
            let plane = p.sizes()[side] / (p.batch * channels).max(1);
            let start = |i: usize| if with_bias { bias.view()[i / plane % channels].wide() } else { 0.0 };
            let mut want: Vec<f64> = (0..p.sizes()[side]).map(start).collect();
            let mut size = vec![1.0; want.len()];
            for_each_product(p, |at| {
                let product = values[operands[0]][at[operands[0]]] * values[operands[1]][at[operands[1]]];
                want[at[side]] += product;
                size[at[side]] += product.abs();
            });
            let out = vec![T::narrow(f64::NAN); want.len()];
            let mut out = Guarded::new(&out, at_end);
            let [a, b] = operands.map(|i| sides[i].view());
            let inputs: &[&[T]] = if with_bias { &[a, b, bias.view()] } else { &[a, b] };
            run("t", pass, p, inputs, out.slice()).unwrap();
            for (i, &got) in out.slice().iter().enumerate() {
                let wrong = (got.wide() - want[i]).abs() / size[i];
                assert!(wrong <= 8.0 * T::EPSILON, "{pass:?} of {p:?}: element {i} is {got:?}, not {}", want[i]);
            }
        }
    }
}

/// A problem of one or more axes: image, kernel, stride, padding and dilation along each; absent axes are one.
fn problem(sizes: [usize; 4], axes: &[[usize; 5]]) -> Option<Problem> {
    let [batch, groups, inputs, outputs] = sizes;
    let one = [1; 3];
    let mut geometry = Geometry { image: one, kernel: one, output: one, stride: one, before: [0; 3], dilation: one };
    for (&[image, kernel, stride, before, dilation], a) in axes.iter().zip(3 - axes.len()..) {
        geometry.image[a] = image;
        geometry.kernel[a] = kernel;
        geometry.stride[a] = stride;
        geometry.before[a] = before;
        geometry.dilation[a] = dilation;
        geometry.output[a] = output_size(image, 2 * before, kernel, stride, dilation)?;
    }
    Some(Problem { batch, groups, inputs, outputs, geometry })
}

fn check_everywhere(p: &Problem) {
    for &level in Level::ALL {
        at_level(level, || {
            check::<f32>(p, true);
            check::<f64>(p, false);
        });
    }
}

#[test]
fn strides_paddings_and_dilations_agree_with_plain_loops() {
    for kernel in [1, 2, 3, 5] {
        for (stride, before, dilation) in
            [(1, 0, 1), (1, 1, 1), (1, 2, 2), (2, 0, 1), (2, 1, 1), (3, 1, 1), (2, 1, 3), (3, 2, 2)]
        {
            for (image, sizes) in [([9, 7], [2, 1, 3, 5]), ([5, 18], [1, 2, 2, 7]), ([4, 4], [7, 1, 5, 9])] {
                let axes = image.map(|size| [size, kernel, stride, before, dilation]);
                if let Some(p) = problem(sizes, &axes) {
                    check_everywhere(&p);
                }
            }
        }
    }
}

#[test]
fn every_number_of_axes_and_unequal_axes_agree_with_plain_loops() {
    for (sizes, axes) in [
        ([2, 1, 3, 4], &[[40, 7, 2, 3, 1]][..]),
        ([1, 1, 2, 3], &[[3, 2, 1, 1, 1], [5, 3, 2, 0, 1], [6, 1, 2, 0, 1]]),
        ([1, 2, 2, 3], &[[4, 1, 2, 0, 1], [4, 3, 1, 2, 1], [5, 2, 3, 1, 2]]),
        ([3, 1, 2, 5], &[[7, 1, 1, 0, 1], [9, 3, 1, 1, 1]]),
        ([2, 1, 6, 2], &[[3, 1, 5, 0, 1], [2, 2, 7, 3, 2]]),
        ([2, 3, 1, 6], &[[6, 3, 1, 1, 1], [6, 3, 1, 1, 1]]),
        ([2, 3, 1, 2], &[[5, 1, 1, 0, 1]]),
        ([2, 2, 3, 6], &[[5, 1, 1, 0, 1]]),
        ([0, 1, 2, 2], &[[6, 3, 1, 1, 1]]),
        ([2, 1, 0, 2], &[[6, 3, 1, 1, 1]]),
    ] {
        check_everywhere(&problem(sizes, axes).unwrap());
    }
}

/// Taps far apart, and strides beyond the kernel: most phases of the image see no tap.
#[test]
fn wide_steps_agree_with_plain_loops() {
    for (sizes, axes) in [
        ([2, 2, 3, 5], &[[34, 3, 1, 0, 15], [37, 3, 1, 3, 14]][..]),
        ([1, 1, 3, 5], &[[34, 3, 2, 0, 16], [37, 3, 2, 3, 14]]),
        ([1, 1, 3, 5], &[[30, 3, 3, 1, 9], [31, 3, 3, 2, 10]]),
        ([2, 1, 3, 5], &[[23, 2, 7, 1, 1], [33, 3, 9, 0, 2]]),
        ([1, 1, 2, 3], &[[20, 2, 17, 0, 1], [18, 1, 16, 0, 1], [13, 2, 11, 0, 1]]),
    ] {
        check_everywhere(&problem(sizes, axes).unwrap());
    }
}

/// One image channel a group: strides, dilations and multipliers, several bands of a plane and slices of a batch.
#[test]
fn depthwise_convolutions_agree_with_plain_loops() {
    for (kernel, stride, before, dilation) in
        [(3, 1, 1, 1), (3, 2, 1, 1), (5, 1, 2, 1), (2, 3, 0, 1), (3, 1, 2, 2), (3, 2, 3, 3), (4, 2, 0, 1), (1, 2, 0, 1)]
    {
        for (sizes, image) in [([2, 3, 1, 1], [7, 7]), ([1, 2, 1, 3], [13, 35]), ([3, 5, 1, 2], [6, 50])] {
            let axes = image.map(|size| [size, kernel, stride, before, dilation]);
            check_everywhere(&problem(sizes, &axes).unwrap());
        }
    }
    for (sizes, axes) in [
        ([2, 2, 1, 1], &[[70, 9, 1, 4, 1]][..]),
        ([1, 2, 1, 2], &[[4, 3, 1, 1, 1], [5, 2, 2, 0, 1], [9, 3, 2, 1, 1]]),
        ([1, 2, 1, 1], &[[3, 3, 2, 1, 1], [5, 3, 1, 1, 1], [6, 3, 1, 1, 2]]),
        ([9, 2, 1, 1], &[[80, 3, 1, 1, 1], [90, 3, 1, 1, 1]]),
        ([9, 1, 1, 4], &[[81, 3, 2, 1, 1], [91, 5, 2, 2, 1]]),
        ([1, 1, 1, 1], &[[7000, 3, 1, 1, 1]]),
        ([0, 3, 1, 1], &[[6, 3, 1, 1, 1], [6, 3, 1, 1, 1]]),
    ] {
        check::<f32>(&problem(sizes, axes).unwrap(), true);
    }
}

/// Enough channels, taps and positions for several depth blocks, windows, bands and tiles.
#[test]
fn large_sizes_agree_with_plain_loops() {
    for (sizes, axes) in [
        ([1, 1, 20, 70], &[[21, 3, 1, 1, 1], [23, 3, 1, 1, 1]][..]),
        ([12, 1, 37, 19], &[[4, 3, 1, 1, 1], [4, 3, 1, 1, 1]]),
        ([2, 1, 33, 5], &[[14, 3, 2, 1, 1], [15, 3, 2, 1, 1]]),
        ([1, 1, 3, 5], &[[30, 14, 2, 3, 1], [31, 15, 2, 3, 1]]),
        ([1, 1, 2, 3], &[[5000, 3, 1, 1, 1]]),
        ([1, 1, 170, 3], &[[3, 1, 1, 0, 1], [5, 1, 2, 0, 1]]),
        ([1, 1, 300, 2], &[[5, 3, 1, 1, 1], [2, 3, 1, 1, 1]]),
    ] {
        check::<f32>(&problem(sizes, axes).unwrap(), true);
    }
}

#[test]
fn threads_do_not_change_the_bits() {
    let threads = pool::num_threads();
    for (sizes, size) in [([6, 1, 24, 48], 30), ([1, 1, 64, 128], 10), ([8, 3, 1, 2], 80)] {
        let p = problem(sizes, &[[size, 3, 1, 1, 1], [size, 3, 1, 1, 1]]).unwrap();
        let narrow = |n: usize| random(n as u64, n).iter().map(|&x| x as f32).collect::<Vec<_>>();
        let [image, output, weights] = p.sizes().map(narrow);
        let results = [1, 2, 3].map(|n| {
            pool::set_num_threads(n).unwrap();
            let (mut y, mut x, mut w) = (output.clone(), image.clone(), weights.clone());
            run("t", Pass::Forward, &p, &[&image, &weights], &mut y).unwrap();
            run("t", Pass::Data, &p, &[&output, &weights], &mut x).unwrap();
            run("t", Pass::Weights, &p, &[&image, &output], &mut w).unwrap();
            [y, x, w]
        });
        assert!(results[0] == results[1] && results[0] == results[2]);
    }
    pool::set_num_threads(threads).unwrap();
}

#[test]
fn not_a_number_goes_where_its_taps_lead_and_nowhere_else() {
    for [channels, filters] in [[4, 8], [1, 2]] {
        let p = problem([1, 1, channels, filters], &[[12, 3, 1, 1, 1], [12, 3, 1, 1, 1]]).unwrap();
        let [mut x, mut y, w] = p.sizes().map(|n| vec![1f32; n]);
        x[5 * 12 + 11] = f32::NAN;
        run("t", Pass::Forward, &p, &[&x, &w], &mut y).unwrap();
        for (i, y) in y.iter().enumerate() {
            let (row, column) = (i / 12 % 12, i % 12);
            assert_eq!(y.is_nan(), row.abs_diff(5) <= 1 && column.abs_diff(11) <= 1, "position {row}, {column}");
        }
    }
}
