//! Arguments on their way from Python to Rust: slots, conversions, and the run without the interpreter lock.

use super::{Returned, Row};
use crate::dtype;
use crate::error::raise;
use crate::tensor::PyTensor;
use ferrograd_core::dtype::Complex64;
use ferrograd_core::ops::elementwise;
use ferrograd_core::{DType, Device, Error, Result, Scalar, Tensor};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyComplexMethods, PyDict, PyFloat, PyInt, PyString, PyTuple};
use smallvec::SmallVec;

/// Work on fewer elements than this keeps the lock: releasing it would cost more than the op.
pub const SMALL: usize = 4096;

/// The values of one call, in the row's order.
pub struct Args<'a, 'py> {
    py: Python<'py>,
    row: &'static Row,
    slots: SmallVec<[Option<Borrowed<'a, 'py, PyAny>>; 8]>,
    spread: Option<(usize, Bound<'py, PyAny>)>,
    next: usize,
    elements: usize,
}

/// One argument as its conversion sees it: the names are for messages.
pub struct Arg<'a, 'py> {
    pub op: &'static str,
    pub name: &'static str,
    pub value: Borrowed<'a, 'py, PyAny>,
}

/// A type that arguments convert to.
pub trait FromPython: Sized {
    /// Its annotation in the stub.
    const HINT: &'static str;
    const VARIADIC: bool = false;
    /// None is a value of its own.
    const OPTIONAL: bool = false;
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Self>;
    /// Elements that the op will touch, as far as this argument tells.
    fn weight(&self) -> usize {
        0
    }
}

impl<'a, 'py> Args<'a, 'py> {
    pub fn new(py: Python<'py>, row: &'static Row) -> Args<'a, 'py> {
        Args { py, row, slots: SmallVec::from_elem(None, row.params.len()), spread: None, next: 0, elements: 0 }
    }

    pub fn set(&mut self, i: usize, value: Borrowed<'a, 'py, PyAny>) {
        self.slots[i] = Some(value);
    }

    /// Several positional values that stand for one tuple.
    pub fn set_spread(&mut self, i: usize, values: Vec<Borrowed<'a, 'py, PyAny>>) {
        let tuple = PyTuple::new(self.py, values.iter().map(|v| v.to_owned()));
        self.spread = tuple.ok().map(|t| (i, t.into_any()));
    }

    pub fn is_set(&self, i: usize) -> bool {
        self.slots[i].is_some() || self.spread.as_ref().is_some_and(|(k, _)| *k == i)
    }

    pub fn optional<T: FromPython>(&mut self) -> PyResult<Option<T>> {
        let i = self.next;
        self.next += 1;
        let spread = self.spread.as_ref().filter(|(k, _)| *k == i).map(|(_, t)| t.as_borrowed());
        let Some(value) = spread.or(self.slots[i]) else { return Ok(None) };
        // For an argument with a default, None means "not given".
        if value.is_none() && self.row.params[i].default.is_some() {
            return Ok(None);
        }
        let converted = T::from_python(&Arg { op: self.row.title(), name: self.row.params[i].name, value })?;
        self.elements = self.elements.saturating_add(converted.weight());
        Ok(Some(converted))
    }

    pub fn required<T: FromPython>(&mut self) -> PyResult<T> {
        let name = self.row.params[self.next].name;
        let missing = || PyTypeError::new_err(format!("{}: missing argument {name:?}", self.row.title()));
        let error = missing();
        self.optional()?.ok_or(error)
    }

    /// A declared op: tensors or numbers, then its constants.
    pub fn elementwise(&mut self, row: &'static elementwise::Row) -> PyResult<Py<PyAny>> {
        let operands = (0..row.arity()).map(|_| self.required::<Operand>()).collect::<PyResult<SmallVec<[_; 2]>>>()?;
        let constant = |(_, default): &(&str, f64)| Ok(self.optional::<f64>()?.unwrap_or(*default));
        let constants = row.parameters.iter().map(constant).collect::<PyResult<SmallVec<[f64; 3]>>>()?;
        self.run(move || {
            let operands: SmallVec<[_; 2]> = operands.iter().map(Operand::core).collect();
            elementwise::call(row, &operands, &constants)
        })
    }

