//! Reverse-mode differentiation: what an op declares, when it is recorded, and how gradients flow back.

pub mod backward;
#[cfg(test)]
pub mod gradcheck;
pub mod graph;
mod rows;

pub use backward::{Options, backward, gradients};
pub use graph::{Held, Link, Node, Saved};
pub use rows::{RowGradient, check_rows};

use crate::dtype::Kind;
use crate::error::{Error, Result};
use crate::ops::Outputs;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::cell::Cell;
use std::sync::Arc;

/// One gradient per input; `None` where the input needs none or has a zero gradient.
pub type Grads = SmallVec<[Option<Tensor>; 2]>;

/// The differentiable side of an op: its name, what backward reads, and the rule itself.
pub trait Gradient: std::fmt::Debug + Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// Which inputs and outputs `backward` reads; nothing else is kept alive.
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    /// Gradients of the inputs from those of the outputs (`None`: that output was not used).
    /// Written in tensor ops, it can itself be differentiated.
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads>;

    /// The gradient of the first input, the only one that has any, where it is zero but for some rows.
    fn rows(&self, _saved: &Saved, _dy: &[Option<Tensor>]) -> Result<Option<RowGradient>> {
        Ok(None)
    }
}

/// Bit sets of the inputs and outputs that backward reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saves {
    pub inputs: u32,
    pub outputs: u32,
}

impl Saves {
    pub const NOTHING: Saves = Saves { inputs: 0, outputs: 0 };
    pub const INPUTS: Saves = Saves { inputs: u32::MAX, outputs: 0 };
    pub const OUTPUTS: Saves = Saves { inputs: 0, outputs: u32::MAX };
    pub const ALL: Saves = Saves { inputs: u32::MAX, outputs: u32::MAX };

    pub const fn inputs(mask: u32) -> Saves {
        Saves { inputs: mask, outputs: 0 }
    }
}

/// The gradient of an op that has none: an error that names it, never a silent zero.
pub fn not_differentiable(op: &str) -> Result<Grads> {
    Err(Error::grad(op, "this op has no gradient; use detach() on its input if none is wanted"))
}

/// The single output gradient of an op with one output.
pub fn only(dy: &[Option<Tensor>]) -> Result<&Tensor> {
    dy.first().and_then(Option::as_ref).ok_or_else(|| Error::internal("backward", "no output gradient"))
}

/// A one-element gradient list.
pub fn one(dx: Tensor) -> Result<Grads> {
    Ok(SmallVec::from_buf_and_len([Some(dx), None], 1))
}

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
}

/// Whether operations on this thread are recorded.
pub fn is_grad_enabled() -> bool {
    RECORDING.get()
}

pub fn set_grad_enabled(on: bool) {
    RECORDING.set(on);
}

/// Runs `body` with recording switched on or off, whatever way it ends.
pub fn with_grad<R>(on: bool, body: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDING.set(self.0);
        }
    }
    let _restore = Restore(RECORDING.replace(on));
    body()
}

pub fn no_grad<R>(body: impl FnOnce() -> R) -> R {
    with_grad(false, body)
}

/// Whether a result of these inputs belongs into the graph.
pub fn must_record(inputs: &[&Tensor]) -> bool {
    RECORDING.get() && inputs.iter().any(|x| x.requires_grad())
}

/// Ties outputs to their inputs. Integer and bool outputs stay outside the graph; complex ones are refused.
pub fn record(op: Arc<dyn Gradient>, inputs: &[&Tensor], outputs: Outputs) -> Result<Outputs> {
    if outputs.iter().any(|y| y.dtype().kind() == Kind::Complex) {
        let message = "gradients through complex tensors are not supported, expected real operands or detach()";
        return Err(Error::dtype(op.name(), message));
    }
    if outputs.iter().all(|y| y.dtype().kind() != Kind::Float) {
        return Ok(outputs);
    }
    let node = Node::inner(op, inputs, &outputs);
    let link = |(i, y): (usize, Tensor)| match y.dtype().kind() {
        Kind::Float => y.with_link(Some(Link { node: node.clone(), index: i as u32 })),
        _ => y,
    };
    Ok(outputs.into_iter().enumerate().map(link).collect())
}
