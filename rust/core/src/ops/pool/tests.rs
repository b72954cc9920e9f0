use super::*;
use crate::autograd::gradcheck::assert_gradients;

fn tensor(shape: &[usize]) -> Tensor {
    // All elements differ, so that maxima are unique.
    let n: usize = shape.iter().product();
    let data: Vec<f64> = (0..n).map(|i| ((i * 7919) % 10007) as f64 * 0.01 - 30.0).collect();
    Tensor::from_slice(&data, shape).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

fn options<'a>(kernel: &'a [i64], stride: &'a [i64], padding: &'a [i64], dilation: &'a [i64]) -> Regular<'a> {
    Regular { kernel, stride: Some(stride), padding, dilation, ceil_mode: false, count_include_pad: true }
}

/// Maxima and averages of 2-d windows by nested loops over the padded plane.
fn naive(x: &[f64], size: [usize; 2], o: &Regular, out: [usize; 2]) -> (Vec<f64>, Vec<f64>) {
    let at = |v: &[i64], a: usize| v[if v.len() == 1 { 0 } else { a }];
    let (mut maxima, mut means) = (Vec::new(), Vec::new());
    for i in 0..out[0] as i64 {
        for j in 0..out[1] as i64 {
            let (mut best, mut sum) = (f64::NEG_INFINITY, 0.0);
            for a in 0..at(o.kernel, 0) {
                for b in 0..at(o.kernel, 1) {
                    let r = i * at(o.stride.unwrap(), 0) - at(o.padding, 0) + a * at(o.dilation, 0);
                    let c = j * at(o.stride.unwrap(), 1) - at(o.padding, 1) + b * at(o.dilation, 1);
                    if (0..size[0] as i64).contains(&r) && (0..size[1] as i64).contains(&c) {
                        let v = x[r as usize * size[1] + c as usize];
                        best = f64::max(best, v);
                        sum += v;
                    }
                }
            }
            maxima.push(best);
            means.push(sum / (at(o.kernel, 0) * at(o.kernel, 1)) as f64);
        }
    }
    (maxima, means)
}

#[test]
fn pools_agree_with_nested_loops() {
    for (size, kernel, stride, padding, dilation) in [
        ([6, 7], &[2, 2], &[2, 2], &[0, 0], &[1, 1]),
        ([7, 9], &[3, 2], &[2, 1], &[1, 1], &[1, 1]),
        ([9, 8], &[3, 3], &[1, 2], &[1, 1], &[2, 1]),
    ] {
        let x = tensor(&[2, 3, size[0], size[1]]);
        let o = options(kernel, stride, padding, dilation);
        let [y, places] = max_pool(2, &x, &o).unwrap();
        let out = [y.shape()[2], y.shape()[3]];
        let (all, y, places) = (values(&x), values(&y), places.slice::<i64>().unwrap().to_vec());
        let area = out[0] * out[1];
        let mean = (dilation == &[1, 1]).then(|| values(&avg_pool(2, &x, &o, None).unwrap()));
        for (plane, x) in all.chunks(size[0] * size[1]).enumerate() {
            let (maxima, means) = naive(x, size, &o, out);
            assert_eq!(y[plane * area..][..area], maxima);
            for (k, &place) in places[plane * area..][..area].iter().enumerate() {
                assert_eq!(x[place as usize], maxima[k]);
            }
            for (k, mean) in mean.iter().flat_map(|m| m[plane * area..][..area].iter()).enumerate() {
                assert!((mean - means[k]).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn gradients_are_right_to_the_second_order() {
    let x = tensor(&[2, 2, 5, 6]);
    let o = options(&[3, 2], &[2, 1], &[1, 0], &[1, 1]);
    assert_gradients(&[&x], |x| max_pool(2, &x[0], &o)?[0].square());
    assert_gradients(&[&x], |x| avg_pool(2, &x[0], &o, None)?.square());
    assert_gradients(&[&x], |x| {
        avg_pool(2, &x[0], &Regular { count_include_pad: false, ceil_mode: true, ..o }, None)?.square()
    });
    assert_gradients(&[&x], |x| avg_pool(2, &x[0], &o, Some(-3))?.square());
    assert_gradients(&[&x], |x| adaptive_max_pool(2, &x[0], &[Some(2), None])?[0].square());
    assert_gradients(&[&x], |x| adaptive_avg_pool(2, &x[0], &[Some(3), Some(4)])?.square());
    let line = tensor(&[3, 7]);
    assert_gradients(&[&line], |x| max_pool(1, &x[0], &options(&[3], &[2], &[1], &[1]))?[0].square());
    let volume = tensor(&[1, 2, 3, 4, 4]);
    assert_gradients(&[&volume], |x| avg_pool(3, &x[0], &options(&[2], &[1], &[1], &[1]), None)?.square());
}

#[test]
fn an_average_divides_by_what_it_is_told_to() {
    let x = Tensor::from_slice(&[1.0, 2.0, 3.0], &[1, 1, 3]).unwrap();
    let o = options(&[2], &[2], &[1], &[1]);
    assert_eq!(values(&avg_pool(1, &x, &o, None).unwrap()), [0.5, 2.5]);
    let clipped = Regular { count_include_pad: false, ..o };
    assert_eq!(values(&avg_pool(1, &x, &clipped, None).unwrap()), [1.0, 2.5]);
    let rounded = Regular { padding: &[0], ceil_mode: true, ..o };
    assert_eq!(values(&avg_pool(1, &x, &rounded, None).unwrap()), [1.5, 3.0]);
    assert_eq!(values(&avg_pool(1, &x, &rounded, Some(4)).unwrap()), [0.75, 0.75]);
    assert!(avg_pool(1, &x, &o, Some(0)).is_err());
}

#[test]
fn nan_wins_and_infinities_are_ordinary() {
    let x = Tensor::from_slice(&[1.0, f64::NAN, 9.0, f64::NEG_INFINITY, f64::NEG_INFINITY, 2.0], &[1, 6]).unwrap();
    let [y, places] = max_pool(1, &x, &options(&[2], &[2], &[0], &[1])).unwrap();
    let y = values(&y);
    assert!(y[0].is_nan() && y[1..] == [9.0, 2.0]);
    assert_eq!(places.slice::<i64>().unwrap(), &[1, 2, 5]);
    let low = Tensor::from_slice(&[f64::NEG_INFINITY; 2], &[1, 2]).unwrap();
    assert_eq!(max_pool(1, &low, &options(&[2], &[2], &[0], &[1])).unwrap()[1].slice::<i64>().unwrap(), &[0]);
}

#[test]
fn wrong_arguments_are_errors_that_name_the_op() {
    let x = tensor(&[1, 1, 4, 4]);
    let fails = |o: Regular| max_pool(2, &x, &o).unwrap_err().to_string();
    assert!(fails(options(&[2], &[1], &[2], &[1])).starts_with("max_pool2d: expected padding"));
    assert!(fails(options(&[5], &[1], &[0], &[1])).contains("does not fit"));
    assert!(fails(options(&[2], &[0], &[0], &[1])).contains("stride"));
    assert!(fails(options(&[1, 2, 3], &[1], &[0], &[1])).contains("kernel_size"));
    assert!(max_pool(2, &tensor(&[4, 4]), &options(&[2], &[1], &[0], &[1])).is_err());
    assert!(adaptive_avg_pool(2, &tensor(&[1, 1, 0, 4]), &[Some(1)]).is_err());
    let none = max_pool(2, &tensor(&[0, 1, 4, 4]), &options(&[2], &[2], &[0], &[1])).unwrap();
    assert_eq!(none[0].shape(), &[0, 1, 2, 2]);
}
