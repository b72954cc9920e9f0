//! The compiled module `ferrograd._core`: Python's view of the core, nothing of its own but conversion.

mod autograd;
mod buffer;
mod cells;
mod device;
mod dlpack;
mod dtype;
mod error;
mod index;
mod interop;
mod operators;
mod ops;
mod profile;
mod table;
mod tensor;

use pyo3::prelude::*;

/// The text of `_core.pyi`.
#[pyfunction(name = "_stub")]
fn stub_text() -> String {
    table::stub::module()
}

#[pyfunction]
fn set_num_threads(n: usize) -> PyResult<()> {
    ferrograd_core::cpu::pool::set_num_threads(n).map_err(error::raise)
}

#[pyfunction]
fn get_num_threads() -> usize {
    ferrograd_core::cpu::pool::num_threads()
}

/// Whether ops on the CPU take numbers too small for a normal exponent (float32 below 1.2e-38) for zeros, as in PyTorch:
/// processors compute with them many times slower, which a training run meets when its gradients vanish. Off at first;
/// ops too small for more than one task go on as they were. Returns whether the processor can.
#[pyfunction]
fn set_flush_denormal(mode: bool) -> bool {
    ferrograd_core::cpu::pool::set_flush_denormal(mode)
}

/// The least accuracy of float32 matrix products: "highest", "high" or "medium", as in PyTorch. It matters on processors
/// with AMX, used where `FERROGRAD_AMX=1`: a number is three bfloat16 parts there, two or one; else plain float32.
#[pyfunction]
fn set_float32_matmul_precision(precision: &str) -> PyResult<()> {
    ferrograd_core::cpu::precision::set(precision).map_err(error::raise)
}

#[pyfunction]
fn get_float32_matmul_precision() -> &'static str {
    ferrograd_core::cpu::precision::get()
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    ferrograd_core::cpu::init().map_err(error::raise)?;
    ferrograd_core::cpu::pool::set_interrupt_check(error::interrupted);
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<tensor::PyTensor>()?;
    error::register(module)?;
    dtype::register(module)?;
    interop::register(module)?;
    dlpack::register(module)?;
    autograd::register(module)?;
    table::call::register(module, &ops::groups())?;
    let names: Vec<&str> = table::call::table().iter().map(|b| b.row.python_name()).collect();
    module.add("__ops__", names)?;
    device::register(module)?;
    profile::register(module)?;
    ops::random::register(module)?;
    module.add_function(wrap_pyfunction!(stub_text, module)?)?;
    module.add_function(wrap_pyfunction!(set_float32_matmul_precision, module)?)?;
    module.add_function(wrap_pyfunction!(get_float32_matmul_precision, module)?)?;
    module.add_function(wrap_pyfunction!(set_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(set_flush_denormal, module)?)?;
    module.add_function(wrap_pyfunction!(get_num_threads, module)?)
}
