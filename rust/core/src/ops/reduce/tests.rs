use super::*;
use crate::autograd::gradcheck::assert_gradients;
use crate::dtype::f16;
use crate::ops::create;
use crate::scalar::Scalar;

fn tensor(n: usize, f: impl Fn(usize) -> f64, shape: &[usize]) -> Tensor {
    Tensor::from_slice(&(0..n).map(f).collect::<Vec<_>>(), shape).unwrap()
}

fn wave(shape: &[usize]) -> Tensor {
    tensor(shape.iter().product(), |i| ((i * 37 % 101) as f64 - 50.0) / 17.0, shape)
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

/// The reduction by nested loops over indices.
fn naive(x: &Tensor, axes: &[usize], start: f64, step: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let all = values(x);
    let shape = reduced_shape(x.shape(), axes, true);
    let steps = shape::contiguous_strides(&shape);
    let mut out = vec![start; shape.iter().product()];
    for (flat, value) in all.iter().enumerate() {
        let (mut rest, mut at) = (flat, 0);
        for a in (0..x.rank()).rev() {
            at += if axes.contains(&a) { 0 } else { rest % x.shape()[a] * steps[a] as usize };
            rest /= x.shape()[a];
        }
        out[at] = step(out[at], *value);
    }
    out
}

#[test]
fn every_choice_of_axes_and_layout_agrees_with_loops() {
    let shapes: [&[usize]; 7] =
        [&[5, 7, 3], &[1, 300, 2], &[2000, 3], &[3, 5000], &[4, 1, 6, 5], &[2, 0, 3], &[70, 300]];
    for shape in shapes {
        let base = wave(shape);
        for x in [base.clone(), movement::swap_axes(&base, 0, -1).unwrap(), movement::flip(&base, None).unwrap()] {
            for mask in 0..1u32 << x.rank() {
                let axes: Axes = (0..x.rank()).filter(|a| mask >> a & 1 == 1).collect();
                let named: Vec<i64> = axes.iter().map(|&a| a as i64 - x.rank() as i64).collect();
                let close = |got: Tensor, want: Vec<f64>| {
                    let got = values(&got);
                    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0) || a == b;
                    assert!(got.len() == want.len() && got.iter().zip(&want).all(near), "{shape:?} {axes:?}");
                };
                close(sum(&x, Some(&named), None, false).unwrap(), naive(&x, &axes, 0.0, |a, b| a + b));
                if base.numel() > 0 {
                    close(max(&x, Some(&named), true).unwrap(), naive(&x, &axes, f64::NEG_INFINITY, f64::max));
                    close(min(&x, Some(&named), true).unwrap(), naive(&x, &axes, f64::INFINITY, f64::min));
                }
                let n: usize = axes.iter().map(|&a| x.shape()[a]).product();
                if n > 0 {
                    let squares = naive(&x, &axes, 0.0, |a, b| a + b * b);
                    let means = naive(&x, &axes, 0.0, |a, b| a + b / n as f64);
                    let want = squares.iter().zip(&means).map(|(s, m)| s / n as f64 - m * m).collect();
                    close(var(&x, Some(&named), 0.0, false).unwrap(), want);
                    close(mean(&x, Some(&named), false).unwrap(), means);
                }
            }
        }
    }
}

#[test]
fn sums_are_exact_where_a_running_float_is_not() {
    let n = (1 << 24) + 10;
    let ones = create::ones(&[n], DType::F32, crate::Device::Cpu).unwrap();
    assert_eq!(sum(&ones, None, None, false).unwrap().slice::<f32>().unwrap(), &[n as f32]);
    let halves = Tensor::from_slice(&vec![f16::from_f32(1.0); 5000], &[5000, 1]).unwrap();
    assert_eq!(sum(&halves, Some(&[0]), None, false).unwrap().slice::<f16>().unwrap()[0].to_f32(), 5000.0);
    assert_eq!(mean(&halves, None, false).unwrap().slice::<f16>().unwrap()[0].to_f32(), 1.0);
}

