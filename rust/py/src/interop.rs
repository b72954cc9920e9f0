//! To and from Python data: numbers, nested lists, buffers, NumPy.

use crate::buffer;
use crate::dtype;
use crate::error::{DTypeError, ShapeError, raise};
use crate::table::args::scalar;
use crate::tensor::PyTensor;
use ferrograd_core::ops::{cast, copy, transfer};
use ferrograd_core::scalar::ScalarElement;
use ferrograd_core::shape::{self, Layout, MAX_RANK};
use ferrograd_core::storage::Storage;
use ferrograd_core::{DType, Device, Error, Result, Scalar, Tensor, dispatch};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyComplex, PyList, PyMemoryView, PyTuple};
use std::sync::Arc;

/// The element of a tensor that has just one.
pub fn only_element(op: &str, x: &Tensor) -> Result<Scalar> {
    if x.numel() != 1 {
        let got = shape::display(x.shape());
        return Err(Error::value(op, format!("only a tensor with one element has a single value, got shape {got}")));
    }
    let host = copy::contiguous(&transfer::to_device(&x.detach(), Device::Cpu)?)?;
    dispatch!(host.dtype(), op, [any], T => Ok(host.slice::<T>()?[0].to_scalar()))
}

/// A scalar as the Python number it is.
pub fn number(py: Python<'_>, value: Scalar) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Scalar::Bool(b) => b.into_pyobject(py)?.to_owned().into_any().unbind(),
        Scalar::Int(i) => i.into_pyobject(py)?.into_any().unbind(),
        Scalar::Float(f) => f.into_pyobject(py)?.into_any().unbind(),
        Scalar::Complex(c) => PyComplex::from_doubles(py, c.re, c.im).into_any().unbind(),
    })
}

/// Nested lists of Python numbers, built from the innermost axis outwards.
pub fn to_list(py: Python<'_>, x: &Tensor) -> PyResult<Py<PyAny>> {
    let host = transfer::to_device(&x.detach(), Device::Cpu).and_then(|x| copy::contiguous(&x)).map_err(raise)?;
    if host.rank() == 0 {
        return number(py, only_element("tolist", &host).map_err(raise)?);
    }
    let numbers = || {
        dispatch!(host.dtype(), "tolist", [any], T => {
            Ok(host.slice::<T>()?.iter().map(|v| v.to_scalar()).collect::<Vec<_>>())
        })
    };
    let mut items = numbers().map_err(raise)?.into_iter().map(|s| number(py, s)).collect::<PyResult<Vec<_>>>()?;
    for axis in (0..host.rank()).rev() {
        let rows: usize = host.shape()[..axis].iter().product();
        let n = host.shape()[axis];
        let mut rest = items.into_iter();
        items = (0..rows)
            .map(|_| Ok(PyList::new(py, rest.by_ref().take(n).collect::<Vec<_>>())?.into_any().unbind()))
            .collect::<PyResult<Vec<_>>>()?;
    }
    items.pop().ok_or_else(|| PyValueError::new_err("tolist: nothing to list"))
}

/// Data of any kind as a new tensor: tensors (their value), numbers, nested sequences, buffers, arrays.
pub fn from_object(data: &Bound<'_, PyAny>, dtype: Option<DType>) -> PyResult<Tensor> {
    let convert = |x: Tensor| dtype.map_or(Ok(x.clone()), |d| cast::astype(&x, d)).map_err(raise);
    if let Ok(tensor) = data.cast::<PyTensor>() {
        return convert(tensor.get().value());
    }
    if let Some(value) = scalar(data)? {
        // NumPy's scalars and 0-d arrays know their dtype; Python's numbers take the default one.
        let own = match data.get_type().hasattr("dtype")? {
            true => dtype::parse(&data.getattr("dtype")?)?,
            false => value.default_dtype(),
        };
        return checked_full(value, dtype.unwrap_or(own));
    }
    if let Some(shared) = buffer::from_buffer(data)? {
        let copied = copy::copied(&shared).map_err(raise)?;
        return convert(copied);
    }
    if data.hasattr("__dlpack__")? {
        return convert(crate::dlpack::import(data, Some(true))?);
    }
    if data.hasattr("__array__")? {
        let array = data.call_method0("__array__")?;
        if let Some(shared) = buffer::from_buffer(&array)? {
            return convert(copy::copied(&shared).map_err(raise)?);
        }
    }
    from_sequence(data, dtype)
}

fn checked_full(value: Scalar, dtype: DType) -> PyResult<Tensor> {
    if value.kind() > dtype.kind() && value.kind() == ferrograd_core::dtype::Kind::Complex {
        return Err(DTypeError::new_err(format!("tensor: a complex number does not fit {dtype}")));
    }
    ferrograd_core::ops::create::full(&[], value, dtype, Device::Cpu).map_err(raise)
}

