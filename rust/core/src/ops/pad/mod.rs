//! Padding: a constant, the mirrored or repeated edge, or the other end, around any of the last axes.

use super::copy::write_region;
use super::{Op, Spec, Specs, apply1, index, movement};
use crate::autograd::{Gradient, Grads, Saved, one, only};
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::scalar::{Scalar, ScalarElement};
use crate::shape::{self, Layout};
use crate::storage::Output;
use crate::tensor::Tensor;
use movement::Span;
use smallvec::{SmallVec, smallvec};

/// What stands in the padded places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    Constant(Scalar),
    /// Mirrored at the edge, which is not repeated.
    Reflect,
    /// The edge itself.
    Replicate,
    /// The other end.
    Circular,
}

impl Mode {
    pub fn parse(name: &str, value: Scalar) -> Result<Mode> {
        match name {
            "constant" => Ok(Mode::Constant(value)),
            "reflect" => Ok(Mode::Reflect),
            "replicate" => Ok(Mode::Replicate),
            "circular" => Ok(Mode::Circular),
            _ => {
                let expected = "expected 'constant', 'reflect', 'replicate' or 'circular'";
                Err(Error::value("pad", format!("unknown mode, {expected}, got {name:?}")))
            }
        }
    }
}

type Amounts = SmallVec<[(usize, usize); 6]>;

/// The input inside a larger tensor of one value; `amounts` are the widths before and behind each axis.
#[derive(Debug, Clone)]
struct Border {
    amounts: Amounts,
    value: Scalar,
}

impl Border {
    /// Where the input lies in a tensor of the padded `shape`.
    fn spans(&self, shape: &[usize]) -> SmallVec<[Span; 6]> {
        let inner = |(&n, &(before, behind)): (&usize, &(usize, usize))| {
            let count = n - before - behind;
            Span { start: if count == 0 { 0 } else { before }, step: 1, count }
        };
        shape.iter().zip(&self.amounts).map(inner).collect()
    }
}

impl Gradient for Border {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let dy = only(dy)?;
        one(movement::slice(dy, &self.spans(dy.shape()))?)
    }
}

impl Op for Border {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let mut spec = Spec::like(inputs[0]);
        for (n, &(before, behind)) in spec.shape.iter_mut().zip(&self.amounts) {
            *n = padded_size(*n, before, behind)?;
        }
        Ok(smallvec![spec])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(inputs[0].dtype(), self.name(), [any], T => {
            let value = T::from_scalar(self.value);
            crate::cpu::pool::for_each_chunk(outputs[0].slice_mut::<T>()?, 64 * 1024, |_, part| part.fill(value))
        })?;
        let region = movement::spanned(&Layout::contiguous(&outputs[0].shape), &self.spans(&outputs[0].shape));
        write_region(inputs[0], &mut outputs[0], &region)
    }
}

fn padded_size(n: usize, before: usize, behind: usize) -> Result<usize> {
    let size = n.checked_add(before).and_then(|n| n.checked_add(behind));
    size.ok_or_else(|| Error::shape("pad", "the padded size is too large"))
}

/// Pads the last axes: `pad` holds (before, behind) of the last axis first. Negative widths cut off.
pub fn pad(x: &Tensor, pad: &[i64], mode: Mode) -> Result<Tensor> {
    let op = "pad";
    if !pad.len().is_multiple_of(2) || pad.len() / 2 > x.rank() {
        let most = 2 * x.rank();
        return Err(Error::value(op, format!("expected an even number of widths, at most {most}, got {}", pad.len())));
    }
    let mut widths: SmallVec<[(i64, i64); 6]> = smallvec![(0, 0); x.rank()];
    pad.chunks(2).zip(widths.iter_mut().rev()).for_each(|(pair, width)| *width = (pair[0], pair[1]));
    match mode {
        Mode::Constant(value) => constant(x, &widths, value),
        _ => (0..x.rank()).try_fold(x.clone(), |y, axis| extended(&y, axis, widths[axis], mode)),
    }
}

fn constant(x: &Tensor, widths: &[(i64, i64)], value: Scalar) -> Result<Tensor> {
    if value.kind() > x.dtype().kind() {
        let message = format!("the value does not fit, expected one for {}, got {value:?}", x.dtype());
        return Err(Error::dtype("pad", message));
    }
    if !value.fits(x.dtype()) {
        return Err(Error::value("pad", format!("value out of range for {}", x.dtype())));
    }
    let cut = |width: i64| width.min(0).unsigned_abs() as usize;
    let mut spans: SmallVec<[Span; 6]> = SmallVec::new();
    for (&n, &(before, behind)) in x.shape().iter().zip(widths) {
        let count = n.checked_sub(cut(before)).and_then(|n| n.checked_sub(cut(behind)));
        let Some(count) = count else {
            let message = format!("negative widths cut off more than there is, got ({before}, {behind}) for size {n}");
            return Err(Error::value("pad", message));
        };
        spans.push(Span { start: if count == 0 { 0 } else { cut(before) }, step: 1, count });
    }
    let kept = if widths.iter().any(|&(a, b)| a < 0 || b < 0) { movement::slice(x, &spans)? } else { x.clone() };
    let amounts: Amounts = widths.iter().map(|&(a, b)| (a.max(0) as usize, b.max(0) as usize)).collect();
    match amounts.iter().all(|&amount| amount == (0, 0)) {
        true => Ok(kept),
        false => apply1(Border { amounts, value }, &[&kept]),
    }
}

