//! The dropout kernel: one word an element decides whether it stays.

use crate::cpu::level::leveled;
use crate::cpu::pool::for_each_chunk;
use crate::dtype::Element;
use crate::error::Result;
use crate::random::{Stream, TILE};

/// Elements per task: whole tiles.
const GRAIN: usize = 16 * 1024;

pub trait Masked: Element {
    fn mask(stream: Stream, tile: u64, threshold: u32, scale: f64, x: &[Self], y: &mut [Self]);
}

macro_rules! masked {
    ($($t:ident),*) => { $(impl Masked for $t {
        leveled! {
            fn mask(stream: Stream, tile: u64, threshold: u32, scale: f64, x: &[$t], y: &mut [$t]) {
                let scale = scale as $t;
                for (tile, (y, x)) in (tile..).zip(y.chunks_mut(TILE).zip(x.chunks(TILE))) {
                    let words = stream.tile(tile);
                    for ((y, &x), word) in y.iter_mut().zip(x).zip(words) {
                        *y = if word >= threshold { x * scale } else { 0.0 };
                    }
                }
            }
        }
    })* };
}
masked!(f32, f64);

pub fn dropout<T: Masked>(stream: Stream, p: f64, scale: f64, x: &[T], y: &mut [T]) -> Result<()> {
    for_each_chunk(y, GRAIN, |chunk, part| {
        let start = chunk * GRAIN;
        if p >= 1.0 {
            return part.fill(T::default());
        }
        let threshold = (p * (1u64 << 32) as f64).round().min(u32::MAX as f64) as u32;
        T::mask(stream, (start / TILE) as u64, threshold, scale, &x[start..][..part.len()], part)
    })
}
