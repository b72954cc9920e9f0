//! The loop that serves every row: operands come as blocks that fit the first-level cache, in the type computed in.

use super::row::Compute;
use super::{Operand, Operands};
use crate::cpu::{pool, stream};
use crate::dtype::{Complex32, Complex64, Element, bf16, f16};
use crate::error::Result;
use crate::ops::copy;
use crate::plan::Plan;
use crate::scalar::ScalarElement;
use crate::storage::Output;
use crate::tensor::Tensor;
use half::slice::HalfFloatSliceExt;
use smallvec::SmallVec;

/// Elements of a block: three operands of f64 and the result fit a 48 KiB cache.
pub const BLOCK: usize = 1024;
/// Elements per task: several microseconds of the cheapest formula.
const GRAIN: usize = 32 * BLOCK;
/// Steps beyond this use too little of each cache line.
const FAR: usize = 4;

/// A stored element type and the type it is computed in.
pub trait Stored: ScalarElement {
    type Compute: Compute;
    /// What the parts of a complex number are stored as; itself otherwise.
    type Real: Stored<Compute = <Self::Compute as Compute>::Real>;

    /// The elements as they are, where they are stored in the compute type.
    fn plain(all: &[Self]) -> Option<&[Self::Compute]>;

    /// The block in the compute type: itself, or converted into `scratch`.
    fn widen<'a>(block: &'a [Self], scratch: &'a mut Vec<Self::Compute>) -> &'a [Self::Compute];

    /// Lets `body` write a block in the compute type: in place, or into `scratch` and converted.
    fn produce(out: &mut [Self], scratch: &mut Vec<Self::Compute>, body: impl FnOnce(&mut [Self::Compute]));
}

macro_rules! stored_as_computed {
    ($($t:ty => $real:ty),*) => { $(impl Stored for $t {
        type Compute = $t;
        type Real = $real;
        fn plain(all: &[$t]) -> Option<&[$t]> {
            Some(all)
        }
        #[inline]
        fn widen<'a>(block: &'a [$t], _: &'a mut Vec<$t>) -> &'a [$t] {
            block
        }
        #[inline]
        fn produce(out: &mut [$t], _: &mut Vec<$t>, body: impl FnOnce(&mut [$t])) {
            body(out)
        }
    })* };
}
stored_as_computed!(bool => bool, i8 => i8, i16 => i16, i32 => i32, i64 => i64, u8 => u8, u16 => u16, u32 => u32,
    u64 => u64, f32 => f32, f64 => f64, Complex32 => f32, Complex64 => f64);

macro_rules! stored_as_half {
    ($($t:ty),*) => { $(impl Stored for $t {
        type Compute = f32;
        type Real = $t;
        fn plain(_: &[$t]) -> Option<&[f32]> {
            None
        }
        fn widen<'a>(block: &'a [$t], scratch: &'a mut Vec<f32>) -> &'a [f32] {
            scratch.resize(block.len(), 0.0);
            block.convert_to_f32_slice(scratch);
            scratch
        }
        fn produce(out: &mut [$t], scratch: &mut Vec<f32>, body: impl FnOnce(&mut [f32])) {
            scratch.resize(out.len(), 0.0);
            body(scratch);
            out.convert_from_f32_slice(scratch);
        }
    })* };
}
stored_as_half!(f16, bf16);

