//! Threads that stay: a caller opens a region of numbered tasks and works as one of them, resident workers join in.
//!
//! A region is announced by an epoch word; workers spin on it for a moment, then park. Tasks are drawn from one
//! counter. A worker enters through a gate that counts who is inside, so the caller waits only for workers that
//! joined, never for one still waking up. Which thread runs a task decides nothing about the result.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use Ordering::{Acquire, Relaxed, SeqCst};

use crate::{Error, Result};
use place::{Place, Taken, here};

mod denormal;
mod place;

pub use denormal::set_flush_denormal;

/// More threads than any machine has cores.
const MAX_THREADS: usize = 1024;

/// How long an idle worker watches for the next region before it parks: about what waking it would take.
const IDLE_SPIN: Duration = Duration::from_micros(100);
/// How long a caller watches for the last worker, which is at work, before it sleeps.
const CALLER_SPIN: Duration = Duration::from_millis(1);

/// How often a caller asks whether it should stop.
const INTERRUPT_PERIOD: Duration = Duration::from_millis(50);

/// Calls `body` with every number below `tasks`, on several threads; a panic or interrupt cancels the tasks not begun.
pub fn parallel_for(tasks: usize, body: &(dyn Fn(usize) + Sync)) -> Result<()> {
    let threads = num_threads().min(tasks);
    if threads > 1 && !INSIDE.get() {
        let pool = pool();
        // A region that is open belongs to another caller: two at once would only fight for the same cores.
        if let Ok(workers) = pool.workers.try_lock() {
            return pool.region(workers, threads, tasks, body);
        }
    }
    let shared = Shared::new(tasks);
    shared.work(body, true);
    shared.outcome()
}

/// Cuts `data` into chunks of `chunk` elements (the last may be shorter) and calls `body` with each and its number.
/// The cut depends on `chunk` alone, so results do not depend on the number of threads.
pub fn for_each_chunk<T: Send>(data: &mut [T], chunk: usize, body: impl Fn(usize, &mut [T]) + Sync) -> Result<()> {
    struct Base<T>(*mut T);
    // SAFETY: each task takes its own part of the slice, and `T: Send` may be used from another thread.
    unsafe impl<T: Send> Sync for Base<T> {}
    impl<T> Base<T> {
        fn get(&self) -> *mut T {
            self.0
        }
    }
    if chunk == 0 {
        return Err(Error::internal("for_each_chunk", "expected a chunk of at least one element, got 0"));
    }
    let (base, len) = (Base(data.as_mut_ptr()), data.len());
    parallel_for(len.div_ceil(chunk), &|task| {
        let start = task * chunk;
        // SAFETY: chunks are disjoint, inside `data`, and every task number is drawn once.
        let part = unsafe { std::slice::from_raw_parts_mut(base.get().add(start), chunk.min(len - start)) };
        body(task, part);
    })
}

/// Runs `body` with every region inside it on this thread.
#[cfg(test)]
pub(super) fn serially<R>(body: impl FnOnce() -> R) -> R {
    let outer = INSIDE.replace(true);
    let result = body();
    INSIDE.set(outer);
    result
}

/// Threads a region may use, the caller included.
pub fn num_threads() -> usize {
    match THREADS.load(Relaxed) {
        0 => {
            let threads = wanted_threads().ok().flatten().unwrap_or_else(default_threads);
            THREADS.store(threads, Relaxed);
            threads
        }
        threads => threads,
    }
}

pub fn set_num_threads(threads: usize) -> Result<()> {
    if threads == 0 || threads > MAX_THREADS {
        return Err(Error::value(
            "set_num_threads",
            format!("expected a number from 1 to {MAX_THREADS}, got {threads}"),
        ));
    }
    THREADS.store(threads, Relaxed);
    Ok(())
}

/// Registers the question a caller asks between tasks; an answer of true ends the call with `Error::Interrupted`.
pub fn set_interrupt_check(check: fn() -> bool) {
    let _ = INTERRUPT.set(check);
}

