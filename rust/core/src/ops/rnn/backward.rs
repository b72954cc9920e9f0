//! Back through a sequence: gradients of all gates step by step, then one product each for inputs and weights.

use super::cells::Real;
use super::cut::Cut;
use super::forward::transposed;
use super::panels::Panels;
use super::{Cell, Recurrent, Sizes};
use crate::cpu::gemm::{Matrix, Start, Strided, product};
use crate::cpu::parts::for_each_item;
use crate::cpu::pool;
use crate::cpu::scratch::Scratch;
use crate::error::Result;
use crate::shape::Layout;
use smallvec::SmallVec;
use std::ops::Range;

/// What forward had and made, and the gradient of its outputs.
pub struct Saved<'a, T> {
    pub x: &'a [T],
    pub w_ih: &'a [T],
    pub w_hh: &'a [T],
    pub h0: &'a [T],
    pub c0: &'a [T],
    pub y: &'a [T],
    pub gates: &'a [T],
    pub extra: &'a [T],
    pub dy: Option<&'a [T]>,
}

/// What is made. The gradients of the states hold those of the final ones; products that nobody wants are left out.
pub struct Grads<'a, T> {
    pub dx: Option<&'a mut [T]>,
    pub dw_ih: Option<&'a mut [T]>,
    pub dw_hh: Option<&'a mut [T]>,
    pub db_ih: &'a mut [T],
    pub db_hh: &'a mut [T],
    pub dh: &'a mut [T],
    pub dc: &'a mut [T],
}

struct Shard<'a, T> {
    rows: Range<usize>,
    dh: &'a mut [T],
    dc: &'a mut [T],
    sums: &'a mut [f64],
    deltas: Vec<&'a mut [T]>,
}

/// Recurrent weights, and the first of the gates' gradients that go back through them.
struct Carried<T> {
    first: usize,
    panels: Panels<T>,
}

pub fn run<T: Real>(layer: &Recurrent, saved: &Saved<T>, grads: Grads<T>) -> Result<()> {
    let Sizes { steps, batch, hidden, .. } = layer.sizes;
    let (name, cell, wide) = (layer.cell.name(), layer.cell, layer.cell.deltas() * layer.sizes.hidden);
    let Grads { dx, dw_ih, dw_hh, db_ih, db_hh, dh, dc } = grads;
    let mut deltas = Scratch::<T>::new(name, steps * batch * wide)?;
    let mut sums = Scratch::<f64>::zeroed(name, wide)?;
    if batch > 0 && hidden > 0 {
        let cut = Cut::new(&layer.sizes, cell.gates());
        let mut partial = Scratch::<f64>::zeroed(name, cut.shards() * wide)?;
        let mut carried: SmallVec<[Carried<T>; 2]> = SmallVec::new();
        for (weights, columns) in cell.hidden_blocks() {
            let rows = Strided::rows(&saved.w_hh[weights.start * hidden * hidden..], hidden);
            let panels = Panels::new(name, rows, [weights.len() * hidden, hidden])?;
            carried.push(Carried { first: columns.start * hidden, panels });
        }
        for segment in layer.in_order(cut.segments().rev()) {
            pool::check_interrupt()?;
            let deltas = cut.by_step(name, &mut deltas[..], wide, &segment)?;
            let states = cut.by_shard(&mut *dh, hidden).zip(cut.by_shard(&mut *dc, cell.states() * hidden));
            let parts = states.zip(deltas).zip(partial.chunks_mut(wide)).zip(cut.rows());
            let shards: Vec<Shard<T>> =
                parts.map(|((((dh, dc), deltas), sums), rows)| Shard { rows, dh, dc, sums, deltas }).collect();
            for_each_item(shards.into_iter(), |shard| shard.retreat(layer, saved, &carried, segment.start))?;
        }
        for part in partial.chunks(wide) {
            sums.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
        }
    }
    for (db, blocks) in [(db_ih, cell.input_blocks()), (db_hh, cell.hidden_blocks())] {
        for (weights, columns) in blocks {
            let sums = &sums[columns.start * hidden..columns.end * hidden];
            let db = &mut db[weights.start * hidden..weights.end * hidden];
            db.iter_mut().zip(sums).for_each(|(db, &sum)| *db = T::narrow(sum));
        }
    }
    let products = Products { layer, saved, deltas: &deltas };
    dx.map_or(Ok(()), |dx| products.inputs(dx))?;
    dw_ih.map_or(Ok(()), |dw| products.input_weights(dw))?;
    dw_hh.map_or(Ok(()), |dw| products.hidden_weights(dw))
}

