//! Tensor memory: 64-byte aligned blocks from mapped slabs, kept for reuse, so that a steady step makes no system call.
//!
//! Three floors. A block up to 128 KiB comes from this thread's *front* (lists per size class, no lock); the front is
//! filled in batches from *spans*, slabs cut into blocks of one class; larger blocks are *ranges* of slabs, joined again
//! when they are free. Mapped pages start as zeros, so every byte of a block is initialised memory with arbitrary contents.
//!
//! `FERROGRAD_ARENA=guard` ends every block at a protected page, `poison` fills fresh memory with NaN (`guard,poison`: both).

mod central;
mod ranges;
mod system;
#[cfg(test)]
mod tests;

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::pool;
use crate::{Error, Result};
use central::{Central, List, SMALL_CLASSES, Stats};

/// Alignment of every block: one cache line, one AVX-512 register.
pub const ALIGN: usize = 64;

/// What the arena holds, in bytes, and what it did since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryStats {
    /// Bytes in blocks that are in use.
    pub live: usize,
    /// Bytes mapped but not in use: kept for reuse.
    pub cached: usize,
    /// The most `live` has been.
    pub peak: usize,
    /// How many blocks came from a thread's front or the cache of large blocks.
    pub reused: u64,
    /// How many times the operating system was asked to map or unmap memory.
    pub system_calls: u64,
}

/// A piece of memory that returns to the arena when dropped. Its contents start arbitrary, but always readable.
#[derive(Debug)]
pub struct Block {
    pointer: NonNull<u8>,
    len: usize,
    /// Bytes really set aside: the size of the class.
    room: usize,
}

// SAFETY: a block owns its memory; whoever writes through `as_mut_ptr` answers for exclusive access.
unsafe impl Send for Block {}
// SAFETY: shared access is read-only, see above.
unsafe impl Sync for Block {}

impl Block {
    /// A block of `bytes` bytes with arbitrary contents.
    #[inline]
    pub fn new(bytes: usize) -> Result<Block> {
        let class = central::class_of(bytes);
        let plain = bytes != 0 && class < SMALL_CLASSES && MODE.load(Relaxed) == PLAIN;
        if plain && let Ok(Some(pointer)) = FRONT.try_with(|front| front.take(class)) {
            return Ok(Block { pointer, len: bytes, room: central::class_size(class) });
        }
        Block::slow(bytes, false)
    }

    /// A block of `bytes` zeros.
    pub fn zeroed(bytes: usize) -> Result<Block> {
        if central::class_of(bytes) >= SMALL_CLASSES || MODE.load(Relaxed) != PLAIN {
            return Block::slow(bytes, true);
        }
        let mut block = Block::new(bytes)?;
        block.as_bytes_mut().fill(0);
        Ok(block)
    }

    #[cold]
    fn slow(bytes: usize, zero: bool) -> Result<Block> {
        let mode = mode()?;
        if bytes == 0 {
            return Ok(Block { pointer: NonNull::<Line>::dangling().cast(), len: 0, room: 0 });
        }
        let (pointer, room, fresh) =
            if mode & GUARD != 0 { (Central::take_guarded(bytes)?, bytes, true) } else { Central::take_block(bytes)? };
        let mut block = Block { pointer, len: bytes, room };
        if zero && !fresh {
            // The threads share the work from a few megabytes on; below, there is one chunk.
            pool::for_each_chunk(block.as_bytes_mut(), 2 << 20, |_, part| part.fill(0))?;
        } else if !zero && mode & POISON != 0 {
            block.as_bytes_mut().fill(0xFF); // NaN in every float type
        }
        Ok(block)
    }

