//! Ferrograd's core: tensors, autograd, CPU kernels and GPU shaders. It never sees Python.

pub mod error;

pub use error::{Error, Result};
