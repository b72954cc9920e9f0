//! Between devices: `x.to("gpu")` and back, with the gradient going the other way.

use super::{Outputs, copy};
use crate::autograd::{self, Gradient, Grads, Saved, one, only};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::gpu;
use crate::shape::Layout;
use crate::storage::Storage;
use crate::tensor::Tensor;
use smallvec::smallvec;
use std::sync::Arc;

#[derive(Debug)]
struct Transfer {
    from: Device,
}

impl Gradient for Transfer {
    fn name(&self) -> &'static str {
        "to"
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(to_device(only(dy)?, self.from)?)
    }
}

/// The same values in the memory of `device`; the tensor itself when it is there already.
pub fn to_device(x: &Tensor, device: Device) -> Result<Tensor> {
    if x.device() == device {
        return Ok(x.clone());
    }
    let source = copy::contiguous(&x.detach())?;
    let storage = match (x.device(), device) {
        (Device::Cpu, Device::Gpu(n)) => upload(&source, n)?,
        (Device::Gpu(_), Device::Cpu) => download(&source)?,
        _ => return to_device(&to_device(x, Device::Cpu)?, device),
    };
    let moved = Tensor::from_storage(Arc::new(storage), Layout::contiguous(x.shape()), x.dtype())?;
    if !autograd::must_record(&[x]) {
        return Ok(moved);
    }
    let recorded: Outputs = autograd::record(Arc::new(Transfer { from: x.device() }), &[x], smallvec![moved])?;
    Ok(recorded[0].clone())
}

fn upload(x: &Tensor, device: u8) -> Result<Storage> {
    let size = Device::Gpu(device).element_size("to", x.dtype())?;
    let start = x.layout().offset * x.dtype().size();
    let bytes = &x.storage().bytes()?[start..start + x.numel() * x.dtype().size()];
    let buffer = match x.dtype() {
        DType::Bool => {
            let mut wide = Storage::new(Device::Cpu, x.numel() * size)?;
            wide.elements_mut::<u32>()?.iter_mut().zip(bytes).for_each(|(w, &b)| *w = b as u32);
            gpu::upload(device, wide.bytes()?)?
        }
        _ => gpu::upload(device, bytes)?,
    };
    Ok(Storage::from_gpu(buffer))
}

fn download(x: &Tensor) -> Result<Storage> {
    let size = x.device().element_size("to", x.dtype())?;
    let mut host = Storage::new(Device::Cpu, x.numel() * size)?;
    if let Some(buffer) = x.storage().gpu() {
        gpu::download(buffer, x.layout().offset * size, host.elements_mut::<u8>()?)?;
    }
    if x.dtype() != DType::Bool {
        return Ok(host);
    }
    let mut narrow = Storage::new(Device::Cpu, x.numel())?;
    narrow.elements_mut::<bool>()?.iter_mut().zip(host.elements::<u32>()?).for_each(|(b, &w)| *b = w != 0);
    Ok(narrow)
}
