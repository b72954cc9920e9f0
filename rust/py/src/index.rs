//! What stands between the brackets of `x[...]`.

use crate::error::raise;
use crate::interop;
use crate::table::args::{Arg, FromPython};
use crate::tensor::PyTensor;
use ferrograd_core::dtype::Kind;
use ferrograd_core::ops::index::Index;
use ferrograd_core::{Result, Tensor};
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyList, PySlice, PyTuple};

/// A parsed key, and whether it is worth releasing the interpreter lock for.
pub struct Key {
    items: Vec<Index>,
    gathers: bool,
}

impl Key {
    pub fn py_run(self, body: impl FnOnce(&[Index]) -> Result<Tensor> + Send) -> PyResult<Tensor> {
        let items = self.items;
        let out = if self.gathers { Python::attach(|py| py.detach(|| body(&items))) } else { body(&items) };
        out.map_err(raise)
    }
}

/// Reads ints, slices, None, Ellipsis, masks and integer arrays, alone or in a tuple.
pub fn parse(key: &Bound<'_, PyAny>) -> PyResult<Key> {
    let items = match key.cast::<PyTuple>() {
        Ok(tuple) => tuple.iter().map(|item| parse_item(&item)).collect::<PyResult<Vec<_>>>()?,
        Err(_) => vec![parse_item(key)?],
    };
    let gathers = items.iter().any(|i| matches!(i, Index::Tensor(_) | Index::Mask(_)));
    Ok(Key { items, gathers })
}

fn parse_item(item: &Bound<'_, PyAny>) -> PyResult<Index> {
    if item.is_none() {
        return Ok(Index::NewAxis);
    }
    if item.is_instance_of::<PyEllipsis>() {
        return Ok(Index::Ellipsis);
    }
    if let Ok(slice) = item.cast::<PySlice>() {
        return parse_slice(slice);
    }
    let is_tensor = item.is_instance_of::<PyTensor>();
    let is_array = is_tensor
        || item.is_instance_of::<PyBool>()
        || item.is_instance_of::<PyList>()
        || item.hasattr("__array_interface__")?;
    if !is_array {
        let arg = Arg { op: "getitem", name: "index", value: item.as_borrowed() };
        return match i64::from_python(&arg) {
            Ok(i) => Ok(Index::Int(i)),
            Err(e) if e.is_instance_of::<PyTypeError>(item.py()) => {
                let got = item.get_type().name().map_or("an object".into(), |n| n.to_string());
                Err(PyIndexError::new_err(format!(
                    "getitem: expected ints, slices, ..., None, masks or integer tensors, got {got}"
                )))
            }
            Err(e) => Err(if e.is_instance_of::<pyo3::exceptions::PyValueError>(item.py()) {
                PyIndexError::new_err(e.value(item.py()).to_string())
            } else {
                e
            }),
        };
    }
    let value = interop::from_object(item, None)?;
    match value.dtype().kind() {
        Kind::Bool => Ok(Index::Mask(value)),
        Kind::Int if value.rank() == 0 => {
            let only = interop::only_element("getitem", &value).map_err(raise)?.to_i128();
            i64::try_from(only).map(Index::Int).map_err(|_| PyIndexError::new_err("getitem: index out of range"))
        }
        Kind::Int => Ok(Index::Tensor(value)),
        _ if value.numel() == 0 && !is_tensor => {
            let empty = ferrograd_core::ops::cast::astype(&value, ferrograd_core::DType::I64).map_err(raise)?;
            Ok(Index::Tensor(empty))
        }
        _ => Err(PyIndexError::new_err(format!("getitem: expected an integer or bool index, got {}", value.dtype()))),
    }
}

fn parse_slice(slice: &Bound<'_, PySlice>) -> PyResult<Index> {
    // Bounds beyond 64 bits mean "as far as it goes", as in Python.
    let bound = |name: &str| -> PyResult<Option<i64>> {
        let value = slice.getattr(name)?;
        if value.is_none() {
            return Ok(None);
        }
        let arg = Arg { op: "slice", name: "bound", value: value.as_borrowed() };
        match arg.integer() {
            Ok(wide) => Ok(Some(wide.clamp(i64::MIN as i128, i64::MAX as i128) as i64)),
            Err(e) if e.is_instance_of::<pyo3::exceptions::PyValueError>(slice.py()) => {
                Ok(Some(if value.lt(0)? { i64::MIN } else { i64::MAX }))
            }
            Err(e) => Err(e),
        }
    };
    Ok(Index::Slice { start: bound("start")?, stop: bound("stop")?, step: bound("step")? })
}
