use super::contract::Contracted;
use super::*;
use crate::autograd::gradcheck::{assert_gradients, random_tensor};
use crate::dtype::Complex64;
use crate::ops::copy;

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

fn naive(a: &Tensor, b: &Tensor) -> Vec<f64> {
    let (m, k, n) = (a.shape()[0], a.shape()[1], b.shape()[1]);
    let (a, b) = (values(a), values(b));
    let dot = |i: usize, j: usize| (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
    (0..m * n).map(|at| dot(at / n, at % n)).collect()
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12 * (1.0 + b.abs()))
}

#[test]
fn vectors_and_matrices_multiply_as_in_the_standard() {
    let (a, b) = (random_tensor(&[3, 4], 1), random_tensor(&[4, 2], 2));
    let (v, w) = (random_tensor(&[4], 3), random_tensor(&[3], 4));
    assert!(close(&values(&matmul(&a, &b).unwrap()), &naive(&a, &b)));
    for (x, y, shape) in [(&v, &b, &[2][..]), (&a, &v, &[3]), (&v, &v, &[]), (&w, &a, &[4])] {
        assert_eq!(matmul(x, y).unwrap().shape(), shape);
    }
    assert!(matmul(&a, &a).is_err());
    assert!(matmul(&v, &Tensor::scalar(1.0).unwrap()).is_err());
    let empty =
        matmul(&Tensor::from_slice::<f64>(&[], &[2, 0]).unwrap(), &Tensor::from_slice::<f64>(&[], &[0, 3]).unwrap());
    assert_eq!(values(&empty.unwrap()), [0.0; 6]);
}

#[test]
fn integers_promote_and_wrap() {
    let a = Tensor::from_slice(&[100u8, 200], &[1, 2]).unwrap();
    let b = Tensor::from_slice(&[2u8, 1], &[2, 1]).unwrap();
    assert_eq!(matmul(&a, &b).unwrap().slice::<u8>().unwrap(), &[144]);
    let c = Tensor::from_slice(&[-1i8, 1], &[2, 1]).unwrap();
    assert_eq!(matmul(&a, &c).unwrap().slice::<i16>().unwrap(), &[100]);
    let t = Tensor::from_slice(&[true], &[1, 1]).unwrap();
    assert!(matmul(&t, &t).is_err());
}

#[test]
fn gradients_agree_with_finite_differences() {
    let cases: [(&[usize], &[usize]); 7] = [
        (&[2, 3], &[3, 2]),
        (&[3], &[3]),
        (&[2, 2, 3], &[3, 2]),
        (&[3, 2], &[2, 2, 2]),
        (&[2, 1, 2, 3], &[3, 3, 1]),
        (&[3], &[2, 3, 2]),
        (&[2, 2, 3], &[3]),
    ];
    for (a, b) in cases {
        let inputs = [random_tensor(a, 5), random_tensor(b, 6)];
        assert_gradients(&[&inputs[0], &inputs[1]], |x| matmul(&x[0], &x[1]));
    }
    let (x, w, b) = (random_tensor(&[2, 3, 4], 5), random_tensor(&[5, 4], 6), random_tensor(&[5], 7));
    assert_gradients(&[&x, &w, &b], |x| linear(&x[0], &x[1], Some(&x[2])));
    assert_gradients(&[&x, &w], |x| linear(&x[0], &x[1], None));
}

#[test]
fn linear_is_a_product_plus_bias() {
    let (w, b) = (random_tensor(&[5, 4], 6), random_tensor(&[5], 7));
    for shape in [&[4][..], &[3, 4], &[2, 3, 4], &[0, 4]] {
        let x = random_tensor(shape, 8);
        let want = matmul(&x, &movement::matrix_transpose(&w).unwrap()).unwrap().add(&b).unwrap();
        let got = linear(&x, &w, Some(&b)).unwrap();
        assert_eq!(got.shape(), want.shape());
        assert!(close(&values(&got), &values(&want)));
    }
    assert!(linear(&b, &w, None).is_err());
    assert!(linear(&random_tensor(&[4], 1), &w, Some(&random_tensor(&[4], 1))).is_err());
}

#[test]
fn contractions_agree_with_matrix_products() {
    let (a, b) = (random_tensor(&[2, 3, 4], 1), random_tensor(&[4, 3, 5], 2));
    let got = tensordot(&a, &b, Contracted::Pairs(&[1, 2], &[1, 0])).unwrap();
    let flat = movement::reshape(&movement::permute(&a, &[0, 2, 1]).unwrap(), &[2, 12]).unwrap();
    assert!(close(&values(&got), &naive(&flat, &movement::reshape(&b, &[12, 5]).unwrap())));
    assert_eq!(tensordot(&a, &b, Contracted::Count(0)).unwrap().shape(), &[2, 3, 4, 4, 3, 5]);
    assert!(tensordot(&a, &b, Contracted::Count(2)).is_err());
    assert!(tensordot(&a, &b, Contracted::Count(-1)).is_err());
    let x = random_tensor(&[3, 1, 4], 3);
    assert_eq!(vecdot(&x, &random_tensor(&[2, 4], 4), -1).unwrap().shape(), &[3, 2]);
    assert!(vecdot(&x, &a, 0).is_err());
    let z = Tensor::from_slice(&[Complex64::new(1.0, 2.0), Complex64::new(0.0, -1.0)], &[2]).unwrap();
    assert_eq!(vecdot(&z, &z, -1).unwrap().slice::<Complex64>().unwrap(), &[Complex64::new(6.0, 0.0)]);
    let (u, v) = (random_tensor(&[3], 5), random_tensor(&[2], 6));
    let columns = movement::reshape(&u, &[3, 1]).unwrap();
    assert!(close(&values(&outer(&u, &v).unwrap()), &naive(&columns, &movement::reshape(&v, &[1, 2]).unwrap())));
}
