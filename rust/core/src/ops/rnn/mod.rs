//! Recurrent layers over whole sequences: one op, and one node of the graph, for a layer and a direction.
//!
//! Inside, sequences are `(steps, batch, width)`. A row of the batch may be shorter than the others: beyond its length
//! the state stands still and the output is zero, as in PyTorch's packed sequences.

mod backward;
mod cells;
mod cut;
mod forward;
mod panels;

use super::spatial::expect_float;
use super::{Op, Spec, Specs, apply, cast, copy, create, host_only, movement, select};
use crate::autograd::{Gradient, Grads, Saved, Saves};
use crate::dispatch;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::shape::display;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};
use std::ops::Range;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Lstm,
    Gru,
    Tanh,
    Relu,
}

impl Cell {
    fn name(self) -> &'static str {
        match self {
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
            Cell::Tanh | Cell::Relu => "rnn",
        }
    }

    /// Blocks of gates in the weights, each as wide as the hidden state.
    fn gates(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru => 3,
            Cell::Tanh | Cell::Relu => 1,
        }
    }

    /// Blocks that a step keeps beside its gates: the cell of an LSTM, the hidden part of a GRU's candidate.
    fn extra(self) -> usize {
        usize::from(matches!(self, Cell::Lstm | Cell::Gru))
    }

    /// Blocks of state beside the hidden one.
    fn states(self) -> usize {
        usize::from(self == Cell::Lstm)
    }

    /// Blocks of gate gradients: a GRU's candidate has one for its input part and one for its hidden part.
    fn deltas(self) -> usize {
        if self == Cell::Gru { 4 } else { self.gates() }
    }

    /// Which blocks of the input weights belong to which blocks of the gate gradients.
    fn input_blocks(self) -> Blocks {
        smallvec![(0..self.gates(), 0..self.gates())]
    }

    /// The same for the recurrent weights.
    fn hidden_blocks(self) -> Blocks {
        match self {
            Cell::Gru => smallvec![(0..2, 0..2), (2..3, 3..4)],
            _ => self.input_blocks(),
        }
    }
}

type Blocks = SmallVec<[(Range<usize>, Range<usize>); 2]>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    steps: usize,
    batch: usize,
    input: usize,
    hidden: usize,
}

/// Inputs: x, w_ih, w_hh, b_ih, b_hh, h0 and, for an LSTM, c0. Outputs: y, the final h, the gates, what else backward
/// reads (see `Cell::extra`) and, for an LSTM, the final c.
#[derive(Debug, Clone)]
struct Recurrent {
    cell: Cell,
    sizes: Sizes,
    reverse: bool,
    /// Steps of each row; all of them when absent.
    lengths: Option<Arc<[usize]>>,
}

impl Recurrent {
    fn length(&self, row: usize) -> usize {
        self.lengths.as_ref().map_or(self.sizes.steps, |lengths| lengths[row])
    }

    /// Whether a row of the batch goes on at this time.
    fn runs(&self, time: usize, row: usize) -> bool {
        time < self.length(row)
    }

    /// How many of the rows have to be computed: up to the last that goes on.
    fn active(&self, time: usize, rows: Range<usize>) -> usize {
        rows.clone().rev().find(|&row| self.runs(time, row)).map_or(0, |row| row + 1 - rows.start)
    }

    /// The time of a row's first step.
    fn first(&self, row: usize) -> Option<usize> {
        let last = self.length(row).checked_sub(1)?;
        Some(if self.reverse { last } else { 0 })
    }

    /// The time of the step before; `None` at the first.
    fn before(&self, time: usize, row: usize) -> Option<usize> {
        (self.first(row) != Some(time)).then(|| if self.reverse { time + 1 } else { time.wrapping_sub(1) })
    }

    /// What is listed by time, in the order in which the layer takes it.
    fn in_order<I: DoubleEndedIterator>(&self, mut items: I) -> impl Iterator<Item = I::Item> {
        let reverse = self.reverse;
        std::iter::from_fn(move || if reverse { items.next_back() } else { items.next() })
    }
}

impl Recurrent {
    /// Operations of all products of inputs and states with their weights.
    fn flops_of_steps(&self) -> u64 {
        let Sizes { steps, batch, input, hidden } = self.sizes;
        2 * (steps * batch * self.cell.gates() * hidden * (input + hidden)) as u64
    }
}

