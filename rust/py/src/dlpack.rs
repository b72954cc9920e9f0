//! DLPack both ways (https://dmlc.github.io/dlpack/latest): versioned capsules where the consumer knows them.

use crate::error::raise;
use crate::tensor::PyTensor;
use ferrograd_core::ops::{copy, transfer};
use ferrograd_core::shape::{self, Layout, Shape, Strides};
use ferrograd_core::storage::Storage;
use ferrograd_core::{DType, Device, Tensor};
use pyo3::exceptions::{PyBufferError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::{CStr, c_void};
use std::sync::Arc;

const CPU: i32 = 1;
const READ_ONLY: u64 = 1;
const IS_COPIED: u64 = 2;

#[repr(C)]
struct DlTensor {
    data: *mut c_void,
    device: (i32, i32),
    ndim: i32,
    code: u8,
    bits: u8,
    lanes: u16,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct Managed {
    tensor: DlTensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Managed)>,
}

#[repr(C)]
struct Versioned {
    version: (u32, u32),
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Versioned)>,
    flags: u64,
    tensor: DlTensor,
}

const NAME: &CStr = c"dltensor";
const USED: &CStr = c"used_dltensor";
const NAME_VERSIONED: &CStr = c"dltensor_versioned";
const USED_VERSIONED: &CStr = c"used_dltensor_versioned";

/// DLPack's type code and width.
fn type_code(dtype: DType) -> (u8, u8) {
    let code = match dtype {
        DType::Bool => 6,
        DType::BF16 => 4,
        d if d.is_complex() => 5,
        d if d.is_float() => 2,
        d if d.is_unsigned() => 1,
        _ => 0,
    };
    (code, dtype.size() as u8 * 8)
}

/// What an exported capsule keeps alive.
struct Context {
    _value: Tensor,
    shape: Vec<i64>,
    strides: Vec<i64>,
}

fn describe(value: Tensor) -> PyResult<(DlTensor, Box<Context>)> {
    let (code, bits) = type_code(value.dtype());
    let start = value.storage().pointer().map_err(raise)?;
    // Whoever takes the capsule may write.
    value.storage().kept().inspect(|kept| kept.never());
    let offset = value.layout().offset * value.dtype().size();
    let mut context = Box::new(Context {
        shape: value.shape().iter().map(|&n| n as i64).collect(),
        strides: value.layout().strides.iter().map(|&s| s as i64).collect(),
        _value: value,
    });
    let tensor = DlTensor {
        data: start.wrapping_add(offset).cast_mut().cast(),
        device: (CPU, 0),
        ndim: context.shape.len() as i32,
        code,
        bits,
        lanes: 1,
        shape: context.shape.as_mut_ptr(),
        strides: context.strides.as_mut_ptr(),
        byte_offset: 0,
    };
    Ok((tensor, context))
}

unsafe extern "C" fn delete(managed: *mut Managed) {
    // SAFETY: made by `export` from two boxes, and a deleter is called once.
    unsafe {
        let managed = Box::from_raw(managed);
        drop(Box::from_raw(managed.context.cast::<Context>()));
    }
}

unsafe extern "C" fn delete_versioned(managed: *mut Versioned) {
    // SAFETY: as above.
    unsafe {
        let managed = Box::from_raw(managed);
        drop(Box::from_raw(managed.context.cast::<Context>()));
    }
}

/// Frees a capsule that nobody consumed.
unsafe extern "C" fn drop_capsule(capsule: *mut ffi::PyObject) {
    // SAFETY: the interpreter passes the live capsule; a consumed one has another name and is left alone.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, NAME.as_ptr()) == 1 {
            delete(ffi::PyCapsule_GetPointer(capsule, NAME.as_ptr()).cast());
        } else if ffi::PyCapsule_IsValid(capsule, NAME_VERSIONED.as_ptr()) == 1 {
            delete_versioned(ffi::PyCapsule_GetPointer(capsule, NAME_VERSIONED.as_ptr()).cast());
        }
    }
}

