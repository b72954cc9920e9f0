//! Where a tensor's memory is.

use crate::dtype::DType;
use crate::error::{Error, Result};
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

    /// Bytes of one stored element. Shaders know few types: bools are stored as u32, 64-bit types not at all.
    pub fn element_size(self, dtype: DType) -> Result<usize> {
        match (self, dtype) {
            (Device::Cpu, _) | (_, DType::F16 | DType::F32 | DType::I32 | DType::U32) => Ok(dtype.size()),
            (_, DType::Bool) => Ok(4),
            _ => {
                let message =
                    format!("not available there, expected bool, int32, uint32, float16 or float32, got {dtype}");
                Err(Error::dtype("gpu", message))
            }
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
