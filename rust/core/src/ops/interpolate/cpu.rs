//! A sparse matrix applied along one axis: the tensor is `(outer, axis, inner)`.

use super::taps::Taps;
use crate::cpu::parts::for_each_item;
use crate::cpu::rows::Wide;
use crate::error::Result;
use std::ops::AddAssign;

pub trait Real: Wide + AddAssign {}
impl<T: Wide + AddAssign> Real for T {}

/// Elements per task, in whole matrices.
const GRAIN: usize = 16 * 1024;

/// `y[outer, o] = sum over taps of weight * x[outer, sample]`
pub fn forward<T: Real>(taps: &Taps, inner: usize, x: &[T], y: &mut [T]) -> Result<()> {
    each_matrix(taps.output() * inner, taps.input * inner, x, y, |x, y| {
        for (o, y) in y.chunks_mut(inner).enumerate() {
            y.fill(T::default());
            for tap in o * taps.width..(o + 1) * taps.width {
                add(T::narrow(taps.weights[tap]), &x[taps.samples[tap] * inner..][..inner], y);
            }
        }
    })
}

/// `x[outer, sample] += weight * y[outer, o]`
pub fn transposed<T: Real>(taps: &Taps, inner: usize, y: &[T], x: &mut [T]) -> Result<()> {
    each_matrix(taps.input * inner, taps.output() * inner, y, x, |y, x| {
        x.fill(T::default());
        for (o, y) in y.chunks(inner).enumerate() {
            for tap in o * taps.width..(o + 1) * taps.width {
                add(T::narrow(taps.weights[tap]), y, &mut x[taps.samples[tap] * inner..][..inner]);
            }
        }
    })
}

fn add<T: Real>(weight: T, from: &[T], to: &mut [T]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to += weight * from);
}

/// Hands out matrices of `size` elements of `to`, with those of `from` (`from_size`) they are made of.
fn each_matrix<T: Real>(
    size: usize,
    from_size: usize,
    from: &[T],
    to: &mut [T],
    body: impl Fn(&[T], &mut [T]) + Sync,
) -> Result<()> {
    if to.is_empty() {
        return Ok(());
    }
    let many = (GRAIN / size.max(from_size)).max(1);
    for_each_item(to.chunks_mut(many * size).zip(from.chunks(many * from_size)), |(to, from)| {
        to.chunks_mut(size).zip(from.chunks(from_size)).for_each(|(to, from)| body(from, to));
        Ok(())
    })
}
