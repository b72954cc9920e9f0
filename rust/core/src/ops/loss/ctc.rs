//! Connectionist temporal classification (Graves et al., 2006): the probability of a label sequence summed over all
//! alignments, by dynamic programming in the log domain and in f64.

use super::Reduction;
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::cpu::parts::for_each_item;
use crate::cpu::scratch::Scratch;
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::spatial::expect_float;
use crate::ops::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::scalar::{Scalar, ScalarElement};
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;
use std::sync::Arc;

const NAME: &str = "ctc_loss";

/// The class that separates labels, what becomes of the losses, and whether impossible alignments count as zero.
#[derive(Debug, Clone, Copy)]
pub struct CtcOptions {
    pub blank: i64,
    pub reduction: Reduction,
    pub zero_infinity: bool,
}

/// Labels of all samples one after the other, and where each sample's begin and how many steps it has.
#[derive(Debug)]
struct Labels {
    labels: Vec<usize>,
    starts: Vec<usize>,
    steps: Vec<usize>,
    blank: usize,
    zero_infinity: bool,
}

impl Labels {
    fn of(&self, sample: usize) -> &[usize] {
        &self.labels[self.starts[sample]..self.starts[sample + 1]]
    }

    /// Class of place `s` in the sequence with blanks around every label.
    fn class(&self, labels: &[usize], s: usize) -> usize {
        if s % 2 == 1 { labels[s / 2] } else { self.blank }
    }

    /// Whether the blank before place `s` may be skipped: a label that differs from the one before it.
    fn skips(&self, labels: &[usize], s: usize) -> bool {
        s % 2 == 1 && s > 1 && labels[s / 2] != labels[s / 2 - 1]
    }
}

fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// Log-probabilities of one sample: `(steps, classes)`.
struct Sample<'a, T> {
    log_probs: &'a [T],
    classes: usize,
    steps: usize,
    labels: &'a [usize],
    all: &'a Labels,
}

impl<T: ScalarElement> Sample<'_, T> {
    fn places(&self) -> usize {
        2 * self.labels.len() + 1
    }

    fn log_prob(&self, step: usize, place: usize) -> f64 {
        self.log_probs[step * self.classes + self.all.class(self.labels, place)].to_scalar().to_f64()
    }

    /// One step of the recurrence: log-probabilities of being at each place after emitting step `t`.
    fn advance(&self, t: usize, before: &[f64], after: &mut [f64]) {
        for s in 0..after.len() {
            let mut sum = before[s];
            if s > 0 {
                sum = log_add(sum, before[s - 1]);
            }
            if self.all.skips(self.labels, s) {
                sum = log_add(sum, before[s - 2]);
            }
            after[s] = sum + self.log_prob(t, s);
        }
    }

    fn begin(&self, first: &mut [f64]) {
        first.fill(f64::NEG_INFINITY);
        for s in 0..first.len().min(2) {
            first[s] = self.log_prob(0, s);
        }
    }

    /// The log-likelihood from the last step's places: ending on the last label or the blank behind it.
    fn likelihood(last: &[f64]) -> f64 {
        let n = last.len();
        if n > 1 { log_add(last[n - 1], last[n - 2]) } else { last[n - 1] }
    }

    fn loss(&self) -> Result<f64> {
        if self.steps == 0 {
            return Ok(if self.labels.is_empty() { 0.0 } else { f64::INFINITY });
        }
        let mut rows = Scratch::<f64>::new(NAME, 2 * self.places())?;
        let (mut before, mut after) = rows.split_at_mut(self.places());
        self.begin(before);
        for t in 1..self.steps {
            self.advance(t, before, after);
            std::mem::swap(&mut before, &mut after);
        }
        Ok(-Self::likelihood(before))
    }

    /// Adds `-scale` times the probability of emitting each class at each step, given the labels.
    fn gradient(&self, scale: f64, dx: &mut [T]) -> Result<()> {
        let (steps, places) = (self.steps, self.places());
        if steps == 0 {
            return Ok(());
        }
        let mut alphas = Scratch::<f64>::new(NAME, steps.saturating_mul(places))?;
        self.begin(&mut alphas[..places]);
        for t in 1..steps {
            let (done, rest) = alphas.split_at_mut(t * places);
            self.advance(t, &done[(t - 1) * places..], &mut rest[..places]);
        }
        let total = Self::likelihood(&alphas[(steps - 1) * places..]);
        if total == f64::NEG_INFINITY && self.all.zero_infinity {
            return Ok(());
        }
        // beta: log-probability of what follows step t from place s.
        let mut betas = Scratch::<f64>::new(NAME, 2 * places)?;
        let (mut beta, mut next) = betas.split_at_mut(places);
        beta.fill(f64::NEG_INFINITY);
        beta[places.saturating_sub(2)..].fill(0.0);
        let mut posterior = Scratch::<f64>::new(NAME, self.classes)?;
        for t in (0..steps).rev() {
            posterior.fill(0.0);
            for (s, (alpha, beta)) in alphas[t * places..][..places].iter().zip(&*beta).enumerate() {
                posterior[self.all.class(self.labels, s)] += (alpha + beta - total).exp();
            }
            for (dx, p) in dx[t * self.classes..].iter_mut().zip(posterior.iter()) {
                *dx = T::from_scalar(Scalar::Float(-scale * p));
            }
            if t == 0 {
                break;
            }
            for s in 0..places {
                let mut sum = beta[s] + self.log_prob(t, s);
                if s + 1 < places {
                    sum = log_add(sum, beta[s + 1] + self.log_prob(t, s + 1));
                }
                if s + 2 < places && self.all.skips(self.labels, s + 2) {
                    sum = log_add(sum, beta[s + 2] + self.log_prob(t, s + 2));
                }
                next[s] = sum;
            }
            std::mem::swap(&mut beta, &mut next);
        }
        Ok(())
    }
}

