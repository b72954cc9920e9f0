//! Every declared row: gradients against finite differences, levels against each other, layouts against copies.

use super::*;
use crate::autograd::{Options, gradients};
use crate::cpu::level::{Level, at_level};
use crate::dtype::{Element, bf16, f16};
use crate::ops::activation::Activation;
use crate::ops::binary::Binary;
use crate::ops::compare::Compare;
use crate::ops::complex::Complex;
use crate::ops::copy;
use crate::ops::unary::Unary;

/// Reproducible numbers in [0, 1).
struct Numbers(u64);
impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Inside the row's domain, and off the kinks, which lie on multiples of one half.
    fn operand(&mut self, row: &Row) -> f64 {
        let (low, high) = match row.name {
            "acos" | "asin" | "atanh" => (-0.95, 0.95),
            "acosh" => (1.05, 4.0),
            "log" | "log2" | "log10" | "log1p" | "sqrt" | "rsqrt" | "pow" | "hypot" => (0.05, 3.0),
            _ => (-4.0, 4.0),
        };
        loop {
            let x = low + (high - low) * self.next();
            if (2.0 * x - (2.0 * x).round()).abs() > 0.02 {
                return x;
            }
        }
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    [Unary::ALL, Activation::ALL, Binary::ALL, Complex::ALL].into_iter().flatten().copied()
}

fn defaults(row: &Row) -> Vec<f64> {
    row.parameters.iter().map(|(_, value)| *value).collect()
}

fn vector<T: Element>(data: &[T]) -> Tensor {
    Tensor::from_slice(data, &[data.len()]).unwrap()
}

fn values<T: Element>(x: &Tensor) -> Vec<T> {
    copy::contiguous(x).unwrap().slice::<T>().unwrap().to_vec()
}

fn run(row: &'static Row, operands: &[Tensor]) -> Tensor {
    let operands: Vec<Operand> = operands.iter().map(Operand::Tensor).collect();
    call(row, &operands, &defaults(row)).unwrap_or_else(|e| panic!("{e}"))
}

fn operands(row: &Row, numbers: &mut Numbers, n: usize) -> Vec<Vec<f64>> {
    (0..row.arity()).map(|_| (0..n).map(|_| numbers.operand(row)).collect()).collect()
}

/// The gradients of `sum(seed * row(operands))`, each as a plain vector.
fn gradient_of(row: &'static Row, leaves: &[Tensor], seed: &Tensor, create_graph: bool) -> Vec<Tensor> {
    let y = run(row, leaves);
    let options = Options { create_graph, retain_graph: false };
    let found = gradients(&[(y, seed.clone())], leaves, options).unwrap_or_else(|e| panic!("{}: {e}", row.name));
    found.into_iter().map(|g| g.unwrap()).collect()
}

fn leaves(columns: &[Vec<f64>]) -> Vec<Tensor> {
    columns.iter().map(|c| vector(c).leaf().unwrap()).collect()
}

/// Central differences of `f` by element `i` of column `k`; every function here works element by element.
fn difference(columns: &[Vec<f64>], k: usize, f: impl Fn(&[Tensor]) -> Vec<f64>) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let at = |shift: f64| {
        let mut moved = columns.to_vec();
        moved[k].iter_mut().for_each(|x| *x += shift);
        f(&leaves(&moved))
    };
    at(STEP).iter().zip(at(-STEP)).map(|(up, down)| (up - down) / (2.0 * STEP)).collect()
}

fn assert_near(name: &str, got: &[f64], want: &[f64], tolerance: f64) {
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= tolerance * (1.0 + w.abs()), "{name}: element {i} is {g}, expected {w}");
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let mut numbers = Numbers(1);
    let mut checked = 0;
    for row in rows().filter(|row| !row.gradients.is_empty()) {
        let columns = operands(row, &mut numbers, 40);
        let seed: Vec<f64> = (0..40).map(|_| numbers.next() - 0.5).collect();
        let got = gradient_of(row, &leaves(&columns), &vector(&seed), false);
        for (k, got) in got.iter().enumerate() {
            let slope = difference(&columns, k, |x| values(&run(row, x)));
            let want: Vec<f64> = slope.iter().zip(&seed).map(|(s, w)| s * w).collect();
            assert_near(row.name, &values::<f64>(got), &want, 2e-6);
            checked += 1;
        }
    }
    assert!(checked >= 75, "{checked}");
}

