use super::*;
use crate::autograd::gradcheck::assert_gradients;

fn stream() -> Stream {
    Stream { seed: 11, stream: 4 }
}

fn ones(shape: &[usize]) -> Tensor {
    create::ones(shape, DType::F64, crate::Device::Cpu).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

#[test]
fn kept_elements_are_scaled_and_the_rate_is_right() {
    let y = values(&dropout(&ones(&[100, 500]), 0.3, stream()).unwrap());
    let dropped = y.iter().filter(|&&y| y == 0.0).count();
    assert!((dropped as f64 / 50_000.0 - 0.3).abs() < 0.01);
    assert!(y.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.7).abs() < 1e-15));
}

#[test]
fn backward_draws_the_same_mask_and_differentiates_again() {
    let x = Tensor::from_slice(&(0..90).map(|i| i as f64 * 0.1 - 4.0).collect::<Vec<_>>(), &[2, 3, 15]).unwrap();
    assert_gradients(&[&x], |x| dropout(&x[0], 0.4, stream())?.square());
    assert_gradients(&[&x], |x| feature_dropout(&x[0], 1, 0.4, stream())?.square());
    assert_gradients(&[&x], |x| alpha_dropout(&x[0], 0.4, stream())?.square());
}

#[test]
fn everything_or_nothing_is_dropped_at_the_ends() {
    let x = Tensor::from_slice(&[f64::NAN, f64::INFINITY, 1.0], &[3]).unwrap();
    assert_eq!(values(&dropout(&x, 1.0, stream()).unwrap()), [0.0; 3]);
    assert_eq!(values(&dropout(&x, 0.0, stream()).unwrap())[1..], [f64::INFINITY, 1.0]);
    assert_eq!(values(&alpha_dropout(&x, 1.0, stream()).unwrap()), [0.0; 3]);
    for p in [-0.1, 1.1, f64::NAN] {
        assert!(dropout(&x, p, stream()).is_err());
    }
}

#[test]
fn feature_dropout_drops_whole_channels() {
    let y = values(&feature_dropout(&ones(&[8, 16, 5, 5]), 2, 0.5, stream()).unwrap());
    let channels: Vec<f64> = y.chunks(25).map(|c| c.iter().sum()).collect();
    assert!(channels.iter().all(|&sum| sum == 0.0 || sum == 50.0));
    assert!(channels.contains(&0.0) && channels.contains(&50.0));
    assert!(feature_dropout(&ones(&[8, 5]), 2, 0.5, stream()).is_err());
}

#[test]
fn alpha_dropout_keeps_mean_and_variance() {
    let place = super::super::random::Place {
        dtype: DType::F64,
        device: crate::Device::Cpu,
        stream: Stream { seed: 1, stream: 9 },
    };
    let x = super::super::random::normal(&[100_000], 0.0, 1.0, place).unwrap();
    let y = values(&alpha_dropout(&x, 0.2, stream()).unwrap());
    let mean = y.iter().sum::<f64>() / 1e5;
    let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 1e5;
    assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
}

#[test]
fn halves_and_strided_inputs_work() {
    let x = cast::astype(&ones(&[64, 64]), DType::BF16).unwrap();
    let y = dropout(&super::super::movement::matrix_transpose(&x).unwrap(), 0.5, stream()).unwrap();
    let sum: f64 = values(&cast::astype(&y, DType::F64).unwrap()).iter().sum();
    assert_eq!(y.dtype(), DType::BF16);
    assert!((sum / 4096.0 - 1.0).abs() < 0.1);
}