impl Gradient for Recurrent {
    fn name(&self) -> &'static str {
        self.cell.name()
    }
    fn saves(&self) -> Saves {
        let outputs = if self.cell.extra() == 0 { 0b0001 } else { 0b1101 };
        Saves { inputs: 0b110_0111, outputs }
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let contiguous = |i: usize| dy.get(i).and_then(Option::as_ref).map(copy::contiguous).transpose();
        let given = [contiguous(0)?, contiguous(1)?, contiguous(4)?];
        let y = saved.output(0)?.detach();
        let made = |i: usize| if self.cell.extra() == 0 { Ok(y.clone()) } else { saved.output(i).map(Tensor::detach) };
        let (gates, extra) = (made(2)?, made(3)?);
        let last = saved.len() - 1;
        let mut inputs: SmallVec<[&Tensor; 11]> =
            smallvec![saved.input(0)?, saved.input(1)?, saved.input(2)?, saved.input(5)?, saved.input(last)?];
        inputs.extend([&y, &gates, &extra]);
        inputs.extend(given.iter().flatten());
        let back = RecurrentBackward {
            layer: self.clone(),
            wanted: std::array::from_fn(|i| saved.needs(i)),
            given: std::array::from_fn(|i| given[i].is_some()),
        };
        let made = apply(back, &inputs)?;
        Ok((0..saved.len()).zip(made).map(|(i, grad)| saved.needs(i).then_some(grad)).collect())
    }
}

impl Op for Recurrent {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (Sizes { steps, batch, hidden, .. }, dtype) = (self.sizes, inputs[0].dtype());
        let of = |width: usize| Spec::new(&[steps, batch, width], dtype);
        let state = Spec::new(&[batch, hidden], dtype);
        let mut specs: Specs =
            smallvec![of(hidden), state.clone(), of(self.cell.gates() * hidden), of(self.cell.extra() * hidden)];
        specs.extend((self.cell.states() > 0).then_some(state));
        Ok(specs)
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [y, h, gates, extra, c @ ..] = outputs else {
            return Err(Error::internal(self.cell.name(), "expected four outputs"));
        };
        dispatch!(inputs[0].dtype(), self.cell.name(), [wide], T => {
            let at = |i: usize| inputs[i].slice::<T>();
            let operands = forward::Operands { x: at(0)?, w_ih: at(1)?, w_hh: at(2)?, b_ih: at(3)?, b_hh: at(4)? };
            let h = filled::<T>(h, Some(at(5)?))?;
            let c = c.first_mut().map_or(Ok(Default::default()), |c| filled(c, Some(at(6)?)))?;
            let results = forward::Results { y: whole(y)?, gates: whole(gates)?, extra: whole(extra)?, h, c };
            forward::run(self, &operands, results)
        })
    }
    fn flops(&self, _: &[&Tensor], _: &[Tensor]) -> u64 {
        self.flops_of_steps()
    }
}

/// The elements of an output.
fn whole<T: crate::dtype::Element>(output: &mut Output) -> Result<&mut [T]> {
    let numel = output.numel();
    Ok(&mut output.slice_mut::<T>()?[..numel])
}

/// An output that begins as a copy, or as zeros.
fn filled<'a, T: crate::dtype::Element>(output: &'a mut Output, from: Option<&[T]>) -> Result<&'a mut [T]> {
    let all = whole::<T>(output)?;
    match from {
        Some(from) => all.copy_from_slice(from),
        None => all.fill(T::default()),
    }
    Ok(all)
}

/// Inputs: x, w_ih, w_hh, h0, c0 (an LSTM's), y, gates, extra, and the given ones of the gradients of y, h and c.
/// Outputs: gradients of the inputs of forward; the large ones are empty where nobody wants them.
#[derive(Debug)]
struct RecurrentBackward {
    layer: Recurrent,
    wanted: [bool; 3],
    given: [bool; 3],
}

impl Gradient for RecurrentBackward {
    fn name(&self) -> &'static str {
        self.layer.cell.name()
    }
    fn backward(&self, _: &Saved, _: &[Option<Tensor>]) -> Result<Grads> {
        Err(Error::grad(self.name(), "has no second derivative, expected a first backward without create_graph=True"))
    }
}