/// For long loops outside a region: asks the registered question if the last time is long enough ago.
pub fn check_interrupt() -> Result<()> {
    if interrupted() { Err(Error::Interrupted) } else { Ok(()) }
}

pub(super) fn check_environment() -> Result<()> {
    wanted_threads().map(drop)
}

static THREADS: AtomicUsize = AtomicUsize::new(0);
static INTERRUPT: OnceLock<fn() -> bool> = OnceLock::new();

thread_local! {
    /// True while this thread runs tasks: a region inside a region runs serially.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// The cores this process may use: affinity mask and control group quota are honoured.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get()).min(MAX_THREADS)
}

/// What `FERROGRAD_NUM_THREADS` says.
fn wanted_threads() -> Result<Option<usize>> {
    static WANTED: OnceLock<Result<Option<usize>>> = OnceLock::new();
    WANTED.get_or_init(|| std::env::var("FERROGRAD_NUM_THREADS").map_or(Ok(None), |text| parse_threads(&text))).clone()
}

fn parse_threads(text: &str) -> Result<Option<usize>> {
    match text.trim().parse() {
        Ok(threads @ 1..=MAX_THREADS) => Ok(Some(threads)),
        _ if text.trim().is_empty() => Ok(None),
        _ => Err(Error::value(
            "FERROGRAD_NUM_THREADS",
            format!("not a number of threads, expected 1 to {MAX_THREADS}, got {text:?}"),
        )),
    }
}

/// Asks the registered question at most once a period, whoever asks.
fn interrupted() -> bool {
    static START: OnceLock<Instant> = OnceLock::new();
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let Some(check) = INTERRUPT.get() else { return false };
    let now = START.get_or_init(Instant::now).elapsed().as_millis() as u64;
    let asked = ASKED.load(Relaxed);
    now.saturating_sub(asked) >= INTERRUPT_PERIOD.as_millis() as u64
        && ASKED.compare_exchange(asked, now, Relaxed, Relaxed).is_ok()
        && check()
}

/// What the threads of one region share.
struct Shared {
    tasks: usize,
    next: AtomicUsize,
    interrupted: AtomicBool,
    panic: Mutex<Option<String>>,
}

impl Shared {
    fn new(tasks: usize) -> Shared {
        Shared { tasks, next: AtomicUsize::new(0), interrupted: AtomicBool::new(false), panic: Mutex::new(None) }
    }

    /// Draws tasks until none is left; only the caller of the region asks about interrupts.
    fn work(&self, body: &(dyn Fn(usize) + Sync), caller: bool) {
        let outer = INSIDE.replace(true);
        let mode = denormal::Mode::enter();
        let run = || {
            loop {
                let task = self.next.fetch_add(1, Relaxed);
                if task >= self.tasks {
                    break;
                }
                body(task);
                if caller && task + 1 < self.tasks && interrupted() {
                    self.interrupted.store(true, Relaxed);
                    self.cancel();
                }
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| message(&*panic));
            self.cancel();
        }
        drop(mode);
        INSIDE.set(outer);
    }

    fn cancel(&self) {
        self.next.store(self.tasks, Relaxed);
    }

