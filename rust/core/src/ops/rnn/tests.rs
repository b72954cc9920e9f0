use super::*;
use crate::autograd::gradcheck::{assert_first_order, random_tensor};
use crate::autograd::{Options, gradients};
use crate::ops::{join, matmul};

const GATES: [(Cell, usize); 4] = [(Cell::Lstm, 4), (Cell::Gru, 3), (Cell::Tanh, 1), (Cell::Relu, 1)];

/// x, w_ih, w_hh, b_ih, b_hh, h0, c0 of one layer.
fn operands(gates: usize, [steps, batch, input, hidden]: [usize; 4]) -> Vec<Tensor> {
    let wide = gates * hidden;
    let shapes: [&[usize]; 7] =
        [&[steps, batch, input], &[wide, input], &[wide, hidden], &[wide], &[wide], &[batch, hidden], &[batch, hidden]];
    shapes.iter().zip(0..).map(|(shape, seed)| random_tensor(shape, seed)).collect()
}

fn run(cell: Cell, t: &[Tensor], lengths: Option<&Tensor>, reverse: bool) -> Result<Vec<Tensor>> {
    let layer = Layer {
        x: &t[0],
        w_ih: &t[1],
        w_hh: &t[2],
        b_ih: Some(&t[3]),
        b_hh: Some(&t[4]),
        h0: Some(&t[5]),
        lengths,
        reverse,
    };
    Ok(match cell {
        Cell::Lstm => lstm(&layer, Some(&t[6]))?.to_vec(),
        Cell::Gru => gru(&layer)?.to_vec(),
        Cell::Tanh => rnn(&layer, "tanh")?.to_vec(),
        Cell::Relu => rnn(&layer, "relu")?.to_vec(),
    })
}

/// One step of one row, written with the ops that the formulas name.
fn step(cell: Cell, t: &[Tensor], x: &Tensor, h: &Tensor, c: &Tensor) -> Result<(Tensor, Tensor)> {
    let hidden = t[2].shape()[1];
    let (own, carried) = (matmul::linear(x, &t[1], Some(&t[3]))?, matmul::linear(h, &t[2], Some(&t[4]))?);
    let block = |x: &Tensor, i: usize| movement::narrow(x, 1, i * hidden, hidden);
    let gate = |i: usize| block(&own, i)?.add(&block(&carried, i)?);
    Ok(match cell {
        Cell::Lstm => {
            let (i, f, g, o) = (gate(0)?.sigmoid()?, gate(1)?.sigmoid()?, gate(2)?.tanh()?, gate(3)?.sigmoid()?);
            let c = f.multiply(c)?.add(&i.multiply(&g)?)?;
            (o.multiply(&c.tanh()?)?, c)
        }
        Cell::Gru => {
            let (r, z) = (gate(0)?.sigmoid()?, gate(1)?.sigmoid()?);
            let n = block(&own, 2)?.add(&r.multiply(&block(&carried, 2)?)?)?.tanh()?;
            (n.add(&z.multiply(&h.subtract(&n)?)?)?, c.clone())
        }
        Cell::Tanh => (gate(0)?.tanh()?, c.clone()),
        Cell::Relu => (gate(0)?.relu()?, c.clone()),
    })
}

/// The same layer row by row and step by step.
fn composed(cell: Cell, t: &[Tensor], lengths: Option<&[i64]>, reverse: bool) -> Result<Vec<Tensor>> {
    let (steps, batch, hidden) = (t[0].shape()[0], t[0].shape()[1], t[2].shape()[1]);
    let (mut columns, mut ends, mut cells) = (vec![], vec![], vec![]);
    for row in 0..batch {
        let of = |x: &Tensor| movement::narrow(x, 0, row, 1);
        let (mut h, mut c) = (of(&t[5])?, of(&t[6])?);
        let length = lengths.map_or(steps, |lengths| lengths[row] as usize);
        let mut ys = vec![create::zeros(&[1, hidden], t[0].dtype(), crate::Device::Cpu)?; steps];
        let times: Vec<usize> = if reverse { (0..length).rev().collect() } else { (0..length).collect() };
        for time in times {
            let x = movement::narrow(&movement::squeeze(&movement::narrow(&t[0], 0, time, 1)?, &[0])?, 0, row, 1)?;
            (h, c) = step(cell, t, &x, &h, &c)?;
            ys[time] = h.clone();
        }
        columns.push(join::stack(&ys.iter().collect::<Vec<_>>(), 0)?);
        ends.push(h);
        cells.push(c);
    }
    let joined = |x: &[Tensor], axis| join::concat(&x.iter().collect::<Vec<_>>(), Some(axis));
    let mut out = vec![joined(&columns, 1)?, joined(&ends, 0)?];
    if cell == Cell::Lstm {
        out.push(joined(&cells, 0)?);
    }
    Ok(out)
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(&x.detach()).unwrap().slice::<f64>().unwrap().to_vec()
}

