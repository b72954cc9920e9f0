//! How exactly float32 matrices are multiplied, under PyTorch's names.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// The least accuracy asked for, most exact first. On a unit that multiplies bfloat16, float32 is three of those, two or
/// one; plain float32 is exact enough for all three, and what machines without such a unit compute.
pub const NAMES: [&str; 3] = ["highest", "high", "medium"];

static CURRENT: AtomicU8 = AtomicU8::new(0);

/// The name in force.
pub fn get() -> &'static str {
    NAMES[CURRENT.load(Relaxed) as usize % NAMES.len()]
}

/// How many bfloat16 stand for a float32 where a unit multiplies those.
pub fn parts() -> usize {
    NAMES.len() - CURRENT.load(Relaxed) as usize % NAMES.len()
}

pub fn set(name: &str) -> Result<()> {
    let unknown = || {
        let message = format!("unknown precision, expected 'highest', 'high' or 'medium', got {name:?}");
        Error::value("set_float32_matmul_precision", message)
    };
    let place = NAMES.iter().position(|known| *known == name).ok_or_else(unknown)?;
    CURRENT.store(place as u8, Relaxed);
    Ok(())
}
