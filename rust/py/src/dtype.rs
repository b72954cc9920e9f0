//! Element types and devices as Python objects.

use ferrograd_core::DType;
use ferrograd_core::dtype::Kind;
use pyo3::prelude::*;

/// An element type; `fg.float32` and its siblings are the only instances.
#[pyclass(name = "DType", module = "ferrograd", frozen, eq, hash)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PyDType(pub DType);

#[pymethods]
impl PyDType {
    /// The name, as NumPy writes it.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Bytes of one element.
    #[getter]
    fn itemsize(&self) -> usize {
        self.0.size()
    }

    /// "bool", "signed integer", "unsigned integer", "real floating" or "complex floating".
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.kind() {
            Kind::Bool => "bool",
            Kind::Int if self.0.is_signed() => "signed integer",
            Kind::Int => "unsigned integer",
            Kind::Float => "real floating",
            Kind::Complex => "complex floating",
        }
    }

    #[getter]
    fn is_floating_point(&self) -> bool {
        self.0.is_float()
    }

    fn __repr__(&self) -> String {
        format!("ferrograd.{}", self.0.name())
    }

    fn __str__(&self) -> &'static str {
        self.0.name()
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (&'static str,))> {
        Ok((py.import("ferrograd._core")?.getattr("_dtype")?.unbind(), (self.0.name(),)))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

/// The instances, made once per process so that `is` works.
pub fn object(py: Python<'_>, dtype: DType) -> PyResult<Py<PyAny>> {
    static OBJECTS: pyo3::sync::PyOnceLock<Vec<Py<PyDType>>> = pyo3::sync::PyOnceLock::new();
    let make = || DType::ALL.into_iter().map(|d| Py::new(py, PyDType(d))).collect::<PyResult<Vec<_>>>();
    Ok(OBJECTS.get_or_try_init(py, make)?[dtype as usize].clone_ref(py).into_any())
}

/// A dtype from our objects, a name, a Python number type or anything NumPy would call a dtype.
pub fn parse(obj: &Bound<'_, PyAny>) -> PyResult<DType> {
    if let Ok(dtype) = obj.cast::<PyDType>() {
        return Ok(dtype.get().0);
    }
    let py = obj.py();
    let named = |name: &str| {
        DType::from_name(name).or(match name {
            "half" => Some(DType::F16),
            "float" => Some(DType::F32),
            "double" => Some(DType::F64),
            "int" => Some(DType::I64),
            "complex" => Some(DType::C64),
            _ => None,
        })
    };
    let found = if let Ok(text) = obj.extract::<std::borrow::Cow<'_, str>>() {
        named(&text)
    } else if obj.is_instance_of::<pyo3::types::PyType>() || obj.hasattr("itemsize")? {
        let name = obj.getattr_opt("__name__")?.or(obj.getattr_opt("name")?);
        name.and_then(|n| n.extract::<String>().ok()).and_then(|n| named(n.trim_end_matches('_')))
    } else {
        None
    };
    found
        .ok_or_else(|| {
            let got = obj.repr().map_or("an object".into(), |r| r.to_string());
            crate::error::DTypeError::new_err(format!(
                "dtype: unknown element type, expected one like {:?}, got {got}",
                "float32"
            ))
        })
        .inspect_err(|_| drop(PyErr::take(py)))
}

#[pyfunction(name = "_dtype")]
fn by_name(py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    object(py, parse(name)?)
}

/// The dtype two operands meet in.
#[pyfunction(name = "_promote")]
fn promote(py: Python<'_>, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    object(py, parse(a)?.promote(parse(b)?).map_err(crate::error::raise)?)
}

/// The dtype a Python number and a tensor of `dtype` meet in.
#[pyfunction(name = "_weak_dtype")]
fn weak_dtype(py: Python<'_>, number: &Bound<'_, PyAny>, dtype: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let wrong = || crate::error::DTypeError::new_err("result_type: expected a number");
    let number = crate::table::args::scalar(number)?.ok_or_else(wrong)?;
    object(py, number.weak_dtype(parse(dtype)?))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDType>()?;
    module.add_function(wrap_pyfunction!(by_name, module)?)?;
    module.add_function(wrap_pyfunction!(promote, module)?)?;
    module.add_function(wrap_pyfunction!(weak_dtype, module)?)?;
    DType::ALL.into_iter().try_for_each(|d| module.add(d.name(), object(module.py(), d)?))
}
