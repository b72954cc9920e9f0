//! The floors all threads share, behind one lock: spans of small blocks, and the cache of large ones.

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use super::ranges::{Ranges, System};
use super::{ALIGN, MemoryStats, system};
use crate::cpu::limits;
use crate::{Error, Result};

/// Classes up to 128 KiB are small; eight classes a doubling waste at most an eighth.
pub(super) const SMALL_CLASSES: usize = 72;
/// Larger blocks are multiples of this.
const GRANULE: usize = 16 << 10;
/// And are cut from mappings of at least this.
const SLAB: usize = 64 << 20;
const SYSTEM: System = System { unmap: system::unmap, discard: system::discard };

/// The class whose blocks are the smallest that hold `bytes`.
#[inline]
pub(super) fn class_of(bytes: usize) -> usize {
    let lines = bytes.saturating_sub(1) / ALIGN;
    let shift = (lines | 8).ilog2() as usize - 3;
    shift * 8 + (lines >> shift)
}

/// Bytes in a block of `class`.
#[inline]
pub(super) fn class_size(class: usize) -> usize {
    let shift = (class / 8).saturating_sub(1);
    ((class - shift * 8 + 1) * ALIGN) << shift
}

/// How many free blocks a thread's front keeps: a few for big ones, no more than 256 KiB.
#[inline]
pub(super) fn front_cap(class: usize) -> usize {
    ((256 << 10) / class_size(class)).clamp(2, 64)
}

/// Spans are aligned to their own size, so that a block finds the head of its span by masking its address.
fn span_size(class: usize) -> usize {
    if class_size(class) <= 8 << 10 { 64 << 10 } else { 1 << 20 }
}

/// The alignment of every mapping of `bytes` bytes.
pub(super) fn alignment_for(bytes: usize) -> usize {
    match bytes {
        system::HUGE.. => system::HUGE,
        0x10000 | 0x100000 => bytes,
        _ => 4096,
    }
}

/// Free blocks linked through their own first bytes.
pub(super) struct List {
    head: Option<NonNull<u8>>,
    len: usize,
}

impl List {
    pub(super) const EMPTY: List = List { head: None, len: 0 };

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// `block` is free memory of the arena: aligned, at least one cache line, known to nobody else.
    #[inline]
    pub(super) fn push(&mut self, block: NonNull<u8>) {
        // SAFETY: see above; the link fits the first bytes of a free block.
        unsafe { block.cast().write(self.head) };
        self.head = Some(block);
        self.len += 1;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = self.head?;
        // SAFETY: `push` wrote the link, and nobody touches a free block.
        self.head = unsafe { block.cast().read() };
        self.len -= 1;
        Some(block)
    }
}

/// The head of a span; its blocks follow. Spans with free blocks form a ring per class.
struct Span {
    previous: *mut Span,
    next: *mut Span,
    free: List,
    /// Offset of the part never handed out.
    fresh: usize,
    live: usize,
}

const SPAN_HEAD: usize = std::mem::size_of::<Span>().next_multiple_of(ALIGN);

pub(super) struct Central {
    /// Per class, the spans that have a free block: a doubly linked list.
    open: [*mut Span; SMALL_CLASSES],
    /// Unused spans of 64 KiB and of 1 MiB.
    idle: [List; 2],
    /// Free memory for blocks above the small classes.
    large: Ranges,
    /// Bytes in spans and in blocks or ranges that are not fresh.
    mapped: usize,
    /// Bytes that may still be touched before the system is asked again how much it can give.
    allowance: usize,
}

// SAFETY: the pointers lead to memory the arena owns, reached only under the lock.
unsafe impl Send for Central {}

static CENTRAL: Mutex<Central> = Mutex::new(Central {
    open: [std::ptr::null_mut(); SMALL_CLASSES],
    idle: [List::EMPTY; 2],
    large: Ranges::new(),
    mapped: 0,
    allowance: 0,
});

fn central() -> MutexGuard<'static, Central> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(hold_across_fork);
    CENTRAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A fork copies a lock in the state it is in: the forking thread holds it meanwhile, so that the child finds it free.
