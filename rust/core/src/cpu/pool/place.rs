//! Keeps the threads of a region on processors of their own.
//!
//! A system may wake a thread on the processor of whoever wakes it, above all in a virtual machine, whose idle processors
//! look busy to it, and leave both there for milliseconds while another processor has nothing to do.

use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Processors that threads of a region run on.
pub struct Taken(Set);

/// Where a worker ran last, and the processors it may run on while a caller has narrowed them.
pub struct Place {
    thread: AtomicI32,
    processor: AtomicI32,
    allowed: Mutex<Option<Set>>,
}

const UNKNOWN: i32 = -1;

/// The processor of the calling thread; negative where the system cannot say.
pub fn here() -> i32 {
    system::processor()
}

/// Leaves a processor that another thread is at work on, for any other one that is allowed.
pub fn leave(processor: i32) {
    let me = system::thread();
    let Some(all) = system::allowed(me) else { return };
    let free = all.without(&Taken::by(processor).0);
    if free != all && !free.is_empty() && system::allow(me, &free) {
        system::allow(me, &all);
    }
}

impl Place {
    pub const fn new() -> Place {
        Place { thread: AtomicI32::new(UNKNOWN), processor: AtomicI32::new(UNKNOWN), allowed: Mutex::new(None) }
    }

    /// The worker is about to sleep.
    pub fn rest(&self) {
        self.thread.store(system::thread(), Relaxed);
        self.processor.store(here(), Relaxed);
    }

    /// A caller is about to wake the worker: where it was, or else where nobody is at work.
    pub fn keep_from(&self, taken: &mut Taken) {
        let (thread, processor) = (self.thread.load(Relaxed), self.processor.load(Relaxed));
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(all) = allowed.or_else(|| system::allowed(thread)) else { return };
        let free = all.without(&taken.0);
        if !free.is_empty() && system::allow(thread, &free) {
            *allowed = Some(all);
        }
        taken.0.add(if free.has(processor) { processor } else { free.first() });
    }

    /// The worker is awake: from here on it may run wherever it might before.
    pub fn arrive(&self) {
        if let Some(all) = self.allowed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            system::allow(system::thread(), &all);
        }
    }
}

impl Taken {
    pub fn by(processor: i32) -> Taken {
        let mut set = Set::default();
        set.add(processor);
        Taken(set)
    }
}

/// Processors by number; those past the end are never told apart.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Set([u64; 16]);

impl Set {
    /// False if it was there already.
    fn add(&mut self, processor: i32) -> bool {
        let Ok(at) = usize::try_from(processor) else { return true };
        let Some(word) = self.0.get_mut(at / 64) else { return true };
        let fresh = *word & 1 << (at % 64) == 0;
        *word |= 1 << (at % 64);
        fresh
    }

    fn has(&self, processor: i32) -> bool {
        let mut with = *self;
        !with.add(processor)
    }

    /// The lowest number; unknown if it is empty.
    fn first(&self) -> i32 {
        let word = self.0.iter().position(|&word| word != 0);
        word.map_or(UNKNOWN, |i| (i * 64) as i32 + self.0[i].trailing_zeros() as i32)
    }

    fn without(&self, other: &Set) -> Set {
        Set(std::array::from_fn(|i| self.0[i] & !other.0[i]))
    }

    fn is_empty(&self) -> bool {
        self.0 == [0; 16]
    }
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Set, UNKNOWN};

    pub fn thread() -> i32 {
        // SAFETY: asks for a number.
        unsafe { libc::gettid() }
    }

    pub fn processor() -> i32 {
        // SAFETY: asks for a number; it is negative where the system cannot say.
        unsafe { libc::sched_getcpu() }.max(UNKNOWN)
    }

    /// The processors a thread may run on; None on machines with more than a set can hold.
    pub fn allowed(thread: i32) -> Option<Set> {
        let mut set = Set::default();
        // SAFETY: the mask is ours and of the size given.
        let result = unsafe { libc::sched_getaffinity(thread, size_of::<Set>(), (&raw mut set).cast()) };
        (result == 0).then_some(set)
    }

    /// Whether the system agreed.
    pub fn allow(thread: i32, set: &Set) -> bool {
        // SAFETY: the mask is ours and of the size given.
        unsafe { libc::sched_setaffinity(thread, size_of::<Set>(), (&raw const *set).cast()) == 0 }
    }
}

/// Other systems are trusted to choose well.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Set, UNKNOWN};

    pub fn thread() -> i32 {
        UNKNOWN
    }
    pub fn processor() -> i32 {
        UNKNOWN
    }
    pub fn allowed(_: i32) -> Option<Set> {
        None
    }
    pub fn allow(_: i32, _: &Set) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn only(processor: i32) -> Set {
        Taken::by(processor).0
    }

    /// Runs `body` where the thread runs now, and nowhere else; says whether there is another processor.
    fn held(body: impl FnOnce(i32)) -> bool {
        let (me, here) = (system::thread(), here());
        let all = system::allowed(me).unwrap();
        assert!(system::allow(me, &only(here)));
        body(self::here());
        assert!(system::allow(me, &all));
        !all.without(&only(here)).is_empty()
    }

    /// Wherever a thread sleeps, it wakes beside its caller, and may then run wherever it might before.
    #[test]
    fn a_sleeper_does_not_wake_on_its_callers_processor() {
        let all = system::allowed(system::thread()).unwrap();
        let (wake, woken) = mpsc::channel::<()>();
        let (say, said) = mpsc::channel::<i32>();
        let place = &*Box::leak(Box::new(Place::new()));
        let sleeper = std::thread::spawn(move || {
            place.rest();
            say.send(0).unwrap();
            for () in woken {
                say.send(here()).unwrap();
                place.arrive();
                say.send((system::allowed(system::thread()) == Some(all)) as i32).unwrap();
                place.rest();
            }
        });
        said.recv().unwrap();
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(1));
            let mut woke_at = UNKNOWN;
            let others = held(|here| {
                place.keep_from(&mut Taken::by(here));
                wake.send(()).unwrap();
                woke_at = said.recv().unwrap();
                assert!(woke_at != here || all == only(here), "woke on its caller's processor {here}");
            });
            assert_eq!(said.recv().unwrap(), 1, "may not run on all processors again");
            assert!(!others || woke_at >= 0);
        }
        drop(wake);
        sleeper.join().unwrap();
    }

    #[test]
    fn a_thread_leaves_a_processor_and_may_come_back() {
        let all = system::allowed(system::thread()).unwrap();
        for _ in 0..20 {
            let processor = here();
            leave(processor);
            assert!(here() != processor || all == only(processor));
            assert_eq!(system::allowed(system::thread()), Some(all));
        }
        leave(UNKNOWN);
        leave(5000);
        assert_eq!(system::allowed(system::thread()), Some(all));
    }

    #[test]
    fn sets_tell_processors_apart() {
        let mut set = Set::default();
        assert!(set.add(3) && set.add(64) && !set.add(3));
        assert!(set.add(UNKNOWN) && set.add(5000), "what has no place is never taken");
        let mut other = Set::default();
        other.add(64);
        assert!(set.without(&other).0[0] == 8 && set.without(&set).is_empty());
    }
}