    fn outcome(self) -> Result<()> {
        match self.panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(panic) => Err(Error::internal("parallel_for", format!("a task panicked: {panic}"))),
            None if self.interrupted.into_inner() => Err(Error::Interrupted),
            None => Ok(()),
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

/// The region that is open: borrowed from the caller's stack, valid while the gate is open or somebody is inside.
#[derive(Clone, Copy)]
struct Region {
    shared: *const Shared,
    body: *const (dyn Fn(usize) + Sync),
    /// The caller's processor.
    processor: i32,
}

struct Worker {
    thread: Thread,
    seat: &'static Seat,
}

/// What a worker tells its callers.
struct Seat {
    parked: AtomicBool,
    place: Place,
}

/// Set in `Pool::gate` while a region may be entered; the other bits count who is inside.
const OPEN: usize = 1 << (usize::BITS - 1);

struct Pool {
    /// Held by the caller whose region is open.
    workers: Mutex<Vec<Worker>>,
    epoch: AtomicU32,
    /// Workers with an index from here on stay out of the region.
    limit: AtomicUsize,
    gate: AtomicUsize,
    region: UnsafeCell<Option<Region>>,
    /// The caller waits here for the last worker, and says so in `waiting`.
    waiting: AtomicBool,
    waiter: Mutex<()>,
    left: Condvar,
}

// SAFETY: `region` is written by the holder of `workers` while the gate is closed and empty, and read only by
// threads inside the gate, whose counter orders the two.
unsafe impl Sync for Pool {}
// SAFETY: the pointers in `region` are used only as above.
unsafe impl Send for Pool {}

/// The pool of this process; null before the first region and in a forked child, whose workers do not exist.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

fn pool() -> &'static Pool {
    // SAFETY: a pool, once stored, is never freed.
    if let Some(pool) = unsafe { POOL.load(Acquire).as_ref() } {
        return pool;
    }
    static HOOKED: Once = Once::new();
    HOOKED.call_once(forget_in_child);
    let fresh = Box::into_raw(Box::new(Pool {
        workers: Mutex::new(Vec::new()),
        epoch: AtomicU32::new(0),
        limit: AtomicUsize::new(0),
        gate: AtomicUsize::new(0),
        region: UnsafeCell::new(None),
        waiting: AtomicBool::new(false),
        waiter: Mutex::new(()),
        left: Condvar::new(),
    }));
    match POOL.compare_exchange(std::ptr::null_mut(), fresh, SeqCst, SeqCst) {
        // SAFETY: just stored, never freed.
        Ok(_) => unsafe { &*fresh },
        Err(first) => {
            // SAFETY: `fresh` was not shared; `first` is the stored pool.
            unsafe {
                drop(Box::from_raw(fresh));
                &*first
            }
        }
    }
}

#[cfg(unix)]
fn forget_in_child() {
    extern "C" fn child() {
        POOL.store(std::ptr::null_mut(), SeqCst);
    }
    // SAFETY: the handler is a function without captured state and stays loaded.
    unsafe { libc::pthread_atfork(None, None, Some(child)) };
}

#[cfg(not(unix))]
fn forget_in_child() {}

impl Pool {
    fn region(
        &'static self,
        mut workers: MutexGuard<'_, Vec<Worker>>,
        threads: usize,
        tasks: usize,
        body: &(dyn Fn(usize) + Sync),
    ) -> Result<()> {
        self.hire(&mut workers, threads - 1);
        let shared = Shared::new(tasks);
        let processor = here();
        let region = Region { shared: &shared, body: erase(body), processor };
        // SAFETY: the gate is closed and nobody is inside, and `workers` keeps other callers out.
        unsafe { *self.region.get() = Some(region) };
        self.limit.store(threads - 1, Relaxed);
        self.gate.store(OPEN, SeqCst);
        self.epoch.fetch_add(1, SeqCst);
        let mut taken = Taken::by(processor);
        for Worker { thread, seat } in workers.iter().take(threads - 1) {
            if seat.parked.load(SeqCst) {
                seat.place.keep_from(&mut taken);
                thread.unpark();
            }
        }
        shared.work(body, true);
        self.gate.fetch_and(!OPEN, SeqCst);
        self.wait_until_empty(&shared);
        drop(workers);
        shared.outcome()
    }

    /// Starts workers until there are `count`; a machine that refuses threads works with fewer.
    fn hire(&'static self, workers: &mut Vec<Worker>, count: usize) {
        while workers.len() < count {
            let index = workers.len();
            let seat: &'static Seat = Box::leak(Box::new(Seat { parked: AtomicBool::new(false), place: Place::new() }));
            let epoch = self.epoch.load(SeqCst);
            let builder = std::thread::Builder::new().name(format!("ferrograd-{}", index + 1));
            let Ok(handle) = without_signals(|| builder.spawn(move || self.serve(index, epoch, seat))) else { break };
            workers.push(Worker { thread: handle.thread().clone(), seat });
        }
    }