#[test]
fn variance_survives_a_large_mean() {
    let x: Vec<f32> = (0..100_000).map(|i| 1e8 + (i % 5) as f32 * 8.0).collect();
    let x = Tensor::from_slice(&x, &[100_000]).unwrap();
    assert_eq!(var(&x, None, 0.0, false).unwrap().slice::<f32>().unwrap(), &[128.0]);
    let columns = movement::reshape(&x, &[20_000, 5]).unwrap();
    assert_eq!(std(&columns, Some(&[0]), 0.0, false).unwrap().slice::<f32>().unwrap(), &[0.0; 5]);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let before = crate::cpu::pool::num_threads();
    for shape in [&[3, 300_000][..], &[300_000, 3], &[900, 1000]] {
        let x = cast::astype(&wave(shape), DType::F32).unwrap();
        let bits = |axis: i64| {
            let total = sum(&x, Some(&[axis]), None, false).unwrap();
            total.slice::<f32>().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        crate::cpu::pool::set_num_threads(1).unwrap();
        let one = [bits(0), bits(1)];
        crate::cpu::pool::set_num_threads(4).unwrap();
        assert_eq!(one, [bits(0), bits(1)]);
    }
    crate::cpu::pool::set_num_threads(before).unwrap();
}

#[test]
fn nan_comes_out_of_extrema() {
    let x = Tensor::from_slice(&[1.0f32, f32::NAN, 3.0, f32::NEG_INFINITY], &[2, 2]).unwrap();
    let top = |axis: i64| max(&x, Some(&[axis]), false).unwrap().slice::<f32>().unwrap().to_vec();
    assert!(top(1)[0].is_nan() && top(1)[1] == 3.0 && top(0)[0] == 3.0 && top(0)[1].is_nan());
    let place = |axis| argmax(&x, axis, false).unwrap().slice::<i64>().unwrap().to_vec();
    assert_eq!((place(None), place(Some(0)), place(Some(1))), (vec![1], vec![1, 0], vec![1, 0]));
}

#[test]
fn places_of_extrema_are_the_first_ones() {
    for (shape, axis) in [(&[3, 200_000][..], 1), (&[700, 40], 0), (&[40, 700], 1), (&[5, 6, 7], 1), (&[1, 300_001], 1)]
    {
        let n: usize = shape.iter().product();
        let x = tensor(n, |i| (i * 7919 % 1013) as f64, shape);
        let got = argmin(&x, Some(axis as i64), false).unwrap();
        let (inner, all) = (shape[axis + 1..].iter().product::<usize>(), values(&x));
        for (o, &place) in got.slice::<i64>().unwrap().iter().enumerate() {
            let line = |i: usize| all[(o / inner * shape[axis] + i) * inner + o % inner];
            let best = (0..shape[axis]).min_by(|&a, &b| line(a).total_cmp(&line(b))).unwrap();
            assert_eq!(place as usize, best);
        }
    }
}

#[test]
fn types_follow_the_standard() {
    let of = |dtype: DType| create::ones(&[2, 3], dtype, crate::Device::Cpu).unwrap();
    let total = |dtype| sum(&of(dtype), None, None, false).unwrap().dtype();
    assert_eq!(
        [DType::I8, DType::U8, DType::Bool, DType::F16, DType::C64].map(total),
        [DType::I64, DType::U64, DType::I64, DType::F16, DType::C64]
    );
    assert_eq!(prod(&of(DType::I32), None, Some(DType::F64), false).unwrap().dtype(), DType::F64);
    assert_eq!(any(&of(DType::C128), None, false).unwrap().dtype(), DType::Bool);
    assert!(matches!(mean(&of(DType::I64), None, false), Err(Error::DType(_))));
    assert!(matches!(max(&of(DType::C64), None, false), Err(Error::DType(_))));
}

#[test]
fn nothing_to_reduce_gives_the_neutral_element_or_an_error() {
    let x = create::zeros(&[0, 3], DType::F32, crate::Device::Cpu).unwrap();
    assert_eq!(sum(&x, Some(&[0]), None, false).unwrap().slice::<f32>().unwrap(), &[0.0; 3]);
    assert_eq!(prod(&x, None, None, false).unwrap().slice::<f32>().unwrap(), &[1.0]);
    assert!(mean(&x, None, false).unwrap().slice::<f32>().unwrap()[0].is_nan());
    assert!(all(&x, None, false).unwrap().slice::<bool>().unwrap()[0]);
    assert!(matches!(max(&x, Some(&[0]), false), Err(Error::Value(_))));
    assert!(matches!(argmax(&x, Some(0), false), Err(Error::Value(_))));
    assert_eq!(max(&x, Some(&[1]), false).unwrap().shape(), &[0]);
    let scalar = create::full(&[], Scalar::Float(2.5), DType::F32, crate::Device::Cpu).unwrap();
    assert_eq!(sum(&scalar, None, None, true).unwrap().slice::<f32>().unwrap(), &[2.5]);
}

#[test]
fn sum_to_undoes_a_broadcast() {
    let x = wave(&[4, 2, 3]);
    for shape in [&[][..], &[3], &[2, 1], &[1, 1, 3], &[4, 2, 3], &[4, 1, 1]] {
        let got = sum_to(&x, shape).unwrap();
        let axes: Axes = (0..3).filter(|&a| a + shape.len() < 3 || shape[a + shape.len() - 3] == 1).collect();
        assert_eq!(got.shape(), shape);
        assert!(values(&got).iter().zip(naive(&x, &axes, 0.0, |a, b| a + b)).all(|(a, b)| (a - b).abs() < 1e-12));
    }
    assert!(sum_to(&x, &[4]).is_err() && sum_to(&x, &[1, 4, 2, 3]).is_err());
}

#[test]
fn gradients_agree_with_differences() {
    let x = wave(&[3, 4, 2]);
    let with_zeros = tensor(24, |i| if i % 7 == 0 { 0.0 } else { 0.3 + i as f64 / 20.0 }, &[3, 4, 2]);
    for axes in [None, Some(&[0][..]), Some(&[1, -1]), Some(&[0, 2])] {
        assert_gradients(&[&x], |x| sum(&x[0], axes, None, false));
        assert_gradients(&[&x], |x| mean(&x[0], axes, true));
        assert_gradients(&[&x], |x| max(&x[0], axes, false));
        assert_gradients(&[&x], |x| var(&x[0], axes, 1.0, false));
        assert_gradients(&[&x], |x| std(&x[0], axes, 0.0, true));
        assert_gradients(&[&with_zeros], |x| prod(&x[0], axes, None, false));
    }
}