    /// Runs the op, without the lock when it is more than a trifle.
    pub fn run<R: Returned + Send>(&self, body: impl FnOnce() -> Result<R> + Send) -> PyResult<Py<PyAny>> {
        let result = if self.elements < SMALL { body() } else { self.py.detach(body) };
        result.map_err(raise)?.into_python(self.py)
    }
}

impl Arg<'_, '_> {
    pub fn wrong(&self, expected: &str) -> PyErr {
        let got = self.value.get_type().name().map_or("an object".into(), |n| n.to_string());
        PyTypeError::new_err(format!("{}: {} has the wrong type, expected {expected}, got {got}", self.op, self.name))
    }

    fn none(&self) -> bool {
        self.value.is_none()
    }

    /// An integer of any size, through `__index__`.
    pub fn integer(&self) -> PyResult<i128> {
        // SAFETY: a plain C-API call with a live object; the result is a new reference or null with an exception set.
        let number = unsafe { Bound::from_owned_ptr_or_err(self.value.py(), ffi::PyNumber_Index(self.value.as_ptr())) };
        let number = number
            .map_err(|e| if e.is_instance_of::<PyTypeError>(self.value.py()) { self.wrong("an int") } else { e })?;
        number.extract::<i128>().map_err(|_| {
            PyValueError::new_err(format!(
                "{}: {} is out of range, expected an integer that fits 64 bits",
                self.op, self.name
            ))
        })
    }

    fn small<T: TryFrom<i128>>(&self, value: i128) -> PyResult<T> {
        let message = || format!("{}: {} is out of range, got {value}", self.op, self.name);
        T::try_from(value).map_err(|_| PyValueError::new_err(message()))
    }

    /// The items of a short sequence (sizes, axes); a longer one is refused before it is stored.
    fn items<T>(&self, mut each: impl FnMut(&Arg<'_, '_>) -> PyResult<T>) -> PyResult<Vec<T>> {
        let iterator = self.value.try_iter().map_err(|_| self.wrong("a sequence of ints"))?;
        let mut out = Vec::new();
        for item in iterator {
            let item = item?;
            if out.len() > ferrograd_core::shape::MAX_RANK {
                return Err(crate::error::ShapeError::new_err(format!(
                    "{}: {} is too long, expected at most 64 items",
                    self.op, self.name
                )));
            }
            out.push(each(&Arg { op: self.op, name: self.name, value: item.as_borrowed() })?);
        }
        Ok(out)
    }

    fn is_string(&self) -> bool {
        self.value.is_instance_of::<PyString>()
    }
}

impl FromPython for Tensor {
    const HINT: &'static str = "Tensor";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Tensor> {
        match arg.value.cast::<PyTensor>() {
            Ok(tensor) => Ok(tensor.get().value()),
            Err(_) => Err(arg.wrong("a Tensor")),
        }
    }
    fn weight(&self) -> usize {
        self.numel()
    }
}

impl FromPython for i64 {
    const HINT: &'static str = "int";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<i64> {
        arg.small(arg.integer()?)
    }
}

/// The number of a diagonal: beyond every matrix, one is as good as another.
pub struct Diagonal(pub i64);

impl FromPython for Diagonal {
    const HINT: &'static str = "int";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Diagonal> {
        Ok(Diagonal(arg.integer()?.clamp(i64::MIN.into(), i64::MAX.into()) as i64))
    }
}

impl FromPython for usize {
    const HINT: &'static str = "int";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<usize> {
        let value = arg.integer()?;
        if value < 0 {
            return Err(PyValueError::new_err(format!("{}: {} must not be negative, got {value}", arg.op, arg.name)));
        }
        arg.small(value)
    }
}

impl FromPython for u64 {
    const HINT: &'static str = "int";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<u64> {
        arg.small(arg.integer()?)
    }
}

impl FromPython for f64 {
    const HINT: &'static str = "float";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<f64> {
        if arg.is_string() {
            return Err(arg.wrong("a float"));
        }
        arg.value
            .extract::<f64>()
            .map_err(|e| if e.is_instance_of::<PyTypeError>(arg.value.py()) { arg.wrong("a float") } else { e })
    }
}

