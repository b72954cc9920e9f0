//! A layer through a sequence: one product for all input projections, then step by step, each shard of the batch alone.

use super::cells::Real;
use super::cut::Cut;
use super::panels::Panels;
use super::{Cell, Recurrent, Sizes};
use crate::cpu::gemm::{Matrix, Start, Strided, product};
use crate::cpu::parts::for_each_item;
use crate::cpu::pool;
use crate::cpu::scratch::Scratch;
use crate::error::Result;
use crate::shape::Layout;
use std::ops::Range;

/// The operands, contiguous.
pub struct Operands<'a, T> {
    pub x: &'a [T],
    pub w_ih: &'a [T],
    pub w_hh: &'a [T],
    pub b_ih: &'a [T],
    pub b_hh: &'a [T],
}

/// What is made: the outputs, what backward reads, and the states, which hold the initial ones.
pub struct Results<'a, T> {
    pub y: &'a mut [T],
    pub gates: &'a mut [T],
    pub extra: &'a mut [T],
    pub h: &'a mut [T],
    pub c: &'a mut [T],
}

/// A shard's states, and its parts of what is made at each step of a segment.
struct Shard<'a, T> {
    rows: Range<usize>,
    h: &'a mut [T],
    c: &'a mut [T],
    y: Vec<&'a mut [T]>,
    gates: Vec<&'a mut [T]>,
    extra: Vec<&'a mut [T]>,
}

pub fn run<T: Real>(layer: &Recurrent, operands: &Operands<T>, results: Results<T>) -> Result<()> {
    let Sizes { steps, batch, input, hidden } = layer.sizes;
    let (name, gates) = (layer.cell.name(), layer.cell.gates());
    if batch == 0 || hidden == 0 {
        return Ok(());
    }
    let Results { y, gates: all_gates, extra, h, c } = results;
    let mut bias = Scratch::<T>::new(name, gates * hidden)?;
    bias.copy_from_slice(operands.b_ih);
    if layer.cell != Cell::Gru {
        T::add_to(&mut bias, operands.b_hh);
    }
    let (rows, columns) = (Layout::contiguous(&[steps * batch, input]), transposed(gates * hidden, input));
    let (x, w_ih) = (Matrix::new(name, operands.x, &rows)?, Matrix::new(name, operands.w_ih, &columns)?);
    product(name, &x, &w_ih, Start::Row(&bias), all_gates)?;
    let w_hh = Strided { data: operands.w_hh, row: 1, column: hidden };
    let w_hh = Panels::new(name, w_hh, [hidden, gates * hidden])?;
    let cut = Cut::new(&layer.sizes, gates);
    for segment in layer.in_order(cut.segments()) {
        pool::check_interrupt()?;
        let y = cut.by_step(name, &mut *y, hidden, &segment)?;
        let gates = cut.by_step(name, &mut *all_gates, gates * hidden, &segment)?;
        let extra = cut.by_step(name, &mut *extra, layer.cell.extra() * hidden, &segment)?;
        let states = cut.by_shard(&mut *h, hidden).zip(cut.by_shard(&mut *c, layer.cell.states() * hidden));
        let parts = states.zip(y).zip(gates.into_iter().zip(extra)).zip(cut.rows());
        let shards: Vec<Shard<T>> =
            parts.map(|((((h, c), y), (gates, extra)), rows)| Shard { rows, h, c, y, gates, extra }).collect();
        for_each_item(shards.into_iter(), |shard| shard.advance(layer, &w_hh, operands.b_hh, segment.start))?;
    }
    Ok(())
}

/// A contiguous `(rows, columns)` seen as `(columns, rows)`.
pub fn transposed(rows: usize, columns: usize) -> Layout {
    let mut layout = Layout::contiguous(&[rows, columns]);
    layout.shape.reverse();
    layout.strides.reverse();
    layout
}

impl<T: Real> Shard<'_, T> {
    fn advance(mut self, layer: &Recurrent, w_hh: &Panels<T>, b_hh: &[T], start: usize) -> Result<()> {
        let (hidden, rows, cell) = (layer.sizes.hidden, self.rows.len(), layer.cell);
        let wide = cell.gates() * hidden;
        let mut own = Scratch::<T>::new(cell.name(), if cell == Cell::Gru { rows * wide } else { 0 })?;
        for step in layer.in_order(0..self.y.len()) {
            let time = start + step;
            let (y, gates, extra) = (&mut *self.y[step], &mut *self.gates[step], &mut *self.extra[step]);
            let active = layer.active(time, self.rows.clone());
            // The candidate of a GRU keeps the two projections apart.
            let target = match cell {
                Cell::Gru => {
                    own.chunks_mut(wide).for_each(|row| row.copy_from_slice(b_hh));
                    &mut own[..]
                }
                _ => &mut *gates,
            };
            w_hh.add_product(Strided::rows(self.h, hidden), active, target, wide)?;
            for row in 0..rows {
                let y = &mut y[row * hidden..][..hidden];
                if !layer.runs(time, self.rows.start + row) {
                    y.fill(T::default());
                    extra[row * cell.extra() * hidden..][..cell.extra() * hidden].fill(T::default());
                    continue;
                }
                let (gates, h) = (&mut gates[row * wide..][..wide], &mut self.h[row * hidden..][..hidden]);
                match cell {
                    Cell::Lstm => {
                        let c = &mut self.c[row * hidden..][..hidden];
                        T::lstm(gates, c, h);
                        extra[row * hidden..][..hidden].copy_from_slice(c);
                    }
                    Cell::Gru => {
                        let own = &own[row * wide..][..wide];
                        T::gru(gates, own, h);
                        extra[row * hidden..][..hidden].copy_from_slice(&own[2 * hidden..]);
                    }
                    Cell::Tanh => T::tanh(gates, h),
                    Cell::Relu => T::relu(gates, h),
                }
                y.copy_from_slice(h);
            }
        }
        Ok(())
    }
}
