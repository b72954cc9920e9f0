//! Losses, with PyTorch's names, arguments and reductions.

use crate::rows;
use crate::table::Row;
use ferrograd_core::ops::loss::{self, CrossEntropy, CtcOptions, Reduction, Triplet};
use ferrograd_core::{Result, Tensor};

/// Reads a reduction and computes the loss.
fn reduced(op: &str, name: &str, body: impl FnOnce(Reduction) -> Result<Tensor>) -> Result<Tensor> {
    body(Reduction::named(op, name)?)
}

pub const LOSSES: &[Row] = rows! {
    /// -(target log(x) + (1 - target) log(1 - x)) of probabilities; logarithms are kept above -100.
    binary_cross_entropy [] (x: Tensor, target: Tensor, weight: Option<Tensor> = None, reduction: String = String::from("mean")) {} -> Tensor
        = reduced("binary_cross_entropy", &reduction, |r| loss::binary_cross_entropy(&x, &target, weight.as_ref(), r));
    /// Binary cross entropy of logits, stable at any magnitude; pos_weight scales the positive term.
    binary_cross_entropy_with_logits [] (x: Tensor, target: Tensor, weight: Option<Tensor> = None, reduction: String = String::from("mean"), pos_weight: Option<Tensor> = None) {} -> Tensor
        = reduced("binary_cross_entropy_with_logits", &reduction, |r| {
            loss::binary_cross_entropy_with_logits(&x, &target, weight.as_ref(), pos_weight.as_ref(), r)
        });
    /// 1 - cos(x1, x2) for target 1, max(0, cos - margin) for target -1.
    cosine_embedding_loss [] (x1: Tensor, x2: Tensor, target: Tensor, margin: f64 = 0.0, reduction: String = String::from("mean")) {} -> Tensor
        = reduced("cosine_embedding_loss", &reduction, |r| loss::cosine_embedding_loss(&x1, &x2, &target, margin, r));
    /// -log softmax(x)[target] of logits (N, C, ...) and class indices (N, ...), or probabilities in the shape of x.
    ///
    /// weight (C,) scales classes, ignore_index is left out, label_smoothing mixes in the uniform distribution.
    cross_entropy [] (x: Tensor, target: Tensor, weight: Option<Tensor> = None, ignore_index: i64 = -100, reduction: String = String::from("mean"), label_smoothing: f64 = 0.0) {} -> Tensor
        = reduced("cross_entropy", &reduction, |reduction| {
            loss::cross_entropy(&x, &target, &CrossEntropy { weight: weight.as_ref(), ignore_index, reduction, label_smoothing })
        });
    /// Connectionist temporal classification: log_probs (T, N, C), targets (N, S) or joined (Graves et al. 2006).
    ctc_loss [] (log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: i64 = 0, reduction: String = String::from("mean"), zero_infinity: bool = false) {} -> Tensor
        = reduced("ctc_loss", &reduction, |reduction| {
            loss::ctc_loss(&log_probs, &targets, &input_lengths, &target_lengths, &CtcOptions { blank, reduction, zero_infinity })
        });
    /// x for target 1, max(0, margin - x) for target -1.
    hinge_embedding_loss [] (x: Tensor, target: Tensor, margin: f64 = 1.0, reduction: String = String::from("mean")) {} -> Tensor
        = reduced("hinge_embedding_loss", &reduction, |r| loss::hinge_embedding_loss(&x, &target, margin, r));
    /// Squared error below delta, linear beyond.
    huber_loss [] (x: Tensor, target: Tensor, reduction: String = String::from("mean"), delta: f64 = 1.0) {} -> Tensor
        = reduced("huber_loss", &reduction, |r| loss::huber_loss(&x, &target, r, delta));
    /// target (log(target) - x) with x a logarithm; reduction "batchmean" is the divergence itself.
    kl_div [] (x: Tensor, target: Tensor, reduction: String = String::from("mean"), log_target: bool = false) {} -> Tensor
        = reduced("kl_div", &reduction, |r| loss::kl_div(&x, &target, r, log_target));
    /// The absolute error.
    l1_loss [] (x: Tensor, target: Tensor, reduction: String = String::from("mean")) {} -> Tensor
        = reduced("l1_loss", &reduction, |r| loss::l1_loss(&x, &target, r));
    /// The squared error.
    mse_loss [] (x: Tensor, target: Tensor, reduction: String = String::from("mean")) {} -> Tensor
        = reduced("mse_loss", &reduction, |r| loss::mse_loss(&x, &target, r));
    /// -x[target] of log-probabilities (N, C, ...) and class indices (N, ...).
    nll_loss [] (x: Tensor, target: Tensor, weight: Option<Tensor> = None, ignore_index: i64 = -100, reduction: String = String::from("mean")) {} -> Tensor
        = reduced("nll_loss", &reduction, |r| loss::nll_loss(&x, &target, weight.as_ref(), ignore_index, r));
    /// Squared error divided by beta below beta, linear beyond.
    smooth_l1_loss [] (x: Tensor, target: Tensor, reduction: String = String::from("mean"), beta: f64 = 1.0) {} -> Tensor
        = reduced("smooth_l1_loss", &reduction, |r| loss::smooth_l1_loss(&x, &target, r, beta));
    /// max(0, d(anchor, positive) - d(anchor, negative) + margin) with the p-norm distance.
    triplet_margin_loss [] (anchor: Tensor, positive: Tensor, negative: Tensor, margin: f64 = 1.0, p: f64 = 2.0, eps: f64 = 1e-6, swap: bool = false, reduction: String = String::from("mean")) {} -> Tensor
        = reduced("triplet_margin_loss", &reduction, |r| {
            loss::triplet_margin_loss(&anchor, &positive, &negative, &Triplet { margin, p, eps, swap }, r)
        });
};
