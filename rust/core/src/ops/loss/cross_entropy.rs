//! Cross-entropy fused from logits: forward keeps one number a row (the log of its sum of exponentials), backward computes
//! the softmax again. Also the negative log-likelihood of log-probabilities.

use super::classes::{self, GRAIN, Pick, class};
use super::{Reduction, divided, expect_constant};
use crate::autograd::{self, Gradient, Grads, Saved, Saves, only};
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::cpu::rows;
use crate::dispatch;
use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::ops::spatial::expect_float;
use crate::ops::{Op, Spec, Specs, apply, apply1, cast, copy, create, movement, reduce, softmax};
use crate::scalar::Scalar;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// Options of `cross_entropy`; `label_smoothing` moves that part of the target's probability evenly to all classes.
#[derive(Debug, Clone, Copy)]
pub struct CrossEntropy<'a> {
    pub weight: Option<&'a Tensor>,
    pub ignore_index: i64,
    pub reduction: Reduction,
    pub label_smoothing: f64,
}

/// Inputs: logits `(R, C)`, classes `(R,)`, row weights `(R,)` and, when smoothing with weights, class weights `(C,)`.
/// Outputs: losses and logs of sums of exponentials, both `(R,)`.
#[derive(Debug, Clone, Copy)]
struct Fused {
    ignore: i64,
    smoothing: f64,
}

const NAME: &str = "cross_entropy";

impl Fused {
    /// The gradient as ops that have gradients themselves: `dy * (softmax(x) * sum(q) - q)` with target weights `q`.
    fn composed(&self, saved: &Saved, dy: &Tensor) -> Result<Tensor> {
        let (x, target, rows) = (saved.input(0)?, saved.input(1)?, saved.input(2)?);
        let classes = x.shape()[1];
        let number = |v: f64| create::full(&[], Scalar::Float(v), x.dtype(), x.device());
        let column = |t: &Tensor| movement::expand_dims(t, &[1]);
        let spread = Pick { name: NAME, classes, ignore: self.ignore, spread: true };
        let mut q = apply1(spread, &[&rows.multiply(&number(1.0 - self.smoothing)?)?, target])?;
        if self.smoothing > 0.0 {
            let even = match saved.len() {
                4 => saved.input(3)?.clone(),
                _ => create::ones(&[classes], x.dtype(), x.device())?,
            };
            let seen = apply1(spread, &[&create::ones(&[x.shape()[0]], x.dtype(), x.device())?, target])?;
            let seen = reduce::sum(&seen, Some(&[1]), None, true)?;
            q = q.add(&even.multiply(&number(self.smoothing / classes as f64)?)?.multiply(&seen)?)?;
        }
        let total = reduce::sum(&q, Some(&[1]), None, true)?;
        softmax::softmax(x, 1, None)?.multiply(&total)?.subtract(&q)?.multiply(&column(dy)?)
    }
}

impl Gradient for Fused {
    fn name(&self) -> &'static str {
        NAME
    }
    fn saves(&self) -> Saves {
        Saves { inputs: u32::MAX, outputs: 0b10 }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let dy = only(dy)?;
        let mut grads: Grads = smallvec![None; saved.len()];
        if autograd::is_grad_enabled() {
            grads[0] = Some(self.composed(saved, dy)?);
            return Ok(grads);
        }
        let dy = copy::contiguous(dy)?;
        let mut inputs: SmallVec<[&Tensor; 6]> = smallvec![saved.input(0)?, saved.input(1)?, saved.input(2)?];
        inputs.extend([saved.output(1)?, &dy]);
        if saved.len() == 4 {
            inputs.push(saved.input(3)?);
        }
        grads[0] = Some(apply1(FusedBackward(*self), &inputs)?);
        Ok(grads)
    }
}

impl Op for Fused {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let rows = Spec::new(inputs[1].shape(), inputs[0].dtype());
        Ok(smallvec![rows.clone(), rows])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [losses, logs] = outputs else { return Err(Error::internal(NAME, "expected two outputs")) };
        let (target, classes) = (inputs[1].slice::<i64>()?, inputs[0].shape()[1]);
        dispatch!(inputs[0].dtype(), NAME, [wide], T => {
            let (x, weights) = (inputs[0].slice::<T>()?, inputs[2].slice::<T>()?);
            let even = inputs.get(3).map_or(Ok(&[][..]), |w| w.slice::<T>())?;
            let many = (GRAIN / classes).max(1);
            let outputs = losses.slice_mut::<T>()?.chunks_mut(many).zip(logs.slice_mut::<T>()?.chunks_mut(many));
            for_each_item(outputs.enumerate(), |(chunk, (losses, logs))| {
                for (row, (loss, log)) in (chunk * many..).zip(losses.iter_mut().zip(logs)) {
                    let row_target = class(target[row], self.ignore, classes);
                    let x = &x[row * classes..][..classes];
                    (*loss, *log) = T::row(x, row_target, weights[row], self.smoothing, even);
                }
                Ok(())
            })
        })
    }
}

