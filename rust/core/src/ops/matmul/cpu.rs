//! Matrix products on the CPU: layouts handed to the product engine as they are, without copies.

use crate::cpu::gemm::{self, Entry, Kept, Matrix, Start};
use crate::dispatch;
use crate::error::Result;
use crate::ops::copy;
use crate::shape::{self, Layout};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::borrow::Cow;

pub fn matmul(a: &Tensor, b: &Tensor, out: &mut Output) -> Result<()> {
    let batch = &out.shape[..out.shape.len() - 2];
    let (la, lb) = (stretched("matmul", a.layout(), batch)?, stretched("matmul", b.layout(), batch)?);
    dispatch!(out.dtype, "matmul", [numeric], T => run::<T>("matmul", (a, &la), (b, &lb), None, None, out))
}

/// A layout with these batch axes before the last two.
fn stretched<'a>(op: &str, layout: &'a Layout, batch: &[usize]) -> Result<Cow<'a, Layout>> {
    let matrix = layout.rank() - 2;
    if layout.shape[..matrix] == *batch {
        return Ok(Cow::Borrowed(layout));
    }
    let shape: SmallVec<[usize; 6]> = batch.iter().chain(&layout.shape[matrix..]).copied().collect();
    layout.broadcast_to(op, &shape).map(Cow::Owned)
}

pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, out: &mut Output) -> Result<()> {
    let lx = match x.rank() {
        1 => Cow::Owned(x.layout().broadcast_to("linear", &[1, x.numel()])?),
        _ => Cow::Borrowed(x.layout()),
    };
    let w = weight.layout();
    let transposed = Layout {
        shape: w.shape.iter().rev().copied().collect(),
        strides: w.strides.iter().rev().copied().collect(),
        offset: w.offset,
    };
    let lw = stretched("linear", &transposed, &lx.shape[..lx.rank() - 2])?;
    let bias = bias.map(copy::contiguous).transpose()?;
    let (x, w, kept) = ((x, &*lx), (weight, &*lw), weight.storage().kept());
    dispatch!(out.dtype, "linear", [numeric], T => run::<T>("linear", x, w, kept, bias.as_ref(), out))
}

fn run<T: Entry>(
    op: &str,
    a: (&Tensor, &Layout),
    b: (&Tensor, &Layout),
    kept: Option<&Kept>,
    bias: Option<&Tensor>,
    out: &mut Output,
) -> Result<()> {
    let a = Matrix::new(op, a.0.elements::<T>()?, a.1)?;
    let b = Matrix::new(op, b.0.elements::<T>()?, b.1)?;
    let b = match kept {
        Some(kept) => b.kept_in(kept),
        None => b,
    };
    let bias = bias.map(|b| b.slice::<T>()).transpose()?;
    let numel = shape::checked_numel(op, &out.shape)?;
    gemm::product(op, &a, &b, bias.map_or(Start::Zero, Start::Row), &mut out.slice_mut::<T>()?[..numel])
}
