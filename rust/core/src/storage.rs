//! Untyped memory of a tensor, on whichever device. The only place that turns bytes into typed slices.

use crate::cpu::arena::Block;
use crate::cpu::gemm::Kept;
use crate::device::Device;
use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::gpu;
use std::any::Any;

pub struct Storage {
    memory: Memory,
    kept: Kept,
}

enum Memory {
    Cpu(Block),
    Gpu(gpu::Buffer),
    Foreign(Foreign),
}

/// Read-only memory that somebody else owns (a NumPy array, a DLPack capsule), kept alive by `owner`.
struct Foreign {
    pointer: *const u8,
    bytes: usize,
    _owner: Box<dyn Any + Send + Sync>,
}

// SAFETY: the memory is only read, and the owner that keeps it alive is itself Send + Sync.
unsafe impl Send for Foreign {}
// SAFETY: as above.
unsafe impl Sync for Foreign {}

impl Storage {
    fn of(memory: Memory) -> Storage {
        Storage { memory, kept: Kept::default() }
    }

    /// Fresh memory with unspecified contents.
    pub fn new(device: Device, bytes: usize) -> Result<Storage> {
        let memory = match device {
            Device::Cpu => Memory::Cpu(Block::new(bytes)?),
            Device::Gpu(n) => Memory::Gpu(gpu::alloc(n, bytes)?),
        };
        Ok(Storage::of(memory))
    }

    pub fn zeroed(bytes: usize) -> Result<Storage> {
        Ok(Storage::of(Memory::Cpu(Block::zeroed(bytes)?)))
    }

    pub fn from_gpu(buffer: gpu::Buffer) -> Storage {
        Storage::of(Memory::Gpu(buffer))
    }

    /// Shares memory owned by somebody else.
    ///
    /// # Safety
    /// `pointer` must be aligned for every dtype viewed through it and valid for reads of `bytes` bytes while `owner`
    /// lives; bools in it must be 0 or 1.
    pub unsafe fn foreign(pointer: *const u8, bytes: usize, owner: Box<dyn Any + Send + Sync>) -> Storage {
        Storage::of(Memory::Foreign(Foreign { pointer, bytes, _owner: owner }))
    }

    pub fn device(&self) -> Device {
        match &self.memory {
            Memory::Gpu(buffer) => Device::Gpu(buffer.device()),
            _ => Device::Cpu,
        }
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        match &self.memory {
            Memory::Cpu(block) => block.len(),
            Memory::Gpu(buffer) => buffer.len(),
            Memory::Foreign(foreign) => foreign.bytes,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether writes are allowed at all: foreign memory is copied first.
    pub fn is_writable(&self) -> bool {
        !matches!(self.memory, Memory::Foreign(_))
    }

    /// Where products keep this memory rearranged; None where its owner may change it unseen.
    pub fn kept(&self) -> Option<&Kept> {
        matches!(self.memory, Memory::Cpu(_)).then_some(&self.kept)
    }

    pub fn gpu(&self) -> Option<&gpu::Buffer> {
        match &self.memory {
            Memory::Gpu(buffer) => Some(buffer),
            _ => None,
        }
    }

    /// Address of the first byte of CPU memory.
    pub fn pointer(&self) -> Result<*const u8> {
        match &self.memory {
            Memory::Cpu(block) => Ok(block.as_ptr()),
            Memory::Foreign(foreign) => Ok(foreign.pointer),
            Memory::Gpu(_) => {
                Err(Error::device("storage", "expected memory on the cpu, got the gpu; move it with .to('cpu')"))
            }
        }
    }

    pub fn bytes(&self) -> Result<&[u8]> {
        self.elements::<u8>()
    }

    /// All of it as elements of one type (whole elements only).
    pub fn elements<T: Element>(&self) -> Result<&[T]> {
        let pointer = self.pointer()?;
        // SAFETY: arena blocks are 64-byte aligned and initialised, foreign memory promises both; the length is floored.
        Ok(unsafe { slice_of(pointer.cast::<T>(), self.len() / size_of::<T>()) })
    }

    pub fn elements_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        self.kept.forget();
        let Memory::Cpu(block) = &mut self.memory else {
            return Err(Error::internal("storage", "expected writable cpu memory"));
        };
        if block.len() < size_of::<T>() {
            return Ok(&mut []);
        }
        // SAFETY: exclusive borrow of an aligned, initialised block; kernels write every bool as 0 or 1.
        Ok(unsafe { std::slice::from_raw_parts_mut(block.as_mut_ptr().cast(), block.len() / size_of::<T>()) })
    }
}

/// # Safety
/// As `slice::from_raw_parts`, but the pointer may dangle when there are no elements.
unsafe fn slice_of<'a, T>(pointer: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(pointer, len) }
}

/// What an op writes: fresh contiguous memory of a known shape and type.
pub struct Output {
    pub storage: Storage,
    pub shape: crate::shape::Shape,
    pub dtype: DType,
}

impl Output {
    pub fn slice_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        if T::DTYPE != self.dtype {
            let message = format!("output typed {} viewed as {}", self.dtype, T::DTYPE);
            return Err(Error::internal("storage", message));
        }
        self.storage.elements_mut()
    }

    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }
}
