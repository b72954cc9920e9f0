//! Sample frequencies, and spectra shifted so that frequency zero is in the middle.

use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::{cast, create, join, movement};
use crate::scalar::Scalar;
use crate::shape::normalize_axes;
use crate::tensor::Tensor;

/// Whole numbers from `start` to before `stop`, divided by `n d`.
fn frequencies(op: &str, runs: &[(i64, i64)], (n, d): (i64, f64), dtype: DType, device: Device) -> Result<Tensor> {
    if !dtype.is_float() {
        return Err(Error::dtype(op, format!("expected a real floating-point type, got {dtype}")));
    }
    let run = |&(start, stop): &(i64, i64)| {
        let number = |i: i64| Scalar::Int(i as i128);
        create::arange(number(start), number(stop), number(1), DType::I64, device)
    };
    let runs: Vec<Tensor> = runs.iter().map(run).collect::<Result<_>>()?;
    let numbers = join::concat(&runs.iter().collect::<Vec<_>>(), Some(0))?;
    let wide = if device == Device::Cpu { DType::F64 } else { dtype.compute() };
    cast::astype(&cast::astype(&numbers, wide)?.div_scalar(n as f64 * d)?, dtype)
}

fn check_points(op: &str, n: i64) -> Result<()> {
    if n >= 1 {
        return Ok(());
    }
    Err(Error::value(op, format!("expected at least one point, got {n}")))
}

/// The frequencies of `fft` over `n` points `d` apart: zero, the positive ones, then the negative ones.
pub fn fftfreq(n: i64, d: f64, dtype: DType, device: Device) -> Result<Tensor> {
    check_points("fftfreq", n)?;
    frequencies("fftfreq", &[(0, (n - 1) / 2 + 1), (-(n / 2), 0)], (n, d), dtype, device)
}

/// The frequencies of `rfft` over `n` points `d` apart.
pub fn rfftfreq(n: i64, d: f64, dtype: DType, device: Device) -> Result<Tensor> {
    check_points("rfftfreq", n)?;
    frequencies("rfftfreq", &[(0, n / 2 + 1)], (n, d), dtype, device)
}

/// Every named axis rotated so that its last `size(n)` elements come first.
fn rotated(op: &str, x: &Tensor, axes: Option<&[i64]>, last: impl Fn(usize) -> usize) -> Result<Tensor> {
    let all: Vec<i64> = (0..x.rank() as i64).collect();
    let mut y = x.clone();
    for axis in normalize_axes(op, axes.unwrap_or(&all), x.rank())? {
        let n = y.shape()[axis];
        let first = n - last(n);
        let (head, tail) = (movement::narrow(&y, axis, 0, first)?, movement::narrow(&y, axis, first, n - first)?);
        y = join::concat(&[&tail, &head], Some(axis as i64))?;
    }
    Ok(y)
}

/// Frequency zero moved from the front to the middle.
pub fn fftshift(x: &Tensor, axes: Option<&[i64]>) -> Result<Tensor> {
    rotated("fftshift", x, axes, |n| n / 2)
}

/// The inverse of `fftshift`.
pub fn ifftshift(x: &Tensor, axes: Option<&[i64]>) -> Result<Tensor> {
    rotated("ifftshift", x, axes, |n| n.div_ceil(2))
}
