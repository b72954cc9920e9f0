use super::*;
use crate::cpu::pool;
use crate::scalar::ScalarElement;

fn place(dtype: DType) -> Place {
    Place { dtype, device: Device::Cpu, stream: Stream { seed: 7, stream: 3 } }
}

/// Mean and variance.
fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64)
}

fn wide(x: &Tensor) -> Vec<f64> {
    let read = || -> Result<Vec<f64>> {
        dispatch!(x.dtype(), "test", [real], T => Ok(x.slice::<T>()?.iter().map(|v| v.to_scalar().to_f64()).collect()))
    };
    read().unwrap()
}

#[test]
fn laws_have_their_moments() {
    for dtype in [DType::F32, DType::F64, DType::F16] {
        let p = place(dtype);
        let (mean, variance) = moments(&wide(&uniform(&[100_003], -1.0, 3.0, p).unwrap()));
        assert!((mean - 1.0).abs() < 0.02 && (variance - 16.0 / 12.0).abs() < 0.02, "{dtype} {mean} {variance}");
        let (mean, variance) = moments(&wide(&normal(&[100_003], 0.5, 2.0, p).unwrap()));
        assert!((mean - 0.5).abs() < 0.03 && (variance - 4.0).abs() < 0.06, "{dtype} {mean} {variance}");
        let (mean, variance) = moments(&wide(&exponential(&[100_003], 2.0, p).unwrap()));
        assert!((mean - 0.5).abs() < 0.01 && (variance - 0.25).abs() < 0.02, "{dtype} {mean} {variance}");
        let cut = wide(&truncated_normal(&[100_003], 0.0, 1.0, -2.0, 2.0, p).unwrap());
        let (mean, variance) = moments(&cut);
        assert!(mean.abs() < 0.02 && (variance - 0.774).abs() < 0.02, "{dtype} {mean} {variance}");
        assert!(cut.iter().all(|x| x.abs() <= 2.0));
    }
}

#[test]
fn neighbours_are_not_correlated() {
    let x = wide(&normal(&[1 << 16], 0.0, 1.0, place(DType::F32)).unwrap());
    for lag in [1, 15, 16, 17, 32, 64] {
        let product = x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum::<f64>() / x.len() as f64;
        assert!(product.abs() < 0.02, "lag {lag}: {product}");
    }
}

#[test]
fn uniform_never_reaches_its_open_end() {
    for dtype in [DType::F16, DType::BF16, DType::F32] {
        for (low, high) in [(0.0, 1.0), (-1.0, 0.0), (0.0, 70_000.0), (3.0, 3.0)] {
            let x = wide(&uniform(&[50_000], low, high, place(dtype)).unwrap());
            assert!(x.iter().all(|&x| x >= low && (x < high || low == high)), "{dtype} {low} {high}");
        }
    }
    assert!(uniform(&[1], 1.0, 0.0, place(DType::F32)).is_err());
    assert!(uniform(&[1], 0.0, 1.0, place(DType::I32)).is_err());
    assert!(normal(&[1], 0.0, f64::NAN, place(DType::F32)).is_err());
}

#[test]
fn draws_do_not_depend_on_the_number_of_threads_or_on_the_length() {
    let threads = pool::num_threads();
    pool::set_num_threads(1).unwrap();
    let alone = wide(&normal(&[70_001], 0.0, 1.0, place(DType::F32)).unwrap());
    pool::set_num_threads(3).unwrap();
    let together = wide(&normal(&[70_001], 0.0, 1.0, place(DType::F32)).unwrap());
    pool::set_num_threads(threads).unwrap();
    assert_eq!(alone, together);
    assert_eq!(wide(&normal(&[33], 0.0, 1.0, place(DType::F32)).unwrap()), alone[..33]);
}

#[test]
fn integers_cover_their_range_evenly() {
    for dtype in [DType::I8, DType::U64, DType::F32] {
        let x = wide(&randint(&[60_000], 2, 8, place(dtype)).unwrap());
        for value in 2..8 {
            let count = x.iter().filter(|&&x| x == value as f64).count();
            assert!((count as f64 - 10_000.0).abs() < 500.0, "{dtype} {value}: {count}");
        }
    }
    let all = randint(&[4], 0, 1 << 64, place(DType::U64)).unwrap();
    assert!(all.slice::<u64>().unwrap().iter().any(|&x| x > 1 << 60));
    let edge = randint(&[100], i64::MIN as i128, i64::MIN as i128 + 1, place(DType::I64)).unwrap();
    assert!(edge.slice::<i64>().unwrap().iter().all(|&x| x == i64::MIN));
    assert!(randint(&[1], 0, 300, place(DType::U8)).is_err());
    assert!(randint(&[1], 3, 3, place(DType::U8)).is_err());
}

#[test]
fn a_permutation_holds_every_number_once() {
    let order = randperm(1000, place(DType::I64)).unwrap();
    let mut seen = order.slice::<i64>().unwrap().to_vec();
    assert!(seen.iter().enumerate().any(|(i, &v)| i as i64 != v));
    seen.sort();
    assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    assert_eq!(randperm(0, place(DType::I64)).unwrap().numel(), 0);
    assert!(randperm(300, place(DType::U8)).is_err());
}

#[test]
fn bernoulli_draws_with_each_probability() {
    let p = Tensor::from_slice(&[[0.0f32, 1.0, 0.25, 0.5]; 5000].concat(), &[5000, 4]).unwrap();
    let drawn = wide(&bernoulli(&p, place(DType::F32).stream).unwrap());
    let sums: Vec<f64> = (0..4).map(|k| drawn.iter().skip(k).step_by(4).sum()).collect();
    assert_eq!((sums[0], sums[1]), (0.0, 5000.0));
    assert!((sums[2] - 1250.0).abs() < 150.0 && (sums[3] - 2500.0).abs() < 150.0);
    for bad in [-0.1f32, 1.1, f32::NAN] {
        assert!(bernoulli(&Tensor::from_slice(&[0.5, bad], &[2]).unwrap(), place(DType::F32).stream).is_err());
    }
}
