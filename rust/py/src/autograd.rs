//! Differentiation as Python sees it: backward, grad, hooks, modes, and gradients written in Python.

use crate::error::{GradError, keep, raise};
use crate::interop;
use crate::tensor::PyTensor;
use ferrograd_core::autograd::{self, Gradient, Grads, Held, Options, RowGradient, Saved, Saves};
use ferrograd_core::ops::create;
use ferrograd_core::{Error, Result, Scalar, Tensor};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::sync::Arc;

#[pymethods]
impl PyTensor {
    #[getter]
    fn requires_grad(&self) -> bool {
        self.lock().requires_grad()
    }

    #[setter]
    fn set_requires_grad(&self, on: bool) -> PyResult<()> {
        let mut cell = self.lock();
        if cell.requires_grad() == on {
            return Ok(());
        }
        if !cell.is_leaf() {
            return Err(GradError::new_err("requires_grad: only a leaf can be switched, expected detach() first"));
        }
        *cell = if on { cell.leaf().map_err(raise)? } else { cell.detach() };
        Ok(())
    }

    #[pyo3(signature = (requires_grad=true))]
    fn requires_grad_(slf: Bound<'_, Self>, requires_grad: bool) -> PyResult<Py<Self>> {
        slf.get().set_requires_grad(requires_grad)?;
        Ok(slf.unbind())
    }

    #[getter]
    fn is_leaf(&self) -> bool {
        self.lock().is_leaf()
    }

    /// Name of the op that made this tensor, or None for a leaf.
    #[getter]
    fn grad_fn(&self) -> Option<&'static str> {
        self.lock().link().filter(|l| !l.node.is_leaf()).map(|l| l.node.name())
    }

    #[getter]
    fn grad(&self, py: Python<'_>) -> PyResult<Option<PyTensor>> {
        let value = self.value();
        let grad = py.detach(|| value.grad()).map_err(raise)?;
        Ok(grad.map(PyTensor::new))
    }

    /// The rows of a gradient that is zero but for these, while nobody has read `grad`: their numbers (k,), rising, and
    /// their values (k, ...). None for any other gradient.
    fn _row_grad(&self, py: Python<'_>) -> PyResult<Option<(PyTensor, PyTensor)>> {
        let value = self.value();
        let rows = match value.link() {
            Some(link) => py.detach(|| link.node.row_grad(link.index)).map_err(raise)?,
            None => None,
        };
        Ok(rows.map(|(index, values)| (PyTensor::new(index), PyTensor::new(values))))
    }

    /// Makes these rows the gradient, as `_row_grad` gives them.
    fn _set_row_grad(&self, index: &Bound<'_, PyTensor>, values: &Bound<'_, PyTensor>) -> PyResult<()> {
        let cell = self.value();
        let rows = RowGradient::of(&cell, &index.get().value(), &values.get().value()).map_err(raise)?;
        self.put_grad(Some(Held::Rows(rows)))
    }

    #[setter]
    fn set_grad(&self, grad: Option<&Bound<'_, PyTensor>>) -> PyResult<()> {
        let cell = self.value();
        let grad = grad.map(|g| g.get().value());
        if let Some(g) = &grad
            && (g.shape() != cell.shape() || g.dtype() != cell.dtype())
        {
            return Err(crate::error::ShapeError::new_err(format!("grad: expected one like {cell:?}, got {g:?}")));
        }
        self.put_grad(grad.map(Held::Whole))
    }

    /// The value without history; assigning gives this object another value, dtype and device.
    #[getter]
    fn data(&self) -> PyTensor {
        self.detach()
    }

    #[setter]
    fn set_data(&self, value: &Bound<'_, PyTensor>) -> PyResult<()> {
        let value = value.get().value().detach();
        let mut cell = self.lock();
        let same = value.shape() == cell.shape() && value.dtype() == cell.dtype() && value.device() == cell.device();
        if !cell.is_leaf() {
            return Err(GradError::new_err("data: only a leaf can be given another value, expected detach() first"));
        }
        if same {
            return cell.replace_value(&value).map_err(raise);
        }
        *cell = if cell.requires_grad() { value.leaf().map_err(raise)? } else { value };
        Ok(())
    }

    /// The same value outside the graph; memory is shared until somebody writes.
    fn detach(&self) -> PyTensor {
        PyTensor::new(self.lock().detach())
    }

    /// Keeps the gradient of a tensor that is not a leaf.
    fn retain_grad(&self) -> PyResult<()> {
        match self.lock().link() {
            Some(link) => {
                link.node.retain_grad();
                Ok(())
            }
            None => Err(GradError::new_err("retain_grad: the tensor does not require a gradient")),
        }
    }

    /// Calls `hook(grad)` when this tensor's gradient is known; a returned tensor replaces it. Returns a handle with `remove()`.
    fn register_hook(&self, hook: Py<PyAny>) -> PyResult<HookHandle> {
        let cell = self.value();
        let Some(link) = cell.link() else {
            return Err(GradError::new_err("register_hook: the tensor does not require a gradient"));
        };
        let call = move |grad: &Tensor| {
            Python::attach(|py| {
                let out = hook.call1(py, (PyTensor::new(grad.clone()),)).map_err(keep)?;
                tensor_or_none(out.bind(py)).map_err(keep)
            })
        };
        let id = link.node.add_hook(link.index, Arc::new(call));
        Ok(HookHandle { tensor: cell.clone(), id })
    }

    /// Computes the gradients of every leaf this tensor depends on and adds them to their `grad`.
    ///
    /// `gradient` is the weight of each element (a one-element tensor needs none). `create_graph` records the pass itself,
    /// so that it can be differentiated again; `retain_graph` keeps what a second backward needs.
    #[pyo3(signature = (gradient=None, retain_graph=None, create_graph=false))]
    fn backward(
        &self,
        py: Python<'_>,
        gradient: Option<&Bound<'_, PyAny>>,
        retain_graph: Option<bool>,
        create_graph: bool,
    ) -> PyResult<()> {
        let root = self.value();
        let gradient = gradient.map(|g| interop::from_object(g, Some(root.dtype()))).transpose()?;
        let options = Options { create_graph, retain_graph: retain_graph.unwrap_or(create_graph) };
        py.detach(|| autograd::backward(&[(root.clone(), seed(&root, gradient)?)], options)).map_err(raise)
    }
}