/// Nested lists and tuples, walked with a stack of iterators: depth is checked, cycles end at the rank limit.
fn from_sequence(data: &Bound<'_, PyAny>, dtype: Option<DType>) -> PyResult<Tensor> {
    let wrong = |x: &Bound<'_, PyAny>| {
        let got = x.get_type().name().map_or("an object".into(), |n| n.to_string());
        PyTypeError::new_err(format!("tensor: expected numbers, nested sequences of them or an array, got {got}"))
    };
    let is_sequence = |x: &Bound<'_, PyAny>| x.is_instance_of::<PyList>() || x.is_instance_of::<PyTuple>();
    let iterable = |x: &Bound<'_, PyAny>| {
        !x.is_instance_of::<pyo3::types::PyString>() && x.hasattr("__getitem__").unwrap_or(false)
    };
    let sized = is_sequence(data) || iterable(data) && data.hasattr("__len__")?;
    if !sized {
        return Err(wrong(data));
    }
    let mut numbers: Vec<Scalar> = Vec::new();
    let mut tensors: Vec<Tensor> = Vec::new();
    let mut sizes: Vec<Option<usize>> = vec![None];
    let mut stack = vec![(data.try_iter()?, 0usize)];
    let mut leaf_depth = None;
    let ragged = || ShapeError::new_err("tensor: ragged nested sequences, expected equal lengths at each depth");
    while let Some((iterator, count)) = stack.last_mut() {
        let Some(item) = iterator.next() else {
            let (count, depth) = (*count, stack.len() - 1);
            if *sizes[depth].get_or_insert(count) != count {
                return Err(ragged());
            }
            stack.pop();
            continue;
        };
        let item = item?;
        *count += 1;
        let depth = stack.len();
        if let Some(value) = scalar(&item)? {
            numbers.push(value);
        } else if item.is_instance_of::<PyTensor>() || item.hasattr("__array_interface__")? {
            tensors.push(from_object(&item, None)?);
        } else if is_sequence(&item) {
            if depth >= MAX_RANK {
                return Err(ShapeError::new_err(format!(
                    "tensor: nested too deeply, expected at most {MAX_RANK} levels"
                )));
            }
            if leaf_depth.is_some_and(|d| d <= depth) {
                return Err(ragged());
            }
            if sizes.len() == depth {
                sizes.push(None);
            }
            stack.push((item.try_iter()?, 0));
            continue;
        } else {
            return Err(wrong(&item));
        }
        if *leaf_depth.get_or_insert(depth) != depth || sizes.len() > depth {
            return Err(ragged());
        }
    }
    let shape: Vec<usize> = sizes.into_iter().map(|n| n.unwrap_or(0)).collect();
    if !tensors.is_empty() {
        return stack_tensors(&numbers, &tensors, &shape, dtype);
    }
    let dtype = match dtype {
        Some(dtype) => dtype,
        None => numbers
            .iter()
            .map(|s| s.kind())
            .max()
            .map_or(DType::F32, |kind| [DType::Bool, DType::I64, DType::F32, DType::C64][kind as usize]),
    };
    if let Some(bad) = numbers
        .iter()
        .find(|s| !s.fits(dtype) || (s.kind() > dtype.kind() && s.kind() == ferrograd_core::dtype::Kind::Complex))
    {
        return Err(PyValueError::new_err(format!("tensor: value out of range for {dtype}, got {}", bad.to_i128())));
    }
    let make = || {
        dispatch!(dtype, "tensor", [any], T => {
            let mut elements: Vec<T> = Vec::new();
            elements.try_reserve_exact(numbers.len()).map_err(|_| Error::memory("tensor", "too many elements"))?;
            elements.extend(numbers.iter().map(|&s| T::from_scalar(s)));
            Tensor::from_slice(&elements, &shape)
        })
    };
    make().map_err(raise)
}

fn stack_tensors(numbers: &[Scalar], tensors: &[Tensor], outer: &[usize], dtype: Option<DType>) -> PyResult<Tensor> {
    if !numbers.is_empty() && tensors.iter().any(|t| t.rank() > 0) {
        return Err(ShapeError::new_err("tensor: numbers and tensors mixed, expected one kind"));
    }
    let stacked = || {
        let mut all = tensors.to_vec();
        for &n in numbers {
            all.push(crate::table::args::weak(n, &tensors[0])?);
        }
        let stacked = ferrograd_core::ops::join::stack(&all.iter().collect::<Vec<_>>(), 0)?;
        let shape: Vec<usize> = outer.iter().chain(tensors[0].shape()).copied().collect();
        let shaped = ferrograd_core::ops::movement::reshape(&stacked, &shape)?;
        dtype.map_or(Ok(shaped.clone()), |d| cast::astype(&shaped, d))
    };
    stacked().map_err(raise)
}