impl<T: Real> Shard<'_, T> {
    fn retreat(mut self, layer: &Recurrent, saved: &Saved<T>, carried: &[Carried<T>], start: usize) -> Result<()> {
        let (Sizes { batch, hidden, .. }, cell) = (layer.sizes, layer.cell);
        let (wide, gates_wide) = (cell.deltas() * hidden, cell.gates() * hidden);
        for step in layer.in_order((0..self.deltas.len()).rev()) {
            let (time, deltas) = (start + step, &mut *self.deltas[step]);
            for (i, row) in self.rows.clone().enumerate() {
                let deltas = &mut deltas[i * wide..][..wide];
                if !layer.runs(time, row) {
                    deltas.fill(T::default());
                    continue;
                }
                let place = time * batch + row;
                let of = |all, width| row_of(all, place, width);
                let before = |all, first| match layer.before(time, row) {
                    Some(earlier) => row_of(all, earlier * batch + row, hidden),
                    None => row_of(first, row, hidden),
                };
                let dh = &mut self.dh[i * hidden..][..hidden];
                if let Some(dy) = saved.dy {
                    T::add_to(dh, of(dy, hidden));
                }
                match cell {
                    Cell::Lstm => {
                        let dc = &mut self.dc[i * hidden..][..hidden];
                        let states = [before(saved.extra, saved.c0), of(saved.extra, hidden)];
                        T::lstm_back(of(saved.gates, gates_wide), states, dh, dc, deltas);
                    }
                    Cell::Gru => {
                        let before = before(saved.y, saved.h0);
                        T::gru_back(of(saved.gates, gates_wide), of(saved.extra, hidden), before, dh, deltas);
                    }
                    Cell::Tanh => T::tanh_back(of(saved.y, hidden), dh, deltas),
                    Cell::Relu => T::relu_back(of(saved.y, hidden), dh, deltas),
                }
                T::tally(self.sums, deltas);
            }
            let active = layer.active(time, self.rows.clone());
            for Carried { first, panels } in carried {
                panels.add_product(Strided::rows(&deltas[*first..], wide), active, self.dh, hidden)?;
            }
        }
        Ok(())
    }
}

fn row_of<T>(all: &[T], row: usize, width: usize) -> &[T] {
    &all[row * width..][..width]
}

/// The products over the whole sequence.
struct Products<'a, T> {
    layer: &'a Recurrent,
    saved: &'a Saved<'a, T>,
    /// Gradients of the gates, `(steps, batch, deltas * hidden)`.
    deltas: &'a [T],
}

impl<T: Real> Products<'_, T> {
    fn name(&self) -> &'static str {
        self.layer.cell.name()
    }

    fn wide(&self) -> usize {
        self.layer.cell.deltas() * self.layer.sizes.hidden
    }

    fn inputs(&self, dx: &mut [T]) -> Result<()> {
        let Sizes { steps, batch, input, hidden } = self.layer.sizes;
        let width = self.layer.cell.gates() * hidden;
        let mut from = Layout::contiguous(&[steps * batch, self.wide()]);
        from.shape[1] = width;
        let weights = Layout::contiguous(&[width, input]);
        let (deltas, weights) =
            (Matrix::new(self.name(), self.deltas, &from)?, Matrix::new(self.name(), self.saved.w_ih, &weights)?);
        product(self.name(), &deltas, &weights, Start::Zero, dx)
    }

    fn input_weights(&self, dw: &mut [T]) -> Result<()> {
        let Sizes { input, hidden, .. } = self.layer.sizes;
        let columns = 0..self.layer.cell.gates() * hidden;
        self.outer(self.deltas, columns, (self.saved.x, input), Start::Zero, dw)
    }

    fn hidden_weights(&self, dw: &mut [T]) -> Result<()> {
        let Sizes { steps, batch, hidden, .. } = self.layer.sizes;
        // The first step of every row saw its initial state, all others the output of the step before.
        let mut first = Scratch::<T>::zeroed(self.name(), batch * self.wide())?;
        for row in 0..batch {
            if let Some(time) = self.layer.first(row) {
                let from = row_of(self.deltas, time * batch + row, self.wide());
                first[row * self.wide()..][..self.wide()].copy_from_slice(from);
            }
        }
        let later = steps.saturating_sub(1) * batch;
        let (later_deltas, earlier_y) = match self.layer.reverse {
            false => (&self.deltas[self.deltas.len() - later * self.wide()..], &self.saved.y[..later * hidden]),
            true => (&self.deltas[..later * self.wide()], &self.saved.y[self.saved.y.len() - later * hidden..]),
        };
        for (weights, columns) in self.layer.cell.hidden_blocks() {
            let columns = columns.start * hidden..columns.end * hidden;
            let dw = &mut dw[weights.start * hidden * hidden..weights.end * hidden * hidden];
            self.outer(&first, columns.clone(), (self.saved.h0, hidden), Start::Zero, dw)?;
            self.outer(later_deltas, columns, (earlier_y, hidden), Start::Output, dw)?;
        }
        Ok(())
    }

    /// `out = start + d^T x` for some columns of the gates' gradients and the rows of `x`, which are `width` long.
    fn outer(
        &self,
        deltas: &[T],
        columns: Range<usize>,
        (x, width): (&[T], usize),
        start: Start<T>,
        out: &mut [T],
    ) -> Result<()> {
        let rows = if self.wide() == 0 { 0 } else { deltas.len() / self.wide() };
        let mut left = transposed(rows, self.wide());
        (left.shape[0], left.offset) = (columns.len(), columns.start);
        let right = Layout::contiguous(&[rows, width]);
        let (deltas, x) = (Matrix::new(self.name(), deltas, &left)?, Matrix::new(self.name(), x, &right)?);
        product(self.name(), &deltas, &x, start, out)
    }
}
