//! The buffer protocol both ways: memory of arrays as tensors, tensors as read-only buffers.

use crate::error::{DTypeError, raise};
use crate::tensor::PyTensor;
use ferrograd_core::shape::{self, Layout, Shape, Strides};
use ferrograd_core::storage::Storage;
use ferrograd_core::{DType, Device, Tensor};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::Arc;

/// What a buffer's format letter means here, and whether its bytes are swapped.
fn format_dtype(format: &str, size: usize) -> Option<(DType, bool)> {
    let swapped = match format.chars().next()? {
        '>' | '!' => cfg!(target_endian = "little"),
        '<' => cfg!(target_endian = "big"),
        _ => false,
    };
    let letters = format.trim_start_matches(['@', '=', '<', '>', '!', '|']);
    let int = |signed: bool| match (signed, size) {
        (true, 1) => Some(DType::I8),
        (true, 2) => Some(DType::I16),
        (true, 4) => Some(DType::I32),
        (true, 8) => Some(DType::I64),
        (false, 1) => Some(DType::U8),
        (false, 2) => Some(DType::U16),
        (false, 4) => Some(DType::U32),
        (false, 8) => Some(DType::U64),
        _ => None,
    };
    let dtype = match letters {
        "?" => DType::Bool,
        "b" | "h" | "i" | "l" | "q" | "n" => int(true)?,
        "B" | "H" | "I" | "L" | "Q" | "N" => int(false)?,
        "e" => DType::F16,
        "f" => DType::F32,
        "d" => DType::F64,
        "Zf" => DType::C64,
        "Zd" => DType::C128,
        _ => return None,
    };
    (dtype.size() == size).then_some((dtype, swapped && size > 1))
}

/// A tensor over the memory of a buffer (nothing copied), or `None` when the object has no usable buffer.
pub fn from_buffer(data: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    // SAFETY: a plain C-API query on a live object.
    if unsafe { ffi::PyObject_CheckBuffer(data.as_ptr()) } == 0 {
        return Ok(None);
    }
    let Ok(buffer) = PyUntypedBuffer::get(data) else { return Ok(None) };
    let format = buffer.format().to_str().unwrap_or("").to_owned();
    let Some((dtype, swapped)) = format_dtype(&format, buffer.item_size()) else {
        return Err(DTypeError::new_err(format!(
            "tensor: elements of format {format:?} are not supported, expected numbers or bools"
        )));
    };
    if swapped {
        let native = data.getattr("dtype")?.call_method1("newbyteorder", ("=",))?;
        return from_buffer(&data.call_method1("astype", (native,))?);
    }
    let sizes: Shape = buffer.shape().iter().copied().collect();
    let numel = shape::checked_numel("tensor", &sizes).map_err(raise)?;
    let size = dtype.size() as isize;
    let fits = buffer.strides().iter().all(|s| s % size == 0) && buffer.buf_ptr() as usize % align_of_dtype(dtype) == 0;
    // Bools of a foreign buffer may hold any byte, and odd strides or addresses cannot be viewed: NumPy copies those.
    if numel > 0 && (!fits || dtype == DType::Bool) {
        return gather_bytes(&buffer, dtype, &sizes).map(Some);
    }
    let strides: Strides = buffer.strides().iter().map(|s| s / size).collect();
    share(buffer, dtype, sizes, strides, numel).map(Some)
}

fn align_of_dtype(dtype: DType) -> usize {
    match dtype {
        DType::C64 => 4,
        DType::C128 => 8,
        other => other.size(),
    }
}

/// Keeps an exporter's memory alive; never read.
struct Owner {
    _buffer: PyUntypedBuffer,
}

fn share(buffer: PyUntypedBuffer, dtype: DType, sizes: Shape, strides: Strides, numel: usize) -> PyResult<Tensor> {
    let pointer = buffer.buf_ptr() as *const u8;
    let relative = Layout { shape: sizes, strides, offset: 0 };
    if numel == 0 {
        let storage = Arc::new(Storage::new(Device::Cpu, 0).map_err(raise)?);
        return Tensor::from_storage(storage, Layout::contiguous(&relative.shape), dtype).map_err(raise);
    }
    // Negative strides reach below the buffer's pointer: start the storage at the lowest element.
    let (mut low, mut high) = (0isize, 0isize);
    for (&n, &step) in relative.shape.iter().zip(&relative.strides) {
        let reach = (n as isize - 1).saturating_mul(step);
        if reach < 0 { low = low.saturating_add(reach) } else { high = high.saturating_add(reach) }
    }
    let bytes = (high - low + 1) as usize * dtype.size();
    // SAFETY: the exporter promises these elements for as long as the buffer is held, which the owner does.
    let storage = unsafe {
        let first = pointer.offset(low * dtype.size() as isize);
        Storage::foreign(first, bytes, Box::new(Owner { _buffer: buffer }))
    };
    let layout = Layout { offset: low.unsigned_abs(), ..relative };
    Tensor::from_storage(Arc::new(storage), layout, dtype).map_err(raise)
}