#[pymethods]
impl PyTensor {
    /// Array API and DLPack: (device type, device number); 1 is the CPU.
    fn __dlpack_device__(&self) -> PyResult<(i32, i32)> {
        match self.lock().device() {
            Device::Cpu => Ok((CPU, 0)),
            device => Err(PyBufferError::new_err(format!(
                "dlpack: memory on {device} cannot be read by others; use .to('cpu')"
            ))),
        }
    }

    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__(
        &self,
        py: Python<'_>,
        stream: Option<Py<PyAny>>,
        max_version: Option<(i64, i64)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Py<PyAny>> {
        if stream.is_some() {
            return Err(PyBufferError::new_err("dlpack: expected stream=None for memory on the cpu"));
        }
        if dl_device.is_some_and(|d| d != (CPU, 0)) {
            return Err(PyBufferError::new_err("dlpack: expected dl_device=(1, 0), the cpu"));
        }
        let value = self.value().detach();
        if value.device() != Device::Cpu && copy == Some(false) {
            return Err(PyBufferError::new_err("dlpack: memory on the gpu cannot be shared; use .to('cpu')"));
        }
        if value.device() != Device::Cpu && dl_device.is_none() && copy.is_none() {
            return Err(PyBufferError::new_err("dlpack: memory on the gpu cannot be read by others; use .to('cpu')"));
        }
        export(py, value, max_version.is_some_and(|v| v >= (1, 0)), copy)
    }
}

fn export(py: Python<'_>, value: Tensor, versioned: bool, copied: Option<bool>) -> PyResult<Py<PyAny>> {
    // The old protocol has no read-only mark, and a consumer's write must not show in our values: it gets a copy.
    let copies = copied == Some(true) || (!versioned && copied.is_none()) || value.device() != Device::Cpu;
    let value = transfer::to_device(&value, Device::Cpu).map_err(raise)?;
    let value = if copies { copy::copied(&value).map_err(raise)? } else { value };
    let (tensor, context) = describe(value)?;
    let context = Box::into_raw(context).cast();
    let (pointer, name) = if versioned {
        let flags = if copies { IS_COPIED } else { READ_ONLY };
        let managed = Versioned { version: (1, 0), context, deleter: Some(delete_versioned), flags, tensor };
        (Box::into_raw(Box::new(managed)).cast::<c_void>(), NAME_VERSIONED)
    } else {
        (Box::into_raw(Box::new(Managed { tensor, context, deleter: Some(delete) })).cast(), NAME)
    };
    // SAFETY: the pointer and the static name outlive the capsule; the destructor matches both.
    let capsule =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyCapsule_New(pointer, name.as_ptr(), Some(drop_capsule)))? };
    Ok(capsule.unbind())
}

/// Memory of another library, given back by its own deleter.
enum Imported {
    Plain(*mut Managed),
    Versioned(*mut Versioned),
}

// SAFETY: the structure is only touched again by its deleter, which DLPack allows from any thread.
unsafe impl Send for Imported {}
// SAFETY: as above; there is no access through a shared reference.
unsafe impl Sync for Imported {}

impl Drop for Imported {
    fn drop(&mut self) {
        // Deleters of Python libraries expect the interpreter lock.
        Python::try_attach(|_| {
            // SAFETY: ownership was taken over when the capsule was renamed; this runs once.
            unsafe {
                match self {
                    Imported::Plain(m) => (**m).deleter.iter().for_each(|delete| delete(*m)),
                    Imported::Versioned(m) => (**m).deleter.iter().for_each(|delete| delete(*m)),
                }
            }
        });
    }
}

/// A tensor over (or, where it must be, copied from) what `__dlpack__` of another object exports.
pub fn import(data: &Bound<'_, PyAny>, copied: Option<bool>) -> PyResult<Tensor> {
    let py = data.py();
    let (kind, _): (i32, i64) = data.call_method0("__dlpack_device__")?.extract()?;
    if kind != CPU {
        return Err(PyBufferError::new_err(format!(
            "from_dlpack: expected memory on the cpu, got DLPack device type {kind}"
        )));
    }
    let ask = PyDict::new(py);
    ask.set_item("max_version", (1, 0))?;
    if let Some(copied) = copied {
        ask.set_item("copy", copied)?;
    }
    let capsule = match data.call_method("__dlpack__", (), Some(&ask)) {
        Err(e) if e.is_instance_of::<PyTypeError>(py) => data.call_method0("__dlpack__")?,
        other => other?,
    };
    let owner = take(&capsule)?;
    // SAFETY: a capsule with DLPack's name holds this structure, alive until its deleter runs.
    let tensor = unsafe {
        match &owner {
            Imported::Plain(m) => &(**m).tensor,
            Imported::Versioned(m) => &(**m).tensor,
        }
    };
    let dtype = DType::ALL.into_iter().find(|&d| tensor.lanes == 1 && type_code(d) == (tensor.code, tensor.bits));
    let Some(dtype) = dtype else {
        let message =
            format!("from_dlpack: element type (code {}, {} bits) is not supported", tensor.code, tensor.bits);
        return Err(crate::error::DTypeError::new_err(message));
    };
    let (layout, low, bytes) = imported_layout(tensor, dtype)?;
    if bytes == 0 {
        return Tensor::from_storage(Arc::new(Storage::new(Device::Cpu, 0).map_err(raise)?), layout, dtype)
            .map_err(raise);
    }
    let first = (tensor.data as *const u8).wrapping_add(tensor.byte_offset as usize).wrapping_offset(low);
    if first as usize % dtype.size().min(8) != 0 {
        return Err(PyBufferError::new_err("from_dlpack: memory is not aligned to its elements"));
    }
    // SAFETY: the exporter promises the elements of its layout while the structure lives, which the owner does.
    let storage = unsafe { Storage::foreign(first, bytes, Box::new(owner)) };
    let shared = Tensor::from_storage(Arc::new(storage), layout, dtype).map_err(raise)?;
    if copied == Some(true) || dtype == DType::Bool { copy::copied(&shared).map_err(raise) } else { Ok(shared) }
}

