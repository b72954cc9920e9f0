//! Copies: a strided tensor made contiguous, and a value written into a strided region (`x[a:b] = v`).

#[allow(unsafe_code)]
mod cpu;
pub(super) mod gpu;

use super::{Op, Spec, Specs, apply1};
use crate::autograd::{Gradient, Grads, Saved, one, only};
use crate::error::{Error, Result};
use crate::shape::{self, Layout};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// The same elements in fresh contiguous memory.
#[derive(Debug)]
struct Copy;

impl Gradient for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }
    fn backward(&self, _: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(only(dy)?.clone())
    }
}

impl Op for Copy {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let to = Layout::contiguous(&outputs[0].shape);
        cpu::copy(inputs[0], &mut outputs[0], &to)
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::copy(inputs[0], &outputs[0], &Layout::contiguous(&outputs[0].shape))
    }
}

/// `inputs[0]` with the region that `region` describes (in its contiguous form) replaced by `inputs[1]`.
#[derive(Debug)]
struct Assign {
    region: Layout,
}

impl Gradient for Assign {
    fn name(&self) -> &'static str {
        "setitem"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let dy = contiguous(only(dy)?)?;
        let region = || super::movement::region(&dy, self.region.clone());
        let rest = || {
            let zeros = super::create::zeros_like(&region()?)?;
            assign(&dy, &zeros, self.region.clone())
        };
        Ok(smallvec![saved.needs(0).then(rest).transpose()?, saved.needs(1).then(region).transpose()?,])
    }
}

impl Op for Assign {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let [x, v] = inputs else { return Err(Error::internal("setitem", "expected two operands")) };
        if v.shape() != self.region.shape.as_slice() {
            let (want, got) = (shape::display(&self.region.shape), shape::display(v.shape()));
            return Err(Error::shape("setitem", format!("value does not fit, expected shape {want}, got {got}")));
        }
        if v.dtype() != x.dtype() {
            return Err(Error::dtype("setitem", format!("expected {}, got {}", x.dtype(), v.dtype())));
        }
        Ok(smallvec![Spec::like(x)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let whole = Layout::contiguous(&outputs[0].shape);
        cpu::copy(inputs[0], &mut outputs[0], &whole)?;
        cpu::copy(inputs[1], &mut outputs[0], &self.region)
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::copy(inputs[0], &outputs[0], &Layout::contiguous(&outputs[0].shape))?;
        gpu::copy(inputs[1], &outputs[0], &self.region)
    }
}

/// Zeros with inputs written into regions that do not overlap: the gradient of looking at parts of a tensor.
#[derive(Debug)]
struct Place {
    whole: Spec,
    regions: SmallVec<[Layout; 1]>,
}

impl Gradient for Place {
    fn name(&self) -> &'static str {
        "place"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let dy = contiguous(only(dy)?)?;
        let part = |i: usize| saved.needs(i).then(|| super::movement::region(&dy, self.regions[i].clone())).transpose();
        (0..saved.len()).map(part).collect()
    }
}

impl Op for Place {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let fits = |(x, region): (&&Tensor, &Layout)| x.shape() == &region.shape[..] && x.dtype() == self.whole.dtype;
        if inputs.is_empty() || inputs.len() != self.regions.len() || !inputs.iter().zip(&self.regions).all(fits) {
            return Err(Error::internal("place", "a part does not fit its region"));
        }
        Ok(smallvec![self.whole.clone()])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        if let Some(zeros) = self.background(inputs)? {
            cpu::copy(&zeros, &mut outputs[0], &Layout::contiguous(&self.whole.shape))?;
        }
        inputs.iter().zip(&self.regions).try_for_each(|(x, region)| cpu::copy(x, &mut outputs[0], region))
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        if let Some(zeros) = self.background(inputs)? {
            gpu::copy(&zeros, &outputs[0], &Layout::contiguous(&self.whole.shape))?;
        }
        inputs.iter().zip(&self.regions).try_for_each(|(x, region)| gpu::copy(x, &outputs[0], region))
    }
}

impl Place {
    /// One zero, stretched, unless the parts leave nothing out.
    fn background(&self, inputs: &[&Tensor]) -> Result<Option<Tensor>> {
        let covered: usize = inputs.iter().map(|x| x.numel()).sum();
        if covered == shape::checked_numel("place", &self.whole.shape)? {
            return Ok(None);
        }
        let zero = super::create::zeros(&[], self.whole.dtype, inputs[0].device())?;
        super::movement::broadcast_to(&zero, &self.whole.shape).map(Some)
    }
}

/// Zeros of `whole`, with each part in the region (a layout over the contiguous result) that was made for it.
pub fn place(whole: &Spec, parts: &[&Tensor], regions: SmallVec<[Layout; 1]>) -> Result<Tensor> {
    apply1(Place { whole: whole.clone(), regions }, parts)
}

/// Writes `from` into the places of an op's output that `region` describes.
pub(crate) fn write_region(from: &Tensor, to: &mut Output, region: &Layout) -> Result<()> {
    cpu::copy(from, to, region)
}

/// The tensor itself when it is contiguous, else a contiguous copy.
pub fn contiguous(x: &Tensor) -> Result<Tensor> {
    if x.is_contiguous() { Ok(x.clone()) } else { copied(x) }
}

/// A copy in memory of its own.
pub fn copied(x: &Tensor) -> Result<Tensor> {
    apply1(Copy, &[x])
}

/// `x` with one region replaced; the region is a layout over the contiguous form of `x`.
pub fn assign(x: &Tensor, value: &Tensor, region: Layout) -> Result<Tensor> {
    let value = super::movement::broadcast_to(value, &region.shape)?;
    apply1(Assign { region }, &[x, &value])
}

/// `assign` into the memory of `x` itself, which is copied first when somebody else looks at it.
pub fn assign_owned(x: &mut Tensor, value: &Tensor, region: Layout) -> Result<()> {
    let value = super::movement::broadcast_to(&value.detach(), &region.shape)?;
    let mut region = region;
    crate::dispatch!(x.dtype(), "setitem", [any], T => x.make_mut::<T>().map(drop))?;
    let (shape, dtype, layout) = (x.shape_owned(), x.dtype(), x.layout().clone());
    region.offset += layout.offset;
    let taken = std::mem::replace(x, value.clone()).into_storage();
    let storage =
        std::sync::Arc::into_inner(taken).ok_or_else(|| Error::internal("setitem", "fresh memory is shared"))?;
    let mut output = Output { storage, shape, dtype };
    let written = cpu::copy(&value, &mut output, &region);
    *x = Tensor::from_storage(std::sync::Arc::new(output.storage), layout, dtype)?;
    written
}

/// Contiguous forms of several operands.
pub fn all_contiguous(inputs: &[&Tensor]) -> Result<SmallVec<[Tensor; 3]>> {
    inputs.iter().map(|x| contiguous(x)).collect()
}
