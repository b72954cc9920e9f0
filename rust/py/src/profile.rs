//! What `fg.profile` is made of.

use ferrograd_core::profile::{self, Cost};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Name, calls, seconds, bytes read, bytes written and floating-point operations of one op.
type Row = (&'static str, u64, f64, u64, u64, u64);

#[pyfunction(name = "_profile_start")]
fn profile_start() -> PyResult<()> {
    let already = || PyRuntimeError::new_err("profile: already on, expected one profile at a time");
    profile::start().then_some(()).ok_or_else(already)
}

#[pyfunction(name = "_profile_stop")]
fn profile_stop() -> Vec<Row> {
    let row = |(name, c): (_, Cost)| (name, c.calls, c.time.as_secs_f64(), c.bytes_in, c.bytes_out, c.flops);
    profile::stop().into_iter().map(row).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(profile_start, module)?)?;
    module.add_function(wrap_pyfunction!(profile_stop, module)?)
}
