//! Discrete Fourier transforms (array API), one axis at a time through `rustfft`.

mod cpu;
mod frequencies;

pub use frequencies::{fftfreq, fftshift, ifftshift, rfftfreq};

use super::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::autograd::{Gradient, Grads, Saved, not_differentiable};
use crate::dtype::Kind;
use crate::error::{Error, Result};
use crate::shape::{normalize_axes, normalize_axis};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// What is transformed into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Complex,
    /// Real values to the first half of their spectrum.
    FromReal,
    /// The first half of a Hermitian spectrum to real values.
    ToReal,
}

/// The sign of the exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Inverse,
}

use Direction::{Forward, Inverse};

/// Where the factor `1/n` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Into the inverse transform.
    Backward,
    /// Its square root into both.
    Ortho,
    /// Into the forward transform.
    Forward,
}

impl Norm {
    pub fn from_name(op: &str, name: &str) -> Result<Norm> {
        match name {
            "backward" => Ok(Norm::Backward),
            "ortho" => Ok(Norm::Ortho),
            "forward" => Ok(Norm::Forward),
            other => {
                Err(Error::value(op, format!("unknown norm, expected 'backward', 'ortho' or 'forward', got {other:?}")))
            }
        }
    }

    fn factor(self, n: usize, direction: Direction) -> f64 {
        match (self, direction) {
            (Norm::Ortho, _) => 1.0 / (n as f64).sqrt(),
            (Norm::Backward, Inverse) | (Norm::Forward, Forward) => 1.0 / n as f64,
            _ => 1.0,
        }
    }
}

/// A transform of length `n` along the last axis of a contiguous operand, which is trimmed or padded with zeros.
#[derive(Debug, Clone, Copy)]
pub struct Transform {
    name: &'static str,
    domain: Domain,
    direction: Direction,
    n: usize,
    factor: f64,
}

impl Gradient for Transform {
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable(self.name)
    }
}

impl Op for Transform {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let x = inputs[0];
        let mut shape = x.shape_owned();
        if let Some(last) = shape.last_mut() {
            *last = if self.domain == Domain::FromReal { self.n / 2 + 1 } else { self.n };
        }
        let dtype = if self.domain == Domain::ToReal { x.dtype().real() } else { x.dtype().complex() };
        Ok(smallvec![Spec { shape, dtype }])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        cpu::transform(self, inputs[0], &mut outputs[0])
    }
}

/// The operand in the type the transform reads.
fn operand(op: &str, x: &Tensor, domain: Domain) -> Result<Tensor> {
    let dtype = x.dtype();
    match (dtype.kind(), domain) {
        (Kind::Float, Domain::FromReal) => cast::astype(x, dtype.compute()),
        (Kind::Complex, Domain::FromReal) => {
            Err(Error::dtype(op, format!("expected a real floating-point type, got {dtype}")))
        }
        (Kind::Float | Kind::Complex, _) => cast::astype(x, dtype.complex()),
        _ => Err(Error::dtype(op, format!("expected a floating-point type, got {dtype}"))),
    }
}

/// One transform along one axis; `n` counts the real values where one side is real.
fn along(
    name: &'static str,
    x: &Tensor,
    (domain, direction): (Domain, Direction),
    n: Option<i64>,
    axis: i64,
    norm: Norm,
) -> Result<Tensor> {
    let x = operand(name, x, domain)?;
    let axis = normalize_axis(name, axis, x.rank())? as i64;
    let have = x.shape()[axis as usize] as i64;
    let n = n.unwrap_or(if domain == Domain::ToReal { 2 * (have - 1) } else { have });
    let length = usize::try_from(n).ok().filter(|&n| n > 0);
    let length =
        length.ok_or_else(|| Error::value(name, format!("expected a transform of at least one point, got {n}")))?;
    let rows = copy::contiguous(&movement::move_axes(&x, &[axis], &[-1])?)?;
    let factor = norm.factor(length, direction);
    let y = apply1(Transform { name, domain, direction, n: length, factor }, &[&rows])?;
    movement::move_axes(&y, &[-1], &[axis])
}

