//! Matrix products and softmax on the GPU against the CPU, forward and backward.

mod gpu_common;

use ferrograd_core::autograd::{Options, gradients};
use ferrograd_core::ops::transfer::to_device;
use ferrograd_core::ops::{cast, join, matmul, movement, softmax};
use ferrograd_core::{DType, Device, Result, Tensor};
use gpu_common::{GPU, assert_same, skip, values};

fn ordinary(dtype: DType, shape: &[usize], seed: usize) -> Tensor {
    let count: usize = shape.iter().product();
    let data: Vec<f32> = (0..count).map(|i| ((i * 7919 + seed) % 2003) as f32 / 500.0 - 2.0).collect();
    cast::astype(&Tensor::from_slice(&data, shape).unwrap(), dtype).unwrap()
}

/// The value of `op` and the gradients of all its operands, on both devices.
fn compare(what: &str, operands: &[Tensor], band: (f64, f64), op: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let run = |d: Device| -> Result<Vec<Tensor>> {
        let float = operands[0].dtype().is_float();
        let moved = operands.iter().map(|x| to_device(x, d)).collect::<Result<Vec<_>>>()?;
        if !float {
            return Ok(vec![op(&moved)?]);
        }
        let leaves = moved.iter().map(Tensor::leaf).collect::<Result<Vec<_>>>()?;
        let y = op(&leaves)?;
        let dy = to_device(&ordinary(y.dtype(), y.shape(), 11), d)?;
        let all = gradients(&[(y.clone(), dy)], &leaves, Options::default())?;
        Ok([y.detach()].into_iter().chain(all.into_iter().flatten()).collect())
    };
    let (cpu, gpu) = (run(Device::Cpu).unwrap(), run(GPU).unwrap_or_else(|e| panic!("{what}: {e}")));
    assert_eq!(cpu.len(), gpu.len());
    for (i, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
        assert_same(&format!("{what}, result {i}"), cpu, gpu, band.0, band.1);
    }
}

#[test]
fn test_matmul_shapes_and_types() {
    if skip("test_matmul_shapes_and_types") {
        return;
    }
    let shapes: [(&[usize], &[usize]); 16] = [
        (&[1, 1], &[1, 1]),
        (&[5, 7], &[7, 3]),
        (&[64, 16], &[16, 64]),
        (&[70, 33], &[33, 65]),
        (&[1, 300], &[300, 70]),
        (&[70, 300], &[300, 1]),
        (&[300], &[300]),
        (&[3, 300], &[300]),
        (&[3, 5, 7], &[3, 7, 4]),
        (&[3, 5, 7], &[7, 4]),
        (&[5, 7], &[3, 7, 4]),
        (&[2, 1, 5, 7], &[3, 7, 4]),
        (&[2, 1, 3, 1, 4, 7], &[3, 1, 2, 7, 4]),
        (&[0, 4], &[4, 3]),
        (&[4, 0], &[0, 3]),
        (&[2, 1, 9], &[2, 9, 5]),
    ];
    for dtype in [DType::F32, DType::F16, DType::I32, DType::U32] {
        for (a, b) in shapes {
            let operands = [ordinary(dtype, a, 0), ordinary(dtype, b, 5)];
            let band = if dtype == DType::F16 { (4.0, 0.2) } else { (8.0, 2e-4) };
            compare(&format!("{dtype} {a:?} @ {b:?}"), &operands, band, |x| matmul::matmul(&x[0], &x[1]));
        }
    }
}

#[test]
fn test_matmul_strides_and_linear() {
    if skip("test_matmul_strides_and_linear") {
        return;
    }
    let (a, b) = (ordinary(DType::F32, &[4, 40, 70], 0), ordinary(DType::F32, &[4, 50, 70], 3));
    compare("a bT", &[a.clone(), b], (8.0, 2e-4), |x| matmul::matmul(&x[0], &movement::matrix_transpose(&x[1])?));
    let c = ordinary(DType::F32, &[4, 40, 33], 9);
    compare("aT c", &[a, c], (8.0, 2e-4), |x| matmul::matmul(&movement::matrix_transpose(&x[0])?, &x[1]));
    let square = ordinary(DType::F32, &[80, 80], 1);
    compare("reversed and cut", &[square], (8.0, 2e-4), |x| {
        let cut = movement::narrow(&movement::flip(&x[0], Some(&[1]))?, 0, 7, 30)?;
        matmul::matmul(&cut, &x[0])
    });
    for shape in [&[13][..], &[6, 13], &[2, 3, 13], &[2, 0, 13]] {
        for dtype in [DType::F32, DType::F16] {
            let operands = [ordinary(dtype, shape, 0), ordinary(dtype, &[9, 13], 4), ordinary(dtype, &[9], 8)];
            let band = if dtype == DType::F16 { (4.0, 0.2) } else { (8.0, 2e-4) };
            compare(&format!("linear {shape:?}"), &operands, band, |x| matmul::linear(&x[0], &x[1], Some(&x[2])));
            compare(&format!("linear {shape:?}"), &operands[..2], band, |x| matmul::linear(&x[0], &x[1], None));
        }
    }
}

#[test]
fn test_softmax() {
    if skip("test_softmax") {
        return;
    }
    type Rows = fn(&[Tensor]) -> Result<Tensor>;
    let functions: [(&str, Rows); 4] = [
        ("softmax", |x| softmax::softmax(&x[0], -1, None)),
        ("softmax of columns", |x| softmax::softmax(&x[0], 0, None)),
        ("log_softmax", |x| softmax::log_softmax(&x[0], -1, None)),
        ("logsumexp", |x| softmax::logsumexp(&x[0], Some(&[-1]), false)),
    ];
    for (name, function) in functions {
        for shape in [&[1, 1][..], &[5, 7], &[3, 1000], &[300, 2], &[2, 3, 65]] {
            for dtype in [DType::F32, DType::F16] {
                let band = if dtype == DType::F16 { (4.0, 1e-3) } else { (32.0, 2e-6) };
                compare(&format!("{name} {dtype} {shape:?}"), &[ordinary(dtype, shape, 2)], band, function);
            }
        }
        let wild = movement::reshape(&values(DType::F32, 400, 1), &[40, 10]).unwrap();
        compare(&format!("{name} of special values"), &[wild], (64.0, 1e-5), function);
        let far =
            Tensor::from_slice(&[1e4f32, -1e4, 1e4, f32::NEG_INFINITY, f32::NEG_INFINITY, -1e4], &[2, 3]).unwrap();
        compare(&format!("{name} far out"), &[far], (32.0, 1e-6), function);
    }
    let nothing = Tensor::from_slice(&[f32::NEG_INFINITY; 6], &[2, 3]).unwrap();
    compare("logsumexp of nothing", &[nothing], (0.0, 0.0), functions[3].1);
}

#[test]
fn test_missing_kernels_name_the_op() {
    if skip("test_missing_kernels_name_the_op") {
        return;
    }
    let x = to_device(&ordinary(DType::F32, &[4, 4], 0), GPU).unwrap();
    let error = join::concat(&[&x, &x], Some(0)).unwrap_err().to_string();
    assert!(error.starts_with("concat: ") && error.contains("gpu:0"), "{error}");
}
