use super::*;
use crate::autograd::gradcheck::assert_gradients;

fn tensor(shape: &[usize], phase: f64) -> Tensor {
    let n: usize = shape.iter().product();
    let data: Vec<f64> = (0..n).map(|i| (i as f64 * 1.3 + phase).sin()).collect();
    Tensor::from_slice(&data, shape).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() < 1e-10, "element {i}: {g} is not {w}");
    }
}

fn options<'a>(stride: &'a [i64], padding: &'a [i64], dilation: &'a [i64], groups: i64) -> Options<'a> {
    Options { stride, padding: Padding::Each(padding), dilation, groups }
}

/// A 2-d convolution by nested loops; `pad` in front, zeros wherever the image ends.
fn naive(
    x: &Tensor,
    w: &Tensor,
    out: [usize; 2],
    stride: [usize; 2],
    pad: [usize; 2],
    dil: [usize; 2],
    groups: usize,
) -> Vec<f64> {
    let (xs, ws) = (x.shape().to_vec(), w.shape().to_vec());
    let (x, w) = (values(x), values(w));
    let mut y = Vec::new();
    for n in 0..xs[0] {
        for o in 0..ws[0] {
            let group = o / (ws[0] / groups);
            for i in 0..out[0] {
                for j in 0..out[1] {
                    let mut sum = 0.0;
                    for c in 0..ws[1] {
                        for a in 0..ws[2] {
                            for b in 0..ws[3] {
                                let r = (i * stride[0] + a * dil[0]) as i64 - pad[0] as i64;
                                let s = (j * stride[1] + b * dil[1]) as i64 - pad[1] as i64;
                                if (0..xs[2] as i64).contains(&r) && (0..xs[3] as i64).contains(&s) {
                                    let pixel =
                                        ((n * xs[1] + group * ws[1] + c) * xs[2] + r as usize) * xs[3] + s as usize;
                                    sum += x[pixel] * w[((o * ws[1] + c) * ws[2] + a) * ws[3] + b];
                                }
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

#[test]
fn convolutions_agree_with_nested_loops() {
    // Image, weight, stride, padding, dilation, groups: plain, pointwise, strided, dilated, grouped, depthwise, large.
    let cases: [([usize; 4], [usize; 4], [i64; 2], [i64; 2], [i64; 2], i64); 9] = [
        ([2, 3, 6, 7], [4, 3, 3, 2], [1, 1], [0, 0], [1, 1], 1),
        ([2, 5, 4, 4], [3, 5, 1, 1], [1, 1], [0, 0], [1, 1], 1),
        ([2, 5, 4, 4], [3, 5, 1, 1], [2, 2], [0, 0], [1, 1], 1),
        ([1, 2, 7, 8], [3, 2, 3, 3], [2, 3], [1, 2], [1, 1], 1),
        ([2, 2, 9, 9], [2, 2, 3, 3], [1, 2], [2, 0], [2, 3], 1),
        ([2, 4, 5, 5], [6, 2, 3, 3], [1, 1], [1, 1], [1, 1], 2),
        ([2, 4, 6, 6], [8, 1, 3, 3], [1, 1], [1, 1], [1, 1], 4),
        ([1, 3, 7, 9], [3, 1, 3, 3], [2, 2], [1, 1], [1, 1], 3),
        ([1, 40, 40, 40], [64, 40, 3, 3], [1, 1], [1, 1], [1, 1], 1),
    ];
    for (image, weight, stride, padding, dilation, groups) in cases {
        let (x, w) = (tensor(&image, 0.0), tensor(&weight, 1.0));
        let y = conv(2, &x, &w, None, &options(&stride, &padding, &dilation, groups)).unwrap();
        let (out, u) = ([y.shape()[2], y.shape()[3]], |v: [i64; 2]| v.map(|v| v as usize));
        close(&values(&y), &naive(&x, &w, out, u(stride), u(padding), u(dilation), groups as usize));
    }
}

#[test]
fn gradients_are_right_to_the_second_order() {
    let x = tensor(&[2, 4, 5, 6], 0.0);
    let bias = tensor(&[4], 2.0);
    for (weight, stride, padding, dilation, groups) in [
        ([4, 4, 3, 2], [2, 1], [1, 1], [1, 2], 1),
        ([4, 2, 2, 3], [1, 2], [0, 2], [1, 1], 2),
        ([4, 1, 3, 3], [2, 2], [1, 1], [1, 1], 4),
        ([4, 4, 1, 1], [1, 1], [0, 0], [1, 1], 1),
    ] {
        let w = tensor(&weight, 1.0);
        let o = options(&stride, &padding, &dilation, groups);
        assert_gradients(&[&x, &w, &bias], |t| conv(2, &t[0], &t[1], Some(&t[2]), &o));
    }
    let same = Options { stride: &[1], padding: Padding::Same, dilation: &[1], groups: 1 };
    let (line, w) = (tensor(&[2, 2, 6], 0.0), tensor(&[3, 2, 4], 1.0));
    assert_gradients(&[&line, &w], |t| conv(1, &t[0], &t[1], None, &same));
    let (volume, w) = (tensor(&[1, 2, 3, 4, 4], 0.0), tensor(&[2, 2, 2, 2, 3], 1.0));
    assert_gradients(&[&volume, &w], |t| conv(3, &t[0], &t[1], None, &options(&[1], &[1], &[1], 1)));
}

#[test]
fn a_transposed_convolution_is_the_gradient_of_a_convolution() {
    let (stride, padding, dilation) = ([2i64, 3], [1i64, 0], [1i64, 2]);
    let image = tensor(&[2, 4, 8, 11], 0.0).leaf().unwrap();
    let w = tensor(&[6, 2, 3, 2], 1.0);
    let o = options(&stride, &padding, &dilation, 2);
    let y = conv(2, &image, &w, None, &o).unwrap();
    let dy = tensor(y.shape(), 3.0);
    let want = crate::autograd::gradients(&[(y, dy.clone())], &[image.clone()], Default::default()).unwrap();
    let got = conv_transpose(2, &dy, &w, None, &o, &[1, 2]).unwrap();
    assert_eq!(got.shape(), image.shape());
    close(&values(&got), &values(want[0].as_ref().unwrap()));
}

#[test]
fn transposed_gradients_are_right_to_the_second_order() {
    let (x, w, bias) = (tensor(&[2, 4, 3, 4], 0.0), tensor(&[4, 3, 3, 2], 1.0), tensor(&[6], 2.0));
    let o = options(&[2, 1], &[1, 0], &[1, 2], 2);
    assert_gradients(&[&x, &w, &bias], |t| conv_transpose(2, &t[0], &t[1], Some(&t[2]), &o, &[1, 0]));
    let (line, w) = (tensor(&[3, 5], 0.0), tensor(&[3, 1, 4], 1.0));
    assert_gradients(&[&line, &w], |t| conv_transpose(1, &t[0], &t[1], None, &options(&[2], &[1], &[1], 3), &[0]));
}

#[test]
fn same_padding_keeps_the_size_and_puts_the_odd_zero_behind() {
    let (x, w) = (tensor(&[1, 1, 5], 0.0), Tensor::from_slice(&[1.0, 10.0, 100.0, 1000.0], &[1, 1, 4]).unwrap());
    let y =
        conv(1, &x, &w, None, &Options { stride: &[1], padding: Padding::Same, dilation: &[1], groups: 1 }).unwrap();
    let (x, y) = (values(&x), values(&y));
    assert_eq!(y.len(), 5);
    assert!((y[0] - (10.0 * x[0] + 100.0 * x[1] + 1000.0 * x[2])).abs() < 1e-12);
}

#[test]
fn unbatched_half_and_empty_batches_work() {
    let (x, w) = (tensor(&[2, 5, 5], 0.0), tensor(&[3, 2, 3, 3], 1.0));
    let o = options(&[1], &[0], &[1], 1);
    assert_eq!(conv(2, &x, &w, None, &o).unwrap().shape(), &[3, 3, 3]);
    let half = |t: &Tensor| cast::astype(t, crate::DType::F16).unwrap();
    let y = conv(2, &half(&x), &half(&w), None, &o).unwrap();
    assert_eq!(y.dtype(), crate::DType::F16);
    assert_eq!(conv(2, &tensor(&[0, 2, 5, 5], 0.0), &w, None, &o).unwrap().shape(), &[0, 3, 3, 3]);
}

#[test]
fn threads_do_not_change_the_bits() {
    use crate::cpu::pool;
    let (x, w) = (tensor(&[5, 8, 12, 12], 0.0), tensor(&[16, 8, 3, 3], 1.0));
    let threads = pool::num_threads();
    let results = [1, 3].map(|n| {
        pool::set_num_threads(n).unwrap();
        let (x, w) = (x.leaf().unwrap(), w.leaf().unwrap());
        let y = conv(2, &x, &w, None, &options(&[1], &[1], &[1], 1)).unwrap();
        let dy = tensor(y.shape(), 3.0);
        let grads = crate::autograd::gradients(&[(y.clone(), dy)], &[x, w], Default::default()).unwrap();
        (values(&y), grads.iter().flatten().map(values).collect::<Vec<_>>())
    });
    pool::set_num_threads(threads).unwrap();
    assert_eq!(results[0], results[1]);
}

#[test]
fn wrong_arguments_are_errors_that_name_the_op() {
    let (x, w) = (tensor(&[1, 4, 5, 5], 0.0), tensor(&[6, 4, 3, 3], 1.0));
    let fails = |o: Options| conv(2, &x, &w, None, &o).unwrap_err().to_string();
    assert!(fails(options(&[0], &[0], &[1], 1)).starts_with("conv2d: expected stride"));
    assert!(fails(options(&[1], &[0], &[0], 1)).contains("dilation"));
    assert!(fails(options(&[1], &[-1], &[1], 1)).contains("padding"));
    assert!(fails(options(&[1], &[0], &[1], 3)).contains("groups"));
    assert!(fails(options(&[1], &[0], &[1], 2)).contains("channels a group"));
    assert!(fails(options(&[1], &[0], &[1], 0)).contains("group"));
    assert!(fails(options(&[1], &[0], &[4], 1)).contains("does not fit"));
    assert!(fails(options(&[1], &[0], &[i64::MAX], 1)).contains("dilation"));
    assert!(conv(2, &tensor(&[1, 4, 0, 5], 0.0), &w, None, &options(&[1], &[9], &[1], 1)).is_err());
    assert!(conv(2, &x, &w, Some(&tensor(&[5], 0.0)), &options(&[1], &[0], &[1], 1)).is_err());
    assert!(
        conv(2, &x, &w, None, &Options { stride: &[2], padding: Padding::Same, dilation: &[1], groups: 1 }).is_err()
    );
    let huge = options(&[1], &[i32::MAX as i64], &[1], 1);
    assert!(conv(2, &x, &w, None, &huge).is_err());
    assert!(conv_transpose(2, &tensor(&[1, 6, 3, 3], 0.0), &w, None, &options(&[2], &[0], &[1], 1), &[2]).is_err());
    assert!(conv_transpose(2, &tensor(&[1, 6, 1, 1], 0.0), &w, None, &options(&[1], &[9], &[1], 1), &[0]).is_err());
}
