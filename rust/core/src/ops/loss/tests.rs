use super::*;
use crate::autograd::gradcheck::{assert_first_order, assert_gradients};
use crate::dtype::DType;
use crate::ops::{cast, copy, movement, softmax};

fn tensor(data: &[f64], shape: &[usize]) -> Tensor {
    Tensor::from_slice(data, shape).unwrap()
}

fn wave(shape: &[usize], phase: f64) -> Tensor {
    let n: usize = shape.iter().product();
    tensor(&(0..n).map(|i| (i as f64 * 1.3 + phase).sin() * 2.0).collect::<Vec<_>>(), shape)
}

fn classes(data: &[i64], shape: &[usize]) -> Tensor {
    Tensor::from_slice(data, shape).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

#[track_caller]
fn close(got: &Tensor, want: &[f64]) {
    let got = values(got);
    assert_eq!(got.len(), want.len(), "{got:?} is not {want:?}");
    let near = |g: f64, w: f64| g == w || (g - w).abs() < 1e-10 * w.abs().max(1.0) || (g.is_nan() && w.is_nan());
    assert!(got.iter().zip(want).all(|(&g, &w)| near(g, w)), "{got:?} is not {want:?}");
}

fn plain<'a>() -> CrossEntropy<'a> {
    CrossEntropy { weight: None, ignore_index: -100, reduction: Reduction::Mean, label_smoothing: 0.0 }
}

const NONE: Reduction = Reduction::None;

#[test]
fn pointwise_losses_are_their_formulas() {
    let (x, t) = (tensor(&[0.0, 1.0, -3.0], &[3]), tensor(&[0.5, 1.0, 1.0], &[3]));
    close(&mse_loss(&x, &t, NONE).unwrap(), &[0.25, 0.0, 16.0]);
    close(&mse_loss(&x, &t, Reduction::Mean).unwrap(), &[16.25 / 3.0]);
    close(&l1_loss(&x, &t, Reduction::Sum).unwrap(), &[4.5]);
    close(&smooth_l1_loss(&x, &t, NONE, 2.0).unwrap(), &[0.0625, 0.0, 3.0]);
    close(&smooth_l1_loss(&x, &t, NONE, 0.0).unwrap(), &[0.5, 0.0, 4.0]);
    close(&huber_loss(&x, &t, NONE, 2.0).unwrap(), &[0.125, 0.0, 6.0]);
    let signs = tensor(&[1.0, -1.0, -1.0], &[3]);
    close(&hinge_embedding_loss(&x, &signs, 2.0, NONE).unwrap(), &[0.0, 1.0, 5.0]);
    let (p, q) = (tensor(&[0.25, 0.75], &[1, 2]), tensor(&[0.0, 1.0], &[1, 2]));
    let log_p = p.log().unwrap();
    close(&kl_div(&log_p, &q, Reduction::BatchMean, false).unwrap(), &[-(0.75f64.ln())]);
    let both = kl_div(&log_p, &p.log().unwrap(), NONE, true).unwrap();
    close(&both, &[0.0, 0.0]);
    assert!(mse_loss(&x, &movement::reshape(&t, &[3, 1]).unwrap(), NONE).is_err());
    assert!(smooth_l1_loss(&x, &t, NONE, -1.0).is_err() && huber_loss(&x, &t, NONE, 0.0).is_err());
    assert!(Reduction::named("mse_loss", "batchmean").is_err() && Reduction::named("kl_div", "batchmean").is_ok());
}

#[test]
fn binary_cross_entropy_is_stable_at_both_ends() {
    let (x, t) = (tensor(&[0.0, 1.0, 0.0, 0.5], &[4]), tensor(&[0.0, 1.0, 1.0, 0.25], &[4]));
    close(&binary_cross_entropy(&x, &t, None, NONE).unwrap(), &[0.0, 0.0, 100.0, 2f64.ln()]);
    let z = tensor(&[1e4, -1e4, 1e4, 0.0], &[4]);
    close(&binary_cross_entropy_with_logits(&z, &t, None, None, NONE).unwrap(), &[1e4, 1e4, 0.0, 2f64.ln()]);
    let weight = tensor(&[2.0, 1.0, 1.0, 4.0], &[4]);
    let positive = tensor(&[3.0], &[1]);
    let y = binary_cross_entropy_with_logits(&z, &t, Some(&weight), Some(&positive), NONE).unwrap();
    close(&y, &[2e4, 3e4, 0.0, 4.0 * (0.75 + 0.25 * 3.0) * 2f64.ln()]);
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(binary_cross_entropy(&tensor(&[bad], &[1]), &tensor(&[1.0], &[1]), None, NONE).is_err());
    }
    assert!(binary_cross_entropy(&x, &tensor(&[1.0], &[1]), None, NONE).is_err());
}

