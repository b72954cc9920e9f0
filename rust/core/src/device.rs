//! Where a tensor's memory is.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::gpu;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Device {
    #[default]
    Cpu,
    Gpu(u8),
}

impl Device {
    /// Reads "cpu", "gpu" (the first one) or "gpu:1".
    pub fn parse(text: &str) -> Result<Device> {
        let number = match text {
            "cpu" => return Ok(Device::Cpu),
            "gpu" => Some(0),
            _ => text.strip_prefix("gpu:").and_then(|n| n.parse().ok()),
        };
        let wrong =
            || Error::value("device", format!("unknown device, expected 'cpu', 'gpu' or 'gpu:N', got {text:?}"));
        number.map(Device::Gpu).ok_or_else(wrong)
    }

    /// The type of counts, places and sums of signed integers: shaders have no 64-bit integers.
    pub fn widest_int(self) -> DType {
        if self == Device::Cpu { DType::I64 } else { DType::I32 }
    }

    /// The type of sums of unsigned integers.
    pub fn widest_unsigned(self) -> DType {
        if self == Device::Cpu { DType::U64 } else { DType::U32 }
    }

    /// Bytes of one stored element; an error of `op` where the device has no such type.
    pub fn element_size(self, op: &str, dtype: DType) -> Result<usize> {
        match self {
            Device::Cpu => Ok(dtype.size()),
            Device::Gpu(_) => Ok(gpu::Element::of(op, dtype)?.bytes()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Gpu(n) => write!(f, "gpu:{n}"),
        }
    }
}
