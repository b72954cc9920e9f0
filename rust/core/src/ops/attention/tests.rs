use super::*;
use crate::autograd::gradcheck::{assert_first_order, assert_gradients};
use crate::ops::{create, random};

fn tensor(shape: &[usize], stream: u64) -> Tensor {
    let place = random::Place { dtype: DType::F64, device: crate::Device::Cpu, stream: Stream { seed: 3, stream } };
    random::normal(shape, 0.0, 1.0, place).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

fn close(got: &Tensor, want: &Tensor) {
    assert_eq!(got.shape(), want.shape());
    let largest = values(got).iter().zip(values(want)).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
    assert!(largest < 1e-12, "differs by {largest}");
}

fn plain<'a>() -> Options<'a> {
    Options { mask: None, dropout_p: 0.0, is_causal: false, scale: None, enable_gqa: false }
}

fn stream() -> Option<Stream> {
    Some(Stream { seed: 9, stream: 2 })
}

fn attend(t: &[Tensor], options: &Options) -> Result<Tensor> {
    scaled_dot_product_attention(&t[0], &t[1], &t[2], options, stream())
}

/// A float mask that wants a gradient sends the same problem through the composed form.
fn composed(t: &[Tensor], options: &Options) -> Tensor {
    let full: Vec<usize> =
        t[0].shape()[..t[0].rank() - 1].iter().copied().chain([t[1].shape()[t[1].rank() - 2]]).collect();
    let mut mask = create::zeros(&full, DType::F64, crate::Device::Cpu).unwrap();
    if options.is_causal {
        let lowest = create::full_like(&mask, crate::Scalar::Float(f64::NEG_INFINITY)).unwrap();
        mask = create::triu(&lowest, 1).unwrap();
    }
    if let Some(given) = options.mask {
        let zero = create::zeros_like(&mask).unwrap();
        let lowest = create::full_like(&mask, crate::Scalar::Float(f64::NEG_INFINITY)).unwrap();
        let given = movement::broadcast_to(given, &full).unwrap();
        mask = match given.dtype() {
            DType::Bool => crate::ops::select::where_(&given, &zero, &lowest).unwrap(),
            _ => given,
        };
    }
    let mask = copy::contiguous(&mask).unwrap().leaf().unwrap();
    attend(t, &Options { mask: Some(&mask), is_causal: false, ..*options }).unwrap().detach()
}

fn operands(batch: &[usize], rows: usize, columns: usize) -> Vec<Tensor> {
    let of = |size: [usize; 2], stream| tensor(&[batch, &size].concat(), stream);
    vec![of([rows, 8], 0), of([columns, 8], 1), of([columns, 5], 2)]
}

#[test]
fn blocks_agree_with_the_composed_form() {
    for (rows, columns) in [(1, 1), (7, 5), (64, 256), (65, 300), (130, 257)] {
        let t = operands(&[2, 3], rows, columns);
        for options in
            [plain(), Options { is_causal: true, ..plain() }, Options { scale: Some(0.7), dropout_p: 0.3, ..plain() }]
        {
            close(&attend(&t, &options).unwrap(), &composed(&t, &options));
        }
        let additive = tensor(&[3, 1, columns], 5);
        close(
            &attend(&t, &Options { mask: Some(&additive), ..plain() }).unwrap(),
            &composed(&t, &Options { mask: Some(&additive), ..plain() }),
        );
        let seen = tensor(&[2, 1, rows, columns], 6).greater(&Tensor::scalar(-0.5).unwrap()).unwrap();
        close(
            &attend(&t, &Options { mask: Some(&seen), ..plain() }).unwrap(),
            &composed(&t, &Options { mask: Some(&seen), ..plain() }),
        );
    }
}

#[test]
fn shared_heads_are_repeated_heads() {
    let (q, k, v) = (tensor(&[2, 6, 5, 4], 0), tensor(&[2, 2, 7, 4], 1), tensor(&[2, 2, 7, 3], 2));
    let got = attend(&[q.clone(), k.clone(), v.clone()], &Options { enable_gqa: true, ..plain() }).unwrap();
    let repeated = |x: &Tensor| {
        let wide =
            movement::broadcast_to(&movement::expand_dims(x, &[2]).unwrap(), &[2, 2, 3, 7, x.shape()[3]]).unwrap();
        movement::reshape(&wide, &[2, 6, 7, x.shape()[3]]).unwrap()
    };
    close(&got, &attend(&[q.clone(), repeated(&k), repeated(&v)], &plain()).unwrap());
    assert!(attend(&[q, k, v], &plain()).is_err());
}

#[test]
fn gradients_are_right_with_every_option() {
    let small = operands(&[2], 3, 4);
    let inputs: Vec<&Tensor> = small.iter().collect();
    let seen =
        Tensor::from_slice(&[true, false, true, true, true, true, false, false, true, true, true, true], &[3, 4])
            .unwrap();
    for options in [
        plain(),
        Options { is_causal: true, ..plain() },
        Options { mask: Some(&seen), scale: Some(0.3), ..plain() },
        Options { dropout_p: 0.4, ..plain() },
    ] {
        assert_gradients(&inputs, |t| attend(t, &options));
    }
    let large = operands(&[1], 70, 260);
    let inputs: Vec<&Tensor> = large.iter().collect();
    let leaves: Vec<Tensor> = inputs.iter().map(|x| x.leaf().unwrap()).collect();
    for options in [plain(), Options { is_causal: true, ..plain() }, Options { dropout_p: 0.2, ..plain() }] {
        let y = attend(&leaves, &options).unwrap();
        let dy = tensor(y.shape(), 8);
        let run = |create_graph| {
            let how = autograd::Options { create_graph, retain_graph: true };
            autograd::gradients(&[(y.clone(), dy.clone())], &leaves, how).unwrap()
        };
        for (fused, composed) in run(false).iter().zip(run(true)) {
            close(fused.as_ref().unwrap(), composed.as_ref().unwrap());
        }
    }
}

#[test]
fn a_mask_of_numbers_gets_a_gradient() {
    let t = operands(&[2], 3, 4);
    let mask = tensor(&[3, 4], 7);
    assert_first_order(&[&t[0], &mask], &|x: &[Tensor]| {
        attend(&[x[0].clone(), t[1].clone(), t[2].clone()], &Options { mask: Some(&x[1]), ..plain() })
    });
}

#[test]
fn rows_that_see_nothing_give_zeros_and_no_gradient() {
    let t = operands(&[1], 2, 3);
    let seen = Tensor::from_slice(&[false, false, false, true, true, false], &[2, 3]).unwrap();
    let leaves: Vec<Tensor> = t.iter().map(|x| x.leaf().unwrap()).collect();
    let y = attend(&leaves, &Options { mask: Some(&seen), ..plain() }).unwrap();
    assert!(values(&y)[..5].iter().all(|&y| y == 0.0));
    let dy = create::ones(y.shape(), DType::F64, crate::Device::Cpu).unwrap();
    let grads = autograd::gradients(&[(y, dy)], &leaves, Default::default()).unwrap();
    assert!(grads.iter().flatten().flat_map(values).all(|g| g.is_finite()));
    assert!(values(grads[0].as_ref().unwrap())[..8].iter().all(|&g| g == 0.0));
    let none = attend(&operands(&[2], 3, 0), &plain()).unwrap();
    assert!(values(&none).iter().all(|&y| y == 0.0));
}

#[test]
fn extreme_scores_stay_finite_and_nan_stays_nan() {
    let mut t = operands(&[1], 4, 4);
    t[0] = t[0].multiply(&Tensor::scalar(1e5).unwrap()).unwrap();
    assert!(values(&attend(&t, &plain()).unwrap()).iter().all(|y| y.is_finite()));
    t[0] = create::full_like(&t[0], crate::Scalar::Float(f64::NAN)).unwrap();
    assert!(values(&attend(&t, &plain()).unwrap()).iter().all(|y| y.is_nan()));
}

#[test]
fn wrong_arguments_are_errors() {
    let t = operands(&[2], 3, 4);
    let mask = tensor(&[3, 5], 0);
    assert!(attend(&t, &Options { mask: Some(&mask), ..plain() }).is_err());
    let mask = tensor(&[3, 4], 0);
    assert!(attend(&t, &Options { mask: Some(&mask), is_causal: true, ..plain() }).is_err());
    assert!(attend(&t, &Options { dropout_p: 1.5, ..plain() }).is_err());
    assert!(attend(&t, &Options { enable_gqa: true, ..plain() }).is_ok());
    assert!(attend(&[t[0].clone(), t[2].clone(), t[2].clone()], &plain()).is_err());
    assert!(scaled_dot_product_attention(&t[0], &t[1], &t[2], &Options { dropout_p: 0.1, ..plain() }, None).is_err());
    let ints = cast::astype(&t[0], DType::I64).unwrap();
    assert!(attend(&[ints.clone(), ints.clone(), ints], &plain()).is_err());
}
