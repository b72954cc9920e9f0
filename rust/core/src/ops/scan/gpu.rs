//! Running sums and products on the device: one thread a line.

use super::Cumulative;
use super::cpu::Lines;
use crate::autograd::Gradient;
use crate::error::Result;
use crate::gpu::{Element, Launch, Source};
use crate::ops::copy;
use crate::storage::Output;
use crate::tensor::Tensor;

/// Lines of one workgroup of `scan.wgsl`.
const GROUP: usize = 64;

pub fn cumulative(op: &Cumulative, x: &Tensor, out: &Output) -> Result<()> {
    let x = copy::contiguous(&x.detach())?;
    let Lines { n, inner } = Lines::of(x.shape(), op.axis);
    let outer: usize = x.shape()[..op.axis].iter().product();
    let (from, to) = (Element::of(op.name(), x.dtype())?, Element::of(op.name(), out.dtype)?);
    Launch::new(op.name(), out)?
        .input(&x)?
        .params(&[outer, n, inner, x.layout().offset].map(|number| number as u32))
        .number("PRODUCT", u32::from(op.product))
        .number("INITIAL", u32::from(op.initial))
        .run((outer * inner).div_ceil(GROUP), || {
            let source = Source::new(include_str!("scan.wgsl")).alias("In", from.wgsl());
            source.alias("Acc", to.computed()).alias("Out", to.wgsl())
        })
}
