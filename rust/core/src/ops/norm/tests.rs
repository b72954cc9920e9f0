use super::*;
use crate::autograd::gradcheck::{assert_gradients, random_tensor};
use crate::ops::copy;

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(&cast::astype(x, DType::F64).unwrap()).unwrap().slice::<f64>().unwrap().to_vec()
}

fn close(got: &Tensor, want: &[f64], tolerance: f64) -> bool {
    let got = values(got);
    got.len() == want.len() && got.iter().zip(want).all(|(a, b)| (a - b).abs() <= tolerance * (1.0 + b.abs()))
}

/// Groups of positions normalised by the definition.
fn naive(x: &[f64], group: impl Fn(usize) -> usize, eps: f64, centred: bool) -> Vec<f64> {
    let stats = |g: usize| {
        let of: Vec<f64> = (0..x.len()).filter(|&i| group(i) == g).map(|i| x[i]).collect();
        let mean = if centred { of.iter().sum::<f64>() / of.len() as f64 } else { 0.0 };
        (mean, of.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / of.len() as f64)
    };
    let normal = |i: usize| {
        let (mean, var) = stats(group(i));
        (x[i] - mean) / (var + eps).sqrt()
    };
    (0..x.len()).map(normal).collect()
}

#[test]
fn layer_and_rms_norm_agree_with_the_definition() {
    for n in [1, 5, 40, 700] {
        let x = random_tensor(&[3, n], 1);
        let (w, b) = (random_tensor(&[n], 2), random_tensor(&[n], 3));
        let plain = naive(&values(&x), |i| i / n, 1e-5, true);
        let (ws, bs) = (values(&w), values(&b));
        let want: Vec<f64> = plain.iter().enumerate().map(|(i, y)| y * ws[i % n] + bs[i % n]).collect();
        assert!(close(&layer_norm(&x, &[n], Some(&w), Some(&b), 1e-5).unwrap(), &want, 1e-12), "{n}");
        let want = naive(&values(&x), |i| i / n, 1e-5, false);
        assert!(close(&rms_norm(&x, &[n], None, Some(1e-5)).unwrap(), &want, 1e-12), "{n}");
        let single = cast::astype(&x, DType::F32).unwrap();
        assert!(close(&layer_norm(&single, &[n], None, None, 1e-5).unwrap(), &plain, 1e-5), "{n}");
        let half = cast::astype(&x, DType::BF16).unwrap();
        assert_eq!(layer_norm(&half, &[n], None, None, 1e-5).unwrap().dtype(), DType::BF16);
    }
    let x = random_tensor(&[2, 3, 4], 1);
    assert!(layer_norm(&x, &[3], None, None, 1e-5).is_err());
    assert!(layer_norm(&x, &[4], Some(&x), None, 1e-5).is_err());
    assert!(layer_norm(&x, &[4], None, None, f64::NAN).is_err());
    assert_eq!(layer_norm(&x, &[3, 4], None, None, 1e-5).unwrap().shape(), x.shape());
    let empty = Tensor::from_slice::<f32>(&[], &[0, 4]).unwrap();
    assert_eq!(layer_norm(&empty, &[4], None, None, 1e-5).unwrap().shape(), &[0, 4]);
}

#[test]
fn a_residual_is_added_before_the_norm_and_both_results_have_gradients() {
    for n in [1, 5, 40, 700] {
        let (x, r) = (random_tensor(&[30, n], 1), random_tensor(&[30, n], 4));
        let (w, b) = (random_tensor(&[n], 2), random_tensor(&[n], 3));
        let composed = x.add(&r).unwrap();
        let (sum, y) = add_layer_norm(&x, &r, &[n], Some(&w), Some(&b), 1e-5).unwrap();
        assert_eq!(values(&sum), values(&composed));
        assert_eq!(values(&y), values(&layer_norm(&composed, &[n], Some(&w), Some(&b), 1e-5).unwrap()));
        let (sum, y) = add_rms_norm(&x, &r, &[n], Some(&w), None).unwrap();
        assert_eq!(values(&sum), values(&composed));
        assert_eq!(values(&y), values(&rms_norm(&composed, &[n], Some(&w), None).unwrap()));
    }
    let (x, r) = (random_tensor(&[2, 3, 4], 1), random_tensor(&[2, 3, 4], 2));
    let (w, b) = (random_tensor(&[4], 3), random_tensor(&[4], 4));
    let both = |(sum, y): (Tensor, Tensor)| sum.sin()?.multiply(&y);
    assert_gradients(&[&x, &r, &w, &b], |x| both(add_layer_norm(&x[0], &x[1], &[4], Some(&x[2]), Some(&x[3]), 1e-5)?));
    assert_gradients(&[&x, &r, &w], |x| both(add_rms_norm(&x[0], &x[1], &[4], Some(&x[2]), None)?));
    assert_gradients(&[&x, &r], |x| Ok(add_layer_norm(&x[0], &x[1], &[3, 4], None, None, 1e-5)?.0));
    assert_gradients(&[&x, &r], |x| Ok(add_layer_norm(&x[0], &x[1], &[3, 4], None, None, 1e-5)?.1));
    let half = cast::astype(&x, DType::F16).unwrap();
    let (sum, y) = add_rms_norm(&half, &half, &[4], None, None).unwrap();
    assert_eq!([sum.dtype(), y.dtype()], [DType::F16; 2]);
    assert!(matches!(add_rms_norm(&x, &w, &[4], None, None), Err(Error::Shape(_))));
    let empty = Tensor::from_slice::<f32>(&[], &[0, 4]).unwrap();
    assert_eq!(add_layer_norm(&empty, &empty, &[4], None, None, 1e-5).unwrap().1.shape(), &[0, 4]);
}

