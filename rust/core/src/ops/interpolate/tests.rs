use super::*;
use crate::autograd::gradcheck::assert_gradients;

fn tensor(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    Tensor::from_slice(&(0..n).map(|i| (i as f64 * 1.3).sin()).collect::<Vec<_>>(), shape).unwrap()
}

fn line(values: &[f64]) -> Tensor {
    Tensor::from_slice(values, &[1, 1, values.len()]).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{got:?} is not {want:?}");
    assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} is not {want:?}");
}

fn to<'a>(size: &'a [i64], mode: &'a str, align_corners: bool) -> Options<'a> {
    Options { size: Some(size), scale_factor: None, mode, align_corners, recompute_scale_factor: false }
}

fn by<'a>(factor: &'a [f64], mode: &'a str) -> Options<'a> {
    Options { size: None, scale_factor: Some(factor), mode, align_corners: false, recompute_scale_factor: false }
}

#[test]
fn lines_are_resampled_as_worked_out_by_hand() {
    let x = line(&[1.0, 2.0, 4.0]);
    let result = |o: Options| values(&interpolate(&x, &o).unwrap());
    close(&result(to(&[5], "nearest", false)), &[1.0, 1.0, 2.0, 2.0, 4.0]);
    close(&result(to(&[2], "nearest-exact", false)), &[1.0, 4.0]);
    close(&result(to(&[6], "linear", false)), &[1.0, 1.25, 1.75, 2.5, 3.5, 4.0]);
    close(&result(to(&[5], "linear", true)), &[1.0, 1.5, 2.0, 3.0, 4.0]);
    close(&result(by(&[2.0], "linear")), &[1.0, 1.25, 1.75, 2.5, 3.5, 4.0]);
    // 3 * 1.5 = 4.5 samples become 4, one every 2/3 of an input sample.
    close(&result(by(&[1.5], "nearest")), &[1.0, 1.0, 2.0, 4.0]);
    let recomputed = Options { recompute_scale_factor: true, ..by(&[1.5], "nearest") };
    close(&result(recomputed), &[1.0, 1.0, 2.0, 4.0]);
    close(&result(to(&[3], "linear", false)), &[1.0, 2.0, 4.0]);
    close(&result(to(&[1], "area", false)), &[7.0 / 3.0]);
}

#[test]
fn cubic_weights_reproduce_samples_and_constants() {
    let x = tensor(&[1, 1, 5, 4]);
    close(&values(&interpolate(&x, &to(&[5, 4], "bicubic", false)).unwrap()), &values(&x));
    let corners = values(&interpolate(&x, &to(&[9, 7], "bicubic", true)).unwrap());
    let x = values(&x);
    close(&[corners[0], corners[2], corners[14]], &[x[0], x[1], x[4]]);
    let ones = Tensor::from_slice(&[1.0; 20], &[1, 1, 5, 4]).unwrap();
    close(&values(&interpolate(&ones, &to(&[7, 9], "bicubic", false)).unwrap()), &[1.0; 63]);
    // Halfway between samples the kernel weighs -3/32, 19/32, 19/32, -3/32.
    let step = Tensor::from_slice(&[0.0, 0.0, 1.0, 1.0].repeat(4), &[1, 1, 4, 4]).unwrap();
    let y = values(&interpolate(&step, &to(&[2, 2], "bicubic", false)).unwrap());
    close(&y[..2], &[-3.0 / 32.0, 35.0 / 32.0]);
}

#[test]
fn gradients_are_right_to_the_second_order() {
    let x = tensor(&[2, 1, 4, 3]);
    for (mode, corners) in
        [("nearest", false), ("bilinear", false), ("bilinear", true), ("bicubic", false), ("area", false)]
    {
        assert_gradients(&[&x], |t| interpolate(&t[0], &to(&[3, 5], mode, corners))?.square());
    }
    let volume = tensor(&[1, 2, 2, 3, 2]);
    assert_gradients(&[&volume], |t| interpolate(&t[0], &by(&[1.5, 2.0, 0.5], "trilinear"))?.square());
}

#[test]
fn wrong_arguments_are_errors() {
    let x = tensor(&[1, 1, 4, 4]);
    for o in [
        to(&[0], "nearest", false),
        to(&[-1], "nearest", false),
        to(&[1, 2, 3], "nearest", false),
        to(&[2], "linear", false),
        to(&[2], "sinc", false),
        to(&[2], "nearest", true),
        to(&[i64::MAX], "nearest", false),
        by(&[0.0], "nearest"),
        by(&[f64::NAN], "nearest"),
        by(&[f64::INFINITY], "nearest"),
        by(&[0.1], "nearest"),
        Options { size: None, ..to(&[2], "nearest", false) },
        Options { size: Some(&[2]), ..by(&[2.0], "nearest") },
    ] {
        assert!(interpolate(&x, &o).unwrap_err().to_string().contains("interpolate"), "{o:?}");
    }
    assert!(interpolate(&tensor(&[4, 4]), &to(&[2], "nearest", false)).is_err());
    assert!(interpolate(&tensor(&[1, 1, 0]), &to(&[2], "nearest", false)).is_err());
}
