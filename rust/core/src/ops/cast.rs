//! `astype`: every dtype to every other, complex to real excepted.

use super::elementwise::{Operand, cpu, gpu};
use super::{Op, Spec, Specs, apply1};
use crate::autograd::{Gradient, Grads, Saved, one, only};
use crate::dispatch;
use crate::dtype::{Complex32, Complex64, DType, bf16, f16};
use crate::error::{Error, Result};
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::smallvec;

#[derive(Debug)]
struct Cast {
    to: DType,
}

impl Gradient for Cast {
    fn name(&self) -> &'static str {
        "astype"
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        one(astype(only(dy)?, saved.spec(0).dtype)?)
    }
}

impl Op for Cast {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        Ok(smallvec![Spec::new(inputs[0].shape(), self.to)])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        let (x, out) = (Operand::Tensor(inputs[0]), &mut outputs[0]);
        match (inputs[0].dtype(), self.to) {
            (DType::F64, DType::F16) => cpu::map::<f64, f16>("astype", &x, out, to_odd),
            (DType::F64, DType::BF16) => cpu::map::<f64, bf16>("astype", &x, out, to_odd),
            (from, to) => dispatch!(from, "astype", [any], T => {
                dispatch!(to, "astype", [any], U => cpu::map::<T, U>("astype", &x, out, Convert::convert))
            }),
        }
    }
    fn gpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        gpu::cast(inputs[0], &outputs[0])
    }
}

/// The same numbers as `dtype`; the tensor itself when it has it already. Floats become integers by dropping the
/// fraction, saturating at the ends, NaN becoming zero.
pub fn astype(x: &Tensor, dtype: DType) -> Result<Tensor> {
    if x.dtype() == dtype {
        return Ok(x.clone());
    }
    if x.dtype().is_complex() && !dtype.is_complex() && dtype != DType::Bool {
        let message = format!("a part would be lost, expected real() or imag() first, got {} to {dtype}", x.dtype());
        return Err(Error::dtype("astype", message));
    }
    apply1(Cast { to: dtype }, &[x])
}

/// Conversion between two types that kernels compute in.
pub trait Convert<To> {
    fn convert(self) -> To;
}

macro_rules! conversions {
    ($($from:ident)*; $to:tt) => { $(conversions!(@ $from $to);)* };
    (@ $from:ident [$($to:ident)*]) => {
        $(conversions!($from, $to, x => x as $to);)*
        conversions!($from, bool, x => x != 0 as $from);
        conversions!(bool, $from, x => x as u8 as $from);
        conversions!($from, Complex32, x => Complex32::new(x as f32, 0.0));
        conversions!($from, Complex64, x => Complex64::new(x as f64, 0.0));
        conversions!(Complex32, $from, x => x.re as $from);
        conversions!(Complex64, $from, x => x.re as $from);
    };
    ($from:ident, $to:ident, $x:ident => $value:expr) => {
        impl Convert<$to> for $from {
            #[inline(always)]
            fn convert(self) -> $to {
                let $x = self;
                $value
            }
        }
    };
}
conversions!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64; [i8 i16 i32 i64 u8 u16 u32 u64 f32 f64]);
conversions!(bool, bool, x => x);
conversions!(bool, Complex32, x => Complex32::new(x as u8 as f32, 0.0));
conversions!(bool, Complex64, x => Complex64::new(x as u8 as f64, 0.0));
conversions!(Complex32, bool, x => x.re != 0.0 || x.im != 0.0);
conversions!(Complex64, bool, x => x.re != 0.0 || x.im != 0.0);
conversions!(Complex32, Complex32, x => x);
conversions!(Complex64, Complex64, x => x);
conversions!(Complex32, Complex64, x => Complex64::new(x.re as f64, x.im as f64));
conversions!(Complex64, Complex32, x => Complex32::new(x.re as f32, x.im as f32));

/// f64 to f32 with inexact results made odd: rounding that to a half type gives what rounding once would.
fn to_odd(x: f64) -> f32 {
    let near = x as f32;
    if near as f64 == x || x.is_nan() {
        return near;
    }
    let beyond = (near as f64).abs() > x.abs();
    f32::from_bits((near.to_bits() - beyond as u32) | 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::copy;

    #[test]
    fn every_pair_of_dtypes_casts_or_says_why_not() {
        let numbers = Tensor::from_slice(&[0.0f64, 1.0, 2.0], &[3]).unwrap();
        for from in DType::ALL {
            let x = astype(&numbers, from).unwrap();
            for to in DType::ALL {
                let lossy = from.is_complex() && !to.is_complex() && to != DType::Bool;
                assert_eq!(astype(&x, to).is_err(), lossy, "{from} {to}");
                if !lossy && !to.is_complex() {
                    let back = astype(&astype(&x, to).unwrap(), DType::F64).unwrap();
                    let two = if from.is_bool() || to.is_bool() { 1.0 } else { 2.0 };
                    assert_eq!(back.slice::<f64>().unwrap(), &[0.0, 1.0, two], "{from} {to}");
                }
            }
        }
    }

    #[test]
    fn floats_become_integers_without_surprises() {
        let x = Tensor::from_slice(&[f32::NAN, 1e10, -1e10, -1.9, f32::INFINITY], &[5]).unwrap();
        let int = |d| astype(&x, d).unwrap();
        assert_eq!(int(DType::I32).slice::<i32>().unwrap(), &[0, i32::MAX, i32::MIN, -1, i32::MAX]);
        assert_eq!(int(DType::U8).slice::<u8>().unwrap(), &[0, 255, 0, 0, 255]);
    }

    #[test]
    fn doubles_are_rounded_to_halves_once() {
        for i in 0..20_000u64 {
            let x = f64::from_bits(0x3F00_0000_0000_0000 + i * 0x35_7913_5791);
            let half = astype(&Tensor::scalar(x).unwrap(), DType::F16).unwrap().slice::<f16>().unwrap()[0];
            let brain = astype(&Tensor::scalar(x).unwrap(), DType::BF16).unwrap().slice::<bf16>().unwrap()[0];
            for step in [1, u16::MAX] {
                let (f, b) = (half.to_bits().wrapping_add(step), brain.to_bits().wrapping_add(step));
                assert!((half.to_f64() - x).abs() <= (f16::from_bits(f).to_f64() - x).abs(), "{x}");
                assert!((brain.to_f64() - x).abs() <= (bf16::from_bits(b).to_f64() - x).abs(), "{x}");
            }
        }
        for x in [1e300, -1e300, f64::INFINITY, 65520.0, 65519.99, 1e-320] {
            let half = astype(&Tensor::scalar(x).unwrap(), DType::F16).unwrap();
            assert_eq!(half.slice::<f16>().unwrap()[0], f16::from_f64(x), "{x}");
        }
    }

    #[test]
    fn strided_operands_cast_too() {
        let x = Tensor::from_slice(&(0..6i16).collect::<Vec<_>>(), &[2, 3]).unwrap();
        let y = astype(&crate::ops::movement::permute(&x, &[1, 0]).unwrap(), DType::F32).unwrap();
        assert_eq!(copy::contiguous(&y).unwrap().slice::<f32>().unwrap(), &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}
