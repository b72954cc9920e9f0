//! Choosing between two values element by element: where, masked_fill, clip.

use super::elementwise::{self, Operand, cpu, gpu};
use super::{Op, Spec, Specs, apply1, cast, movement};
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::binary::Binary;
use crate::scalar::Scalar;
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// The condition is the first input; a choice that is a number is not an input.
#[derive(Debug)]
struct Where {
    numbers: [Option<Scalar>; 2],
    dtype: DType,
}

impl Where {
    /// The two choices.
    fn choices<'a>(&self, inputs: &[&'a Tensor]) -> Result<[Operand<'a>; 2]> {
        let mut tensors = inputs[1..].iter();
        let missing = || Error::internal("where", "missing operand");
        let mut choice = |number: Option<Scalar>| match number {
            Some(number) => Ok(Operand::Number(number)),
            None => tensors.next().map(|x| Operand::Tensor(x)).ok_or_else(missing),
        };
        Ok([choice(self.numbers[0])?, choice(self.numbers[1])?])
    }
}

impl Gradient for Where {
    fn name(&self) -> &'static str {
        "where"
    }
    fn saves(&self) -> Saves {
        Saves::inputs(1)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (condition, dy) = (saved.input(0)?, Operand::Tensor(only(dy)?));
        let zero = Operand::Number(Scalar::Int(0));
        let choices = [(dy, zero), (zero, dy)].into_iter().zip(self.numbers).filter(|(_, n)| n.is_none());
        let mut grads: Grads = smallvec![None];
        for (i, ((a, b), _)) in choices.enumerate() {
            grads.push(saved.needs(i + 1).then(|| choose(condition, a, b)).transpose()?);
        }
        Ok(grads)
    }
}

impl Op for Where {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let [condition, rest @ ..] = inputs else { return Err(Error::internal("where", "no condition")) };
        let fits = |x: &&Tensor| x.shape() == condition.shape() && x.dtype() == self.dtype;
        if condition.dtype() != DType::Bool || !rest.iter().all(fits) {
            return Err(Error::internal("where", "operands of different shape or dtype"));
        }
        Ok(smallvec![Spec::new(condition.shape(), self.dtype)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [a, b] = self.choices(inputs)?;
        dispatch!(self.dtype, "where", [any], T => {
            cpu::select::<T>(&Operand::Tensor(inputs[0]), &a, &b, &mut outputs[0])
        })
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [a, b] = self.choices(inputs)?;
        gpu::select(&Operand::Tensor(inputs[0]), &a, &b, &outputs[0])
    }
}

/// `a` where the condition holds, else `b`; broadcast and promoted. One of the two may be a number.
pub fn choose(condition: &Tensor, a: Operand, b: Operand) -> Result<Tensor> {
    let op = "where";
    if condition.dtype() != DType::Bool {
        return Err(Error::dtype(op, format!("expected a condition of bool, got {}", condition.dtype())));
    }
    let (mut common, mut dtype) = (condition.shape_owned(), None::<DType>);
    for x in [&a, &b].into_iter().filter_map(Operand::tensor) {
        common = shape::broadcast(op, &common, x.shape())?;
        dtype = Some(dtype.map_or(Ok(x.dtype()), |d| d.promote(x.dtype()))?);
    }
    let mut numbers = [None; 2];
    let mut inputs: SmallVec<[Tensor; 3]> = smallvec![movement::broadcast_to(condition, &common)?];
    let mut dtype =
        dtype.ok_or_else(|| Error::value(op, "expected at least one tensor to choose from, got numbers"))?;
    for operand in [&a, &b] {
        if let Operand::Number(number) = operand {
            dtype = number.weak_dtype(dtype);
        }
    }
    for (operand, number) in [&a, &b].into_iter().zip(&mut numbers) {
        match operand {
            Operand::Tensor(x) => inputs.push(movement::broadcast_to(&cast::astype(x, dtype)?, &common)?),
            Operand::Number(value) => {
                elementwise::check_fits(op, *value, dtype)?;
                *number = Some(*value);
            }
        }
    }
    apply1(Where { numbers, dtype }, &inputs.iter().collect::<SmallVec<[&Tensor; 3]>>())
}

/// `a` where the condition holds, else `b`.
pub fn where_(condition: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    choose(condition, Operand::Tensor(a), Operand::Tensor(b))
}

/// `x` with `value` where the mask holds; the dtype stays.
pub fn masked_fill(x: &Tensor, mask: &Tensor, value: Operand) -> Result<Tensor> {
    let op = "masked_fill";
    if mask.dtype() != DType::Bool {
        return Err(Error::dtype(op, format!("expected a mask of bool, got {}", mask.dtype())));
    }
    let value = match value {
        Operand::Number(number) if number.weak_dtype(x.dtype()) != x.dtype() => {
            let message = format!("the value does not fit, expected one for {}, got {number:?}", x.dtype());
            return Err(Error::dtype(op, message));
        }
        Operand::Tensor(v) if v.rank() != 0 => {
            let message = format!("expected a number or a 0-d tensor, got shape {}", shape::display(v.shape()));
            return Err(Error::shape(op, message));
        }
        Operand::Tensor(v) if v.dtype().promote(x.dtype())? != x.dtype() => {
            return Err(Error::dtype(op, format!("expected a value of {}, got {}", x.dtype(), v.dtype())));
        }
        value => value,
    };
    choose(mask, value, Operand::Tensor(x))
}

/// `x` kept between two bounds, each a number, a tensor or absent; the dtype stays.
pub fn clip(x: &Tensor, min: Option<Operand>, max: Option<Operand>) -> Result<Tensor> {
    let bound = |x: &Tensor, row, bound: Option<Operand>| match bound {
        None => Ok(x.clone()),
        Some(bound) => elementwise::call(row, &[Operand::Tensor(x), bound], &[]).map_err(|e| e.renamed("clip")),
    };
    let clipped = bound(&bound(x, Binary::clamp_min, min)?, Binary::clamp_max, max)?;
    cast::astype(&clipped, x.dtype())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Options, gradients};