#[test]
fn pointwise_gradients_are_right_to_the_second_order() {
    let (x, t) = (wave(&[7], 0.3), wave(&[7], 1.0));
    assert_gradients(&[&x, &t], |v| mse_loss(&v[0], &v[1], Reduction::Mean));
    assert_gradients(&[&x, &t], |v| l1_loss(&v[0], &v[1], NONE));
    assert_gradients(&[&x, &t], |v| smooth_l1_loss(&v[0], &v[1], NONE, 0.7));
    assert_gradients(&[&x, &t], |v| huber_loss(&v[0], &v[1], NONE, 0.7));
    let (p, q) = (x.sigmoid().unwrap(), t.sigmoid().unwrap());
    assert_gradients(&[&p, &q], |v| binary_cross_entropy(&v[0], &v[1], None, NONE));
    assert_gradients(&[&x, &q, &p], |v| binary_cross_entropy_with_logits(&v[0], &v[1], None, Some(&v[2]), NONE));
    assert_gradients(&[&x, &q], |v| kl_div(&v[0], &v[1], NONE, false));
    assert_gradients(&[&x, &t], |v| kl_div(&v[0], &v[1], NONE, true));
}

#[test]
fn distance_losses_are_their_formulas() {
    let (a, b) = (tensor(&[1.0, 0.0, 0.0, 2.0], &[2, 2]), tensor(&[1.0, 1.0, 0.0, 3.0], &[2, 2]));
    let t = classes(&[1, -1], &[2]);
    let half = 0.5f64.sqrt();
    close(&cosine_embedding_loss(&a, &b, &t, 0.5, NONE).unwrap(), &[1.0 - half, 0.5]);
    assert!(cosine_embedding_loss(&a, &b, &classes(&[1, 1, 1], &[3]), 0.5, NONE).is_err());
    let how = Triplet { margin: 1.0, p: 2.0, eps: 0.0, swap: false };
    let c = tensor(&[4.0, 0.0, 0.0, 2.0], &[2, 2]);
    close(&triplet_margin_loss(&a, &b, &c, &how, NONE).unwrap(), &[0.0, 2.0]);
    let swapped = Triplet { swap: true, ..how };
    close(&triplet_margin_loss(&a, &b, &c, &swapped, NONE).unwrap(), &[0.0, 2.0]);
    close(&pairwise_distance(&a, &c, 1.0, 0.0, false).unwrap(), &[3.0, 0.0]);
    close(&pairwise_distance(&a, &c, f64::INFINITY, 0.0, false).unwrap(), &[3.0, 0.0]);
    let (x, y, z) = (wave(&[3, 4], 0.0), wave(&[3, 4], 1.0), wave(&[3, 4], 2.0));
    let t = classes(&[1, -1, 1], &[3]);
    assert_gradients(&[&x, &y], |v| cosine_embedding_loss(&v[0], &v[1], &t, -0.9, NONE));
    for p in [1.0, 2.0, 3.0] {
        let how = Triplet { margin: 3.0, p, eps: 1e-6, swap: true };
        assert_gradients(&[&x, &y, &z], |v| triplet_margin_loss(&v[0], &v[1], &v[2], &how, NONE));
    }
}