/// A NumPy array over the tensor's memory, converted or copied only when asked.
pub fn to_numpy(slf: &Bound<'_, PyTensor>, dtype: Option<Py<PyAny>>, copied: Option<bool>) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    let numpy = py.import("numpy")?;
    let view = PyMemoryView::from(slf.as_any())?;
    let mut array = numpy.call_method1("asarray", (view,))?;
    if let Some(dtype) = dtype {
        let wanted = numpy.call_method1("dtype", (dtype,))?;
        if !array.getattr("dtype")?.eq(&wanted)? {
            if copied == Some(false) {
                return Err(PyValueError::new_err("__array__: another dtype needs a copy, expected copy=None or True"));
            }
            return Ok(array.call_method1("astype", (wanted,))?.unbind());
        }
    }
    if copied == Some(true) {
        array = array.call_method0("copy")?;
    }
    Ok(array.unbind())
}

/// Pickling by value: bytes, shape, dtype, and whether it was a leaf that gathers gradients.
pub fn reduce(slf: &Bound<'_, PyTensor>) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    let py = slf.py();
    let value = slf.get().value();
    if value.requires_grad() && !value.is_leaf() {
        return Err(crate::error::GradError::new_err("pickle: the tensor has a history; use detach() first"));
    }
    let host = transfer::to_device(&value.detach(), Device::Cpu).and_then(|x| copy::contiguous(&x)).map_err(raise)?;
    let size = host.dtype().size();
    let start = host.layout().offset * size;
    let bytes = if host.numel() == 0 {
        &[][..]
    } else {
        &host.storage().bytes().map_err(raise)?[start..start + host.numel() * size]
    };
    let shape = PyTuple::new(py, host.shape())?;
    let state = (PyBytes::new(py, bytes), shape, host.dtype().name(), value.requires_grad()).into_pyobject(py)?;
    Ok((py.import("ferrograd._core")?.getattr("_from_bytes")?.unbind(), state.into_any().unbind()))
}

/// A tensor from raw little-endian bytes.
#[pyfunction(name = "_from_bytes", signature = (data, shape, dtype, requires_grad=false))]
fn from_bytes(data: &[u8], shape: Vec<usize>, dtype: &Bound<'_, PyAny>, requires_grad: bool) -> PyResult<PyTensor> {
    let dtype = dtype::parse(dtype)?;
    let numel = shape::checked_numel("tensor", &shape).map_err(raise)?;
    if numel * dtype.size() != data.len() {
        let message = format!("tensor: expected {} bytes, got {}", numel * dtype.size(), data.len());
        return Err(PyValueError::new_err(message));
    }
    if dtype == DType::Bool && data.iter().any(|&b| b > 1) {
        return Err(PyValueError::new_err("tensor: bools must be stored as 0 or 1"));
    }
    let make = || {
        let mut storage = Storage::new(Device::Cpu, data.len())?;
        storage.elements_mut::<u8>()?[..data.len()].copy_from_slice(data);
        let x = Tensor::from_storage(Arc::new(storage), Layout::contiguous(&shape), dtype)?;
        if requires_grad { x.leaf() } else { Ok(x) }
    };
    make().map(PyTensor::new).map_err(raise)
}

/// `fg.asarray`: copies unless `copy=False` (share or fail; a Tensor is returned itself) or `copy=None` (share when possible).
#[pyfunction(signature = (obj, /, *, dtype=None, device=None, copy=None))]
fn asarray(
    obj: &Bound<'_, PyAny>,
    dtype: Option<&Bound<'_, PyAny>>,
    device: Option<&str>,
    copy: Option<bool>,
) -> PyResult<Py<PyTensor>> {
    let (py, dtype) = (obj.py(), dtype.map(dtype::parse).transpose()?);
    let device = device.map(Device::parse).transpose().map_err(raise)?;
    let needs_copy = || PyValueError::new_err("asarray: the conversion needs a copy, expected copy=None or True");
    let new = |value: Tensor| Py::new(py, PyTensor::new(value));
    if let Ok(tensor) = obj.cast::<PyTensor>() {
        let value = tensor.get().value();
        let changes = dtype.is_some_and(|d| d != value.dtype()) || device.is_some_and(|d| d != value.device());
        if copy == Some(false) {
            return if changes { Err(needs_copy()) } else { Ok(tensor.clone().unbind()) };
        }
        let run = || {
            let cast = dtype.map_or(Ok(value.clone()), |d| cast::astype(&value, d))?;
            let moved = device.map_or(Ok(cast.clone()), |d| transfer::to_device(&cast, d))?;
            if copy == Some(true) { copy::copied(&moved) } else { Ok(moved) }
        };
        return new(run().map_err(raise)?);
    }
    if copy == Some(false) {
        let shared = match buffer::from_buffer(obj)? {
            Some(shared) => shared,
            None if obj.hasattr("__dlpack__")? => crate::dlpack::import(obj, Some(false))?,
            None => {
                return Err(PyValueError::new_err(
                    "asarray: this object has no memory to share, expected copy=None or True",
                ));
            }
        };
        let same = dtype.is_none_or(|d| d == shared.dtype()) && device.is_none_or(|d| d == Device::Cpu);
        return if same { new(shared) } else { Err(needs_copy()) };
    }
    let value = from_object(obj, dtype)?;
    new(device.map_or(Ok(value.clone()), |d| transfer::to_device(&value, d)).map_err(raise)?)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(asarray, module)?)
}
