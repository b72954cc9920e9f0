use super::*;
use crate::autograd::gradcheck::{assert_first_order, assert_gradients, random_tensor};
use crate::dtype::{Complex32, Complex64};
use crate::ops::cast;

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(&cast::astype(x, DType::F64).unwrap()).unwrap().slice::<f64>().unwrap().to_vec()
}

fn assert_close(a: &Tensor, b: &Tensor, tolerance: f64) {
    assert_eq!(a.shape(), b.shape());
    let wide = |x: &Tensor| {
        let x = copy::contiguous(&cast::astype(x, DType::C128).unwrap()).unwrap();
        x.slice::<Complex64>().unwrap().to_vec()
    };
    for (a, b) in wide(a).iter().zip(wide(b)) {
        assert!((a - b).norm() <= tolerance * (1.0 + b.norm()), "{a} is not {b}");
    }
}

/// Random matrices of every type a decomposition runs in, with the tolerance fit for it.
fn of_every_type(shape: &[usize], seed: u64) -> [(Tensor, f64); 4] {
    let x = random_tensor(shape, seed);
    let (re, im) = (values(&x), values(&random_tensor(shape, seed + 100)));
    let wide: Vec<Complex64> = re.iter().zip(&im).map(|(&re, &im)| Complex64::new(re, im)).collect();
    let single: Vec<Complex32> = wide.iter().map(|c| Complex32::new(c.re as f32, c.im as f32)).collect();
    [
        (cast::astype(&x, DType::F32).unwrap(), 2e-4),
        (x, 1e-10),
        (Tensor::from_slice(&single, shape).unwrap(), 2e-4),
        (Tensor::from_slice(&wide, shape).unwrap(), 1e-10),
    ]
}

/// The conjugate transpose, by hand.
fn adjoint(x: &Tensor) -> Tensor {
    let t = copy::contiguous(&transposed(x).unwrap()).unwrap();
    match x.dtype() {
        DType::C64 => {
            let data: Vec<Complex32> = t.slice::<Complex32>().unwrap().iter().map(|c| c.conj()).collect();
            Tensor::from_slice(&data, t.shape()).unwrap()
        }
        DType::C128 => {
            let data: Vec<Complex64> = t.slice::<Complex64>().unwrap().iter().map(|c| c.conj()).collect();
            Tensor::from_slice(&data, t.shape()).unwrap()
        }
        _ => t,
    }
}

fn eye_like(x: &Tensor, n: usize) -> Tensor {
    movement::broadcast_to(&identity(x, n).unwrap(), &batched(x, &[n, n])).unwrap()
}

fn positive(x: &Tensor) -> Tensor {
    matmul(x, &adjoint(x)).unwrap().add(&identity(x, x.shape()[x.rank() - 1]).unwrap()).unwrap()
}

#[test]
fn inverses_and_solutions_satisfy_their_equations() {
    for (x, tolerance) in of_every_type(&[2, 4, 4], 1) {
        assert_close(&matmul(&x, &inv(&x).unwrap()).unwrap(), &eye_like(&x, 4), tolerance);
        let b = cast::astype(&random_tensor(&[4, 3], 5), x.dtype()).unwrap();
        let solved = solve(&x, &b).unwrap();
        assert_close(&matmul(&x, &solved).unwrap(), &movement::broadcast_to(&b, &[2, 4, 3]).unwrap(), tolerance);
        let v = cast::astype(&random_tensor(&[4], 6), x.dtype()).unwrap();
        assert_eq!(solve(&x, &v).unwrap().shape(), &[2, 4]);
    }
    let singular = Tensor::from_slice(&[1.0, 2.0, 2.0, 4.0], &[2, 2]).unwrap();
    assert!(inv(&singular).is_err());
    assert!(solve(&singular, &singular).is_err());
    assert!(inv(&random_tensor(&[2, 3], 1)).is_err());
    assert!(inv(&Tensor::scalar(1.0).unwrap()).is_err());
    let lost = Tensor::from_slice(&[f64::NAN, 0.0, 0.0, 1.0], &[2, 2]).unwrap();
    assert!(values(&inv(&lost).unwrap()).iter().all(|v| v.is_nan()));
}

