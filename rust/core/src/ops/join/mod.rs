//! Joining and splitting: concat, stack, unstack, split, chunk.

use super::{Op, Spec, Specs, apply1, cast, copy, movement};
use crate::autograd::{Gradient, Grads, Saved, only};
use crate::error::{Error, Result};
use crate::shape::{self, Layout};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

#[derive(Debug)]
struct Concat {
    axis: usize,
}

impl Gradient for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let dy = only(dy)?;
        let mut start = 0;
        let part = |i: usize| {
            let n = saved.spec(i).shape[self.axis];
            start += n;
            saved.needs(i).then(|| movement::narrow(dy, self.axis, start - n, n)).transpose()
        };
        (0..saved.len()).map(part).collect()
    }
}

impl Op for Concat {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let mut spec = Spec::like(inputs[0]);
        for (i, x) in inputs.iter().enumerate().skip(1) {
            let fits =
                x.rank() == spec.shape.len() && (0..x.rank()).all(|a| a == self.axis || x.shape()[a] == spec.shape[a]);
            if !fits {
                let (want, got) = (shape::display(inputs[0].shape()), shape::display(x.shape()));
                let message = format!("expected {want} apart from axis {}, got {got} for tensor {i}", self.axis);
                return Err(Error::shape(self.name(), message));
            }
            let sum = spec.shape[self.axis].checked_add(x.shape()[self.axis]);
            spec.shape[self.axis] = sum.ok_or_else(|| Error::shape(self.name(), "the result is too large"))?;
        }
        Ok(smallvec![spec])
    }

    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let whole = Layout::contiguous(&outputs[0].shape);
        let mut start = 0;
        for x in inputs.iter().filter(|x| x.numel() > 0) {
            let offset = start * whole.strides[self.axis] as usize;
            let region = Layout { shape: x.shape_owned(), strides: whole.strides.clone(), offset };
            copy::write_region(x, &mut outputs[0], &region)?;
            start += x.shape()[self.axis];
        }
        Ok(())
    }
}

/// Operands in their common type; an empty list is an error.
fn promoted(op: &str, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    let [first, rest @ ..] = inputs else {
        return Err(Error::value(op, "expected at least one tensor, got none"));
    };
    let dtype = rest.iter().try_fold(first.dtype(), |dtype, x| dtype.promote(x.dtype()))?;
    inputs.iter().map(|x| cast::astype(x, dtype)).collect()
}

/// Tensors one behind the other along an axis; `None` joins their flattened forms.
pub fn concat(inputs: &[&Tensor], axis: Option<i64>) -> Result<Tensor> {
    let op = "concat";
    let mut parts = promoted(op, inputs)?;
    let axis = match axis {
        Some(axis) => shape::normalize_axis(op, axis, parts[0].rank())?,
        None => {
            parts = parts.iter().map(|x| movement::reshape(x, &[x.numel()])).collect::<Result<_>>()?;
            0
        }
    };
    apply1(Concat { axis }, &parts.iter().collect::<Vec<_>>())
}

/// Tensors of one shape along a new axis.
pub fn stack(inputs: &[&Tensor], axis: i64) -> Result<Tensor> {
    let op = "stack";
    let parts = promoted(op, inputs)?;
    if let Some(x) = parts.iter().find(|x| x.shape() != parts[0].shape()) {
        let (want, got) = (shape::display(parts[0].shape()), shape::display(x.shape()));
        return Err(Error::shape(op, format!("expected tensors of one shape, got {want} and {got}")));
    }
    let axis = shape::normalize_axis(op, axis, parts[0].rank() + 1)?;
    let parts = parts.iter().map(|x| movement::expand_dims(x, &[axis as i64])).collect::<Result<Vec<_>>>()?;
    apply1(Concat { axis }, &parts.iter().collect::<Vec<_>>())
}

/// Position `i` of an axis, without that axis.
pub fn select(x: &Tensor, axis: usize, i: usize) -> Result<Tensor> {
    movement::squeeze(&movement::narrow(x, axis, i, 1)?, &[axis as i64])
}

