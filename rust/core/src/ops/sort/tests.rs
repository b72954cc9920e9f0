use super::*;
use crate::autograd::gradcheck::assert_gradients;

fn ints(x: &Tensor) -> Vec<i64> {
    copy::contiguous(x).unwrap().slice::<i64>().unwrap().to_vec()
}

fn floats(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

#[test]
fn sorting_is_stable_and_nan_is_the_largest() {
    let x = Tensor::from_slice(&[3.0, f64::NAN, -0.0, 1.0, 0.0, 3.0], &[6]).unwrap();
    assert_eq!(ints(&argsort(&x, 0, false).unwrap()), [2, 4, 3, 0, 5, 1]);
    assert_eq!(ints(&argsort(&x, 0, true).unwrap()), [1, 0, 5, 3, 2, 4]);
    let y = Tensor::from_slice(&[i64::MIN, i64::MAX, -1, 0], &[2, 2]).unwrap();
    assert_eq!(ints(&sort(&y, 0, true).unwrap()), [-1, i64::MAX, i64::MIN, 0]);
    assert_eq!(ints(&sort(&Tensor::from_slice::<i64>(&[], &[2, 0]).unwrap(), 1, false).unwrap()), []);
}

#[test]
fn the_largest_elements_come_first() {
    let x = Tensor::from_slice(&[1.0, 7.0, f64::NAN, 7.0, -2.0, 0.0], &[2, 3]).unwrap();
    let (values, places) = topk(&x, 2, 1, true).unwrap();
    assert_eq!(ints(&places), [2, 1, 0, 2]);
    assert!(floats(&values)[0].is_nan() && floats(&values)[1..] == [7.0, 7.0, 0.0]);
    assert_eq!(ints(&topk(&x, 1, 0, false).unwrap().1), [0, 1, 1]);
    assert!(topk(&x, 4, 1, true).is_err() && topk(&x, -1, 1, true).is_err());
    assert_eq!(topk(&x, 0, 1, true).unwrap().0.shape(), &[2, 0]);
    assert_eq!(floats(&kthvalue(&x, 2, 1, false).unwrap().0), [7.0, 0.0]);
    assert!(kthvalue(&x, 0, 1, false).is_err());
}

#[test]
fn searching_finds_both_sides_of_equals() {
    let row = Tensor::from_slice(&[1.0f32, 2.0, 2.0, 5.0], &[4]).unwrap();
    let values = Tensor::from_slice(&[2.0f32, 0.0, 9.0, f32::NAN], &[2, 2]).unwrap();
    assert_eq!(ints(&searchsorted(&row, &values, "left", None).unwrap()), [1, 0, 4, 4]);
    assert_eq!(ints(&searchsorted(&row, &values, "right", None).unwrap()), [3, 0, 4, 4]);
    let mixed = Tensor::from_slice(&[5.0f32, 2.0, 1.0, 2.0], &[4]).unwrap();
    let sorter = argsort(&mixed, 0, false).unwrap();
    assert_eq!(ints(&searchsorted(&mixed, &values, "left", Some(&sorter)).unwrap()), [1, 0, 4, 4]);
    assert!(searchsorted(&values, &row, "left", None).is_err() && searchsorted(&row, &row, "up", None).is_err());
}

#[test]
fn unique_elements_know_where_they_were() {
    let x = Tensor::from_slice(&[2.0, f64::NAN, -1.0, 2.0, f64::NAN, -1.0], &[2, 3]).unwrap();
    let unique = unique_all(&x).unwrap();
    assert_eq!(floats(&unique.values)[..2], [-1.0, 2.0]);
    assert_eq!(ints(&unique.indices), [2, 0, 1, 4]);
    assert_eq!(ints(&unique.counts), [2, 2, 1, 1]);
    assert_eq!((unique.inverse_indices.shape(), ints(&unique.inverse_indices)), (&[2, 3][..], vec![1, 2, 0, 1, 3, 0]));
    let found = isin(&x, &Tensor::from_slice(&[2i64, 7], &[2]).unwrap(), true);
    assert_eq!(found.unwrap().slice::<bool>().unwrap(), &[false, true, true, false, true, true]);
}

#[test]
fn nonzero_gives_one_coordinate_an_axis() {
    let x = Tensor::from_slice(&[0.0, 1.0, f64::NAN, 0.0, -0.0, 2.0], &[3, 2]).unwrap();
    let places = nonzero(&x).unwrap();
    assert_eq!((ints(&places[0]), ints(&places[1])), (vec![0, 1, 2], vec![1, 0, 1]));
    assert!(nonzero(&Tensor::scalar(1.0).unwrap()).is_err());
    let x = Tensor::from_slice(&[3i64, 1, 3], &[3]).unwrap();
    assert_eq!(ints(&bincount(&x, None, 6).unwrap()), [0, 1, 0, 2, 0, 0]);
    assert!(bincount(&Tensor::from_slice(&[i64::MAX], &[1]).unwrap(), None, 0).is_err());
    assert!(bincount(&Tensor::from_slice(&[-1i64], &[1]).unwrap(), None, 0).is_err());
}

#[test]
fn gradients_agree_with_differences() {
    let x = Tensor::from_slice(&[0.3, -1.0, 2.0, 0.7, 5.0, -0.2], &[3, 2]).unwrap();
    for axis in [0, 1] {
        assert_gradients(&[&x], |x| sort(&x[0], axis, true));
        assert_gradients(&[&x], |x| Ok(topk(&x[0], 1, axis, true)?.0));
        assert_gradients(&[&x], |x| Ok(kthvalue(&x[0], 2, axis, true)?.0));
    }
    assert_gradients(&[&x], |x| Ok(unique_all(&x[0])?.values));
}
