//! Attention and its gradient in ops that have gradients themselves: for gradients of gradients, and of masks.

use super::{Attention, band};
use crate::cpu::parts::for_each_item;
use crate::dispatch;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::elementwise::Operand;
use crate::ops::{create, matmul, movement, reduce, select, softmax};
use crate::random::TILE;
use crate::scalar::{Scalar, ScalarElement};
use crate::tensor::Tensor;

fn times(x: &Tensor, number: f64) -> Result<Tensor> {
    let row = crate::ops::binary::Binary::multiply;
    crate::ops::elementwise::call(row, &[Operand::Tensor(x), Operand::Number(Scalar::Float(number))], &[])
}

/// Query heads that share keys become rows of one matrix.
fn by_keys(attention: &Attention, x: &Tensor) -> Result<Tensor> {
    let (heads, group) = (attention.sizes.heads, attention.sizes.group);
    let last = x.shape()[x.rank() - 1];
    movement::reshape(x, &[heads / group, group * attention.sizes.rows, last])
}

/// Probabilities `(heads / group, group * rows, columns)`; zeros in rows that see nothing.
fn probabilities(attention: &Attention, q: &Tensor, k: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    let sizes = attention.sizes;
    let least = Operand::Number(Scalar::Float(f64::NEG_INFINITY));
    let mut scores =
        times(&matmul::matmul(&by_keys(attention, q)?, &movement::matrix_transpose(k)?)?, attention.scale)?;
    let shape = scores.shape_owned();
    let whole = [sizes.heads, sizes.rows, sizes.columns];
    let mut seen = None;
    if attention.causal {
        let ones = create::ones(&[sizes.rows, sizes.columns], DType::Bool, q.device())?;
        seen = Some(movement::broadcast_to(&create::tril(&ones, 0)?, &whole)?);
    }
    match mask {
        Some(mask) if mask.dtype().is_bool() => seen = Some(movement::reshape(mask, &whole)?),
        Some(mask) => scores = scores.add(&movement::reshape(mask, &shape)?)?,
        None => {}
    }
    if let Some(seen) = seen {
        scores = select::choose(&movement::reshape(&seen, &shape)?, Operand::Tensor(&scores), least)?;
    }
    let highest = reduce::max(&scores.detach(), Some(&[-1]), true)?;
    let nothing = highest.equal(&create::full_like(&highest, Scalar::Float(f64::NEG_INFINITY))?)?;
    let zero = Operand::Number(Scalar::Float(0.0));
    let finite = select::choose(&nothing, zero, Operand::Tensor(&scores))?;
    select::choose(&nothing, zero, Operand::Tensor(&softmax::softmax(&finite, -1, None)?))
}

/// What every probability is multiplied with: the kernels' dropout mask.
fn kept(attention: &Attention, like: &Tensor) -> Result<Option<Tensor>> {
    let Some(dropout) = attention.dropout else { return Ok(None) };
    let (columns, scale) = (attention.sizes.columns, band::kept_scale(dropout.p));
    let threshold = band::threshold(dropout.p);
    let mut mask = create::zeros_like(like)?;
    dispatch!(like.dtype(), super::NAME, [wide], T => {
        for_each_item(mask.make_mut::<T>()?.chunks_mut(columns.max(1)).enumerate(), |(row, mask)| {
            let mut words = [0; TILE];
            for (tile, mask) in mask.chunks_mut(TILE).enumerate() {
                dropout.stream.words((row * columns.div_ceil(TILE) + tile) as u64, &mut words);
                for (mask, &word) in mask.iter_mut().zip(&words) {
                    let value = if u64::from(word) >= threshold { scale } else { 0.0 };
                    *mask = T::from_scalar(Scalar::Float(value));
                }
            }
            Ok(())
        })
    })?;
    Ok(Some(mask))
}

fn dropped(x: &Tensor, kept: &Option<Tensor>) -> Result<Tensor> {
    kept.as_ref().map_or_else(|| Ok(x.clone()), |kept| x.multiply(kept))
}

pub fn forward(attention: &Attention, [q, k, v]: [&Tensor; 3], mask: Option<&Tensor>) -> Result<Tensor> {
    let p = probabilities(attention, q, k, mask)?;
    let y = matmul::matmul(&dropped(&p, &kept(attention, &p)?)?, v)?;
    movement::reshape(&y, &[attention.sizes.heads, attention.sizes.rows, attention.sizes.value_width])
}

/// Gradients of queries, keys and values.
pub fn backward(
    attention: &Attention,
    [q, k, v]: [&Tensor; 3],
    mask: Option<&Tensor>,
    dy: &Tensor,
) -> Result<[Tensor; 3]> {
    let p = probabilities(attention, q, k, mask)?;
    let kept = kept(attention, &p)?;
    let (q_rows, dy) = (by_keys(attention, q)?, by_keys(attention, dy)?);
    let transposed = movement::matrix_transpose;
    let dv = matmul::matmul(&transposed(&dropped(&p, &kept)?)?, &dy)?;
    let dp = dropped(&matmul::matmul(&dy, &transposed(v)?)?, &kept)?;
    let shared = reduce::sum(&dp.multiply(&p)?, Some(&[-1]), None, true)?;
    let ds = times(&p.multiply(&dp.subtract(&shared)?)?, attention.scale)?;
    let dq = movement::reshape(&matmul::matmul(&ds, k)?, q.shape())?;
    Ok([dq, matmul::matmul(&transposed(&ds)?, &q_rows)?, dv])
}
