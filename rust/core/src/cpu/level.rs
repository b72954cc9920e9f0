//! Which vector instructions this machine has, and `leveled!`, which compiles a loop once for each of them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::{Error, Result};

/// Instruction sets the kernels are compiled for, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// What every machine of the architecture has (SSE2 on x86-64).
    Portable = 1,
    /// Arm's 128-bit vectors, part of every AArch64.
    Neon,
    /// 256 bits, with fused multiply-add and half-precision conversion.
    Avx2,
    /// 512 bits: F, BW, DQ, VL and CD.
    Avx512,
}

impl Level {
    /// The levels of this architecture, weakest first; the first is supported everywhere.
    pub const ALL: &[Level] = if cfg!(target_arch = "x86_64") {
        &[Level::Portable, Level::Avx2, Level::Avx512]
    } else if cfg!(target_arch = "aarch64") {
        &[Level::Neon]
    } else {
        &[Level::Portable]
    };

    /// The name `FERROGRAD_CPU_LEVEL` and `fg info` use.
    pub fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            Level::Neon => "neon",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    /// Whether the processor and the operating system support it.
    #[cfg(target_arch = "x86_64")]
    pub fn supported(self) -> bool {
        macro_rules! all {
            ($($feature:tt)*) => { true $(&& is_x86_feature_detected!($feature))* };
        }
        match self {
            Level::Portable => true,
            Level::Neon => false,
            Level::Avx2 => all!("avx2" "fma" "f16c" "bmi1" "bmi2" "lzcnt" "popcnt"),
            Level::Avx512 => Level::Avx2.supported() && all!("avx512f" "avx512bw" "avx512dq" "avx512vl" "avx512cd"),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn supported(self) -> bool {
        self == Level::ALL[0]
    }
}

/// The strongest level supported, or the one `FERROGRAD_CPU_LEVEL` caps it to.
#[inline]
pub fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = CHOSEN.get() {
        return level;
    }
    match CURRENT.load(Relaxed) {
        1 => Level::Portable,
        2 => Level::Neon,
        3 => Level::Avx2,
        4 => Level::Avx512,
        _ => detect(),
    }
}

/// Whether a level was asked for: what a machine has beside the levels is then left alone.
pub fn is_capped() -> bool {
    #[cfg(test)]
    if CHOSEN.get().is_some() {
        return true;
    }
    !matches!(cap(), Ok(None))
}

/// 0 until the first question.
static CURRENT: AtomicU8 = AtomicU8::new(0);

#[cold]
fn detect() -> Level {
    let best = strongest(*Level::ALL.last().unwrap_or(&Level::Portable));
    let level = cap().ok().flatten().map_or(best, strongest);
    CURRENT.store(level as u8, Relaxed);
    level
}

/// The strongest supported level up to `cap`.
fn strongest(cap: Level) -> Level {
    Level::ALL.iter().rev().copied().find(|&level| level <= cap && level.supported()).unwrap_or(Level::ALL[0])
}

/// What `FERROGRAD_CPU_LEVEL` says.
fn cap() -> Result<Option<Level>> {
    static CAP: OnceLock<Result<Option<Level>>> = OnceLock::new();
    CAP.get_or_init(|| std::env::var("FERROGRAD_CPU_LEVEL").map_or(Ok(None), |text| parse(&text))).clone()
}

fn parse(text: &str) -> Result<Option<Level>> {
    let wanted = text.trim().to_ascii_lowercase();
    match Level::ALL.iter().find(|level| level.name() == wanted) {
        Some(&level) => Ok(Some(level)),
        None if wanted.is_empty() => Ok(None),
        None => {
            let names: Vec<&str> = Level::ALL.iter().map(|level| level.name()).collect();
            let message = format!("unknown level, expected one of {}, got {text:?}", names.join(", "));
            Err(Error::value("FERROGRAD_CPU_LEVEL", message))
        }
    }
}

pub(super) fn check_environment() -> Result<()> {
    cap().map(drop)
}

#[cfg(test)]
thread_local! {
    static CHOSEN: std::cell::Cell<Option<Level>> = const { std::cell::Cell::new(None) };
}

/// Runs `body` at a chosen level, on this thread alone: tests beside it keep their own.
#[cfg(test)]
pub(crate) fn at_level<R>(level: Level, body: impl FnOnce() -> R) -> R {
    let before = CHOSEN.replace(Some(strongest(level)));
    let result = super::pool::serially(body);
    CHOSEN.set(before);
    result
}

/// Compiles plain loops once per level and calls the copy that fits the machine.
///
/// In each copy `math` is the vocabulary for that level: `crate::cpu::math::fma` or `crate::cpu::math::plain`.
/// Everything the loop calls must be `#[inline(always)]`, or it is compiled without the level's instructions.
///
/// ```ignore
/// leveled! {
///     /// y = exp(x), element by element.
///     pub fn exp_slice(x: &[f32], y: &mut [f32]) {
///         for (y, &x) in y.iter_mut().zip(x) { *y = math::f32::exp(x) }
///     }
/// }
/// ```
macro_rules! leveled {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$meta])*
        #[allow(unsafe_code, clippy::too_many_arguments, clippy::ptr_arg, clippy::needless_range_loop)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                #[allow(unused_imports)]
                use $crate::cpu::math::fma as math;
                $body
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                #[allow(unused_imports)]
                use $crate::cpu::math::fma as math;
                $body
            }

            fn baseline($($arg: $ty),*) $(-> $ret)? {
                #[cfg(target_arch = "aarch64")]
                #[allow(unused_imports)]
                use $crate::cpu::math::fma as math;
                #[cfg(not(target_arch = "aarch64"))]
                #[allow(unused_imports)]
                use $crate::cpu::math::plain as math;
                $body
            }

            match $crate::cpu::level::level() {
                // SAFETY: `level` answers only what the processor supports.
                #[cfg(target_arch = "x86_64")]
                $crate::cpu::level::Level::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::cpu::level::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => baseline($($arg),*),
            }
        }
    )*};
}
pub(crate) use leveled;

/// A generic loop that `run` compiles once per level; what `leveled!` is for functions of fixed types.
pub trait Kernel {
    type Output;

    /// Must be `#[inline(always)]`, like everything it calls.
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the instructions of the machine's level.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
    fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
    fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }

    match level() {
        // SAFETY: `level` answers only what the processor supports.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(kernel) },
        _ => kernel.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    leveled! {
        /// Sums of products, to see that each copy is called and right.
        fn dot(x: &[f32], y: &[f32]) -> f32 {
            use math::f32::*;
            x.iter().zip(y).fold(0.0, |sum, (&x, &y)| sum + maximum(x, x) * y)
        }
    }

    #[test]
    fn every_level_runs() {
        let x: Vec<f32> = (0..100).map(|i| i as f32).collect();
        for &level in Level::ALL {
            assert_eq!(at_level(level, || dot(&x, &x)), 328_350.0, "{}", level.name());
        }
    }

    #[test]
    fn levels_are_ordered_and_supported() {
        assert!(level().supported());
        assert!(Level::ALL.is_sorted());
        assert!(Level::ALL[0].supported());
    }
    #[test]
    fn names_are_read_back() {
        for &level in Level::ALL {
            assert_eq!(parse(&format!(" {} ", level.name().to_uppercase())), Ok(Some(level)));
        }
        assert_eq!(parse(""), Ok(None));
        assert!(parse("sse9").is_err());
    }
}