/// Where an operand's elements come from.
enum Source<'a, T> {
    Whole(&'a [T]),
    Splat(T),
    Strided(&'a [T], Box<Plan<1>>),
}

impl<'a, T: ScalarElement> Source<'a, T> {
    fn new(op: &str, operand: &Operand<'a>) -> Result<Source<'a, T>> {
        let x = match operand {
            Operand::Number(value) => return Ok(Source::Splat(T::from_scalar(*value))),
            Operand::Tensor(x) => x,
        };
        if x.is_contiguous() {
            return Ok(Source::Whole(x.slice()?));
        }
        let elements = x.elements::<T>()?;
        let plan = Plan::new(op, [x.layout()], [elements.len()])?;
        Ok(match (plan.shape(), plan.strides(0)) {
            ([_], [0]) => Source::Splat(elements[plan.offset(0)]),
            ([_], [1]) => Source::Whole(&elements[plan.offset(0)..][..plan.numel()]),
            _ => Source::Strided(elements, Box::new(plan)),
        })
    }

    fn is_whole(&self) -> bool {
        matches!(self, Source::Whole(_))
    }

    /// Elements `start..start + len` in row-major order, gathered into `scratch` where they do not lie side by side.
    #[inline]
    fn block<'b>(&'b self, scratch: &'b mut Vec<T>, start: usize, len: usize) -> &'b [T] {
        match self {
            Source::Whole(all) => &all[start..start + len],
            Source::Splat(value) => {
                // Blocks only get shorter, so that the first one serves all.
                if scratch.is_empty() {
                    scratch.resize(len, *value);
                }
                &scratch[..len]
            }
            Source::Strided(elements, plan) => match inside_row(plan, start, len) {
                Some(at) => &elements[at..at + len],
                None => {
                    scratch.resize(len, T::default());
                    gather(elements, plan, start, scratch);
                    scratch
                }
            },
        }
    }
}

/// Hands out one operand block by block.
struct Feed<'a, T, C = T> {
    source: &'a Source<'a, T>,
    gathered: Vec<T>,
    widened: Vec<C>,
}

impl<'a, T: ScalarElement, C> Feed<'a, T, C> {
    fn new(source: &'a Source<'a, T>) -> Self {
        Feed { source, gathered: Vec::new(), widened: Vec::new() }
    }

    #[inline]
    fn block(&mut self, start: usize, len: usize) -> &[T] {
        self.source.block(&mut self.gathered, start, len)
    }
}

impl<T: Stored> Feed<'_, T, T::Compute> {
    /// The block in the type computed in.
    #[inline]
    fn computed(&mut self, start: usize, len: usize) -> &[T::Compute] {
        T::widen(self.source.block(&mut self.gathered, start, len), &mut self.widened)
    }
}

/// Where the elements lie, if they lie side by side in one row.
fn inside_row(plan: &Plan<1>, start: usize, len: usize) -> Option<usize> {
    let (n, [step]) = (plan.row_len(), plan.row_strides());
    let (row, column) = (start / n, start % n);
    if step != 1 || column + len > n {
        return None;
    }
    let [first] = plan.row_start(row);
    Some(first + column)
}

/// Copies elements `start..` of the walk to `out`.
fn gather<T: Copy>(elements: &[T], plan: &Plan<1>, start: usize, out: &mut [T]) {
    let (n, [step]) = (plan.row_len(), plan.row_strides());
    let (mut column, mut filled) = (start % n, 0);
    plan.for_rows(start / n..(start + out.len()).div_ceil(n), |_, [first]| {
        let count = (n - column).min(out.len() - filled);
        let part = &mut out[filled..filled + count];
        let at = (first as isize + column as isize * step) as usize;
        match step {
            0 => part.fill(elements[at]),
            1 => part.copy_from_slice(&elements[at..at + count]),
            _ if step > 0 => copy_each(part, elements[at..].iter().step_by(step as usize)),
            _ => copy_each(part, elements[..=at].iter().rev().step_by(step.unsigned_abs())),
        }
        (column, filled) = (0, filled + count);
    });
}

fn copy_each<'a, T: Copy + 'a>(out: &mut [T], elements: impl Iterator<Item = &'a T>) {
    out.iter_mut().zip(elements).for_each(|(out, &element)| *out = element);
}

/// Whether neighbours lie so far apart, as in a transpose, that moving the operand by tiles first is cheaper.
fn scattered(operand: &Operand) -> bool {
    let Some(x) = operand.tensor() else { return false };
    let inner = x.shape().iter().zip(&x.layout().strides).rev().find(|(n, _)| **n > 1);
    inner.is_some_and(|(_, step)| step.unsigned_abs() > FAR) && x.numel() > 4 * BLOCK
}

/// The operands, scattered ones moved to contiguous `copies`.
fn compact<'a>(operands: &[Operand<'a>], copies: &'a mut Vec<Tensor>) -> Result<Operands<'a>> {
    for x in operands.iter().filter(|x| scattered(x)).filter_map(Operand::tensor) {
        copies.push(copy::copied(&x.detach())?);
    }
    let mut copies = copies.iter();
    let place = |x: &Operand<'a>| if scattered(x) { copies.next().map_or(*x, Operand::Tensor) } else { *x };
    Ok(operands.iter().map(place).collect())
}

/// What is done to a block of each operand.
type Body<'a, C, O> = &'a (dyn Fn(&[&[C]], &mut [O]) + Sync);