impl Op for RecurrentBackward {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let (Recurrent { cell, sizes, .. }, dtype) = (&self.layer, inputs[0].dtype());
        let large = (0..3).map(|i| if self.wanted[i] { Spec::like(inputs[i]) } else { Spec::new(&[0], dtype) });
        let bias = Spec::new(&[cell.gates() * sizes.hidden], dtype);
        let states = std::iter::repeat_n(Spec::like(inputs[3]), 1 + cell.states());
        Ok(large.chain([bias.clone(), bias]).chain(states).collect())
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let [dx, dw_ih, dw_hh, db_ih, db_hh, dh, dc @ ..] = outputs else {
            return Err(Error::internal(self.name(), "expected six outputs"));
        };
        dispatch!(inputs[0].dtype(), self.name(), [wide], T => {
            let at = |i: usize| inputs[i].slice::<T>();
            let mut given = inputs[8..].iter();
            let mut next = |i: usize| match self.given[i] {
                true => given.next().map(|dy| dy.slice::<T>()).transpose(),
                false => Ok(None),
            };
            let (dy, dh_end, dc_end) = (next(0)?, next(1)?, next(2)?);
            let saved = backward::Saved {
                x: at(0)?, w_ih: at(1)?, w_hh: at(2)?, h0: at(3)?, c0: at(4)?, y: at(5)?, gates: at(6)?, extra: at(7)?, dy,
            };
            let wanted = |i: usize, output| if self.wanted[i] { whole(output).map(Some) } else { Ok(None) };
            let grads = backward::Grads {
                dx: wanted(0, dx)?,
                dw_ih: wanted(1, dw_ih)?,
                dw_hh: wanted(2, dw_hh)?,
                db_ih: whole(db_ih)?,
                db_hh: whole(db_hh)?,
                dh: filled(dh, dh_end)?,
                dc: dc.first_mut().map_or(Ok(Default::default()), |dc| filled(dc, dc_end))?,
            };
            backward::run(&self.layer, &saved, grads)
        })
    }
    fn flops(&self, _: &[&Tensor], _: &[Tensor]) -> u64 {
        2 * self.layer.flops_of_steps()
    }
}

/// One layer in one direction: `x (steps, batch, input)`, `w_ih (gates * hidden, input)`, `w_hh (gates * hidden, hidden)`,
/// biases `(gates * hidden,)`, initial state `(batch, hidden)` (zero when absent) and the steps of each row `(batch,)`.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    pub x: &'a Tensor,
    pub w_ih: &'a Tensor,
    pub w_hh: &'a Tensor,
    pub b_ih: Option<&'a Tensor>,
    pub b_hh: Option<&'a Tensor>,
    pub h0: Option<&'a Tensor>,
    pub lengths: Option<&'a Tensor>,
    /// From the last step to the first.
    pub reverse: bool,
}

impl Layer<'_> {
    fn sizes(&self, cell: Cell) -> Result<Sizes> {
        let (op, gates) = (cell.name(), cell.gates());
        let &[steps, batch, input] = self.x.shape() else {
            let got = display(self.x.shape());
            return Err(Error::shape(op, format!("expected an input (steps, batch, width), got shape {got}")));
        };
        let fits = |&&hidden: &&usize| Some(self.w_hh.shape()[0]) == hidden.checked_mul(gates);
        let Some(&hidden) = self.w_hh.shape().get(1).filter(fits).filter(|_| self.w_hh.rank() == 2) else {
            let got = display(self.w_hh.shape());
            return Err(Error::shape(op, format!("expected weight_hh ({gates} * hidden, hidden), got shape {got}")));
        };
        Ok(Sizes { steps, batch, input, hidden })
    }

    /// An operand of the shape it must have, of the input's dtype, in the dtype of the computation; zeros when absent.
    fn operand(&self, op: &str, what: &str, x: Option<&Tensor>, shape: &[usize]) -> Result<Tensor> {
        let dtype = self.x.dtype();
        let Some(x) = x else { return create::zeros(shape, dtype.compute(), self.x.device()) };
        if x.shape() != shape {
            let (want, got) = (display(shape), display(x.shape()));
            return Err(Error::shape(op, format!("{what} does not fit the others, expected shape {want}, got {got}")));
        }
        if x.dtype() != dtype {
            return Err(Error::dtype(op, format!("expected {what} of the input's {dtype}, got {}", x.dtype())));
        }
        copy::contiguous(&cast::astype(x, dtype.compute())?)
    }

    /// The outputs, the final h and, of an LSTM, the final c, in the dtype of the input.
    fn run(&self, cell: Cell, c0: Option<&Tensor>) -> Result<SmallVec<[Tensor; 3]>> {
        let op = cell.name();
        expect_float(op, self.x)?;
        host_only(op, self.x)?;
        let sizes = self.sizes(cell)?;
        let Sizes { steps, batch, input, hidden } = sizes;
        let wide = cell.gates() * hidden;
        let lengths = self.lengths.map(|lengths| steps_of(op, lengths, batch, steps)).transpose()?;
        let mut x = self.operand(op, "input", Some(self.x), self.x.shape())?;
        if let Some(lengths) = self.lengths {
            x = without_padding(&x, lengths)?;
        }
        let mut inputs: SmallVec<[Tensor; 7]> = smallvec![
            x,
            self.operand(op, "weight_ih", Some(self.w_ih), &[wide, input])?,
            self.operand(op, "weight_hh", Some(self.w_hh), &[wide, hidden])?,
            self.operand(op, "bias_ih", self.b_ih, &[wide])?,
            self.operand(op, "bias_hh", self.b_hh, &[wide])?,
            self.operand(op, "h0", self.h0, &[batch, hidden])?,
        ];
        if cell.states() > 0 {
            inputs.push(self.operand(op, "c0", c0, &[batch, hidden])?);
        }
        let layer = Recurrent { cell, sizes, reverse: self.reverse, lengths };
        let made = apply(layer, &inputs.iter().collect::<SmallVec<[&Tensor; 7]>>())?;
        [0, 1, 4].into_iter().filter_map(|i| made.get(i)).map(|y| cast::astype(y, self.x.dtype())).collect()
    }
}