/// Cross-entropy by log_softmax and a loop, for `(N, C)`.
fn naive(x: &Tensor, target: &[i64], o: &CrossEntropy) -> Vec<f64> {
    let logs = values(&softmax::log_softmax(x, 1, None).unwrap());
    let n = x.shape()[1];
    let weight = o.weight.map_or(vec![1.0; n], values);
    let row = |(log, &t): (&[f64], &i64)| match t == o.ignore_index {
        true => 0.0,
        false => {
            let smooth: f64 = log.iter().zip(&weight).map(|(l, w)| -w * l).sum();
            -(1.0 - o.label_smoothing) * weight[t as usize] * log[t as usize] + o.label_smoothing / n as f64 * smooth
        }
    };
    let losses: Vec<f64> = logs.chunks(n).zip(target).map(row).collect();
    let total: f64 = target.iter().filter(|&&t| t != o.ignore_index).map(|&t| weight[t as usize]).sum();
    match o.reduction {
        Reduction::None => losses,
        Reduction::Mean => vec![losses.iter().sum::<f64>() / total],
        _ => vec![losses.iter().sum::<f64>()],
    }
}

#[test]
fn cross_entropy_agrees_with_log_softmax() {
    let x = wave(&[5, 7], 0.0);
    let weight = wave(&[7], 1.0).abs().unwrap();
    let target = [3, 0, 6, -100, 3];
    for reduction in [NONE, Reduction::Mean, Reduction::Sum] {
        for weight in [None, Some(&weight)] {
            for (label_smoothing, ignore_index) in [(0.0, -100), (0.3, -100)] {
                let o = CrossEntropy { weight, ignore_index, reduction, label_smoothing };
                close(&cross_entropy(&x, &classes(&target, &[5]), &o).unwrap(), &naive(&x, &target, &o));
            }
        }
    }
    let o = CrossEntropy { ignore_index: 3, ..plain() };
    close(&cross_entropy(&x, &classes(&[3, 0, 6, 3, 3], &[5]), &o).unwrap(), &naive(&x, &[3, 0, 6, 3, 3], &o));
    close(&cross_entropy(&x, &classes(&[-100; 5], &[5]), &plain()).unwrap(), &[f64::NAN]);
    let logs = softmax::log_softmax(&x, 1, None).unwrap();
    let nll = nll_loss(&logs, &classes(&target, &[5]), Some(&weight), -100, Reduction::Mean).unwrap();
    close(&nll, &naive(&x, &target, &CrossEntropy { weight: Some(&weight), ..plain() }));
}

#[test]
fn spatial_axes_and_single_samples_are_rows_too() {
    let x = wave(&[2, 3, 2, 2], 0.0);
    let target = [0, 1, 2, 0, 1, 2, -100, 1];
    let rows = movement::reshape(&movement::permute(&x, &[0, 2, 3, 1]).unwrap(), &[8, 3]).unwrap();
    let o = CrossEntropy { reduction: NONE, ..plain() };
    let y = cross_entropy(&x, &classes(&target, &[2, 2, 2]), &o).unwrap();
    assert_eq!(y.shape(), &[2, 2, 2]);
    close(&y, &naive(&rows, &target, &o));
    let one = cross_entropy(&wave(&[4], 0.0), &classes(&[2], &[]), &o).unwrap();
    assert_eq!(one.shape(), &[] as &[usize]);
    close(&one, &naive(&wave(&[1, 4], 0.0), &[2], &o));
    let narrow = cast::astype(&x, DType::BF16).unwrap();
    assert_eq!(cross_entropy(&narrow, &classes(&target, &[2, 2, 2]), &plain()).unwrap().dtype(), DType::BF16);
}

#[test]
fn probabilities_as_targets_generalise_classes() {
    let x = wave(&[3, 4], 0.0);
    let weight = wave(&[4], 1.0).abs().unwrap();
    let target = [1, 3, 0];
    let mut q = vec![0.0; 12];
    target.iter().enumerate().for_each(|(row, &c)| q[row * 4 + c as usize] = 1.0);
    for label_smoothing in [0.0, 0.2] {
        let o = CrossEntropy { weight: Some(&weight), reduction: NONE, label_smoothing, ..plain() };
        close(&cross_entropy(&x, &tensor(&q, &[3, 4]), &o).unwrap(), &naive(&x, &target, &o));
    }
    let mean = cross_entropy(&x, &tensor(&q, &[3, 4]), &CrossEntropy { weight: Some(&weight), ..plain() }).unwrap();
    let rows = naive(&x, &target, &CrossEntropy { weight: Some(&weight), reduction: NONE, ..plain() });
    close(&mean, &[rows.iter().sum::<f64>() / 3.0]);
    let q = softmax::softmax(&wave(&[3, 4], 2.0), 1, None).unwrap();
    assert_gradients(&[&x, &q], |v| cross_entropy(&v[0], &v[1], &CrossEntropy { label_smoothing: 0.1, ..plain() }));
}

