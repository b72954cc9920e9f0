//! The rotation kernels.

use crate::cpu::level::leveled;
use crate::cpu::pool::for_each_chunk;
use crate::dtype::Element;
use crate::error::Result;

/// Elements per task.
const GRAIN: usize = 16 * 1024;

/// By how much each pair of a row is turned: tables of rows of `half` numbers.
pub struct Turn<'a, T> {
    pub cos: &'a [T],
    pub sin: &'a [T],
    pub half: usize,
    pub back: bool,
}

pub trait Turned: Element {
    /// Turns a row whose pairs are the two halves.
    fn halves(cos: &[Self], sin: &[Self], back: bool, x: &[Self], y: &mut [Self]);
    /// Turns a row whose pairs are neighbours.
    fn neighbours(cos: &[Self], sin: &[Self], back: bool, x: &[Self], y: &mut [Self]);
}

macro_rules! turned {
    ($($t:ident),*) => { $(impl Turned for $t {
        leveled! {
            fn halves(cos: &[$t], sin: &[$t], back: bool, x: &[$t], y: &mut [$t]) {
                let (n, sign) = (cos.len(), if back { -1.0 } else { 1.0 });
                let (a, b) = x.split_at(n);
                let (ya, yb) = y.split_at_mut(n);
                for i in 0..n {
                    let (cos, sin) = (cos[i], sin[i] * sign);
                    ya[i] = a[i] * cos - b[i] * sin;
                    yb[i] = b[i] * cos + a[i] * sin;
                }
            }
            fn neighbours(cos: &[$t], sin: &[$t], back: bool, x: &[$t], y: &mut [$t]) {
                let sign = if back { -1.0 } else { 1.0 };
                let angles = cos.iter().zip(sin);
                for ((x, y), (&cos, &sin)) in x.chunks_exact(2).zip(y.chunks_exact_mut(2)).zip(angles) {
                    let sin = sin * sign;
                    y[0] = x[0] * cos - x[1] * sin;
                    y[1] = x[1] * cos + x[0] * sin;
                }
            }
        }
    })* };
}
turned!(f32, f64);

/// Turns the rows of `x`; row `r` by row `r` of the tables, which begin again when they are used up.
pub fn rotate<T: Turned>(turn: &Turn<T>, interleaved: bool, x: &[T], y: &mut [T]) -> Result<()> {
    let (half, width) = (turn.half, 2 * turn.half);
    if y.is_empty() {
        return Ok(());
    }
    let (rows, per_task) = (turn.cos.len() / half, (GRAIN / width).max(1));
    for_each_chunk(y, per_task * width, |task, part| {
        let first = task * per_task;
        for (i, (y, x)) in part.chunks_exact_mut(width).zip(x[first * width..].chunks_exact(width)).enumerate() {
            let at = (first + i) % rows * half;
            let (cos, sin) = (&turn.cos[at..at + half], &turn.sin[at..at + half]);
            match interleaved {
                true => T::neighbours(cos, sin, turn.back, x, y),
                false => T::halves(cos, sin, turn.back, x, y),
            }
        }
    })
}
