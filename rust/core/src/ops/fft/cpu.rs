//! Rows transformed by `rustfft`; plans are kept, several rows share a task.

use super::{Direction, Domain, Transform};
use crate::cpu::parts::for_each_item;
use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::storage::Output;
use crate::tensor::Tensor;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection, FftNum, FftPlanner};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Points per task.
const GRAIN: usize = 16 * 1024;
/// Plans kept for each element type; a program that needs more lengths makes them again.
const KEPT: usize = 64;

type Plans<T> = LazyLock<Mutex<HashMap<(usize, bool), Arc<dyn Fft<T>>>>>;

/// A component type of transforms.
trait Component: Element + FftNum {
    fn plans() -> &'static Plans<Self>;
    fn scale(factor: f64) -> Self;
}

macro_rules! components {
    ($($t:ty),*) => {$(
        impl Component for $t {
            fn plans() -> &'static Plans<$t> {
                static PLANS: Plans<$t> = LazyLock::new(Default::default);
                &PLANS
            }
            fn scale(factor: f64) -> $t {
                factor as $t
            }
        }
    )*};
}
components!(f32, f64);

fn plan<T: Component>(n: usize, direction: Direction) -> Arc<dyn Fft<T>> {
    let forward = direction == Direction::Forward;
    let mut plans = T::plans().lock().unwrap_or_else(PoisonError::into_inner);
    if plans.len() >= KEPT && !plans.contains_key(&(n, forward)) {
        plans.clear();
    }
    let fresh = || {
        let direction = if forward { FftDirection::Forward } else { FftDirection::Inverse };
        FftPlanner::new().plan_fft(n, direction)
    };
    plans.entry((n, forward)).or_insert_with(fresh).clone()
}

pub fn transform(op: &Transform, x: &Tensor, out: &mut Output) -> Result<()> {
    match out.dtype.real() {
        DType::F32 => typed::<f32>(op, x, out),
        DType::F64 => typed::<f64>(op, x, out),
        other => Err(Error::internal(op.name, format!("no transform in {other}"))),
    }
}

fn typed<T: Component>(op: &Transform, x: &Tensor, out: &mut Output) -> Result<()>
where
    Complex<T>: Element,
{
    let width_in = x.shape().last().copied().unwrap_or(1);
    let width_out = out.shape.last().copied().unwrap_or(1);
    let numel = out.numel();
    if numel == 0 {
        return Ok(());
    }
    let fft = plan::<T>(op.n, op.direction);
    let each = (GRAIN / op.n).max(1);
    let scratch = || {
        let mut buffer = Vec::new();
        let len = op.n + fft.get_inplace_scratch_len();
        let failed = |_| Error::memory(op.name, format!("no memory for a transform of {} points", op.n));
        buffer.try_reserve_exact(len).map_err(failed)?;
        buffer.resize(len, Complex::<T>::default());
        Ok::<_, Error>(buffer)
    };
    let factor = T::scale(op.factor);
    let rows = |task: usize, i: usize| (task * each + i) * width_in..(task * each + i + 1) * width_in;
    match op.domain {
        Domain::Complex => {
            let (x, y) = (x.slice::<Complex<T>>()?, &mut out.slice_mut::<Complex<T>>()?[..numel]);
            for_each_item(y.chunks_mut(each * width_out).enumerate(), |(task, chunk)| {
                let mut buffer = scratch()?;
                for (i, y) in chunk.chunks_mut(width_out).enumerate() {
                    fill(y, &x[rows(task, i)], |v| v);
                    fft.process_with_scratch(y, &mut buffer[op.n..]);
                    y.iter_mut().for_each(|y| *y = *y * factor);
                }
                Ok(())
            })
        }
        Domain::FromReal => {
            let (x, y) = (x.slice::<T>()?, &mut out.slice_mut::<Complex<T>>()?[..numel]);
            for_each_item(y.chunks_mut(each * width_out).enumerate(), |(task, chunk)| {
                let mut buffer = scratch()?;
                let (points, work) = buffer.split_at_mut(op.n);
                for (i, y) in chunk.chunks_mut(width_out).enumerate() {
                    fill(points, &x[rows(task, i)], |v| Complex::new(v, T::zero()));
                    fft.process_with_scratch(points, work);
                    y.iter_mut().zip(&*points).for_each(|(y, &p)| *y = p * factor);
                }
                Ok(())
            })
        }
        Domain::ToReal => {
            let (x, y) = (x.slice::<Complex<T>>()?, &mut out.slice_mut::<T>()?[..numel]);
            for_each_item(y.chunks_mut(each * width_out).enumerate(), |(task, chunk)| {
                let mut buffer = scratch()?;
                let (points, work) = buffer.split_at_mut(op.n);
                for (i, y) in chunk.chunks_mut(width_out).enumerate() {
                    let row = &x[rows(task, i)];
                    hermitian(points, &row[..row.len().min(op.n / 2 + 1)]);
                    fft.process_with_scratch(points, work);
                    y.iter_mut().zip(&*points).for_each(|(y, p)| *y = p.re * factor);
                }
                Ok(())
            })
        }
    }
}

/// Copies what fits and pads with zeros.
fn fill<T: Component, U: Copy>(to: &mut [Complex<T>], from: &[U], convert: impl Fn(U) -> Complex<T>) {
    let given = from.len().min(to.len());
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = convert(from));
    to[given..].fill(Complex::default());
}

/// A whole spectrum from its first half. What must be real in it (the first, and the middle of an even length) is read so.
fn hermitian<T: Component>(to: &mut [Complex<T>], half: &[Complex<T>]) {
    let n = to.len();
    fill(to, half, |v| v);
    for i in 1..half.len() {
        to[n - i] = if 2 * i == n { Complex::new(half[i].re, T::zero()) } else { half[i].conj() };
    }
    to[0].im = T::zero();
}
