//! Losses, with PyTorch's formulas. Pointwise ones are written as tensor expressions; cross-entropy and CTC are fused.

mod classes;
mod cross_entropy;
mod ctc;
mod distance;
mod pointwise;

pub use cross_entropy::{CrossEntropy, cross_entropy, nll_loss};
pub use ctc::{CtcOptions, ctc_loss};
pub use distance::{Triplet, cosine_embedding_loss, pairwise_distance, triplet_margin_loss};
pub use pointwise::{
    binary_cross_entropy, binary_cross_entropy_with_logits, hinge_embedding_loss, huber_loss, kl_div, l1_loss,
    mse_loss, smooth_l1_loss,
};

use super::elementwise::Operand;
use super::reduce;
use crate::autograd;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::shape;
use crate::tensor::Tensor;

/// What becomes of the losses of single elements or samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    None,
    Mean,
    Sum,
    /// The sum divided by the first axis: the divergence of a batch of distributions.
    BatchMean,
}

impl Reduction {
    pub fn named(op: &str, name: &str) -> Result<Reduction> {
        match name {
            "none" => Ok(Reduction::None),
            "mean" => Ok(Reduction::Mean),
            "sum" => Ok(Reduction::Sum),
            "batchmean" if op == "kl_div" => Ok(Reduction::BatchMean),
            _ => {
                let more = if op == "kl_div" { ", 'batchmean'" } else { "" };
                let message = format!("unknown reduction, expected 'none', 'mean', 'sum'{more}, got {name:?}");
                Err(Error::value(op, message))
            }
        }
    }

    fn of(self, losses: &Tensor) -> Result<Tensor> {
        match self {
            Reduction::None => Ok(losses.clone()),
            Reduction::Mean => reduce::mean(losses, None, false),
            Reduction::Sum => reduce::sum(losses, None, None, false),
            Reduction::BatchMean => {
                let samples = losses.shape().first().copied().unwrap_or(1);
                divided(&reduce::sum(losses, None, None, false)?, samples as f64)
            }
        }
    }
}

/// `x / number`.
fn divided(x: &Tensor, number: f64) -> Result<Tensor> {
    let row = super::binary::Binary::divide;
    super::elementwise::call(row, &[Operand::Tensor(x), Operand::Number(Scalar::Float(number))], &[])
}

/// Losses compare element with element: a shape that would only broadcast is most often a mistake.
fn expect_same_shape(op: &str, x: &Tensor, target: &Tensor) -> Result<()> {
    if x.shape() == target.shape() {
        return Ok(());
    }
    let (want, got) = (shape::display(x.shape()), shape::display(target.shape()));
    Err(Error::shape(op, format!("expected a target of the input's shape {want}, got {got}")))
}

/// Refuses to record for an operand that the loss has no derivative for, rather than cut its gradient silently.
fn expect_constant(op: &str, what: &str, x: Option<&Tensor>) -> Result<()> {
    match x.filter(|x| autograd::must_record(&[x])) {
        None => Ok(()),
        Some(_) => Err(Error::grad(
            op,
            format!("no gradient flows to {what}, expected it detached, got one that requires a gradient"),
        )),
    }
}

#[cfg(test)]
mod tests;
