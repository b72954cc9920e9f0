//! Where memory comes from: anonymous mappings on Linux, the system allocator elsewhere.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Calls made so far, for `MemoryStats`.
pub(super) static CALLS: AtomicU64 = AtomicU64::new(0);

/// The kernel's huge page; mappings at least this large ask for it.
pub(super) const HUGE: usize = 2 << 20;

pub(super) use backend::{discard, map, map_guarded, unmap, unmap_guarded};

#[cfg(target_os = "linux")]
mod backend {
    use super::*;

    /// At least every page size Linux has, so that the guard needs no question to the system.
    const GUARD: usize = 64 << 10;

    fn mmap(bytes: usize) -> Option<NonNull<u8>> {
        CALLS.fetch_add(1, Relaxed);
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let pointer = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if pointer == libc::MAP_FAILED { None } else { NonNull::new(pointer.cast()) }
    }

    /// Zeroed pages, aligned to `align`, a power of two from the page size up.
    pub fn map(bytes: usize, align: usize) -> Option<NonNull<u8>> {
        let mut pointer = mmap(bytes)?;
        if !(pointer.as_ptr() as usize).is_multiple_of(align) {
            unmap(pointer, bytes);
            let whole = mmap(bytes.checked_add(align)?)?;
            let before = whole.as_ptr().align_offset(align);
            // SAFETY: `before < align`, so the aligned part lies inside the `bytes + align` just mapped.
            pointer = unsafe { whole.add(before) };
            if before > 0 {
                unmap(whole, before);
            }
            // SAFETY: as above; `align - before > 0` bytes follow the part that is kept.
            unmap(unsafe { pointer.add(bytes) }, align - before);
        }
        if bytes >= HUGE {
            CALLS.fetch_add(1, Relaxed);
            // SAFETY: advice about a mapping of our own; a refusal changes nothing.
            unsafe { libc::madvise(pointer.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        }
        Some(pointer)
    }

    /// Gives back pages that `map` returned, in whole or in part.
    pub fn unmap(pointer: NonNull<u8>, bytes: usize) {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the arena passes only ranges it mapped and no longer uses.
        unsafe { libc::munmap(pointer.as_ptr().cast(), bytes) };
    }

    /// Gives back pages that `map` returned but keeps their addresses: zeros from now on.
    pub fn discard(pointer: NonNull<u8>, bytes: usize) -> bool {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: as in `unmap`; private anonymous pages read as zeros afterwards.
        unsafe { libc::madvise(pointer.as_ptr().cast(), bytes, libc::MADV_DONTNEED) == 0 }
    }

    /// `bytes` zeroed bytes that end exactly at a page nobody may touch; aligned as far as their number allows.
    pub fn map_guarded(bytes: usize) -> Option<NonNull<u8>> {
        let body = bytes.checked_next_multiple_of(GUARD)?;
        let whole = mmap(body.checked_add(GUARD)?)?;
        // SAFETY: the protected range is the last `GUARD` bytes of the mapping; the block lies before it.
        unsafe {
            libc::mprotect(whole.add(body).as_ptr().cast(), GUARD, libc::PROT_NONE);
            Some(whole.add(body - bytes))
        }
    }

    pub fn unmap_guarded(pointer: NonNull<u8>, bytes: usize) {
        let body = bytes.next_multiple_of(GUARD);
        // SAFETY: `map_guarded` placed the block this far behind the start of its mapping.
        unmap(unsafe { pointer.sub(body - bytes) }, body + GUARD);
    }
}

#[cfg(not(target_os = "linux"))]
mod backend {
    use super::*;
    use std::alloc::Layout;

    pub fn map(bytes: usize, align: usize) -> Option<NonNull<u8>> {
        CALLS.fetch_add(1, Relaxed);
        let layout = Layout::from_size_align(bytes, align).ok()?;
        // SAFETY: the arena never asks for zero bytes.
        NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })
    }

    pub fn unmap(pointer: NonNull<u8>, bytes: usize) {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the arena gives back whole ranges of `map`, whose alignment `alignment_for` repeats.
        unsafe {
            std::alloc::dealloc(
                pointer.as_ptr(),
                Layout::from_size_align_unchecked(bytes, super::super::central::alignment_for(bytes)),
            )
        };
    }

    pub fn discard(_: NonNull<u8>, _: usize) -> bool {
        false
    }

    pub fn map_guarded(_: usize) -> Option<NonNull<u8>> {
        None
    }

    pub fn unmap_guarded(_: NonNull<u8>, _: usize) {}
}
