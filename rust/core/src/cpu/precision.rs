//! How exactly float32 matrices are multiplied, under PyTorch's names.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// The least accuracy asked for, most exact first. Engines may compute more exactly than asked; plain float32 is exact
/// enough for all three.
pub const NAMES: [&str; 3] = ["highest", "high", "medium"];

static CURRENT: AtomicU8 = AtomicU8::new(0);

/// The name in force.
pub fn get() -> &'static str {
    NAMES[CURRENT.load(Relaxed) as usize % NAMES.len()]
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
