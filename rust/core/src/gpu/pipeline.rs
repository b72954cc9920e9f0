//! From a shader file to a compiled pipeline: the host's replacements, the cache, the fixed binding layouts.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::context::{Context, lock};
use super::element::Element;
use crate::{Error, Result};

/// The vocabulary of formulas; it shadows the less exact built-in functions.
pub(crate) const MATH: &str = concat!(include_str!("math.wgsl"), "\n", include_str!("trig.wgsl"));

/// What a parameter block may hold as immediate data, the least that Vulkan promises; larger ones go through the ring.
const IMMEDIATE_BYTES: u32 = 128;
/// The stride of the parameter ring: the largest block, and the alignment that every backend accepts.
pub(super) const RING_SLOT: u64 = 256;

const IMMEDIATE_PARAMS: &str = "var<immediate> params";
const RING_PARAMS: &str = "@group(1) @binding(0) var<storage, read> params";

/// A complete shader file with the replacements of one variant.
#[derive(Debug)]
pub(crate) struct Source {
    text: String,
    entry: Option<&'static str>,
    mistake: Option<String>,
}

impl Source {
    pub(crate) fn new(file: &str) -> Source {
        Source { text: file.to_string(), entry: None, mistake: None }
    }

    /// Chooses the entry point of a file that has several.
    pub(crate) fn entry(mut self, name: &'static str) -> Source {
        self.entry = Some(name);
        self
    }

    /// Replaces the line `alias NAME = ...;`.
    pub(crate) fn alias(mut self, name: &str, wgsl_type: &str) -> Source {
        if wgsl_type == "f16" && !self.text.starts_with("enable f16;") {
            self.text.insert_str(0, "enable f16;\n");
        }
        self.replace(&format!("\nalias {name} = "), ";\n", &format!("\nalias {name} = {wgsl_type};\n"))
    }

    /// Replaces the lines from `// begin NAME` to `// end NAME`.
    pub(crate) fn section(self, name: &str, text: &str) -> Source {
        self.replace(&format!("\n// begin {name}"), &format!("\n// end {name}\n"), &format!("\n{text}\n"))
    }

    /// Adds one of the shared libraries.
    pub(crate) fn library(mut self, library: &str) -> Source {
        self.text.push('\n');
        self.text.push_str(library);
        self
    }

    fn replace(mut self, start: &str, end: &str, with: &str) -> Source {
        let from = self.text.find(start);
        let until = from.and_then(|from| self.text[from + 1..].find(end).map(|at| from + 1 + at + end.len()));
        match from.zip(until) {
            Some((from, until)) => self.text.replace_range(from..until, with),
            None => self.mistake = Some(format!("the shader has no '{}' to replace", start.trim())),
        }
        self
    }

    /// The finished text, with the parameters in the ring if the kernel needs that.
    fn finish(mut self, ring: bool) -> Result<Source> {
        if let Some(mistake) = self.mistake {
            return Err(Error::internal("gpu", mistake));
        }
        if ring {
            self.text = self.text.replace(IMMEDIATE_PARAMS, RING_PARAMS);
        }
        Ok(self)
    }
}

/// What tells one compiled pipeline from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Kernel name, which is also the label that profilers show.
    pub kernel: &'static str,
    pub elements: SmallVec<[Element; 4]>,
    /// Values of `override` numbers, by name.
    pub numbers: SmallVec<[(&'static str, u32); 2]>,
    /// Whatever else the shader text depends on.
    pub variant: u64,
    pub shape: Shape,
}

/// The interface of a kernel: outputs are bound from 0 on, inputs behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub inputs: u8,
    pub outputs: u8,
    pub ring: bool,
}

