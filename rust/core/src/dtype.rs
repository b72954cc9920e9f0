//! Element types: names, kinds, sizes, promotion, and the one dispatch macro.

use crate::error::{Error, Result};
pub use half::{bf16, f16};
pub use num_complex::{Complex32, Complex64};

/// The element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DType {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
    C64,
    C128,
}

/// The array API's kinds of element types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Bool,
    Int,
    Float,
    Complex,
}

use DType::*;

impl DType {
    pub const ALL: [DType; 15] = [Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, C64, C128];

    pub fn name(self) -> &'static str {
        match self {
            Bool => "bool",
            I8 => "int8",
            I16 => "int16",
            I32 => "int32",
            I64 => "int64",
            U8 => "uint8",
            U16 => "uint16",
            U32 => "uint32",
            U64 => "uint64",
            F16 => "float16",
            BF16 => "bfloat16",
            F32 => "float32",
            F64 => "float64",
            C64 => "complex64",
            C128 => "complex128",
        }
    }

    pub fn from_name(name: &str) -> Option<DType> {
        DType::ALL.into_iter().find(|d| d.name() == name)
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Bool | I8 | U8 => 1,
            I16 | U16 | F16 | BF16 => 2,
            I32 | U32 | F32 => 4,
            I64 | U64 | F64 | C64 => 8,
            C128 => 16,
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Bool => Kind::Bool,
            I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64 => Kind::Int,
            F16 | BF16 | F32 | F64 => Kind::Float,
            C64 | C128 => Kind::Complex,
        }
    }

    pub fn is_bool(self) -> bool {
        self == Bool
    }
    pub fn is_int(self) -> bool {
        self.kind() == Kind::Int
    }
    pub fn is_signed(self) -> bool {
        matches!(self, I8 | I16 | I32 | I64)
    }
    pub fn is_unsigned(self) -> bool {
        matches!(self, U8 | U16 | U32 | U64)
    }
    pub fn is_float(self) -> bool {
        self.kind() == Kind::Float
    }
    pub fn is_complex(self) -> bool {
        self.kind() == Kind::Complex
    }
    /// Floating point, real or complex: the types division and exp give results in.
    pub fn is_inexact(self) -> bool {
        self.kind() >= Kind::Float
    }

    /// The type arithmetic runs in: half types compute in f32.
    pub fn compute(self) -> DType {
        match self {
            F16 | BF16 => F32,
            other => other,
        }
    }

    /// The real type of a complex one (its components); itself otherwise.
    pub fn real(self) -> DType {
        match self {
            C64 => F32,
            C128 => F64,
            other => other,
        }
    }

    /// The complex type whose components hold this type.
    pub fn complex(self) -> DType {
        match self {
            F64 | C128 => C128,
            _ => C64,
        }
    }

    /// The common type of two operands: NumPy-2 rules inside a kind, the higher kind's type across kinds.
    pub fn promote(self, other: DType) -> Result<DType> {
        if self == other {
            return Ok(self);
        }
        let (low, high) = if self.kind() <= other.kind() { (self, other) } else { (other, self) };
        if low.kind() != high.kind() {
            return Ok(if low == F64 && high == C64 { C128 } else { high });
        }
        match (low.kind(), low.is_signed() == high.is_signed()) {
            (Kind::Int, false) => promote_mixed_sign(low, high),
            (Kind::Float, _) if low.size() == high.size() => Ok(F32), // f16 with bf16
            _ => Ok(if low.size() > high.size() { low } else { high }),
        }
    }
}

fn promote_mixed_sign(a: DType, b: DType) -> Result<DType> {
    let (signed, unsigned) = if a.is_signed() { (a, b) } else { (b, a) };
    Ok(match unsigned.size().max(signed.size() / 2) {
        1 => I16,
        2 => I32,
        4 => I64,
        _ => {
            return Err(Error::dtype(
                "promotion",
                format!("no integer type holds both {} and {}; cast one of them with astype", a.name(), b.name()),
            ));
        }
    })
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust type that tensors can hold. Every bit pattern that a kernel writes is valid; bools hold 0 or 1.
pub trait Element: Copy + Send + Sync + PartialEq + std::fmt::Debug + Default + 'static {
    const DTYPE: DType;
}

