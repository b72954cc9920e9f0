//! Scaled dot-product attention, block by block with an online softmax: neither scores nor probabilities are stored.
//! Forward keeps one number a row (the log of its sum of exponentials); backward computes the probabilities again.

mod backward;
mod band;
mod composed;
mod forward;
mod lanes;
mod mask;

use super::spatial::expect_float;
use super::{Op, Spec, Specs, apply, cast, copy, movement};
use crate::autograd::{self, Gradient, Grads, Saved, Saves, only};
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::shape::{self, Shape};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

const NAME: &str = "scaled_dot_product_attention";

/// Sizes of a problem whose batch axes are flattened; `group` query heads share one head of keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    heads: usize,
    group: usize,
    rows: usize,
    columns: usize,
    width: usize,
    value_width: usize,
}

/// Inputs: queries `(heads, rows, width)`, keys and values `(heads / group, columns, ...)`, and a mask that broadcasts to
/// `(..., rows, columns)`. Outputs: `(heads, rows, value_width)` and the logs of the rows' sums.
#[derive(Debug, Clone, Copy)]
struct Attention {
    sizes: Sizes,
    scale: f64,
    causal: bool,
    dropout: Option<Dropout>,
}

/// Probabilities dropped at random; the mask is drawn again in backward.
#[derive(Debug, Clone, Copy)]
struct Dropout {
    p: f64,
    stream: Stream,
}

impl Attention {
    /// Operations when every pair of a query and a key takes products over so many widths and value widths.
    fn flops_of(&self, widths: usize, value_widths: usize) -> u64 {
        let Sizes { heads, rows, columns, width, value_width, .. } = self.sizes;
        let pairs = match self.causal {
            true => (0..rows).map(|row| columns.min(row + 1)).sum(),
            false => rows * columns,
        };
        (2 * heads * (widths * width + value_widths * value_width)) as u64 * pairs as u64
    }
}

impl Gradient for Attention {
    fn name(&self) -> &'static str {
        NAME
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let dy = only(dy)?;
        let mut grads: Grads = smallvec![None; saved.len()];
        if autograd::is_grad_enabled() {
            let mask = if saved.len() > 3 { Some(saved.input(3)?) } else { None };
            let all = composed::backward(self, [saved.input(0)?, saved.input(1)?, saved.input(2)?], mask, dy)?;
            grads.iter_mut().zip(all).for_each(|(slot, grad)| *slot = Some(grad));
            return Ok(grads);
        }
        let (output, dy) = (saved.output(0)?.detach(), copy::contiguous(dy)?);
        let logs = saved.output(1)?.detach();
        let mut inputs: SmallVec<[&Tensor; 8]> = smallvec![saved.input(0)?, saved.input(1)?, saved.input(2)?];
        inputs.extend([&output, &logs, &dy]);
        if saved.len() > 3 {
            inputs.push(saved.input(3)?);
        }
        for (slot, grad) in grads.iter_mut().zip(apply(AttentionBackward(*self), &inputs)?) {
            *slot = Some(grad);
        }
        Ok(grads)
    }
}

impl Op for Attention {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let Sizes { heads, rows, value_width, .. } = self.sizes;
        let dtype = inputs[0].dtype();
        Ok(smallvec![Spec::new(&[heads, rows, value_width], dtype), Spec::new(&[heads, rows], dtype)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [out, logs] = outputs else { return Err(Error::internal(NAME, "expected two outputs")) };
        dispatch!(inputs[0].dtype(), NAME, [wide], T => {
            let [q, k, v] = [inputs[0].slice::<T>()?, inputs[1].slice()?, inputs[2].slice()?];
            let mask = mask::Mask::new(inputs.get(3).copied())?;
            forward::forward(self, [q, k, v], &mask, out.slice_mut()?, logs.slice_mut()?)
        })
    }
    fn flops(&self, _: &[&Tensor], _: &[Tensor]) -> u64 {
        self.flops_of(1, 1)
    }
}

/// Inputs: queries, keys, values, output, logs of sums, gradient of the output, mask. Outputs: gradients of the first three.
#[derive(Debug)]
struct AttentionBackward(Attention);

impl Gradient for AttentionBackward {
    fn name(&self) -> &'static str {
        NAME
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        Err(Error::grad(NAME, "the fused backward has no gradient; pass create_graph=True to the first one"))
    }
}

impl Op for AttentionBackward {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(inputs[..3].iter().map(|x| Spec::like(x)).collect())
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [dq, dk, dv] = outputs else { return Err(Error::internal(NAME, "expected three outputs")) };
        dispatch!(inputs[0].dtype(), NAME, [wide], T => {
            let slices = inputs[..6].iter().map(|x| x.slice::<T>()).collect::<Result<SmallVec<[&[T]; 6]>>>()?;
            let mask = mask::Mask::new(inputs.get(6).copied())?;
            let saved = backward::Saved { operands: [slices[0], slices[1], slices[2]], output: slices[3], logs: slices[4], dy: slices[5] };
            backward::backward(&self.0, &saved, &mask, [dq.slice_mut()?, dk.slice_mut()?, dv.slice_mut()?])
        })
    }
    fn flops(&self, _: &[&Tensor], _: &[Tensor]) -> u64 {
        self.0.flops_of(3, 2)
    }
}

/// Options of attention; `scale` is one over the square root of the width by default. Dropout needs a stream.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    pub mask: Option<&'a Tensor>,
    pub dropout_p: f64,
    pub is_causal: bool,
    pub scale: Option<f64>,
    pub enable_gqa: bool,
}

