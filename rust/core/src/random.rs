//! Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
//!
//! Element `i` of a draw depends on the seed, the stream and `i` alone, so that any number of threads, any process and
//! any device draw the same. Every draw takes a stream of its own from a `Generator`; a stream's words are a function.

use crate::cpu::level::leveled;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Blocks computed side by side, one a vector lane.
pub const LANES: usize = 16;
/// Words of one tile: lane `l` of row `r` (word `16 r + l`) is output `r` of block `l`. No shuffles are needed to write it.
pub const TILE: usize = 4 * LANES;

/// The bijection: a 128-bit counter under a 64-bit key.
#[inline(always)]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        let (a, b) = (0xD251_1F53 * counter[0] as u64, 0xCD9E_8D57 * counter[2] as u64);
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
    }
    counter
}

/// One endless sequence of random words, named by two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    pub seed: u64,
    pub stream: u64,
}

impl Stream {
    /// Words `64 tile .. 64 (tile + 1)`.
    #[inline(always)]
    pub fn tile(self, tile: u64) -> [u32; TILE] {
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        let first = tile.wrapping_mul(LANES as u64);
        let mut words = [0; TILE];
        for lane in 0..LANES {
            let counter = [
                (first as u32).wrapping_add(lane as u32), // a tile begins at a multiple of 16: no carry
                (first >> 32) as u32,
                self.stream as u32,
                (self.stream >> 32) as u32,
            ];
            let output = philox4x32(counter, key);
            for (row, word) in output.into_iter().enumerate() {
                words[row * LANES + lane] = word;
            }
        }
        words
    }

    /// Fills `out` with the words from the beginning of a tile on.
    pub fn words(self, first_tile: u64, out: &mut [u32]) {
        fill(self, first_tile, out);
    }

    /// 64-bit words from the beginning of a tile on, 32 a tile: two rows make one.
    pub fn wide_words(self, first_tile: u64, out: &mut [u64]) {
        fill_wide(self, first_tile, out);
    }
}

/// The 64-bit words of a tile: rows 0 and 1, then rows 2 and 3, high half first.
#[inline(always)]
pub fn widen(words: &[u32; TILE]) -> [u64; TILE / 2] {
    std::array::from_fn(|i| {
        let at = i / LANES * 2 * LANES + i % LANES;
        (words[at] as u64) << 32 | words[at + LANES] as u64
    })
}

leveled! {
    fn fill(stream: Stream, first_tile: u64, out: &mut [u32]) {
        for (tile, part) in (first_tile..).zip(out.chunks_mut(TILE)) {
            let words = stream.tile(tile);
            part.copy_from_slice(&words[..part.len()]);
        }
    }

    fn fill_wide(stream: Stream, first_tile: u64, out: &mut [u64]) {
        for (tile, part) in (first_tile..).zip(out.chunks_mut(TILE / 2)) {
            let words = widen(&stream.tile(tile));
            part.copy_from_slice(&words[..part.len()]);
        }
    }
}

/// Hands out streams. Its state is two numbers, so a run resumes exactly where it stopped.
#[derive(Debug)]
pub struct Generator {
    next: Mutex<Stream>,
}

impl Generator {
    pub fn new(seed: u64) -> Generator {
        Generator { next: Mutex::new(Stream { seed, stream: 0 }) }
    }

    /// A stream nobody else gets from this generator.
    pub fn stream(&self) -> Stream {
        let mut next = self.lock();
        let stream = *next;
        next.stream = next.stream.wrapping_add(1);
        stream
    }

    /// Begins again with this seed.
    pub fn seed(&self, seed: u64) {
        self.set_state(Stream { seed, stream: 0 });
    }

    pub fn state(&self) -> Stream {
        *self.lock()
    }

    pub fn set_state(&self, state: Stream) {
        *self.lock() = state;
    }

    fn lock(&self) -> MutexGuard<'_, Stream> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The generator used where none is named; seeded by the operating system until somebody seeds it.
pub fn default_generator() -> &'static Generator {
    static DEFAULT: OnceLock<Generator> = OnceLock::new();
    DEFAULT.get_or_init(|| Generator::new(std::collections::hash_map::RandomState::new().build_hasher().finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::level::{Level, at_level};

    #[test]
    fn philox_gives_the_known_answers_of_random123() {
        let ones = u32::MAX;
        let pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
        let answers = [
            ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
            ([ones; 4], [ones; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
            (pi, [0xa4093822, 0x299f31d0], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]),
        ];
        for (counter, key, want) in answers {
            assert_eq!(philox4x32(counter, key), want);
        }
    }

    #[test]
    fn words_are_a_function_of_their_place_at_every_level() {
        let stream = Stream { seed: 0x0123_4567_89ab_cdef, stream: 1 << 40 | 7 };
        let key = [0x89ab_cdef, 0x0123_4567];
        for &level in Level::ALL {
            let mut words = [0; 200];
            at_level(level, || stream.words(3, &mut words));
            for (i, &word) in words.iter().enumerate() {
                let (tile, row, lane) = (3 + i / TILE, i % TILE / LANES, i % LANES);
                let block = (tile * LANES + lane) as u32;
                assert_eq!(word, philox4x32([block, 0, 7, 1 << 8], key)[row], "{}, word {i}", level.name());
            }
            let mut wide = [0; 40];
            at_level(level, || stream.wide_words(3, &mut wide));
            assert_eq!(wide[17], (words[33] as u64) << 32 | words[49] as u64);
        }
    }

    #[test]
    fn a_generator_never_repeats_a_stream_and_resumes() {
        let generator = Generator::new(5);
        let (a, b) = (generator.stream(), generator.stream());
        assert_ne!(a, b);
        let state = generator.state();
        let next = generator.stream();
        generator.set_state(state);
        assert_eq!(generator.stream(), next);
        generator.seed(5);
        assert_eq!(generator.stream(), a);
    }
}
