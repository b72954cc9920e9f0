//! What an op's `gpu.rs` writes: the kernel's name, its tensors, parameters and number of workgroups.

use bytemuck::NoUninit;
use smallvec::SmallVec;

use super::buffer::Buffer;
use super::context::Context;
use super::element::Element;
use super::pipeline::{Key, RING_SLOT, Shape, Source};
use super::stream::Dispatch;
use crate::storage::{Output, Storage};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// One kernel call in the making. Outputs are bound from 0 on, inputs behind them.
#[derive(Clone)]
pub(crate) struct Launch<'a> {
    context: &'static Context,
    kernel: &'static str,
    elements: SmallVec<[Element; 4]>,
    numbers: SmallVec<[(&'static str, u32); 2]>,
    variant: u64,
    outputs: SmallVec<[&'a Buffer; 2]>,
    inputs: SmallVec<[&'a Buffer; 4]>,
    params: SmallVec<[u8; 128]>,
    work: f64,
}

impl<'a> Launch<'a> {
    /// A call of `kernel`, which is also what profilers show, that writes `output`.
    pub(crate) fn new(kernel: &'static str, output: &'a Output) -> Result<Launch<'a>> {
        let buffer = on_gpu(kernel, &output.storage)?;
        Ok(Launch::on(buffer.context(), kernel).writes(buffer, Element::of(kernel, output.dtype)?))
    }

    /// Binds the next input.
    pub(crate) fn input(self, x: &'a Tensor) -> Result<Launch<'a>> {
        let (element, buffer) = (Element::of(self.kernel, x.dtype())?, on_gpu(self.kernel, x.storage())?);
        Ok(self.reads(buffer, element))
    }

    pub(super) fn on(context: &'static Context, kernel: &'static str) -> Launch<'a> {
        Launch {
            context,
            kernel,
            elements: SmallVec::new(),
            numbers: SmallVec::new(),
            variant: 0,
            outputs: SmallVec::new(),
            inputs: SmallVec::new(),
            params: SmallVec::new(),
            work: 0.0,
        }
    }

    pub(super) fn writes(mut self, buffer: &'a Buffer, element: Element) -> Self {
        self.elements.push(element);
        self.outputs.push(buffer);
        self
    }

    pub(super) fn reads(mut self, buffer: &'a Buffer, element: Element) -> Self {
        self.elements.push(element);
        self.inputs.push(buffer);
        self
    }

    /// Sets an `override` number of the shader.
    pub(crate) fn number(mut self, name: &'static str, value: u32) -> Self {
        self.numbers.push((name, value));
        self
    }

    /// Tells apart variants of the shader text beyond kernel name, element types and numbers.
    pub(crate) fn variant(mut self, variant: u64) -> Self {
        self.variant = variant;
        self
    }

    /// Appends to the parameter block, in the order of the shader's `Params`.
    pub(crate) fn params<T: NoUninit>(mut self, values: &[T]) -> Self {
        self.params.extend_from_slice(bytemuck::cast_slice(values));
        self
    }

    /// Estimated arithmetic operations, so that one submission stays below the watchdogs of the systems.
    pub(crate) fn work(mut self, operations: f64) -> Self {
        self.work = operations;
        self
    }

    /// Records the call on `groups` workgroups; `source` is asked for the shader the first time only.
    pub(crate) fn run(self, groups: usize, source: impl FnOnce() -> Source) -> Result<()> {
        self.check_buffers()?;
        if groups == 0 {
            return Ok(());
        }
        let context = self.context;
        let ring = context.needs_ring(self.params.len());
        let shape = Shape { inputs: self.inputs.len() as u8, outputs: self.outputs.len() as u8, ring };
        let Launch { kernel, elements, numbers, variant, .. } = self;
        let key = Key { kernel, elements, numbers, variant, shape };
        let pipeline = context.pipeline(key, source)?;
        let entries: SmallVec<[wgpu::BindGroupEntry; 8]> = (0..)
            .zip(self.outputs.iter().chain(&self.inputs))
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.raw().as_entire_binding() })
            .collect();
        let buffers = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.layout.buffers,
            entries: &entries,
        });
        let (params, work) = (&self.params[..], self.work);
        context.record(&Dispatch { pipeline: &pipeline, buffers: &buffers, params, ring, groups, work })
    }

    fn check_buffers(&self) -> Result<()> {
        if self.elements.contains(&Element::F16) && !self.context.supports_f16() {
            let message = format!("wrong dtype, expected one that {} knows, got float16", self.context.name());
            return Err(Error::dtype(self.kernel, message));
        }
        let stranger = |buffer: &&&Buffer| usize::from(buffer.device()) != self.context.index;
        if let Some(buffer) = self.outputs.iter().chain(&self.inputs).find(stranger) {
            let message = format!("expected a buffer on {}, got gpu:{}", self.context.name(), buffer.device());
            return Err(Error::device(self.kernel, message));
        }
        if self.inputs.iter().any(|input| self.outputs.iter().any(|output| output.is_same(input))) {
            return Err(Error::internal(self.kernel, "a buffer is read and written by one kernel"));
        }
        if self.params.len() > RING_SLOT as usize {
            return Err(Error::internal(self.kernel, "the parameter block is too large"));
        }
        Ok(())
    }
}

fn on_gpu<'a>(kernel: &str, storage: &'a Storage) -> Result<&'a Buffer> {
    storage.gpu().ok_or_else(|| Error::internal(kernel, "expected memory on the gpu, got memory on the cpu"))
}