/// The operands as they lie in memory, where nothing has to be gathered or converted and one thread does it all.
fn whole<'a, T: Stored>(operands: &[Operand<'a>], numel: usize) -> Option<SmallVec<[&'a [T::Compute]; 4]>> {
    let plain = |x: &Operand<'a>| match x {
        Operand::Tensor(x) => x.slice().ok().and_then(T::plain),
        Operand::Number(_) => None,
    };
    if numel <= GRAIN { operands.iter().map(plain).collect() } else { None }
}

/// Fills `out` block by block, in parallel where it is worth it.
pub fn run<T: Stored, O: Stored>(
    op: &str,
    operands: &[Operand],
    out: &mut Output,
    body: Body<T::Compute, O::Compute>,
) -> Result<()> {
    let numel = out.numel();
    if let Some(blocks) = whole::<T>(operands, numel) {
        O::produce(&mut out.slice_mut::<O>()?[..numel], &mut Vec::new(), |out| body(&blocks, out));
        return Ok(());
    }
    let mut copies = Vec::new();
    let mut sources: SmallVec<[Source<T>; 4]> = SmallVec::new();
    for operand in compact(operands, &mut copies)? {
        sources.push(Source::new(op, &operand)?);
    }
    // Nothing to gather or convert: a part is one block.
    let plain = sources.iter().all(Source::is_whole) && T::plain(&[]).is_some() && O::plain(&[]).is_some();
    for_parts(out, || {
        let mut feeds: SmallVec<[Feed<T, T::Compute>; 4]> = sources.iter().map(Feed::new).collect();
        let mut scratch = Vec::new();
        move |start, out: &mut [O]| {
            let step = if plain { out.len().max(1) } else { BLOCK };
            let mut start = start;
            for out in out.chunks_mut(step) {
                let len = out.len();
                let mut blocks: SmallVec<[&[T::Compute]; 4]> = SmallVec::new();
                for feed in &mut feeds {
                    blocks.push(feed.computed(start, len));
                }
                O::produce(out, &mut scratch, |out| body(&blocks, out));
                start += len;
            }
        }
    })
}

/// `run` with one operand and a function of one element.
pub fn map<T: Stored, O: Stored>(
    op: &str,
    x: &Operand,
    out: &mut Output,
    each: impl Fn(T::Compute) -> O::Compute + Sync,
) -> Result<()> {
    run::<T, O>(op, &[*x], out, &|blocks, out| {
        for x in blocks {
            out.iter_mut().zip(*x).for_each(|(out, &x)| *out = each(x));
        }
    })
}

/// `a` where the condition holds, else `b`.
pub fn select<T: ScalarElement>(condition: &Operand, a: &Operand, b: &Operand, out: &mut Output) -> Result<()> {
    let mut copies = Vec::new();
    let operands = compact(&[*condition, *a, *b], &mut copies)?;
    let condition = Source::<bool>::new("where", &operands[0])?;
    let (a, b) = (Source::<T>::new("where", &operands[1])?, Source::<T>::new("where", &operands[2])?);
    for_parts(out, || {
        let (mut condition, mut a, mut b) = (Feed::<_>::new(&condition), Feed::<_>::new(&a), Feed::<_>::new(&b));
        move |start, out: &mut [T]| {
            for (i, out) in out.chunks_mut(BLOCK).enumerate() {
                let (start, len) = (start + i * BLOCK, out.len());
                let choices = a.block(start, len).iter().zip(b.block(start, len));
                let choices = condition.block(start, len).iter().zip(choices);
                out.iter_mut().zip(choices).for_each(|(out, (&c, (&a, &b)))| *out = if c { a } else { b });
            }
        }
    })
}

/// Calls what `prepare` makes for each task with parts of the output and where they start.
fn for_parts<O: Element, F: FnMut(usize, &mut [O])>(out: &mut Output, prepare: impl Fn() -> F + Sync) -> Result<()> {
    let numel = out.numel();
    let out = &mut out.slice_mut::<O>()?[..numel];
    if numel <= GRAIN {
        prepare()(0, out);
        return Ok(());
    }
    let past_caches = stream::is_worthwhile(size_of_val(out));
    pool::for_each_chunk(out, GRAIN, |task, out| {
        let (start, mut fill) = (task * GRAIN, prepare());
        match past_caches {
            true => stream::through(out, |at, part| fill(start + at, part)),
            false => fill(start, out),
        }
    })
}
