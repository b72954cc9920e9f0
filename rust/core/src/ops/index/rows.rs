//! The three ops everything here rests on: take rows by number, deposit (add) rows by number, put (replace) rows.
//! Take and deposit are each other's gradient.

use super::cpu::{self, Rows};
use crate::autograd::{self, Gradient, Grads, RowGradient, Saved, Saves, only};
use crate::device::Device;
use crate::dispatch;
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply1, cast, copy, create, movement, select};
use crate::profile;
use crate::scalar::Scalar;
use crate::shape::{self, Shape};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// Indices of any integer type as int64 in 0..n, where `n` is the size of `axis`.
pub fn resolve(op: &str, index: &Tensor, n: usize, axis: usize) -> Result<Tensor> {
    if !index.dtype().is_int() {
        return Err(Error::dtype(op, format!("expected integer indices, got {}", index.dtype())));
    }
    let index = copy::contiguous(index)?;
    if index.dtype() == DType::I64 && index.slice::<i64>()?.iter().all(|&i| i >= 0 && (i as usize) < n) {
        return Ok(index);
    }
    let mut resolved = create::zeros(index.shape(), DType::I64, index.device())?;
    dispatch!(index.dtype(), op, [int], T => {
        cpu::resolve(op, index.slice::<T>()?, n, axis, resolved.make_mut::<i64>()?)
    })?;
    Ok(resolved)
}

/// A row number that backward passes over (the padding of an embedding), and whether reading it gives zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Padding {
    pub row: usize,
    pub blank: bool,
}

/// `inputs[0]` with axis `axis` replaced by the positions that `inputs[1]` (resolved) names.
#[derive(Debug)]
struct Take {
    name: &'static str,
    axis: usize,
    padding: Option<Padding>,
}

fn replaced(shape: &[usize], axis: usize, by: &[usize]) -> Shape {
    let mut out = SmallVec::from_slice(&shape[..axis]);
    out.extend_from_slice(by);
    out.extend_from_slice(&shape[axis + 1..]);
    out
}

impl Gradient for Take {
    fn name(&self) -> &'static str {
        self.name
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let n = saved.spec(0).shape[self.axis];
        Ok(smallvec![Some(deposit(only(dy)?, self.axis, n, saved.input(1)?, self.padding)?), None])
    }
    fn rows(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Option<RowGradient>> {
        let (dy, shape) = (only(dy)?, &saved.spec(0).shape);
        let fits = dy.device() == Device::Cpu && dy.dtype() == dy.dtype().compute();
        let padding = self.padding.map(|padding| padding.row);
        Ok(fits.then_some(RowGradient::new(shape, self.axis, saved.input(1)?, dy, padding)))
    }
}

impl Op for Take {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let shape = replaced(inputs[0].shape(), self.axis, inputs[1].shape());
        Ok(smallvec![Spec { shape, dtype: inputs[0].dtype() }])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let x = copy::contiguous(&inputs[0].detach())?;
        let rows = Rows::of(x.shape(), self.axis);
        let blank = self.padding.filter(|p| p.blank).map(|p| p.row);
        dispatch!(x.dtype(), self.name, [any], T => {
            cpu::take(x.slice::<T>()?, inputs[1].slice()?, rows, blank, outputs[0].slice_mut()?)
        })
    }
    fn bytes_in(&self, inputs: &[&Tensor], outputs: &[Tensor]) -> u64 {
        profile::bytes(outputs) + profile::bytes([inputs[1]])
    }
}

/// Zeros of size `n` on an axis, with the rows of `inputs[0]` added at the positions `inputs[1]` names.
#[derive(Debug)]
struct Deposit {
    axis: usize,
    n: usize,
    padding: Option<Padding>,
}

impl Gradient for Deposit {
    fn name(&self) -> &'static str {
        "index_add"
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let padding = self.padding.map(|p| Padding { blank: true, ..p });
        let take = Take { name: self.name(), axis: self.axis, padding };
        Ok(smallvec![Some(apply1(take, &[only(dy)?, saved.input(1)?])?), None])
    }
}

