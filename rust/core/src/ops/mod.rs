//! Ops: what an op is, and the one place (`apply`) where it meets a device and the graph.

pub mod activation;
pub mod attention;
pub mod binary;
pub mod cast;
pub mod compare;
pub mod complex;
pub mod conv;
pub mod copy;
pub mod create;
mod declare;
pub mod dropout;
pub mod einsum;
pub mod elementwise;
pub mod fft;
pub mod index;
pub mod interpolate;
pub mod join;
pub mod linalg;
pub mod loss;
pub mod matmul;
pub mod movement;
pub mod norm;
pub mod optim;
pub mod pad;
pub mod pool;
pub mod random;
pub mod reduce;
pub mod rnn;
pub mod rotary;
pub mod scan;
pub mod select;
pub mod softmax;
pub mod sort;
pub mod spatial;
pub mod transfer;
pub mod unary;

use crate::autograd::{self, Gradient};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::profile;
use crate::shape::{self, Layout, Shape};
use crate::storage::{Output, Storage};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::sync::Arc;

/// Shape and dtype of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pub shape: Shape,
    pub dtype: DType,
}

impl Spec {
    pub fn new(shape: &[usize], dtype: DType) -> Spec {
        Spec { shape: SmallVec::from_slice(shape), dtype }
    }

    /// The spec of a tensor like this one.
    pub fn like(x: &Tensor) -> Spec {
        Spec { shape: x.shape_owned(), dtype: x.dtype() }
    }
}

pub type Specs = SmallVec<[Spec; 1]>;
pub type Outputs = SmallVec<[Tensor; 1]>;

/// An op with a kernel. Its gradient (`Gradient`) is a supertrait: an op without one does not compile.
pub trait Op: Gradient {
    /// Checks the operands and says what comes out.
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs>;

    /// Fills the outputs, which hold arbitrary bytes before.
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()>;

    /// Records the kernel on the inputs' device.
    fn gpu(&self, inputs: &[&Tensor], _outputs: &mut [Output]) -> Result<()> {
        Err(no_kernel(self.name(), inputs.first().map_or(Device::Gpu(0), |x| x.device())))
    }

    /// Bytes it reads, for profiles.
    fn bytes_in(&self, inputs: &[&Tensor], _outputs: &[Tensor]) -> u64 {
        profile::bytes(inputs.iter().copied())
    }

    /// Multiplications and additions of the matrix products it makes, for profiles.
    fn flops(&self, _inputs: &[&Tensor], _outputs: &[Tensor]) -> u64 {
        0
    }

    /// Where outputs of an op without inputs are made.
    fn device(&self) -> Device {
        Device::Cpu
    }
}

/// An op that only looks at the same memory in another way; it needs no kernel and works on every device.
pub trait View: Gradient {
    fn layout(&self, input: &Tensor) -> Result<Layout>;
}

/// Runs an op: same device, outputs, kernel, record. Every kernel of the house is launched here.
pub fn apply<O: Op>(op: O, inputs: &[&Tensor]) -> Result<Outputs> {
    let size = |outputs: &Outputs| profile::Work {
        bytes_in: op.bytes_in(inputs, outputs),
        bytes_out: profile::bytes(outputs),
        flops: op.flops(inputs, outputs),
    };
    let tensors = profile::observe(op.name(), size, || run(&op, inputs))?;
    if autograd::must_record(inputs) {
        return autograd::record(Arc::new(op), inputs, tensors);
    }
    Ok(tensors)
}

/// `apply` for ops with one output.
pub fn apply1<O: Op>(op: O, inputs: &[&Tensor]) -> Result<Tensor> {
    let mut tensors = apply(op, inputs)?;
    tensors.pop().ok_or_else(|| Error::internal("apply", "op without output"))
}

fn run(op: &dyn Op, inputs: &[&Tensor]) -> Result<Outputs> {
    let device = common_device(op, inputs)?;
    let specs = op.outputs(inputs)?;
    let mut outputs: SmallVec<[Output; 1]> = SmallVec::new();
    for Spec { shape, dtype } in specs {
        let bytes = shape::checked_numel(op.name(), &shape)? * device.element_size(op.name(), dtype)?;
        outputs.push(Output { storage: Storage::new(device, bytes).map_err(|e| e.asked_by(op.name()))?, shape, dtype });
    }
    match device {
        Device::Cpu => op.cpu(inputs, &mut outputs)?,
        Device::Gpu(_) => op.gpu(inputs, &mut outputs)?,
    }
    profile::settle(device)?;
    let mut tensors = Outputs::new();
    for output in outputs {
        tensors.push(Tensor::from_output(output));
    }
    Ok(tensors)
}

/// Refuses what only the CPU can do yet, by the op's name.
pub(crate) fn host_only(op: &str, x: &Tensor) -> Result<()> {
    match x.device() {
        Device::Cpu => Ok(()),
        device => Err(no_kernel(op, device)),
    }
}

fn no_kernel(op: &str, device: Device) -> Error {
    let message =
        format!("no kernel for this device yet, expected cpu, got {device}; move the operands with .to('cpu')");
    Error::device(op, message)
}

fn common_device(op: &dyn Op, inputs: &[&Tensor]) -> Result<Device> {
    let Some(first) = inputs.first() else { return Ok(op.device()) };
    let device = first.device();
    match inputs.iter().map(|x| x.device()).find(|d| *d != device) {
        None => Ok(device),
        Some(other) => {
            let message = format!("operands on different devices, expected all on {device}, got {device} and {other}");
            Err(Error::device(op.name(), message))
        }
    }
}

/// Makes a view and records it.
pub fn view<V: View>(op: V, input: &Tensor) -> Result<Tensor> {
    let out = input.with_layout(op.layout(input)?)?;
    if autograd::must_record(&[input]) {
        let mut recorded = autograd::record(Arc::new(op), &[input], SmallVec::from_buf([out]))?;
        return recorded.pop().ok_or_else(|| Error::internal("view", "no output"));
    }
    Ok(out)
}
