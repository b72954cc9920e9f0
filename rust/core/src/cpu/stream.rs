//! Large outputs written past the caches: their lines are not read first and push nothing out that is still needed.
//! And rows read ahead of their use.

use crate::dtype::Element;

/// Bytes from which on a reader does not find an output in its caches anyway: several times a core's second level.
const LARGE: usize = 8 << 20;
/// Elements computed in the first-level cache before they are written: few, so that reads and writes overlap.
const BLOCK: usize = 512;
/// One cache line, the unit of such writes.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Whether an output of so many bytes should be written past the caches, on machines that can.
pub fn is_worthwhile(bytes: usize) -> bool {
    cfg!(target_arch = "x86_64") && bytes >= LARGE
}

/// Fills `out` block by block: `fill` gets the place of a block and memory to write it to, which is then moved.
pub fn through<T: Element>(out: &mut [T], mut fill: impl FnMut(usize, &mut [T])) {
    let mut scratch = Lines([T::default(); BLOCK]);
    let _fence = Fence;
    let mut start = 0;
    for part in out.chunks_mut(BLOCK) {
        let block = &mut scratch.0[..part.len()];
        fill(start, block);
        write(block, part);
        start += part.len();
    }
}

/// Begins to read what will be needed soon: no processor foresees rows that lie far apart.
pub fn fetch<T: Element>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for at in (0..size_of_val(row)).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has the instruction, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().cast::<i8>().wrapping_add(at)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Begins at a line, so that no vector of it crosses one.
#[repr(align(64))]
struct Lines<T>([T; BLOCK]);

/// Dropped, it makes the writes of this thread visible in order.
struct Fence;

impl Drop for Fence {
    fn drop(&mut self) {
        // SAFETY: every x86-64 has the instruction, and it touches no memory of ours.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            std::arch::x86_64::_mm_sfence()
        };
    }
}

#[cfg(target_arch = "x86_64")]
fn write<T: Element>(from: &[T], to: &mut [T]) {
    use crate::cpu::level::{Level, level};
    let lines = size_of_val(from) / LINE;
    if lines * LINE != size_of_val(from) || to.as_ptr() as usize % LINE != 0 || from.len() != to.len() {
        return to.copy_from_slice(from);
    }
    let (from, to) = (from.as_ptr().cast::<u8>(), to.as_mut_ptr().cast::<u8>());
    match level() {
        // SAFETY: whole aligned lines inside both slices, and the level is supported.
        Level::Avx512 => unsafe { write_512(from, to, lines) },
        // SAFETY: as above; every x86-64 has these instructions.
        _ => unsafe { write_128(from, to, lines) },
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn write<T: Element>(from: &[T], to: &mut [T]) {
    to.copy_from_slice(from);
}

/// # Safety
/// `lines` lines must be readable at `from` and writable at `to`, which is aligned to a line; the caller fences.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn write_512(from: *const u8, to: *mut u8, lines: usize) {
    use std::arch::x86_64::*;
    for i in 0..lines {
        // SAFETY: the caller's promise.
        unsafe { _mm512_stream_si512(to.add(i * LINE).cast(), _mm512_loadu_si512(from.add(i * LINE).cast())) }
    }
}

/// # Safety
/// As for `write_512`.
#[cfg(target_arch = "x86_64")]
unsafe fn write_128(from: *const u8, to: *mut u8, lines: usize) {
    use std::arch::x86_64::*;
    for i in 0..lines * LINE / 16 {
        // SAFETY: the caller's promise.
        unsafe { _mm_stream_si128(to.add(i * 16).cast(), _mm_loadu_si128(from.add(i * 16).cast())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::arena::Block;
    use crate::cpu::level::at_level;

    #[test]
    fn every_element_arrives_at_every_level_length_and_alignment() {
        for &level in crate::cpu::level::Level::ALL {
            for (skip, len) in [(0, 0), (0, 1), (0, 256), (0, 1000), (16, 4096), (3, 5000)] {
                let mut memory = Block::zeroed((skip + len) * 4).unwrap();
                let out = &mut crate::cpu::gemm::typed_mut::<f32>(&mut memory)[skip..skip + len];
                at_level(level, || {
                    through(out, |start, part| {
                        part.iter_mut().enumerate().for_each(|(i, x)| *x = (start + i) as f32);
                    })
                });
                assert!(out.iter().enumerate().all(|(i, &x)| x == i as f32), "{} {skip} {len}", level.name());
            }
        }
    }
}