#[test]
fn determinants_agree_with_their_definition() {
    let x = Tensor::from_slice(&[0.0, 2.0, 1.0, 1.0, 1.0, 0.0, 3.0, 0.0, 1.0], &[3, 3]).unwrap();
    assert!((values(&det(&x).unwrap())[0] + 5.0).abs() < 1e-12);
    let (sign, log) = slogdet(&x).unwrap();
    assert!(values(&sign) == [-1.0] && (values(&log)[0] - 5f64.ln()).abs() < 1e-12);
    let singular = Tensor::from_slice(&[1.0, 2.0, 2.0, 4.0], &[2, 2]).unwrap();
    assert_eq!(values(&det(&singular).unwrap()), [0.0]);
    assert_eq!(values(&slogdet(&singular).unwrap().1), [f64::NEG_INFINITY]);
    let zeros = create::zeros(&[3, 3], DType::F32, singular.device()).unwrap();
    assert_eq!(values(&det(&zeros).unwrap()), [0.0]);
    let empty = create::zeros(&[2, 0, 0], DType::F64, singular.device()).unwrap();
    assert_eq!(values(&det(&empty).unwrap()), [1.0, 1.0]);
    for (x, tolerance) in of_every_type(&[5, 5], 2) {
        let (sign, log) = slogdet(&x).unwrap();
        let magnitude = cast::astype(&log.exp().unwrap(), x.dtype()).unwrap();
        assert_close(&sign.multiply(&magnitude).unwrap(), &det(&x).unwrap(), tolerance);
    }
}

#[test]
fn decompositions_give_back_the_matrix() {
    for (x, tolerance) in of_every_type(&[2, 4, 4], 3) {
        let a = positive(&x);
        let l = cholesky(&a, false).unwrap();
        assert_close(&matmul(&l, &adjoint(&l)).unwrap(), &a, tolerance);
        assert_close(&cholesky(&a, true).unwrap(), &adjoint(&l), tolerance);
        let (w, v) = eigh(&a).unwrap();
        let scaled = v.multiply(&cast::astype(&movement::expand_dims(&w, &[-2]).unwrap(), v.dtype()).unwrap()).unwrap();
        assert_close(&matmul(&scaled, &adjoint(&v)).unwrap(), &a, tolerance);
        assert_close(&eigvalsh(&a).unwrap(), &w, tolerance);
        let (w, v) = eig(&x).unwrap();
        let right = v.multiply(&movement::expand_dims(&w, &[-2]).unwrap()).unwrap();
        assert_close(&matmul(&cast::astype(&x, v.dtype()).unwrap(), &v).unwrap(), &right, tolerance);
    }
    for shape in [[5, 3], [3, 5], [4, 4], [0, 3], [3, 0]] {
        for (x, tolerance) in of_every_type(&[2, shape[0], shape[1]], 4) {
            for mode in [QrMode::Reduced, QrMode::Complete] {
                let (q, r) = qr(&x, mode).unwrap();
                assert_close(&matmul(&q, &r).unwrap(), &x, tolerance);
                assert_close(&matmul(&adjoint(&q), &q).unwrap(), &eye_like(&x, q.shape()[2]), tolerance);
                assert_close(&create::triu(&r, 0).unwrap(), &r, 0.0);
            }
            for full in [false, true] {
                let (u, s, vh) = svd(&x, full).unwrap();
                let k = s.shape()[1];
                let s = cast::astype(&movement::expand_dims(&s, &[-2]).unwrap(), x.dtype()).unwrap();
                let left = movement::narrow(&u, 2, 0, k).unwrap().multiply(&s).unwrap();
                assert_close(&matmul(&left, &movement::narrow(&vh, 1, 0, k).unwrap()).unwrap(), &x, tolerance);
                assert_close(&matmul(&adjoint(&u), &u).unwrap(), &eye_like(&x, u.shape()[2]), tolerance);
                assert_close(&matmul(&vh, &adjoint(&vh)).unwrap(), &eye_like(&x, vh.shape()[1]), tolerance);
            }
            let p = pinv(&x, None).unwrap();
            assert_close(&matmul(&matmul(&x, &p).unwrap(), &x).unwrap(), &x, tolerance);
            let rank = matrix_rank(&x, None).unwrap();
            assert_eq!(values(&rank), [shape[0].min(shape[1]) as f64; 2]);
        }
    }
}