#[test]
fn gradients_can_be_differentiated_again() {
    let mut numbers = Numbers(2);
    for row in rows().filter(|row| !row.gradients.is_empty()) {
        let columns = operands(row, &mut numbers, 25);
        let seed = vector(&(0..25).map(|_| numbers.next() + 0.5).collect::<Vec<f64>>());
        for k in 0..row.arity() {
            let x = leaves(&columns);
            let first = &gradient_of(row, &x, &seed, true)[k];
            let fused = &gradient_of(row, &x, &seed, false)[k];
            assert_near(row.name, &values::<f64>(first), &values::<f64>(fused), 1e-12);
            let keep = Options { create_graph: false, retain_graph: true };
            for (j, leaf) in x.iter().enumerate() {
                let want = difference(&columns, j, |x| values(&gradient_of(row, x, &seed, false)[k]));
                let ones = vector(&[1.0f64; 25]);
                let got = match first.requires_grad() {
                    true => gradients(&[(first.clone(), ones)], &[leaf.clone()], keep).unwrap().remove(0),
                    false => None,
                };
                let got = got.map_or(vec![0.0; 25], |g| values(&g));
                assert_near(&format!("{} twice", row.name), &got, &want, 5e-6);
            }
        }
    }
}

#[test]
fn levels_agree_at_every_length() {
    let mut numbers = Numbers(3);
    for row in rows().chain(Compare::ALL.iter().copied()).filter(|row| row.class.compute("t", DType::F32).is_ok()) {
        let columns = operands(row, &mut numbers, 257);
        for n in (0..20).chain([31, 64, 65, 127, 128, 200, 257]) {
            let x: Vec<Tensor> =
                columns.iter().map(|c| vector(&c[..n].iter().map(|&x| x as f32).collect::<Vec<_>>())).collect();
            let at = |level| cast::astype(&at_level(level, || run(row, &x)), DType::F64).unwrap();
            let want = values::<f64>(&at(Level::ALL[0]));
            for &level in &Level::ALL[1..] {
                assert_near(
                    &format!("{} at {} for {n}", row.name, level.name()),
                    &values::<f64>(&at(level)),
                    &want,
                    3e-6,
                );
            }
        }
    }
}

#[test]
fn layouts_do_not_change_results() {
    let n = 70;
    let data: Vec<f32> = (0..3 * n * n).map(|i| (i % 8191) as f32 - 4000.0).collect();
    let all = Tensor::from_slice(&data, &[3, n, n]).unwrap();
    let views = [
        movement::permute(&all, &[2, 0, 1]).unwrap(),
        movement::permute(&movement::flip(&all, Some(&[0, 2])).unwrap(), &[1, 0, 2]).unwrap(),
        movement::broadcast_to(&movement::narrow(&all, 2, 3, 1).unwrap(), &[3, n, n]).unwrap(),
        movement::broadcast_to(&movement::narrow(&all, 0, 1, 1).unwrap(), &[3, n, n]).unwrap(),
        movement::broadcast_to(&Tensor::scalar(2.5f32).unwrap(), &[3, n, n]).unwrap(),
    ];
    for a in &views {
        let plain = copy::copied(a).unwrap();
        let b = movement::reshape(&copy::copied(&all).unwrap(), a.shape()).unwrap();
        assert_eq!(values::<f32>(&a.subtract(&b).unwrap()), values::<f32>(&plain.subtract(&b).unwrap()));
        assert_eq!(values::<f32>(&b.subtract(a).unwrap()), values::<f32>(&b.subtract(&plain).unwrap()));
    }
}

#[test]
fn half_types_compute_in_single_precision() {
    let x: Vec<f32> = (0..3000).map(|i| i as f32 / 100.0 - 15.0).collect();
    let (wide, half) = (vector(&x), vector(&x.iter().map(|&x| f16::from_f32(x)).collect::<Vec<_>>()));
    let want = cast::astype(&cast::astype(&half, DType::F32).unwrap().tanh().unwrap(), DType::F16).unwrap();
    assert_eq!(values::<f16>(&half.tanh().unwrap()), values::<f16>(&want));
    let mixed = half.add(&cast::astype(&wide, DType::BF16).unwrap()).unwrap();
    assert_eq!(mixed.dtype(), DType::F32);
    let brain = vector(&x.iter().map(|&x| bf16::from_f32(x)).collect::<Vec<_>>());
    assert_eq!(brain.mul_scalar(2.0).unwrap().dtype(), DType::BF16);
}

#[test]
fn integers_wrap_and_never_trap() {
    let a = vector(&[i32::MIN, i32::MIN, 7, -7, 7, -7, i32::MAX, 5]);
    let b = vector(&[-1, 0, 0, 2, -2, -2, 1, 3]);
    let int = |x: Result<Tensor>| values::<i32>(&x.unwrap());
    assert_eq!(int(a.floor_divide(&b)), [i32::MIN, 0, 0, -4, -4, 3, i32::MAX, 1]);
    assert_eq!(int(a.remainder(&b)), [0, 0, 0, 1, -1, -1, 0, 2]);
    assert_eq!(int(a.add(&b))[6], i32::MIN);
    assert_eq!(int(a.abs())[0], i32::MIN);
    assert_eq!(int(a.negative())[0], i32::MIN);
    let counts = vector(&[0, 31, 32, 64, -1, i32::MIN, 1, 2]);
    assert_eq!(int(vector(&[-1i32; 8]).bitwise_right_shift(&counts)), [-1; 8]);
    assert_eq!(int(vector(&[1i32; 8]).bitwise_left_shift(&counts)), [1, i32::MIN, 0, 0, 0, 0, 2, 4]);
    assert_eq!(int(vector(&[2i32, -1, 3, 0]).pow(&vector(&[-1, -3, 40, 0]))), [0, -1, 3i32.wrapping_pow(40), 1]);
    let (wide, one) = (vector(&[u64::MAX]), vector(&[1u64]));
    assert_eq!(values::<u64>(&wide.add(&one).unwrap()), [0]);
    assert!(wide.add(&vector(&[1i64])).is_err());
}