/// The steps of each row, checked.
fn steps_of(op: &str, lengths: &Tensor, batch: usize, steps: usize) -> Result<Arc<[usize]>> {
    if !lengths.dtype().is_int() || lengths.shape() != [batch] {
        let got = format!("{} {}", lengths.dtype(), display(lengths.shape()));
        return Err(Error::value(op, format!("expected lengths as integers of shape ({batch},), got {got}")));
    }
    let values = copy::contiguous(&cast::astype(lengths, DType::I64)?)?;
    let mut checked = Vec::new();
    checked.try_reserve_exact(batch).map_err(|_| Error::memory(op, format!("cannot hold {batch} lengths")))?;
    for &length in values.slice::<i64>()? {
        let fits = usize::try_from(length).ok().filter(|&n| n <= steps);
        let wrong = || Error::value(op, format!("expected lengths from 0 to {steps}, got {length}"));
        checked.push(fits.ok_or_else(wrong)?);
    }
    Ok(checked.into())
}

/// `x` with zeros beyond the rows' lengths, so that nothing found there reaches a gradient.
fn without_padding(x: &Tensor, lengths: &Tensor) -> Result<Tensor> {
    use crate::ops::elementwise::Operand;
    use crate::scalar::Scalar;
    let int = |n: i128| Scalar::Int(n);
    let times = create::arange(int(0), int(x.shape()[0] as i128), int(1), DType::I64, x.device())?;
    let times = movement::reshape(&times, &[x.shape()[0], 1, 1])?;
    let lengths = movement::reshape(&cast::astype(lengths, DType::I64)?, &[1, x.shape()[1], 1])?;
    select::choose(&times.less(&lengths)?, Operand::Tensor(x), Operand::Number(Scalar::Float(0.0)))
}

fn exactly<const N: usize>(op: &str, made: SmallVec<[Tensor; 3]>) -> Result<[Tensor; N]> {
    made.into_vec().try_into().map_err(|_| Error::internal(op, format!("expected {N} outputs")))
}

/// Long short-term memory (Hochreiter and Schmidhuber 1997), gates i, f, g, o: the outputs, the final h and the final c.
pub fn lstm(layer: &Layer, c0: Option<&Tensor>) -> Result<[Tensor; 3]> {
    exactly("lstm", layer.run(Cell::Lstm, c0)?)
}

/// Gated recurrent unit (Cho et al. 2014), gates r, z, n, the reset after the product: the outputs and the final h.
pub fn gru(layer: &Layer) -> Result<[Tensor; 2]> {
    exactly("gru", layer.run(Cell::Gru, None)?)
}

/// `h = act(w_ih x + b_ih + w_hh h + b_hh)` with tanh or relu: the outputs and the final h.
pub fn rnn(layer: &Layer, nonlinearity: &str) -> Result<[Tensor; 2]> {
    let cell = match nonlinearity {
        "tanh" => Cell::Tanh,
        "relu" => Cell::Relu,
        other => {
            let message = format!("unknown nonlinearity, expected \"tanh\" or \"relu\", got {other:?}");
            return Err(Error::value("rnn", message));
        }
    };
    exactly("rnn", layer.run(cell, None)?)
}

#[cfg(test)]
mod tests;
