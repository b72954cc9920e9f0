//! Sums of products in Einstein's notation, lowered to permutations, sums and matrix products.

mod parse;

use super::{matmul, movement, reduce};
use crate::error::{Error, Result};
use crate::shape::{Shape, display};
use crate::tensor::Tensor;
use parse::{Label, Labels, Subscripts};
use std::collections::BTreeMap;

/// A tensor and the names of its axes, each once.
struct Term {
    tensor: Tensor,
    labels: Labels,
}

/// `einsum("ij,jk->ik", a, b)`: axes with one letter in common are multiplied element by element; axes that the output
/// does not name are summed. `...` stands for axes that broadcast; without `->` the output has the letters that occur
/// once, in alphabetical order.
pub fn einsum(equation: &str, operands: &[&Tensor]) -> Result<Tensor> {
    let ranks: Vec<usize> = operands.iter().map(|x| x.rank()).collect();
    let Subscripts { inputs, output } = Subscripts::parse(equation, &ranks)?;
    check_sizes(equation, operands, &inputs)?;
    let mut terms = Vec::new();
    for (x, labels) in operands.iter().zip(inputs) {
        terms.push(Term::new(x, labels)?);
    }
    let mut rest = terms.into_iter();
    let mut left = rest.next().ok_or_else(|| Error::value("einsum", "expected at least one operand, got none"))?;
    while let Some(right) = rest.next() {
        let later: Vec<&Labels> = rest.as_slice().iter().map(|term| &term.labels).collect();
        let wanted = |label: Label| output.contains(&label) || later.iter().any(|labels| labels.contains(&label));
        left = left.contract(right, wanted)?;
    }
    left.summed(|label| output.contains(&label))?.arranged(&output)
}

/// One label has one size; a size of one broadcasts.
fn check_sizes(equation: &str, operands: &[&Tensor], inputs: &[Labels]) -> Result<()> {
    let mut sizes: BTreeMap<Label, usize> = BTreeMap::new();
    for (x, labels) in operands.iter().zip(inputs) {
        for (&label, &n) in labels.iter().zip(x.shape()) {
            let known = sizes.entry(label).or_insert(n);
            if *known != n && *known != 1 && n != 1 {
                let message = format!("sizes of {label} differ in {equation:?}, got {known} and {n}");
                return Err(Error::shape("einsum", message));
            }
            *known = if *known == 1 { n } else { *known };
        }
    }
    Ok(())
}

impl Term {
    /// Repeated labels become the diagonal of their axes.
    fn new(x: &Tensor, labels: Labels) -> Result<Term> {
        let mut term = Term { tensor: x.clone(), labels };
        while let Some((i, j)) = repeated(&term.labels) {
            if term.tensor.shape()[i] != term.tensor.shape()[j] {
                let message =
                    format!("axes of one label differ, expected equal sizes, got shape {}", display(x.shape()));
                return Err(Error::shape("einsum", message));
            }
            let label = term.labels[i];
            term.tensor = movement::diagonal(&term.tensor, 0, i as i64, j as i64)?;
            term.labels.remove(j);
            term.labels.remove(i);
            term.labels.push(label);
        }
        Ok(term)
    }

    fn size(&self, label: Label) -> Option<usize> {
        self.labels.iter().position(|&l| l == label).map(|i| self.tensor.shape()[i])
    }

    /// The sum over the labels nobody wants any more.
    fn summed(self, wanted: impl Fn(Label) -> bool) -> Result<Term> {
        let axes: Vec<i64> = (0..self.labels.len() as i64).filter(|&i| !wanted(self.labels[i as usize])).collect();
        if axes.is_empty() {
            return Ok(self);
        }
        let kept = |i: usize| if axes.contains(&(i as i64)) { 1 } else { self.tensor.shape()[i] };
        let shape: Shape = (0..self.labels.len()).map(kept).collect();
        let tensor = movement::squeeze(&reduce::sum_to(&self.tensor, &shape)?, &axes)?;
        Ok(Term { tensor, labels: self.labels.into_iter().filter(|&l| wanted(l)).collect() })
    }

    /// Without the axes of size one that the other operand has in full: they only broadcast.
    fn without_stretched(self, other: &Term) -> Result<Term> {
        let stretched = |&i: &usize| self.tensor.shape()[i] == 1 && other.size(self.labels[i]).is_some_and(|n| n != 1);
        let (gone, kept): (Vec<usize>, Vec<usize>) = (0..self.labels.len()).partition(stretched);
        let axes: Vec<i64> = gone.iter().map(|&i| i as i64).collect();
        let tensor = movement::squeeze(&self.tensor, &axes)?;
        Ok(Term { tensor, labels: kept.iter().map(|&i| self.labels[i]).collect() })
    }

    fn arranged(&self, order: &[Label]) -> Result<Tensor> {
        let place = |label: &Label| self.labels.iter().position(|l| l == label).map(|i| i as i64);
        let axes: Vec<i64> = order.iter().filter_map(place).collect();
        movement::permute(&self.tensor, &axes)
    }

    /// The product of two terms, summed over the labels that only they have and that are not wanted later.
    fn contract(self, right: Term, wanted: impl Fn(Label) -> bool) -> Result<Term> {
        let left = self.without_stretched(&right)?;
        let right = right.without_stretched(&left)?;
        let left = left.summed(|l| wanted(l) || right.labels.contains(&l))?;
        let right = right.summed(|l| wanted(l) || left.labels.contains(&l))?;
        let common = |keep: bool| -> Labels {
            left.labels.iter().copied().filter(|&l| right.labels.contains(&l) && wanted(l) == keep).collect()
        };
        let only =
            |a: &Term, b: &Term| -> Labels { a.labels.iter().copied().filter(|l| !b.labels.contains(l)).collect() };
        let (batch, inner) = (common(true), common(false));
        let (rows, columns) = (only(&left, &right), only(&right, &left));
        let labels: Labels = [&batch[..], &rows, &columns].concat();
        let sizes = |term: &Term, labels: &[Label]| labels.iter().filter_map(|&l| term.size(l)).collect::<Shape>();
        let (batch_sizes, row_sizes, column_sizes) =
            (sizes(&left, &batch), sizes(&left, &rows), sizes(&right, &columns));
        let shape: Shape = [&batch_sizes[..], &row_sizes, &column_sizes].concat().into();
        let numel = |shape: &[usize]| shape.iter().product::<usize>();
        let inner_size = numel(&sizes(&left, &inner));
        let a = left.arranged(&[&batch[..], &rows, &inner].concat())?;
        let b = right.arranged(&[&batch[..], &inner, &columns].concat())?;
        if inner.is_empty() {
            let stretched: Shape = [&batch_sizes[..], &row_sizes, &vec![1; columns.len()]].concat().into();
            let b = movement::reshape(&b, &[&batch_sizes[..], &vec![1; rows.len()], &column_sizes].concat())?;
            return Ok(Term { tensor: movement::reshape(&a, &stretched)?.multiply(&b)?, labels });
        }
        let a = movement::reshape(&a, &[&batch_sizes[..], &[numel(&row_sizes), inner_size]].concat())?;
        let b = movement::reshape(&b, &[&batch_sizes[..], &[inner_size, numel(&column_sizes)]].concat())?;
        Ok(Term { tensor: movement::reshape(&matmul::matmul(&a, &b)?, &shape)?, labels })
    }
}

fn repeated(labels: &[Label]) -> Option<(usize, usize)> {
    (0..labels.len()).find_map(|i| (i + 1..labels.len()).find(|&j| labels[i] == labels[j]).map(|j| (i, j)))
}

#[cfg(test)]
mod tests;