    /// Number of bytes asked for.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.pointer.as_ptr()
    }

    /// For kernels that fill a fresh block: the caller answers for nobody else reading or writing meanwhile.
    #[inline]
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.pointer.as_ptr()
    }

    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes at `pointer` are mapped, initialised and owned by this block.
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.len) }
    }

    #[inline]
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_bytes`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.len) }
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        if self.room == 0 {
            return;
        }
        if MODE.load(Relaxed) & GUARD != 0 {
            return system::unmap_guarded(self.pointer, self.len);
        }
        let class = central::class_of(self.room);
        if class >= SMALL_CLASSES {
            Central::give_large(self.pointer, self.room);
        } else if FRONT.try_with(|front| front.give(class, self.pointer)).is_err() {
            Central::give_one(class, self.pointer); // this thread is ending and its front is gone
        }
    }
}

/// Gives the alignment of the dangling pointer of empty blocks.
#[repr(align(64))]
struct Line;

/// Current figures; other threads' newest small blocks may be missing (at most 1 MiB each).
pub fn memory_stats() -> MemoryStats {
    let _ = FRONT.try_with(Front::settle);
    Stats::read()
}

/// Starts a new measurement of `MemoryStats::peak` at what is live now.
pub fn reset_peak() {
    let _ = FRONT.try_with(Front::settle);
    Stats::reset_peak();
}

/// Gives unused memory back to the operating system (other threads keep their small fronts).
pub fn empty_cache() {
    let _ = FRONT.try_with(Front::flush);
    Central::release_cached();
}

const PLAIN: u8 = 1;
const GUARD: u8 = 2;
const POISON: u8 = 4;
/// 0 until the environment was read, then PLAIN or a sum of GUARD and POISON.
static MODE: AtomicU8 = AtomicU8::new(0);

fn mode() -> Result<u8> {
    static PARSED: OnceLock<Result<u8>> = OnceLock::new();
    let parsed = PARSED.get_or_init(|| std::env::var("FERROGRAD_ARENA").map_or(Ok(PLAIN), |text| parse(&text)));
    if let Ok(mode) = parsed {
        MODE.store(*mode, Relaxed);
    }
    parsed.clone()
}

fn parse(text: &str) -> Result<u8> {
    let mut mode = 0;
    for word in text.split(',').map(str::trim) {
        mode |= match word {
            "" => 0,
            "guard" if cfg!(target_os = "linux") => GUARD,
            "poison" => POISON,
            _ => {
                let message = format!("unknown mode, expected guard, poison or guard,poison, got {word:?}");
                return Err(Error::value("FERROGRAD_ARENA", message));
            }
        };
    }
    Ok(if mode == 0 { PLAIN } else { mode })
}

pub(super) fn check_environment() -> Result<()> {
    mode().map(drop)
}

/// One thread's free small blocks and its part of the statistics.
struct Front(UnsafeCell<FrontState>);

struct FrontState {
    lists: [List; SMALL_CLASSES],
    /// Change of live bytes and count of reused blocks not yet in the global figures.
    live: isize,
    reused: u64,
}

thread_local! {
    static FRONT: Front = const { Front(UnsafeCell::new(FrontState { lists: [List::EMPTY; SMALL_CLASSES], live: 0, reused: 0 })) };
}

/// A thread settles its figures with the global ones after this many bytes.
const SETTLE: isize = 1 << 20;

impl Front {
    /// None when the central floor could not fill the list: the slow path then reports why.
    #[inline]
    fn take(&self, class: usize) -> Option<NonNull<u8>> {
        // SAFETY: a front is reached from its own thread only, and no method calls back into it.
        let state = unsafe { &mut *self.0.get() };
        let list = &mut state.lists[class];
        if list.is_empty() {
            *list = Central::take_batch(class)?;
        } else {
            state.reused += 1;
        }
        state.live += central::class_size(class) as isize;
        if state.live > SETTLE {
            state.settle();
        }
        state.lists[class].pop()
    }

    #[inline]
    fn give(&self, class: usize, pointer: NonNull<u8>) {
        // SAFETY: as in `take`.
        let state = unsafe { &mut *self.0.get() };
        let list = &mut state.lists[class];
        list.push(pointer);
        state.live -= central::class_size(class) as isize;
        if list.len() > central::front_cap(class) {
            Central::give_batch(class, list, central::front_cap(class) / 2);
            state.settle();
        }
    }

    fn settle(&self) {
        // SAFETY: as in `take`.
        unsafe { &mut *self.0.get() }.settle();
    }

    fn flush(&self) {
        // SAFETY: as in `take`.
        let state = unsafe { &mut *self.0.get() };
        for (class, list) in state.lists.iter_mut().enumerate() {
            Central::give_batch(class, list, 0);
        }
        state.settle();
    }
}

impl FrontState {
    fn settle(&mut self) {
        Stats::settle(std::mem::take(&mut self.live), std::mem::take(&mut self.reused));
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.flush();
    }
}
