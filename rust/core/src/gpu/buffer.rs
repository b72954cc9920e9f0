//! GPU memory: shared handles over a pool of recycled buffers, so that a steady training step allocates nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::context::{self, Context, lock};
use crate::{Error, Result};

/// Above this size a class holds one exact size: rounding would waste too much.
const EXACT_ABOVE: u64 = 64 << 20;
/// Every buffer is a multiple of this, which covers the copy and binding alignment of all backends.
const GRAIN: u64 = 256;
/// Bindings end here even where the driver reports more.
const LARGEST_BINDING: u64 = (1 << 31) - 1;

/// A piece of GPU memory. Clones share it; the last one to go hands it back to the pool.
#[derive(Clone)]
pub struct Buffer(Arc<Block>);

struct Block {
    raw: wgpu::Buffer,
    bytes: u64,
    context: &'static Context,
}

/// What the pool holds, in bytes and buffers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStats {
    pub live_bytes: u64,
    pub live_buffers: u64,
    pub peak_bytes: u64,
    pub cached_bytes: u64,
    pub cached_buffers: u64,
    /// Buffers asked of the driver so far.
    pub allocations: u64,
    /// Requests that a cached buffer served.
    pub reuses: u64,
    /// Live and cached bytes together stay below this.
    pub limit_bytes: u64,
}

pub(super) struct Pool {
    free: HashMap<u64, Vec<wgpu::Buffer>>,
    stats: MemoryStats,
    largest: u64,
}

impl Pool {
    pub(super) fn new(limits: &wgpu::Limits) -> Pool {
        let largest = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(LARGEST_BINDING);
        let stats = MemoryStats { limit_bytes: u64::MAX, ..MemoryStats::default() };
        Pool { free: HashMap::new(), stats, largest: largest / GRAIN * GRAIN }
    }

    fn take(&mut self, class: u64) -> Option<wgpu::Buffer> {
        let raw = self.free.get_mut(&class)?.pop()?;
        self.stats.cached_bytes -= class;
        self.stats.cached_buffers -= 1;
        self.stats.reuses += 1;
        self.count_live(class);
        Some(raw)
    }

    fn count_live(&mut self, class: u64) {
        self.stats.live_bytes += class;
        self.stats.live_buffers += 1;
        self.stats.peak_bytes = self.stats.peak_bytes.max(self.stats.live_bytes);
    }

    /// Commands run in the order of recording, so the next user may record at once.
    fn put(&mut self, raw: wgpu::Buffer) {
        let class = raw.size();
        self.stats.live_bytes -= class;
        self.stats.live_buffers -= 1;
        self.stats.cached_bytes += class;
        self.stats.cached_buffers += 1;
        self.free.entry(class).or_default().push(raw);
    }

    fn has_room_for(&self, class: u64) -> bool {
        let taken = self.stats.live_bytes + self.stats.cached_bytes;
        class <= self.stats.limit_bytes.saturating_sub(taken)
    }
}

/// Eight sizes per power of two: at most one eighth of a buffer is slack.
fn size_class(bytes: u64) -> u64 {
    let bytes = bytes.max(GRAIN);
    let step = if bytes > EXACT_ABOVE { GRAIN } else { ((1 << bytes.ilog2()) / 8).max(GRAIN) };
    bytes.next_multiple_of(step)
}

impl Context {
    /// A buffer of at least `bytes` bytes with unspecified content.
    pub(crate) fn alloc(&'static self, bytes: u64) -> Result<Buffer> {
        self.check()?;
        let largest = lock(&self.pool).largest;
        if bytes > largest {
            let message =
                format!("one tensor is too large for this GPU, expected at most {largest} bytes, got {bytes}");
            return Err(Error::memory(&self.name(), message));
        }
        let class = size_class(bytes).min(largest);
        let cached = lock(&self.pool).take(class);
        let raw = match cached {
            Some(raw) => raw,
            None => self.create(class).or_else(|_first_refusal| {
                self.release_cache()?;
                self.create(class).map_err(|_| self.exhausted(bytes))
            })?,
        };
        Ok(Buffer(Arc::new(Block { raw, bytes, context: self })))
    }

    fn create(&self, class: u64) -> Result<wgpu::Buffer> {
        if !lock(&self.pool).has_room_for(class) {
            return Err(self.exhausted(class));
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size: class, usage, mapped_at_creation: false };
        let raw = self.guarded("gpu memory", || self.device.create_buffer(&descriptor))?;
        let mut pool = lock(&self.pool);
        pool.stats.allocations += 1;
        pool.count_live(class);
        Ok(raw)
    }

    fn exhausted(&self, requested: u64) -> Error {
        let MemoryStats { live_bytes, cached_bytes, .. } = self.memory_stats();
        let message = format!("out of memory: requested {requested} bytes, live {live_bytes}, cached {cached_bytes}");
        Error::memory(&self.name(), message)
    }

    /// Gives all cached memory back to the driver, after the work that uses it.
    pub(crate) fn release_cache(&self) -> Result<()> {
        self.synchronize()?;
        let dropped = {
            let mut pool = lock(&self.pool);
            pool.stats.cached_bytes = 0;
            pool.stats.cached_buffers = 0;
            std::mem::take(&mut pool.free)
        };
        drop(dropped);
        // The driver frees a dropped buffer when the device is polled next.
        self.synchronize()
    }

    pub(crate) fn memory_stats(&self) -> MemoryStats {
        lock(&self.pool).stats
    }

    /// Caps live and cached bytes together; what is live already stays.
    pub(crate) fn set_memory_limit(&self, bytes: u64) {
        lock(&self.pool).stats.limit_bytes = bytes;
    }
}

impl Buffer {
    /// The size that was asked for.
    pub fn len(&self) -> usize {
        self.0.bytes as usize
    }

    pub fn is_empty(&self) -> bool {
        self.0.bytes == 0
    }

    /// The `n` of `gpu:n`.
    pub fn device(&self) -> u8 {
        self.0.context.index as u8
    }

    /// Whether both handles are the same memory.
    pub fn is_same(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn context(&self) -> &'static Context {
        self.0.context
    }

    pub(super) fn raw(&self) -> &wgpu::Buffer {
        &self.0.raw
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes on {})", self.0.bytes, self.0.context.name())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let raw = self.raw.clone();
        if context::is_forked_child() {
            // The pool's lock may be held by a thread that does not exist here: leak one reference.
            std::mem::forget(raw);
        } else {
            lock(&self.context.pool).put(raw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_size_class_slack() {
        for bytes in (1..1 << 16).chain([(1 << 20) + 1, (3 << 24) + 5, EXACT_ABOVE, EXACT_ABOVE + 1]) {
            let class = size_class(bytes);
            assert!(class >= bytes && class.is_multiple_of(GRAIN));
            assert!(class - bytes <= (bytes / 8).max(GRAIN), "{bytes} -> {class}");
            assert_eq!(size_class(class), class, "a class must be its own class");
        }
    }
}