fn tensor_or_none(value: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    if value.is_none() {
        return Ok(None);
    }
    let wrong = || PyTypeError::new_err("gradient function: expected a Tensor or None");
    Ok(Some(value.cast::<PyTensor>().map_err(|_| wrong())?.get().value()))
}

/// The gradient a root starts with: ones for a single element.
fn seed(root: &Tensor, gradient: Option<Tensor>) -> Result<Tensor> {
    match gradient {
        Some(g) => ferrograd_core::ops::transfer::to_device(&g, root.device()),
        None if root.numel() == 1 => create::full_like(root, Scalar::Int(1)),
        None => {
            let got = ferrograd_core::shape::display(root.shape());
            Err(Error::grad("backward", format!("expected a gradient for a tensor of shape {got}, got none")))
        }
    }
}

impl PyTensor {
    fn put_grad(&self, grad: Option<Held>) -> PyResult<()> {
        match self.lock().link() {
            Some(link) => link.node.set_grad(link.index, grad),
            None if grad.is_none() => {}
            None => return Err(GradError::new_err("grad: the tensor does not require a gradient")),
        }
        Ok(())
    }
}

/// Removes a hook.
#[pyclass(module = "ferrograd", frozen)]
pub struct HookHandle {
    tensor: Tensor,
    id: u64,
}

#[pymethods]
impl HookHandle {
    fn remove(&self) {
        if let Some(link) = self.tensor.link() {
            link.node.remove_hook(self.id);
        }
    }
}

/// Gradients of `outputs` with respect to `inputs`; nobody's `grad` changes. None where there is no path.
#[pyfunction(name = "_gradients", signature = (outputs, inputs, seeds=None, create_graph=false, retain_graph=false))]
fn gradients(
    py: Python<'_>,
    outputs: Vec<Bound<'_, PyTensor>>,
    inputs: Vec<Bound<'_, PyTensor>>,
    seeds: Option<Vec<Option<Bound<'_, PyTensor>>>>,
    create_graph: bool,
    retain_graph: bool,
) -> PyResult<Vec<Option<PyTensor>>> {
    let value = |t: &Bound<'_, PyTensor>| t.get().value();
    let outputs: Vec<Tensor> = outputs.iter().map(value).collect();
    let inputs: Vec<Tensor> = inputs.iter().map(value).collect();
    let mut seeds: Vec<Option<Tensor>> = seeds.map_or(vec![], |s| s.iter().map(|s| s.as_ref().map(value)).collect());
    seeds.resize(outputs.len(), None);
    let run = || {
        let roots = outputs.iter().zip(seeds).map(|(y, s)| Ok((y.clone(), seed(y, s)?))).collect::<Result<Vec<_>>>()?;
        autograd::gradients(&roots, &inputs, Options { create_graph, retain_graph: retain_graph || create_graph })
    };
    let found = py.detach(run).map_err(raise)?;
    Ok(found.into_iter().map(|g| g.map(PyTensor::new)).collect())
}

