//! The backward walk: iterative, newest node first, each node once.

use super::graph::{Body, Edge, Held, Link, Node, Saved};
use super::{Gradient, Grads, RowGradient, no_grad, with_grad};
use crate::error::{Error, Result};
use crate::ops::binary;
use crate::shape;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Record the backward pass itself, so that it can be differentiated again.
    pub create_graph: bool,
    /// Keep what the graph saved, for another backward.
    pub retain_graph: bool,
}

type Slots = SmallVec<[Option<Tensor>; 1]>;

/// What has come back to a node.
struct Arrived {
    node: Arc<Node>,
    slots: Slots,
    /// What lookups add to a leaf.
    rows: Option<RowGradient>,
}

/// Gradients on their way, by node number.
struct Walk {
    pending: BTreeMap<u64, Arrived>,
    options: Options,
}

/// Accumulates gradients of `roots` (with their seeds) into the leaves' `grad`.
pub fn backward(roots: &[(Tensor, Tensor)], options: Options) -> Result<()> {
    let mut walk = Walk::start(roots, options)?;
    while let Some((_, mut arrived)) = walk.pending.pop_last() {
        if let Some(rows) = arrived.rows_alone() {
            no_grad(|| arrived.node.accumulate(0, Held::Rows(rows)))?;
            continue;
        }
        let (node, slots) = arrived.settled()?;
        let slots = run_hooks(&node, slots)?;
        if node.retains() {
            for (i, g) in slots.iter().enumerate().filter_map(|(i, g)| g.as_ref().map(|g| (i, g))) {
                let grad = if options.create_graph { g.clone() } else { g.detach() };
                walk.with_mode(|| node.accumulate(i as u32, Held::Whole(grad)))?;
            }
        }
        walk.step(&node, slots)?;
    }
    Ok(())
}

/// Gradients of `roots` with respect to `targets`, without touching anybody's `grad`.
pub fn gradients(roots: &[(Tensor, Tensor)], targets: &[Tensor], options: Options) -> Result<Vec<Option<Tensor>>> {
    let mut wanted: HashMap<(u64, u32), Vec<usize>> = HashMap::new();
    for (i, t) in targets.iter().enumerate() {
        let link = t.link().ok_or_else(|| Error::grad("grad", format!("argument {i} does not require a gradient")))?;
        wanted.entry((link.node.sequence, link.index)).or_default().push(i);
    }
    let mut found = vec![None; targets.len()];
    let mut walk = Walk::start(roots, options)?;
    while let Some((sequence, arrived)) = walk.pending.pop_last() {
        let (node, slots) = arrived.settled()?;
        let slots = run_hooks(&node, slots)?;
        for (index, g) in slots.iter().enumerate() {
            for &i in wanted.get(&(sequence, index as u32)).into_iter().flatten() {
                found[i] = g.clone();
            }
        }
        walk.step(&node, slots)?;
    }
    Ok(found)
}

fn run_hooks(node: &Arc<Node>, mut slots: Slots) -> Result<Slots> {
    for (i, slot) in slots.iter_mut().enumerate() {
        for hook in node.hooks(i as u32) {
            if let Some(g) = slot
                && let Some(replaced) = hook(g)?
            {
                check_fits("hook", &replaced, g)?;
                *slot = Some(replaced);
            }
        }
    }
    Ok(slots)
}

fn check_fits(op: &str, grad: &Tensor, like: &Tensor) -> Result<()> {
    if grad.shape() != like.shape() {
        let (want, got) = (shape::display(like.shape()), shape::display(grad.shape()));
        return Err(Error::shape(op, format!("gradient does not fit its tensor, expected shape {want}, got {got}")));
    }
    if grad.dtype() != like.dtype() {
        let message = format!("gradient does not fit its tensor, expected {}, got {}", like.dtype(), grad.dtype());
        return Err(Error::dtype(op, message));
    }
    Ok(())
}

impl Arrived {
    fn new(node: &Arc<Node>) -> Arrived {
        let outputs = match &node.body {
            Body::Leaf => 1,
            Body::Inner { outputs, .. } => outputs.len(),
        };
        Arrived { node: node.clone(), slots: SmallVec::from_elem(None, outputs), rows: None }
    }