impl FromPython for bool {
    /// The plain name is a dtype in the stub.
    const HINT: &'static str = "builtins.bool";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<bool> {
        arg.value.extract::<bool>().map_err(|_| arg.wrong("a bool"))
    }
}

impl FromPython for String {
    const HINT: &'static str = "str";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<String> {
        let text = arg.value.cast::<PyString>().map_err(|_| arg.wrong("a str"))?;
        Ok(text.to_string_lossy().into_owned())
    }
}

impl FromPython for DType {
    const HINT: &'static str = "DTypeLike";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<DType> {
        dtype::parse(&arg.value)
    }
}

impl FromPython for Device {
    const HINT: &'static str = "str";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Device> {
        Device::parse(&String::from_python(arg)?).map_err(raise)
    }
}

impl<T: FromPython> FromPython for Option<T> {
    const HINT: &'static str = T::HINT;
    const VARIADIC: bool = T::VARIADIC;
    const OPTIONAL: bool = true;
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Option<T>> {
        if arg.none() { Ok(None) } else { T::from_python(arg).map(Some) }
    }
    fn weight(&self) -> usize {
        self.as_ref().map_or(0, T::weight)
    }
}

/// Sizes of a new tensor: an int or a sequence of them.
pub struct Sizes(pub Vec<usize>);

impl FromPython for Sizes {
    const HINT: &'static str = "int | Sequence[int]";
    const VARIADIC: bool = true;
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Sizes> {
        let one = |a: &Arg<'_, '_>| {
            usize::from_python(a).map_err(|e| {
                let py = a.value.py();
                if e.is_instance_of::<PyValueError>(py) {
                    crate::error::ShapeError::new_err(e.value(py).to_string())
                } else {
                    e
                }
            })
        };
        if arg.value.is_instance_of::<PyInt>() || arg.value.hasattr("__index__")? && !arg.value.hasattr("__len__")? {
            return Ok(Sizes(vec![one(arg)?]));
        }
        Ok(Sizes(arg.items(one)?))
    }
}

/// Signed integers: axes, paddings, kernel sizes. An int or a sequence of them.
pub struct Ints(pub Vec<i64>);

impl FromPython for Ints {
    const HINT: &'static str = "int | Sequence[int]";
    const VARIADIC: bool = true;
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Ints> {
        if arg.value.is_instance_of::<PyInt>() || arg.value.hasattr("__index__")? && !arg.value.hasattr("__len__")? {
            return Ok(Ints(vec![i64::from_python(arg)?]));
        }
        Ok(Ints(arg.items(i64::from_python)?))
    }
}

/// Sizes of which some may be None.
pub struct OptionalInts(pub Vec<Option<i64>>);

impl FromPython for OptionalInts {
    const HINT: &'static str = "int | Sequence[int | None] | None";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<OptionalInts> {
        if arg.none() || !arg.value.hasattr("__len__")? {
            return Ok(OptionalInts(vec![Option::from_python(arg)?]));
        }
        Ok(OptionalInts(arg.items(Option::from_python)?))
    }
}

/// A word or integers: padding="same" or padding=(1, 2).
pub enum WordOrInts {
    Word(String),
    Ints(Vec<i64>),
}

impl FromPython for WordOrInts {
    const HINT: &'static str = "int | Sequence[int] | str";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<WordOrInts> {
        if arg.is_string() {
            return String::from_python(arg).map(WordOrInts::Word);
        }
        Ints::from_python(arg).map(|i| WordOrInts::Ints(i.0))
    }
}

/// Floats: scale factors. A number or a sequence of them.
pub struct Floats(pub Vec<f64>);

impl FromPython for Floats {
    const HINT: &'static str = "float | Sequence[float]";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Floats> {
        if let Ok(one) = f64::from_python(arg) {
            return Ok(Floats(vec![one]));
        }
        Ok(Floats(arg.items(f64::from_python)?))
    }
}

/// Numbers by name.
pub struct Numbers(pub Vec<(String, f64)>);

impl FromPython for Numbers {
    const HINT: &'static str = "dict[str, float]";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Numbers> {
        let named = arg.value.cast::<PyDict>().map_err(|_| arg.wrong("a dict of floats"))?;
        let number = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let part = |value| Arg { op: arg.op, name: arg.name, value };
            Ok((String::from_python(&part(name.as_borrowed()))?, f64::from_python(&part(value.as_borrowed()))?))
        };
        named.iter().map(number).collect::<PyResult<_>>().map(Numbers)
    }
}

