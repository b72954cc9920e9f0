//! The trampoline: every bound function and method enters here, through a number that names its row.

use super::args::Args;
use super::{Call, Group, Pass, Row, stub};
use crate::tensor::PyTensor;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple};
use std::ffi::CString;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;

/// A row as bound: which group flags apply.
pub struct BoundRow {
    pub row: &'static Row,
    pub method: bool,
    pub torch_names: bool,
    top: bool,
}

static TABLE: OnceLock<Vec<BoundRow>> = OnceLock::new();

/// Every bound row, in table order.
pub fn table() -> &'static [BoundRow] {
    TABLE.get().map_or(&[], Vec::as_slice)
}

type Trampoline = unsafe extern "C" fn(
    *mut ffi::PyObject,
    *const *mut ffi::PyObject,
    ffi::Py_ssize_t,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

unsafe extern "C" fn enter<const I: usize, const METHOD: bool>(
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls with `count` positional values followed by one per keyword name.
    unsafe { dispatch(I, METHOD, slf, args, count as usize, names) }
}

macro_rules! trampolines {
    ($method:literal; $($high:literal)*) => { [$(trampolines!(@row $method, $high),)*] };
    (@row $m:literal, $h:literal) => {
        trampolines!(@cells $m, $h, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@cells $m:literal, $h:literal, $($l:literal)*) => { [$(enter::<{ $h * 16 + $l }, $m>),*] };
}

const CAPACITY: usize = 512;
static FUNCTIONS: [[Trampoline; 16]; 32] =
    trampolines!(false; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
static METHODS: [[Trampoline; 16]; 32] =
    trampolines!(true; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

/// # Safety
/// Called by the interpreter's vectorcall convention with the lock held.
unsafe fn dispatch(
    index: usize,
    method: bool,
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    Python::attach(|py| {
        let body = || -> PyResult<Py<PyAny>> {
            let bound = &table()[index];
            let mut slots = Args::new(py, bound.row);
            // SAFETY: borrowed references that the caller keeps alive during the call.
            let object = |p: *mut ffi::PyObject| unsafe { Borrowed::from_ptr(py, p) };
            // SAFETY: `args` has `count` entries, then one per name.
            let value = |i: usize| unsafe { object(*args.add(i)) };
            let mut first = 0;
            if method {
                slots.set(0, object(slf));
                first = 1;
            }
            place_positional(&mut slots, bound, method, first, count, &value)?;
            if !names.is_null() {
                // SAFETY: keyword names are a tuple of strings.
                let names = unsafe { Borrowed::from_ptr(py, names).cast_unchecked::<PyTuple>() };
                for (i, name) in names.iter_borrowed().enumerate() {
                    let name = name.extract::<std::borrow::Cow<'_, str>>()?;
                    place_keyword(&mut slots, bound, method, &name, value(count + i))?;
                }
            }
            match &bound.row.call {
                Call::Body(body) => body(&mut slots),
                Call::Elementwise(row) => slots.elementwise(row),
            }
        };
        let result = std::panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
            let name = table()[index].row.title();
            Err(PyRuntimeError::new_err(format!("{name}: internal error (a panic), please report it")))
        });
        match result {
            Ok(value) => value.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    })
}

fn place_positional<'a, 'py>(
    slots: &mut Args<'a, 'py>,
    bound: &BoundRow,
    method: bool,
    first: usize,
    count: usize,
    value: &dyn Fn(usize) -> Borrowed<'a, 'py, PyAny>,
) -> PyResult<()> {
    let params = bound.row.params;
    // Methods take the standard's keyword-only arguments by position as well: x.sum(0).
    let allowed = params.iter().filter(|p| method || p.pass != Pass::KeywordOnly).count() - first;
    // A bool is a flag, as in x.sum(0, True).
    let sizes = || value(0).extract::<i64>().is_ok() && (0..count).all(|i| !value(i).is_instance_of::<PyBool>());
    if count > 1 && bound.row.spreads(method) && sizes() {
        slots.set_spread(first, (0..count).map(value).collect());
        return Ok(());
    }
    if count > allowed {
        let message = format!("{}: too many arguments, expected at most {allowed}, got {count}", bound.row.title());
        return Err(PyTypeError::new_err(message));
    }
    (0..count).for_each(|i| slots.set(first + i, value(i)));
    Ok(())
}

/// Functions that take `inplace` in torch.nn.functional.
const INPLACE_IN_TORCH: [&str; 17] = [
    "alpha_dropout",
    "celu",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "mish",
    "relu",
    "relu6",
    "selu",
    "silu",
    "threshold",
];

fn place_keyword<'a, 'py>(
    slots: &mut Args<'a, 'py>,
    bound: &BoundRow,
    method: bool,
    name: &str,
    value: Borrowed<'a, 'py, PyAny>,
) -> PyResult<()> {
    let params = bound.row.params;
    let named = |name: &str| params.iter().position(|p| p.name == name && p.pass != Pass::PositionalOnly);
    let torch = || {
        let spelled = match name {
            "dim" | "dims" | "dim0" => &["axis", "axes"][..],
            "keepdim" => &["keepdims"],
            "input" => &["x"],
            _ => &[],
        };
        // A name that torch gives may stand for an argument that the standard takes by position only.
        spelled.iter().find_map(|s| params.iter().position(|p| p.name == *s))
    };
    let found = named(name).or_else(|| if method || bound.torch_names { torch() } else { None });
    let Some(i) = found else {
        // Torch's request to overwrite the input asks for nothing where tensors are values.
        if name == "inplace" && bound.torch_names && INPLACE_IN_TORCH.contains(&bound.row.name) {
            return value.extract::<bool>().map(|_| ());
        }
        return Err(PyTypeError::new_err(format!("{}: unexpected keyword argument {name:?}", bound.row.title())));
    };
    if slots.is_set(i) {
        return Err(PyTypeError::new_err(format!("{}: argument {:?} given twice", bound.row.title(), params[i].name)));
    }
    slots.set(i, value);
    Ok(())
}

/// Makes the functions of `module` and the methods of Tensor from the groups.
pub fn register(module: &Bound<'_, PyModule>, groups: &[Group]) -> PyResult<()> {
    let py = module.py();
    let bind = |g: &Group| {
        g.rows.iter().map(|row| BoundRow { row, method: g.method, torch_names: g.torch_names, top: g.top }).collect()
    };
    let rows: Vec<BoundRow> = groups.iter().flat_map::<Vec<BoundRow>, _>(bind).collect();
    if rows.len() > CAPACITY {
        return Err(PyRuntimeError::new_err("more bound functions than trampolines"));
    }
    let table = TABLE.get_or_init(|| rows);
    let class = py.get_type::<PyTensor>();
    for (i, bound) in table.iter().enumerate() {
        let (name, doc) = (bound.row.python_name(), stub::docstring(bound.row));
        let function = definition(name, &doc, FUNCTIONS[i / 16][i % 16])?;
        // SAFETY: the definition is leaked, so it outlives the function object.
        let object = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyCFunction_New(function, std::ptr::null_mut()))? };
        object.setattr("__module__", "ferrograd").ok();
        // `add` also lists the name in `__all__`.
        if bound.top {
            module.add(name, object)?
        } else {
            module.setattr(name, object)?
        }
        if bound.method {
            let method = definition(name, &stub::method_docstring(bound.row), METHODS[i / 16][i % 16])?;
            // SAFETY: as above; the class object is alive for the process.
            let descriptor =
                unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(class.as_type_ptr(), method))? };
            class.setattr(name, descriptor)?;
        }
    }
    Ok(())
}

/// A method definition that lives as long as the process, as the interpreter wants it.
fn definition(name: &str, doc: &str, entry: Trampoline) -> PyResult<*mut ffi::PyMethodDef> {
    let c = |s: &str| CString::new(s).map_err(|e| PyRuntimeError::new_err(e.to_string()));
    Ok(Box::into_raw(Box::new(ffi::PyMethodDef {
        ml_name: c(name)?.into_raw(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: entry },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: c(doc)?.into_raw(),
    })))
}
