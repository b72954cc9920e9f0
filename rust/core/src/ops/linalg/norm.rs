//! Vector and matrix norms.

use super::field::in_field;
use super::{constant, matrix_sizes, operand, svdvals};
use crate::autograd::{Gradient, Grads, Saved, Saves, one, only};
use crate::cpu::pool;
use crate::dtype::{Complex64, Kind};
use crate::error::{Error, Result};
use crate::ops::linalg::field::Field;
use crate::ops::{Op, Spec, Specs, apply1, cast, copy, movement, reduce, select};
use crate::shape::{Shape, normalize_axes};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// The Euclidean length of contiguous rows, without overflow or underflow on the way.
#[derive(Debug)]
struct RowLength;

impl Gradient for RowLength {
    fn name(&self) -> &'static str {
        "vector_norm"
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (x, y, dy) = (saved.input(0)?, saved.output(0)?, only(dy)?);
        // At zero, which has no slope, the gradient is zero.
        let zero = y.equal(&constant(y, 0.0)?)?;
        let scale = dy.divide(&select::where_(&zero, &constant(y, f64::INFINITY)?, y)?)?;
        one(x.multiply(&movement::expand_dims(&scale, &[-1])?)?)
    }
}

impl Op for RowLength {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        Ok(smallvec![Spec::new(&x.shape()[..x.rank() - 1], x.dtype().real())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, count) = (inputs[0], outputs[0].numel());
        let n = x.shape().last().copied().unwrap_or(1);
        let each = (16 * 1024 / n.max(1)).max(1);
        in_field!(x.dtype(), "vector_norm", T => {
            let x = x.slice::<T>()?;
            let out = &mut outputs[0].slice_mut::<<T as Field>::Part>()?[..count];
            pool::for_each_chunk(out, each, |task, chunk| {
                for (i, out) in chunk.iter_mut().enumerate() {
                    *out = T::part(length(&x[(task * each + i) * n..][..n]));
                }
            })
        })
    }
}

fn length<T: Field>(x: &[T]) -> f64 {
    let squares = sum_of_squares(x, |x| x);
    // Squares of float64 leave its range where the length itself does not; float32 never gets here.
    if squares.is_normal() && squares < 1e300 && squares > 1e-290 {
        return squares.sqrt();
    }
    let largest = x.iter().map(|x| x.widen()).fold(0.0, |most: f64, x| most.max(x.re.abs()).max(x.im.abs()));
    if largest == 0.0 || !largest.is_finite() || squares.is_nan() {
        return squares.sqrt();
    }
    sum_of_squares(x, |x| x / largest).sqrt() * largest
}

/// Eight running sums, so that additions overlap and errors stay small.
fn sum_of_squares<T: Field>(x: &[T], scaled: impl Fn(Complex64) -> Complex64) -> f64 {
    let mut sums = [0.0f64; 8];
    for chunk in x.chunks(8) {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += scaled(x.widen()).norm_sqr();
        }
    }
    sums.iter().sum()
}

/// Axes to reduce at the end of the shape, as one; the shape of the result with these axes as ones.
fn rows(x: &Tensor, axes: &[usize]) -> Result<(Tensor, Shape)> {
    let kept: SmallVec<[usize; 6]> = (0..x.rank()).filter(|a| !axes.contains(a)).collect();
    let order: Vec<i64> = kept.iter().chain(axes).map(|&a| a as i64).collect();
    let mut shape: Shape = kept.iter().map(|&a| x.shape()[a]).collect();
    shape.push(axes.iter().map(|&a| x.shape()[a]).product());
    let full = (0..x.rank()).map(|a| if axes.contains(&a) { 1 } else { x.shape()[a] }).collect();
    Ok((movement::reshape(&movement::permute(x, &order)?, &shape)?, full))
}

/// The norm of order `ord` over the axes, over all of them when none are named.
pub fn vector_norm(x: &Tensor, axes: Option<&[i64]>, keepdims: bool, ord: f64) -> Result<Tensor> {
    let op = "vector_norm";
    let dtype = x.dtype();
    if dtype.kind() < Kind::Float {
        return Err(Error::dtype(op, format!("expected a floating-point type, got {dtype}")));
    }
    if ord.is_nan() {
        return Err(Error::value(op, "expected a number or an infinity as ord, got NaN"));
    }
    let x = cast::astype(x, dtype.compute())?;
    let all: Vec<i64> = (0..x.rank() as i64).collect();
    let axes = normalize_axes(op, axes.unwrap_or(&all), x.rank())?;
    let (flat, full) = rows(&x, &axes)?;
    let last = Some(&[-1][..]);
    let total = |x: &Tensor| reduce::sum(x, last, None, false);
    let y = match ord {
        2.0 => apply1(RowLength, &[&copy::contiguous(&flat)?])?,
        1.0 => total(&flat.abs()?)?,
        0.0 => cast::astype(&reduce::count_nonzero(&flat, last, false)?, dtype.compute().real())?,
        f64::INFINITY => reduce::max(&flat.abs()?, last, false)?,
        f64::NEG_INFINITY => reduce::min(&flat.abs()?, last, false)?,
        p => total(&flat.abs()?.pow_scalar(p)?)?.pow_scalar(1.0 / p)?,
    };
    let y = cast::astype(&y, if dtype.is_complex() { dtype.real() } else { dtype })?;
    if keepdims { movement::reshape(&y, &full) } else { Ok(y) }
}

/// The norms of matrices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MatrixNorm {
    /// The root of the sum of squares.
    Frobenius,
    /// The sum of the singular values.
    Nuclear,
    /// 1, -1, 2, -2, infinity or minus infinity.
    Order(f64),
}

impl MatrixNorm {
    pub fn from_name(name: &str) -> Result<MatrixNorm> {
        match name {
            "fro" => Ok(MatrixNorm::Frobenius),
            "nuc" => Ok(MatrixNorm::Nuclear),
            other => Err(Error::value(
                "matrix_norm",
                format!("unknown ord, expected 'fro', 'nuc' or a number, got {other:?}"),
            )),
        }
    }
}

/// A norm of every matrix.
pub fn matrix_norm(x: &Tensor, keepdims: bool, norm: MatrixNorm) -> Result<Tensor> {
    let op = "matrix_norm";
    matrix_sizes(op, x)?;
    let extreme = |x: &Tensor, largest: bool| match largest {
        true => reduce::max(x, Some(&[-1]), false),
        false => reduce::min(x, Some(&[-1]), false),
    };
    let sums = |axis: i64| vector_norm(x, Some(&[axis]), false, 1.0);
    let values = || svdvals(&operand(op, x)?);
    let y = match norm {
        MatrixNorm::Frobenius => return vector_norm(x, Some(&[-2, -1]), keepdims, 2.0),
        MatrixNorm::Nuclear => reduce::sum(&values()?, Some(&[-1]), None, false)?,
        MatrixNorm::Order(ord) => match ord.abs() {
            1.0 => extreme(&sums(-2)?, ord > 0.0)?,
            2.0 => extreme(&values()?, ord > 0.0)?,
            f64::INFINITY => extreme(&sums(-1)?, ord > 0.0)?,
            _ => return Err(Error::value(op, format!("expected ord 1, -1, 2, -2, inf or -inf, got {ord}"))),
        },
    };
    if keepdims { movement::expand_dims(&y, &[-2, -1]) } else { Ok(y) }
}