/// One axis extended by its own elements: each place of the result says which element it repeats.
fn extended(x: &Tensor, axis: usize, (before, behind): (i64, i64), mode: Mode) -> Result<Tensor> {
    let op = "pad";
    if (before, behind) == (0, 0) {
        return Ok(x.clone());
    }
    let n = x.shape()[axis];
    let most = match mode {
        Mode::Reflect => n.saturating_sub(1),
        Mode::Circular => n,
        _ if n == 0 => 0,
        _ => usize::MAX,
    };
    let width = |w: i64| usize::try_from(w).ok().filter(|&w| w <= most);
    let (Some(before), Some(behind)) = (width(before), width(behind)) else {
        let (name, limit) = (format!("{mode:?}").to_lowercase(), shape::display(x.shape()));
        let message = format!(
            "too wide for {name} padding, expected 0 to {most} on axis {axis} of {limit}, got ({before}, {behind})"
        );
        return Err(Error::value(op, message));
    };
    let size = padded_size(n, before, behind)?;
    let mut full = x.shape_owned();
    full[axis] = size;
    shape::checked_numel(op, &full)?;
    let mut places = super::create::zeros(&[size], DType::I64, x.device())?;
    for (i, place) in places.make_mut::<i64>()?.iter_mut().enumerate() {
        let (i, n) = (i as i64 - before as i64, n as i64);
        *place = match mode {
            Mode::Reflect if i < 0 => -i,
            Mode::Reflect if i >= n => 2 * (n - 1) - i,
            Mode::Circular => i.rem_euclid(n),
            _ => i.clamp(0, n - 1),
        };
    }
    index::rows::take(op, x, axis, &places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(n: i64, widths: &[i64], mode: Mode) -> Result<Vec<i64>> {
        let x = Tensor::from_slice(&(0..n).collect::<Vec<_>>(), &[n as usize]).unwrap();
        let y = super::super::copy::contiguous(&pad(&x, widths, mode)?)?;
        Ok(y.slice::<i64>()?.to_vec())
    }

    #[test]
    fn each_mode_fills_as_torch_does() {
        let constant = Mode::Constant(Scalar::Int(9));
        assert_eq!(padded(3, &[1, 2], constant).unwrap(), [9, 0, 1, 2, 9, 9]);
        assert_eq!(padded(4, &[-1, 1], constant).unwrap(), [1, 2, 3, 9]);
        assert_eq!(padded(4, &[2, 3], Mode::Reflect).unwrap(), [2, 1, 0, 1, 2, 3, 2, 1, 0]);
        assert_eq!(padded(2, &[3, 1], Mode::Replicate).unwrap(), [0, 0, 0, 0, 1, 1]);
        assert_eq!(padded(3, &[3, 2], Mode::Circular).unwrap(), [0, 1, 2, 0, 1, 2, 0, 1]);
    }

    #[test]
    fn the_first_pair_belongs_to_the_last_axis() {
        let x = Tensor::from_slice(&[1i64, 2], &[1, 2]).unwrap();
        let y = pad(&x, &[1, 0, 0, 1], Mode::Constant(Scalar::Int(0))).unwrap();
        assert_eq!((y.shape(), y.slice::<i64>().unwrap()), (&[2usize, 3][..], &[0i64, 1, 2, 0, 0, 0][..]));
    }

    #[test]
    fn widths_out_of_range_are_errors() {
        assert!(padded(3, &[1], Mode::Reflect).is_err() && padded(3, &[0, 0, 0, 0], Mode::Reflect).is_err());
        assert!(padded(3, &[3, 0], Mode::Reflect).is_err() && padded(3, &[0, -1], Mode::Circular).is_err());
        assert!(padded(0, &[1, 0], Mode::Replicate).is_err() && padded(3, &[4, 0], Mode::Circular).is_err());
        let constant = Mode::Constant(Scalar::Int(0));
        assert!(padded(3, &[-2, -2], constant).is_err() && padded(3, &[i64::MIN, 0], constant).is_err());
        assert!(padded(3, &[i64::MAX, i64::MAX], constant).is_err());
        assert!(padded(3, &[0, i64::MAX], Mode::Replicate).is_err());
        assert!(padded(3, &[1, 1], Mode::Constant(Scalar::Float(0.5))).is_err());
    }
}
