use super::*;
use crate::autograd::gradcheck::random_tensor;
use crate::device::Device;
use crate::dtype::DType;
use crate::dtype::{Complex32, Complex64};

fn complex(x: &Tensor) -> Vec<Complex64> {
    copy::contiguous(&cast::astype(x, DType::C128).unwrap()).unwrap().slice::<Complex64>().unwrap().to_vec()
}

fn signal(n: usize, seed: u64) -> Vec<Complex64> {
    let (re, im) = (complex(&random_tensor(&[n], seed)), complex(&random_tensor(&[n], seed + 1)));
    re.iter().zip(&im).map(|(re, im)| Complex64::new(re.re, im.re)).collect()
}

/// The definition, on a signal padded or trimmed to `n`.
fn naive(x: &[Complex64], n: usize, sign: f64) -> Vec<Complex64> {
    let turn = |i: usize| Complex64::from_polar(1.0, sign * 2.0 * std::f64::consts::PI * (i % n) as f64 / n as f64);
    (0..n).map(|k| x.iter().take(n).enumerate().map(|(j, x)| x * turn(j * k)).sum()).collect()
}

fn assert_close(got: &[Complex64], want: &[Complex64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).for_each(|(a, b)| assert!((a - b).norm() <= tolerance * (1.0 + b.norm()), "{a} is not {b}"));
}

#[test]
fn transforms_agree_with_the_definition() {
    for (len, n) in [(1, 1), (2, 2), (7, 7), (16, 16), (12, 5), (5, 12), (97, 97), (60, 61)] {
        let x = signal(len, 3);
        let t = Tensor::from_slice(&x, &[len]).unwrap();
        let size = Some(n as i64);
        assert_close(&complex(&fft(&t, size, 0, Norm::Backward).unwrap()), &naive(&x, n, -1.0), 1e-12);
        let inverse: Vec<Complex64> = naive(&x, n, 1.0).iter().map(|v| v / n as f64).collect();
        assert_close(&complex(&ifft(&t, size, -1, Norm::Backward).unwrap()), &inverse, 1e-12);
        let unitary: Vec<Complex64> = naive(&x, n, -1.0).iter().map(|v| v / (n as f64).sqrt()).collect();
        assert_close(&complex(&fft(&t, size, 0, Norm::Ortho).unwrap()), &unitary, 1e-12);
        let real: Vec<Complex64> = x.iter().map(|v| Complex64::new(v.re, 0.0)).collect();
        let r = random_tensor(&[len], 3);
        let half = rfft(&r, size, 0, Norm::Backward).unwrap();
        assert_close(&complex(&half), &naive(&real, n, -1.0)[..n / 2 + 1], 1e-12);
        let padded: Vec<Complex64> = (0..n).map(|i| real.get(i).copied().unwrap_or_default()).collect();
        assert_close(&complex(&irfft(&half, size, 0, Norm::Backward).unwrap()), &padded, 1e-12);
        let back = hfft(&ihfft(&r, size, 0, Norm::Backward).unwrap(), size, 0, Norm::Backward).unwrap();
        assert_close(&complex(&back), &padded, 1e-12);
        let single: Vec<Complex32> = x.iter().map(|c| Complex32::new(c.re as f32, c.im as f32)).collect();
        let single = fft(&Tensor::from_slice(&single, &[len]).unwrap(), size, 0, Norm::Backward).unwrap();
        assert_eq!(single.dtype(), DType::C64);
        assert_close(&complex(&single), &naive(&x, n, -1.0), 1e-5);
    }
}

#[test]
fn several_axes_are_transformed_one_after_the_other() {
    let x = random_tensor(&[3, 4, 5], 1);
    let all = fftn(&x, None, None, Norm::Backward).unwrap();
    let mut one = cast::astype(&x, DType::C128).unwrap();
    for axis in 0..3 {
        one = fft(&one, None, axis, Norm::Backward).unwrap();
    }
    assert_close(&complex(&all), &complex(&one), 1e-12);
    assert_close(&complex(&ifftn(&all, None, None, Norm::Backward).unwrap()), &complex(&x), 1e-12);
    let half = rfftn(&x, None, None, Norm::Ortho).unwrap();
    assert_eq!(half.shape(), &[3, 4, 3]);
    let back = irfftn(&half, Some(&[-1, 4, 5]), Some(&[0, 1, 2]), Norm::Ortho).unwrap();
    assert_close(&complex(&back), &complex(&x), 1e-12);
}

#[test]
fn bad_arguments_are_errors() {
    let x = random_tensor(&[3, 4], 1);
    for n in [0, -1, i64::MIN] {
        assert!(fft(&x, Some(n), 0, Norm::Backward).is_err());
    }
    assert!(fft(&x, None, 2, Norm::Backward).is_err());
    assert!(fft(&Tensor::scalar(1.0).unwrap(), None, -1, Norm::Backward).is_err());
    assert!(irfft(&random_tensor(&[1], 1), None, 0, Norm::Backward).is_err());
    assert!(fftn(&x, Some(&[2]), None, Norm::Backward).is_err());
    assert!(fftn(&x, Some(&[2]), Some(&[0, 1]), Norm::Backward).is_err());
    assert!(rfft(&cast::astype(&x, DType::C128).unwrap(), None, 0, Norm::Backward).is_err());
    assert!(fft(&Tensor::scalar(1i64).unwrap(), None, 0, Norm::Backward).is_err());
    assert!(Norm::from_name("fft", "no").is_err());
    let empty = Tensor::from_slice::<f32>(&[], &[0, 4]).unwrap();
    assert_eq!(fft(&empty, None, 1, Norm::Backward).unwrap().shape(), &[0, 4]);
    assert!(fft(&empty, None, 0, Norm::Backward).is_err());
}

#[test]
fn frequencies_and_shifts_follow_the_standard() {
    let values = |x: &Tensor| complex(x).iter().map(|c| c.re).collect::<Vec<f64>>();
    let even = fftfreq(4, 0.5, DType::F64, Device::Cpu).unwrap();
    assert_eq!(values(&even), [0.0, 0.5, -1.0, -0.5]);
    assert_eq!(values(&fftfreq(5, 0.2, DType::F64, Device::Cpu).unwrap()), [0.0, 1.0, 2.0, -2.0, -1.0]);
    assert_eq!(values(&rfftfreq(5, 0.2, DType::F32, Device::Cpu).unwrap()), [0.0, 1.0, 2.0]);
    assert_eq!(values(&fftshift(&even, None).unwrap()), [-1.0, -0.5, 0.0, 0.5]);
    let x = random_tensor(&[3, 4], 1);
    assert_eq!(values(&ifftshift(&fftshift(&x, None).unwrap(), None).unwrap()), values(&x));
    assert!(fftfreq(0, 1.0, DType::F32, Device::Cpu).is_err());
    assert!(fftfreq(4, 1.0, DType::I64, Device::Cpu).is_err());
}