/// All positions of an axis as tensors of their own.
pub fn unstack(x: &Tensor, axis: i64) -> Result<Vec<Tensor>> {
    let op = "unstack";
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    let parts = movement::parts(x, axis, repeated(op, 1, x.shape()[axis])?)?;
    parts.iter().map(|part| movement::squeeze(part, &[axis as i64])).collect()
}

fn repeated(op: &str, size: usize, count: usize) -> Result<Vec<usize>> {
    let mut sizes = Vec::new();
    let full = |_| Error::memory(op, format!("no memory for {count} tensors"));
    sizes.try_reserve_exact(count).map_err(full)?;
    sizes.resize(count, size);
    Ok(sizes)
}

/// Pieces of the given sizes along an axis; they must add up to it.
pub fn split_sizes(x: &Tensor, sizes: &[i64], axis: i64) -> Result<Vec<Tensor>> {
    let op = "split";
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    let n = x.shape()[axis];
    let total = sizes.iter().try_fold(0i64, |sum, &size| if size < 0 { None } else { sum.checked_add(size) });
    if total != i64::try_from(n).ok() {
        return Err(Error::value(op, format!("expected sizes >= 0 that add up to {n}, got {sizes:?}")));
    }
    movement::parts(x, axis, sizes.iter().map(|&size| size as usize).collect())
}

/// Pieces of `size` along an axis; the last may be smaller.
pub fn split(x: &Tensor, size: i64, axis: i64) -> Result<Vec<Tensor>> {
    let op = "split";
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    let n = x.shape()[axis];
    if size < 0 || (size == 0 && n > 0) {
        return Err(Error::value(op, format!("expected a piece size > 0, got {size}")));
    }
    let size = size as usize;
    let count = if size == 0 { 1 } else { n.div_ceil(size).max(1) };
    let mut sizes = repeated(op, size, count)?;
    if let Some(last) = sizes.last_mut() {
        *last = n - (count - 1) * size;
    }
    movement::parts(x, axis, sizes)
}

/// At most `count` pieces of equal size along an axis; the last may be smaller.
pub fn chunk(x: &Tensor, count: i64, axis: i64) -> Result<Vec<Tensor>> {
    let op = "chunk";
    let axis = shape::normalize_axis(op, axis, x.rank())?;
    if count <= 0 {
        return Err(Error::value(op, format!("expected a number of pieces > 0, got {count}")));
    }
    let n = x.shape()[axis];
    if n == 0 {
        return Ok(vec![x.clone()]);
    }
    split(x, n.div_ceil(count as usize) as i64, axis as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(shape: &[usize]) -> Tensor {
        let n: usize = shape.iter().product();
        Tensor::from_slice(&(0..n as i64).collect::<Vec<_>>(), shape).unwrap()
    }

    #[test]
    fn pieces_joined_again_are_the_whole() {
        let x = range(&[4, 3, 5]);
        for axis in -3..3i64 {
            for parts in [split(&x, 2, axis), unstack(&x, axis), chunk(&x, 2, axis)] {
                let parts = parts.unwrap();
                let joined = match parts[0].rank() {
                    3 => concat(&parts.iter().collect::<Vec<_>>(), Some(axis)).unwrap(),
                    _ => stack(&parts.iter().collect::<Vec<_>>(), axis).unwrap(),
                };
                assert_eq!(joined.slice::<i64>().unwrap(), x.slice::<i64>().unwrap());
            }
        }
    }

    #[test]
    fn shapes_types_and_sizes_are_checked() {
        let (a, b) = (range(&[2, 3]), range(&[2, 4]));
        assert_eq!(concat(&[&a, &b], Some(1)).unwrap().shape(), &[2, 7]);
        assert_eq!(concat(&[&a, &b], None).unwrap().shape(), &[14]);
        assert!(matches!(concat(&[&a, &b], Some(0)), Err(Error::Shape(_))));
        assert!(matches!(concat(&[], Some(0)), Err(Error::Value(_))));
        assert!(matches!(stack(&[&a, &b], 0), Err(Error::Shape(_))));
        assert!(split(&a, 0, 0).is_err() && split(&a, -1, 0).is_err() && chunk(&a, 0, 0).is_err());
        assert!(split_sizes(&a, &[1, 3], 1).is_err());
        assert!(split_sizes(&a, &[i64::MAX, i64::MAX, 5], 1).is_err());
    }
}
