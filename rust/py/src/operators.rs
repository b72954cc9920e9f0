//! Python's operators. Numbers beside a tensor are weak: they take its dtype where their kind allows.

use crate::error::raise;
use crate::interop;
use crate::table::Returned;
use crate::table::args::{FromPython, Operand, SMALL, scalar};
use crate::tensor::PyTensor;
use Operator::{Declared, Matmul};
use ferrograd_core::ops::binary::Binary;
use ferrograd_core::ops::compare::Compare;
use ferrograd_core::ops::elementwise::{self, Row};
use ferrograd_core::ops::matmul::matmul;
use ferrograd_core::shape::display;
use ferrograd_core::{Device, Error, Result, Tensor};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

type Any<'a, 'py> = &'a Bound<'py, PyAny>;
type Object = Py<PyAny>;

/// A number or tensor beside `self`; `None` lets Python try the other operand.
pub fn operand(value: &Bound<'_, PyAny>) -> PyResult<Option<Operand>> {
    if let Ok(tensor) = value.cast::<PyTensor>() {
        return Ok(Some(Operand::Tensor(tensor.get().value())));
    }
    if let Some(number) = scalar(value)? {
        return Ok(Some(Operand::Weak(number)));
    }
    if value.hasattr("__array_interface__")? {
        return Ok(Some(Operand::Tensor(interop::from_object(value, None)?)));
    }
    Ok(None)
}

/// What stands behind an operator: a declared op, or the matrix product.
#[derive(Clone, Copy)]
enum Operator {
    Declared(&'static Row),
    Matmul,
}

impl Operator {
    fn name(self) -> &'static str {
        match self {
            Operator::Declared(row) => row.name,
            Operator::Matmul => "matmul",
        }
    }

    fn run(self, a: &Operand, b: &Operand) -> Result<Tensor> {
        match (self, a, b) {
            (Operator::Declared(row), a, b) => elementwise::call(row, &[a.core(), b.core()], &[]),
            (Operator::Matmul, Operand::Tensor(a), Operand::Tensor(b)) => matmul(a, b),
            _ => Err(Error::shape("matmul", "a number has no axes, expected two Tensors")),
        }
    }
}

/// A declared op on two small tensors of one shape, read where they lie: copying the values would cost as much again.
fn of_small(row: &'static Row, a: &PyTensor, b: &PyTensor) -> Option<Result<Tensor>> {
    let x = a.lock();
    // The same object is locked already; a lock that somebody else holds is not waited for, holding the first.
    let other = if std::ptr::eq(a, b) { None } else { Some(b.try_lock()?) };
    let y = other.as_deref().unwrap_or(&x);
    let small = x.numel() < SMALL && x.shape() == y.shape() && x.device() == Device::Cpu;
    small.then(|| elementwise::of_two(row, &x, y))
}

/// The one way of every operator: `reflected` when `self` stands on the right.
fn operate(slf: &PyTensor, other: Any<'_, '_>, operator: Operator, reflected: bool) -> PyResult<Object> {
    let py = other.py();
    if let (Declared(row), Ok(that)) = (operator, other.cast::<PyTensor>()) {
        let (a, b) = if reflected { (that.get(), slf) } else { (slf, that.get()) };
        if let Some(out) = of_small(row, a, b) {
            return out.map_err(raise)?.into_python(py);
        }
    }
    let Some(other) = operand(other)? else { return Ok(py.NotImplemented()) };
    let this = Operand::Tensor(slf.value());
    let small = this.weight().max(other.weight()) < SMALL;
    let (a, b) = if reflected { (&other, &this) } else { (&this, &other) };
    let out = if small { operator.run(a, b) } else { py.detach(|| operator.run(a, b)) };
    out.map_err(raise)?.into_python(py)
}

