//! The steps themselves. Tensors are cut into parts; a part knows its rule, so that all run in one parallel region.

use super::{Adam, Sgd};
use crate::cpu::level::leveled;
use crate::cpu::parts::for_each_item;
use crate::cpu::pool::for_each_chunk;
use crate::dtype::{Element, bf16, f16};
use crate::error::{Error, Result};

/// Elements per task.
const GRAIN: usize = 16 * 1024;
/// Elements per step where halves pass through f32.
const STEP: usize = 256;

/// The same places of a parameter, its gradient and its `N` states.
pub struct Part<'a, S, T, const N: usize> {
    step: S,
    p: &'a mut [T],
    g: &'a [T],
    states: [&'a mut [T]; N],
}

/// A rule with its numbers worked out for one tensor, applied to elements of type `T`.
pub trait Rule<T, const N: usize>: Copy + Send {
    fn apply(self, p: &mut [T], g: &[T], states: [&mut [T]; N]);
}

/// Adds a tensor's parts to the list. States may be empty slices where the rule has none.
pub fn cut<'a, S: Copy, T: Element, const N: usize>(
    parts: &mut Vec<Part<'a, S, T, N>>,
    step: S,
    p: &'a mut [T],
    g: &'a [T],
    states: [&'a mut [T]; N],
) -> Result<()> {
    let full = |_| Error::memory("optimizer", "cannot list the parts of the parameters");
    parts.try_reserve(p.len().div_ceil(GRAIN)).map_err(full)?;
    let mut states = states.map(|state| state.chunks_mut(GRAIN));
    for (p, g) in p.chunks_mut(GRAIN).zip(g.chunks(GRAIN)) {
        let states = states.each_mut().map(|chunks| chunks.next().unwrap_or_default());
        parts.push(Part { step, p, g, states });
    }
    Ok(())
}

/// Applies every part's rule; little work stays on the calling thread.
pub fn run<S: Rule<T, N>, T: Element, const N: usize>(parts: Vec<Part<'_, S, T, N>>) -> Result<()> {
    let total: usize = parts.iter().map(|part| part.p.len()).sum();
    let apply = |part: Part<S, T, N>| part.step.apply(part.p, part.g, part.states);
    if total <= GRAIN {
        parts.into_iter().for_each(apply);
        return Ok(());
    }
    for_each_item(parts.into_iter(), |part| {
        apply(part);
        Ok(())
    })
}

#[derive(Clone, Copy)]
pub struct SgdStep {
    lr: f64,
    momentum: f64,
    keep: f64,
    decay: f64,
    nesterov: bool,
    scale: f64,
}

impl SgdStep {
    /// A fresh momentum starts as the whole gradient.
    pub fn new(rule: &Sgd, scale: f64, fresh: bool) -> SgdStep {
        SgdStep {
            lr: rule.lr,
            momentum: rule.momentum,
            keep: if fresh { 1.0 } else { 1.0 - rule.dampening },
            decay: rule.weight_decay,
            nesterov: rule.nesterov,
            scale: if rule.maximize { -scale } else { scale },
        }
    }
}

#[derive(Clone, Copy)]
pub struct AdamStep {
    betas: [f64; 2],
    eps: f64,
    /// `lr / (1 - beta1^t)` and `1 / sqrt(1 - beta2^t)`.
    size: f64,
    correction: f64,
    /// What the gradient takes from the parameter, and what of the parameter stays.
    decay: f64,
    shrink: f64,
    scale: f64,
}

impl AdamStep {
    pub fn new(rule: &Adam, scale: f64, step: u64) -> AdamStep {
        let bias = rule.betas.map(|beta| 1.0 - beta.powf(step as f64));
        AdamStep {
            betas: rule.betas,
            eps: rule.eps,
            size: rule.lr / bias[0],
            correction: 1.0 / bias[1].sqrt(),
            decay: if rule.decoupled { 0.0 } else { rule.weight_decay },
            shrink: if rule.decoupled { 1.0 - rule.lr * rule.weight_decay } else { 1.0 },
            scale: if rule.maximize { -scale } else { scale },
        }
    }
}

