//! Row functions on the device: one workgroup a row.

use super::RowFunction::{self, LogSumExp};
use crate::error::Result;
use crate::gpu::{Element, Launch, MATH, Source};
use crate::storage::Output;
use crate::tensor::Tensor;

pub fn forward(function: RowFunction, x: &Tensor, out: &Output) -> Result<()> {
    rows("softmax_rows", function, &[x], x, out)
}

pub fn backward(function: RowFunction, inputs: &[&Tensor], out: &Output) -> Result<()> {
    let kernel = if function == LogSumExp { "logsumexp_rows_backward" } else { "softmax_rows_backward" };
    rows(kernel, function, inputs, inputs[inputs.len() - 1], out)
}

/// Runs an entry of `softmax.wgsl` on contiguous operands, the rows being those of `matrix`.
fn rows(kernel: &'static str, function: RowFunction, inputs: &[&Tensor], matrix: &Tensor, out: &Output) -> Result<()> {
    let element = Element::of(function.name(), matrix.dtype())?;
    let columns = matrix.shape().last().copied().unwrap_or(1);
    let count: usize = matrix.shape()[..matrix.rank().saturating_sub(1)].iter().product();
    let mut offsets = [0; 3];
    let mut launch = Launch::new(kernel, out)?.number("FUNCTION", function as u32);
    for (x, offset) in inputs.iter().zip(&mut offsets) {
        *offset = x.layout().offset as u32;
        launch = launch.input(x)?;
    }
    let launch = launch.params(&[count as u32, columns as u32]).params(&offsets).work(8.0 * matrix.numel() as f64);
    launch.run(count, || {
        Source::new(include_str!("softmax.wgsl")).entry(kernel).alias("Elem", element.wgsl()).library(MATH)
    })
}
