//! The op behind every declared row: one formula, run over blocks of its operands, with its derivatives beside it.

pub(super) mod cpu;
pub mod expression;
pub(super) mod gpu;
pub mod row;
pub mod vocabulary;

pub use row::{Class, Compute, Derivative, Formula, Kernels, Row};

use super::{Op, Spec, Specs, apply1, binary, cast, movement};
use crate::autograd::{self, Gradient, Grads, Saved, Saves, not_differentiable, only};
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::shape::{self, Shape};
use crate::storage::Output;
use crate::tensor::Tensor;
use cpu::Stored;
use expression::Expr;
use smallvec::{SmallVec, smallvec};

/// What a formula is applied to: a tensor, or one number for all elements.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'a> {
    Tensor(&'a Tensor),
    Number(Scalar),
}

impl<'a> From<&'a Tensor> for Operand<'a> {
    fn from(x: &'a Tensor) -> Operand<'a> {
        Operand::Tensor(x)
    }
}

impl From<f64> for Operand<'_> {
    fn from(x: f64) -> Self {
        Operand::Number(Scalar::Float(x))
    }
}

pub type Operands<'a> = SmallVec<[Operand<'a>; 4]>;

/// Which formula of a row a kernel computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Value,
    /// The gradient with respect to one operand.
    Gradient(usize),
}

/// One formula of a row with its constants filled in. Its tensors have one shape and, but for a condition, one dtype.
#[derive(Debug, Clone)]
pub struct Elementwise {
    pub row: &'static Row,
    pub part: Part,
    /// The operand that is a number, if one is.
    pub number: Option<(usize, Scalar)>,
    pub parameters: SmallVec<[f64; 3]>,
}

/// `row` applied to one tensor.
pub fn of_one(row: &'static Row, x: &Tensor, parameters: &[f64]) -> Result<Tensor> {
    call(row, &[Operand::Tensor(x)], parameters)
}

/// `row` applied to two tensors.
pub fn of_two(row: &'static Row, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    call(row, &[Operand::Tensor(a), Operand::Tensor(b)], &[])
}

/// Promotes, broadcasts and runs. At most one operand is a number; numbers are weak: they take the tensor's dtype.
pub fn call(row: &'static Row, operands: &[Operand], parameters: &[f64]) -> Result<Tensor> {
    if row.name == "pow"
        && let [Operand::Tensor(x), Operand::Number(exponent)] = operands
        && let Some(result) = binary::power(x, *exponent)
    {
        return result;
    }
    let dtype = common_dtype(row, operands)?;
    let number = operands.iter().enumerate().find_map(|(i, o)| match o {
        Operand::Number(value) => Some((i, *value)),
        Operand::Tensor(_) => None,
    });
    if let Some((_, value)) = number {
        check_fits(row.name, value, dtype)?;
    }
    let op = Elementwise { row, part: Part::Value, number, parameters: SmallVec::from_slice(parameters) };
    let tensors: SmallVec<[&Tensor; 2]> = operands.iter().filter_map(Operand::tensor).collect();
    let Some(first) = tensors.first() else {
        return Err(Error::value(row.name, "expected at least one tensor, got numbers only"));
    };
    if tensors.iter().all(|x| x.dtype() == dtype && x.shape() == first.shape()) {
        return apply1(op, &tensors);
    }
    let mut common = first.shape_owned();
    for x in &tensors[1..] {
        common = shape::broadcast(row.name, &common, x.shape())?;
    }
    let alike = |x: &&Tensor| movement::broadcast_to(&cast::astype(x, dtype)?, &common);
    let alike: SmallVec<[Tensor; 2]> = tensors.iter().map(alike).collect::<Result<_>>()?;
    apply1(op, &alike.iter().collect::<SmallVec<[&Tensor; 2]>>())
}

fn common_dtype(row: &Row, operands: &[Operand]) -> Result<DType> {
    let mut common: Option<DType> = None;
    for x in operands.iter().filter_map(Operand::tensor) {
        common = Some(common.map_or(Ok(x.dtype()), |c| c.promote(x.dtype()))?);
    }
    let mut common = common.unwrap_or(DType::F32);
    for operand in operands {
        if let Operand::Number(value) = operand {
            common = value.weak_dtype(common);
        }
    }
    row.class.compute(row.name, common)
}

/// An integer outside an integer dtype is an error, never a wrapped number.
pub fn check_fits(op: &str, value: Scalar, dtype: DType) -> Result<()> {
    if value.fits(dtype) {
        return Ok(());
    }
    Err(Error::value(op, format!("number out of range, expected one that fits {dtype}, got {}", value.to_i128())))
}

impl<'a> Operand<'a> {
    pub(super) fn tensor(&self) -> Option<&'a Tensor> {
        match self {
            Operand::Tensor(x) => Some(x),
            Operand::Number(_) => None,
        }
    }
}

