//! Reductions, scans, sorting and sets.

use crate::rows;
use crate::table::Row;
use crate::table::args::{Ints, Operand};
use ferrograd_core::ops::{reduce, scan, sort};
use ferrograd_core::{DType, Result, Tensor};

/// The axes of a reduction as the core takes them.
fn axes(axis: &Option<Ints>) -> Option<&[i64]> {
    axis.as_ref().map(|a| a.0.as_slice())
}

pub const STANDARD: &[Row] = rows! {
    /// Whether all elements along the axes are true; not a number counts as true.
    all [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false} -> Tensor = reduce::all(&x, axes(&axis), keepdims);
    /// Whether any element along the axes is true.
    any [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false} -> Tensor = reduce::any(&x, axes(&axis), keepdims);
    /// Where the largest element is, the first of equals; without axis in the flattened tensor.
    argmax [x: Tensor] () {axis: Option<i64> = None, keepdims: bool = false} -> Tensor = reduce::argmax(&x, axis, keepdims);
    /// Where the smallest element is, the first of equals; without axis in the flattened tensor.
    argmin [x: Tensor] () {axis: Option<i64> = None, keepdims: bool = false} -> Tensor = reduce::argmin(&x, axis, keepdims);
    /// How many elements are not zero.
    count_nonzero [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false} -> Tensor
        = reduce::count_nonzero(&x, axes(&axis), keepdims);
    /// The largest element; NaN if there is one.
    max [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false} -> Tensor = reduce::max(&x, axes(&axis), keepdims);
    /// The arithmetic mean.
    mean [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false} -> Tensor = reduce::mean(&x, axes(&axis), keepdims);
    /// The smallest element; NaN if there is one.
    min [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false} -> Tensor = reduce::min(&x, axes(&axis), keepdims);
    /// The product of the elements along the axes.
    prod [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false, dtype: Option<DType> = None} -> Tensor
        = reduce::prod(&x, axes(&axis), dtype, keepdims);
    /// The standard deviation: the root of `var`.
    std [x: Tensor] () {axis: Option<Ints> = None, correction: f64 = 0.0, keepdims: bool = false} -> Tensor
        = reduce::std(&x, axes(&axis), correction, keepdims);
    /// The sum, accumulated pairwise.
    sum [x: Tensor] () {axis: Option<Ints> = None, keepdims: bool = false, dtype: Option<DType> = None} -> Tensor
        = reduce::sum(&x, axes(&axis), dtype, keepdims);
    /// The mean squared distance from the mean, divided by n - correction.
    var [x: Tensor] () {axis: Option<Ints> = None, correction: f64 = 0.0, keepdims: bool = false} -> Tensor
        = reduce::var(&x, axes(&axis), correction, keepdims);

    /// Running sums along an axis.
    cumulative_sum [x: Tensor] () {axis: Option<i64> = None, dtype: Option<DType> = None, include_initial: bool = false} -> Tensor
        = scan::cumulative_sum(&x, axis, dtype, include_initial);
    /// Running products along an axis.
    cumulative_prod [x: Tensor] () {axis: Option<i64> = None, dtype: Option<DType> = None, include_initial: bool = false} -> Tensor
        = scan::cumulative_prod(&x, axis, dtype, include_initial);
    /// Differences of neighbours along an axis, n times over.
    diff [x: Tensor] () {axis: i64 = -1, n: i64 = 1, prepend: Option<Tensor> = None, append: Option<Tensor> = None} -> Tensor
        = scan::diff(&x, axis, n, prepend.as_ref(), append.as_ref());

    /// Places of the elements in sorted order; equal elements keep theirs.
    argsort [x: Tensor] () {axis: i64 = -1, descending: bool = false, stable: bool = true} -> Tensor
        = { let _ = stable; sort::argsort(&x, axis, descending) };
    /// Coordinates of the elements that are not zero, one tensor an axis.
    nonzero [x: Tensor] () {} -> Vec<Tensor> = sort::nonzero(&x);
    /// Elements in ascending (or descending) order along an axis; NaN counts as largest.
    sort [x: Tensor] () {axis: i64 = -1, descending: bool = false, stable: bool = true} -> Tensor
        = { let _ = stable; sort::sort(&x, axis, descending) };
    /// The distinct elements in ascending order.
    unique_values [x: Tensor] () {} -> Tensor = Ok(sort::unique_all(&x)?.values);
};