/// Inputs: logits, classes, row weights, logs of sums, gradients of the losses, and class weights when smoothing with them.
#[derive(Debug)]
struct FusedBackward(Fused);

impl Gradient for FusedBackward {
    fn name(&self) -> &'static str {
        NAME
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        Err(Error::grad(NAME, "the fused backward has no gradient; pass create_graph=True to the first one"))
    }
}

impl Op for FusedBackward {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::like(inputs[0])])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let Fused { ignore, smoothing } = self.0;
        let (target, classes) = (inputs[1].slice::<i64>()?, inputs[0].shape()[1]);
        dispatch!(inputs[0].dtype(), NAME, [wide], T => {
            let (x, weights) = (inputs[0].slice::<T>()?, inputs[2].slice::<T>()?);
            let (logs, dy) = (inputs[3].slice::<T>()?, inputs[4].slice::<T>()?);
            let even = inputs.get(5).map_or(Ok(&[][..]), |w| w.slice::<T>())?;
            let many = (GRAIN / classes).max(1);
            for_each_item(outputs[0].slice_mut::<T>()?.chunks_mut(many * classes).enumerate(), |(chunk, dx)| {
                for (row, dx) in (chunk * many..).zip(dx.chunks_mut(classes)) {
                    let row_target = class(target[row], ignore, classes);
                    let x = &x[row * classes..][..classes];
                    T::row_backward(x, row_target, weights[row], smoothing, even, logs[row], dy[row], dx);
                }
                Ok(())
            })
        })
    }
}

/// One row forward and backward. `even` holds class weights or is empty, which stands for ones.
trait RowLoss: Element {
    fn row(x: &[Self], target: Option<usize>, weight: Self, smoothing: f64, even: &[Self]) -> (Self, Self);
    #[allow(clippy::too_many_arguments)]
    fn row_backward(
        x: &[Self],
        target: Option<usize>,
        weight: Self,
        smoothing: f64,
        even: &[Self],
        log_sum: Self,
        dy: Self,
        dx: &mut [Self],
    );
}

macro_rules! row_loss {
    ($($t:ident),*) => { $(impl RowLoss for $t {
        leveled! {
            fn row(x: &[$t], target: Option<usize>, weight: $t, smoothing: f64, even: &[$t]) -> ($t, $t) {
                use math::$t::*;
                // A row of minus infinities has no distribution: NaN, as softmax gives.
                let top = rows::max(x);
                let log_sum = top + log(rows::sum(x, |x| exp(x - top)) as $t);
                let Some(target) = target else { return (0.0, log_sum) };
                let mut loss = weight * (log_sum - x[target]);
                if smoothing > 0.0 {
                    let all = match even.is_empty() {
                        true => rows::sum(x, |x| log_sum - x),
                        false => rows::sums([x, even], |[x, w]| w * (log_sum - x)),
                    };
                    loss = (1.0 - smoothing) as $t * loss + (smoothing / x.len() as f64 * all) as $t;
                }
                (loss, log_sum)
            }

            fn row_backward(
                x: &[$t], target: Option<usize>, weight: $t, smoothing: f64, even: &[$t], log_sum: $t, dy: $t, dx: &mut [$t],
            ) {
                use math::$t::*;
                let Some(target) = target else { return dx.fill(0.0) };
                let part = (smoothing / x.len() as f64) as $t;
                let all = if even.is_empty() { x.len() as $t } else { rows::sum(even, |w| w) as $t };
                let own = if smoothing > 0.0 { (1.0 - smoothing) as $t * weight } else { weight };
                let total = dy * (own + part * all);
                for (dx, &x) in dx.iter_mut().zip(x) {
                    *dx = total * exp(x - log_sum);
                }
                if smoothing > 0.0 {
                    match even.is_empty() {
                        true => dx.iter_mut().for_each(|dx| *dx -= dy * part),
                        false => dx.iter_mut().zip(even).for_each(|(dx, &w)| *dx -= dy * part * w),
                    }
                }
                dx[target] -= dy * own;
            }
        }
    })* };
}
row_loss!(f32, f64);

/// Losses of rows in their places: as they are, summed, or averaged by the weights of their rows.
fn finish(losses: Tensor, weights: &Tensor, shape: &[usize], reduction: Reduction) -> Result<Tensor> {
    match reduction {
        Reduction::None => movement::reshape(&losses, shape),
        Reduction::Mean => {
            reduce::sum(&losses, None, None, false)?.divide(&reduce::sum(&weights.detach(), None, None, false)?)
        }
        _ => reduce::sum(&losses, None, None, false),
    }
}

/// The compute type's contiguous form.
fn wide(x: &Tensor, dtype: DType) -> Result<Tensor> {
    copy::contiguous(&cast::astype(x, dtype)?)
}

