//! The one map from the core's errors to Python exceptions.

use ferrograd_core::Error;
use pyo3::exceptions::{PyIndexError, PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::cell::RefCell;

pyo3::create_exception!(ferrograd, ShapeError, PyValueError, "Shapes that do not fit an operation.");
pyo3::create_exception!(ferrograd, DTypeError, PyTypeError, "An element type that an operation does not take.");
pyo3::create_exception!(
    ferrograd,
    DeviceError,
    PyRuntimeError,
    "A device that is missing, or operands on different ones."
);
pyo3::create_exception!(ferrograd, GradError, PyRuntimeError, "A gradient that does not exist or cannot be computed.");
pyo3::create_exception!(ferrograd, OutOfMemoryError, PyMemoryError, "Memory that a device cannot give.");
pyo3::create_exception!(ferrograd, FormatError, PyValueError, "A file that breaks the rules of its format.");

thread_local! {
    /// The exception that user code raised inside the core, so that it comes out unchanged.
    static PENDING: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Keeps an exception of user code and gives the core something to return.
pub fn keep(error: PyErr) -> Error {
    let message = error.to_string();
    PENDING.with(|p| *p.borrow_mut() = Some(error));
    Error::Callback(message)
}

/// Asked by long kernels: lets Python run its signal handlers; true means stop.
pub fn interrupted() -> bool {
    Python::attach(|py| match py.check_signals() {
        Ok(()) => false,
        Err(error) => {
            keep(error);
            true
        }
    })
}

pub fn raise(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Shape(_) => ShapeError::new_err(message),
        Error::DType(_) => DTypeError::new_err(message),
        Error::Value(_) => PyValueError::new_err(message),
        Error::Index(_) => PyIndexError::new_err(message),
        Error::Device(_) => DeviceError::new_err(message),
        Error::Grad(_) => GradError::new_err(message),
        Error::Memory(_) => OutOfMemoryError::new_err(message),
        Error::Format(_) => FormatError::new_err(message),
        Error::Internal(_) => PyRuntimeError::new_err(message),
        Error::Interrupted | Error::Callback(_) => {
            let kept = PENDING.with(|p| p.borrow_mut().take());
            kept.unwrap_or_else(|| match error {
                Error::Interrupted => PyKeyboardInterrupt::new_err(()),
                _ => PyRuntimeError::new_err(message),
            })
        }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("ShapeError", py.get_type::<ShapeError>())?;
    module.add("DTypeError", py.get_type::<DTypeError>())?;
    module.add("DeviceError", py.get_type::<DeviceError>())?;
    module.add("GradError", py.get_type::<GradError>())?;
    module.add("OutOfMemoryError", py.get_type::<OutOfMemoryError>())?;
    module.add("FormatError", py.get_type::<FormatError>())
}
