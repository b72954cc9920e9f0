//! Every declared row, its gradients, casts, choices and copies on the GPU against the CPU.

mod gpu_common;

use ferrograd_core::autograd::{self, Options};
use ferrograd_core::ops::activation::Activation;
use ferrograd_core::ops::binary::Binary;
use ferrograd_core::ops::compare::Compare;
use ferrograd_core::ops::elementwise::{self, Operand, Row};
use ferrograd_core::ops::transfer::to_device;
use ferrograd_core::ops::unary::Unary;
use ferrograd_core::ops::{cast, copy, create, movement, select};
use ferrograd_core::{DType, Device, Result, Scalar, Tensor};
use gpu_common::{GPU, assert_same, on_gpu, skip, values};

fn rows() -> Vec<&'static Row> {
    [Unary::ALL, Binary::ALL, Activation::ALL, Compare::ALL].concat()
}

/// The value of a row and, with a cotangent, its gradients, on the device of the operands.
fn evaluate(row: &'static Row, operands: &[Tensor], cotangent: Option<&Tensor>) -> Result<Vec<Tensor>> {
    let defaults: Vec<f64> = row.parameters.iter().map(|(_, default)| *default).collect();
    let Some(dy) = cotangent else {
        return Ok(vec![elementwise::call(row, &operands.iter().map(Operand::Tensor).collect::<Vec<_>>(), &defaults)?]);
    };
    let leaves = operands.iter().map(Tensor::leaf).collect::<Result<Vec<_>>>()?;
    let y = elementwise::call(row, &leaves.iter().map(Operand::Tensor).collect::<Vec<_>>(), &defaults)?;
    let gradients = autograd::gradients(&[(y, dy.clone())], &leaves, Options::default())?;
    Ok(gradients.into_iter().flatten().collect())
}

#[test]
fn test_every_row_and_dtype() {
    if skip("test_every_row_and_dtype") {
        return;
    }
    let mut compared = 0;
    for dtype in [DType::F32, DType::F16, DType::I32, DType::U32, DType::Bool] {
        for row in rows() {
            let operands: Vec<Tensor> = (0..row.arity()).map(|seed| values(dtype, 700, seed)).collect();
            let Ok(cpu) = evaluate(row, &operands, None) else { continue };
            let gpu = evaluate(row, &on_gpu(&operands), None).unwrap_or_else(|e| panic!("{} {dtype}: {e}", row.name));
            assert_same(&format!("{} {dtype}", row.name), &cpu[0], &gpu[0], 8.0, 5e-7);
            compared += 1;
        }
    }
    assert!(compared >= 180, "only {compared} rows were compared");
}

#[test]
fn test_every_gradient() {
    if skip("test_every_gradient") {
        return;
    }
    let mut compared = 0;
    let dy =
        Tensor::from_slice(&(0..700).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect::<Vec<_>>(), &[700]).unwrap();
    for row in rows().into_iter().filter(|row| !row.gradients.is_empty()) {
        let operands: Vec<Tensor> = (0..row.arity()).map(|seed| values(DType::F32, 700, seed)).collect();
        let cpu = evaluate(row, &operands, Some(&dy)).unwrap();
        let gpu = evaluate(row, &on_gpu(&operands), Some(&to_device(&dy, GPU).unwrap())).unwrap();
        assert_eq!((cpu.len(), gpu.len()), (row.arity(), row.arity()));
        for (i, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
            assert_same(&format!("gradient {i} of {}", row.name), cpu, gpu, 64.0, 2e-6);
            compared += 1;
        }
    }
    assert!(compared >= 80, "only {compared} gradients were compared");
}

#[test]
fn test_numbers_and_strides() {
    if skip("test_numbers_and_strides") {
        return;
    }
    let x = movement::reshape(&values(DType::F32, 840, 3), &[5, 7, 4, 6]).unwrap();
    let y = movement::reshape(&values(DType::F32, 42, 5), &[7, 1, 6]).unwrap();
    let views = |x: &Tensor| -> Vec<Tensor> {
        let sliced = movement::narrow(x, 1, 2, 3).unwrap();
        let flipped = movement::flip(x, Some(&[0, 3])).unwrap();
        let long =
            movement::broadcast_to(&movement::reshape(x, &[5, 1, 7, 1, 4, 6, 1]).unwrap(), &[5, 2, 7, 2, 4, 6, 2])
                .unwrap();
        vec![movement::permute(x, &[3, 1, 0, 2]).unwrap(), sliced, flipped, long]
    };
    let gpu = to_device(&x, GPU).unwrap();
    for (i, (cpu, gpu)) in views(&x).iter().zip(&views(&gpu)).enumerate() {
        assert_same(&format!("view {i}"), &copy::contiguous(cpu).unwrap(), &copy::contiguous(gpu).unwrap(), 0.0, 0.0);
        assert_same(&format!("exp of view {i}"), &cpu.exp().unwrap(), &gpu.exp().unwrap(), 4.0, 0.0);
        assert_same("number on the right", &cpu.sub_scalar(2.5).unwrap(), &gpu.sub_scalar(2.5).unwrap(), 1.0, 0.0);
    }
    assert_same("broadcast", &x.add(&y).unwrap(), &gpu.add(&to_device(&y, GPU).unwrap()).unwrap(), 1.0, 0.0);
    for (row, number) in [(Binary::subtract, -1.5), (Binary::divide, 3.0), (Binary::pow, 2.0)] {
        let call = |x: &Tensor| elementwise::call(row, &[Operand::from(number), Operand::from(x)], &[]).unwrap();
        assert_same("number on the left", &call(&x), &call(&gpu), 8.0, 0.0);
    }
}

#[test]
fn test_casts_choices_and_creation() {
    if skip("test_casts_choices_and_creation") {
        return;
    }
    let dtypes = [DType::F32, DType::F16, DType::I32, DType::U32, DType::Bool];
    for from in dtypes {
        let x = values(from, 700, 1);
        for to in dtypes {
            let (cpu, gpu) = (cast::astype(&x, to).unwrap(), cast::astype(&to_device(&x, GPU).unwrap(), to).unwrap());
            // A float16 may be rounded toward zero by the driver.
            let units = if to == DType::F16 { 1.0 } else { 0.0 };
            assert_same(&format!("{from} to {to}"), &cpu, &gpu, units, 0.0);
        }
        let (a, b, condition) = (values(from, 700, 2), values(from, 700, 4), values(DType::Bool, 700, 0));
        let chosen = |d: Device| {
            let [a, b, c] = [&a, &b, &condition].map(|x| to_device(x, d).unwrap());
            select::choose(&c, Operand::from(&a), Operand::from(&b)).unwrap()
        };
        assert_same(&format!("where {from}"), &chosen(Device::Cpu), &chosen(GPU), 0.0, 0.0);
        let filled = |d: Device| create::full(&[3, 5], Scalar::Int(1), from, d).unwrap();
        assert_same(&format!("full {from}"), &filled(Device::Cpu), &filled(GPU), 0.0, 0.0);
    }
    let error = to_device(&values(DType::F32, 4, 0).exp().unwrap(), GPU).and_then(|x| cast::astype(&x, DType::F64));
    assert!(error.unwrap_err().to_string().contains("float64"));
}