    /// The rows, where they are all that came and nobody wants to see the whole.
    fn rows_alone(&mut self) -> Option<RowGradient> {
        let alone = self.slots.iter().all(Option::is_none) && self.node.hooks(0).is_empty();
        if alone { self.rows.take() } else { None }
    }

    /// The gradients as tensors.
    fn settled(self) -> Result<(Arc<Node>, Slots)> {
        let Arrived { node, mut slots, rows } = self;
        if let (Some(rows), Some(slot)) = (rows, slots.first_mut()) {
            no_grad(|| match slot {
                Some(total) => rows.add_onto(total),
                None => rows.whole().map(|total| *slot = Some(total)),
            })?;
        }
        Ok((node, slots))
    }
}

impl Walk {
    fn start(roots: &[(Tensor, Tensor)], options: Options) -> Result<Walk> {
        let mut walk = Walk { pending: BTreeMap::new(), options };
        for (root, seed) in roots {
            let link = root.link().ok_or_else(|| {
                Error::grad("backward", "this tensor does not require a gradient: nothing it was computed from does")
            })?;
            check_fits("backward", seed, root)?;
            walk.add(link, seed.clone())?;
        }
        Ok(walk)
    }

    fn with_mode<R>(&self, body: impl FnOnce() -> R) -> R {
        with_grad(self.options.create_graph, body)
    }

    fn arrived(&mut self, link: &Link) -> &mut Arrived {
        self.pending.entry(link.node.sequence).or_insert_with(|| Arrived::new(&link.node))
    }

    fn add(&mut self, link: &Link, grad: Tensor) -> Result<()> {
        let create_graph = self.options.create_graph;
        let slot = &mut self.arrived(link).slots[link.index as usize];
        *slot = Some(match slot.take() {
            None => grad,
            Some(old) => with_grad(create_graph, || binary::add_onto(old, &grad))?,
        });
        Ok(())
    }

    /// Differentiates one op and hands its gradients on.
    fn step(&mut self, node: &Arc<Node>, slots: Slots) -> Result<()> {
        let Body::Inner { op, edges, .. } = &node.body else { return Ok(()) };
        if slots.iter().all(Option::is_none) {
            return Ok(());
        }
        let saved = node.saved()?;
        let grads = match self.add_rows(op.as_ref(), edges, &saved, &slots)? {
            true => edges.iter().map(|_| None).collect(),
            false => self.with_mode(|| op.backward(&saved, &slots))?,
        };
        if !self.options.retain_graph && !self.options.create_graph {
            node.free();
        }
        drop(saved);
        self.hand_on(op.as_ref(), edges, grads)
    }

    /// Adds a gradient of some rows to what has arrived for the same tensor, or keeps it for a leaf; false where it
    /// would be no gain.
    fn add_rows(&mut self, op: &dyn Gradient, edges: &[Edge], saved: &Saved, dy: &[Option<Tensor>]) -> Result<bool> {
        let link = match edges.first().and_then(|edge| edge.link.as_ref()) {
            Some(link) if !self.options.create_graph => link,
            _ => return Ok(false),
        };
        let Some(rows) = op.rows(saved, dy)? else { return Ok(false) };
        let arrived = self.arrived(link);
        match &mut arrived.slots[link.index as usize] {
            Some(total) => no_grad(|| rows.add_onto(total))?,
            None if link.node.is_leaf() && rows.is_small() => {
                arrived.rows = Some(match arrived.rows.take() {
                    Some(before) => before.join(rows),
                    None => rows,
                });
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    fn hand_on(&mut self, op: &dyn Gradient, edges: &[Edge], grads: Grads) -> Result<()> {
        if grads.len() != edges.len() {
            let message = format!("backward gave {} gradients for {} inputs", grads.len(), edges.len());
            return Err(Error::internal(op.name(), message));
        }
        for (edge, grad) in edges.iter().zip(grads) {
            let (Some(link), Some(grad)) = (&edge.link, grad) else { continue };
            if grad.shape() != edge.shape.as_slice() || grad.dtype() != edge.dtype {
                let want = format!("{} {}", edge.dtype, shape::display(&edge.shape));
                let got = format!("{} {}", grad.dtype(), shape::display(grad.shape()));
                return Err(Error::internal(op.name(), format!("wrong gradient, expected {want}, got {got}")));
            }
            self.add(link, grad)?;
        }
        Ok(())
    }
}