#[track_caller]
fn close(got: &Tensor, want: &Tensor) {
    assert_eq!(got.shape(), want.shape());
    let worst = values(got).iter().zip(values(want)).map(|(g, w)| (g - w).abs() / w.abs().max(1.0)).fold(0.0, f64::max);
    assert!(worst < 1e-11, "differs by {worst}");
}

#[test]
fn outputs_and_gradients_are_those_of_the_formulas() {
    for (cell, gates) in GATES {
        for (sizes, lengths) in
            [([1, 1, 1, 1], None), ([5, 3, 4, 2], None), ([6, 4, 3, 5], Some([6i64, 1, 4, 0])), ([3, 37, 2, 65], None)]
        {
            for reverse in [false, true] {
                let t: Vec<Tensor> = operands(gates, sizes).iter().map(|x| x.leaf().unwrap()).collect();
                let steps = lengths.map(|lengths| Tensor::from_slice(&lengths, &[4]).unwrap());
                let fused = run(cell, &t, steps.as_ref(), reverse).unwrap();
                let plain = composed(cell, &t, lengths.as_ref().map(|l| &l[..]), reverse).unwrap();
                fused.iter().zip(&plain).for_each(|(fused, plain)| close(fused, plain));
                let wanted = &t[..if cell == Cell::Lstm { 7 } else { 6 }];
                let of = |outputs: &[Tensor]| {
                    let seeds = outputs.iter().zip(9..).map(|(y, seed)| (y.clone(), random_tensor(y.shape(), seed)));
                    gradients(&seeds.collect::<Vec<_>>(), wanted, Options::default()).unwrap()
                };
                for (fused, plain) in of(&fused).iter().zip(of(&plain)) {
                    match plain {
                        Some(plain) => close(fused.as_ref().unwrap(), &plain),
                        None => assert!(values(fused.as_ref().unwrap()).iter().all(|&g| g == 0.0)),
                    }
                }
            }
        }
    }
}

#[test]
fn gradients_agree_with_differences_when_only_some_outputs_are_used() {
    for (cell, gates) in GATES {
        let t = operands(gates, [3, 2, 2, 3]);
        let inputs: Vec<&Tensor> = t.iter().take(if cell == Cell::Lstm { 7 } else { 6 }).collect();
        let full = |x: &[Tensor]| x.iter().cloned().chain(t[x.len()..].iter().cloned()).collect::<Vec<_>>();
        for output in 0..run(cell, &t, None, false).unwrap().len() {
            assert_first_order(&inputs, &|x: &[Tensor]| Ok(run(cell, &full(x), None, true)?[output].clone()));
        }
    }
}

#[test]
fn padding_reaches_neither_outputs_nor_gradients() {
    for (cell, gates) in GATES {
        let mut t = operands(gates, [4, 2, 3, 2]);
        let lengths = Tensor::from_slice(&[2i64, 4], &[2]).unwrap();
        let clean: Vec<Tensor> = t.iter().map(|x| x.leaf().unwrap()).collect();
        let mut x = values(&t[0]);
        x[2 * 2 * 3..2 * 2 * 3 + 3].fill(f64::NAN);
        x[3 * 2 * 3..3 * 2 * 3 + 3].fill(f64::INFINITY);
        t[0] = Tensor::from_slice(&x, t[0].shape()).unwrap();
        let dirty: Vec<Tensor> = t.iter().map(|x| x.leaf().unwrap()).collect();
        for reverse in [false, true] {
            let of = |t: &[Tensor]| {
                let y = run(cell, t, Some(&lengths), reverse).unwrap();
                let roots: Vec<_> = y.iter().map(|y| (y.clone(), random_tensor(y.shape(), 3))).collect();
                let wanted = &t[..if cell == Cell::Lstm { 7 } else { 6 }];
                y.into_iter()
                    .chain(gradients(&roots, wanted, Options::default()).unwrap().into_iter().flatten())
                    .collect()
            };
            let (clean, dirty): (Vec<Tensor>, Vec<Tensor>) = (of(&clean), of(&dirty));
            assert!(clean.iter().zip(&dirty).all(|(a, b)| values(a) == values(b)));
        }
    }
}

