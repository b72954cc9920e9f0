//! Gradients of lookups: zero but for a few rows, and kept as these rows until somebody wants the whole.

use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::index::rows::deposit_onto;
use crate::ops::{copy, create, movement};
use crate::scalar::Scalar;
use crate::shape::{self, Shape};
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

/// What one lookup adds: `values` has the axes of `index` (resolved) in place of the axis that was looked up.
#[derive(Debug, Clone)]
struct Part {
    index: Tensor,
    values: Tensor,
    padding: Option<usize>,
}

/// The gradient of a tensor of which only some rows were looked up on one axis.
#[derive(Debug, Clone)]
pub struct RowGradient {
    shape: Shape,
    axis: usize,
    parts: SmallVec<[Part; 1]>,
    merged: bool,
}

impl RowGradient {
    /// The gradient of a lookup, which passes over row `padding`.
    pub fn new(shape: &[usize], axis: usize, index: &Tensor, values: &Tensor, padding: Option<usize>) -> RowGradient {
        let part = Part { index: index.clone(), values: values.detach(), padding };
        RowGradient { shape: SmallVec::from_slice(shape), axis, parts: smallvec![part], merged: false }
    }

    /// Rows of the first axis, each listed once: `index` rises, `values` has a row for each.
    pub fn of(like: &Tensor, index: &Tensor, values: &Tensor) -> Result<RowGradient> {
        check_rows("grad", like, index, values)?;
        Ok(RowGradient { merged: true, ..RowGradient::new(like.shape(), 0, index, values, None) })
    }

    /// Whether the rows are so few that they are worth keeping apart.
    pub fn is_small(&self) -> bool {
        let listed: usize = self.parts.iter().map(|part| part.index.numel()).sum();
        self.axis == 0 && 2 * listed <= self.shape[0]
    }

    /// What several lookups on the first axis of one tensor add.
    pub fn join(mut self, other: RowGradient) -> RowGradient {
        self.parts.extend(other.parts);
        self.merged = false;
        self
    }

    fn dtype(&self) -> DType {
        self.parts[0].values.dtype()
    }

    pub fn add_onto(&self, total: &mut Tensor) -> Result<()> {
        let add = |part: &Part| deposit_onto(total, self.axis, &part.index, &part.values, part.padding);
        self.parts.iter().try_for_each(add)
    }

    /// The whole tensor, zeros included.
    pub fn whole(&self) -> Result<Tensor> {
        let mut total = create::zeros(&self.shape, self.dtype(), Device::Cpu)?;
        self.add_onto(&mut total)?;
        Ok(total)
    }

    /// The numbers of the rows, rising, and the sum of what was added to each.
    pub fn merge(&mut self) -> Result<(Tensor, Tensor)> {
        if !self.merged {
            let (index, values) = self.sums()?;
            *self = RowGradient { merged: true, ..RowGradient::new(&self.shape, 0, &index, &values, None) };
        }
        Ok((self.parts[0].index.clone(), self.parts[0].values.clone()))
    }

    fn sums(&self) -> Result<(Tensor, Tensor)> {
        let full = |_| Error::memory("grad", "cannot list the rows of a gradient");
        let total: usize = self.parts.iter().map(|part| part.index.numel()).sum();
        let mut listed: Vec<(i64, usize)> = Vec::new();
        listed.try_reserve(total).map_err(full)?;
        let mut position = 0;
        for part in &self.parts {
            let numbered = part.index.slice::<i64>()?.iter().copied().zip(position..);
            listed.extend(numbered.filter(|&(row, _)| part.padding.is_none_or(|padding| padding as i64 != row)));
            position += part.index.numel();
        }
        listed.sort_unstable();
        let count = listed.chunk_by(|a, b| a.0 == b.0).count();
        let mut index = create::zeros(&[count], DType::I64, Device::Cpu)?;
        // One row more takes what falls on the padding.
        let mut places = create::full(&[total], Scalar::Int(count as i128), DType::I64, Device::Cpu)?;
        let (rows, to) = (index.make_mut::<i64>()?, places.make_mut::<i64>()?);
        for (place, same) in listed.chunk_by(|a, b| a.0 == b.0).enumerate() {
            rows[place] = same[0].0;
            same.iter().for_each(|&(_, position)| to[position] = place as i64);
        }
        let mut shape = self.shape.clone();
        shape[0] = count + 1;
        let mut values = create::zeros(&shape, self.dtype(), Device::Cpu)?;
        let mut position = 0;
        for part in &self.parts {
            let own = movement::narrow(&places, 0, position, part.index.numel())?;
            deposit_onto(&mut values, 0, &own, &part.values, Some(count))?;
            position += part.index.numel();
        }
        Ok((index, movement::narrow(&values, 0, 0, count)?))
    }
}