fn take(capsule: &Bound<'_, PyAny>) -> PyResult<Imported> {
    let object = capsule.as_ptr();
    // SAFETY: validity of name and pointer is checked first; renaming marks the capsule as consumed.
    unsafe {
        if ffi::PyCapsule_IsValid(object, NAME_VERSIONED.as_ptr()) == 1 {
            let managed = ffi::PyCapsule_GetPointer(object, NAME_VERSIONED.as_ptr()).cast::<Versioned>();
            if (*managed).version.0 != 1 {
                return Err(PyBufferError::new_err(format!(
                    "from_dlpack: version {} is not supported",
                    (*managed).version.0
                )));
            }
            ffi::PyCapsule_SetName(object, USED_VERSIONED.as_ptr());
            Ok(Imported::Versioned(managed))
        } else if ffi::PyCapsule_IsValid(object, NAME.as_ptr()) == 1 {
            let managed = ffi::PyCapsule_GetPointer(object, NAME.as_ptr()).cast();
            ffi::PyCapsule_SetName(object, USED.as_ptr());
            Ok(Imported::Plain(managed))
        } else {
            Err(PyTypeError::new_err("from_dlpack: expected an unused DLPack capsule"))
        }
    }
}

/// The layout, the byte of the lowest element relative to the data pointer, and the bytes from there.
fn imported_layout(tensor: &DlTensor, dtype: DType) -> PyResult<(Layout, isize, usize)> {
    let rank = usize::try_from(tensor.ndim).unwrap_or(usize::MAX);
    if rank > shape::MAX_RANK {
        return Err(PyValueError::new_err("from_dlpack: too many axes"));
    }
    // SAFETY: DLPack promises `ndim` entries in shape, and in strides where given.
    let (sizes, steps) = unsafe {
        let list = |p: *mut i64| (!p.is_null() && rank > 0).then(|| std::slice::from_raw_parts(p, rank));
        (list(tensor.shape).unwrap_or(&[]), list(tensor.strides))
    };
    let negative = || PyValueError::new_err("from_dlpack: negative size");
    let sizes: Shape = sizes.iter().map(|&n| usize::try_from(n).map_err(|_| negative())).collect::<PyResult<_>>()?;
    let numel = shape::checked_numel("from_dlpack", &sizes).map_err(raise)?;
    let strides: Strides = match steps {
        Some(steps) => steps.iter().map(|&s| s as isize).collect(),
        None => shape::contiguous_strides(&sizes),
    };
    if numel == 0 {
        return Ok((Layout::contiguous(&sizes), 0, 0));
    }
    let reach = |n: usize, s: isize| (n as isize - 1).saturating_mul(s);
    let low: isize = sizes.iter().zip(&strides).map(|(&n, &s)| reach(n, s).min(0)).sum();
    let high: isize = sizes.iter().zip(&strides).map(|(&n, &s)| reach(n, s).max(0)).sum();
    let layout = Layout { shape: sizes, strides, offset: low.unsigned_abs() };
    let size = dtype.size();
    Ok((layout, low * size as isize, (high - low + 1) as usize * size))
}

/// `fg.from_dlpack`: shares the other library's memory unless a copy is asked for.
#[pyfunction(signature = (x, /, *, device=None, copy=None))]
fn from_dlpack(x: &Bound<'_, PyAny>, device: Option<&str>, copy: Option<bool>) -> PyResult<PyTensor> {
    let device = device.map(Device::parse).transpose().map_err(raise)?;
    let value = match x.cast::<PyTensor>() {
        Ok(tensor) if copy != Some(true) => tensor.get().value(),
        _ => import(x, copy)?,
    };
    device.map_or(Ok(value.clone()), |d| transfer::to_device(&value, d)).map(PyTensor::new).map_err(raise)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_dlpack, module)?)
}
