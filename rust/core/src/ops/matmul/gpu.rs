//! Matrix products on the device: strides, batches and transposes are read in place.

use crate::error::{Error, Result};
use crate::gpu::{Element, Launch, Source};
use crate::ops::{copy, movement};
use crate::plan::Plan;
use crate::shape::{self, Layout, Shape};
use crate::storage::Output;
use crate::tensor::Tensor;

/// Axes of the batch that the shader walks.
const BATCH_RANK: usize = 3;
/// Side of an output tile, and elements of a strip of `matmul_columns`.
const TILE: usize = 64;

const BIAS: &str = "
@group(0) @binding(3) var<storage, read> bias: array<Elem>;
fn finish(value: Acc, column: u32) -> Elem {
    return Elem(value + Acc(bias[params.offsets[2] + column]));
}";

pub fn matmul(a: &Tensor, b: &Tensor, out: &Output) -> Result<()> {
    product("matmul", a, b, None, out)
}

pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, out: &Output) -> Result<()> {
    let x = match x.rank() {
        1 => x.with_layout(x.layout().broadcast_to("linear", &[1, x.numel()])?)?,
        _ => x.detach(),
    };
    let bias = bias.map(copy::contiguous).transpose()?;
    product("linear", &x, &movement::matrix_transpose(&weight.detach())?, bias.as_ref(), out)
}

/// The axes before the last two, broadcast to `batch`.
fn batch_layout(op: &str, x: &Tensor, batch: &[usize]) -> Result<Layout> {
    let (layout, outer) = (x.layout(), x.rank() - 2);
    let Layout { shape, strides, offset } = layout;
    Layout { shape: shape[..outer].into(), strides: strides[..outer].into(), offset: *offset }.broadcast_to(op, batch)
}

fn product(op: &'static str, a: &Tensor, b: &Tensor, bias: Option<&Tensor>, out: &Output) -> Result<()> {
    let (rank_a, rank_b) = (a.rank(), b.rank());
    let ([.., m, k], [.., n]) = (a.shape(), b.shape()) else { return Err(Error::internal(op, "expected matrices")) };
    let (m, k, n) = (*m, *k, *n);
    let batch = shape::broadcast(op, &a.shape()[..rank_a - 2], &b.shape()[..rank_b - 2])?;
    let (outer_a, outer_b) = (batch_layout(op, a, &batch)?, batch_layout(op, b, &batch)?);
    // The layouts of the operands are proven; this plan only merges the axes of the batch.
    let plan = Plan::new(op, [&outer_a, &outer_b], [usize::MAX; 2])?;
    if plan.shape().len() > BATCH_RANK {
        let whole = |x: &Tensor, rows: usize, columns: usize| {
            let shape: Shape = batch.iter().copied().chain([rows, columns]).collect();
            copy::copied(&movement::broadcast_to(&x.detach(), &shape)?)
        };
        return product(op, &whole(a, m, k)?, &whole(b, k, n)?, bias, out);
    }
    let (a_strides, b_strides) = (&a.layout().strides[rank_a - 2..], &b.layout().strides[rank_b - 2..]);
    let (mut m, mut batches) = (m, plan.numel());
    // Matrices stacked without a gap and multiplied by one and the same matrix are one tall matrix.
    if let ([count], [0]) = (plan.shape(), plan.strides(1))
        && plan.strides(0)[0] == m as isize * a_strides[0]
    {
        (m, batches) = (m * count, 1);
    }
    let size = m * n;
    let along_k = |strides: isize| u32::from(strides == 1);
    let (a_along_k, b_along_k) = (along_k(a_strides[1]), along_k(b_strides[0]));
    let (entry, groups) = match (m, n) {
        (1, _) if b_along_k == 1 => ("matmul_dots", size),
        (_, 1) if a_along_k == 1 => ("matmul_dots", size),
        (1, _) | (_, 1) => ("matmul_columns", size.div_ceil(TILE)),
        _ => ("matmul_tiles", m.div_ceil(TILE) * n.div_ceil(TILE)),
    };
    let pad = |values: &[isize], fill: isize| {
        let mut padded = [fill; BATCH_RANK];
        padded[BATCH_RANK - values.len()..].copy_from_slice(values);
        padded.map(|value| value as u32)
    };
    let extents: Vec<isize> = plan.shape().iter().map(|&extent| extent as isize).collect();
    let pair = |strides: &[isize]| [strides[0] as u32, strides[1] as u32];
    let bias_offset = bias.map_or(0, |bias| bias.layout().offset);
    let element = Element::of(op, out.dtype)?;
    let launch = Launch::new(entry, out)?
        .input(a)?
        .input(b)?
        .params(&[m as u32, n as u32, k as u32, batches as u32])
        .params(&[pair(a_strides), pair(b_strides)])
        .params(&[plan.offset(0) as u32, plan.offset(1) as u32, bias_offset as u32])
        .params(&[pad(&extents, 1), pad(plan.strides(0), 0), pad(plan.strides(1), 0)])
        .number("A_ALONG_K", a_along_k)
        .number("B_ALONG_K", b_along_k)
        .work(2.0 * size as f64 * k as f64 * batches as f64);
    let launch = match bias {
        Some(bias) => launch.input(bias)?,
        None => launch,
    };
    launch.run(groups * batches, || {
        let source = Source::new(include_str!("matmul.wgsl")).entry(entry);
        let source = source.alias("Elem", element.wgsl()).alias("Acc", element.computed());
        if bias.is_some() { source.section("epilogue", BIAS) } else { source }
    })
}