/// `-log(softmax(x)[target])` of logits `(C,)`, `(N, C)` or `(N, C, ...)`. Targets are class numbers without the class
/// axis, or probabilities of the input's shape.
pub fn cross_entropy(x: &Tensor, target: &Tensor, options: &CrossEntropy) -> Result<Tensor> {
    expect_float(NAME, x)?;
    if !(0.0..=1.0).contains(&options.label_smoothing) {
        let message = format!("expected label_smoothing in [0, 1], got {}", options.label_smoothing);
        return Err(Error::value(NAME, message));
    }
    if target.dtype().is_float() {
        return of_probabilities(x, target, options);
    }
    let compute = x.dtype().compute();
    let mut rows = classes::rows(NAME, x, target)?;
    rows.scores = wide(&rows.scores, compute)?;
    classes::check_weight(NAME, options.weight, rows.scores.shape()[1])?;
    expect_constant(NAME, "weight", options.weight)?;
    let weight = options.weight.map(|w| wide(w, compute)).transpose()?;
    let weights = classes::row_weights(NAME, &rows, weight.as_ref(), options.ignore_index)?;
    let mut inputs: SmallVec<[&Tensor; 4]> = smallvec![&rows.scores, &rows.target, &weights];
    if options.label_smoothing > 0.0 {
        inputs.extend(&weight);
    }
    let fused = Fused { ignore: options.ignore_index, smoothing: options.label_smoothing };
    let losses = apply(fused, &inputs)?.swap_remove(0);
    cast::astype(&finish(losses, &weights, &rows.shape, options.reduction)?, x.dtype())
}

/// `-sum(q * log(softmax(x)))`, averaged over rows.
fn of_probabilities(x: &Tensor, target: &Tensor, options: &CrossEntropy) -> Result<Tensor> {
    super::expect_same_shape(NAME, x, target)?;
    let dtype = x.dtype();
    let (scores, shape) = classes::scores(NAME, x)?;
    let (mut q, _) = classes::scores(NAME, &cast::astype(target, dtype)?)?;
    let classes = scores.shape()[1];
    classes::check_weight(NAME, options.weight, classes)?;
    let number = |v: f64| create::full(&[], Scalar::Float(v), dtype, x.device());
    if options.label_smoothing > 0.0 {
        let even = number(options.label_smoothing / classes as f64)?;
        q = q.multiply(&number(1.0 - options.label_smoothing)?)?.add(&even)?;
    }
    if let Some(weight) = options.weight {
        q = q.multiply(&cast::astype(weight, dtype)?)?;
    }
    let products = softmax::log_softmax(&scores, 1, None)?.multiply(&q)?;
    let losses = reduce::sum(&products, Some(&[1]), None, false)?.negative()?;
    match options.reduction {
        Reduction::None => movement::reshape(&losses, &shape),
        Reduction::Mean => divided(&reduce::sum(&losses, None, None, false)?, losses.numel() as f64),
        _ => reduce::sum(&losses, None, None, false),
    }
}

/// `-x[target]` of log-probabilities `(C,)`, `(N, C)` or `(N, C, ...)`, weighted by class.
pub fn nll_loss(
    x: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignore_index: i64,
    reduction: Reduction,
) -> Result<Tensor> {
    let name = "nll_loss";
    expect_float(name, x)?;
    let mut rows = classes::rows(name, x, target)?;
    rows.scores = wide(&rows.scores, x.dtype().compute())?;
    let classes = rows.scores.shape()[1];
    classes::check_weight(name, weight, classes)?;
    expect_constant(name, "weight", weight)?;
    let weight = weight.map(|w| wide(w, rows.scores.dtype())).transpose()?;
    let weights = classes::row_weights(name, &rows, weight.as_ref(), ignore_index)?;
    let pick = Pick { name, classes, ignore: ignore_index, spread: false };
    let losses = apply1(pick, &[&rows.scores, &rows.target])?.multiply(&weights)?.negative()?;
    cast::astype(&finish(losses, &weights, &rows.shape, reduction)?, x.dtype())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fused_row_is_the_formula() {
        let x: Vec<f64> = (0..37).map(|i| ((i * 7) % 11) as f64 * 0.3 - 1.0).collect();
        let even: Vec<f64> = (0..37).map(|i| 0.5 + i as f64 * 0.1).collect();
        let log_sum = x.iter().map(|x| x.exp()).sum::<f64>().ln();
        let (loss, log) = f64::row(&x, Some(5), 2.0, 0.25, &even);
        let smooth: f64 = x.iter().zip(&even).map(|(x, w)| w * (log_sum - x)).sum();
        let want = 0.75 * 2.0 * (log_sum - x[5]) + 0.25 / 37.0 * smooth;
        assert!((log - log_sum).abs() < 1e-12 && (loss - want).abs() < 1e-12);
        assert_eq!(f64::row(&x, None, 0.0, 0.25, &even).0, 0.0);
    }
}
