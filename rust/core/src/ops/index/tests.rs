use super::*;
use crate::autograd::gradcheck::assert_gradients;
use Index::{Ellipsis, Int, Mask, NewAxis, Slice};

fn range(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    Tensor::from_slice(&(0..n as i64).collect::<Vec<_>>(), shape).unwrap()
}

fn wave(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    let data: Vec<f64> = (0..n).map(|i| ((i * 37 % 101) as f64 - 50.0) / 30.0).collect();
    Tensor::from_slice(&data, shape).unwrap()
}

fn ints(x: &Tensor) -> Vec<i64> {
    copy::contiguous(x).unwrap().slice::<i64>().unwrap().to_vec()
}

fn list(data: &[i64]) -> Index {
    Index::Tensor(Tensor::from_slice(data, &[data.len()]).unwrap())
}

fn mask(data: &[bool], shape: &[usize]) -> Index {
    Mask(Tensor::from_slice(data, shape).unwrap())
}

fn slice(start: i64, stop: i64, step: i64) -> Index {
    Slice { start: Some(start), stop: Some(stop), step: Some(step) }
}

const ALL: Index = Slice { start: None, stop: None, step: None };

fn get(x: &Tensor, index: &[Index]) -> (Vec<usize>, Vec<i64>) {
    let y = getitem(x, index).unwrap();
    (y.shape().to_vec(), ints(&y))
}

#[test]
fn basic_indices_follow_numpy() {
    let x = range(&[2, 3, 4]);
    assert_eq!(get(&x, &[Int(-1), slice(0, 3, 2), Int(1)]), (vec![2], vec![13, 21]));
    assert_eq!(get(&x, &[Ellipsis, Int(0)]), (vec![2, 3], vec![0, 4, 8, 12, 16, 20]));
    assert_eq!(get(&x, &[NewAxis, Int(0), Ellipsis, NewAxis, Int(0)]).0, [1, 3, 1]);
    assert_eq!(get(&x, &[Int(0), Int(0), slice(-1, -9, -2)]), (vec![2], vec![3, 1]));
    assert_eq!(get(&x, &[]).0, [2, 3, 4]);
}

#[test]
fn index_tensors_follow_numpy() {
    let x = range(&[2, 3, 4]);
    assert_eq!(get(&x, &[ALL, list(&[2, 0]), Int(1)]), (vec![2, 2], vec![9, 1, 21, 13]));
    assert_eq!(get(&x, &[list(&[0, 1]), ALL, list(&[3, 0])]), (vec![2, 3], vec![3, 7, 11, 12, 16, 20]));
    assert_eq!(get(&x, &[Int(1), ALL, list(&[3, 0])]), (vec![2, 3], vec![15, 19, 23, 12, 16, 20]));
    assert_eq!(get(&x, &[Int(1), list(&[-1, 0])]).1[..2], [20, 21]);
    let column = Index::Tensor(Tensor::from_slice(&[0i64, 1], &[2, 1]).unwrap());
    assert_eq!(get(&x, &[column.clone(), list(&[0, 2, 1]), Int(0)]), (vec![2, 3], vec![0, 8, 4, 12, 20, 16]));
    assert_eq!(get(&x, &[ALL, NewAxis, column]).0, [2, 1, 2, 1, 4]);
    assert_eq!(get(&x, &[list(&[])]).0, [0, 3, 4]);
}

#[test]
fn masks_follow_numpy() {
    let x = range(&[2, 3]);
    let some = [true, false, true, false, false, true];
    assert_eq!(get(&x, &[mask(&some, &[2, 3])]), (vec![3], vec![0, 2, 5]));
    assert_eq!(get(&x, &[ALL, mask(&[true, false, true], &[3])]), (vec![2, 2], vec![0, 2, 3, 5]));
    assert_eq!(get(&x, &[mask(&[true, true], &[2]), list(&[2, 0])]), (vec![2], vec![2, 3]));
    assert_eq!(get(&x, &[mask(&[true], &[])]).0, [1, 2, 3]);
    assert_eq!(get(&x, &[mask(&[false], &[])]).0, [0, 2, 3]);
    assert_eq!(get(&x, &[mask(&[], &[2, 0])]).0, [0]);
    assert!(matches!(getitem(&x, &[mask(&[true; 3], &[3])]), Err(Error::Index(_))));
}

