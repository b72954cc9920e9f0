//! Kernels of the draws: words of whole tiles, turned into numbers row by row.

use super::Law;
use crate::cpu::level::leveled;
use crate::cpu::pool::for_each_chunk;
use crate::cpu::scratch::Scratch;
use crate::dtype::{DType, bf16, f16};
use crate::error::{Error, Result};
use crate::random::{LANES, Stream, TILE, widen};
use crate::scalar::{Scalar, ScalarElement};

/// Elements per task: whole tiles of both word widths.
const GRAIN: usize = 16 * 1024;
/// Elements per step where results pass through a buffer.
const STEP: usize = 512;

/// A type drawn directly: f32 from one word each, f64 from two.
trait Direct: ScalarElement {
    const PER_TILE: usize;
    fn fill(stream: Stream, tile: u64, law: Law, out: &mut [Self]);
}

/// Uniform numbers: `[0, 1)` in steps the type holds exactly.
#[inline(always)]
fn unit_f32(words: &[u32; TILE]) -> [f32; TILE] {
    words.map(|w| (w >> 8) as f32 * (1.0 / (1 << 24) as f32))
}

#[inline(always)]
fn unit_f64(words: &[u32; TILE]) -> [f64; TILE / 2] {
    widen(words).map(|w| (w >> 11) as f64 * (1.0 / (1u64 << 53) as f64))
}

/// The logarithm's argument: `(0, 1]`, fine near zero so that the tails are there.
#[inline(always)]
fn open_f32(words: &[u32; TILE]) -> [f32; TILE] {
    words.map(|w| (w as f32 + 0.5) * (1.0 / (1u64 << 32) as f32))
}

