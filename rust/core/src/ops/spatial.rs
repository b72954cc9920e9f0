//! What convolution, pooling and interpolation share: arguments per spatial axis, and inputs without a batch axis.

use super::movement;
use crate::error::{Error, Result};
use crate::shape;
use crate::tensor::Tensor;

/// Spatial axes are always three inside.
pub use crate::cpu::conv::Axes3;

/// Numbers given once or for each of `spatial` axes, none below `least`; absent axes get `absent`.
pub fn per_axis(op: &str, what: &str, values: &[i64], spatial: usize, least: i64, absent: usize) -> Result<Axes3> {
    if values.len() != 1 && values.len() != spatial {
        return Err(Error::value(op, format!("expected {what} of 1 or {spatial} numbers, got {values:?}")));
    }
    if let Some(bad) = values.iter().find(|&&v| v < least || v > i64::from(i32::MAX)) {
        return Err(Error::value(op, format!("expected {what} from {least} to {}, got {bad}", i32::MAX)));
    }
    let mut all = [absent; 3];
    for (axis, slot) in all[3 - spatial..].iter_mut().enumerate() {
        *slot = values[if values.len() == 1 { 0 } else { axis }] as usize;
    }
    Ok(all)
}

/// The spatial sizes of `(..., d, h, w)`.
pub fn sizes(shape: &[usize], spatial: usize) -> Axes3 {
    let mut all = [1; 3];
    all[3 - spatial..].copy_from_slice(&shape[shape.len() - spatial..]);
    all
}

/// The shape `lead` followed by the last `spatial` of three sizes.
pub fn joined(lead: &[usize], sizes: Axes3, spatial: usize) -> crate::shape::Shape {
    lead.iter().copied().chain(sizes[3 - spatial..].iter().copied()).collect()
}

/// `op` with the number of spatial axes: one of the three names given.
pub fn named(names: [&'static str; 3], spatial: usize) -> &'static str {
    names[spatial.clamp(1, 3) - 1]
}

/// Runs `body` on `(N, C, ...)`, giving an input without the batch axis one and taking it away from the results.
pub fn batched<const R: usize>(
    op: &str,
    x: &Tensor,
    spatial: usize,
    body: impl FnOnce(&Tensor) -> Result<[Tensor; R]>,
) -> Result<[Tensor; R]> {
    if x.rank() == spatial + 2 {
        return body(x);
    }
    if x.rank() != spatial + 1 {
        let (n, got) = (spatial + 2, shape::display(x.shape()));
        let message = format!("expected an input of {n} axes, or {} without a batch, got shape {got}", n - 1);
        return Err(Error::shape(op, message));
    }
    let mut results = body(&movement::expand_dims(x, &[0])?)?;
    for y in &mut results {
        *y = movement::squeeze(y, &[0])?;
    }
    Ok(results)
}

pub fn expect_float(op: &str, x: &Tensor) -> Result<()> {
    match x.dtype().is_float() {
        true => Ok(()),
        false => Err(Error::dtype(op, format!("wrong dtype, expected a real floating-point type, got {}", x.dtype()))),
    }
}
