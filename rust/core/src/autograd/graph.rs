//! Nodes of the recorded graph. They are dropped iteratively: a million-node chain must not overflow the stack.

use super::{Gradient, RowGradient, no_grad};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::{Outputs, Spec, binary};
use crate::shape::Shape;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Ties a tensor to the node that made it.
#[derive(Clone)]
pub struct Link {
    pub node: Arc<Node>,
    pub index: u32,
}

/// Called with a gradient on its way back; may replace it.
pub type Hook = Arc<dyn Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync>;

/// A leaf, or one application of an op.
pub struct Node {
    /// Later nodes have higher numbers, so descending order is a valid order of traversal.
    pub(super) sequence: u64,
    pub(super) body: Body,
    hooks: Mutex<Vec<(u64, u32, Hook)>>,
    grads: Mutex<SmallVec<[(u32, Held); 1]>>,
    retains: AtomicBool,
}

pub(super) enum Body {
    Leaf,
    Inner { op: Arc<dyn Gradient>, edges: SmallVec<[Edge; 2]>, outputs: SmallVec<[Spec; 1]>, saved: Mutex<Kept> },
}

/// An input of a node: what its gradient must look like, and where it goes.
pub(super) struct Edge {
    pub link: Option<Link>,
    pub shape: Shape,
    pub dtype: DType,
}

/// Tensors kept for backward; lists that would hold none are empty. Outputs are kept without their link, which would be
/// a cycle.
pub(super) enum Kept {
    Live { inputs: Vec<Option<Tensor>>, outputs: Vec<Option<Tensor>> },
    Freed,
}

/// An accumulated gradient.
#[derive(Clone)]
pub enum Held {
    Whole(Tensor),
    Rows(RowGradient),
}

impl Held {
    fn add(self, other: Held) -> Result<Held> {
        Ok(match (self, other) {
            (Held::Rows(rows), Held::Rows(others)) => match rows.join(others) {
                rows if rows.is_small() => Held::Rows(rows),
                rows => Held::Whole(rows.whole()?),
            },
            (Held::Whole(total), Held::Whole(x)) => Held::Whole(binary::add_onto(total, &x)?),
            (Held::Whole(total), Held::Rows(rows)) | (Held::Rows(rows), Held::Whole(total))
                if total.requires_grad() =>
            {
                Held::Whole(total.add(&rows.whole()?)?)
            }
            (Held::Whole(mut total), Held::Rows(rows)) | (Held::Rows(rows), Held::Whole(mut total)) => {
                rows.add_onto(&mut total)?;
                Held::Whole(total)
            }
        })
    }
}