#[test]
fn floor_division_follows_python() {
    for (a, b, quotient, rest) in [
        (7.0, 2.0, 3.0, 1.0),
        (-7.0, 2.0, -4.0, 1.0),
        (7.0, -2.0, -4.0, -1.0),
        (0.0, -3.0, -0.0, -0.0),
        (1.0, 0.1, 9.0, 0.1),
    ] {
        let (a, b) = (vector(&[a]), vector(&[b]));
        let got: f64 = values(&a.floor_divide(&b).unwrap())[0];
        assert_eq!(got.to_bits(), f64::to_bits(quotient));
        assert!((values::<f64>(&a.remainder(&b).unwrap())[0] - rest).abs() < 1e-12);
    }
}

#[test]
fn division_by_infinity_follows_the_standard() {
    let inf = f64::INFINITY;
    for (a, b, quotient, rest) in [
        (inf, 2.0, inf, f64::NAN),
        (-inf, 2.0, -inf, f64::NAN),
        (3.0, inf, 0.0, 3.0),
        (-3.0, inf, -0.0, inf),
        (3.0, -inf, -0.0, -inf),
        (3.0, 0.0, inf, f64::NAN),
    ] {
        let (a, b) = (vector(&[a]), vector(&[b]));
        assert_eq!(values::<f64>(&a.floor_divide(&b).unwrap())[0].to_bits(), f64::to_bits(quotient));
        let got = values::<f64>(&a.remainder(&b).unwrap())[0];
        assert!(got == rest || got.is_nan() && rest.is_nan(), "{got} {rest}");
    }
}

#[test]
fn nan_goes_through() {
    let nan = vector(&[f32::NAN, 1.0]);
    for row in rows().filter(|r| r.class.compute("t", DType::F32).is_ok()) {
        let keeps = matches!(row.name, "pow" | "hypot" | "imag");
        let x = vec![nan.clone(); row.arity()];
        assert!(keeps || values::<f32>(&run(row, &x))[0].is_nan(), "{}", row.name);
    }
}

#[test]
fn activations_are_right_far_from_zero() {
    let ends = [f32::NEG_INFINITY, -1e30, -1e4, 1e4, 1e30, f32::INFINITY];
    for name in ["gelu", "gelu_tanh", "silu", "mish", "relu", "softplus", "elu", "hardswish"] {
        let row = Activation::ALL.iter().find(|r| r.name == name).unwrap();
        let low = if name == "elu" { -1.0 } else { 0.0 };
        let want: Vec<f32> = ends.iter().map(|&x| if x < 0.0 { low } else { x }).collect();
        assert_eq!(values::<f32>(&run(row, &[vector(&ends)])), want, "{name}");
        let x = vector(&ends).leaf().unwrap();
        let slope = &gradient_of(row, &[x], &vector(&[1.0f32; 6]), false)[0];
        assert_eq!(values::<f32>(slope), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], "{name}");
    }
}

#[test]
fn dtypes_follow_the_rules() {
    let (flag, int, half) = (vector(&[true]), vector(&[3i64]), vector(&[f16::ONE]));
    assert!(flag.add(&flag).is_err());
    assert!(flag.exp().is_err());
    assert_eq!(flag.multiply(&half).unwrap().dtype(), DType::F16);
    assert_eq!(int.exp().unwrap().dtype(), DType::F32);
    assert_eq!(int.divide(&int).unwrap().dtype(), DType::F32);
    assert_eq!(int.less(&half).unwrap().dtype(), DType::Bool);
    assert!(half.bitwise_and(&half).is_err());
    assert!(half.nextafter(&half).is_err());
    assert_eq!(int.mul_scalar(0.5).unwrap().dtype(), DType::F32);
    let number = |value| call(Binary::add, &[Operand::Tensor(&vector(&[1u8])), Operand::Number(value)], &[]);
    assert_eq!(number(Scalar::Int(2)).unwrap().dtype(), DType::U8);
    assert!(number(Scalar::Int(300)).is_err());
    assert_eq!(int.pow_scalar(2.0).unwrap().dtype(), DType::F32);
}
