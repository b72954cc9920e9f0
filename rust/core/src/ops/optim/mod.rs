//! Optimizer steps: one pass over parameter, gradient and states of all tensors of a group, in place where nobody else
//! holds them. These write, so they are not ops of the graph; the gradient's scale (clipping) is folded in.

mod adagrad;
mod adam;
mod average;
mod cpu;
mod norm;
mod rule;
mod sgd;
mod walk;

pub use norm::global_norm;
pub use rule::Rule;

use super::{copy, host_only};
use crate::autograd;
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::profile::{self, Work};
use crate::shape;
use crate::tensor::Tensor;
use rule::STATES;
use smallvec::SmallVec;

/// Every rule there is.
const FAMILIES: [&[Rule]; 4] = [sgd::RULES, adam::RULES, adagrad::RULES, average::RULES];

fn mismatch(op: &str, i: usize, what: &str, want: &Tensor, got: &Tensor) -> Error {
    let describe = |x: &Tensor| format!("{} {} on {}", x.dtype(), shape::display(x.shape()), x.device());
    Error::shape(
        op,
        format!("{what} {i} does not fit its parameter, expected {}, got {}", describe(want), describe(got)),
    )
}

/// Everything is checked before anything is written.
fn check(
    rule: &Rule,
    parameters: &[Tensor],
    gradients: &[Tensor],
    states: &[Vec<Tensor>],
    rows: Option<&Tensor>,
) -> Result<()> {
    let op = rule.name;
    if states.len() != rule.states.len() {
        let message = format!(
            "expected {} lists of states ({}), got {}",
            rule.states.len(),
            rule.states.join(", "),
            states.len()
        );
        return Err(Error::value(op, message));
    }
    for (i, p) in parameters.iter().enumerate() {
        if !p.dtype().is_float() {
            let message = format!("parameter {i}: expected a real floating-point type, got {}", p.dtype());
            return Err(Error::dtype(op, message));
        }
        host_only(op, p)?;
    }
    if let Some((missing, _)) = rule.states[..rule.required].iter().zip(states).find(|(_, list)| list.is_empty()) {
        let message = format!("{missing}: expected {} tensors, one a parameter, got none", parameters.len());
        return Err(Error::value(op, message));
    }
    let kept = rule.states.iter().copied().zip(states.iter().map(Vec::as_slice)).filter(|(_, list)| !list.is_empty());
    let whole = match (rows, parameters, gradients) {
        (None, ..) => Some(("gradient", gradients)),
        (Some(index), [parameter], [values]) => {
            autograd::check_rows(op, parameter, index, values)?;
            None
        }
        _ => {
            let message =
                format!("rows: expected one parameter and gradient, got {} and {}", parameters.len(), gradients.len());
            return Err(Error::value(op, message));
        }
    };
    for (what, list) in whole.into_iter().chain(kept) {
        if list.len() != parameters.len() {
            let message = format!("{what}: expected {} tensors, one a parameter, got {}", parameters.len(), list.len());
            return Err(Error::value(op, message));
        }
        for (i, (p, x)) in parameters.iter().zip(list).enumerate() {
            if p.shape() != x.shape() || p.dtype() != x.dtype() || p.device() != x.device() {
                return Err(mismatch(op, i, what, p, x));
            }
        }
    }
    Ok(())
}

/// One step of a rule. `states` holds a list for each of the rule's states, empty where it is not kept: it reads 0 then.
///
/// Numbers are given by name; `rule.numbers` are needed, and `scale` (of the gradient, 1), `weight_decay` and `l1_decay`
/// (added to the gradient, 0) and `shrink` (factor of the parameter, 1) are known to every rule.
///
/// With `rows` there is one parameter: only the rows of that number change, and the gradient has only these.
pub fn step(
    rule: &Rule,
    numbers: &[(impl AsRef<str>, f64)],
    parameters: &mut [Tensor],
    gradients: &[Tensor],
    states: &mut [Vec<Tensor>],
    rows: Option<&Tensor>,
) -> Result<()> {
    let kept = match (profile::is_on(), rows) {
        (false, _) => 0,
        (true, None) => profile::bytes(&*parameters) + profile::bytes(states.iter().flatten()),
        (true, Some(_)) => profile::bytes(gradients) * (1 + states.iter().flatten().count() as u64),
    };
    profile::observe(
        rule.name,
        |()| Work { bytes_in: kept + profile::bytes(gradients), bytes_out: kept, flops: 0 },
        || update(rule, numbers, parameters, gradients, states, rows),
    )
}

fn update(
    rule: &Rule,
    numbers: &[(impl AsRef<str>, f64)],
    parameters: &mut [Tensor],
    gradients: &[Tensor],
    states: &mut [Vec<Tensor>],
    rows: Option<&Tensor>,
) -> Result<()> {
    check(rule, parameters, gradients, states, rows)?;
    let numbers = rule.prepare(numbers)?;
    let rows = rows.map(copy::contiguous).transpose()?;
    let gradients = gradients.iter().map(copy::contiguous).collect::<Result<Vec<_>>>()?;
    for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16] {
        dispatch!(dtype, rule.name, [float], T => {
            let mut parts = Vec::new();
            let mut lists: SmallVec<[_; STATES]> = states.iter_mut().map(|list| list.iter_mut()).collect();
            for (p, g) in parameters.iter_mut().zip(&gradients) {
                let mut own: [&mut [T]; STATES] = Default::default();
                for (state, list) in own.iter_mut().zip(&mut lists) {
                    match list.next() {
                        Some(tensor) if tensor.dtype() == dtype => *state = tensor.make_mut()?,
                        _ => {}
                    }
                }
                match &rows {
                    _ if p.dtype() != dtype => {}
                    None => cpu::cut(&mut parts, p.make_mut()?, g.slice()?, own)?,
                    Some(rows) => cpu::run_rows(rule, &numbers, rows.slice()?, p.make_mut()?, g.slice()?, own)?,
                }
            }
            cpu::run(rule, &numbers, parts)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