fn next_id() -> u64 {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// A panic elsewhere must not make a lock unusable: the data behind these is always consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Node {
    fn new(body: Body, retains: bool) -> Arc<Node> {
        Arc::new(Node {
            sequence: next_id(),
            body,
            hooks: Mutex::new(Vec::new()),
            grads: Mutex::new(SmallVec::new()),
            retains: AtomicBool::new(retains),
        })
    }

    pub fn leaf() -> Link {
        Link { node: Node::new(Body::Leaf, true), index: 0 }
    }

    pub(super) fn inner(op: Arc<dyn Gradient>, inputs: &[&Tensor], outputs: &Outputs) -> Arc<Node> {
        let saves = op.saves();
        let wanted = |mask: u32, i: usize| mask == u32::MAX || (i < 32 && mask >> i & 1 == 1);
        let keep = |mask: u32, i: usize, x: &Tensor| wanted(mask, i).then(|| x.clone());
        let several = |mask: u32, count: usize| if mask == 0 { 0 } else { count };
        let edge = |x: &&Tensor| Edge { link: x.link().cloned(), shape: x.shape_owned(), dtype: x.dtype() };
        let kept = Kept::Live {
            inputs: (0..several(saves.inputs, inputs.len())).map(|i| keep(saves.inputs, i, inputs[i])).collect(),
            outputs: (0..several(saves.outputs, outputs.len())).map(|i| keep(saves.outputs, i, &outputs[i])).collect(),
        };
        let edges = inputs.iter().map(edge).collect();
        let outputs = outputs.iter().map(Spec::like).collect();
        Node::new(Body::Inner { op, edges, outputs, saved: Mutex::new(kept) }, false)
    }

    pub fn is_leaf(&self) -> bool {
        matches!(self.body, Body::Leaf)
    }

    /// Name of the op that made this node.
    pub fn name(&self) -> &'static str {
        match &self.body {
            Body::Leaf => "leaf",
            Body::Inner { op, .. } => op.name(),
        }
    }

    /// The gradient as a tensor; rows kept apart become one for good.
    pub fn grad(&self, index: u32) -> Result<Option<Tensor>> {
        let mut grads = lock(&self.grads);
        let Some((_, held)) = grads.iter_mut().find(|(i, _)| *i == index) else { return Ok(None) };
        if let Held::Rows(rows) = held {
            *held = Held::Whole(no_grad(|| rows.whole())?);
        }
        match held {
            Held::Whole(grad) => Ok(Some(grad.clone())),
            Held::Rows(_) => Ok(None),
        }
    }

    /// The rows of a gradient that is kept as such: their numbers, rising, and their values.
    pub fn row_grad(&self, index: u32) -> Result<Option<(Tensor, Tensor)>> {
        match lock(&self.grads).iter_mut().find(|(i, _)| *i == index) {
            Some((_, Held::Rows(rows))) => no_grad(|| rows.merge()).map(Some),
            _ => Ok(None),
        }
    }

    pub fn set_grad(&self, index: u32, grad: Option<Held>) {
        let mut grads = lock(&self.grads);
        grads.retain(|(i, _)| *i != index);
        grads.extend(grad.map(|g| (index, g)));
    }

    /// Takes the gradient out, so that adding to it happens outside the lock.
    fn take_grad(&self, index: u32) -> Option<Held> {
        let mut grads = lock(&self.grads);
        let at = grads.iter().position(|(i, _)| *i == index)?;
        Some(grads.remove(at).1)
    }

    /// Adds to the gradient; what other threads add meanwhile is not lost.
    pub(super) fn accumulate(&self, index: u32, mut grad: Held) -> Result<()> {
        loop {
            if let Some(old) = self.take_grad(index) {
                grad = old.add(grad)?;
            }
            let mut grads = lock(&self.grads);
            if !grads.iter().any(|(i, _)| *i == index) {
                grads.push((index, grad));
                return Ok(());
            }
        }
    }

    /// Keep the gradient of a tensor that is not a leaf.
    pub fn retain_grad(&self) {
        self.retains.store(true, Ordering::Relaxed);
    }

    pub(super) fn retains(&self) -> bool {
        self.retains.load(Ordering::Relaxed)
    }

    /// Adds a hook on one output; the number removes it again.
    pub fn add_hook(&self, index: u32, hook: Hook) -> u64 {
        let id = next_id();
        lock(&self.hooks).push((id, index, hook));
        id
    }

    pub fn remove_hook(&self, id: u64) {
        lock(&self.hooks).retain(|(i, _, _)| *i != id);
    }

    pub(super) fn hooks(&self, index: u32) -> Vec<Hook> {
        let hooks = lock(&self.hooks);
        hooks.iter().filter(|(_, i, _)| *i == index).map(|(_, _, h)| h.clone()).collect()
    }

    /// Gives back what was kept for backward.
    pub(super) fn free(&self) {
        let Body::Inner { saved, .. } = &self.body else { return };
        let mut saved = lock(saved);
        // An op that kept nothing can be walked again.
        let keeps = |kept: &Kept| match kept {
            Kept::Live { inputs, outputs } => inputs.iter().chain(outputs).any(Option::is_some),
            Kept::Freed => false,
        };
        let freed = keeps(&saved).then(|| std::mem::replace(&mut *saved, Kept::Freed));
        drop(saved);
        drop(freed);
    }

    /// The tensors backward reads; an error when an earlier backward gave them back.
    pub(super) fn saved(self: &Arc<Node>) -> Result<Saved> {
        let Body::Inner { op, edges, saved, .. } = &self.body else {
            return Err(Error::internal("backward", "a leaf has nothing saved"));
        };
        let Kept::Live { inputs, outputs } = &*lock(saved) else {
            let message = "the graph was already used and freed; pass retain_graph=True to the first backward";
            return Err(Error::grad(op.name(), message));
        };
        let link = |i: usize| Some(Link { node: self.clone(), index: i as u32 });
        let relink = |(i, y): (usize, &Option<Tensor>)| y.clone().map(|y| y.with_link(link(i)));
        Ok(Saved {
            inputs: inputs.clone(),
            outputs: outputs.iter().enumerate().map(relink).collect(),
            edges: edges.iter().map(|e| (e.link.is_some(), Spec { shape: e.shape.clone(), dtype: e.dtype })).collect(),
        })
    }

    fn drain_into(&mut self, stack: &mut Vec<Arc<Node>>) {
        let tensor = |t: Tensor, stack: &mut Vec<Arc<Node>>| {
            if let Some(link) = t.link() {
                stack.push(link.node.clone());
            }
        };
        if let Body::Inner { edges, saved, .. } = &mut self.body {
            stack.extend(edges.drain(..).filter_map(|e| e.link).map(|l| l.node));
            let kept = std::mem::replace(&mut *lock(saved), Kept::Freed);
            if let Kept::Live { inputs, .. } = kept {
                inputs.into_iter().flatten().for_each(|t| tensor(t, stack));
            }
        }
        for (_, held) in lock(&self.grads).drain(..) {
            if let Held::Whole(t) = held {
                tensor(t, stack);
            }
        }
    }
}

