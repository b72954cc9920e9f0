//! The GPU engine on wgpu. It knows no op: an op's `gpu.rs` makes a [`Launch`] with its own shader.
//!
//! A call crosses the rooms in this order: `launch` (what to run), `pipeline` (compiled once), `stream` (recorded,
//! submitted in batches), `buffer` (pooled memory), `staging` (bytes to and from the host), `context` (the device).

mod buffer;
mod context;
mod element;
mod index;
mod launch;
#[cfg(test)]
mod math_tests;
#[allow(unsafe_code)]
mod pipeline;
mod staging;
mod stream;
#[cfg(test)]
mod tests;

pub use buffer::{Buffer, MemoryStats};
pub(crate) use context::Context;
pub use context::{DeviceInfo, devices, is_available};
pub(crate) use element::Element;
pub(crate) use index::Positions;
pub(crate) use launch::Launch;
pub(crate) use pipeline::{MATH, Source};

use crate::Result;

include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

/// The opened context of `gpu:device`.
pub(crate) fn context(device: u8) -> Result<&'static Context> {
    context::context(usize::from(device))
}

/// Memory on `gpu:device` with unspecified content.
pub fn alloc(device: u8, bytes: usize) -> Result<Buffer> {
    context(device)?.alloc(bytes as u64)
}

/// A copy of host bytes on `gpu:device`.
pub fn upload(device: u8, bytes: &[u8]) -> Result<Buffer> {
    let context = context(device)?;
    let buffer = context.alloc(bytes.len() as u64)?;
    context.write(&buffer, 0, bytes)?;
    Ok(buffer)
}

/// Fills `bytes` from the buffer's byte `offset` on, after everything recorded before.
pub fn download(buffer: &Buffer, offset: usize, bytes: &mut [u8]) -> Result<()> {
    if offset.checked_add(bytes.len()).is_none_or(|end| end > buffer.len()) {
        let message = format!("expected a range inside {} bytes, got {} from {offset}", buffer.len(), bytes.len());
        return Err(crate::Error::index("gpu download", message));
    }
    buffer.context().read(buffer, offset as u64, bytes)
}

/// Waits until `gpu:device` has done everything recorded so far.
pub fn synchronize(device: u8) -> Result<()> {
    context(device)?.synchronize()
}

pub fn memory_stats(device: u8) -> Result<MemoryStats> {
    Ok(context(device)?.memory_stats())
}

/// Gives all unused memory of `gpu:device` back to the driver.
pub fn empty_cache(device: u8) -> Result<()> {
    context(device)?.release_cache()
}

/// Caps live and cached bytes of `gpu:device`; `u64::MAX` lifts the cap.
pub fn set_memory_limit(device: u8, bytes: u64) -> Result<()> {
    context(device)?.set_memory_limit(bytes);
    Ok(())
}