macro_rules! elements {
    ($($t:ty => $d:ident),*) => { $(impl Element for $t { const DTYPE: DType = DType::$d; })* };
}
elements!(bool => Bool, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32, u64 => U64,
          f16 => F16, bf16 => BF16, f32 => F32, f64 => F64, Complex32 => C64, Complex64 => C128);

/// `dispatch!(dtype, "op", [float], T => expression)`: runs the expression with `T` bound to the element type.
/// Groups: `any`, `real` (ints and floats), `int`, `signed`, `float` (with halves), `wide` (f32, f64), `complex`, `numeric`
/// (ints, floats, complex), `inexact` (floats, complex). Another dtype is a `DTypeError` that names the op.
#[macro_export]
macro_rules! dispatch {
    (@arms $dtype:expr, $op:expr, $want:expr, $T:ident => $body:expr, $($d:ident $t:ty),*) => {
        match $dtype {
            $($crate::dtype::DType::$d => { #[allow(dead_code)] type $T = $t; $body })*
            #[allow(unreachable_patterns)]
            other => Err($crate::Error::dtype($op, format!("wrong dtype, expected {}, got {}", $want, other.name()))),
        }
    };
    ($dtype:expr, $op:expr, [any], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "any", $T => $body, Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F16 $crate::dtype::f16, BF16 $crate::dtype::bf16, F32 f32, F64 f64, C64 $crate::dtype::Complex32, C128 $crate::dtype::Complex64)
    };
    ($dtype:expr, $op:expr, [numeric], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "a number", $T => $body, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F16 $crate::dtype::f16, BF16 $crate::dtype::bf16, F32 f32, F64 f64, C64 $crate::dtype::Complex32, C128 $crate::dtype::Complex64)
    };
    ($dtype:expr, $op:expr, [real], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "a real number", $T => $body, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F16 $crate::dtype::f16, BF16 $crate::dtype::bf16, F32 f32, F64 f64)
    };
    ($dtype:expr, $op:expr, [int], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "an integer", $T => $body, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64)
    };
    ($dtype:expr, $op:expr, [signed], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "a signed integer", $T => $body, I8 i8, I16 i16, I32 i32, I64 i64)
    };
    ($dtype:expr, $op:expr, [float], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "a real floating-point type", $T => $body,
            F16 $crate::dtype::f16, BF16 $crate::dtype::bf16, F32 f32, F64 f64)
    };
    ($dtype:expr, $op:expr, [wide], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "float32 or float64", $T => $body, F32 f32, F64 f64)
    };
    ($dtype:expr, $op:expr, [complex], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "a complex type", $T => $body, C64 $crate::dtype::Complex32, C128 $crate::dtype::Complex64)
    };
    ($dtype:expr, $op:expr, [inexact], $T:ident => $body:expr) => {
        $crate::dispatch!(@arms $dtype, $op, "a floating-point type", $T => $body, F16 $crate::dtype::f16, BF16 $crate::dtype::bf16, F32 f32, F64 f64,
            C64 $crate::dtype::Complex32, C128 $crate::dtype::Complex64)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_is_symmetric_and_follows_the_standard() {
        for a in DType::ALL {
            assert_eq!(a.promote(a), Ok(a));
            for b in DType::ALL {
                assert_eq!(a.promote(b).ok(), b.promote(a).ok(), "{a} {b}");
            }
        }
        assert_eq!(U8.promote(I8), Ok(I16));
        assert_eq!(U16.promote(I32), Ok(I32));
        assert_eq!(U32.promote(I8), Ok(I64));
        assert!(U64.promote(I64).is_err());
        assert_eq!(F16.promote(BF16), Ok(F32));
        assert_eq!(F64.promote(C64), Ok(C128));
        assert_eq!(I64.promote(F32), Ok(F32));
        assert_eq!(Bool.promote(U8), Ok(U8));
    }
}