thread_local! {
    /// Nodes waiting to be dropped by the outermost drop on this thread; `None` while no drop is running.
    static DROPPING: RefCell<Option<Vec<Arc<Node>>>> = const { RefCell::new(None) };
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut own = Vec::new();
        self.drain_into(&mut own);
        // An op may own nodes itself (user code in custom gradients): their drops nest, and join the running one.
        let nested = DROPPING.try_with(|d| match d.borrow_mut().as_mut() {
            Some(running) => {
                running.append(&mut own);
                true
            }
            None => false,
        });
        if nested.unwrap_or(false) || own.is_empty() {
            return;
        }
        let _ = DROPPING.try_with(|d| *d.borrow_mut() = Some(own));
        while let Ok(Some(node)) = DROPPING.try_with(|d| d.borrow_mut().as_mut().and_then(Vec::pop)) {
            drop(node);
        }
        let _ = DROPPING.try_with(|d| *d.borrow_mut() = None);
    }
}

/// What an op's backward sees: the saved tensors and the specs of its inputs.
pub struct Saved {
    inputs: Vec<Option<Tensor>>,
    outputs: Vec<Option<Tensor>>,
    edges: SmallVec<[(bool, Spec); 2]>,
}

impl Saved {
    pub fn input(&self, i: usize) -> Result<&Tensor> {
        let missing = || Error::internal("backward", format!("input {i} was not saved"));
        self.inputs.get(i).and_then(Option::as_ref).ok_or_else(missing)
    }

    pub fn output(&self, i: usize) -> Result<&Tensor> {
        let missing = || Error::internal("backward", format!("output {i} was not saved"));
        self.outputs.get(i).and_then(Option::as_ref).ok_or_else(missing)
    }

    /// Whether anybody wants the gradient of this input.
    pub fn needs(&self, i: usize) -> bool {
        self.edges.get(i).is_some_and(|(needed, _)| *needed)
    }

    /// Shape and dtype of an input, saved or not.
    pub fn spec(&self, i: usize) -> &Spec {
        &self.edges[i].1
    }

    pub fn len(&self) -> usize {
        self.edges.len()
    }

    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
}
