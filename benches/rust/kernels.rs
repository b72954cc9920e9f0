//! The kernels alone, without Python: `cargo bench`, or `cargo bench -- PATTERN` for some of them.
//!
//! Threads and CPU level as in the library: `FERROGRAD_NUM_THREADS`, `FERROGRAD_CPU_LEVEL`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferrograd_core::autograd::{Options, gradients};
use ferrograd_core::ops::loss::{CrossEntropy, Reduction, cross_entropy};
use ferrograd_core::ops::{attention, cast, conv, copy, index, matmul, movement, norm, reduce, softmax};
use ferrograd_core::{DType, Result, Tensor};
use std::hint::black_box;

/// Numbers between -1 and 1 that depend on the position alone.
fn numbers(shape: &[usize]) -> Tensor {
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|i: usize| (i * 7919 % 2027) as f32 / 1013.0 - 1.0).collect();
    Tensor::from_slice(&values, shape).unwrap()
}

fn below(limit: i64, shape: &[usize]) -> Tensor {
    let values: Vec<i64> = (0..shape.iter().product::<usize>() as i64).map(|i| i * 7919 % limit).collect();
    Tensor::from_slice(&values, shape).unwrap()
}

/// One line of the report, in operations or bytes a second.
fn line(c: &mut Criterion, name: &str, work: Throughput, run: impl Fn() -> Result<Tensor>) {
    let mut group = c.benchmark_group("kernels");
    group.throughput(work);
    group.bench_function(name, |bencher| bencher.iter(|| black_box(run().unwrap())));
    group.finish();
}

/// Forward and backward of the sum over `f`, with respect to `inputs`.
fn gradient(inputs: &[&Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) -> Result<Tensor> {
    let leaves = inputs.iter().map(|x| x.leaf()).collect::<Result<Vec<_>>>()?;
    let y = f(&leaves)?;
    let seed = movement::broadcast_to(&Tensor::scalar(1.0f32)?, y.shape())?;
    let mut grads = gradients(&[(y, seed)], &leaves, Options::default())?;
    grads.swap_remove(0).ok_or_else(|| ferrograd_core::Error::internal("bench", "no gradient"))
}

fn products(c: &mut Criterion) {
    for (m, n, k) in [(64, 64, 64), (256, 256, 256), (1024, 1024, 1024), (2048, 3072, 768), (1, 4096, 4096)] {
        let (a, b, weight) = (numbers(&[m, k]), numbers(&[k, n]), numbers(&[n, k]));
        let work = Throughput::Elements(2 * (m * n * k) as u64);
        line(c, &format!("matmul {m}x{n}x{k}"), work.clone(), || matmul::matmul(&a, &b));
        line(c, &format!("linear {m}x{n}x{k}"), work, || matmul::linear(&a, &weight, None));
    }
}

fn convolutions(c: &mut Criterion) {
    let options =
        |padding, stride| conv::Options { stride, padding: conv::Padding::Each(padding), dilation: &[1, 1], groups: 1 };
    for (name, image, filters, padding, stride) in [
        ("3x3", [8, 64, 56, 56], [64, 64, 3, 3], &[1, 1], &[1, 1]),
        ("7x7 stride 2", [8, 3, 224, 224], [64, 3, 7, 7], &[3, 3], &[2, 2]),
        ("3x3 on 8x8", [32, 256, 8, 8], [256, 256, 3, 3], &[1, 1], &[1, 1]),
    ] {
        let (x, w) = (numbers(&image), numbers(&filters));
        let positions = image[0] * image[2] * image[3] / (stride[0] * stride[1]) as usize;
        let flops = 2 * (positions * filters.iter().product::<usize>()) as u64;
        let forward = |x: &Tensor, w: &Tensor| conv::conv(2, x, w, None, &options(padding, stride));
        line(c, &format!("conv {name}"), Throughput::Elements(flops), || forward(&x, &w));
        line(c, &format!("conv {name}, backward"), Throughput::Elements(3 * flops), || {
            gradient(&[&x, &w], |leaves| forward(&leaves[0], &leaves[1]))
        });
    }
}

fn memory(c: &mut Criterion) {
    let (x, y) = (numbers(&[2048, 2048]), numbers(&[2048, 2048]));
    let bytes = |passes: u64| Throughput::Bytes(passes * 4 * 2048 * 2048);
    line(c, "add", bytes(3), || x.add(&y));
    line(c, "exp", bytes(2), || x.exp());
    line(c, "tanh", bytes(2), || x.tanh());
    line(c, "sum", bytes(1), || reduce::sum(&x, None, None, false));
    line(c, "sum of rows", bytes(1), || reduce::sum(&x, Some(&[1]), None, false));
    line(c, "transpose", bytes(2), || copy::copied(&movement::permute(&x, &[1, 0])?));
    line(c, "softmax", bytes(2), || softmax::softmax(&x, -1, None));
    line(c, "layer norm", bytes(2), || norm::layer_norm(&x, &[2048], None, None, 1e-5));
}

fn training(c: &mut Criterion) {
    let (scores, classes) = (numbers(&[256, 50257]), below(50257, &[256]));
    let options = CrossEntropy { weight: None, ignore_index: -100, reduction: Reduction::Mean, label_smoothing: 0.0 };
    let loss = |x: &Tensor| cross_entropy(x, &classes, &options);
    line(c, "cross-entropy, backward", Throughput::Bytes(8 * 256 * 50257), || gradient(&[&scores], |x| loss(&x[0])));
    let [q, k, v] = [(); 3].map(|()| numbers(&[4, 12, 512, 64]));
    let causal = attention::Options { mask: None, dropout_p: 0.0, is_causal: true, scale: None, enable_gqa: false };
    let attend = |x: &[Tensor]| attention::scaled_dot_product_attention(&x[0], &x[1], &x[2], &causal, None);
    let flops = Throughput::Elements(4 * 4 * 12 * 512 * 512 * 64);
    line(c, "causal attention, backward", flops, || gradient(&[&q, &k, &v], attend));
    let (table, words) = (numbers(&[50257, 768]), below(50257, &[8, 512]));
    line(c, "embedding", Throughput::Bytes(2 * 4 * 8 * 512 * 768), || index::embedding(&words, &table, None));
    let x = cast::astype(&below(100, &[4]), DType::F32).unwrap();
    line(c, "add, 4 elements", Throughput::Elements(4), || x.add(&x));
}

criterion_group!(kernels, products, convolutions, memory, training);
criterion_main!(kernels);
