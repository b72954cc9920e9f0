//! What `fg.gpu` and `fg.cpu` are made of: presence, memory, levels.

use crate::error::raise;
use ferrograd_core::{cpu, gpu};
use pyo3::prelude::*;
use std::collections::HashMap;

#[pyfunction(name = "_gpu_devices")]
fn gpu_devices(py: Python<'_>) -> Vec<String> {
    // A forked child of a process that uses the GPU has none.
    py.detach(gpu::devices).unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// The shader files by name, for `ferrograd.shaders`.
#[pyfunction(name = "_shaders")]
fn shaders() -> HashMap<&'static str, &'static str> {
    gpu::SHADERS.iter().copied().collect()
}

#[pyfunction(name = "_gpu_synchronize")]
fn gpu_synchronize(py: Python<'_>, device: u8) -> PyResult<()> {
    py.detach(|| gpu::synchronize(device)).map_err(raise)
}

#[pyfunction(name = "_gpu_empty_cache")]
fn gpu_empty_cache(device: u8) -> PyResult<()> {
    gpu::empty_cache(device).map_err(raise)
}

#[pyfunction(name = "_cpu_empty_cache")]
fn cpu_empty_cache() {
    cpu::arena::empty_cache();
}

/// Name of the CPU feature level in use: "portable", "avx2", "avx512" or "neon".
#[pyfunction]
fn cpu_level() -> &'static str {
    cpu::level::level().name()
}

/// Operations, bytes read and bytes written a second, at most.
#[pyfunction(name = "_cpu_roofline")]
fn cpu_roofline(py: Python<'_>, bytes: usize) -> PyResult<(f64, f64, f64)> {
    let roof = py.detach(|| cpu::roof::roof(bytes)).map_err(raise)?;
    Ok((roof.flops, roof.read, roof.write))
}

#[pyfunction(name = "_cpu_memory_stats")]
fn cpu_memory_stats() -> HashMap<&'static str, u64> {
    let s = cpu::arena::memory_stats();
    HashMap::from([
        ("live", s.live as u64),
        ("cached", s.cached as u64),
        ("peak", s.peak as u64),
        ("reused", s.reused),
        ("system_calls", s.system_calls),
    ])
}

#[pyfunction(name = "_gpu_memory_stats")]
fn gpu_memory_stats(device: u8) -> PyResult<HashMap<&'static str, u64>> {
    let s = gpu::memory_stats(device).map_err(raise)?;
    Ok(HashMap::from([
        ("live", s.live_bytes),
        ("cached", s.cached_bytes),
        ("peak", s.peak_bytes),
        ("allocations", s.allocations),
        ("reused", s.reuses),
        ("limit", s.limit_bytes),
    ]))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(gpu_devices, module)?)?;
    module.add_function(wrap_pyfunction!(shaders, module)?)?;
    module.add_function(wrap_pyfunction!(gpu_memory_stats, module)?)?;
    module.add_function(wrap_pyfunction!(gpu_synchronize, module)?)?;
    module.add_function(wrap_pyfunction!(gpu_empty_cache, module)?)?;
    module.add_function(wrap_pyfunction!(cpu_empty_cache, module)?)?;
    module.add_function(wrap_pyfunction!(cpu_level, module)?)?;
    module.add_function(wrap_pyfunction!(cpu_roofline, module)?)?;
    module.add_function(wrap_pyfunction!(cpu_memory_stats, module)?)
}
