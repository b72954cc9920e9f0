//! Gradients against central differences in float64, with a cotangent that no symmetry of the op can hide behind.

use super::{Options, gradients};
use crate::error::Result;
use crate::ops::{copy, reduce};
use crate::tensor::Tensor;

/// Step of the differences: their error is about its square, that of rounding 1e-16 divided by it.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

/// Panics unless the gradient of `f` at `inputs` is right, and that of its gradient too.
#[track_caller]
pub fn assert_gradients(inputs: &[&Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    assert_first_order(inputs, &f);
    assert_first_order(inputs, &|x: &[Tensor]| {
        let inner: Vec<Tensor> =
            x.iter().map(|x| if x.requires_grad() { Ok(x.clone()) } else { x.leaf() }).collect::<Result<_>>()?;
        let options = Options { create_graph: true, ..Options::default() };
        let grads = gradients(&[(weighted(&f(&inner)?)?, one()?)], &inner, options)?;
        let mut total = one()?;
        for (i, grad) in grads.iter().flatten().enumerate() {
            total = total.add(&weighted(&grad.multiply(grad)?)?.multiply(&Tensor::scalar(1.0 + i as f64)?)?)?;
        }
        Ok(total)
    });
}

/// As `assert_gradients`, for ops whose gradient is not itself differentiable in a useful way.
#[track_caller]
pub fn assert_first_order(inputs: &[&Tensor], f: &impl Fn(&[Tensor]) -> Result<Tensor>) {
    let leaves: Vec<Tensor> = inputs.iter().map(|x| x.leaf().unwrap()).collect();
    let root = weighted(&f(&leaves).unwrap()).unwrap();
    // What depends on no input, such as the gradient of a linear op, has gradient zero.
    let grads = match root.requires_grad() {
        true => gradients(&[(root, one().unwrap())], &leaves, Options::default()).unwrap(),
        false => vec![None; leaves.len()],
    };
    for (i, grad) in grads.iter().enumerate() {
        let values = copy::contiguous(inputs[i]).unwrap().slice::<f64>().unwrap().to_vec();
        let grad = match grad {
            Some(grad) => copy::contiguous(&grad.detach()).unwrap().slice::<f64>().unwrap().to_vec(),
            None => vec![0.0; values.len()],
        };
        for place in 0..values.len() {
            let at = |shift: f64| {
                let mut moved = values.clone();
                moved[place] += shift;
                let mut all: Vec<Tensor> = inputs.iter().map(|x| (*x).clone()).collect();
                all[i] = Tensor::from_slice(&moved, inputs[i].shape()).unwrap();
                weighted(&f(&all).unwrap()).unwrap().slice::<f64>().unwrap()[0]
            };
            let want = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            let got = grad[place];
            assert!(
                (got - want).abs() <= TOLERANCE * want.abs().max(1.0),
                "input {i}, element {place}: {got} is not {want}"
            );
        }
    }
}

/// A float64 tensor of numbers between -1 and 1 that depend on position and seed alone.
pub fn random_tensor(shape: &[usize], seed: u64) -> Tensor {
    let mix = |i: u64| {
        let x = (i ^ seed.rotate_left(32)).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((x ^ (x >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let values: Vec<f64> = (0..shape.iter().product::<usize>() as u64).map(mix).collect();
    Tensor::from_slice(&values, shape).unwrap()
}

fn one() -> Result<Tensor> {
    Tensor::scalar(1.0f64)
}

/// The sum of `y` with a fixed irregular weight for each element.
fn weighted(y: &Tensor) -> Result<Tensor> {
    let weights: Vec<f64> = (0..y.numel()).map(|i| ((i * 2654435761 % 1000) as f64 - 480.0) / 500.0).collect();
    reduce::sum(&y.multiply(&Tensor::from_slice(&weights, y.shape())?)?, None, None, false)
}