    fn vector(data: &[f64]) -> Tensor {
        Tensor::from_slice(data, &[data.len()]).unwrap()
    }

    #[test]
    fn where_takes_from_both_and_sends_gradients_back() {
        let condition = Tensor::from_slice(&[true, false, true], &[3]).unwrap();
        let (a, b) = (vector(&[1.0, 2.0, 3.0]).leaf().unwrap(), vector(&[10.0, 20.0, 30.0]).leaf().unwrap());
        let y = where_(&condition, &a, &b).unwrap();
        assert_eq!(y.slice::<f64>().unwrap(), &[1.0, 20.0, 3.0]);
        let grads = gradients(&[(y, vector(&[5.0, 6.0, 7.0]))], &[a, b], Options::default()).unwrap();
        assert_eq!(grads[0].as_ref().unwrap().slice::<f64>().unwrap(), &[5.0, 0.0, 7.0]);
        assert_eq!(grads[1].as_ref().unwrap().slice::<f64>().unwrap(), &[0.0, 6.0, 0.0]);
    }

    #[test]
    fn where_promotes_and_broadcasts() {
        let condition = Tensor::from_slice(&[true, false], &[2, 1]).unwrap();
        let a = Tensor::from_slice(&[1i32, 2], &[2]).unwrap();
        let y = choose(&condition, Operand::Tensor(&a), Operand::from(0.5)).unwrap();
        assert_eq!((y.dtype(), y.shape()), (DType::F32, &[2usize, 2][..]));
        assert_eq!(y.slice::<f32>().unwrap(), &[1.0, 2.0, 0.5, 0.5]);
        assert!(choose(&a, Operand::Tensor(&a), Operand::from(0.5)).is_err());
        assert!(choose(&condition, Operand::from(1.0), Operand::from(0.5)).is_err());
    }

    #[test]
    fn masked_fill_keeps_the_dtype() {
        let mask = Tensor::from_slice(&[true, false], &[2]).unwrap();
        let x = Tensor::from_slice(&[1i32, 2], &[2]).unwrap();
        let y = masked_fill(&x, &mask, Operand::Number(Scalar::Int(9))).unwrap();
        assert_eq!(y.slice::<i32>().unwrap(), &[9, 2]);
        assert!(masked_fill(&x, &mask, Operand::from(0.5)).is_err());
        assert!(masked_fill(&x, &mask, Operand::Tensor(&x)).is_err());
    }

    #[test]
    fn clip_takes_numbers_and_tensors() {
        let x = vector(&[-5.0, 0.5, 5.0, f64::NAN]);
        let low = vector(&[-9.0, 1.0, 0.0, 0.0]);
        let y = clip(&x, Some(Operand::Tensor(&low)), Some(Operand::from(3.0))).unwrap();
        assert_eq!(y.slice::<f64>().unwrap()[..3], [-5.0, 1.0, 3.0]);
        assert!(y.slice::<f64>().unwrap()[3].is_nan());
        assert_eq!(clip(&x, None, None).unwrap().slice::<f64>().unwrap()[..3], [-5.0, 0.5, 5.0]);
    }
}
