use super::*;
use crate::cpu::pool;
use crate::ops::cast;

fn tensor(values: &[f64], dtype: DType) -> Tensor {
    cast::astype(&Tensor::from_slice(values, &[values.len()]).unwrap(), dtype).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    cast::astype(x, DType::F64).unwrap().slice::<f64>().unwrap().to_vec()
}

fn wave(n: usize, phase: f64) -> Vec<f64> {
    (0..n).map(|i| (i as f64 * 0.7 + phase).sin()).collect()
}

fn close(got: &[f64], want: &[f64], tolerance: f64) {
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= tolerance * w.abs().max(1.0), "element {i}: {g} is not {w}");
    }
}

#[test]
fn sgd_follows_its_formula_in_every_dtype() {
    let rule = Sgd { lr: 0.1, momentum: 0.9, dampening: 0.2, weight_decay: 0.01, nesterov: false, maximize: false };
    for (nesterov, maximize) in [(false, false), (true, true)] {
        let rule = Sgd { nesterov, maximize, dampening: if nesterov { 0.0 } else { 0.2 }, ..rule };
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5), (DType::F16, 5e-3), (DType::BF16, 5e-2)] {
            let n = 700;
            let mut p = [tensor(&wave(n, 0.0), dtype)];
            let mut m = [None];
            let (mut want_p, mut want_m) = (values(&p[0]), vec![0.0; n]);
            for step in 0..3 {
                let g = [tensor(&wave(n, step as f64), dtype)];
                sgd(&rule, &mut p, &g, &mut m, 0.5).unwrap();
                for (i, g) in values(&g[0]).into_iter().enumerate() {
                    let g = if maximize { -0.5 * g } else { 0.5 * g } + 0.01 * want_p[i];
                    want_m[i] = if step == 0 { g } else { 0.9 * want_m[i] + (1.0 - rule.dampening) * g };
                    want_p[i] -= 0.1 * if nesterov { g + 0.9 * want_m[i] } else { want_m[i] };
                }
            }
            close(&values(&p[0]), &want_p, tolerance);
            close(&values(m[0].as_ref().unwrap()), &want_m, tolerance);
        }
    }
}

#[test]
fn sgd_without_momentum_keeps_no_state() {
    let rule = Sgd { lr: 1.0, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false };
    let (mut p, mut m) = ([tensor(&[1.0, 2.0], DType::F32)], [None]);
    sgd(&rule, &mut p, &[tensor(&[0.5, -0.5], DType::F32)], &mut m, 1.0).unwrap();
    assert_eq!(values(&p[0]), [0.5, 2.5]);
    assert!(m[0].is_none());
}

#[test]
fn adam_follows_its_formula() {
    for decoupled in [false, true] {
        let rule = Adam { lr: 0.01, betas: [0.9, 0.99], eps: 1e-8, weight_decay: 0.1, decoupled, maximize: false };
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let n = 40_000;
            let mut p = [tensor(&wave(n, 0.0), dtype), tensor(&wave(3, 0.0), dtype)];
            let zeros = || p.each_ref().map(|p| create::zeros_like(p).unwrap());
            let (mut m, mut v) = (zeros(), zeros());
            let mut want = values(&p[0]);
            let (mut want_m, mut want_v) = (vec![0.0; n], vec![0.0; n]);
            for t in 1..4u64 {
                let g = [tensor(&wave(n, t as f64), dtype), tensor(&wave(3, t as f64), dtype)];
                adam(&rule, &mut p, &g, &mut m, &mut v, &[t, t], 2.0).unwrap();
                for (i, g) in values(&g[0]).into_iter().enumerate() {
                    let g = 2.0 * g + if decoupled { 0.0 } else { 0.1 * want[i] };
                    want[i] *= if decoupled { 1.0 - 0.01 * 0.1 } else { 1.0 };
                    want_m[i] = 0.9 * want_m[i] + 0.1 * g;
                    want_v[i] = 0.99 * want_v[i] + 0.01 * g * g;
                    let (m, v) =
                        (want_m[i] / (1.0 - 0.9f64.powi(t as i32)), want_v[i] / (1.0 - 0.99f64.powi(t as i32)));
                    want[i] -= 0.01 * m / (v.sqrt() + 1e-8);
                }
            }
            close(&values(&p[0]), &want, tolerance);
            close(&values(&p[1]), &want[..3], tolerance);
        }
    }
}

#[test]
fn a_value_held_elsewhere_is_not_overwritten() {
    let rule = Sgd { lr: 1.0, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false };
    let mut p = [tensor(&[1.0], DType::F32)];
    let before = p[0].clone();
    sgd(&rule, &mut p, &[tensor(&[1.0], DType::F32)], &mut [None], 1.0).unwrap();
    assert_eq!((values(&before), values(&p[0])), (vec![1.0], vec![0.0]));
    let address = p[0].storage().pointer().unwrap();
    sgd(&rule, &mut p, &[tensor(&[1.0], DType::F32)], &mut [None], 1.0).unwrap();
    assert_eq!(p[0].storage().pointer().unwrap(), address);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let rule = Sgd { lr: 1.0, momentum: 0.9, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false };
    let mut p = [tensor(&[1.0], DType::F32), tensor(&[2.0], DType::F32)];
    let bad = [tensor(&[1.0], DType::F32), tensor(&[1.0, 1.0], DType::F32)];
    assert!(sgd(&rule, &mut p, &bad, &mut [None, None], 1.0).is_err());
    assert!(sgd(&rule, &mut p, &bad[..1], &mut [None, None], 1.0).is_err());
    assert!(sgd(&rule, &mut p[..1], &[tensor(&[1.0], DType::F64)], &mut [None], 1.0).is_err());
    assert_eq!((values(&p[0]), values(&p[1])), (vec![1.0], vec![2.0]));
}

#[test]
fn the_norm_is_that_of_all_tensors_for_any_number_of_threads() {
    let list = [tensor(&wave(50_000, 0.0), DType::F32), tensor(&wave(7, 1.0), DType::F64), tensor(&[3e4], DType::F16)];
    let want = list.iter().flat_map(values).map(|x| x * x).sum::<f64>().sqrt();
    let threads = pool::num_threads();
    let norms = [1, 3].map(|n| {
        pool::set_num_threads(n).unwrap();
        global_norm(&list).unwrap()
    });
    pool::set_num_threads(threads).unwrap();
    assert_eq!(norms[0].to_bits(), norms[1].to_bits());
    close(&norms, &[want, want], 1e-12);
    assert_eq!(global_norm(&[]).unwrap(), 0.0);
    assert!(global_norm(&[tensor(&[1e30], DType::F32)]).unwrap().is_finite());
}
