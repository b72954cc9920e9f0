//! Optimizer steps: one pass over parameter, gradient and state of all tensors of a group, in place where nobody else
//! holds them. These write, so they are not ops of the graph; the gradient's scale (clipping) is folded in.

mod cpu;

use super::{copy, create};
use crate::device::Device;
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::shape;
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Stochastic gradient descent with momentum: `m = momentum m + (1 - dampening) g; p -= lr m` (Nesterov: `g + momentum m`).
#[derive(Debug, Clone, Copy)]
pub struct Sgd {
    pub lr: f64,
    pub momentum: f64,
    pub dampening: f64,
    pub weight_decay: f64,
    pub nesterov: bool,
    pub maximize: bool,
}

/// Adam (Kingma and Ba, 2015); `decoupled` weight decay makes it AdamW (Loshchilov and Hutter, 2019).
#[derive(Debug, Clone, Copy)]
pub struct Adam {
    pub lr: f64,
    pub betas: [f64; 2],
    pub eps: f64,
    pub weight_decay: f64,
    pub decoupled: bool,
    pub maximize: bool,
}

fn mismatch(op: &str, i: usize, what: &str, want: &Tensor, got: &Tensor) -> Error {
    let describe = |x: &Tensor| format!("{} {} on {}", x.dtype(), shape::display(x.shape()), x.device());
    Error::shape(
        op,
        format!("{what} {i} does not fit its parameter, expected {}, got {}", describe(want), describe(got)),
    )
}

fn same(a: &Tensor, b: &Tensor) -> bool {
    a.shape() == b.shape() && a.dtype() == b.dtype() && a.device() == b.device()
}

/// Everything is checked before anything is written.
fn check(op: &str, parameters: &[Tensor], gradients: &[Tensor], states: &[(&str, Vec<Option<&Tensor>>)]) -> Result<()> {
    let lengths = states.iter().map(|(what, list)| (*what, list.len()));
    for (what, length) in std::iter::once(("gradients", gradients.len())).chain(lengths) {
        if length != parameters.len() {
            return Err(Error::value(
                op,
                format!("expected {} {what}, one a parameter, got {length}", parameters.len()),
            ));
        }
    }
    for (i, (p, g)) in parameters.iter().zip(gradients).enumerate() {
        if !p.dtype().is_float() {
            return Err(Error::dtype(
                op,
                format!("parameter {i}: expected a real floating-point type, got {}", p.dtype()),
            ));
        }
        if p.device() != Device::Cpu {
            let message = format!("no kernel for this device yet, expected cpu, got {}", p.device());
            return Err(Error::device(op, message));
        }
        if !same(p, g) {
            return Err(mismatch(op, i, "gradient", p, g));
        }
        for (what, list) in states {
            if let Some(state) = list[i].filter(|state| !same(p, state)) {
                return Err(mismatch(op, i, what, p, state));
            }
        }
    }
    Ok(())
}

const FLOATS: [DType; 4] = [DType::F32, DType::F64, DType::F16, DType::BF16];

/// One step of gradient descent. Momenta that are `None` begin as the gradient itself.
pub fn sgd(
    rule: &Sgd,
    parameters: &mut [Tensor],
    gradients: &[Tensor],
    momenta: &mut [Option<Tensor>],
    scale: f64,
) -> Result<()> {
    let op = "sgd";
    check(op, parameters, gradients, &[("momentum", momenta.iter().map(Option::as_ref).collect())])?;
    let gradients = gradients.iter().map(copy::contiguous).collect::<Result<Vec<_>>>()?;
    let mut fresh: SmallVec<[bool; 16]> = SmallVec::new();
    for (m, p) in momenta.iter_mut().zip(parameters.iter()) {
        fresh.push(m.is_none());
        if m.is_none() && rule.momentum != 0.0 {
            *m = Some(create::zeros_like(p)?);
        }
    }
    for dtype in FLOATS {
        dispatch!(dtype, op, [float], T => {
            let mut parts = Vec::new();
            for (i, (p, m)) in parameters.iter_mut().zip(momenta.iter_mut()).enumerate() {
                if p.dtype() != dtype {
                    continue;
                }
                let p = p.make_mut::<T>()?;
                let step = cpu::SgdStep::new(rule, scale, fresh[i]);
                match m {
                    Some(m) if rule.momentum != 0.0 => cpu::cut(&mut parts, step, p, gradients[i].slice()?, [m.make_mut()?])?,
                    _ => cpu::cut(&mut parts, step, p, gradients[i].slice()?, [&mut []])?,
                }
            }
            cpu::run(parts)
        })?;
    }
    Ok(())
}

/// One Adam step; `steps[i]` counts the steps of parameter `i`, this one included.
pub fn adam(
    rule: &Adam,
    parameters: &mut [Tensor],
    gradients: &[Tensor],
    means: &mut [Tensor],
    squares: &mut [Tensor],
    steps: &[u64],
    scale: f64,
) -> Result<()> {
    let op = if rule.decoupled { "adamw" } else { "adam" };
    let states = [("exp_avg", means.iter().map(Some).collect()), ("exp_avg_sq", squares.iter().map(Some).collect())];
    check(op, parameters, gradients, &states)?;
    if steps.len() != parameters.len() || steps.contains(&0) {
        return Err(Error::value(op, format!("expected {} step counts >= 1, got {steps:?}", parameters.len())));
    }
    let gradients = gradients.iter().map(copy::contiguous).collect::<Result<Vec<_>>>()?;
    for dtype in FLOATS {
        dispatch!(dtype, op, [float], T => {
            let mut parts = Vec::new();
            let tensors = parameters.iter_mut().zip(means.iter_mut().zip(squares.iter_mut())).enumerate();
            for (i, (p, (m, v))) in tensors.filter(|(_, (p, _))| p.dtype() == dtype) {
                let step = cpu::AdamStep::new(rule, scale, steps[i]);
                cpu::cut(&mut parts, step, p.make_mut::<T>()?, gradients[i].slice()?, [m.make_mut()?, v.make_mut()?])?;
            }
            cpu::run(parts)
        })?;
    }
    Ok(())
}

/// The Euclidean norm of all tensors together, summed in f64 over a fixed tree.
pub fn global_norm(tensors: &[Tensor]) -> Result<f64> {
    let op = "global_norm";
    let mut sums = Vec::new();
    for x in tensors {
        let x = copy::contiguous(&x.detach())?;
        dispatch!(x.dtype(), op, [float], T => cpu::square_sums::<T>(x.slice()?, &mut sums))?;
    }
    Ok(cpu::tree_sum(sums).sqrt())
}

#[cfg(test)]
mod tests;
