//! Contractions written as matrix products: dot, vecdot, outer, tensordot.

use super::{matmul, multiply, promoted};
use crate::error::{Error, Result};
use crate::ops::movement;
use crate::shape::{self, Shape, display};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// The sum of products of two vectors.
pub fn dot(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let op = "dot";
    let (&[m], &[n]) = (a.shape(), b.shape()) else {
        let message = format!("expected vectors, got shapes {} and {}", display(a.shape()), display(b.shape()));
        return Err(Error::shape(op, message));
    };
    if m != n {
        return Err(Error::shape(op, format!("expected vectors of one length, got {m} and {n}")));
    }
    let (a, b) = promoted(op, a, b)?;
    movement::reshape(&multiply(&movement::reshape(&a, &[1, n])?, &movement::expand_dims(&b, &[1])?)?, &[])
}

/// The sum of `conj(a) * b` along one axis, the others broadcasting. `axis` counts from the end.
pub fn vecdot(a: &Tensor, b: &Tensor, axis: i64) -> Result<Tensor> {
    let op = "vecdot";
    let least = a.rank().min(b.rank());
    if axis >= 0 || axis < -(least as i64) {
        let message = format!("expected an axis in [{}, -1], got {axis}", -(least as i64));
        return Err(Error::index(op, message));
    }
    let last = |x: &Tensor| movement::move_axes(x, &[axis], &[-1]);
    let (a, b) = (last(a)?, last(b)?);
    let (&k, &k2) = (a.shape().last().unwrap_or(&1), b.shape().last().unwrap_or(&1));
    if k != k2 {
        return Err(Error::shape(op, format!("expected one length along axis {axis}, got {k} and {k2}")));
    }
    let (a, b) = promoted(op, &a, &b)?;
    let a = if a.dtype().is_complex() { a.conj()? } else { a };
    let product = multiply(&movement::expand_dims(&a, &[-2])?, &movement::expand_dims(&b, &[-1])?)?;
    movement::squeeze(&product, &[-1, -2])
}

/// Every product of an element of `a` with one of `b`; vectors only.
pub fn outer(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let op = "outer";
    if a.rank() != 1 || b.rank() != 1 {
        let message = format!("expected vectors, got shapes {} and {}", display(a.shape()), display(b.shape()));
        return Err(Error::shape(op, message));
    }
    let (a, b) = promoted(op, a, b)?;
    movement::expand_dims(&a, &[1])?.multiply(&b)
}

/// The axes a tensordot sums over.
#[derive(Debug, Clone, Copy)]
pub enum Contracted<'a> {
    /// So many axes at the end of the first operand and at the beginning of the second.
    Count(i64),
    /// These axes of the first operand with those of the second, pair by pair.
    Pairs(&'a [i64], &'a [i64]),
}

/// The sum of products over pairs of axes; what is left of `a` comes before what is left of `b`.
pub fn tensordot(a: &Tensor, b: &Tensor, axes: Contracted) -> Result<Tensor> {
    let op = "tensordot";
    let (left, right): (SmallVec<[usize; 6]>, SmallVec<[usize; 6]>) = match axes {
        Contracted::Count(n) => {
            let count = usize::try_from(n).ok().filter(|&n| n <= a.rank().min(b.rank())).ok_or_else(|| {
                Error::value(op, format!("expected a number of axes from 0 to {}, got {n}", a.rank().min(b.rank())))
            })?;
            ((a.rank() - count..a.rank()).collect(), (0..count).collect())
        }
        Contracted::Pairs(left, right) => {
            if left.len() != right.len() {
                let message = format!("expected as many axes on both sides, got {} and {}", left.len(), right.len());
                return Err(Error::value(op, message));
            }
            (shape::normalize_axes(op, left, a.rank())?, shape::normalize_axes(op, right, b.rank())?)
        }
    };
    if let Some((&i, &j)) = left.iter().zip(&right).find(|&(&i, &j)| a.shape()[i] != b.shape()[j]) {
        let (m, n) = (a.shape()[i], b.shape()[j]);
        return Err(Error::shape(op, format!("axes {i} and {j} differ, expected one size, got {m} and {n}")));
    }
    let free =
        |x: &Tensor, used: &[usize]| (0..x.rank()).filter(|i| !used.contains(i)).collect::<SmallVec<[usize; 6]>>();
    let (free_a, free_b) = (free(a, &left), free(b, &right));
    let sizes = |x: &Tensor, axes: &[usize]| axes.iter().map(|&i| x.shape()[i]).collect::<Shape>();
    let ordered =
        |x: &Tensor, axes: &[usize]| movement::permute(x, &axes.iter().map(|&i| i as i64).collect::<Vec<_>>());
    let numel = |shape: &[usize]| shape.iter().product::<usize>();
    let common = numel(&sizes(a, &left));
    let a_matrix = ordered(a, &[&free_a[..], &left[..]].concat())?;
    let a_matrix = movement::reshape(&a_matrix, &[numel(&sizes(a, &free_a)), common])?;
    let b_matrix = ordered(b, &[&right[..], &free_b[..]].concat())?;
    let b_matrix = movement::reshape(&b_matrix, &[common, numel(&sizes(b, &free_b))])?;
    let mut shape = sizes(a, &free_a);
    shape.extend(sizes(b, &free_b));
    movement::reshape(&matmul(&a_matrix, &b_matrix)?, &shape)
}
