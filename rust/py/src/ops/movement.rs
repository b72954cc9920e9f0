//! Movement: other shapes over the same elements.

use crate::rows;
use crate::table::Row;
use crate::table::args::{Ints, Sizes};
use ferrograd_core::ops::{copy, movement};
use ferrograd_core::{Error, Result, Tensor};

fn reshape(x: &Tensor, shape: &[i64], copied: Option<bool>) -> Result<Tensor> {
    let out = movement::reshape_inferred(x, shape)?;
    let shares = std::sync::Arc::ptr_eq(out.storage(), x.storage());
    match copied {
        Some(true) if shares => copy::copied(&out),
        Some(false) if !shares => Err(Error::value("reshape", "these strides need a copy, expected copy=None or True")),
        _ => Ok(out),
    }
}

/// Sizes to stretch to; -1 keeps the size there is.
fn expand(x: &Tensor, sizes: &[i64]) -> Result<Tensor> {
    let lead = sizes.len().saturating_sub(x.rank());
    let size = |(i, &n): (usize, &i64)| match n {
        -1 if i >= lead => Ok(x.shape()[i - lead]),
        n => usize::try_from(n).map_err(|_| Error::shape("expand", format!("negative size {n}"))),
    };
    let shape: Vec<usize> = sizes.iter().enumerate().map(size).collect::<Result<_>>()?;
    movement::broadcast_to(x, &shape)
}

fn squeeze(x: &Tensor, axes: Option<Vec<i64>>) -> Result<Tensor> {
    match axes {
        Some(axes) => movement::squeeze(x, &axes),
        None => {
            let ones: Vec<i64> = (0..x.rank()).filter(|&a| x.shape()[a] == 1).map(|a| a as i64).collect();
            movement::squeeze(x, &ones)
        }
    }
}

pub const STANDARD: &[Row] = rows! {
    /// x stretched to a shape, without copying.
    broadcast_to [x: Tensor] (shape: Sizes) {} -> Tensor = movement::broadcast_to(&x, &shape.0);
    /// New axes of size one at the given places of the result.
    expand_dims [x: Tensor] (axis: Ints = Ints(vec![0])) {} -> Tensor = movement::expand_dims(&x, &axis.0);
    /// Elements in reversed order along the axes (all of them by default).
    flip [x: Tensor] () {axis: Option<Ints> = None} -> Tensor = movement::flip(&x, axis.as_ref().map(|a| a.0.as_slice()));
    /// The last two axes exchanged.
    matrix_transpose [x: Tensor] () {} -> Tensor = movement::matrix_transpose(&x);
    /// Axes moved to other places, the rest keeping their order.
    moveaxis [x: Tensor, source: Ints, destination: Ints] () {} -> Tensor = movement::move_axes(&x, &source.0, &destination.0);
    /// Axes in another order.
    permute_dims [x: Tensor] (axes: Ints) {} -> Tensor = movement::permute(&x, &axes.0);
    /// The same elements in another shape; one -1 takes what is left.
    reshape [x: Tensor] (shape: Ints) {copy: Option<bool> = None} -> Tensor = reshape(&x, &shape.0, copy);
    /// Axes of size one removed; without axis all of them.
    squeeze [x: Tensor] (axis: Option<Ints> = None) {} -> Tensor = squeeze(&x, axis.map(|a| a.0));
};

pub const TORCH: &[Row] = rows! {
    /// Diagonal `offset` of two axes, as a new last axis.
    diagonal [x: Tensor] (offset: i64 = 0, axis1: i64 = 0, axis2: i64 = 1) {} -> Tensor
        = movement::diagonal(&x, offset, axis1, axis2);
    /// x stretched to sizes; -1 keeps a size.
    expand [x: Tensor] (sizes: Ints) {} -> Tensor = expand(&x, &sizes.0);
    /// The axes from start_dim to end_dim, both included, as one.
    flatten [x: Tensor] (start_dim: i64 = 0, end_dim: i64 = -1) {} -> Tensor = movement::flatten(&x, start_dim, end_dim);
    /// length elements from start along one axis.
    narrow [x: Tensor] (axis: i64, start: usize, length: usize) {} -> Tensor = {
        let axis = ferrograd_core::shape::normalize_axis("narrow", axis, x.rank())?;
        movement::narrow(&x, axis, start, length)
    };
    /// Axes in another order.
    permute [x: Tensor] (axes: Ints) {} -> Tensor = movement::permute(&x, &axes.0);
    /// Two axes exchanged.
    transpose [x: Tensor] (axis0: i64, axis1: i64) {} -> Tensor = movement::swap_axes(&x, axis0, axis1);
    /// A new axis of size one.
    unsqueeze [x: Tensor] (axis: i64) {} -> Tensor = movement::expand_dims(&x, &[axis]);
    /// The same elements in another shape.
    view [x: Tensor] (shape: Ints) {} -> Tensor = movement::reshape_inferred(&x, &shape.0);
};

pub const FUNCTIONS: &[Row] = rows! {
    /// Every tensor stretched to their common shape.
    _broadcast_arrays [arrays: Vec<Tensor>] () {} -> Vec<Tensor>
        = movement::broadcast_all("broadcast_arrays", &arrays.iter().collect::<Vec<_>>());
    /// Coordinate tensors of a grid.
    _meshgrid [arrays: Vec<Tensor>, indexing: String = String::from("xy")] () {} -> Vec<Tensor>
        = ferrograd_core::ops::create::meshgrid(&arrays.iter().collect::<Vec<_>>(), &indexing);
};