/// Input: log-probabilities `(N, T, C)`. Output: losses `(N,)`, or with their gradients as second input those of the input.
#[derive(Debug, Clone)]
struct Ctc {
    labels: Arc<Labels>,
    backward: bool,
}

impl Ctc {
    fn sample<'a, T>(&'a self, x: &'a [T], shape: &[usize], n: usize) -> Sample<'a, T> {
        let log_probs = &x[n * shape[1] * shape[2]..][..shape[1] * shape[2]];
        let (labels, steps) = (self.labels.of(n), self.labels.steps[n]);
        Sample { log_probs, classes: shape[2], steps, labels, all: &self.labels }
    }
}

impl Gradient for Ctc {
    fn name(&self) -> &'static str {
        NAME
    }
    fn saves(&self) -> Saves {
        Saves::inputs(1)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        if self.backward {
            return Err(Error::grad(NAME, "has no second derivative"));
        }
        let back = Ctc { backward: true, ..self.clone() };
        Ok(smallvec![Some(apply1(back, &[saved.input(0)?, &copy::contiguous(only(dy)?)?])?)])
    }
}

impl Op for Ctc {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let shape = if self.backward { inputs[0].shape() } else { &inputs[0].shape()[..1] };
        Ok(smallvec![Spec::new(shape, inputs[0].dtype())])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let shape = inputs[0].shape();
        dispatch!(inputs[0].dtype(), NAME, [wide], T => {
            let (x, out) = (inputs[0].slice::<T>()?, outputs[0].slice_mut::<T>()?);
            if !self.backward {
                return for_each_item(out.iter_mut().enumerate(), |(n, loss)| {
                    let value = self.sample(x, shape, n).loss()?;
                    let impossible = value == f64::INFINITY && self.labels.zero_infinity;
                    *loss = T::from_scalar(Scalar::Float(if impossible { 0.0 } else { value }));
                    Ok(())
                });
            }
            let dy = inputs[1].slice::<T>()?;
            out.fill(T::default());
            for_each_item(out.chunks_mut((shape[1] * shape[2]).max(1)).enumerate(), |(n, dx)| {
                self.sample(x, shape, n).gradient(dy[n] as f64, dx)
            })
        })
    }
}

/// The values of an integer tensor.
fn integers(what: &str, x: &Tensor) -> Result<Vec<i64>> {
    if !x.dtype().is_int() {
        return Err(Error::dtype(NAME, format!("expected {what} of an integer type, got {}", x.dtype())));
    }
    let x = copy::contiguous(&cast::astype(x, DType::I64)?)?;
    let mut values = Vec::new();
    let full = |_| Error::memory(NAME, format!("cannot hold {} {what}", x.numel()));
    values.try_reserve_exact(x.numel()).map_err(full)?;
    values.extend_from_slice(x.slice::<i64>()?);
    Ok(values)
}

