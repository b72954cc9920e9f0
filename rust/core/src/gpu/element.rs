//! Element types on the device, and their names in WGSL.

use crate::dtype::DType;
use crate::{Error, Result};

/// An element type that shaders can store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    F32,
    F16,
    I32,
    U32,
    /// Stored as u32, 0 or 1.
    Bool,
}

impl Element {
    /// How the device stores a dtype; an error that names the op where it cannot.
    pub(crate) fn of(op: &str, dtype: DType) -> Result<Element> {
        Ok(match dtype {
            DType::F32 => Element::F32,
            DType::F16 => Element::F16,
            DType::I32 => Element::I32,
            DType::U32 => Element::U32,
            DType::Bool => Element::Bool,
            other => {
                let wanted = "expected bool, int32, uint32, float16 or float32";
                return Err(Error::dtype(op, format!("wrong dtype for the gpu, {wanted}, got {other}")));
            }
        })
    }

    /// Bytes of a stored element.
    pub(crate) fn bytes(self) -> usize {
        if self == Element::F16 { 2 } else { 4 }
    }

    pub(crate) fn wgsl(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::F16 => "f16",
            Element::I32 => "i32",
            Element::U32 | Element::Bool => "u32",
        }
    }

    /// The type that formulas compute in.
    pub(crate) fn computed(self) -> &'static str {
        match self {
            Element::F32 | Element::F16 => "f32",
            Element::Bool => "bool",
            other => other.wgsl(),
        }
    }
}