/// Batch axes of the result, the group size, and the flattened operands.
fn flatten(q: &Tensor, k: &Tensor, v: &Tensor, gqa: bool) -> Result<(Shape, usize, [Tensor; 3])> {
    let split = |x: &Tensor| -> (Shape, [usize; 2]) {
        let (batch, matrix) = x.shape().split_at(x.rank() - 2);
        (SmallVec::from_slice(batch), [matrix[0], matrix[1]])
    };
    let ((mut q_batch, q_size), (mut k_batch, k_size), (mut v_batch, v_size)) = (split(q), split(k), split(v));
    let mut group = 1;
    let mut heads = None;
    if gqa {
        let (Some(many), Some(few), Some(same)) = (q_batch.pop(), k_batch.pop(), v_batch.pop()) else {
            return Err(Error::shape(NAME, "enable_gqa needs a head axis before the last two"));
        };
        if few != same || few == 0 || many % few != 0 {
            let message =
                format!("expected query heads to be a multiple of key and value heads, got {many}, {few} and {same}");
            return Err(Error::shape(NAME, message));
        }
        group = many / few;
        heads = Some([many, few]);
    }
    let common = shape::broadcast(NAME, &shape::broadcast(NAME, &q_batch, &k_batch)?, &v_batch)?;
    let stretched = |x: &Tensor, head: Option<usize>, size: [usize; 2]| {
        let full: Shape = common.iter().copied().chain(head).chain(size).collect();
        let flat = common.iter().product::<usize>() * head.unwrap_or(1);
        copy::contiguous(&movement::reshape(&movement::broadcast_to(x, &full)?, &[flat, size[0], size[1]])?)
    };
    let (many, few) = (heads.map(|h| h[0]), heads.map(|h| h[1]));
    let operands = [stretched(q, many, q_size)?, stretched(k, few, k_size)?, stretched(v, few, v_size)?];
    Ok((common.into_iter().chain(many).collect(), group, operands))
}

fn check_mask(mask: &Tensor, dtype: DType, full: &[usize]) -> Result<Tensor> {
    if !mask.dtype().is_bool() && mask.dtype() != dtype {
        let message = format!("expected a mask of bool or of the queries' {dtype}, got {}", mask.dtype());
        return Err(Error::dtype(NAME, message));
    }
    let mask = if mask.dtype().is_bool() { mask.clone() } else { cast::astype(mask, dtype.compute())? };
    movement::broadcast_to(&mask, full).map_err(|_| {
        let (want, got) = (shape::display(full), shape::display(mask.shape()));
        Error::shape(NAME, format!("mask does not broadcast to the scores, expected {want}, got {got}"))
    })
}

/// `softmax(scale * q k^T + mask) v` over `(..., L, E)`, `(..., S, E)` and `(..., S, Ev)`. Bool masks are true where a
/// query may look; a query that may look nowhere gives zeros.
pub fn scaled_dot_product_attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    options: &Options,
    stream: Option<Stream>,
) -> Result<Tensor> {
    let dtype = q.dtype();
    for (what, x) in [("query", q), ("key", k), ("value", v)] {
        expect_float(NAME, x)?;
        if x.rank() < 2 || x.dtype() != dtype {
            let got = format!("{} {}", x.dtype(), shape::display(x.shape()));
            return Err(Error::shape(NAME, format!("expected {what} (..., length, width) of {dtype}, got {got}")));
        }
    }
    let [rows, width] = [q.shape()[q.rank() - 2], q.shape()[q.rank() - 1]];
    let [columns, key_width] = [k.shape()[k.rank() - 2], k.shape()[k.rank() - 1]];
    let [value_columns, value_width] = [v.shape()[v.rank() - 2], v.shape()[v.rank() - 1]];
    if width != key_width || columns != value_columns {
        let [q, k, v] = [q, k, v].map(|x| shape::display(x.shape()));
        return Err(Error::shape(NAME, format!("query {q}, key {k} and value {v} do not fit together")));
    }
    if !(0.0..=1.0).contains(&options.dropout_p) {
        return Err(Error::value(NAME, format!("expected dropout_p in [0, 1], got {}", options.dropout_p)));
    }
    if options.is_causal && options.mask.is_some() {
        return Err(Error::value(NAME, "expected either a mask or is_causal, got both"));
    }
    let scale = options.scale.unwrap_or(1.0 / (width.max(1) as f64).sqrt());
    let dropout = match options.dropout_p {
        0.0 => None,
        p => Some(Dropout { p, stream: stream.ok_or_else(|| Error::value(NAME, "dropout needs a random stream"))? }),
    };
    let wide = |x: &Tensor| cast::astype(x, dtype.compute());
    let (batch, group, [q, k, v]) = flatten(&wide(q)?, &wide(k)?, &wide(v)?, options.enable_gqa)?;
    let full: Shape = batch.iter().copied().chain([rows, columns]).collect();
    let mask = options.mask.map(|mask| check_mask(mask, dtype, &full)).transpose()?;
    let sizes = Sizes { heads: q.shape()[0], group, rows, columns, width, value_width };
    let attention = Attention { sizes, scale, causal: options.is_causal, dropout };
    let y = match &mask {
        // The kernels take masks as constants.
        Some(mask) if autograd::must_record(&[mask]) => composed::forward(&attention, [&q, &k, &v], Some(mask))?,
        Some(mask) => apply(attention, &[&q, &k, &v, mask])?.swap_remove(0),
        None => apply(attention, &[&q, &k, &v])?.swap_remove(0),
    };
    let shape: Shape = batch.into_iter().chain([rows, value_width]).collect();
    cast::astype(&movement::reshape(&y, &shape)?, dtype)
}

#[cfg(test)]
mod tests;
