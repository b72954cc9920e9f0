//! What an op's `gpu.rs` writes: the kernel's name, its buffers, element types, parameters and number of workgroups.

use bytemuck::NoUninit;
use smallvec::SmallVec;

use super::buffer::Buffer;
use super::context::Context;
use super::pipeline::{Element, Key, RING_SLOT, Shape, Source};
use super::stream::Dispatch;
use crate::{Error, Result};

/// One kernel call in the making.
#[derive(Clone)]
pub(crate) struct Launch<'a> {
    context: &'static Context,
    kernel: &'static str,
    elements: SmallVec<[Element; 4]>,
    variant: u64,
    outputs: SmallVec<[&'a Buffer; 2]>,
    inputs: SmallVec<[&'a Buffer; 4]>,
    params: SmallVec<[u8; 128]>,
    work: f64,
}

impl<'a> Launch<'a> {
    pub(crate) fn new(context: &'static Context, kernel: &'static str) -> Launch<'a> {
        Launch {
            context,
            kernel,
            elements: SmallVec::new(),
            variant: 0,
            outputs: SmallVec::new(),
            inputs: SmallVec::new(),
            params: SmallVec::new(),
            work: 0.0,
        }
    }

    /// Binds the next output (before all inputs) of this element type.
    pub(crate) fn writes(mut self, buffer: &'a Buffer, element: Element) -> Self {
        self.elements.push(element);
        self.outputs.push(buffer);
        self
    }

    /// Binds the next input of this element type.
    pub(crate) fn reads(mut self, buffer: &'a Buffer, element: Element) -> Self {
        self.elements.push(element);
        self.inputs.push(buffer);
        self
    }

    /// A number that tells apart variants of the shader text beyond kernel name and element types.
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
    pub(crate) fn run(self, groups: u64, source: impl FnOnce() -> Source) -> Result<()> {
        self.check_buffers()?;
        let context = self.context;
        let ring = context.needs_ring(self.params.len());
        let shape = Shape { inputs: self.inputs.len() as u8, outputs: self.outputs.len() as u8, ring };
        let key = Key { kernel: self.kernel, elements: self.elements, variant: self.variant, shape };
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