#[test]
fn indices_out_of_range_are_index_errors() {
    let x = range(&[2, 3]);
    for bad in [Int(2), Int(-3), Int(i64::MIN), Int(i64::MAX), list(&[0, 2]), list(&[i64::MIN]), list(&[-3])] {
        assert!(matches!(getitem(&x, &[bad.clone()]), Err(Error::Index(_))), "{bad:?}");
        assert!(matches!(setitem(&x, &[bad], &range(&[])), Err(Error::Index(_))));
    }
    for bad in [vec![Int(0), Int(0), Int(0)], vec![Ellipsis, Ellipsis], vec![list(&[0, 1]), list(&[0, 1, 2])]] {
        assert!(matches!(getitem(&x, &bad), Err(Error::Index(_))));
    }
    let message = getitem(&x, &[Int(0), list(&[1, 7])]).unwrap_err().to_string();
    assert_eq!(message, "getitem: index 7 is out of bounds for axis 1 with size 3");
    assert!(matches!(getitem(&x, &[Slice { start: None, stop: None, step: Some(0) }]), Err(Error::Value(_))));
}

#[test]
fn writing_gives_what_reading_finds() {
    let x = range(&[2, 3, 4]);
    let cases: [Vec<Index>; 8] = [
        vec![Int(1)],
        vec![ALL, slice(2, 0, -1), NewAxis],
        vec![list(&[1]), ALL, list(&[3, 0])],
        vec![Int(1), ALL, list(&[3, 0])],
        vec![ALL, list(&[2, 0]), slice(1, 3, 1)],
        vec![Ellipsis, mask(&[true, false, false, true], &[4])],
        vec![mask(&[true, false, true, false, false, true], &[2, 3])],
        vec![mask(&[true], &[]), Int(0)],
    ];
    for index in cases {
        let part = getitem(&x, &index).unwrap();
        let value = Tensor::from_slice(&(100..100 + part.numel() as i64).collect::<Vec<_>>(), part.shape()).unwrap();
        let shared = setitem(&x, &index, &value).unwrap();
        assert_eq!(ints(&getitem(&shared, &index).unwrap()), ints(&value), "{index:?}");
        assert_eq!(ints(&shared).iter().filter(|&&v| v < 100).count(), 24 - part.numel());
        let owned = copy::copied(&x).unwrap();
        let memory = owned.storage().pointer().unwrap();
        let owned = setitem_owned(owned, &index, &value).unwrap();
        assert_eq!(ints(&owned), ints(&shared));
        assert_eq!(owned.storage().pointer().unwrap(), memory, "written in place");
    }
    assert_eq!(ints(&x), (0..24).collect::<Vec<_>>());
    assert!(matches!(setitem(&x, &[Int(0)], &range(&[5])), Err(Error::Shape(_))));
    assert_eq!(ints(&setitem(&range(&[3]), &[list(&[1, 1])], &range(&[2])).unwrap()), [0, 1, 2]);
}

#[test]
fn elements_are_gathered_and_scattered_along_an_axis() {
    let x = range(&[3, 4]);
    let index = Tensor::from_slice(&[2i64, 0, -1, 1], &[2, 2]).unwrap();
    assert_eq!(ints(&gather(&x, 0, &index).unwrap()), [8, 1, 8, 5]);
    assert_eq!(ints(&gather(&x, 1, &index).unwrap()), [2, 0, 7, 5]);
    let ones = crate::ops::create::ones(&[2, 2], crate::DType::I64, crate::Device::Cpu).unwrap();
    let zeros = crate::ops::create::zeros(&[3, 2], crate::DType::I64, crate::Device::Cpu).unwrap();
    assert_eq!(ints(&scatter_add(&zeros, 0, &index, &ones).unwrap()), [0, 1, 0, 1, 2, 0]);
    assert_eq!(ints(&scatter(&zeros, 0, &index, &ones).unwrap()), [0, 1, 0, 1, 1, 0]);
    assert!(gather(&x, 0, &range(&[4, 4])).is_err() && gather(&x, 0, &range(&[5])).is_err());
    let column = Tensor::from_slice(&[3i64, 0, 1], &[3, 1]).unwrap();
    assert_eq!(ints(&take_along_axis(&x, &column, 1).unwrap()), [3, 4, 9]);
    assert_eq!(ints(&one_hot(&Tensor::from_slice(&[1i64, 0], &[2]).unwrap(), -1).unwrap()), [0, 1, 1, 0]);
    assert!(one_hot(&range(&[3]), 2).is_err() && one_hot(&range(&[0]), -1).is_err());
}