impl Elementwise {
    pub fn formula(&self) -> &'static Formula {
        match self.part {
            Part::Value => &self.row.value,
            Part::Gradient(operand) => &self.row.gradients[operand].formula,
        }
    }

    /// What stands for each name of the formula. In a gradient these are the operands, the result `y` and its
    /// gradient `dy`; the inputs are those that the formula reads, and `dy` in any case.
    pub fn slots<'a>(&self, inputs: &[&'a Tensor]) -> Operands<'a> {
        let mut next = inputs.iter();
        let mut slot = |i: usize, read: bool| match self.number {
            Some((at, value)) if at == i => Some(Operand::Number(value)),
            _ if read => next.next().map(|x| Operand::Tensor(x)),
            _ => Some(Operand::Number(Scalar::Int(0))),
        };
        let formula = self.formula();
        (0..formula.slots).filter_map(|i| slot(i, formula.reads >> i & 1 == 1 || i + 1 == formula.slots)).collect()
    }

    /// The operand that input `i` of the forward op is.
    fn operand(&self, input: usize) -> usize {
        match self.number {
            Some((at, _)) if at <= input => input + 1,
            _ => input,
        }
    }

    fn derivative(&self, input: usize, saved: &Saved, dy: &Tensor) -> Result<Tensor> {
        let operand = self.operand(input);
        let Some(derivative) = self.row.gradients.get(operand) else {
            not_differentiable(self.row.name)?;
            return Err(Error::internal(self.row.name, "no gradient"));
        };
        let formula = &derivative.formula;
        if formula.text == "dy" {
            return Ok(dy.clone());
        }
        let arity = self.row.arity();
        let mut read: SmallVec<[&Tensor; 4]> = SmallVec::new();
        for input in 0..saved.len() {
            if formula.reads >> self.operand(input) & 1 == 1 {
                read.push(saved.input(input)?);
            }
        }
        if formula.reads >> arity & 1 == 1 {
            read.push(saved.output(0)?);
        }
        read.push(dy);
        let op = Elementwise { part: Part::Gradient(operand), ..self.clone() };
        if !autograd::must_record(&read) {
            return apply1(op, &read);
        }
        let slots: SmallVec<[Expr; 4]> = op.slots(&read).iter().map(Expr::from).collect();
        (derivative.expression)(&slots, &self.parameters).into_tensor_like(dy)
    }
}

impl Gradient for Elementwise {
    fn name(&self) -> &'static str {
        self.row.name
    }

    fn saves(&self) -> Saves {
        let arity = self.row.arity();
        let inputs = 0..arity - usize::from(self.number.is_some());
        let reads = |i: usize| self.row.gradients.get(self.operand(i)).map_or(0, |d| d.formula.reads);
        let reads = inputs.clone().fold(0, |all, i| all | reads(i));
        let inputs = inputs.filter(|&i| reads >> self.operand(i) & 1 == 1).fold(0, |mask, i| mask | 1 << i);
        Saves { inputs, outputs: reads >> arity & 1 }
    }

    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let dy = only(dy)?;
        let gradient = |i: usize| saved.needs(i).then(|| self.derivative(i, saved, dy)).transpose();
        (0..saved.len()).map(gradient).collect()
    }
}

impl Op for Elementwise {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let [first, rest @ ..] = inputs else { return Err(Error::internal(self.row.name, "no operand")) };
        if rest.iter().any(|x| x.shape() != first.shape() || x.dtype() != first.dtype()) {
            return Err(Error::internal(self.row.name, "operands of different shape or dtype"));
        }
        let dtype = match self.formula().kernels {
            Kernels::Values(_) => first.dtype(),
            Kernels::Reals(_) => first.dtype().real(),
            Kernels::Truths(_) => DType::Bool,
        };
        Ok(smallvec![Spec { shape: Shape::from_slice(first.shape()), dtype }])
    }

    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (name, parameters) = (self.row.name, &self.parameters[..]);
        let (slots, out) = (self.slots(inputs), &mut outputs[0]);
        let dtype = inputs[0].dtype();
        let unknown = || Error::dtype(name, format!("not defined for {dtype}"));
        dispatch!(dtype, name, [any], T => match &self.formula().kernels {
            Kernels::Values(blocks) => {
                let block = <T as Stored>::Compute::pick(blocks).ok_or_else(unknown)?;
                cpu::run::<T, T>(name, &slots, out, &|blocks, out| block(blocks, parameters, out))
            }
            Kernels::Reals(blocks) => {
                let block = <T as Stored>::Compute::pick(blocks).ok_or_else(unknown)?;
                cpu::run::<T, <T as Stored>::Real>(name, &slots, out, &|blocks, out| block(blocks, parameters, out))
            }
            Kernels::Truths(blocks) => {
                let block = <T as Stored>::Compute::pick(blocks).ok_or_else(unknown)?;
                cpu::run::<T, bool>(name, &slots, out, &|blocks, out| block(blocks, parameters, out))
            }
        })
    }

    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::run(self, &self.slots(inputs), &outputs[0])
    }
}

#[cfg(test)]
mod tests;