impl Op for Deposit {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (source, index) = (inputs[0], inputs[1]);
        let mut shape: Shape = SmallVec::from_slice(&source.shape()[..self.axis]);
        shape.push(self.n);
        shape.extend_from_slice(&source.shape()[self.axis + index.rank()..]);
        Ok(smallvec![Spec { shape, dtype: source.dtype() }])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let rows = Rows::of(&outputs[0].shape, self.axis);
        let source = copy::contiguous(&inputs[0].detach())?;
        let index = inputs[1].slice::<i64>()?;
        let ignored = self.padding.map(|p| p.row as i64);
        match source.dtype() {
            DType::F16 | DType::BF16 => Err(Error::internal(self.name(), "half types are added in float32")),
            dtype => fill_rows(dtype, self.name(), &source, index, rows, ignored, &mut outputs[0]),
        }
    }
}

/// Zeros with the rows of `source` added.
fn fill_rows(
    dtype: DType,
    op: &str,
    source: &Tensor,
    index: &[i64],
    rows: Rows,
    ignored: Option<i64>,
    out: &mut Output,
) -> Result<()> {
    macro_rules! run {
        ($group:ident) => {
            dispatch!(dtype, op, [$group], T => {
                let out = out.slice_mut::<T>()?;
                out.fill(T::default());
                add_rows(source.slice::<T>()?, index, rows, ignored, out)
            })
        };
    }
    match dtype.kind() {
        Kind::Bool => {
            let out = out.slice_mut()?;
            out.fill(false);
            add_rows(source.slice::<bool>()?, index, rows, ignored, out)
        }
        Kind::Int => run!(int),
        Kind::Float => run!(wide),
        Kind::Complex => run!(complex),
    }
}

fn add_rows<T: cpu::Accumulate>(
    source: &[T],
    index: &[i64],
    rows: Rows,
    ignored: Option<i64>,
    out: &mut [T],
) -> Result<()> {
    let add = |target: &mut [T], row: &[T]| target.iter_mut().zip(row).for_each(|(t, &x)| t.accumulate(x));
    cpu::for_targets(out, index, rows, source, |i| Some(i) != ignored, add)
}

/// `inputs[0]` with the positions that `inputs[1]` names on an axis replaced by `inputs[2]`; the last of equal indices wins.
#[derive(Debug)]
struct Put {
    axis: usize,
}

impl Gradient for Put {
    fn name(&self) -> &'static str {
        "setitem"
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (dy, index, spec) = (only(dy)?, saved.input(1)?, saved.spec(2));
        let dx = || {
            let zeros = create::zeros(&spec.shape, spec.dtype, dy.device())?;
            apply1(Put { axis: self.axis }, &[dy, index, &zeros])
        };
        let dv = || {
            let taken = take("setitem", dy, self.axis, index)?;
            let mut shape = index.shape_owned();
            shape.extend(std::iter::repeat_n(1, spec.shape.len() - self.axis - index.rank()));
            let won = movement::reshape(&winners(index, saved.spec(0).shape[self.axis])?, &shape)?;
            select::where_(&won, &taken, &create::zeros(&[], spec.dtype, dy.device())?)
        };
        Ok(smallvec![saved.needs(0).then(dx).transpose()?, None, saved.needs(2).then(dv).transpose()?])
    }
}

/// Which of the indices is the last of its value.
fn winners(index: &Tensor, n: usize) -> Result<Tensor> {
    let count = index.numel();
    let end = Scalar::Int(count as i128);
    let order = create::arange(Scalar::Int(0), end, Scalar::Int(1), DType::I64, index.device())?;
    let order = movement::reshape(&order, index.shape())?;
    let last = apply1(Put { axis: 0 }, &[&create::zeros(&[n], DType::I64, index.device())?, index, &order])?;
    take("setitem", &last, 0, index)?.equal(&order)
}