macro_rules! wide {
    ($t:ident, $sgd:ident, $adam:ident, $squares:ident) => {
        leveled! {
            fn $sgd(step: SgdStep, p: &mut [$t], g: &[$t], m: &mut [$t]) {
                let (lr, decay, scale) = (step.lr as $t, step.decay as $t, step.scale as $t);
                let (momentum, keep) = (step.momentum as $t, step.keep as $t);
                if m.is_empty() {
                    for (p, &g) in p.iter_mut().zip(g) {
                        *p -= lr * (g * scale + decay * *p);
                    }
                    return;
                }
                for ((p, &g), m) in p.iter_mut().zip(g).zip(m) {
                    let g = g * scale + decay * *p;
                    *m = momentum * *m + keep * g;
                    *p -= lr * if step.nesterov { g + momentum * *m } else { *m };
                }
            }

            fn $adam(step: AdamStep, p: &mut [$t], g: &[$t], m: &mut [$t], v: &mut [$t]) {
                let [b1, b2] = step.betas.map(|beta| beta as $t);
                let [c1, c2] = step.betas.map(|beta| (1.0 - beta) as $t);
                let (size, correction, eps) = (step.size as $t, step.correction as $t, step.eps as $t);
                let (decay, shrink, scale) = (step.decay as $t, step.shrink as $t, step.scale as $t);
                for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                    let g = g * scale + decay * *p;
                    *m = b1 * *m + c1 * g;
                    *v = b2 * *v + c2 * (g * g);
                    *p = shrink * *p - size * (*m / (v.sqrt() * correction + eps));
                }
            }

            fn $squares(x: &[$t]) -> f64 {
                let mut lanes = [0f64; 16];
                let (whole, rest) = x.as_chunks::<16>();
                for x in whole {
                    lanes.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x as f64 * x as f64);
                }
                let tail = rest.iter().map(|&x| x as f64 * x as f64).sum::<f64>();
                lanes.iter().sum::<f64>() + tail
            }
        }

        impl Rule<$t, 1> for SgdStep {
            fn apply(self, p: &mut [$t], g: &[$t], [m]: [&mut [$t]; 1]) {
                $sgd(self, p, g, m)
            }
        }
        impl Rule<$t, 2> for AdamStep {
            fn apply(self, p: &mut [$t], g: &[$t], [m, v]: [&mut [$t]; 2]) {
                $adam(self, p, g, m, v)
            }
        }
        impl Squared for $t {
            fn squares(x: &[$t]) -> f64 {
                $squares(x)
            }
        }
    };
}
wide!(f32, sgd_f32, adam_f32, squares_f32);
wide!(f64, sgd_f64, adam_f64, squares_f64);

/// Halves pass through f32, a few at a time.
macro_rules! narrow {
    ($($t:ident),*) => { $(
        impl<const N: usize, S: Rule<f32, N>> Rule<$t, N> for S {
            fn apply(self, p: &mut [$t], g: &[$t], mut states: [&mut [$t]; N]) {
                let mut wide = [[0f32; STEP]; 2];
                let mut wide_states = [[0f32; STEP]; N];
                for start in (0..p.len()).step_by(STEP) {
                    let len = STEP.min(p.len() - start);
                    let part = |x: &[$t], wide: &mut [f32; STEP]| {
                        // An absent state is an empty slice and stays one.
                        x.iter().skip(start).take(len).zip(wide).map(|(x, wide)| *wide = x.to_f32()).count()
                    };
                    let [wide_p, wide_g] = &mut wide;
                    part(p, wide_p);
                    part(g, wide_g);
                    let mut counts = [0; N];
                    for k in 0..N {
                        counts[k] = part(states[k], &mut wide_states[k]);
                    }
                    let mut filled = counts.into_iter();
                    let views = wide_states.each_mut().map(|wide| &mut wide[..filled.next().unwrap_or(0)]);
                    self.apply(&mut wide_p[..len], &wide_g[..len], views);
                    let back = |x: &mut [$t], wide: &[f32; STEP]| {
                        x.iter_mut().skip(start).take(len).zip(wide).for_each(|(x, &wide)| *x = $t::from_f32(wide));
                    };
                    back(p, wide_p);
                    states.iter_mut().zip(&wide_states).for_each(|(x, wide)| back(x, wide));
                }
            }
        }
        impl Squared for $t {
            fn squares(x: &[$t]) -> f64 {
                x.iter().map(|x| x.to_f64() * x.to_f64()).sum()
            }
        }
    )* };
}
narrow!(f16, bf16);

/// A type whose squares are summed in f64.
pub trait Squared: Element {
    fn squares(x: &[Self]) -> f64;
}

/// Adds the sum of squares of every part to the list.
pub fn square_sums<T: Squared>(x: &[T], sums: &mut Vec<f64>) -> Result<()> {
    let (first, count) = (sums.len(), x.len().div_ceil(GRAIN));
    let full = |_| Error::memory("global_norm", "cannot list the parts of the tensors");
    sums.try_reserve(count).map_err(full)?;
    sums.resize(first + count, 0.0);
    for_each_chunk(&mut sums[first..], 1, |i, sum| {
        let start = i * GRAIN;
        sum[0] = T::squares(&x[start..(start + GRAIN).min(x.len())]);
    })
}

/// Neighbours added pairwise until one is left.
pub fn tree_sum(mut sums: Vec<f64>) -> f64 {
    while sums.len() > 1 {
        for i in 0..sums.len().div_ceil(2) {
            sums[i] = sums[2 * i] + sums.get(2 * i + 1).copied().unwrap_or(0.0);
        }
        sums.truncate(sums.len().div_ceil(2));
    }
    sums.first().copied().unwrap_or(0.0)
}
