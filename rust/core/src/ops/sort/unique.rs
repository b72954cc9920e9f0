//! Sets: unique elements with their places and counts, and membership. Every NaN is its own element.

use super::{cpu, key::SortKey};
use crate::dispatch;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::{cast, copy, create, index, movement};
use crate::tensor::Tensor;

/// The distinct elements in ascending order, with all that can be known about them.
pub struct Unique {
    pub values: Tensor,
    /// Where each value first occurs in the flattened tensor.
    pub indices: Tensor,
    /// Which value each element is, in the shape of the tensor.
    pub inverse_indices: Tensor,
    pub counts: Tensor,
}

/// Distinct elements; the gradient of the values goes to their first occurrences.
pub fn unique_all(x: &Tensor) -> Result<Unique> {
    let op = "unique_all";
    super::super::host_only("unique_all", x)?;
    let flat = movement::reshape(x, &[x.numel()])?;
    let plain = copy::contiguous(&flat.detach())?;
    let new = |n: usize| create::zeros(&[n], DType::I64, x.device());
    let mut inverse = new(x.numel())?;
    let (mut firsts, mut counts) = (Vec::new(), Vec::new());
    dispatch!(x.dtype(), op, [any], T => {
        groups(op, plain.slice::<T>()?, inverse.make_mut::<i64>()?, &mut firsts, &mut counts)
    })?;
    let indices = Tensor::from_slice(&firsts, &[firsts.len()])?;
    Ok(Unique {
        values: index::rows::take(op, &flat, 0, &indices)?,
        inverse_indices: movement::reshape(&inverse, x.shape())?,
        counts: Tensor::from_slice(&counts, &[counts.len()])?,
        indices,
    })
}

/// Runs of equal keys: where each begins in `x`, how long it is, and which run each element is in.
fn groups<T: SortKey>(
    op: &str,
    x: &[T],
    inverse: &mut [i64],
    firsts: &mut Vec<i64>,
    counts: &mut Vec<i64>,
) -> Result<()> {
    let mut pairs = cpu::keyed(op, x)?;
    pairs.sort_unstable();
    let no_room = |_| crate::Error::memory(op, format!("no memory for {} groups", x.len()));
    firsts.try_reserve_exact(x.len()).map_err(no_room)?;
    counts.try_reserve_exact(x.len()).map_err(no_room)?;
    let mut previous = None;
    for (key, place) in pairs {
        match counts.last_mut() {
            Some(count) if previous == Some(key) && key != T::LAST => *count += 1,
            _ => {
                firsts.push(place as i64);
                counts.push(1);
            }
        }
        previous = Some(key);
        inverse[place] = counts.len() as i64 - 1;
    }
    Ok(())
}

/// Whether each element of `x` is one of `elements` (or, inverted, is none of them).
pub fn isin(x: &Tensor, elements: &Tensor, invert: bool) -> Result<Tensor> {
    let op = "isin";
    super::super::host_only("isin", x)?;
    let dtype = x.dtype().promote(elements.dtype())?;
    let plain = |t: &Tensor| copy::contiguous(&cast::astype(&t.detach(), dtype)?);
    let (values, elements) = (plain(x)?, plain(elements)?);
    let mut found = create::zeros(x.shape(), DType::Bool, x.device())?;
    dispatch!(dtype, op, [any], T => {
        let mut keys = cpu::keyed(op, elements.slice::<T>()?)?;
        keys.sort_unstable();
        cpu::contains(&keys, values.slice::<T>()?, invert, found.make_mut::<bool>()?)
    })?;
    Ok(found)
}
