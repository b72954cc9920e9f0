//! Rows of class scores and the class each row belongs to: weights of rows, the score of the class, and its transpose.

use crate::autograd::{Gradient, Grads, Saved, Saves, not_differentiable, only};
use crate::cpu::parts::for_each_item;
use crate::cpu::pool::for_each_chunk;
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::scalar::{Scalar, ScalarElement};
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// Elements per task.
pub const GRAIN: usize = 16 * 1024;

/// Scores as rows `(R, C)` and targets as `(R,)`, from `(C,)`, `(N, C)` or `(N, C, ...)`.
pub struct Rows {
    pub scores: Tensor,
    pub target: Tensor,
    /// Shape of the losses.
    pub shape: shape::Shape,
}

/// Moves the class axis last and flattens the others.
pub fn scores(op: &str, x: &Tensor) -> Result<(Tensor, shape::Shape)> {
    if x.rank() == 0 {
        return Err(Error::shape(op, "expected an input (C,), (N, C) or (N, C, ...), got a 0-d tensor"));
    }
    let axis = if x.rank() == 1 { 0 } else { 1 };
    let classes = x.shape()[axis];
    if classes == 0 {
        return Err(Error::shape(op, format!("expected at least one class, got shape {}", shape::display(x.shape()))));
    }
    let mut shape = x.shape_owned();
    shape.remove(axis);
    let moved = movement::move_axes(x, &[axis as i64], &[-1])?;
    let rows = movement::reshape(&moved, &[x.numel() / classes, classes])?;
    Ok((copy::contiguous(&rows)?, shape))
}

/// `scores` with the target that belongs to them.
pub fn rows(op: &str, x: &Tensor, target: &Tensor) -> Result<Rows> {
    let (scores, shape) = scores(op, x)?;
    if !target.dtype().is_int() {
        return Err(Error::dtype(op, format!("expected class numbers of an integer type, got {}", target.dtype())));
    }
    if target.shape() != shape.as_slice() {
        let (want, got) = (shape::display(&shape), shape::display(target.shape()));
        let input = shape::display(x.shape());
        return Err(Error::shape(op, format!("target does not fit input {input}, expected {want}, got {got}")));
    }
    let target = copy::contiguous(&cast::astype(&movement::reshape(target, &[target.numel()])?, DType::I64)?)?;
    Ok(Rows { scores, target, shape })
}

pub fn check_weight(op: &str, weight: Option<&Tensor>, classes: usize) -> Result<()> {
    match weight.filter(|w| w.shape() != [classes]) {
        None => Ok(()),
        Some(w) => {
            let message = format!("expected one weight a class, shape ({classes},), got {}", shape::display(w.shape()));
            Err(Error::shape(op, message))
        }
    }
}

/// The class of a row, or `None` where it is ignored; valid once `RowWeights` has seen the targets.
pub fn class(target: i64, ignore: i64, classes: usize) -> Option<usize> {
    usize::try_from(target).ok().filter(|&c| target != ignore && c < classes)
}

/// The weight of each row's class, zero for ignored rows. Refuses targets that name no class.
#[derive(Debug)]
struct RowWeights {
    name: &'static str,
    classes: usize,
    ignore: i64,
    dtype: DType,
}

impl Gradient for RowWeights {
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        not_differentiable(self.name)
    }
}

impl Op for RowWeights {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::new(inputs[0].shape(), self.dtype)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(self.dtype, self.name, [wide], T => {
            let target = inputs[0].slice::<i64>()?;
            let weights = inputs.get(1).map(|w| w.slice::<T>()).transpose()?;
            let out = outputs[0].slice_mut::<T>()?;
            for_each_item(out.chunks_mut(GRAIN).zip(target.chunks(GRAIN)).enumerate(), |(chunk, (out, target))| {
                for (i, (out, &t)) in out.iter_mut().zip(target).enumerate() {
                    *out = match class(t, self.ignore, self.classes) {
                        Some(c) => weights.map_or(T::from_scalar(Scalar::Int(1)), |w| w[c]),
                        None if t == self.ignore => T::default(),
                        None => {
                            let place = chunk * GRAIN + i;
                            let message = format!("target {t} at element {place}, expected a class in [0, {})", self.classes);
                            return Err(Error::index(self.name, message));
                        }
                    };
                }
                Ok(())
            })
        })
    }
}

/// Weights of all rows, in the dtype of the scores.
pub fn row_weights(name: &'static str, rows: &Rows, weight: Option<&Tensor>, ignore: i64) -> Result<Tensor> {
    let (classes, dtype) = (rows.scores.shape()[1], rows.scores.dtype());
    let mut inputs: SmallVec<[&Tensor; 2]> = smallvec![&rows.target];
    inputs.extend(weight);
    apply1(RowWeights { name, classes, ignore, dtype }, &inputs)
}

/// The score of each row's class (zero for ignored rows), or the transpose: a row with one value at its class.
#[derive(Debug, Clone, Copy)]
pub struct Pick {
    pub name: &'static str,
    pub classes: usize,
    pub ignore: i64,
    pub spread: bool,
}

impl Gradient for Pick {
    fn name(&self) -> &'static str {
        self.name
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let back = Pick { spread: !self.spread, ..*self };
        Ok(smallvec![Some(apply1(back, &[&copy::contiguous(only(dy)?)?, saved.input(1)?])?), None])
    }
}

impl Op for Pick {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let rows = inputs[1].numel();
        let shape: &[usize] = if self.spread { &[rows, self.classes] } else { &[rows] };
        Ok(smallvec![Spec::new(shape, inputs[0].dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let target = inputs[1].slice::<i64>()?;
        let (classes, at) = (self.classes, |row: usize| class(target[row], self.ignore, self.classes));
        dispatch!(inputs[0].dtype(), self.name, [float], T => {
            let (x, y) = (inputs[0].slice::<T>()?, outputs[0].slice_mut::<T>()?);
            if !self.spread {
                return for_each_chunk(y, GRAIN, |chunk, y| {
                    for (row, y) in (chunk * GRAIN..).zip(y) {
                        *y = at(row).map_or(T::default(), |c| x[row * classes + c]);
                    }
                });
            }
            let rows = (GRAIN / classes).max(1);
            for_each_chunk(y, rows * classes, |chunk, y| {
                y.fill(T::default());
                for (row, y) in (chunk * rows..).zip(y.chunks_mut(classes)) {
                    if let Some(c) = at(row) {
                        y[c] = x[row];
                    }
                }
            })
        })
    }
}
