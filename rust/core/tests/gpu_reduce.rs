//! Reductions on the GPU against the CPU, forward and backward.

mod gpu_common;

use ferrograd_core::autograd::{Options, gradients};
use ferrograd_core::ops::reduce::{self, Reduction};
use ferrograd_core::ops::transfer::to_device;
use ferrograd_core::ops::{cast, movement};
use ferrograd_core::{DType, Device, Result, Tensor};
use gpu_common::{GPU, assert_same, skip, values};

/// Shapes and axes that meet every kernel: short and long rows, columns, parts, separated axes, nothing at all.
const CASES: [(&[usize], Option<&[i64]>); 12] = [
    (&[3, 5], Some(&[1])),
    (&[3, 5], Some(&[0])),
    (&[7, 300], Some(&[1])),
    (&[300, 7], Some(&[0])),
    (&[2, 40_000], Some(&[1])),
    (&[1100, 3], Some(&[0])),
    (&[4, 5, 6], Some(&[0, 2])),
    (&[4, 5, 6], None),
    (&[], None),
    (&[0, 3], Some(&[0])),
    (&[3, 0], Some(&[0])),
    (&[2, 2, 2, 2, 2], Some(&[1, 3])),
];

fn ordinary(dtype: DType, shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let data: Vec<f32> = (0..count).map(|i| ((i * 7919) % 2003) as f32 / 500.0 - 2.0).collect();
    cast::astype(&Tensor::from_slice(&data, shape).unwrap(), dtype).unwrap()
}

fn compare(kind: Reduction, x: &Tensor, axes: Option<&[i64]>, units: f64, absolute: f64) {
    let run = |d: Device| -> Result<Tensor> {
        let y = reduce::reduce(kind, &to_device(x, d)?, axes, false)?;
        // Sums of integers are 32-bit on the GPU.
        cast::astype(&to_device(&y, Device::Cpu)?, if y.dtype().is_int() { DType::I32 } else { y.dtype() })
    };
    let what = format!("{kind:?} of {} {:?} over {axes:?}", x.dtype(), x.shape());
    match (run(Device::Cpu), run(GPU)) {
        (Ok(cpu), Ok(gpu)) => assert_same(&what, &cpu, &gpu, units, absolute),
        (cpu, gpu) => assert_eq!(cpu.err().is_some(), gpu.err().is_some(), "{what}"),
    }
}

#[test]
fn test_reductions() {
    if skip("test_reductions") {
        return;
    }
    use Reduction::*;
    for (shape, axes) in CASES {
        for kind in [Sum, Mean, Max, Min, Any, All, CountNonzero, Prod] {
            for dtype in [DType::F32, DType::F16, DType::I32, DType::U32, DType::Bool] {
                if kind == Mean && !dtype.is_float() {
                    continue;
                }
                let x = ordinary(dtype, shape);
                let scale = if kind == Sum { 1e-5 * x.numel() as f64 } else { 1e-6 };
                compare(kind, &x, axes, 16.0, scale);
                if !matches!(kind, Sum | Mean | Prod) {
                    compare(kind, &movement::reshape(&values(dtype, x.numel(), 1), shape).unwrap(), axes, 0.0, 0.0);
                }
            }
        }
    }
    let ones = Tensor::from_slice(&vec![1f32; (1 << 22) + 10], &[(1 << 22) + 10]).unwrap();
    compare(Sum, &ones, None, 0.0, 0.0);
    let flipped =
        movement::flip(&movement::permute(&ordinary(DType::F32, &[6, 7, 8]), &[2, 0, 1]).unwrap(), None).unwrap();
    compare(Sum, &flipped, Some(&[1]), 4.0, 1e-5);
    compare(
        Sum,
        &movement::broadcast_to(&ordinary(DType::F32, &[6, 1, 8]), &[6, 5, 8]).unwrap(),
        Some(&[1]),
        4.0,
        1e-5,
    );
}

#[test]
fn test_places_and_moments() {
    if skip("test_places_and_moments") {
        return;
    }
    for dtype in [DType::F32, DType::F16, DType::I32, DType::U32] {
        for (shape, axis) in [(&[7, 300][..], 1), (&[300, 7], 0), (&[2, 40_000], 1), (&[3, 5], 1), (&[4, 5, 6], 1)] {
            for nan in [false, true] {
                let x = if nan { values(dtype, shape.iter().product(), 2) } else { ordinary(dtype, shape) };
                let x = movement::reshape(&x, shape).unwrap();
                for place in [reduce::argmax, reduce::argmin] {
                    let run = |d: Device| {
                        let y = place(&to_device(&x, d).unwrap(), Some(axis), false).unwrap();
                        cast::astype(&to_device(&y, Device::Cpu).unwrap(), DType::I32).unwrap()
                    };
                    assert_same(&format!("place in {dtype} {shape:?}"), &run(Device::Cpu), &run(GPU), 0.0, 0.0);
                }
            }
        }
    }
    let x = ordinary(DType::F32, &[5, 400]);
    for moment in [reduce::var, reduce::std] {
        let run = |d: Device| moment(&to_device(&x, d).unwrap(), Some(&[1]), 1.0, false).unwrap();
        assert_same("moment", &run(Device::Cpu), &run(GPU), 16.0, 0.0);
    }
}

#[test]
fn test_reduction_gradients() {
    if skip("test_reduction_gradients") {
        return;
    }
    let data = ordinary(DType::F32, &[4, 5, 6]);
    let cases: [(&str, fn(&Tensor) -> Result<Tensor>); 8] = [
        ("prod", |x| reduce::prod(x, Some(&[0]), None, false)),
        ("sum", |x| reduce::sum(x, Some(&[1]), None, false)),
        ("mean", |x| reduce::mean(x, Some(&[0, 2]), true)),
        ("max", |x| reduce::max(x, Some(&[2]), false)),
        ("min", |x| reduce::min(x, None, false)),
        ("var", |x| reduce::var(x, Some(&[1]), 1.0, false)),
        ("std", |x| reduce::std(x, Some(&[1]), 0.0, false)),
        ("sum_to", |x| reduce::sum_to(x, &[5, 1])),
    ];
    for (name, op) in cases {
        let run = |d: Device| {
            let x = to_device(&data, d).unwrap().leaf().unwrap();
            let y = op(&x).unwrap();
            let dy = to_device(&ordinary(DType::F32, y.shape()), d).unwrap();
            gradients(&[(y, dy)], &[x], Options::default()).unwrap().remove(0).unwrap()
        };
        assert_same(&format!("gradient of {name}"), &run(Device::Cpu), &run(GPU), 32.0, 1e-6);
    }
}
