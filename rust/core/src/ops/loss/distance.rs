//! Losses of distances and angles between vectors along the last axis.

use super::Reduction;
use crate::error::{Error, Result};
use crate::ops::elementwise::expression::{Expr, vocabulary::*};
use crate::ops::reduce;
use crate::ops::spatial::expect_float;
use crate::shape;
use crate::tensor::Tensor;

fn expr(x: &Tensor) -> Expr {
    Expr::Tensor(x.clone())
}

fn expect_shapes_to_broadcast(op: &str, tensors: &[&Tensor]) -> Result<shape::Shape> {
    let mut common = shape::Shape::new();
    for x in tensors {
        expect_float(op, x)?;
        common = shape::broadcast(op, &common, x.shape())?;
    }
    Ok(common)
}

/// Sum over the last axis of an expression that is a tensor.
fn row_sum(x: Expr) -> Expr {
    match x {
        Expr::Tensor(x) => reduce::sum(&x, Some(&[-1]), None, false).into(),
        other => other,
    }
}

/// `1 - cos(a, b)` where the target is 1, `max(0, cos(a, b) - margin)` where it is -1.
pub fn cosine_embedding_loss(
    a: &Tensor,
    b: &Tensor,
    target: &Tensor,
    margin: f64,
    reduction: Reduction,
) -> Result<Tensor> {
    let op = "cosine_embedding_loss";
    let common = expect_shapes_to_broadcast(op, &[a, b])?;
    let fits = matches!((common.len(), target.rank()), (1, 0) | (2, 1))
        && target.shape().iter().zip(&common).all(|(t, n)| t == n);
    if !fits {
        let (inputs, got) = (shape::display(&common), shape::display(target.shape()));
        let message = format!("expected inputs (N, D) with target (N,), or (D,) with (), got {inputs} and {got}");
        return Err(Error::shape(op, message));
    }
    const EPSILON: f64 = 1e-12;
    let dot = |x: &Tensor, y: &Tensor| row_sum(expr(x) * expr(y));
    let lengths = sqrt((dot(a, a) + EPSILON) * (dot(b, b) + EPSILON));
    let (cosine, t) = (dot(a, b) / lengths, expr(target));
    let Expr::Tensor(like) = cosine.clone() else { return cosine.into_tensor_like(target) };
    let loss = if_eq(&t, 1.0, 1.0 - &cosine, 0.0) + if_eq(&t, -1.0, relu(cosine - margin), 0.0);
    reduction.of(&loss.into_tensor_like(&like)?)
}

/// `(sum |a - b + eps|^p)^(1/p)` along the last axis.
pub fn pairwise_distance(a: &Tensor, b: &Tensor, p: f64, eps: f64, keepdims: bool) -> Result<Tensor> {
    let op = "pairwise_distance";
    let common = expect_shapes_to_broadcast(op, &[a, b])?;
    if common.is_empty() {
        return Err(Error::shape(op, "expected vectors along a last axis, got 0-d tensors"));
    }
    if p.is_nan() || p <= 0.0 {
        return Err(Error::value(op, format!("expected an order p > 0, got {p}")));
    }
    let d = match expr(a) - expr(b) + eps {
        Expr::Tensor(d) => d,
        other => return other.into_tensor_like(a),
    };
    let sum = |x: Tensor| reduce::sum(&x, Some(&[-1]), None, keepdims);
    match p {
        1.0 => sum(d.abs()?),
        2.0 => sum(d.square()?)?.sqrt(),
        f64::INFINITY => reduce::max(&d.abs()?, Some(&[-1]), keepdims),
        _ => {
            let power = |x: Tensor, p: f64| match pow(Expr::Tensor(x), p) {
                Expr::Tensor(y) => Ok(y),
                other => other.into_tensor_like(a),
            };
            power(sum(power(d.abs()?, p)?)?, 1.0 / p)
        }
    }
}

/// How a triplet loss measures: the margin, the order of the norm, what keeps it from zero, and whether the negative
/// may be compared with the positive instead of the anchor.
#[derive(Debug, Clone, Copy)]
pub struct Triplet {
    pub margin: f64,
    pub p: f64,
    pub eps: f64,
    pub swap: bool,
}

/// `max(0, margin + d(anchor, positive) - d(anchor, negative))`
pub fn triplet_margin_loss(
    anchor: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
    how: &Triplet,
    reduction: Reduction,
) -> Result<Tensor> {
    let op = "triplet_margin_loss";
    expect_shapes_to_broadcast(op, &[anchor, positive, negative])?;
    if anchor.rank() != positive.rank() || anchor.rank() != negative.rank() {
        let message =
            format!("expected inputs of one rank, got {}, {}, {}", anchor.rank(), positive.rank(), negative.rank());
        return Err(Error::shape(op, message));
    }
    if how.margin.is_nan() || how.margin <= 0.0 {
        return Err(Error::value(op, format!("expected a margin > 0, got {}", how.margin)));
    }
    let distance = |a: &Tensor, b: &Tensor| pairwise_distance(a, b, how.p, how.eps, false);
    let near = distance(anchor, positive)?;
    let mut far = distance(anchor, negative)?;
    if how.swap {
        far = far.minimum(&distance(positive, negative)?)?;
    }
    let Expr::Tensor(gap) = expr(&near) - expr(&far) + how.margin else {
        return Err(Error::internal(op, "expected a tensor"));
    };
    reduction.of(&gap.relu()?)
}
