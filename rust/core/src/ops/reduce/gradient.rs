//! Gradients of reductions, in tensor ops, so that they can be differentiated again.

use super::Reduction::*;
use super::{Reduce, reduced_shape, sum};
use crate::autograd::{Saved, not_differentiable};
use crate::error::{Error, Result};
use crate::ops::{create, movement, scan};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

pub fn backward(op: &Reduce, saved: &Saved, dy: &Tensor) -> Result<Tensor> {
    let spec = saved.spec(0);
    let dy = keep(dy, &spec.shape, &op.axes)?;
    let spread = |dy: &Tensor| movement::broadcast_to(dy, &spec.shape);
    match op.kind {
        Sum => spread(&dy),
        Mean => {
            let n: usize = op.axes.iter().map(|&a| spec.shape[a]).product();
            spread(&dy.divide(&create::full(&[], Scalar::Float(n as f64), spec.dtype, dy.device())?)?)
        }
        Max | Min => {
            let (x, y) = (saved.input(0)?, keep(saved.output(0)?, &spec.shape, &op.axes)?);
            let chosen = crate::ops::cast::astype(&x.equal(&y)?, spec.dtype)?;
            let axes: Vec<i64> = op.axes.iter().map(|&a| a as i64).collect();
            let ties = sum(&chosen, Some(&axes), None, true)?;
            chosen.multiply(&dy.divide(&ties)?)
        }
        Prod => product(saved.input(0)?, &op.axes, &dy),
        Any | All | CountNonzero => {
            not_differentiable("reduce")?;
            Err(Error::internal("reduce", "a truth value has no gradient"))
        }
    }
}

/// `y` with the reduced axes back, at size one.
pub fn keep(y: &Tensor, shape: &[usize], axes: &[usize]) -> Result<Tensor> {
    movement::reshape(y, &reduced_shape(shape, axes, true))
}

/// `dx[i] = dy * prod(x[j] for j != i)`: products from the left and from the right, so that zeros need no case of their own.
fn product(x: &Tensor, axes: &[usize], dy: &Tensor) -> Result<Tensor> {
    let rank = x.rank();
    let kept = (0..rank).filter(|a| !axes.contains(a));
    let order: Vec<i64> = kept.chain(axes.iter().copied()).map(|a| a as i64).collect();
    let moved = movement::permute(x, &order)?;
    let split = rank - axes.len();
    let n: usize = moved.shape()[split..].iter().product();
    let mut flat_shape = moved.shape()[..split].to_vec();
    flat_shape.push(n);
    let flat = movement::reshape(&moved, &flat_shape)?;
    let others = scan::products_of_others(&flat)?;
    let others = movement::reshape(&others, moved.shape())?;
    let mut back = vec![0i64; rank];
    order.iter().enumerate().for_each(|(to, &from)| back[from as usize] = to as i64);
    movement::permute(&others, &back)?.multiply(dy)
}