/// Adds the gradients of several outputs, each with its cotangent, to the leaves' `grad` in one walk.
#[pyfunction(name = "_backward")]
fn backward_all(py: Python<'_>, outputs: Vec<Bound<'_, PyTensor>>, seeds: Vec<Bound<'_, PyTensor>>) -> PyResult<()> {
    let roots: Vec<(Tensor, Tensor)> =
        outputs.iter().zip(&seeds).map(|(y, s)| (y.get().value(), s.get().value())).collect();
    py.detach(|| autograd::backward(&roots, Options::default())).map_err(raise)
}

/// An op whose gradient is a Python function of the output gradients.
struct PythonGradient {
    backward: Py<PyAny>,
}

impl std::fmt::Debug for PythonGradient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PythonGradient")
    }
}

impl Gradient for PythonGradient {
    fn name(&self) -> &'static str {
        "custom_vjp"
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        Python::attach(|py| {
            let call = || -> PyResult<Grads> {
                let dy = dy.iter().map(|g| g.clone().map(PyTensor::new));
                let out = self.backward.bind(py).call1(PyTuple::new(py, dy.collect::<Vec<_>>())?)?;
                let out = if out.is_instance_of::<PyTuple>() || out.is_instance_of::<PyList>() {
                    out.try_iter()?.collect::<PyResult<Vec<_>>>()?
                } else {
                    vec![out]
                };
                if out.len() != saved.len() {
                    let message =
                        format!("custom_vjp: expected {} gradients, one an input, got {}", saved.len(), out.len());
                    return Err(GradError::new_err(message));
                }
                out.iter().enumerate().map(|(i, g)| checked(tensor_or_none(g)?, saved, i)).collect()
            };
            call().map_err(keep)
        })
    }
}

/// A user's gradient must look like its input.
fn checked(grad: Option<Tensor>, saved: &Saved, i: usize) -> PyResult<Option<Tensor>> {
    let spec = saved.spec(i);
    if let Some(g) = &grad
        && (g.shape() != spec.shape.as_slice() || g.dtype() != spec.dtype)
    {
        let want = ferrograd_core::shape::display(&spec.shape);
        return Err(GradError::new_err(format!("custom_vjp: gradient {i}: expected {} {want}, got {g:?}", spec.dtype)));
    }
    Ok(grad)
}

/// Ties `outputs` to `inputs` through a Python function that maps output gradients to input gradients.
#[pyfunction(name = "_record")]
fn record<'py>(
    outputs: Vec<Bound<'py, PyTensor>>,
    inputs: Vec<Bound<'py, PyTensor>>,
    backward: Py<PyAny>,
) -> PyResult<Vec<PyTensor>> {
    let inputs: Vec<Tensor> = inputs.iter().map(|t| t.get().value()).collect();
    let outputs = outputs.iter().map(|t| t.get().value().detach()).collect();
    let references: Vec<&Tensor> = inputs.iter().collect();
    if !autograd::must_record(&references) {
        return Ok(ferrograd_core::ops::Outputs::into_iter(outputs).map(PyTensor::new).collect());
    }
    let tied = autograd::record(Arc::new(PythonGradient { backward }), &references, outputs).map_err(raise)?;
    Ok(tied.into_iter().map(PyTensor::new).collect())
}

#[pyfunction]
fn is_grad_enabled() -> bool {
    autograd::is_grad_enabled()
}

#[pyfunction(name = "_set_grad_enabled")]
fn set_grad_enabled(on: bool) -> bool {
    let before = autograd::is_grad_enabled();
    autograd::set_grad_enabled(on);
    before
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<HookHandle>()?;
    module.add_function(wrap_pyfunction!(gradients, module)?)?;
    module.add_function(wrap_pyfunction!(backward_all, module)?)?;
    module.add_function(wrap_pyfunction!(record, module)?)?;
    module.add_function(wrap_pyfunction!(is_grad_enabled, module)?)?;
    module.add_function(wrap_pyfunction!(set_grad_enabled, module)?)
}