#[test]
fn cross_entropy_gradients_are_right_to_the_second_order() {
    let (x, weight) = (wave(&[2, 5, 3], 0.0), wave(&[5], 1.0).abs().unwrap());
    let target = classes(&[0, 4, -100, 2, 2, 1], &[2, 3]);
    for reduction in [NONE, Reduction::Mean, Reduction::Sum] {
        for (weight, label_smoothing) in [(None, 0.0), (Some(&weight), 0.0), (None, 0.4), (Some(&weight), 0.4)] {
            let o = CrossEntropy { weight, reduction, label_smoothing, ..plain() };
            assert_gradients(&[&x], |v| cross_entropy(&v[0], &target, &o));
        }
        assert_gradients(&[&x], |v| nll_loss(&v[0].square()?, &target, Some(&weight), -100, reduction));
    }
}

#[test]
fn logits_far_apart_are_exact() {
    let x = tensor(&[1e4, 0.0, -1e4, f64::NEG_INFINITY, 0.0, 0.0], &[2, 3]);
    let o = CrossEntropy { reduction: NONE, ..plain() };
    close(&cross_entropy(&x, &classes(&[2, 0], &[2]), &o).unwrap(), &[2e4, f64::INFINITY]);
    close(&cross_entropy(&x, &classes(&[0, 1], &[2]), &o).unwrap(), &[0.0, 2f64.ln()]);
}

#[test]
fn bad_classes_are_index_errors_in_every_position() {
    let x = wave(&[4, 3], 0.0);
    for bad in [-1, 3, i64::MAX, i64::MIN] {
        for place in 0..4 {
            let mut target = [0, 1, 2, 1];
            target[place] = bad;
            let target = classes(&target, &[4]);
            assert!(matches!(cross_entropy(&x, &target, &plain()), Err(Error::Index(_))));
            assert!(matches!(nll_loss(&x, &target, None, -100, NONE), Err(Error::Index(_))));
        }
    }
    let target = classes(&[0, 1, 2, 1], &[4]);
    let short = tensor(&[1.0, 1.0], &[2]);
    assert!(cross_entropy(&x, &target, &CrossEntropy { weight: Some(&short), ..plain() }).is_err());
    assert!(cross_entropy(&x, &target, &CrossEntropy { label_smoothing: 1.1, ..plain() }).is_err());
    assert!(cross_entropy(&x, &classes(&[0], &[1]), &plain()).is_err());
    assert!(cross_entropy(&tensor(&[], &[2, 0]), &classes(&[0, 0], &[2]), &plain()).is_err());
    let none = cross_entropy(&tensor(&[], &[0, 3]), &classes(&[], &[0]), &CrossEntropy { reduction: NONE, ..plain() });
    assert_eq!(none.unwrap().shape(), &[0]);
}

/// The sum over all label sequences of length T that collapse to the target.
fn enumerate_ctc(p: &[Vec<f64>], labels: &[usize], blank: usize) -> f64 {
    let (steps, n) = (p.len(), p[0].len());
    let mut total = 0.0;
    for code in 0..n.pow(steps as u32) {
        let path: Vec<usize> = (0..steps).map(|t| code / n.pow(t as u32) % n).collect();
        let mut short = path.clone();
        short.dedup();
        short.retain(|&c| c != blank);
        if short == labels {
            total += path.iter().enumerate().map(|(t, &c)| p[t][c]).product::<f64>();
        }
    }
    -total.ln()
}