#[test]
fn a_large_mean_does_not_spoil_the_variance() {
    let x: Vec<f64> = (0..64).map(|i| 1e8 + (i % 7) as f64).collect();
    let want = naive(&x, |_| 0, 0.0, true);
    let y = layer_norm(&Tensor::from_slice(&x, &[1, 64]).unwrap(), &[64], None, None, 0.0).unwrap();
    assert!(close(&y, &want, 1e-7));
    let shifted: Vec<f32> = x.iter().map(|x| (x - 1e8 + 10_000.0) as f32).collect();
    let y = layer_norm(&Tensor::from_slice(&shifted, &[1, 64]).unwrap(), &[64], None, None, 0.0).unwrap();
    assert!(close(&y, &want, 1e-3));
}

#[test]
fn group_and_instance_norm_agree_with_the_definition() {
    let x = random_tensor(&[2, 6, 5], 1);
    let want = naive(&values(&x), |i| i / 10, 1e-5, true);
    assert!(close(&group_norm(&x, 3, None, None, 1e-5).unwrap(), &want, 1e-12));
    let want = naive(&values(&x), |i| i / 5, 1e-5, true);
    assert!(close(&instance_norm(&x, None, None, None, true, 1e-5).unwrap().output, &want, 1e-12));
    assert!(group_norm(&x, 4, None, None, 1e-5).is_err());
    assert!(group_norm(&x, 0, None, None, 1e-5).is_err());
}

#[test]
fn batch_norm_agrees_with_the_definition_and_moves_its_statistics() {
    for shape in [&[4, 3][..], &[2, 3, 5], &[3, 3, 4, 8]] {
        let x = random_tensor(shape, 1);
        let places: usize = shape[2..].iter().product();
        let want = naive(&values(&x), |i| i / places % 3, 1e-5, true);
        let (mean, var) = (random_tensor(&[3], 4), random_tensor(&[3], 5).square().unwrap());
        let running = Some(Running { mean: &mean, var: &var, momentum: 0.1 });
        let trained = batch_norm(&x, running, None, None, true, 1e-5, Finish::default()).unwrap();
        assert!(close(&trained.output, &want, 1e-12), "{shape:?}");
        let channel: Vec<f64> =
            values(&x).iter().enumerate().filter(|(i, _)| i / places % 3 == 1).map(|(_, &x)| x).collect();
        let batch_mean = channel.iter().sum::<f64>() / channel.len() as f64;
        let batch_var = channel.iter().map(|x| (x - batch_mean).powi(2)).sum::<f64>() / (channel.len() - 1) as f64;
        let (new_mean, new_var) = trained.running.unwrap();
        assert!((values(&new_mean)[1] - (0.9 * values(&mean)[1] + 0.1 * batch_mean)).abs() < 1e-12);
        assert!((values(&new_var)[1] - (0.9 * values(&var)[1] + 0.1 * batch_var)).abs() < 1e-12);
        let fixed = batch_norm(&x, running, None, None, false, 1e-5, Finish::default()).unwrap();
        let at =
            |i: usize| (values(&x)[i] - values(&mean)[i / places % 3]) / (values(&var)[i / places % 3] + 1e-5).sqrt();
        let want: Vec<f64> = (0..x.numel()).map(at).collect();
        assert!(close(&fixed.output, &want, 1e-12), "{shape:?}");
    }
    let one = random_tensor(&[1, 3], 1);
    assert!(batch_norm(&one, None, None, None, true, 1e-5, Finish::default()).is_err());
    assert!(batch_norm(&one, None, None, None, false, 1e-5, Finish::default()).is_err());
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (w, b) = (random_tensor(&[4], 2), random_tensor(&[4], 3));
    let x = random_tensor(&[3, 4], 1);
    assert_gradients(&[&x, &w, &b], |x| layer_norm(&x[0], &[4], Some(&x[1]), Some(&x[2]), 1e-5));
    assert_gradients(&[&x, &w], |x| rms_norm(&x[0], &[4], Some(&x[1]), None));
    let images = random_tensor(&[2, 4, 3], 1);
    assert_gradients(&[&images, &w, &b], |x| group_norm(&x[0], 2, Some(&x[1]), Some(&x[2]), 1e-5));
    for x in [&x, &images, &random_tensor(&[2, 4, 20], 1)] {
        let normed = |x: &[Tensor]| batch_norm(&x[0], None, Some(&x[1]), Some(&x[2]), true, 1e-5, Finish::default());
        assert_gradients(&[x, &w, &b], |x| Ok(normed(x)?.output));
    }
    let (mean, var) = (random_tensor(&[4], 4), random_tensor(&[4], 5).square().unwrap());
    for x in [&random_tensor(&[3, 4], 1), &images] {
        let fixed = |x: &[Tensor]| {
            let running = Some(Running { mean: &mean, var: &var, momentum: 0.1 });
            batch_norm(&x[0], running, Some(&x[1]), Some(&x[2]), false, 1e-2, Finish::default())
        };
        assert_gradients(&[x, &w, &b], |x| Ok(fixed(x)?.output));
    }
}