/// A copy of a buffer that cannot be viewed, element by element.
fn gather_bytes(buffer: &PyUntypedBuffer, dtype: DType, sizes: &[usize]) -> PyResult<Tensor> {
    let size = dtype.size();
    let mut storage = Storage::new(Device::Cpu, sizes.iter().product::<usize>() * size).map_err(raise)?;
    let target = storage.elements_mut::<u8>().map_err(raise)?;
    let base = buffer.buf_ptr() as *const u8;
    let mut index = vec![0usize; sizes.len()];
    for chunk in target.chunks_exact_mut(size) {
        let at: isize = index.iter().zip(buffer.strides()).map(|(&i, &s)| i as isize * s).sum();
        // SAFETY: the exporter promises `size` bytes at every index inside its shape.
        unsafe { std::ptr::copy_nonoverlapping(base.offset(at), chunk.as_mut_ptr(), size) };
        if dtype == DType::Bool {
            chunk[0] = (chunk[0] != 0) as u8;
        }
        for axis in (0..sizes.len()).rev() {
            index[axis] += 1;
            if index[axis] < sizes[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Tensor::from_storage(Arc::new(storage), Layout::contiguous(sizes), dtype).map_err(raise)
}

/// The buffer format letter of a dtype; bfloat16 has none.
fn buffer_format(dtype: DType) -> Option<&'static std::ffi::CStr> {
    Some(match dtype {
        DType::Bool => c"?",
        DType::I8 => c"b",
        DType::I16 => c"h",
        DType::I32 => c"i",
        DType::I64 => c"q",
        DType::U8 => c"B",
        DType::U16 => c"H",
        DType::U32 => c"I",
        DType::U64 => c"Q",
        DType::F16 => c"e",
        DType::F32 => c"f",
        DType::F64 => c"d",
        DType::C64 => c"Zf",
        DType::C128 => c"Zd",
        DType::BF16 => return None,
    })
}

/// What a buffer view keeps alive: the storage and the arrays that the view points at.
struct Exported {
    _value: Tensor,
    shape: Vec<ffi::Py_ssize_t>,
    strides: Vec<ffi::Py_ssize_t>,
}

#[pymethods]
impl PyTensor {
    /// # Safety
    /// Called by the interpreter with a valid view to fill.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: std::ffi::c_int) -> PyResult<()> {
        let value = slf.get().value();
        let refuse = |message: String| Err(PyBufferError::new_err(message));
        if view.is_null() {
            return refuse("buffer: no view to fill".into());
        }
        if flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE {
            return refuse("buffer: tensors are values, expected a read-only request".into());
        }
        let Some(format) = buffer_format(value.dtype()) else {
            return refuse(format!("buffer: {} has no buffer format; use .to('float32') first", value.dtype()));
        };
        let Ok(start) = value.storage().pointer() else {
            return refuse(format!(
                "buffer: the tensor is on {}, expected the cpu; use .to('cpu') first",
                value.device()
            ));
        };
        if !value.is_contiguous() && flags & ffi::PyBUF_STRIDES != ffi::PyBUF_STRIDES {
            return refuse("buffer: the tensor is strided, expected a request that takes strides".into());
        }
        let size = value.dtype().size();
        let exported = Box::new(Exported {
            shape: value.shape().iter().map(|&n| n as ffi::Py_ssize_t).collect(),
            strides: value.layout().strides.iter().map(|&s| s * size as isize).collect(),
            _value: value.clone(),
        });
        let exported = Box::into_raw(exported);
        // SAFETY: `view` is valid for writes; the arrays live until release through `internal`; reads stay in bounds.
        unsafe {
            (*view).buf = start.add(value.layout().offset * size).cast_mut().cast();
            (*view).obj = slf.into_any().into_ptr();
            (*view).len = (value.numel() * size) as ffi::Py_ssize_t;
            (*view).readonly = 1;
            (*view).itemsize = size as ffi::Py_ssize_t;
            let wants = |flag: i32| flags & flag == flag;
            (*view).format = if wants(ffi::PyBUF_FORMAT) { format.as_ptr().cast_mut() } else { std::ptr::null_mut() };
            (*view).ndim = value.rank() as std::ffi::c_int;
            (*view).shape = if wants(ffi::PyBUF_ND) { (*exported).shape.as_mut_ptr() } else { std::ptr::null_mut() };
            (*view).strides =
                if wants(ffi::PyBUF_STRIDES) { (*exported).strides.as_mut_ptr() } else { std::ptr::null_mut() };
            (*view).suboffsets = std::ptr::null_mut();
            (*view).internal = exported.cast();
        }
        Ok(())
    }

    /// # Safety
    /// Called by the interpreter once for each view filled above.
    unsafe fn __releasebuffer__(&self, view: *mut ffi::Py_buffer) {
        // SAFETY: `internal` is the box leaked when the view was filled.
        unsafe { drop(Box::from_raw((*view).internal.cast::<Exported>())) }
    }
}
