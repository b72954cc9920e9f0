//! Tensors that an op updates in the Python objects themselves: optimizer state, running statistics.

use crate::table::args::{Arg, FromPython};
use crate::tensor::PyTensor;
use ferrograd_core::{Error, Result, Tensor};
use pyo3::prelude::*;
use std::sync::MutexGuard;

/// A Python tensor whose value the op replaces.
pub struct Cell(Py<PyTensor>);

impl Cell {
    pub fn value(&self) -> Tensor {
        self.0.get().value()
    }

    /// Puts a value in place, whatever the mode: these are not part of the graph.
    pub fn set(&self, value: &Tensor) -> Result<()> {
        self.0.get().lock().replace_value(value)
    }
}

impl FromPython for Cell {
    const HINT: &'static str = "Tensor";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Cell> {
        arg.value.cast::<PyTensor>().map(|t| Cell(t.to_owned().unbind())).map_err(|_| arg.wrong("a Tensor"))
    }
    fn weight(&self) -> usize {
        usize::MAX
    }
}

/// Several tensors, updated together.
pub struct Cells(Vec<Cell>);

impl FromPython for Cells {
    const HINT: &'static str = "Sequence[Tensor]";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<Cells> {
        let iterator = arg.value.try_iter().map_err(|_| arg.wrong("a sequence of Tensors"))?;
        let cell = |item: PyResult<Bound<'_, PyAny>>| {
            Cell::from_python(&Arg { op: arg.op, name: arg.name, value: item?.as_borrowed() })
        };
        iterator.map(cell).collect::<PyResult<_>>().map(Cells)
    }
    fn weight(&self) -> usize {
        usize::MAX
    }
}

/// Lists of tensors, one for each state of an optimizer; a list may be empty.
pub struct CellLists(Vec<Cells>);

impl FromPython for CellLists {
    const HINT: &'static str = "Sequence[Sequence[Tensor]]";
    fn from_python(arg: &Arg<'_, '_>) -> PyResult<CellLists> {
        let iterator = arg.value.try_iter().map_err(|_| arg.wrong("a sequence of sequences of Tensors"))?;
        let list = |item: PyResult<Bound<'_, PyAny>>| {
            Cells::from_python(&Arg { op: arg.op, name: arg.name, value: item?.as_borrowed() })
        };
        iterator.map(list).collect::<PyResult<_>>().map(CellLists)
    }
    fn weight(&self) -> usize {
        usize::MAX
    }
}

impl CellLists {
    pub fn iter(&self) -> impl Iterator<Item = &Cells> {
        self.0.iter()
    }
}

/// Takes the values out of all lists, runs `body` on them and puts them back, changed or not. The cells stay locked
/// meanwhile, so nobody sees them empty; their storages have one owner, so `body` writes in place.
pub fn update(op: &str, lists: &[&Cells], body: impl FnOnce(&mut [Vec<Tensor>]) -> Result<()>) -> Result<()> {
    let mut places: Vec<usize> = lists.iter().flat_map(|l| l.0.iter().map(|c| c.0.as_ptr() as usize)).collect();
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::value(op, "a tensor is listed twice, expected distinct tensors"));
    }
    let mut guards: Vec<Vec<MutexGuard<'_, Tensor>>> =
        lists.iter().map(|l| l.0.iter().map(|c| c.0.get().lock()).collect()).collect();
    let empty = Tensor::from_slice::<f32>(&[], &[0])?;
    let mut values: Vec<Vec<Tensor>> =
        guards.iter_mut().map(|l| l.iter_mut().map(|g| std::mem::replace(&mut **g, empty.clone())).collect()).collect();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&mut values)));
    for (guard, value) in guards.iter_mut().flatten().zip(values.into_iter().flatten()) {
        **guard = value;
    }
    result.unwrap_or_else(|_| Err(Error::internal(op, "the kernel panicked")))
}