#[inline(always)]
fn open_f64(words: &[u32; TILE]) -> [f64; TILE / 2] {
    widen(words).map(|w| ((w >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64))
}

macro_rules! direct {
    ($t:ident, $per_tile:expr, $unit:ident, $open:ident) => {
        impl Direct for $t {
            const PER_TILE: usize = $per_tile;

            leveled! {
                fn fill(stream: Stream, tile: u64, law: Law, out: &mut [$t]) {
                    use math::$t::*;
                    for (tile, part) in (tile..).zip(out.chunks_mut($per_tile)) {
                        let words = stream.tile(tile);
                        let mut x = $unit(&words);
                        match law {
                            Law::Uniform { low, span, limit } => {
                                let (low, span, limit) = (low as $t, span as $t, limit as $t);
                                x.iter_mut().for_each(|x| *x = minimum(low + span * *x, limit));
                            }
                            Law::Normal { mean, std } => {
                                let (mean, std) = (mean as $t, std as $t);
                                let open = $open(&words);
                                for (x, open) in x.chunks_exact_mut(2 * LANES).zip(open.chunks_exact(2 * LANES)) {
                                    let (first, second) = x.split_at_mut(LANES);
                                    for lane in 0..LANES {
                                        let radius = std * sqrt(-2.0 * log(open[lane]));
                                        let angle = std::$t::consts::TAU * second[lane];
                                        first[lane] = mean + radius * cos(angle);
                                        second[lane] = mean + radius * sin(angle);
                                    }
                                }
                            }
                            Law::Exponential { rate } => {
                                let open = $open(&words);
                                x.iter_mut().zip(open).for_each(|(x, u)| *x = -log(u) / rate as $t);
                            }
                            Law::Truncated(law) => x.iter_mut().for_each(|x| *x = law.at(*x as f64) as $t),
                            Law::Integers { .. } => {}
                        }
                        part.copy_from_slice(&x[..part.len()]);
                    }
                }
            }
        }
    };
}
direct!(f32, TILE, unit_f32, open_f32);
direct!(f64, TILE / 2, unit_f64, open_f64);

/// A floating-point type that is drawn: wide ones directly, halves through f32.
pub trait Drawn: ScalarElement {
    fn draw(stream: Stream, first: usize, law: Law, out: &mut [Self]);
}

macro_rules! drawn {
    (direct $($t:ident),*) => { $(impl Drawn for $t {
        fn draw(stream: Stream, first: usize, law: Law, out: &mut [$t]) {
            $t::fill(stream, (first / <$t as Direct>::PER_TILE) as u64, law, out)
        }
    })* };
    (narrow $($t:ident),*) => { $(impl Drawn for $t {
        fn draw(stream: Stream, first: usize, law: Law, out: &mut [$t]) {
            let mut wide = [0f32; STEP];
            for (step, part) in out.chunks_mut(STEP).enumerate() {
                f32::draw(stream, first + step * STEP, law, &mut wide[..part.len()]);
                part.iter_mut().zip(&wide).for_each(|(narrow, &wide)| *narrow = $t::from_f32(wide));
            }
        }
    })* };
}
drawn!(direct f32, f64);
drawn!(narrow f16, bf16);

pub fn draw<T: Drawn>(stream: Stream, law: Law, out: &mut [T]) -> Result<()> {
    for_each_chunk(out, GRAIN, |chunk, part| T::draw(stream, chunk * GRAIN, law, part))
}

/// The largest value of the type below `high`.
pub fn largest_below(high: f64, dtype: DType) -> f64 {
    let step_down = |bits: u16| match bits {
        0 | 0x8000 => 0x8001,
        positive if positive < 0x8000 => positive - 1,
        negative => negative + 1,
    };
    let (near, below) = match dtype {
        DType::F64 => (high, high.next_down()),
        DType::F32 => (high as f32 as f64, (high as f32).next_down() as f64),
        DType::F16 => (f16::from_f64(high).to_f64(), f16::from_bits(step_down(f16::from_f64(high).to_bits())).to_f64()),
        _ => (bf16::from_f64(high).to_f64(), bf16::from_bits(step_down(bf16::from_f64(high).to_bits())).to_f64()),
    };
    if near < high { near } else { below }
}

pub fn integers<T: ScalarElement>(stream: Stream, low: i128, span: u128, out: &mut [T]) -> Result<()> {
    for_each_chunk(out, GRAIN, |chunk, part| {
        let mut words = [0u64; STEP];
        for (step, part) in part.chunks_mut(STEP).enumerate() {
            let words = &mut words[..part.len()];
            stream.wide_words(((chunk * GRAIN + step * STEP) / (TILE / 2)) as u64, words);
            for (value, &word) in part.iter_mut().zip(&*words) {
                // High half of the product: the word as a fraction of the span.
                let scaled = (word as u128 * (span & (u64::MAX as u128))) >> 64;
                let drawn = if span > u64::MAX as u128 { word as u128 } else { scaled };
                *value = T::from_scalar(Scalar::Int(low + drawn as i128));
            }
        }
    })
}

pub fn permutation<T: ScalarElement>(stream: Stream, out: &mut [T]) -> Result<()> {
    let mut keys = Scratch::<[u64; 2]>::new("randperm", out.len())?;
    for_each_chunk(&mut keys, GRAIN, |chunk, part| {
        let mut words = [0u64; STEP];
        for (step, part) in part.chunks_mut(STEP).enumerate() {
            let first = chunk * GRAIN + step * STEP;
            stream.wide_words((first / (TILE / 2)) as u64, &mut words[..part.len()]);
            part.iter_mut().zip(words).zip(first as u64..).for_each(|((key, word), i)| *key = [word, i]);
        }
    })?;
    keys.sort_unstable();
    out.iter_mut().zip(&*keys).for_each(|(value, &[_, i])| *value = T::from_scalar(Scalar::Int(i as i128)));
    Ok(())
}

/// Probabilities are compared in f64, where every word is exact.
pub fn bernoulli<T: ScalarElement>(stream: Stream, probability: &[T], out: &mut [T]) -> Result<()> {
    let wrong = std::sync::Mutex::new(None);
    for_each_chunk(out, GRAIN, |chunk, part| {
        let mut words = [0u32; STEP];
        let probability = &probability[chunk * GRAIN..][..part.len()];
        for (step, (part, probability)) in part.chunks_mut(STEP).zip(probability.chunks(STEP)).enumerate() {
            stream.words(((chunk * GRAIN + step * STEP) / TILE) as u64, &mut words);
            for ((value, p), &word) in part.iter_mut().zip(probability).zip(&words) {
                let p = p.to_scalar().to_f64();
                if !(0.0..=1.0).contains(&p) {
                    wrong.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(p);
                }
                let one = (word as f64) < p * (1u64 << 32) as f64;
                *value = T::from_scalar(Scalar::Bool(one));
            }
        }
    })?;
    match wrong.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        None => Ok(()),
        Some(p) => Err(Error::value("bernoulli", format!("expected probabilities in [0, 1], got {p}"))),
    }
}