#[test]
fn bad_operands_are_errors() {
    let lost = Tensor::from_slice(&[f64::NAN, 0.0, 0.0, f64::INFINITY], &[2, 2]).unwrap();
    assert!(svd(&lost, true).is_err() && svdvals(&lost).is_err() && pinv(&lost, None).is_err());
    assert!(eigh(&lost).is_err() && eigvalsh(&lost).is_err() && eig(&lost).is_err());
    assert!(
        cholesky(&lost, false).is_err()
            && cholesky(&random_tensor(&[3, 3], 1).mul_scalar(-1.0).unwrap(), false).is_err()
    );
    assert!(values(&qr(&lost, QrMode::Reduced).unwrap().0).iter().all(|v| v.is_nan()));
    let integers = Tensor::from_slice(&[1i64, 0, 0, 1], &[2, 2]).unwrap();
    assert!(
        inv(&integers).is_err() && svd(&integers, true).is_err() && vector_norm(&integers, None, false, 2.0).is_err()
    );
    assert!(matrix_norm(&lost, false, MatrixNorm::Order(3.0)).is_err());
    assert!(cross(&random_tensor(&[2], 1), &random_tensor(&[3], 1), -1).is_err());
}

#[test]
fn norms_survive_extreme_magnitudes() {
    for scale in [1.0, 1e200, 1e-200, 5e-324] {
        let x = Tensor::from_slice(&[3.0 * scale, 4.0 * scale], &[2]).unwrap();
        assert!(
            (values(&vector_norm(&x, None, false, 2.0).unwrap())[0] / (5.0 * scale) - 1.0).abs() < 1e-12,
            "{scale}"
        );
    }
    let x = Tensor::from_slice(&[3e30f32, -4e30], &[2]).unwrap();
    assert_eq!(values(&vector_norm(&x, None, true, 2.0).unwrap()), [5e30f32 as f64]);
    let x = Tensor::from_slice(&[1.0, -2.0, 0.0], &[3]).unwrap();
    for (ord, want) in
        [(1.0, 3.0), (0.0, 2.0), (f64::INFINITY, 2.0), (f64::NEG_INFINITY, 0.0), (3.0, 9f64.cbrt()), (-1.0, 0.0)]
    {
        assert!((values(&vector_norm(&x, None, false, ord).unwrap())[0] - want).abs() < 1e-12, "{ord}");
    }
    let x = Tensor::from_slice(&[1.0, -2.0, 3.0, 4.0], &[2, 2]).unwrap();
    let of = |ord| values(&matrix_norm(&x, false, MatrixNorm::Order(ord)).unwrap())[0];
    assert_eq!((of(1.0), of(-1.0), of(f64::INFINITY), of(f64::NEG_INFINITY)), (6.0, 4.0, 7.0, 3.0));
    assert!((of(2.0) * of(-2.0) - 10.0).abs() < 1e-12);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (x, tall, wide) = (random_tensor(&[2, 3, 3], 1), random_tensor(&[4, 3], 2), random_tensor(&[2, 4], 3));
    let b = random_tensor(&[2, 3, 2], 4);
    let spread = |x: &Tensor| positive(x).add(&diagonal_matrix(&Tensor::from_slice(&[0.0, 2.0, 5.0], &[3])?)?);
    assert_gradients(&[&x], |x| inv(&x[0]));
    assert_gradients(&[&x, &b], |x| solve(&x[0], &x[1]));
    assert_gradients(&[&x], |x| det(&x[0]));
    assert_gradients(&[&x], |x| Ok(slogdet(&x[0])?.1));
    assert_gradients(&[&x], |x| cholesky(&spread(&x[0])?, false));
    assert_first_order(&[&x], &|x: &[Tensor]| cholesky(&spread(&x[0])?, true));
    assert_gradients(&[&x], |x| eigvalsh(&spread(&x[0])?));
    assert_first_order(&[&x], &|x: &[Tensor]| Ok(eigh(&spread(&x[0])?)?.1));
    for x in [&x, &tall, &wide] {
        assert_first_order(&[x], &|x: &[Tensor]| Ok(qr(&x[0], QrMode::Reduced)?.0));
        assert_first_order(&[x], &|x: &[Tensor]| Ok(qr(&x[0], QrMode::Reduced)?.1));
        assert_first_order(&[x], &|x: &[Tensor]| Ok(svd(&x[0], false)?.0));
        assert_first_order(&[x], &|x: &[Tensor]| Ok(svd(&x[0], true)?.1));
        assert_first_order(&[x], &|x: &[Tensor]| Ok(svd(&x[0], false)?.2));
        assert_gradients(&[x], |x| pinv(&x[0], None));
        for ord in [1.0, 2.0, 3.0, f64::INFINITY] {
            assert_first_order(&[x], &|x: &[Tensor]| vector_norm(&x[0], Some(&[-1]), true, ord));
        }
        for norm in [MatrixNorm::Frobenius, MatrixNorm::Nuclear, MatrixNorm::Order(2.0), MatrixNorm::Order(-1.0)] {
            assert_first_order(&[x], &|x: &[Tensor]| matrix_norm(&x[0], false, norm));
        }
        assert_first_order(&[x], &|x: &[Tensor]| trace(&x[0], 1, None));
    }
    assert_gradients(&[&x], |x| matrix_power(&x[0], 3));
    assert_gradients(&[&x], |x| matrix_power(&x[0], -2));
    assert_gradients(&[&x, &b], |x| cross(&transposed(&x[0])?, &movement::narrow(&x[1], 2, 0, 1)?, -2));
    let singular = Tensor::from_slice(&[1.0, 2.0, 2.0, 4.0], &[2, 2]).unwrap();
    assert_first_order(&[&singular], &|x: &[Tensor]| det(&x[0]));
}

