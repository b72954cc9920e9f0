//! The compiled module `ferrograd._core`.

use pyo3::prelude::*;

#[pymodule]
mod _core {}
