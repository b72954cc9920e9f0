//! What the GPU tests share: inputs with special values, and the comparison with the CPU.

use ferrograd_core::ops::transfer::to_device;
use ferrograd_core::ops::{cast, copy};
use ferrograd_core::{DType, Device, Tensor, gpu};

pub const GPU: Device = Device::Gpu(0);

/// Says why when there is no GPU to compare with.
pub fn skip(test: &str) -> bool {
    if !gpu::is_available() {
        println!("{test} skipped: no GPU and no software Vulkan driver");
    }
    !gpu::is_available()
}

const SPECIAL: [f32; 20] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -3.0,
    20.5,
    -20.5,
    100.0,
    -100.0,
    1e4,
    -1e4,
    1e30,
    -1e30,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    1e-20,
];

/// Ordinary and extreme values; `seed` shifts them, so that two operands meet in many combinations.
pub fn values(dtype: DType, count: usize, seed: usize) -> Tensor {
    let float = |i: usize| match i % 3 {
        0 => SPECIAL[(i / 3 * (seed + 1) + seed) % SPECIAL.len()],
        _ => ((i * 7919 + seed * 104_729) % 2003) as f32 / 250.0 - 4.0,
    };
    let floats: Vec<f32> = (0..count).map(float).collect();
    let ints: Vec<i32> = (0..count)
        .map(|i| match i % 4 {
            0 => [0, 1, -1, i32::MAX, i32::MIN, 31, 32, 33][(i / 4 + seed) % 8],
            _ => ((i * 7919 + seed * 104_729) % 41) as i32 - 20,
        })
        .collect();
    let x = match dtype {
        DType::F32 | DType::F16 => Tensor::from_slice(&floats, &[count]),
        DType::Bool => Tensor::from_slice(&ints.iter().map(|i| i % 3 == 0).collect::<Vec<_>>(), &[count]),
        _ => Tensor::from_slice(&ints, &[count]),
    };
    cast::astype(&x.unwrap(), dtype).unwrap()
}

fn numbers(x: &Tensor) -> Vec<f64> {
    let host = to_device(x, Device::Cpu).unwrap();
    let wide = cast::astype(&host, DType::F64).unwrap();
    copy::contiguous(&wide).unwrap().slice::<f64>().unwrap().to_vec()
}

/// Compares within `units` of the type's precision and an absolute band; subnormal results count as zero.
pub fn assert_same(what: &str, cpu: &Tensor, gpu: &Tensor, units: f64, absolute: f64) {
    assert_eq!((cpu.shape(), cpu.dtype()), (gpu.shape(), gpu.dtype()), "{what}");
    let relative = units * if cpu.dtype() == DType::F16 { 2f64.powi(-10) } else { 2f64.powi(-23) };
    let tiny = if cpu.dtype() == DType::F16 { 6.2e-5 } else { 1.2e-38 };
    for (i, (a, b)) in numbers(cpu).into_iter().zip(numbers(gpu)).enumerate() {
        let same =
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= relative * a.abs().max(b.abs()) + tiny + absolute;
        assert!(same, "{what}: element {i}: cpu {a:e}, gpu {b:e}");
    }
}

#[allow(dead_code)] // each test file compiles this module anew and uses a part of it
pub fn on_gpu(operands: &[Tensor]) -> Vec<Tensor> {
    operands.iter().map(|x| to_device(x, GPU).unwrap()).collect()
}