impl Op for Put {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let want = replaced(inputs[0].shape(), self.axis, inputs[1].shape());
        if inputs[2].shape() != want.as_slice() || inputs[2].dtype() != inputs[0].dtype() {
            let got = shape::display(inputs[2].shape());
            let message = format!("value does not fit, expected shape {}, got {got}", shape::display(&want));
            return Err(Error::shape(self.name(), message));
        }
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let whole = shape::Layout::contiguous(&outputs[0].shape);
        copy::write_region(inputs[0], &mut outputs[0], &whole)?;
        dispatch!(inputs[0].dtype(), self.name(), [any], T => {
            let source = copy::contiguous(&inputs[2].detach())?;
            let rows = Rows::of(&whole.shape, self.axis);
            put_rows(source.slice::<T>()?, inputs[1].slice()?, rows, outputs[0].slice_mut::<T>()?)
        })
    }
}

fn put_rows<T: crate::dtype::Element>(source: &[T], index: &[i64], rows: Rows, out: &mut [T]) -> Result<()> {
    cpu::for_targets(out, index, rows, source, |_| true, |target, row| target.copy_from_slice(row))
}

/// Positions of an axis by resolved index; the axes of the index take the axis' place.
pub fn take(name: &'static str, x: &Tensor, axis: usize, index: &Tensor) -> Result<Tensor> {
    apply1(Take { name, axis, padding: None }, &[x, index])
}

/// Rows of a table; row `padding` gets no gradient.
pub fn take_padded(x: &Tensor, index: &Tensor, padding: Option<usize>) -> Result<Tensor> {
    let padding = padding.map(|row| Padding { row, blank: false });
    apply1(Take { name: "embedding", axis: 0, padding }, &[x, index])
}

/// The gradient of `take`: zeros of size `n` on the axis, the parts of `source` added by resolved index.
pub fn deposit(source: &Tensor, axis: usize, n: usize, index: &Tensor, padding: Option<Padding>) -> Result<Tensor> {
    let dtype = source.dtype();
    let total = apply1(Deposit { axis, n, padding }, &[&cast::astype(source, dtype.compute())?, index])?;
    cast::astype(&total, dtype)
}

/// Adds the parts of `source` to `total` (float32 or float64) by resolved index, except those of row `padding`.
pub fn deposit_onto(
    total: &mut Tensor,
    axis: usize,
    index: &Tensor,
    source: &Tensor,
    padding: Option<usize>,
) -> Result<()> {
    let (source, index) = (copy::contiguous(source)?, copy::contiguous(index)?);
    let (rows, ignored) = (Rows::of(total.shape(), axis), padding.map(|row| row as i64));
    let bytes = profile::bytes([&source]);
    let size = |_: &()| profile::Work { bytes_in: 2 * bytes, bytes_out: bytes, flops: 0 };
    profile::observe("index_add", size, || {
        dispatch!(total.dtype(), "index_add", [wide], T => {
            add_rows(source.slice::<T>()?, index.slice()?, rows, ignored, total.make_mut::<T>()?)
        })
    })
}

/// `x` with positions of an axis replaced by resolved index.
pub fn put(x: &Tensor, axis: usize, index: &Tensor, value: &Tensor) -> Result<Tensor> {
    apply1(Put { axis }, &[x, index, value])
}

/// `put` that writes into the memory of `x` where nobody else looks at it and nothing is recorded.
pub fn put_owned(mut x: Tensor, axis: usize, index: &Tensor, value: &Tensor) -> Result<Tensor> {
    if autograd::must_record(&[&x, value]) || x.device() != crate::Device::Cpu {
        return put(&x, axis, index, value);
    }
    Put { axis }.outputs(&[&x, index, value])?;
    let (source, rows) = (copy::contiguous(value)?, Rows::of(x.shape(), axis));
    dispatch!(x.dtype(), "setitem", [any], T => {
        put_rows(source.slice::<T>()?, index.slice()?, rows, x.make_mut::<T>()?)
    })?;
    Ok(x.detach())
}