/// `x += y`: the value is computed, must keep shape and type, and replaces the old one in this object only.
fn operate_in_place(slf: &PyTensor, other: Any<'_, '_>, operator: Operator) -> PyResult<()> {
    let op = operator.name();
    let wrong = || PyTypeError::new_err(format!("{op}: expected a Tensor or a number on the right"));
    let other = operand(other)?.ok_or_else(wrong)?;
    let this = slf.value();
    let run = || {
        let out = operator.run(&Operand::Tensor(this.clone()), &other)?;
        if out.shape() != this.shape() {
            let (want, got) = (display(this.shape()), display(out.shape()));
            return Err(Error::shape(
                op,
                format!("the result does not fit in place, expected shape {want}, got {got}"),
            ));
        }
        if out.dtype() != this.dtype() {
            let message = format!("the result does not fit in place, expected {}, got {}", this.dtype(), out.dtype());
            return Err(Error::dtype(op, message));
        }
        Ok(out)
    };
    let out = run().map_err(raise)?;
    slf.assign(op, out).map_err(raise)
}

#[pymethods]
impl PyTensor {
    fn __add__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::add), false)
    }
    fn __radd__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::add), true)
    }
    fn __iadd__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::add))
    }
    fn __sub__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::subtract), false)
    }
    fn __rsub__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::subtract), true)
    }
    fn __isub__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::subtract))
    }
    fn __mul__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::multiply), false)
    }
    fn __rmul__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::multiply), true)
    }
    fn __imul__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::multiply))
    }
    fn __truediv__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::divide), false)
    }
    fn __rtruediv__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::divide), true)
    }
    fn __itruediv__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::divide))
    }
    fn __floordiv__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::floor_divide), false)
    }
    fn __rfloordiv__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::floor_divide), true)
    }
    fn __ifloordiv__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::floor_divide))
    }
    fn __mod__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::remainder), false)
    }
    fn __rmod__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::remainder), true)
    }
    fn __imod__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::remainder))
    }
    fn __matmul__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Matmul, false)
    }
    fn __rmatmul__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Matmul, true)
    }
    fn __imatmul__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Matmul)
    }
    fn __and__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_and), false)
    }
    fn __rand__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_and), true)
    }
    fn __iand__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::bitwise_and))
    }
    fn __or__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_or), false)
    }
    fn __ror__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_or), true)
    }
    fn __ior__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::bitwise_or))
    }
    fn __xor__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_xor), false)
    }
    fn __rxor__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_xor), true)
    }
    fn __ixor__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::bitwise_xor))
    }
    fn __lshift__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_left_shift), false)
    }
    fn __rlshift__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_left_shift), true)
    }
    fn __ilshift__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::bitwise_left_shift))
    }
    fn __rshift__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_right_shift), false)
    }
    fn __rrshift__(&self, other: Any<'_, '_>) -> PyResult<Object> {
        operate(self, other, Declared(Binary::bitwise_right_shift), true)
    }
    fn __irshift__(&self, other: Any<'_, '_>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::bitwise_right_shift))
    }
    fn __pow__(&self, other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        operate(self, other, Declared(Binary::pow), false)
    }
    fn __rpow__(&self, other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        operate(self, other, Declared(Binary::pow), true)
    }
    fn __ipow__(&self, other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<()> {
        operate_in_place(self, other, Declared(Binary::pow))
    }

    fn __neg__(&self) -> PyResult<PyTensor> {
        self.value().negative().map(PyTensor::new).map_err(raise)
    }
    fn __pos__(&self) -> PyResult<PyTensor> {
        self.value().positive().map(PyTensor::new).map_err(raise)
    }
    fn __abs__(&self) -> PyResult<PyTensor> {
        self.value().abs().map(PyTensor::new).map_err(raise)
    }
    fn __invert__(&self) -> PyResult<PyTensor> {
        self.value().bitwise_invert().map(PyTensor::new).map_err(raise)
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: pyo3::basic::CompareOp) -> PyResult<Py<PyAny>> {
        use pyo3::basic::CompareOp::*;
        let row = match op {
            Lt => Compare::less,
            Le => Compare::less_equal,
            Eq => Compare::equal,
            Ne => Compare::not_equal,
            Gt => Compare::greater,
            Ge => Compare::greater_equal,
        };
        operate(self, other, Declared(row), false)
    }
}
