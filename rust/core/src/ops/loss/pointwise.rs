//! Losses of single elements.

use super::{Reduction, expect_constant, expect_same_shape};
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::dispatch;
use crate::dtype::Element;
use crate::error::{Error, Result};
use crate::ops::elementwise::expression::{Expr, vocabulary::*};
use crate::ops::spatial::expect_float;
use crate::ops::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

fn expr(x: &Tensor) -> Expr {
    Expr::Tensor(x.clone())
}

/// The loss an expression stands for: one value for each element of `like`.
fn reduced(loss: Expr, like: &Tensor, reduction: Reduction) -> Result<Tensor> {
    reduction.of(&loss.into_tensor_like(like)?)
}

/// `input - target`, after the checks all regression losses share.
fn difference(op: &str, x: &Tensor, target: &Tensor) -> Result<Expr> {
    expect_same_shape(op, x, target)?;
    if !x.dtype().is_float() && !target.dtype().is_float() {
        expect_float(op, x)?;
    }
    Ok(expr(x) - expr(target))
}

/// `(input - target)^2`
pub fn mse_loss(x: &Tensor, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
    reduced(square(difference("mse_loss", x, target)?), x, reduction)
}

/// `|input - target|`
pub fn l1_loss(x: &Tensor, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
    reduced(abs(difference("l1_loss", x, target)?), x, reduction)
}

/// `d^2 / (2 beta)` where `d = |input - target|` is below `beta`, else `d - beta / 2`.
pub fn smooth_l1_loss(x: &Tensor, target: &Tensor, reduction: Reduction, beta: f64) -> Result<Tensor> {
    let op = "smooth_l1_loss";
    if beta.is_nan() || beta < 0.0 {
        return Err(Error::value(op, format!("expected beta >= 0, got {beta}")));
    }
    let d = abs(difference(op, x, target)?);
    if beta == 0.0 {
        return reduced(d, x, reduction);
    }
    // Without a branch, so that no infinity of the one not taken meets a zero in the gradient.
    let near = minimum(&d, beta);
    reduced(square(&near) * (0.5 / beta) + (d - near), x, reduction)
}

/// `d^2 / 2` where `d = |input - target|` is below `delta`, else `delta (d - delta / 2)`.
pub fn huber_loss(x: &Tensor, target: &Tensor, reduction: Reduction, delta: f64) -> Result<Tensor> {
    let op = "huber_loss";
    if delta.is_nan() || delta <= 0.0 {
        return Err(Error::value(op, format!("expected delta > 0, got {delta}")));
    }
    let d = abs(difference(op, x, target)?);
    let near = minimum(&d, delta);
    reduced(square(&near) * 0.5 + (d - near) * delta, x, reduction)
}

/// Logarithms are kept above this, so that a certain but wrong prediction has a finite loss.
const LOWEST_LOG: f64 = -100.0;

#[derive(Debug)]
struct BinaryCrossEntropy;

impl Gradient for BinaryCrossEntropy {
    fn name(&self) -> &'static str {
        "binary_cross_entropy"
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (x, t, dy) = (saved.input(0)?, saved.input(1)?, only(dy)?);
        let by_input = || {
            let (x, t) = (expr(x), expr(t));
            let spread = maximum(&x * (1.0 - &x), 1e-12);
            (expr(dy) * (x - t) / spread).into_tensor_like(dy)
        };
        let by_target = || {
            let x = expr(x);
            (expr(dy) * (maximum(log1p(-&x), LOWEST_LOG) - maximum(log(x), LOWEST_LOG))).into_tensor_like(dy)
        };
        Ok(smallvec![saved.needs(0).then(by_input).transpose()?, saved.needs(1).then(by_target).transpose()?])
    }
}

impl Op for BinaryCrossEntropy {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(inputs[0].dtype(), self.name(), [wide], T => {
            const GRAIN: usize = 16 * 1024;
            let (x, t) = (inputs[0].slice::<T>()?, inputs[1].slice::<T>()?);
            let parts = outputs[0].slice_mut::<T>()?.chunks_mut(GRAIN).zip(x.chunks(GRAIN).zip(t.chunks(GRAIN)));
            for_each_item(parts, |(y, (x, t))| {
                match x.iter().find(|x| !(0.0..=1.0).contains(*x)) {
                    None => T::losses(x, t, y),
                    Some(bad) => {
                        return Err(Error::value("binary_cross_entropy", format!("expected probabilities in [0, 1], got {bad}")));
                    }
                }
                Ok(())
            })
        })
    }
}

