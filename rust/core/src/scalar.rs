//! A single number of any kind, as Python hands it over.

use crate::dtype::{Complex32, Complex64, DType, Element, Kind, bf16, f16};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Int(i128),
    Float(f64),
    Complex(Complex64),
}

impl Scalar {
    pub fn kind(self) -> Kind {
        match self {
            Scalar::Bool(_) => Kind::Bool,
            Scalar::Int(_) => Kind::Int,
            Scalar::Float(_) => Kind::Float,
            Scalar::Complex(_) => Kind::Complex,
        }
    }

    /// The type a lone Python number gets.
    pub fn default_dtype(self) -> DType {
        match self.kind() {
            Kind::Bool => DType::Bool,
            Kind::Int => DType::I64,
            Kind::Float => DType::F32,
            Kind::Complex => DType::C64,
        }
    }

    /// The type an operation between this weak scalar and a tensor of `dtype` runs in.
    pub fn weak_dtype(self, dtype: DType) -> DType {
        match self.kind() {
            kind if kind <= dtype.kind() => dtype,
            Kind::Complex if dtype == DType::F64 => DType::C128,
            _ => self.default_dtype(),
        }
    }

    /// Whether an integer dtype can hold this integer; true for everything else.
    pub fn fits(self, dtype: DType) -> bool {
        let Scalar::Int(value) = self else { return true };
        if !dtype.is_int() {
            return true;
        }
        let bits = dtype.size() as u32 * 8;
        match dtype.is_signed() {
            true => (-(1i128 << (bits - 1))..1i128 << (bits - 1)).contains(&value),
            false => (0..1i128 << bits).contains(&value),
        }
    }

    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(b) => b as u8 as f64,
            Scalar::Int(i) => i as f64,
            Scalar::Float(f) => f,
            Scalar::Complex(c) => c.re,
        }
    }

    pub fn to_i128(self) -> i128 {
        match self {
            Scalar::Bool(b) => b as i128,
            Scalar::Int(i) => i,
            Scalar::Float(f) => f as i128,
            Scalar::Complex(c) => c.re as i128,
        }
    }

    pub fn to_complex(self) -> Complex64 {
        match self {
            Scalar::Complex(c) => c,
            other => Complex64::new(other.to_f64(), 0.0),
        }
    }

    pub fn to_bool(self) -> bool {
        match self {
            Scalar::Bool(b) => b,
            Scalar::Int(i) => i != 0,
            Scalar::Float(f) => f != 0.0,
            Scalar::Complex(c) => c != Complex64::new(0.0, 0.0),
        }
    }
}

/// Conversion between elements and scalars, for filling and for `item()`.
pub trait ScalarElement: Element {
    fn from_scalar(value: Scalar) -> Self;
    fn to_scalar(self) -> Scalar;
}

macro_rules! scalar_elements {
    ($($t:ty, $v:ident => $from:expr, $x:ident => $to:expr;)*) => {
        $(impl ScalarElement for $t {
            fn from_scalar($v: Scalar) -> Self { $from }
            fn to_scalar(self) -> Scalar { let $x = self; $to }
        })*
    };
}
scalar_elements! {
    bool, v => v.to_bool(), x => Scalar::Bool(x);
    i8, v => v.to_i128() as i8, x => Scalar::Int(x as i128);
    i16, v => v.to_i128() as i16, x => Scalar::Int(x as i128);
    i32, v => v.to_i128() as i32, x => Scalar::Int(x as i128);
    i64, v => v.to_i128() as i64, x => Scalar::Int(x as i128);
    u8, v => v.to_i128() as u8, x => Scalar::Int(x as i128);
    u16, v => v.to_i128() as u16, x => Scalar::Int(x as i128);
    u32, v => v.to_i128() as u32, x => Scalar::Int(x as i128);
    u64, v => v.to_i128() as u64, x => Scalar::Int(x as i128);
    f16, v => f16::from_f64(v.to_f64()), x => Scalar::Float(x.to_f64());
    bf16, v => bf16::from_f64(v.to_f64()), x => Scalar::Float(x.to_f64());
    f32, v => v.to_f64() as f32, x => Scalar::Float(x as f64);
    f64, v => v.to_f64(), x => Scalar::Float(x);
    Complex32, v => { let c = v.to_complex(); Complex32::new(c.re as f32, c.im as f32) },
        x => Scalar::Complex(Complex64::new(x.re as f64, x.im as f64));
    Complex64, v => v.to_complex(), x => Scalar::Complex(x);
}
