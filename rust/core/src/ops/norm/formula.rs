//! The gradient of a normalisation in tensor ops, for when it will be differentiated again.

use crate::autograd::Grads;
use crate::error::Result;
use crate::ops::{movement, reduce};
use crate::tensor::Tensor;
use smallvec::smallvec;

/// The mean over the axes that have size one in `shape`.
pub fn mean_to(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let kept: usize = shape.iter().product();
    reduce::sum_to(x, shape)?.div_scalar(x.numel() as f64 / kept.max(1) as f64)
}

/// Gradients of `x`, `weight` and `bias` for `y = xhat * weight + bias`, where `xhat` is `x` normalised over
/// the axes of size one in `reduced` (without its mean when `centred`). `across` is the shape in which weight and bias broadcast against `x`.
pub fn gradients(
    x: &Tensor,
    weight: &Tensor,
    dy: &Tensor,
    reduced: &[usize],
    across: &[usize],
    eps: f64,
    centred: bool,
) -> Result<Grads> {
    let mean = |x: &Tensor| mean_to(x, reduced);
    let centred_x = if centred { x.subtract(&mean(x)?)? } else { x.clone() };
    let rstd = mean(&centred_x.square()?)?.add_scalar(eps)?.rsqrt()?;
    let xhat = centred_x.multiply(&rstd)?;
    let scaled = dy.multiply(&movement::reshape(weight, across)?)?;
    let along = xhat.multiply(&mean(&scaled.multiply(&xhat)?)?)?;
    let rest = scaled.subtract(&along)?;
    let rest = if centred { rest.subtract(&mean(&scaled)?)? } else { rest };
    let total = |x: &Tensor| movement::reshape(&reduce::sum_to(x, across)?, weight.shape());
    Ok(smallvec![Some(rest.multiply(&rstd)?), Some(total(&dy.multiply(&xhat)?)?), Some(total(dy)?)])
}
