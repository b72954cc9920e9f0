//! Rotary position embedding (Su et al. 2021): pairs of features turned by angles that grow with the position.

mod cpu;

use super::spatial::expect_float;
use super::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::dispatch;
use crate::error::{Error, Result};
use crate::shape::{self, Shape};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

const NAME: &str = "rotate_positions";

/// Inputs: `x` (..., T, D), then cosines and sines (rows, D / 2), used again and again for the rows of `x`.
/// The gradient turns back, so that nothing but the angles is kept.
#[derive(Debug, Clone, Copy)]
struct Rotate {
    interleaved: bool,
    back: bool,
}

impl Gradient for Rotate {
    fn name(&self) -> &'static str {
        NAME
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b110)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let back = Rotate { back: !self.back, ..*self };
        let dx = apply1(back, &[&copy::contiguous(only(dy)?)?, saved.input(1)?, saved.input(2)?])?;
        Ok(smallvec![Some(dx), None, None])
    }
}

impl Op for Rotate {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [x, cos, sin] = inputs else { return Err(Error::internal(NAME, "expected three operands")) };
        dispatch!(x.dtype(), NAME, [wide], T => {
            let turn = cpu::Turn { cos: cos.slice::<T>()?, sin: sin.slice()?, half: cos.shape()[1], back: self.back };
            cpu::rotate(&turn, self.interleaved, x.slice()?, outputs[0].slice_mut()?)
        })
    }
}

/// The pairs `(i, i + D / 2)` of the last axis of `x` (..., T, D), or `(2 i, 2 i + 1)` if interleaved, turned by the
/// angles whose cosines and sines (..., T, D / 2) are given; these get no gradient.
pub fn rotate_positions(x: &Tensor, cos: &Tensor, sin: &Tensor, interleaved: bool) -> Result<Tensor> {
    expect_float(NAME, x)?;
    let width = x.shape().last().copied().unwrap_or(0);
    if x.rank() < 2 || width % 2 == 1 {
        let got = shape::display(x.shape());
        return Err(Error::shape(NAME, format!("expected (..., T, D) with an even D, got shape {got}")));
    }
    if cos.requires_grad() || sin.requires_grad() {
        return Err(Error::grad(NAME, "cos and sin get no gradient, expected constants; detach() them"));
    }
    let wide = |x: &Tensor| cast::astype(x, x.dtype().compute());
    let (cos, sin) = (table("cos", x, &wide(cos)?)?, table("sin", x, &wide(sin)?)?);
    if cos.shape() != sin.shape() {
        let [cos, sin] = [cos, sin].map(|x| shape::display(x.shape()));
        return Err(Error::shape(NAME, format!("expected cos and sin of one shape, got {cos} and {sin}")));
    }
    let rotate = Rotate { interleaved, back: false };
    let y = apply1(rotate, &[&copy::contiguous(&wide(x)?)?, &cos, &sin])?;
    cast::astype(&y, x.dtype())
}

/// One row of angles for each row of `x`, or for each of its positions where all else shares them.
fn table(what: &str, x: &Tensor, angles: &Tensor) -> Result<Tensor> {
    let mut full: Shape = x.shape_owned();
    let (length, half) = (full[x.rank() - 2], full[x.rank() - 1] / 2);
    full[x.rank() - 1] = half;
    let shared = angles.shape() == [length, half];
    let spread = if shared { Ok(angles.clone()) } else { movement::broadcast_to(angles, &full) };
    let spread = spread.map_err(|_| {
        let (want, got) = (shape::display(&full), shape::display(angles.shape()));
        Error::shape(NAME, format!("{what} does not fit the pairs of x, expected shape {want}, got {got}"))
    })?;
    let rows = if shared { length } else { shape::checked_numel(NAME, &full[..x.rank() - 1])? };
    movement::reshape(&copy::contiguous(&cast::astype(&spread, x.dtype().compute())?)?, &[rows, half])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck::{assert_gradients, random_tensor};

    fn angles(shape: &[usize]) -> (Tensor, Tensor) {
        let angles = random_tensor(shape, 7).mul_scalar(3.0).unwrap();
        (angles.cos().unwrap(), angles.sin().unwrap())
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let x = random_tensor(&[2, 3, 4], 1);
        for (cos, sin) in [angles(&[3, 2]), angles(&[2, 1, 2])] {
            for interleaved in [false, true] {
                assert_gradients(&[&x], |x| rotate_positions(&x[0], &cos, &sin, interleaved)?.square());
            }
        }
    }

    #[test]
    fn lengths_stay_and_turning_back_undoes() {
        let x = random_tensor(&[5, 300, 64], 2);
        let (cos, sin) = angles(&[300, 32]);
        for interleaved in [false, true] {
            let y = rotate_positions(&x, &cos, &sin, interleaved).unwrap();
            let back = rotate_positions(&y, &cos, &sin.negative().unwrap(), interleaved).unwrap();
            let pairs = back.slice::<f64>().unwrap().iter().zip(x.slice::<f64>().unwrap());
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-14));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let x = random_tensor(&[2, 3, 4], 1);
        let (cos, sin) = angles(&[3, 2]);
        let (odd, short) = (random_tensor(&[2, 3], 1), random_tensor(&[3, 1, 1, 2], 1));
        assert!(matches!(rotate_positions(&odd, &cos, &sin, false), Err(Error::Shape(_))));
        assert!(matches!(rotate_positions(&x, &cos, &short, false), Err(Error::Shape(_))));
        assert!(matches!(rotate_positions(&x, &cos.leaf().unwrap(), &sin, false), Err(Error::Grad(_))));
    }
}