pub const FUNCTIONS: &[Row] = rows! {
    /// Whether each element of x1 is among the elements of x2.
    isin [x1: Operand, x2: Operand] () {invert: bool = false} -> Tensor = {
        let (x1, x2) = Operand::pair("isin", x1, x2)?;
        sort::isin(&x1, &x2, invert)
    };
    /// Where values would be inserted in the sorted 1-d tensor x1 to keep it sorted; before equals (left) or behind (right).
    searchsorted [x1: Tensor, x2: Operand] () {side: String = String::from("left"), sorter: Option<Tensor> = None} -> Tensor
        = { let x2 = x2.beside(&x1)?; sort::searchsorted(&x1, &x2, &side, sorter.as_ref()) };
    _unique_all [x: Tensor] () {} -> (Tensor, Tensor, Tensor, Tensor)
        = sort::unique_all(&x).map(|u| (u.values, u.indices, u.inverse_indices, u.counts));
};

/// The element in the middle, as PyTorch counts: the lower one of two.
fn median(x: &Tensor, axis: Option<i64>, keepdims: bool) -> Result<Tensor> {
    let (x, axis) = match axis {
        Some(axis) => (x.clone(), axis),
        None => (ferrograd_core::ops::movement::reshape(x, &[x.numel()])?, 0),
    };
    let n = x.shape()[ferrograd_core::shape::normalize_axis("median", axis, x.rank())?] as i64;
    Ok(sort::kthvalue(&x, (n - 1) / 2 + 1, axis, keepdims)?.0)
}

pub const NETWORK: &[Row] = rows! {
    /// How often each value of a 1-d integer tensor occurs, or the sum of its weights.
    bincount [] (x: Tensor, weights: Option<Tensor> = None, minlength: i64 = 0) {} -> Tensor
        = sort::bincount(&x, weights.as_ref(), minlength);
    /// Running maxima along an axis, and where they are.
    cummax [] (x: Tensor, axis: i64) {} -> (Tensor, Tensor) = scan::cummax(&x, axis);
    /// Running minima along an axis, and where they are.
    cummin [] (x: Tensor, axis: i64) {} -> (Tensor, Tensor) = scan::cummin(&x, axis);
    /// Running products along an axis.
    cumprod [] (x: Tensor, axis: i64) {dtype: Option<DType> = None} -> Tensor = scan::cumulative_prod(&x, Some(axis), dtype, false);
    /// Running sums along an axis.
    cumsum [] (x: Tensor, axis: i64) {dtype: Option<DType> = None} -> Tensor = scan::cumulative_sum(&x, Some(axis), dtype, false);
    /// The k-th smallest element along an axis, counted from one, and where it is.
    kthvalue [] (x: Tensor, k: i64, axis: i64 = -1, keepdims: bool = false) {} -> (Tensor, Tensor) = sort::kthvalue(&x, k, axis, keepdims);
    /// The middle element; the lower one of two.
    median [] (x: Tensor, axis: Option<i64> = None, keepdims: bool = false) {} -> Tensor = median(&x, axis, keepdims);
    /// The k largest (or smallest) elements along an axis, in order, and where they are.
    topk [] (x: Tensor, k: i64, axis: i64 = -1, largest: bool = true, sorted: bool = true) {} -> (Tensor, Tensor)
        = { let _ = sorted; sort::topk(&x, k, axis, largest) };
};