#[cfg(unix)]
fn hold_across_fork() {
    struct Held(UnsafeCell<Option<MutexGuard<'static, Central>>>);
    // SAFETY: only the thread that holds the lock touches the cell.
    unsafe impl Sync for Held {}
    static HELD: Held = Held(UnsafeCell::new(None));
    extern "C" fn before() {
        let guard = CENTRAL.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the lock is held.
        unsafe { *HELD.0.get() = Some(guard) };
    }
    extern "C" fn after() {
        // SAFETY: the lock is held since `before`, by this thread or by its copy in the child.
        drop(unsafe { (*HELD.0.get()).take() });
    }
    // SAFETY: the handlers are functions without captured state and stay loaded.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}

#[cfg(not(unix))]
fn hold_across_fork() {}

impl Central {
    /// A list of free blocks of a small class; None when the system has no memory left.
    pub(super) fn take_batch(class: usize) -> Option<List> {
        let count = front_cap(class) / 2;
        let mut list = List::EMPTY;
        let mut central = central();
        while list.len() < count {
            match central.take_small(class) {
                Ok(block) => list.push(block),
                Err(_) => break,
            }
        }
        if list.is_empty() { None } else { Some(list) }
    }

    /// One block of any class: pointer, size, and whether it is fresh, hence zero.
    pub(super) fn take_block(bytes: usize) -> Result<(NonNull<u8>, usize, bool)> {
        let class = class_of(bytes);
        if class < SMALL_CLASSES {
            let pointer = central().take_small(class)?;
            Stats::settle(class_size(class) as isize, 0);
            return Ok((pointer, class_size(class), false));
        }
        let (pointer, room, fresh) = central().take_large(bytes)?;
        Stats::settle(room as isize, !fresh as u64);
        Ok((pointer, room, fresh))
    }

    /// One block of a mapping of its own that ends at a protected page.
    pub(super) fn take_guarded(bytes: usize) -> Result<NonNull<u8>> {
        let available = limits::available(0);
        let block = if bytes > available { None } else { system::map_guarded(bytes) };
        block.ok_or_else(|| refused(bytes, available, "available"))
    }

    /// Takes blocks from `list` until `keep` are left.
    pub(super) fn give_batch(class: usize, list: &mut List, keep: usize) {
        if list.len() <= keep {
            return;
        }
        let mut central = central();
        while list.len() > keep {
            let Some(block) = list.pop() else { break };
            central.give_small(class, block);
        }
    }

    pub(super) fn give_one(class: usize, block: NonNull<u8>) {
        central().give_small(class, block);
        Stats::settle(-(class_size(class) as isize), 0);
    }

    pub(super) fn give_large(block: NonNull<u8>, room: usize) {
        central().keep_large(block, room);
        Stats::settle(-(room as isize), 0);
    }

    pub(super) fn release_cached() {
        central().release(usize::MAX);
    }

    fn take_small(&mut self, class: usize) -> Result<NonNull<u8>> {
        let size = class_size(class);
        if self.open[class].is_null() {
            let span = self.take_span(span_size(class))?.cast::<Span>();
            let head = Span {
                previous: std::ptr::null_mut(),
                next: std::ptr::null_mut(),
                free: List::EMPTY,
                fresh: SPAN_HEAD,
                live: 0,
            };
            // SAFETY: the span is unused memory, aligned and larger than its head.
            unsafe { span.write(head) };
            self.open[class] = span.as_ptr();
        }
        let pointer = self.open[class];
        // SAFETY: spans in `open` have a valid head that only the holder of the lock reaches.
        let span = unsafe { &mut *pointer };
        let block = match span.free.pop() {
            Some(block) => block,
            None => {
                span.fresh += size;
                // SAFETY: an open span without free blocks has a fresh one: `fresh + size` was inside the span.
                unsafe { NonNull::new_unchecked(pointer.cast::<u8>().add(span.fresh - size)) }
            }
        };
        span.live += 1;
        if span.free.is_empty() && span.fresh + size > span_size(class) {
            self.close(class, pointer);
        }
        Ok(block)
    }

    fn give_small(&mut self, class: usize, block: NonNull<u8>) {
        let pointer = block.as_ptr().map_addr(|address| address & !(span_size(class) - 1)).cast::<Span>();
        // SAFETY: every small block lies in a span aligned to its size, whose head stays valid while blocks live.
        let span = unsafe { &mut *pointer };
        let full = span.free.is_empty() && span.fresh + class_size(class) > span_size(class);
        span.free.push(block);
        span.live -= 1;
        if full {
            span.previous = std::ptr::null_mut();
            span.next = self.open[class];
            // SAFETY: the neighbour, where there is one, is an open span, distinct from this one.
            if let Some(next) = unsafe { span.next.as_mut() } {
                next.previous = pointer;
            }
            self.open[class] = pointer;
        }
        if span.live == 0 {
            self.close(class, pointer);
            self.idle[(span_size(class) > 64 << 10) as usize].push(NonNull::from(span).cast());
        }
    }

    /// Unlinks a span from the open ones of its class.
    fn close(&mut self, class: usize, pointer: *mut Span) {
        // SAFETY: the span is open, so it and its neighbours have valid heads; the lock is held.
        unsafe {
            let (previous, next) = ((*pointer).previous, (*pointer).next);
            match previous.as_mut() {
                Some(previous) => previous.next = next,
                None => self.open[class] = next,
            }
            if let Some(next) = next.as_mut() {
                next.previous = previous;
            }
        }
    }

    fn take_span(&mut self, bytes: usize) -> Result<NonNull<u8>> {
        let kind = (bytes > 64 << 10) as usize;
        if self.idle[kind].is_empty() {
            // Linux maps many spans at once and can give each back alone; elsewhere a span is its own allocation.
            let chunk = if cfg!(target_os = "linux") { system::HUGE } else { bytes };
            self.admit(chunk)?;
            let pointer = self.insist(chunk, alignment_for(bytes))?;
            self.touch(chunk);
            for offset in (0..chunk).step_by(bytes) {
                // SAFETY: `offset` stays inside the chunk.
                self.idle[kind].push(unsafe { pointer.add(offset) });
            }
        }
        self.idle[kind].pop().ok_or_else(|| Error::internal("allocate", "a fresh chunk held no span"))
    }

    fn take_large(&mut self, bytes: usize) -> Result<(NonNull<u8>, usize, bool)> {
        let room = bytes.checked_next_multiple_of(GRANULE).ok_or_else(|| refused(bytes, usize::MAX, "addressable"))?;
        if let Some(block) = self.large.take(room, false) {
            return Ok((block, room, false));
        }
        self.admit(room)?;
        if let Some(block) = self.large.take(room, true) {
            self.touch(room);
            return Ok((block, room, true));
        }
        let (slab, size) = match system::map(SLAB.max(room), system::HUGE) {
            Some(slab) => (slab, SLAB.max(room)),
            None => (self.insist(room, alignment_for(room))?, room),
        };
        self.large.add_slab(slab, size);
        let block =
            self.large.take(room, true).ok_or_else(|| Error::internal("allocate", "a fresh slab is too small"))?;
        self.touch(room);
        Ok((block, room, true))
    }

    fn keep_large(&mut self, block: NonNull<u8>, room: usize) {
        self.large.give(block, room);
        let cap = limits::total() / 2;
        if self.large.cached > cap {
            self.release(self.large.cached - cap);
        }
    }

    /// Gives at least `bytes` of cached memory back if there is so much.
    fn release(&mut self, bytes: usize) {
        let mut released = self.large.release(bytes, &SYSTEM);
        for (kind, size) in [(0, 64 << 10), (1, 1 << 20)] {
            while released < bytes
                && let Some(span) = self.idle[kind].pop()
            {
                system::unmap(span, size);
                released += size;
            }
        }
        self.mapped -= released;
        Stats::mapped(self.mapped);
    }

    /// Whether the machine can give so many bytes without killing somebody.
    fn admit(&mut self, bytes: usize) -> Result<()> {
        if bytes <= self.allowance {
            return Ok(());
        }
        let mut available = limits::available(self.mapped);
        if bytes > available {
            self.release(usize::MAX);
            available = limits::available(self.mapped);
        }
        if bytes > available {
            return Err(refused(bytes, available, "available"));
        }
        // An eighth may go unchecked: other processes take memory too.
        self.allowance = bytes.max(available / 8);
        Ok(())
    }

    /// Counts bytes handed out for the first time.
    fn touch(&mut self, bytes: usize) {
        self.allowance = self.allowance.saturating_sub(bytes);
        self.mapped += bytes;
        Stats::mapped(self.mapped);
    }

    /// A mapping, for which the cache is emptied if that is what it takes.
    fn insist(&mut self, bytes: usize, align: usize) -> Result<NonNull<u8>> {
        if let Some(pointer) = system::map(bytes, align) {
            return Ok(pointer);
        }
        self.release(usize::MAX);
        system::map(bytes, align).ok_or_else(|| refused(bytes, 0, "the system gives"))
    }
}

fn refused(requested: usize, limit: usize, what: &str) -> Error {
    let live = LIVE.load(Relaxed).max(0) as usize;
    Error::memory(
        "allocate",
        format!("out of memory, requested {}, {what} {}, live {}", Bytes(requested), Bytes(limit), Bytes(live)),
    )
}

/// Prints a number of bytes for people.
struct Bytes(usize);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        match self.0.checked_ilog2().unwrap_or(0) as usize / 10 {
            0 => write!(f, "{} bytes", self.0),
            power => write!(f, "{:.2} {}", self.0 as f64 / (1u64 << (10 * power)) as f64, units[power - 1]),
        }
    }
}

static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);
static MAPPED: AtomicUsize = AtomicUsize::new(0);
static REUSED: AtomicU64 = AtomicU64::new(0);

/// The global figures.
pub(super) struct Stats;

impl Stats {
    pub(super) fn settle(live: isize, reused: u64) {
        if live != 0 {
            let now = LIVE.fetch_add(live, Relaxed) + live;
            if now > PEAK.load(Relaxed) {
                PEAK.fetch_max(now, Relaxed);
            }
        }
        if reused != 0 {
            REUSED.fetch_add(reused, Relaxed);
        }
    }

    fn mapped(bytes: usize) {
        MAPPED.store(bytes, Relaxed);
    }

    pub(super) fn reset_peak() {
        PEAK.store(LIVE.load(Relaxed), Relaxed);
    }

    pub(super) fn read() -> MemoryStats {
        let live = LIVE.load(Relaxed).max(0) as usize;
        MemoryStats {
            live,
            cached: MAPPED.load(Relaxed).saturating_sub(live),
            peak: (PEAK.load(Relaxed).max(0) as usize).max(live),
            reused: REUSED.load(Relaxed),
            system_calls: system::CALLS.load(Relaxed),
        }
    }
}
