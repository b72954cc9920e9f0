//! What follows a normalisation by channel in the same pass over memory.

use crate::error::{Error, Result};
use crate::ops::elementwise::Operand;
use crate::ops::{cast, create, select};
use crate::scalar::Scalar;
use crate::shape::display;
use crate::tensor::Tensor;

/// `max(y + residual, 0)`, or a part of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Finish<'a> {
    /// As large as what is normalised.
    pub residual: Option<&'a Tensor>,
    pub relu: bool,
}

impl Finish<'_> {
    /// The residual in the type that the kernels compute in.
    pub(super) fn residual_for(&self, op: &str, x: &Tensor) -> Result<Option<Tensor>> {
        match self.residual {
            Some(residual) if residual.shape() != x.shape() => {
                let (want, got) = (display(x.shape()), display(residual.shape()));
                Err(Error::shape(op, format!("expected a residual of shape {want}, got {got}")))
            }
            Some(residual) => cast::astype(residual, x.dtype()).map(Some),
            None => Ok(None),
        }
    }
}

/// `dy` where the relu that gave `y` let values through.
pub fn passed(dy: &Tensor, y: &Tensor) -> Result<Tensor> {
    let zero = create::full(&[], Scalar::Float(0.0), y.dtype(), y.device())?;
    select::masked_fill(dy, &y.less_equal(&zero)?, Operand::from(0.0))
}