macro_rules! one_axis {
    ($($(#[$doc:meta])* $name:ident = $domain:ident $direction:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(x: &Tensor, n: Option<i64>, axis: i64, norm: Norm) -> Result<Tensor> {
            along(stringify!($name), x, (Domain::$domain, Direction::$direction), n, axis, norm)
        }
    )*};
}

one_axis! {
    /// The Fourier transform along an axis, over `n` points.
    fft = Complex Forward;
    /// The inverse of `fft`.
    ifft = Complex Inverse;
    /// The non-negative half of the spectrum of real values.
    rfft = FromReal Forward;
    /// The inverse of `rfft`: `n` real values from half a spectrum.
    irfft = ToReal Inverse;
    /// The real spectrum, of `n` values, of a signal with Hermitian symmetry given by its first half.
    hfft = ToReal Forward;
    /// The inverse of `hfft`.
    ihfft = FromReal Inverse;
}

/// Axes and lengths of an n-dimensional transform: `s` needs `axes`; -1 takes the whole axis.
fn plan(op: &str, x: &Tensor, s: Option<&[i64]>, axes: Option<&[i64]>) -> Result<SmallVec<[(i64, Option<i64>); 6]>> {
    let axes: SmallVec<[usize; 6]> = match (axes, s) {
        (Some(axes), _) => normalize_axes(op, axes, x.rank())?,
        (None, None) => (0..x.rank()).collect(),
        (None, Some(_)) => return Err(Error::value(op, "expected axes together with s, got s alone")),
    };
    if let Some(s) = s
        && s.len() != axes.len()
    {
        return Err(Error::value(op, format!("expected as many sizes as axes, got {} and {}", s.len(), axes.len())));
    }
    let size = |i: usize| s.map(|s| s[i]).filter(|&n| n != -1);
    Ok(axes.iter().enumerate().map(|(i, &axis)| (axis as i64, size(i))).collect())
}

macro_rules! many_axes {
    ($($(#[$doc:meta])* $name:ident = $direction:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(x: &Tensor, s: Option<&[i64]>, axes: Option<&[i64]>, norm: Norm) -> Result<Tensor> {
            let op = stringify!($name);
            let mut y = operand(op, x, Domain::Complex)?;
            for (axis, n) in plan(op, x, s, axes)?.into_iter().rev() {
                y = along(op, &y, (Domain::Complex, Direction::$direction), n, axis, norm)?;
            }
            Ok(y)
        }
    )*};
}

many_axes! {
    /// The Fourier transform along several axes, all of them when none is named.
    fftn = Forward;
    /// The inverse of `fftn`.
    ifftn = Inverse;
}

/// `rfft` along the last of the axes, `fft` along the others.
pub fn rfftn(x: &Tensor, s: Option<&[i64]>, axes: Option<&[i64]>, norm: Norm) -> Result<Tensor> {
    let op = "rfftn";
    let plan = plan(op, x, s, axes)?;
    let Some((&(axis, n), rest)) = plan.split_last() else { return Err(no_axes(op)) };
    let mut y = along(op, x, (Domain::FromReal, Forward), n, axis, norm)?;
    for &(axis, n) in rest.iter().rev() {
        y = along(op, &y, (Domain::Complex, Forward), n, axis, norm)?;
    }
    Ok(y)
}

/// The inverse of `rfftn`; the last size of `s` counts real values.
pub fn irfftn(x: &Tensor, s: Option<&[i64]>, axes: Option<&[i64]>, norm: Norm) -> Result<Tensor> {
    let op = "irfftn";
    let plan = plan(op, x, s, axes)?;
    let Some((&(last, n), rest)) = plan.split_last() else { return Err(no_axes(op)) };
    let mut y = operand(op, x, Domain::ToReal)?;
    for &(axis, n) in rest {
        y = along(op, &y, (Domain::Complex, Inverse), n, axis, norm)?;
    }
    along(op, &y, (Domain::ToReal, Inverse), n, last, norm)
}

fn no_axes(op: &str) -> Error {
    Error::value(op, "expected at least one axis, got none")
}

#[cfg(test)]
mod tests;
