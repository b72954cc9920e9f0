//! Products of matrices and vectors that belong to the main namespace.

use crate::rows;
use crate::table::Row;
use crate::table::args::{Arg, FromPython, Ints};
use ferrograd_core::Tensor;
use ferrograd_core::ops::einsum;
use ferrograd_core::ops::matmul;
use ferrograd_core::ops::matmul::Contracted;
use pyo3::prelude::*;

/// `axes` of tensordot: a count, or the axes of each operand.
pub enum Axes {
    Count(i64),
    Pairs(Vec<i64>, Vec<i64>),
}

impl FromPython for Axes {
    const HINT: &'static str = "int | tuple[Sequence[int], Sequence[int]]";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Axes> {
        if let Ok(count) = i64::from_python(arg) {
            return Ok(Axes::Count(count));
        }
        let (a, b): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            arg.value.extract().map_err(|_| arg.wrong("an int or two sequences"))?;
        let ints =
            |v: &Bound<'_, PyAny>| Ints::from_python(&Arg { op: arg.op, name: arg.name, value: v.as_borrowed() });
        Ok(Axes::Pairs(ints(&a)?.0, ints(&b)?.0))
    }
}

impl Axes {
    pub fn core(&self) -> Contracted<'_> {
        match self {
            Axes::Count(n) => Contracted::Count(*n),
            Axes::Pairs(a, b) => Contracted::Pairs(a, b),
        }
    }
}

pub const STANDARD: &[Row] = rows! {
    /// The matrix product; leading axes broadcast, 1-d operands are rows or columns.
    matmul [x1: Tensor, x2: Tensor] () {} -> Tensor = matmul::matmul(&x1, &x2);
    /// The sum of products over the named axes of both tensors.
    tensordot [x1: Tensor, x2: Tensor] () {axes: Axes = Axes::Count(2)} -> Tensor = matmul::tensordot(&x1, &x2, axes.core());
    /// The sum of products along one axis; complex x1 is conjugated.
    vecdot [x1: Tensor, x2: Tensor] () {axis: i64 = -1} -> Tensor = matmul::vecdot(&x1, &x2, axis);
};

pub const NETWORK: &[Row] = rows! {
    /// The inner product of two 1-d tensors.
    dot [] (x: Tensor, other: Tensor) {} -> Tensor = matmul::dot(&x, &other);
};

pub const FUNCTIONS: &[Row] = rows! {
    _einsum [equation: String, operands: Vec<Tensor>] () {} -> Tensor = einsum::einsum(&equation, &operands.iter().collect::<Vec<_>>());
};
