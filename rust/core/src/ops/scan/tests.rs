use super::*;
use crate::autograd::gradcheck::assert_gradients;

fn wave(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    let data: Vec<f64> = (0..n).map(|i| ((i * 37 % 101) as f64 - 50.0) / 30.0).collect();
    Tensor::from_slice(&data, shape).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

#[test]
fn running_sums_agree_with_loops_on_every_axis() {
    for shape in [&[4, 5, 3][..], &[2, 300, 2], &[1, 3, 400], &[0, 3, 2], &[3, 0, 2]] {
        let x = wave(shape);
        for axis in 0..3 {
            let y = cumulative_sum(&x, Some(axis as i64), None, true).unwrap();
            let (n, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
            assert_eq!(y.shape()[axis], n + 1);
            let (x, y) = (values(&x), values(&y));
            for (i, &got) in y.iter().enumerate() {
                let (o, t, j) = (i / inner / (n + 1), i / inner % (n + 1), i % inner);
                let want: f64 = (0..t).map(|t| x[(o * n + t) * inner + j]).sum();
                assert!((got - want).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn extrema_run_and_know_their_places() {
    let x = Tensor::from_slice(&[1.0, 3.0, 3.0, 2.0, f64::NAN, 9.0], &[6]).unwrap();
    let (top, at) = cummax(&x, 0).unwrap();
    assert_eq!(values(&top)[..4], [1.0, 3.0, 3.0, 3.0]);
    assert!(values(&top)[4].is_nan() && values(&top)[5].is_nan());
    assert_eq!(at.slice::<i64>().unwrap(), &[0, 1, 2, 2, 4, 4]);
    assert_eq!(cummin(&x, -1).unwrap().1.slice::<i64>().unwrap(), &[0, 0, 0, 0, 4, 4]);
}

#[test]
fn differences_of_neighbours() {
    let x = Tensor::from_slice(&[1i64, 4, 9, 16], &[4]).unwrap();
    let of = |n, before: Option<&Tensor>| diff(&x, 0, n, before, None).unwrap();
    assert_eq!(copy::contiguous(&of(2, None)).unwrap().slice::<i64>().unwrap(), &[2, 2]);
    assert_eq!(of(1, Some(&x)).shape(), &[7]);
    assert_eq!(of(i64::MAX, None).shape(), &[0]);
    assert!(diff(&x, 0, -1, None, None).is_err());
    let truths = Tensor::from_slice(&[true, true, false], &[3]).unwrap();
    assert_eq!(diff(&truths, 0, 1, None, None).unwrap().slice::<bool>().unwrap(), &[false, true]);
}

#[test]
fn types_follow_the_standard() {
    let x = Tensor::from_slice(&[200u8, 100], &[2]).unwrap();
    assert_eq!(cumulative_sum(&x, None, None, false).unwrap().slice::<u64>().unwrap(), &[200, 300]);
    let narrow = cumulative_sum(&x, None, Some(DType::U8), false).unwrap();
    assert_eq!(narrow.slice::<u8>().unwrap(), &[200, 44]);
    assert!(cumulative_prod(&wave(&[2, 2]), None, None, false).is_err());
}

#[test]
fn gradients_agree_with_differences() {
    let x = wave(&[3, 4]);
    let zeros = Tensor::from_slice(&[0.5, 0.0, 2.0, -1.5, 0.0, 1.0], &[2, 3]).unwrap();
    for axis in [0, 1] {
        assert_gradients(&[&x], |x| cumulative_sum(&x[0], Some(axis), None, true));
        assert_gradients(&[&zeros], |x| cumulative_prod(&x[0], Some(axis), None, axis == 0));
        assert_gradients(&[&x], |x| Ok(cummax(&x[0], axis)?.0));
        assert_gradients(&[&x, &wave(&[4])], |x| recurrence(&x[0], &x[1], axis));
        assert_gradients(&[&x], |x| diff(&x[0], axis, 2, None, None));
    }
}