pub(super) struct Layout {
    pub(super) buffers: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

pub(super) struct Pipeline {
    pub(super) raw: wgpu::ComputePipeline,
    pub(super) layout: Arc<Layout>,
}

pub(super) struct Pipelines {
    ready: HashMap<Key, Arc<Pipeline>>,
    layouts: HashMap<Shape, Arc<Layout>>,
    pub(super) ring: wgpu::BindGroupLayout,
    immediates: bool,
}

impl Pipelines {
    pub(super) fn new(device: &wgpu::Device) -> Pipelines {
        let ring = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("parameter ring"),
            entries: &[storage(0, true, true)],
        });
        let immediates = device.features().contains(wgpu::Features::IMMEDIATES)
            && device.limits().max_immediate_size >= IMMEDIATE_BYTES;
        Pipelines { ready: HashMap::new(), layouts: HashMap::new(), ring, immediates }
    }

    fn layout(&mut self, device: &wgpu::Device, shape: Shape) -> Arc<Layout> {
        if let Some(layout) = self.layouts.get(&shape) {
            return layout.clone();
        }
        let outputs = u32::from(shape.outputs);
        let entries: SmallVec<[_; 8]> =
            (0..outputs + u32::from(shape.inputs)).map(|n| storage(n, n >= outputs, false)).collect();
        let buffers =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let groups = [Some(&buffers), Some(&self.ring)];
        let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: if shape.ring { &groups } else { &groups[..1] },
            immediate_size: if shape.ring { 0 } else { IMMEDIATE_BYTES },
        });
        let layout = Arc::new(Layout { buffers, pipeline });
        self.layouts.insert(shape, layout.clone());
        layout
    }
}

fn storage(binding: u32, read_only: bool, has_dynamic_offset: bool) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BufferBindingType::Storage { read_only };
    let ty = wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None };
    wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::COMPUTE, ty, count: None }
}

impl Context {
    /// Whether a block of this size travels through the ring instead of as immediate data.
    pub(super) fn needs_ring(&self, parameter_bytes: usize) -> bool {
        parameter_bytes > IMMEDIATE_BYTES as usize || !lock(&self.pipelines).immediates
    }

    /// The compiled pipeline of `key`; `source` is asked for its text only the first time.
    pub(super) fn pipeline(&self, key: Key, source: impl FnOnce() -> Source) -> Result<Arc<Pipeline>> {
        let mut pipelines = lock(&self.pipelines);
        if let Some(pipeline) = pipelines.ready.get(&key) {
            return Ok(pipeline.clone());
        }
        let source = source().finish(key.shape.ring)?;
        let pipeline = self.guarded(key.kernel, || {
            let layout = pipelines.layout(&self.device, key.shape);
            let raw = self.compile(&key, source, &layout.pipeline);
            Arc::new(Pipeline { raw, layout })
        })?;
        pipelines.ready.insert(key, pipeline.clone());
        Ok(pipeline)
    }

    fn compile(&self, key: &Key, source: Source, layout: &wgpu::PipelineLayout) -> wgpu::ComputePipeline {
        let label = label(key);
        let constants: SmallVec<[(&str, f64); 2]> = key.numbers.iter().map(|&(name, n)| (name, f64::from(n))).collect();
        let text = wgpu::ShaderSource::Wgsl(source.text.into());
        let descriptor = wgpu::ShaderModuleDescriptor { label: Some(&label), source: text };
        let module = if self.checked {
            self.device.create_shader_module(descriptor)
        } else {
            // Division by zero stays defined; bounds are proven by the host and loops end by construction.
            let mut checks = wgpu::ShaderRuntimeChecks::unchecked();
            checks.int_div_checks = true;
            // SAFETY: the shaders are ours; every access is guarded by a count that the host derived from the
            // sizes of the bound buffers, and every loop has a bound of its own.
            unsafe { self.device.create_shader_module_trusted(descriptor, checks) }
        };
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(layout),
            module: &module,
            entry_point: source.entry,
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: self.checked,
            },
            cache: None,
        })
    }
}

fn label(key: &Key) -> String {
    key.elements.iter().fold(key.kernel.to_string(), |label, element| format!("{label} {}", element.wgsl()))
}