impl FromPython for Vec<Tensor> {
    const HINT: &'static str = "Sequence[Tensor]";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Vec<Tensor>> {
        let iterator = arg.value.try_iter().map_err(|_| arg.wrong("a sequence of Tensors"))?;
        iterator
            .map(|item| Tensor::from_python(&Arg { op: arg.op, name: arg.name, value: item?.as_borrowed() }))
            .collect()
    }
    fn weight(&self) -> usize {
        self.iter().map(Tensor::numel).sum()
    }
}

impl FromPython for Scalar {
    const HINT: &'static str = "complex";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Scalar> {
        scalar(&arg.value)?.ok_or_else(|| arg.wrong("a number"))
    }
}

/// A Python number, or `None` for anything else. NumPy scalars count as numbers.
pub fn scalar(value: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if let Ok(b) = value.cast::<PyBool>() {
        return Ok(Some(Scalar::Bool(b.is_true())));
    }
    if value.is_instance_of::<PyInt>() {
        let wide = || PyValueError::new_err("integer out of range, expected one that fits 64 bits");
        return value.extract::<i128>().map(|i| Some(Scalar::Int(i))).map_err(|_| wide());
    }
    if let Ok(f) = value.cast::<PyFloat>() {
        return Ok(Some(Scalar::Float(f.value())));
    }
    if let Ok(c) = value.cast::<PyComplex>() {
        return Ok(Some(Scalar::Complex(Complex64::new(c.real(), c.imag()))));
    }
    if value.is_instance_of::<PyTensor>() || value.hasattr("__len__")? && !value.hasattr("__index__")? {
        return Ok(None);
    }
    if value.get_type().hasattr("dtype")? && value.get_type().hasattr("item")? {
        // A NumPy scalar: its item() is the Python number. Arrays other than 0-d are not numbers.
        let single = value.getattr("ndim")?.extract::<usize>().unwrap_or(1) == 0;
        return if single { scalar(&value.call_method0("item")?) } else { Ok(None) };
    }
    Ok(None)
}

/// A tensor, or a number that takes the type of the tensor beside it.
pub enum Operand {
    Tensor(Tensor),
    Weak(Scalar),
}

impl FromPython for Operand {
    const HINT: &'static str = "Tensor | complex";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Operand> {
        if let Ok(tensor) = arg.value.cast::<PyTensor>() {
            return Ok(Operand::Tensor(tensor.get().value()));
        }
        scalar(&arg.value)?.map(Operand::Weak).ok_or_else(|| arg.wrong("a Tensor or a number"))
    }
    fn weight(&self) -> usize {
        match self {
            Operand::Tensor(t) => t.numel(),
            Operand::Weak(_) => 0,
        }
    }
}

impl Operand {
    /// As the core's elementwise ops take it.
    pub fn core(&self) -> elementwise::Operand<'_> {
        match self {
            Operand::Tensor(t) => elementwise::Operand::Tensor(t),
            Operand::Weak(s) => elementwise::Operand::Number(*s),
        }
    }

    /// Two operands as tensors; at least one must be one.
    pub fn pair(op: &str, a: Operand, b: Operand) -> Result<(Tensor, Tensor)> {
        match (a, b) {
            (Operand::Tensor(a), b) => b.beside(&a).map(|b| (a, b)),
            (a, Operand::Tensor(b)) => a.beside(&b).map(|a| (a, b)),
            _ => Err(Error::value(op, "expected at least one Tensor, got two numbers")),
        }
    }

    /// This operand as a tensor beside one of `dtype` on `device`.
    pub fn beside(self, other: &Tensor) -> Result<Tensor> {
        match self {
            Operand::Tensor(t) => Ok(t),
            Operand::Weak(s) => weak(s, other),
        }
    }
}

/// A number as a 0-d tensor of the type that an operation with `other` runs in.
pub fn weak(value: Scalar, other: &Tensor) -> Result<Tensor> {
    ferrograd_core::ops::create::full(&[], value, value.weak_dtype(other.dtype()), other.device())
}
