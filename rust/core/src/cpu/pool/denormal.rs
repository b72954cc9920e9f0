//! Numbers too small for a normal exponent, taken for zeros inside regions where the user has asked for it: processors
//! compute with them many times slower.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static FLUSH: AtomicBool = AtomicBool::new(false);

/// From the next region on; false where the processor has no such mode.
pub fn set_flush_denormal(on: bool) -> bool {
    let known = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    FLUSH.store(on && known, Relaxed);
    known
}

/// The thread's mode as it was, put back when this is dropped.
pub struct Mode(Option<Word>);

impl Mode {
    #[inline]
    pub fn enter() -> Mode {
        if !FLUSH.load(Relaxed) {
            return Mode(None);
        }
        let before = read();
        write(before | ZEROS);
        Mode(Some(before))
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            write(before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
type Word = u32;
#[cfg(not(target_arch = "x86_64"))]
type Word = u64;

/// Denormal operands and results are zeros.
#[cfg(target_arch = "x86_64")]
const ZEROS: Word = 1 << 6 | 1 << 15;
#[cfg(not(target_arch = "x86_64"))]
const ZEROS: Word = 1 << 24;

#[cfg(target_arch = "x86_64")]
fn read() -> Word {
    let mut word = 0;
    // SAFETY: stores this thread's control word in ours.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    word
}

#[cfg(target_arch = "x86_64")]
fn write(word: Word) {
    // SAFETY: a word that was read, perhaps with the two modes added: no exception is unmasked, rounding stays.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
fn read() -> Word {
    let word;
    // SAFETY: reads this thread's control word.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nostack, preserves_flags)) };
    word
}

#[cfg(target_arch = "aarch64")]
fn write(word: Word) {
    // SAFETY: a word that was read, perhaps with the mode added: rounding and exceptions stay.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) word, options(nostack, preserves_flags)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn read() -> Word {
    0
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn write(_: Word) {}
