//! Ferrograd's core: tensors, autograd, CPU kernels and GPU shaders. It never sees Python.

#![deny(unsafe_code)]

pub mod autograd;
pub mod cpu;
pub mod device;
pub mod dtype;
pub mod error;
pub mod gpu;
pub mod ops;
pub mod plan;
pub mod profile;
pub mod random;
pub mod scalar;
pub mod shape;
#[allow(unsafe_code)]
pub mod storage;
pub mod tensor;

pub use device::Device;
pub use dtype::DType;
pub use error::{Error, Result};
pub use scalar::Scalar;
pub use tensor::Tensor;