/// Every part of a finish, in training and with fixed statistics, in runs long and short.
fn finishes(check: impl Fn(&Tensor, &Tensor, bool, bool, bool)) {
    for shape in [&[6, 4][..], &[3, 4, 5], &[2, 4, 21]] {
        let (x, residual) = (random_tensor(shape, 1), random_tensor(shape, 6));
        for bits in 0..8 {
            check(&x, &residual, bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
        }
    }
}

fn finished(x: &[Tensor], training: bool, with_residual: bool, relu: bool) -> Result<Tensor> {
    let (mean, var) = (random_tensor(&[4], 4), random_tensor(&[4], 5).square().unwrap());
    let running = Some(Running { mean: &mean, var: &var, momentum: 0.1 });
    let finish = Finish { residual: with_residual.then(|| &x[3]), relu };
    Ok(batch_norm(&x[0], running, Some(&x[1]), Some(&x[2]), training, 1e-2, finish)?.output)
}

#[test]
fn a_finish_is_an_addition_and_a_relu() {
    let (w, b) = (random_tensor(&[4], 2), random_tensor(&[4], 3));
    finishes(|x, residual, training, with_residual, relu| {
        let inputs = [x.clone(), w.clone(), b.clone(), residual.clone()];
        let mut want = finished(&inputs, training, false, false).unwrap();
        if with_residual {
            want = want.add(residual).unwrap();
        }
        if relu {
            want = want.relu().unwrap();
        }
        let got = finished(&inputs, training, with_residual, relu).unwrap();
        assert!(close(&got, &values(&want), 0.0), "{:?} {training} {with_residual} {relu}", x.shape());
    });
    let x = random_tensor(&[2, 4], 1);
    assert!(finished(&[x.clone(), w.clone(), b.clone(), w.clone()], true, true, false).is_err());
    assert!(finished(&[x, w.clone(), b, w], false, true, false).is_err());
}

#[test]
fn gradients_go_through_a_finish() {
    let (w, b) = (random_tensor(&[4], 2), random_tensor(&[4], 3));
    finishes(|x, residual, training, with_residual, relu| {
        let inputs: &[&Tensor] = if with_residual { &[x, &w, &b, residual] } else { &[x, &w, &b] };
        assert_gradients(inputs, |x| finished(x, training, with_residual, relu));
    });
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let x = cast::astype(&random_tensor(&[64, 700], 1), DType::F32).unwrap().leaf().unwrap();
    let w = cast::astype(&random_tensor(&[700], 2), DType::F32).unwrap().leaf().unwrap();
    let run = || {
        let y = layer_norm(&x, &[700], Some(&w), None, 1e-5).unwrap();
        let seed = cast::astype(&random_tensor(&[64, 700], 3), DType::F32).unwrap();
        let grads = crate::autograd::gradients(&[(y, seed)], &[x.clone(), w.clone()], Default::default()).unwrap();
        grads.into_iter().flatten().flat_map(|g| values(&g)).collect::<Vec<f64>>()
    };
    let threads = crate::cpu::pool::num_threads();
    let first = run();
    for count in [1, 3] {
        crate::cpu::pool::set_num_threads(count).unwrap();
        assert_eq!(run(), first);
    }
    crate::cpu::pool::set_num_threads(threads).unwrap();
}