/// An error unless `index` names rows of `like`, rising, and `values` has one for each.
pub fn check_rows(op: &str, like: &Tensor, index: &Tensor, values: &Tensor) -> Result<()> {
    let mut want = like.shape_owned();
    let rows = match (index.shape(), want.first_mut()) {
        (&[count], Some(first)) if index.dtype() == DType::I64 => std::mem::replace(first, count),
        _ => {
            let got = format!("{} {}", index.dtype(), shape::display(index.shape()));
            return Err(Error::shape(op, format!("rows: expected a list of int64 numbers of rows, got {got}")));
        }
    };
    if values.shape() != want.as_slice() || values.dtype() != like.dtype() || values.device() != like.device() {
        let describe = |dtype, shape| format!("{dtype} {}", shape::display(shape));
        let (want, got) = (describe(like.dtype(), &want), describe(values.dtype(), values.shape()));
        return Err(Error::shape(op, format!("rows: the values do not fit their tensor, expected {want}, got {got}")));
    }
    let index = copy::contiguous(index)?;
    let index = index.slice::<i64>()?;
    if !index.is_sorted_by(|a, b| a < b) || index.first().is_some_and(|&row| row < 0) {
        return Err(Error::index(op, "rows: expected numbers of rows that rise from 0 on, each once"));
    }
    match index.last() {
        Some(&last) if last as usize >= rows => {
            Err(Error::index(op, format!("row {last} is out of bounds for a tensor of {rows} rows")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::autograd::{self, Options};
    use crate::ops::index::{embedding, take};
    use crate::ops::{create, join};
    use crate::{DType, Device, Result, Tensor};

    fn list(rows: &[i64]) -> Tensor {
        Tensor::from_slice(rows, &[rows.len()]).unwrap()
    }

    fn table() -> Tensor {
        create::ones(&[9, 2], DType::F32, Device::Cpu).unwrap().leaf().unwrap()
    }

    /// Adds the gradient of sum(y * (1, 2, 3, ...)).
    fn walk(y: &Tensor) {
        let counted: Vec<f32> = (1..=y.numel()).map(|i| i as f32).collect();
        let seed = Tensor::from_slice(&counted, y.shape()).unwrap();
        autograd::backward(&[(y.clone(), seed)], Options::default()).unwrap();
    }

    fn rows(x: &Tensor) -> Option<(Vec<i64>, Vec<f32>)> {
        let link = x.link().unwrap();
        let (index, values) = link.node.row_grad(link.index).unwrap()?;
        Some((index.slice().unwrap().to_vec(), values.slice().unwrap().to_vec()))
    }

    fn whole(x: &Tensor) -> Vec<f32> {
        x.grad().unwrap().unwrap().slice().unwrap().to_vec()
    }

    fn filled(pairs: &[(usize, [f32; 2])]) -> Vec<f32> {
        let mut out = vec![0.0; 18];
        pairs.iter().for_each(|&(row, values)| out[2 * row..][..2].copy_from_slice(&values));
        out
    }

    #[test]
    fn a_lookup_leaves_rows_until_the_whole_is_read() {
        let x = table();
        walk(&embedding(&list(&[7, 2, 7]), &x, None).unwrap());
        assert_eq!(rows(&x), Some((vec![2, 7], vec![3.0, 4.0, 6.0, 8.0])));
        assert_eq!(whole(&x), filled(&[(2, [3.0, 4.0]), (7, [6.0, 8.0])]));
        assert_eq!(rows(&x), None);
    }

    #[test]
    fn lookups_and_walks_add_up_and_padding_counts_only_where_it_is_padding() -> Result<()> {
        let x = table();
        let both = |x: &Tensor| {
            join::concat(&[&embedding(&list(&[4, 1]), x, Some(1))?, &take(x, &list(&[1]), Some(0))?], Some(0))
        };
        walk(&both(&x)?);
        assert_eq!(rows(&x), Some((vec![1, 4], vec![5.0, 6.0, 1.0, 2.0])));
        walk(&embedding(&list(&[4]), &x, None)?);
        assert_eq!(rows(&x), Some((vec![1, 4], vec![5.0, 6.0, 2.0, 4.0])));
        // More rows than are worth keeping apart: the whole, as before.
        walk(&both(&x)?);
        assert_eq!(rows(&x), None);
        assert_eq!(whole(&x), filled(&[(1, [10.0, 12.0]), (4, [3.0, 6.0])]));
        walk(&embedding(&list(&[0]), &x, None)?);
        assert_eq!(whole(&x), filled(&[(0, [1.0, 2.0]), (1, [10.0, 12.0]), (4, [3.0, 6.0])]));
        Ok(())
    }

    #[test]
    fn whoever_needs_the_whole_gets_it() -> Result<()> {
        let x = table();
        let twice = |x: &Tensor| join::concat(&[&embedding(&list(&[3]), x, None)?, &x.square()?], Some(0));
        walk(&twice(&x)?);
        let square: Vec<f32> =
            (0..18).map(|i| 2.0 * (i + 3) as f32 + if i / 2 == 3 { (i % 2 + 1) as f32 } else { 0.0 }).collect();
        assert_eq!(whole(&x), square);
        let y = embedding(&list(&[3]), &x, None)?;
        let seed = create::ones(y.shape(), DType::F32, Device::Cpu)?;
        let found = autograd::gradients(&[(y, seed)], std::slice::from_ref(&x), Options::default())?;
        assert_eq!(found[0].as_ref().unwrap().slice::<f32>()?, filled(&[(3, [1.0, 1.0])]));
        let hooked = table();
        let double = |g: &Tensor| g.add(g).map(Some);
        hooked.link().unwrap().node.add_hook(0, std::sync::Arc::new(double));
        walk(&embedding(&list(&[3]), &hooked, None)?);
        assert_eq!(whole(&hooked), filled(&[(3, [2.0, 4.0])]));
        Ok(())
    }
}