/// Lengths as sizes: one a sample, none above `most`.
fn lengths(what: &str, x: &Tensor, samples: usize, most: usize) -> Result<Vec<usize>> {
    let values = integers(what, x)?;
    if values.len() != samples {
        return Err(Error::value(NAME, format!("expected {samples} {what}, got {}", values.len())));
    }
    let size = |&v: &i64| {
        let fits = usize::try_from(v).ok().filter(|&v| v <= most);
        fits.ok_or_else(|| Error::value(NAME, format!("expected {what} in [0, {most}], got {v}")))
    };
    values.iter().map(size).collect()
}

/// Collects the labels of all samples from `(N, S)` or, one after the other, `(sum of lengths,)`.
fn labels(targets: &Tensor, counts: &[usize], classes: usize, blank: i64) -> Result<(Vec<usize>, Vec<usize>)> {
    let values = integers("targets", targets)?;
    let total = counts.iter().try_fold(0usize, |sum, &n| sum.checked_add(n)).unwrap_or(usize::MAX);
    let fits = match targets.shape() {
        [n, _] => *n == counts.len(),
        [n] => *n == total,
        _ => false,
    };
    if !fits {
        let got = shape::display(targets.shape());
        let message = format!("expected targets ({}, S) or ({total},), got {got}", counts.len());
        return Err(Error::shape(NAME, message));
    }
    let stride = if targets.rank() == 2 { Some(targets.shape()[1]) } else { None };
    let (mut all, mut starts, mut at) = (Vec::new(), vec![0], 0);
    for (n, &count) in counts.iter().enumerate() {
        let first = stride.map_or(at, |stride| n * stride);
        for (i, &label) in values[first..first + count].iter().enumerate() {
            if label < 0 || label >= classes as i64 || label == blank {
                let message = format!(
                    "target {label} at label {i} of sample {n}, expected a class in [0, {classes}) other than the blank {blank}"
                );
                return Err(Error::index(NAME, message));
            }
            all.push(label as usize);
        }
        at += count;
        starts.push(all.len());
    }
    Ok((all, starts))
}

/// The CTC loss of log-probabilities `(T, N, C)` or `(T, C)`. The mean divides each loss by its number of labels first.
pub fn ctc_loss(
    log_probs: &Tensor,
    targets: &Tensor,
    input_lengths: &Tensor,
    target_lengths: &Tensor,
    options: &CtcOptions,
) -> Result<Tensor> {
    expect_float(NAME, log_probs)?;
    if log_probs.rank() == 2 {
        let (x, t) = (movement::expand_dims(log_probs, &[1])?, movement::reshape(targets, &[1, targets.numel()])?);
        let one = |x: &Tensor| movement::reshape(x, &[1]);
        if input_lengths.numel() != 1 || target_lengths.numel() != 1 {
            return Err(Error::value(NAME, "expected one input length and one target length"));
        }
        let loss = ctc_loss(&x, &t, &one(input_lengths)?, &one(target_lengths)?, options)?;
        return if loss.rank() == 1 { movement::squeeze(&loss, &[0]) } else { Ok(loss) };
    }
    let &[steps, samples, classes] = log_probs.shape() else {
        let got = shape::display(log_probs.shape());
        return Err(Error::shape(NAME, format!("expected log-probabilities (T, N, C) or (T, C), got {got}")));
    };
    if options.blank < 0 || options.blank >= classes as i64 {
        return Err(Error::value(NAME, format!("expected blank in [0, {classes}), got {}", options.blank)));
    }
    let most = if targets.rank() == 2 { targets.shape()[1] } else { targets.numel() };
    let counts = lengths("target_lengths", target_lengths, samples, most)?;
    let (labels, starts) = labels(targets, &counts, classes, options.blank)?;
    let steps = lengths("input_lengths", input_lengths, samples, steps)?;
    let blank = options.blank as usize;
    let labels = Arc::new(Labels { labels, starts, steps, blank, zero_infinity: options.zero_infinity });
    let wide = cast::astype(log_probs, log_probs.dtype().compute())?;
    let by_sample = copy::contiguous(&movement::permute(&wide, &[1, 0, 2])?)?;
    let mut losses = apply1(Ctc { labels, backward: false }, &[&by_sample])?;
    if options.reduction == Reduction::Mean {
        let divisors: Vec<f64> = counts.iter().map(|&n| n.max(1) as f64).collect();
        losses = losses.divide(&cast::astype(&Tensor::from_slice(&divisors, &[samples])?, losses.dtype())?)?;
    }
    cast::astype(&options.reduction.of(&losses)?, log_probs.dtype())
}
