use super::*;
use crate::autograd::gradcheck::{assert_gradients, random_tensor};

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(&cast::astype(x, DType::F64).unwrap()).unwrap().slice::<f64>().unwrap().to_vec()
}

fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= tolerance * (1.0 + b.abs()) || a == b || a.is_nan() && b.is_nan();
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| near(a, b))
}

#[test]
fn rows_agree_with_the_definition() {
    for n in [1, 3, 16, 33, 1000] {
        let x = random_tensor(&[4, n], 1).mul_scalar(5.0).unwrap();
        let rows: Vec<Vec<f64>> = values(&x).chunks(n).map(|row| row.iter().map(|x| x.exp()).collect()).collect();
        let sums: Vec<f64> = rows.iter().map(|row| row.iter().sum()).collect();
        let want: Vec<f64> = rows.iter().zip(&sums).flat_map(|(row, sum)| row.iter().map(move |e| e / sum)).collect();
        let logs: Vec<f64> = want.iter().map(|p| p.ln()).collect();
        for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-6), (DType::BF16, 2e-2), (DType::F16, 4e-3)] {
            let x = cast::astype(&x, dtype).unwrap();
            assert_eq!(softmax(&x, -1, None).unwrap().dtype(), dtype);
            assert!(close(&values(&softmax(&x, -1, None).unwrap()), &want, tolerance), "{dtype} {n}");
            assert!(close(&values(&log_softmax(&x, 1, None).unwrap()), &logs, 3.0 * tolerance), "{dtype} {n}");
            let sums: Vec<f64> = sums.iter().map(|s| s.ln()).collect();
            assert!(close(&values(&logsumexp(&x, Some(&[1]), false).unwrap()), &sums, tolerance), "{dtype} {n}");
        }
    }
}

#[test]
fn extreme_rows_are_exact() {
    let inf = f32::INFINITY;
    let rows = |data: &[f32]| Tensor::from_slice(data, &[data.len() / 2, 2]).unwrap();
    let x = rows(&[1e4, -1e4, 1e4, 1e4, -inf, 0.0, -1e4, -1e4]);
    assert_eq!(values(&softmax(&x, -1, None).unwrap()), [1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 0.5, 0.5]);
    let ln2 = std::f32::consts::LN_2 as f64;
    let want = [0.0, -2e4, -ln2, -ln2, -f64::INFINITY, 0.0, -ln2, -ln2];
    assert!(close(&values(&log_softmax(&x, -1, None).unwrap()), &want, 1e-6));
    let x = rows(&[-inf, -inf, inf, 0.0, 1e4, -inf, f32::NAN, 1.0]);
    assert!(close(
        &values(&logsumexp(&x, Some(&[-1]), false).unwrap()),
        &[f64::NEG_INFINITY, f64::INFINITY, 1e4, f64::NAN],
        1e-6
    ));
    assert!(values(&softmax(&x, -1, None).unwrap())[..4].iter().all(|v| v.is_nan()));
}

#[test]
fn axes_and_empty_shapes() {
    let x = random_tensor(&[2, 3, 4], 2);
    let y = softmax(&x, 1, None).unwrap();
    assert_eq!(y.shape(), x.shape());
    assert!(close(&values(&reduce::sum_to(&y, &[2, 1, 4]).unwrap()), &[1.0; 8], 1e-12));
    assert_eq!(logsumexp(&x, None, true).unwrap().shape(), &[1, 1, 1]);
    assert_eq!(logsumexp(&x, Some(&[0, 2]), false).unwrap().shape(), &[3]);
    assert_eq!(values(&softmax(&Tensor::scalar(3.0).unwrap(), 0, None).unwrap()), [1.0]);
    let empty = Tensor::from_slice::<f64>(&[], &[3, 0]).unwrap();
    assert_eq!(softmax(&empty, 1, None).unwrap().shape(), &[3, 0]);
    assert_eq!(values(&logsumexp(&empty, Some(&[1]), false).unwrap()), [f64::NEG_INFINITY; 3]);
    assert!(softmax(&x, 3, None).is_err());
    assert!(softmax(&Tensor::scalar(1i64).unwrap(), 0, None).is_err());
}

#[test]
fn gradients_agree_with_finite_differences() {
    let x = random_tensor(&[2, 5, 3], 3);
    for axis in [0, 1, -1] {
        assert_gradients(&[&x], |x| softmax(&x[0], axis, None));
        assert_gradients(&[&x], |x| log_softmax(&x[0], axis, None));
        assert_gradients(&[&x], |x| logsumexp(&x[0], Some(&[axis]), false));
    }
    for create_graph in [false, true] {
        let lost = Tensor::from_slice(&[f64::NEG_INFINITY; 2], &[1, 2]).unwrap().leaf().unwrap();
        let y = logsumexp(&lost, Some(&[1]), false).unwrap();
        let options = autograd::Options { create_graph, ..Default::default() };
        let seed = Tensor::from_slice(&[1.0], &[1]).unwrap();
        let dx = autograd::gradients(&[(y, seed)], &[lost], options).unwrap();
        assert_eq!(values(dx[0].as_ref().unwrap()), [0.0, 0.0]);
    }
}
