use crate::*;
pub fn sum_to(_: &Tensor, _: &[usize]) -> Result<Tensor> {
    Err(Error::internal("add", "x"))
}