trait Losses: Element {
    fn losses(x: &[Self], t: &[Self], y: &mut [Self]);
}

macro_rules! losses {
    ($($t:ident),*) => { $(impl Losses for $t {
        leveled! {
            fn losses(x: &[$t], t: &[$t], y: &mut [$t]) {
                let lowest = LOWEST_LOG as $t;
                for ((y, &x), &t) in y.iter_mut().zip(x).zip(t) {
                    let (no, yes) = (math::$t::log1p(-x), math::$t::log(x));
                    *y = (t - 1.0) * math::$t::maximum(no, lowest) - t * math::$t::maximum(yes, lowest);
                }
            }
        }
    })* };
}
losses!(f32, f64);

/// `loss * weight`, with the weight broadcast.
fn weighted(loss: Expr, weight: Option<&Tensor>) -> Expr {
    match weight {
        Some(weight) => loss * expr(weight),
        None => loss,
    }
}

/// `-(t log(x) + (1 - t) log(1 - x))` of probabilities `x`.
pub fn binary_cross_entropy(
    x: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    let op = "binary_cross_entropy";
    expect_float(op, x)?;
    expect_same_shape(op, x, target)?;
    let prepared = |t: &Tensor| copy::contiguous(&cast::astype(t, x.dtype().compute())?);
    let loss = cast::astype(&apply1(BinaryCrossEntropy, &[&prepared(x)?, &prepared(target)?])?, x.dtype())?;
    reduced(weighted(expr(&loss), weight), x, reduction)
}

/// Binary cross-entropy of `sigmoid(x)`, without rounding it to 0 or 1; `pos_weight` scales the positive part.
pub fn binary_cross_entropy_with_logits(
    x: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    pos_weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    let op = "binary_cross_entropy_with_logits";
    expect_float(op, x)?;
    expect_same_shape(op, x, target)?;
    for (what, t) in [("weight", weight), ("pos_weight", pos_weight)] {
        if let Some(t) = t {
            movement::broadcast_to(t, x.shape()).map_err(|_| {
                let (got, want) = (crate::shape::display(t.shape()), crate::shape::display(x.shape()));
                Error::shape(op, format!("{what} does not broadcast to the input, expected {want}, got {got}"))
            })?;
        }
    }
    let (z, t) = (expr(x), expr(target));
    let tail = logsigmoid(&z);
    let loss = match pos_weight {
        Some(positive) => (1.0 - &t) * z - ((expr(positive) - 1.0) * t + 1.0) * tail,
        None => (1.0 - t) * z - tail,
    };
    reduced(weighted(loss, weight), x, reduction)
}

/// `t (log(t) - x)` of log-probabilities `x`; with `log_target` the target is given as a logarithm too.
pub fn kl_div(x: &Tensor, target: &Tensor, reduction: Reduction, log_target: bool) -> Result<Tensor> {
    let op = "kl_div";
    expect_float(op, x)?;
    expect_same_shape(op, x, target)?;
    let t = expr(target);
    let loss = match log_target {
        true => exp(&t) * (t - expr(x)),
        // Zero times the logarithm of zero counts as zero.
        false => &t * log(if_eq(&t, 0.0, 1.0, &t)) - &t * expr(x),
    };
    reduced(loss, x, reduction)
}

/// The distance itself where the target is 1, what it lacks to `margin` where it is -1.
pub fn hinge_embedding_loss(x: &Tensor, target: &Tensor, margin: f64, reduction: Reduction) -> Result<Tensor> {
    let op = "hinge_embedding_loss";
    expect_float(op, x)?;
    expect_constant(op, "target", Some(target))?;
    expect_same_shape(op, x, target)?;
    let (d, t) = (expr(x), expr(target));
    let apart = if_eq(&t, 1.0, 0.0, relu(margin - &d));
    reduced(apart + if_eq(&t, -1.0, 0.0, d), x, reduction)
}