#[test]
fn ctc_sums_over_all_alignments() {
    let (steps, samples, n) = (5, 4, 3);
    let logs = softmax::log_softmax(&wave(&[steps, samples, n], 0.0), 2, None).unwrap();
    let all = values(&logs);
    let labels: [&[usize]; 4] = [&[1, 2], &[1, 1], &[], &[2]];
    let lengths = [5, 4, 5, 1];
    let want: Vec<f64> = (0..samples)
        .map(|s| {
            let p: Vec<Vec<f64>> =
                (0..lengths[s]).map(|t| (0..n).map(|c| all[(t * samples + s) * n + c].exp()).collect()).collect();
            enumerate_ctc(&p, labels[s], 0)
        })
        .collect();
    let targets = classes(&[1, 2, 1, 1, 0, 0, 2, 0], &[4, 2]);
    let (inputs, counts) = (classes(&[5, 4, 5, 1], &[4]), classes(&[2, 2, 0, 1], &[4]));
    let o = CtcOptions { blank: 0, reduction: NONE, zero_infinity: false };
    let y = ctc_loss(&logs, &targets, &inputs, &counts, &o).unwrap();
    close(&y, &want);
    let flat = classes(&[1, 2, 1, 1, 2], &[5]);
    close(&ctc_loss(&logs, &flat, &inputs, &counts, &o).unwrap(), &want);
    let mean = ctc_loss(&logs, &flat, &inputs, &counts, &CtcOptions { reduction: Reduction::Mean, ..o }).unwrap();
    close(&mean, &[(want[0] / 2.0 + want[1] / 2.0 + want[2] + want[3]) / 4.0]);
    assert_first_order(&[&logs], &|v: &[Tensor]| ctc_loss(&v[0], &targets, &inputs, &counts, &o));
}

#[test]
fn ctc_without_an_alignment_is_infinite_or_zero() {
    let logs = softmax::log_softmax(&wave(&[2, 1, 3], 0.0), 2, None).unwrap().leaf().unwrap();
    let (targets, two) = (classes(&[1, 1], &[1, 2]), classes(&[2], &[1]));
    let o = CtcOptions { blank: 0, reduction: NONE, zero_infinity: false };
    close(&ctc_loss(&logs, &targets, &two, &two, &o).unwrap(), &[f64::INFINITY]);
    let y = ctc_loss(&logs, &targets, &two, &two, &CtcOptions { zero_infinity: true, ..o }).unwrap();
    close(&y, &[0.0]);
    let one = tensor(&[1.0], &[1]);
    let grad = crate::autograd::gradients(&[(y, one)], &[logs.clone()], Default::default()).unwrap();
    close(grad[0].as_ref().unwrap(), &[0.0; 6]);
    let single = movement::squeeze(&logs.detach(), &[1]).unwrap();
    let scalar = ctc_loss(&single, &classes(&[1], &[1]), &classes(&[2], &[]), &classes(&[1], &[]), &o).unwrap();
    assert_eq!(scalar.shape(), &[] as &[usize]);
}

#[test]
fn ctc_refuses_what_does_not_fit() {
    let logs = wave(&[4, 2, 3], 0.0);
    let o = CtcOptions { blank: 0, reduction: NONE, zero_infinity: false };
    let fails = |targets: &[i64], inputs: &[i64], counts: &[i64], o: &CtcOptions| {
        let targets = classes(targets, &[2, targets.len() / 2]);
        ctc_loss(&logs, &targets, &classes(inputs, &[inputs.len()]), &classes(counts, &[counts.len()]), o).is_err()
    };
    assert!(!fails(&[1, 2, 1, 2], &[4, 4], &[2, 2], &o));
    assert!(fails(&[1, 3, 1, 2], &[4, 4], &[2, 2], &o));
    assert!(fails(&[1, 2, -1, 2], &[4, 4], &[2, 2], &o));
    assert!(fails(&[1, 0, 1, 2], &[4, 4], &[2, 2], &o));
    assert!(fails(&[1, 2, 1, 2], &[5, 4], &[2, 2], &o));
    assert!(fails(&[1, 2, 1, 2], &[4, 4], &[2, 3], &o));
    assert!(fails(&[1, 2, 1, 2], &[4, -1], &[2, 2], &o));
    assert!(fails(&[1, 2, 1, 2], &[4], &[2, 2], &o));
    assert!(fails(&[1, 2, 1, 2], &[4, 4], &[2, 2], &CtcOptions { blank: 3, ..o }));
}
