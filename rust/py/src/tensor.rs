//! The Python class `Tensor`: a cell that holds an immutable core tensor. Writing puts another value into the cell.

use crate::dtype;
use crate::error::raise;
use crate::interop;
use crate::operators::operand;
use crate::table::Returned;
use crate::table::args::scalar;
use ferrograd_core::ops::{copy, create, movement, transfer};
use ferrograd_core::{Device, Error, Result, Scalar, Tensor};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// A multi-dimensional array that can be differentiated. Made by `fg.tensor`, `fg.asarray` and the creation functions.
#[pyclass(name = "Tensor", module = "ferrograd", subclass, frozen, weakref)]
pub struct PyTensor {
    cell: Mutex<Tensor>,
}

impl PyTensor {
    pub fn new(value: Tensor) -> PyTensor {
        PyTensor { cell: Mutex::new(value) }
    }

    /// The cell itself. Waiting gives up the interpreter lock, since the holder may want it to look for signals.
    pub fn lock(&self) -> MutexGuard<'_, Tensor> {
        loop {
            match self.try_lock() {
                Some(guard) => return guard,
                None => Python::attach(|py| py.detach(std::thread::yield_now)),
            }
        }
    }

    /// The cell, unless somebody holds it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, Tensor>> {
        match self.cell.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub fn value(&self) -> Tensor {
        self.lock().clone()
    }

    /// Puts a computed value in place. A leaf may only change where nothing is recorded, and stays that leaf.
    pub fn assign(&self, op: &str, value: Tensor) -> Result<()> {
        let mut cell = self.lock();
        if cell.requires_grad() && cell.is_leaf() {
            if ferrograd_core::autograd::is_grad_enabled() {
                let message = "a tensor that gathers gradients is written to, expected this inside no_grad()";
                return Err(Error::grad(op, message));
            }
            return cell.replace_value(&value.detach());
        }
        *cell = value;
        Ok(())
    }
}

#[pymethods]
impl PyTensor {
    #[new]
    #[pyo3(signature = (data, dtype=None, device=None, requires_grad=false))]
    fn make(
        data: &Bound<'_, PyAny>,
        dtype: Option<&Bound<'_, PyAny>>,
        device: Option<&str>,
        requires_grad: bool,
    ) -> PyResult<PyTensor> {
        let dtype = dtype.map(dtype::parse).transpose()?;
        let device = device.map(Device::parse).transpose().map_err(raise)?;
        let value = interop::from_object(data, dtype)?.detach();
        let moved = device.map_or(Ok(value.clone()), |d| transfer::to_device(&value, d)).map_err(raise)?;
        Ok(PyTensor::new(if requires_grad { moved.leaf().map_err(raise)? } else { moved }))
    }

