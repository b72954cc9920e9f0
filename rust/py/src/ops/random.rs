//! Random draws. Element i of a draw depends on the generator's seed, the draw's number and i only.

use crate::rows;
use crate::table::Row;
use crate::table::args::{Arg, FromPython, Sizes};
use ferrograd_core::ops::random::{self, Place};
use ferrograd_core::random::{Generator, Stream, default_generator};
use ferrograd_core::{DType, Device, Tensor};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;

/// A source of random numbers of its own: the same seed gives the same draws on every device and thread count.
#[pyclass(name = "Generator", module = "ferrograd", frozen)]
pub struct PyGenerator(Arc<Generator>);

#[pymethods]
impl PyGenerator {
    #[new]
    #[pyo3(signature = (seed=0))]
    fn new(seed: u64) -> PyGenerator {
        PyGenerator(Arc::new(Generator::new(seed)))
    }

    /// Starts again from a seed; returns the generator.
    fn manual_seed(slf: Bound<'_, Self>, seed: u64) -> Py<Self> {
        slf.get().0.seed(seed);
        slf.unbind()
    }

    /// (seed, number of the next draw).
    fn get_state(&self) -> (u64, u64) {
        let state = self.0.state();
        (state.seed, state.stream)
    }

    fn set_state(&self, state: (u64, u64)) {
        self.0.set_state(Stream { seed: state.0, stream: state.1 });
    }
}

/// The generator of a call: the one given, else the process's own.
struct Source(Arc<Generator>);

impl FromPython for Source {
    const HINT: &'static str = "Generator";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Source> {
        arg.value.cast::<PyGenerator>().map(|g| Source(g.get().0.clone())).map_err(|_| arg.wrong("a Generator"))
    }
}

fn stream(generator: Option<Source>) -> Stream {
    generator.map_or_else(|| default_generator().stream(), |g| g.0.stream())
}

fn place(dtype: DType, device: Device, generator: Option<Source>) -> Place {
    Place { dtype, device, stream: stream(generator) }
}

pub const DRAWS: &[Row] = rows! {
    /// Ones with the probabilities that x holds, else zeros.
    bernoulli [] (x: Tensor) {generator: Option<Source> = None} -> Tensor = random::bernoulli(&x, stream(generator));
    /// Uniform draws from [0, 1).
    rand [] (shape: Sizes) {dtype: DType = DType::F32, device: Device = Device::Cpu, generator: Option<Source> = None} -> Tensor
        = random::uniform(&shape.0, 0.0, 1.0, place(dtype, device, generator));
    /// Normal draws with mean 0 and variance 1.
    randn [] (shape: Sizes) {dtype: DType = DType::F32, device: Device = Device::Cpu, generator: Option<Source> = None} -> Tensor
        = random::normal(&shape.0, 0.0, 1.0, place(dtype, device, generator));
    /// Integers from low up to but without high.
    randint [] (low: i64, high: i64, shape: Sizes) {dtype: DType = DType::I64, device: Device = Device::Cpu, generator: Option<Source> = None} -> Tensor
        = random::randint(&shape.0, low as i128, high as i128, place(dtype, device, generator));
    /// The integers from 0 to n - 1 in random order.
    randperm [] (n: usize) {dtype: DType = DType::I64, device: Device = Device::Cpu, generator: Option<Source> = None} -> Tensor
        = random::randperm(n, place(dtype, device, generator));
};

/// Seeds the process's generator.
#[pyfunction]
fn manual_seed(seed: &Bound<'_, PyAny>) -> PyResult<()> {
    let wrong = |_| PyValueError::new_err("manual_seed: expected an integer from 0 to 2**64 - 1");
    default_generator().seed(seed.extract::<u64>().map_err(wrong)?);
    Ok(())
}

/// (seed, number of the next draw) of the process's generator.
#[pyfunction]
fn get_rng_state() -> (u64, u64) {
    let state = default_generator().state();
    (state.seed, state.stream)
}

#[pyfunction]
fn set_rng_state(state: (u64, u64)) {
    default_generator().set_state(Stream { seed: state.0, stream: state.1 });
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyGenerator>()?;
    module.add_function(wrap_pyfunction!(manual_seed, module)?)?;
    module.add_function(wrap_pyfunction!(get_rng_state, module)?)?;
    module.add_function(wrap_pyfunction!(set_rng_state, module)?)
}