    /// The life of a worker.
    fn serve(&self, index: usize, mut seen: u32, seat: &Seat) {
        loop {
            seen = self.wait_for_region(seen, seat);
            if index < self.limit.load(Relaxed) && self.enter() {
                // SAFETY: inside the gate the region is set and borrowed from a caller that waits for us to leave.
                if let Some(region) = unsafe { *self.region.get() } {
                    if here() == region.processor {
                        place::leave(region.processor);
                    }
                    // SAFETY: as above.
                    unsafe { (*region.shared).work(&*region.body, false) };
                }
                self.leave();
            }
        }
    }

    fn wait_for_region(&self, seen: u32, seat: &Seat) -> u32 {
        let changed = || Some(self.epoch.load(SeqCst)).filter(|&epoch| epoch != seen);
        loop {
            if let Some(epoch) = spin(IDLE_SPIN, changed) {
                return epoch;
            }
            // The caller reads `parked` after it raised the epoch, we the epoch after `parked`: one of us sees the other.
            seat.place.rest();
            seat.parked.store(true, SeqCst);
            while changed().is_none() {
                std::thread::park();
            }
            seat.parked.store(false, SeqCst);
            seat.place.arrive();
        }
    }

    fn enter(&self) -> bool {
        self.gate.fetch_update(SeqCst, SeqCst, |gate| (gate & OPEN != 0).then_some(gate + 1)).is_ok()
    }

    fn leave(&self) {
        let last = self.gate.fetch_sub(1, SeqCst) == 1;
        if last && self.waiting.load(SeqCst) {
            let _lock = self.waiter.lock().unwrap_or_else(PoisonError::into_inner);
            self.left.notify_all();
        }
    }

    /// Until the workers inside have finished their last task; interrupts then reach the tasks they have not begun.
    fn wait_until_empty(&self, shared: &Shared) {
        let empty = || (self.gate.load(SeqCst) == 0).then_some(());
        if spin(CALLER_SPIN, empty).is_some() {
            return;
        }
        self.waiting.store(true, SeqCst);
        let mut lock = self.waiter.lock().unwrap_or_else(PoisonError::into_inner);
        while empty().is_none() {
            lock = self.left.wait_timeout(lock, INTERRUPT_PERIOD).unwrap_or_else(PoisonError::into_inner).0;
            if interrupted() {
                shared.interrupted.store(true, Relaxed);
            }
        }
        self.waiting.store(false, SeqCst);
    }
}

/// Asks `ready` for a bounded time.
#[inline]
fn spin<R>(limit: Duration, ready: impl Fn() -> Option<R>) -> Option<R> {
    let mut start = None;
    loop {
        for _ in 0..32 {
            if let Some(result) = ready() {
                return Some(result);
            }
            std::hint::spin_loop();
        }
        if start.get_or_insert_with(Instant::now).elapsed() > limit {
            return None;
        }
    }
}

/// Forgets how long `body` is borrowed for: the region ends before the borrow does.
fn erase(body: &(dyn Fn(usize) + Sync)) -> *const (dyn Fn(usize) + Sync) {
    // SAFETY: only the lifetime changes, and `Pool::region` returns after the last use.
    unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), *const (dyn Fn(usize) + Sync)>(body) }
}

/// Starts a thread with signals blocked, so that Ctrl-C and its kin keep reaching the program's own threads; the
/// signals a thread raises by its own fault stay, for crash reports.
#[cfg(unix)]
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    // SAFETY: plain values on our own stack; the mask is put back as it was.
    unsafe {
        let (mut blocked, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut blocked);
        for own in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT, libc::SIGTRAP] {
            libc::sigdelset(&mut blocked, own);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, &mut before);
        let result = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        result
    }
}

#[cfg(not(unix))]
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    start()
}

#[cfg(test)]
mod tests;