    // --- what it is -----------------------------------------------------------------------------------------------

    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let shape = self.lock().shape_owned();
        PyTuple::new(py, shape.iter())
    }

    #[getter]
    fn dtype(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let dtype = self.lock().dtype();
        dtype::object(py, dtype)
    }

    #[getter]
    fn device(&self) -> String {
        self.lock().device().to_string()
    }

    #[getter]
    fn ndim(&self) -> usize {
        self.lock().rank()
    }

    #[getter]
    fn size(&self) -> usize {
        self.lock().numel()
    }

    /// Number of elements.
    fn numel(&self) -> usize {
        self.size()
    }

    /// Number of axes.
    fn dim(&self) -> usize {
        self.ndim()
    }

    #[getter]
    fn itemsize(&self) -> usize {
        self.lock().dtype().size()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        let cell = self.lock();
        cell.numel() * cell.dtype().size()
    }

    /// Steps from element to element along each axis, in elements.
    #[getter]
    fn strides<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let strides = self.lock().layout().strides.clone();
        PyTuple::new(py, strides.iter())
    }

    fn is_contiguous(&self) -> bool {
        self.lock().is_contiguous()
    }

    fn __len__(&self) -> PyResult<usize> {
        self.lock().shape().first().copied().ok_or_else(|| PyTypeError::new_err("len: a 0-d tensor has no length"))
    }

    #[getter(T)]
    fn transposed(&self) -> PyResult<PyTensor> {
        let value = self.value();
        if value.rank() != 2 {
            let message = format!("T: expected two axes, got {}; use mT or permute_dims", value.rank());
            return Err(PyValueError::new_err(message));
        }
        movement::matrix_transpose(&value).map(PyTensor::new).map_err(raise)
    }

    #[getter(mT)]
    fn matrix_transposed(&self) -> PyResult<PyTensor> {
        movement::matrix_transpose(&self.value()).map(PyTensor::new).map_err(raise)
    }

    // --- as a number ----------------------------------------------------------------------------------------------

    /// The only element as a Python number.
    fn item(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let number = py.detach(|| interop::only_element("item", &self.value())).map_err(raise)?;
        interop::number(py, number)
    }

    fn __bool__(&self) -> PyResult<bool> {
        Ok(interop::only_element("bool", &self.value()).map_err(raise)?.to_bool())
    }

    fn __float__(&self) -> PyResult<f64> {
        match interop::only_element("float", &self.value()).map_err(raise)? {
            Scalar::Complex(_) => {
                Err(PyTypeError::new_err("float: a complex element has no real value; use abs or real"))
            }
            number => Ok(number.to_f64()),
        }
    }

    fn __complex__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let c = interop::only_element("complex", &self.value()).map_err(raise)?.to_complex();
        Ok(pyo3::types::PyComplex::from_doubles(py, c.re, c.im).into_any())
    }

    fn __int__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match interop::only_element("int", &self.value()).map_err(raise)? {
            Scalar::Complex(_) => Err(PyTypeError::new_err("int: a complex element has no integer value")),
            Scalar::Float(f) => Ok(pyo3::types::PyFloat::new(py, f).call_method0("__int__")?.unbind()),
            number => Ok(number.to_i128().into_pyobject(py)?.into_any().unbind()),
        }
    }

    fn __index__(&self) -> PyResult<i128> {
        match interop::only_element("index", &self.value()).map_err(raise)? {
            Scalar::Int(i) => Ok(i),
            _ => Err(PyTypeError::new_err("index: expected an integer tensor with one element")),
        }
    }

    /// The elements as nested lists of Python numbers.
    fn tolist(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        interop::to_list(py, &self.value())
    }

    // --- identity, elements ---------------------------------------------------------------------------------------

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        slf.as_ptr() as usize >> 4
    }

    fn __getitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
        let (value, key) = (self.value(), crate::index::parse(key)?);
        key.py_run(|index| ferrograd_core::ops::index::getitem(&value, index)).map(PyTensor::new)
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = self.value();
        let wrong = || PyTypeError::new_err("setitem: expected a Tensor, an array or a number");
        let value = match operand(value)? {
            Some(value) => value.beside(&this).map_err(raise)?,
            None => interop::from_object(value, Some(this.dtype())).map_err(|_| wrong())?,
        };
        let key = crate::index::parse(key)?;
        let out = key.py_run(|index| ferrograd_core::ops::index::setitem(&this, index, &value))?;
        self.assign("setitem", out).map_err(raise)
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let value = slf.get().value();
        if value.rank() == 0 {
            return Err(PyTypeError::new_err("iter: a 0-d tensor has no elements to go over"));
        }
        let parts = ferrograd_core::ops::join::unstack(&value, 0).map_err(raise)?;
        let parts = parts.into_python(slf.py())?;
        Ok(parts.bind(slf.py()).try_iter()?.into_any().unbind())
    }

    // --- devices and copies ---------------------------------------------------------------------------------------

    /// The tensor on another device, or of another dtype, or both.
    #[pyo3(signature = (*targets, device=None, dtype=None, copy=false))]
    fn to(
        &self,
        py: Python<'_>,
        targets: &Bound<'_, PyTuple>,
        device: Option<&str>,
        dtype: Option<&Bound<'_, PyAny>>,
        copy: bool,
    ) -> PyResult<PyTensor> {
        let mut device = device.map(Device::parse).transpose().map_err(raise)?;
        let mut dtype = dtype.map(dtype::parse).transpose()?;
        for target in targets {
            match target.extract::<String>() {
                Ok(text) if ferrograd_core::DType::from_name(&text).is_none() => {
                    device = Some(Device::parse(&text).map_err(raise)?)
                }
                _ => dtype = Some(dtype::parse(&target)?),
            }
        }
        let value = self.value();
        let run = || {
            let cast = dtype.map_or(Ok(value.clone()), |d| ferrograd_core::ops::cast::astype(&value, d))?;
            let moved = device.map_or(Ok(cast.clone()), |d| transfer::to_device(&cast, d))?;
            if copy { copy::copied(&moved) } else { Ok(moved) }
        };
        py.detach(run).map(PyTensor::new).map_err(raise)
    }

    /// The tensor in another dtype; with copy=False the same one when nothing changes.
    #[pyo3(signature = (dtype, copy=true))]
    fn astype(&self, py: Python<'_>, dtype: &Bound<'_, PyAny>, copy: bool) -> PyResult<PyTensor> {
        self.to(py, &PyTuple::empty(py), None, Some(dtype), copy)
    }

    /// Array API: the tensor on another device.
    #[pyo3(signature = (device, /, *, stream=None))]
    fn to_device(&self, py: Python<'_>, device: &str, stream: Option<Py<PyAny>>) -> PyResult<PyTensor> {
        if stream.is_some() {
            return Err(PyValueError::new_err("to_device: streams are not supported, expected None"));
        }
        self.to(py, &PyTuple::empty(py), Some(device), None, false)
    }

    fn cpu(&self, py: Python<'_>) -> PyResult<PyTensor> {
        self.to(py, &PyTuple::empty(py), Some("cpu"), None, false)
    }

    /// A copy in memory of its own, with its history.
    fn clone(&self, py: Python<'_>) -> PyResult<PyTensor> {
        let value = self.value();
        py.detach(|| copy::copied(&value)).map(PyTensor::new).map_err(raise)
    }

    fn contiguous(&self, py: Python<'_>) -> PyResult<PyTensor> {
        let value = self.value();
        py.detach(|| copy::contiguous(&value)).map(PyTensor::new).map_err(raise)
    }

    /// Puts another value into this tensor; shape and dtype stay.
    fn copy_(slf: Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
        let this = slf.get().value();
        let value = interop::from_object(value, Some(this.dtype()))?;
        let value = movement::broadcast_to(&value, this.shape()).map_err(raise)?;
        slf.get().assign("copy_", value).map_err(raise)?;
        Ok(slf.unbind())
    }

    fn zero_(slf: Bound<'_, Self>) -> PyResult<Py<Self>> {
        let zeros = create::zeros_like(&slf.get().value()).map_err(raise)?;
        slf.get().assign("zero_", zeros).map_err(raise)?;
        Ok(slf.unbind())
    }

    fn fill_<'py>(slf: Bound<'py, Self>, value: &Bound<'py, PyAny>) -> PyResult<Py<Self>> {
        let number = scalar(value)?.ok_or_else(|| PyTypeError::new_err("fill_: expected a number"))?;
        let full = create::full_like(&slf.get().value(), number).map_err(raise)?;
        slf.get().assign("fill_", full).map_err(raise)?;
        Ok(slf.unbind())
    }

    fn __copy__(&self) -> PyTensor {
        PyTensor::new(self.value())
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
        let value = self.value();
        let copy = copy::copied(&value.detach()).map_err(raise)?;
        let leaf = value.requires_grad() && value.is_leaf();
        Ok(PyTensor::new(if leaf { copy.leaf().map_err(raise)? } else { copy }))
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        interop::reduce(slf)
    }

    // --- NumPy and other libraries --------------------------------------------------------------------------------

    #[classattr]
    fn __array_ufunc__() -> Option<Py<PyAny>> {
        None
    }

    #[classattr]
    fn __array_priority__() -> i64 {
        1000
    }

    #[pyo3(signature = (/, *, api_version=None))]
    fn __array_namespace__(&self, py: Python<'_>, api_version: Option<&str>) -> PyResult<Py<PyAny>> {
        match api_version {
            None | Some("2021.12" | "2022.12" | "2023.12" | "2024.12" | "2025.12") => {
                Ok(py.import("ferrograd")?.into_any().unbind())
            }
            Some(other) => {
                Err(PyValueError::new_err(format!("array API: unknown version {other:?}, expected 2025.12 or older")))
            }
        }
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__(slf: &Bound<'_, Self>, dtype: Option<Py<PyAny>>, copy: Option<bool>) -> PyResult<Py<PyAny>> {
        interop::to_numpy(slf, dtype, copy)
    }

    /// A read-only NumPy view of a CPU tensor; nothing is copied.
    fn numpy(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        interop::to_numpy(slf, None, None)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let format = slf.py().import("ferrograd._repr")?.getattr("tensor_repr")?;
        format.call1((slf,))?.extract()
    }

    fn __format__(slf: &Bound<'_, Self>, spec: &str) -> PyResult<String> {
        if slf.get().lock().rank() == 0 && !spec.is_empty() {
            let number =
                interop::number(slf.py(), interop::only_element("format", &slf.get().value()).map_err(raise)?)?;
            return number.bind(slf.py()).call_method1("__format__", (spec,))?.extract();
        }
        PyTensor::__repr__(slf)
    }
}