#[test]
fn the_norm_of_zero_has_gradient_zero() {
    let x = create::zeros(&[3], DType::F64, crate::Device::Cpu).unwrap().leaf().unwrap();
    let y = vector_norm(&x, None, false, 2.0).unwrap();
    let grads = crate::autograd::gradients(&[(y, Tensor::scalar(1.0).unwrap())], &[x], Default::default()).unwrap();
    assert_eq!(values(grads[0].as_ref().unwrap()), [0.0; 3]);
}

/// Elements whose squares overflow or vanish: decompositions scale with the matrix.
#[test]
fn decompositions_reach_the_ends_of_the_range() {
    let x = symmetric(&random_tensor(&[4, 4], 31)).unwrap();
    for power in [1000.0f64, 120.0, -120.0, -1000.0] {
        let scale = Tensor::scalar(power.exp2()).unwrap();
        let scaled = x.multiply(&scale).unwrap();
        assert_close(&svdvals(&scaled).unwrap().divide(&scale).unwrap(), &svdvals(&x).unwrap(), 1e-12);
        assert_close(&eigvalsh(&scaled).unwrap().divide(&scale).unwrap(), &eigvalsh(&x).unwrap(), 1e-12);
        assert_close(&eigh(&scaled).unwrap().0.divide(&scale).unwrap(), &eigh(&x).unwrap().0, 1e-12);
        assert_close(
            &qr(&scaled, QrMode::Reduced).unwrap().1.divide(&scale).unwrap(),
            &qr(&x, QrMode::Reduced).unwrap().1,
            1e-12,
        );
        assert_close(&pinv(&scaled, None).unwrap().multiply(&scale).unwrap(), &pinv(&x, None).unwrap(), 1e-10);
        assert!(values(&eig(&scaled).unwrap().0.abs().unwrap()).iter().all(|v| v.is_finite() && *v > 0.0));
    }
}