#[test]
fn shards_do_not_show() {
    for (cell, gates) in GATES {
        let t = operands(gates, [4, 70, 3, 40]);
        let whole = run(cell, &t, None, false).unwrap();
        for first in [0, 33, 64] {
            let rows = |x: &Tensor, axis: usize| movement::narrow(x, axis, first, 6).unwrap();
            let mut part = t.clone();
            (part[0], part[5], part[6]) = (rows(&t[0], 1), rows(&t[5], 0), rows(&t[6], 0));
            let own = run(cell, &part, None, false).unwrap();
            close(&rows(&whole[0], 1), &own[0]);
            close(&rows(&whole[1], 0), &own[1]);
        }
    }
}

#[test]
fn empty_sizes_work() {
    for (cell, gates) in GATES {
        for sizes in [[0, 2, 3, 4], [3, 0, 2, 4], [3, 2, 0, 4], [3, 2, 4, 0], [1 << 40, 0, 0, 0]] {
            let t: Vec<Tensor> = operands(gates, sizes).iter().map(|x| x.leaf().unwrap()).collect();
            let y = run(cell, &t, None, false).unwrap();
            assert_eq!(y[0].shape(), [sizes[0], sizes[1], sizes[3]]);
            if sizes[0] == 0 {
                close(&y[1], &t[5]);
            }
            let seed = random_tensor(y[1].shape(), 1);
            let grads = gradients(&[(y[1].clone(), seed)], &t[..6], Options::default()).unwrap();
            assert!(grads.iter().zip(&t).all(|(grad, x)| grad.as_ref().unwrap().shape() == x.shape()));
        }
    }
}

#[test]
fn wrong_arguments_are_errors() {
    let t = operands(4, [3, 2, 4, 5]);
    for i in 0..7 {
        let mut wrong = t.clone();
        wrong[i] = random_tensor(&[7], 0);
        assert!(matches!(run(Cell::Lstm, &wrong, None, false), Err(Error::Shape(_))), "operand {i}");
        wrong[i] = cast::astype(&t[i], DType::F32).unwrap();
        assert!(matches!(run(Cell::Lstm, &wrong, None, false), Err(Error::DType(_))), "operand {i}");
    }
    let lengths = |values: &[i64]| Tensor::from_slice(values, &[values.len()]).unwrap();
    for wrong in [lengths(&[1]), lengths(&[1, 4]), lengths(&[-1, 2]), random_tensor(&[2], 0)] {
        assert!(matches!(run(Cell::Lstm, &t, Some(&wrong), false), Err(Error::Value(_))));
    }
    let layer =
        Layer { x: &t[0], w_ih: &t[1], w_hh: &t[2], b_ih: None, b_hh: None, h0: None, lengths: None, reverse: false };
    assert!(matches!(rnn(&layer, "sigmoid"), Err(Error::Value(_))));
    assert!(lstm(&layer, None).is_ok());
}

#[test]
fn a_second_derivative_is_refused_by_name() {
    let t: Vec<Tensor> = operands(3, [2, 2, 2, 2]).iter().map(|x| x.leaf().unwrap()).collect();
    let y = run(Cell::Gru, &t, None, false).unwrap().swap_remove(0);
    let options = Options { create_graph: true, ..Options::default() };
    let first =
        gradients(&[(y.clone(), random_tensor(y.shape(), 1))], &t[..1], options).unwrap().swap_remove(0).unwrap();
    let second = gradients(&[(first.clone(), random_tensor(first.shape(), 2))], &t[..1], Options::default());
    assert!(matches!(second, Err(Error::Grad(message)) if message.starts_with("gru")));
}
