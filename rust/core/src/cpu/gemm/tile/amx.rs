//! Intel's AMX through inline assembly: stable Rust, any assembler that knows the instructions, Linux's permission.

use super::unit::{ROW, ROWS, TILE, Unit};
use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, _xgetbv};
use std::marker::PhantomData;
use std::sync::OnceLock;

/// Proof that the thread's registers are ready; it stays on its thread.
pub struct Amx(PhantomData<*mut ()>);

/// What LDTILECFG reads: palette 1, rows and bytes of each register.
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIG: Config = {
    let (mut row_bytes, mut rows) = ([0; 16], [0; 16]);
    let mut tile = 0;
    while tile < 8 {
        row_bytes[tile] = ROW as u16;
        rows[tile] = ROWS as u8;
        tile += 1;
    }
    Config { palette: 1, start_row: 0, reserved: [0; 14], row_bytes, rows }
};

// SAFETY of every block here: the trait's promise about the machine and the pointers. Compilers allocate no tile
// registers, so that what they hold lasts from one block to the next.
impl Unit for Amx {
    #[inline(always)]
    unsafe fn configure() -> Amx {
        // SAFETY: as above.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, preserves_flags)) };
        Amx(PhantomData)
    }
    #[inline(always)]
    unsafe fn zero<const C: usize>(&mut self) {
        // SAFETY: as above.
        unsafe { asm!("tilezero tmm{}", const C, options(nomem, nostack, preserves_flags)) };
    }
    #[inline(always)]
    unsafe fn load<const T: usize>(&mut self, from: *const u8, step: usize) {
        // SAFETY: as above.
        unsafe {
            asm!("tileloadd tmm{}, [{from} + {step}*1]", const T, from = in(reg) from, step = in(reg) step,
                options(nostack, preserves_flags));
        }
    }
    #[inline(always)]
    unsafe fn store<const T: usize>(&mut self, to: *mut u8, step: usize) {
        // SAFETY: as above.
        unsafe {
            asm!("tilestored [{to} + {step}*1], tmm{}", const T, to = in(reg) to, step = in(reg) step,
                options(nostack, preserves_flags));
        }
    }
    #[inline(always)]
    unsafe fn dot_bf16<const C: usize, const A: usize, const B: usize>(&mut self) {
        // SAFETY: as above.
        unsafe {
            asm!("tdpbf16ps tmm{}, tmm{}, tmm{}", const C, const A, const B, options(nomem, nostack, preserves_flags));
        }
    }
    #[inline(always)]
    unsafe fn dot_i8<const C: usize, const A: usize, const B: usize>(&mut self) {
        // SAFETY: as above.
        unsafe {
            asm!("tdpbssd tmm{}, tmm{}, tmm{}", const C, const A, const B, options(nomem, nostack, preserves_flags));
        }
    }
}

impl Drop for Amx {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: only `configure` makes one of these, on a machine that has the unit.
        unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
    }
}

/// Whether somebody wants the unit, the processor has it, the system lets this process use it, and it computes what it
/// should. Nobody has measured it yet, so that it is not wanted unless `FERROGRAD_AMX=1` says so.
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    let wanted = || std::env::var("FERROGRAD_AMX").is_ok_and(|text| text.trim() == "1");
    // SAFETY: the trial runs only where processor and system have agreed.
    *AVAILABLE
        .get_or_init(|| wanted() && in_processor() && saved_by_system() && permitted() && unsafe { trial::<Amx>() })
}

/// AMX-TILE, AMX-BF16 and AMX-INT8.
fn in_processor() -> bool {
    const WANTED: u32 = 1 << 24 | 1 << 22 | 1 << 25;
    __cpuid_count(0, 0).eax >= 7 && __cpuid_count(7, 0).edx & WANTED == WANTED
}

/// Whether the system saves the registers when it switches threads.
fn saved_by_system() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILES: u64 = 0b11 << 17;

    #[target_feature(enable = "xsave")]
    fn enabled() -> u64 {
        // SAFETY: register 0 is there wherever the instruction is.
        unsafe { _xgetbv(0) }
    }
    // SAFETY: the first condition says that the instruction is there.
    __cpuid_count(1, 0).ecx & OSXSAVE != 0 && unsafe { enabled() } & TILES == TILES
}

/// Linux gives the registers to processes that ask; it refuses where signal stacks are too small for them.
fn permitted() -> bool {
    const REQUEST_PERMISSION: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: the call takes two numbers and touches no memory.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 }
}

/// One product of each kind, of numbers whose sums are exact in any order.
///
/// # Safety
/// As `Unit::configure`.
pub unsafe fn trial<U: Unit>() -> bool {
    let (mut halves, mut bytes) = ([0u8; TILE], [0u8; TILE]);
    for (i, at) in halves.chunks_exact_mut(2).enumerate() {
        at.copy_from_slice(&half::bf16::from_f32((i * 37 % 29) as f32 - 14.0).to_le_bytes());
    }
    bytes.iter_mut().enumerate().for_each(|(i, at)| *at = (i * 37 % 256) as u8);
    let (mut floats, mut integers) = ([0f32; TILE / 4], [0i32; TILE / 4]);
    // SAFETY: all arrays are as large as a tile.
    unsafe {
        let mut unit = U::configure();
        unit.zero::<0>();
        unit.load::<1>(halves.as_ptr(), ROW);
        unit.load::<2>(halves.as_ptr(), ROW);
        unit.dot_bf16::<0, 1, 2>();
        unit.store::<0>(floats.as_mut_ptr().cast(), ROW);
        unit.zero::<7>();
        unit.load::<5>(bytes.as_ptr(), ROW);
        unit.load::<6>(bytes.as_ptr(), ROW);
        unit.dot_i8::<7, 5, 6>();
        unit.store::<7>(integers.as_mut_ptr().cast(), ROW);
    }
    (0..TILE / 4).all(|at| {
        let (row, column) = (at / ROWS, at % ROWS);
        let float = |i: usize| (i * 37 % 29) as f32 - 14.0;
        let byte = |i: usize| i32::from((i * 37 % 256) as u8 as i8);
        let sum = (0..32).map(|k| float(row * 32 + k) * float(k / 2 * 32 + 2 * column + k % 2)).sum::<f32>();
        let total = (0..64).map(|k| byte(row * 64 + k) * byte(k / 4 * 64 + 4 * column + k % 4)).sum::<i32>();
        floats[at] == sum && integers[at] == total
    })
}
