//! The tensor: an immutable value over shared memory. Writing makes a new value, in place when nobody else looks.

use crate::autograd::{self, Link};
use crate::device::Device;
use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::shape::{self, Layout, Shape};
use crate::storage::{Output, Storage};
use std::sync::Arc;

#[derive(Clone)]
pub struct Tensor {
    storage: Arc<Storage>,
    layout: Layout,
    dtype: DType,
    link: Option<Link>,
}

impl Tensor {
    /// A tensor over existing memory; refuses a layout that reaches outside of it.
    pub fn from_storage(storage: Arc<Storage>, layout: Layout, dtype: DType) -> Result<Tensor> {
        let op = "tensor";
        shape::checked_numel(op, &layout.shape)?;
        let held = storage.len() / storage.device().element_size(op, dtype)?;
        if let Some((_, last)) = layout.bounds(op)?
            && last >= held
        {
            return Err(Error::internal(op, format!("layout reaches element {last} of {held}")));
        }
        Ok(Tensor { storage, layout, dtype, link: None })
    }

    /// What an op wrote: `apply` sized the memory for the shape.
    pub(crate) fn from_output(output: Output) -> Tensor {
        let Output { storage, shape, dtype } = output;
        let strides = shape::contiguous_strides(&shape);
        Tensor { storage: Arc::new(storage), layout: Layout { shape, strides, offset: 0 }, dtype, link: None }
    }

    /// A CPU tensor with these elements.
    pub fn from_slice<T: Element>(data: &[T], shape: &[usize]) -> Result<Tensor> {
        let numel = shape::checked_numel("tensor", shape)?;
        if numel != data.len() {
            let message = format!("expected {numel} elements for shape {}, got {}", shape::display(shape), data.len());
            return Err(Error::shape("tensor", message));
        }
        let mut storage = Storage::new(Device::Cpu, size_of_val(data))?;
        storage.elements_mut::<T>()?.copy_from_slice(data);
        Tensor::from_storage(Arc::new(storage), Layout::contiguous(shape), T::DTYPE)
    }

    pub fn scalar<T: Element>(value: T) -> Result<Tensor> {
        Tensor::from_slice(&[value], &[])
    }

    pub fn shape(&self) -> &[usize] {
        &self.layout.shape
    }
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
    pub fn dtype(&self) -> DType {
        self.dtype
    }
    pub fn device(&self) -> Device {
        self.storage.device()
    }
    pub fn storage(&self) -> &Arc<Storage> {
        &self.storage
    }
    pub fn into_storage(self) -> Arc<Storage> {
        self.storage
    }
    /// Elements that the whole storage holds: the bounds a plan is checked against.
    pub fn capacity(&self) -> Result<usize> {
        Ok(self.storage.len() / self.device().element_size("tensor", self.dtype)?)
    }
    pub fn rank(&self) -> usize {
        self.layout.rank()
    }
    pub fn numel(&self) -> usize {
        self.layout.numel()
    }
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// The elements as a slice; the tensor must be on the CPU, contiguous and of this type.
    pub fn slice<T: Element>(&self) -> Result<&[T]> {
        if !self.is_contiguous() {
            return Err(Error::internal("tensor", "slice of a strided tensor; call contiguous() first"));
        }
        let (start, numel) = (self.layout.offset, self.numel());
        if numel == 0 {
            return Ok(&[]);
        }
        Ok(&self.elements()?[start..start + numel])
    }

    /// The whole storage as elements of this type, for kernels that walk strides through a plan.
    pub fn elements<T: Element>(&self) -> Result<&[T]> {
        if T::DTYPE != self.dtype {
            return Err(Error::internal("tensor", format!("typed {} viewed as {}", self.dtype, T::DTYPE)));
        }
        self.storage.elements()
    }

    /// Same memory, another layout: bounds are proven again, the history is not kept.
    pub fn with_layout(&self, layout: Layout) -> Result<Tensor> {
        Tensor::from_storage(self.storage.clone(), layout, self.dtype)
    }

    /// Whether the memory is contiguous, writable and nobody else's.
    pub fn is_owned(&mut self) -> bool {
        self.is_contiguous() && Arc::get_mut(&mut self.storage).is_some_and(|s| s.is_writable())
    }

    /// Exclusive, contiguous, writable elements: copies first when the memory is shared, strided or foreign.
    pub fn make_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        if !self.is_owned() {
            let fresh = crate::ops::copy::copied(self)?;
            self.storage = fresh.storage;
            self.layout = fresh.layout;
        }
        let (start, numel, dtype) = (self.layout.offset, self.numel(), self.dtype);
        if T::DTYPE != dtype {
            return Err(Error::internal("tensor", format!("typed {dtype} written as {}", T::DTYPE)));
        }
        let shared = || Error::internal("tensor", "fresh memory is shared");
        let all = Arc::get_mut(&mut self.storage).ok_or_else(shared)?.elements_mut::<T>()?;
        Ok(if numel == 0 { &mut [] } else { &mut all[start..start + numel] })
    }

    // --- autograd state -------------------------------------------------------------------------------------------

    pub fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }
    pub fn requires_grad(&self) -> bool {
        self.link.is_some()
    }
    pub fn is_leaf(&self) -> bool {
        self.link.as_ref().is_none_or(|l| l.node.is_leaf())
    }

    pub(crate) fn with_link(mut self, link: Option<Link>) -> Tensor {
        self.link = link;
        self
    }

    /// The same value without its history.
    pub fn detach(&self) -> Tensor {
        Tensor { storage: self.storage.clone(), layout: self.layout.clone(), dtype: self.dtype, link: None }
    }

    /// The same value as a new leaf that gathers a gradient.
    pub fn leaf(&self) -> Result<Tensor> {
        match self.dtype.kind() {
            crate::dtype::Kind::Float => Ok(self.detach().with_link(Some(autograd::Node::leaf()))),
            _ => {
                let message = format!("only real floating-point tensors have gradients, got {}", self.dtype);
                Err(Error::dtype("requires_grad", message))
            }
        }
    }

    /// Puts another value of the same shape and type in this tensor's place; a leaf stays the leaf it was.
    pub fn replace_value(&mut self, value: &Tensor) -> Result<()> {
        if value.shape() != self.shape() || value.dtype != self.dtype {
            let have = format!("{} {}", self.dtype, shape::display(self.shape()));
            let got = format!("{} {}", value.dtype, shape::display(value.shape()));
            return Err(Error::shape("assignment", format!("the new value does not fit, expected {have}, got {got}")));
        }
        self.storage = value.storage.clone();
        self.layout = value.layout.clone();
        Ok(())
    }

    /// The accumulated gradient of a leaf (or of a tensor that retains it).
    pub fn grad(&self) -> Result<Option<Tensor>> {
        self.link.as_ref().map_or(Ok(None), |l| l.node.grad(l.index))
    }

    pub fn shape_owned(&self) -> Shape {
        self.layout.shape.clone()
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor({}, {}, {})", shape::display(self.shape()), self.dtype, self.device())
    }
}