#[test]
fn rearrangements_follow_numpy() {
    let x = range(&[2, 2]);
    assert_eq!(ints(&repeat(&x, &Tensor::from_slice(&[2i64, 0], &[2]).unwrap(), Some(1)).unwrap()), [0, 0, 2, 2]);
    assert_eq!(ints(&repeat(&x, &Tensor::scalar(2i64).unwrap(), None).unwrap()), [0, 0, 1, 1, 2, 2, 3, 3]);
    assert_eq!(ints(&tile(&x, &[2, 1, 2]).unwrap())[..8], [0, 1, 0, 1, 2, 3, 2, 3]);
    assert_eq!(tile(&x, &[2, 1, 2]).unwrap().shape(), &[2, 2, 4]);
    assert_eq!(ints(&roll(&range(&[5]), &[-7], Some(&[0])).unwrap()), [2, 3, 4, 0, 1]);
    assert_eq!(ints(&roll(&x, &[1], None).unwrap()), [3, 0, 1, 2]);
    assert_eq!(ints(&roll(&x, &[1, 1], Some(&[0, 1])).unwrap()), [3, 2, 1, 0]);
    assert!(tile(&x, &[i64::MAX, i64::MAX]).is_err() && tile(&x, &[-1]).is_err());
    assert!(repeat(&x, &Tensor::scalar(i64::MAX).unwrap(), None).is_err());
}

#[test]
fn the_same_sums_on_any_number_of_threads() {
    let n = 100_000;
    let index: Vec<i64> = (0..n).map(|i| i * 7919 % 37).collect();
    let index = Tensor::from_slice(&index, &[n as usize]).unwrap();
    let source = cast::astype(&wave(&[n as usize]), crate::DType::F32).unwrap();
    let zeros = crate::ops::create::zeros(&[37], crate::DType::F32, crate::Device::Cpu).unwrap();
    let before = crate::cpu::pool::num_threads();
    let bits = |threads| {
        crate::cpu::pool::set_num_threads(threads).unwrap();
        let total = index_add(&zeros, 0, &index, &source).unwrap();
        total.slice::<f32>().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(bits(1), bits(4));
    crate::cpu::pool::set_num_threads(before).unwrap();
}

#[test]
fn gradients_agree_with_differences() {
    let (x, v) = (wave(&[3, 4]), wave(&[2, 4]));
    let twice = Tensor::from_slice(&[2i64, 2], &[2]).unwrap();
    let index = [list(&[2, 2])];
    assert_gradients(&[&x], |x| getitem(&x[0], &index));
    assert_gradients(&[&x], |x| getitem(&x[0], &[slice(2, 0, -1), NewAxis, list(&[1, 1, 0])]));
    assert_gradients(&[&x, &v], |x| setitem(&x[0], &index, &x[1]));
    assert_gradients(&[&x, &v], |x| setitem(&x[0], &[slice(0, 2, 1)], &x[1]));
    assert_gradients(&[&x, &v], |x| index_add(&x[0], 0, &twice, &x[1]));
    assert_gradients(&[&x], |x| embedding(&twice, &x[0], None));
    // What arrives after another gradient of the same table is added to it row by row.
    let tied = |x: &Tensor| crate::ops::join::concat(&[&embedding(&twice, x, None)?, &x.square()?], Some(0));
    assert_gradients(&[&x], |x| tied(&x[0]));
    let along = Tensor::from_slice(&[0i64, 2, 0, 1, 1, 1, 0, 2], &[2, 4]).unwrap();
    assert_gradients(&[&x], |x| gather(&x[0], 0, &along));
    assert_gradients(&[&x, &v], |x| scatter(&x[0], 0, &along, &x[1]));
    assert_gradients(&[&x, &v], |x| scatter_add(&x[0], 0, &along, &x[1]));
    assert_gradients(&[&x], |x| tile(&x[0], &[2, 1]));
    assert_gradients(&[&x], |x| roll(&x[0], &[1], Some(&[1])));
}

#[test]
fn the_padding_row_of_an_embedding_learns_nothing() {
    let weight = wave(&[3, 2]).leaf().unwrap();
    let input = Tensor::from_slice(&[0i64, 1, 1, 2], &[4]).unwrap();
    let y = embedding(&input, &weight, Some(-2)).unwrap();
    let seed = crate::ops::create::ones(&[4, 2], crate::DType::F64, crate::Device::Cpu).unwrap();
    crate::autograd::backward(&[(y, seed)], crate::autograd::Options::default()).unwrap();
    assert_eq!(weight.grad().unwrap().unwrap().slice::<f64>().unwrap(), &[1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    assert!(embedding(&input, &weight, Some(3)).is_err());
}
