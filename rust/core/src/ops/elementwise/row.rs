//! What a declared row consists of: names, formula texts, and a compiled kernel for each compute type.

use super::expression::Expr;
use crate::dtype::{Complex32, Complex64, DType, Element, Kind};
use crate::error::{Error, Result};
use crate::ops::cast::Convert;
use crate::scalar::ScalarElement;

/// A declared elementwise op.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub doc: &'static str,
    /// Names of the operands in the formulas.
    pub operands: &'static [&'static str],
    /// Names and defaults of the constants.
    pub parameters: &'static [(&'static str, f64)],
    pub class: Class,
    pub value: Formula,
    /// One per operand; none where the op has no gradient.
    pub gradients: &'static [Derivative],
}

impl Row {
    pub const fn arity(&self) -> usize {
        self.operands.len()
    }
}

/// An expression in the common subset of Rust and WGSL, and what it was compiled to.
#[derive(Debug)]
pub struct Formula {
    pub text: &'static str,
    /// How many names it has: the operands; in a gradient, the result `y` and its gradient `dy` as well.
    pub slots: usize,
    /// Bit set of the names it reads.
    pub reads: u32,
    pub kernels: Kernels,
}

impl Formula {
    /// The expression as the body of a shader function.
    pub fn wgsl(&self) -> &'static str {
        self.text
    }
}

/// The gradient with respect to one operand: fused for speed, in tensor ops where it must be differentiated again.
#[derive(Debug)]
pub struct Derivative {
    pub formula: Formula,
    pub expression: fn(&[Expr], &[f64]) -> Expr,
}

/// Bit set of the positions in `slots` of the names in `read`.
pub const fn reads(slots: &[&str], read: &[&str]) -> u32 {
    let (mut mask, mut i) = (0, 0);
    while i < slots.len() {
        let mut j = 0;
        while j < read.len() {
            if same(slots[i].as_bytes(), read[j].as_bytes()) {
                mask |= 1 << i;
            }
            j += 1;
        }
        i += 1;
    }
    mask
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// Element types a row takes; the type it computes in follows from the operands' common type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Real floating point; integers become the default float.
    Float,
    /// float32 and float64 only: the result depends on the spacing of the type.
    Wide,
    /// Real or complex floating point; integers become the default float.
    Inexact,
    /// Integers and real floating point.
    Real,
    /// Integers, real and complex floating point.
    Numeric,
    Integer,
    /// Integers and bool.
    Bits,
    /// Everything that has an order: all but complex.
    Ordered,
    Any,
    /// Truth values; numbers are true where they are not zero.
    Truth,
}

impl Class {
    /// The dtype operands of common type `dtype` are brought to.
    pub fn compute(self, op: &str, dtype: DType) -> Result<DType> {
        let kind = dtype.kind();
        let (taken, expected) = match self {
            Class::Float => (matches!(kind, Kind::Int | Kind::Float), "a real number"),
            Class::Wide => (kind == Kind::Int || matches!(dtype, DType::F32 | DType::F64), "float32 or float64"),
            Class::Real => (matches!(kind, Kind::Int | Kind::Float), "a real number"),
            Class::Inexact | Class::Numeric => (kind != Kind::Bool, "a number"),
            Class::Integer => (kind == Kind::Int, "integers"),
            Class::Bits => (matches!(kind, Kind::Int | Kind::Bool), "integers or bool"),
            Class::Ordered => (kind != Kind::Complex, "a real number or bool"),
            Class::Any | Class::Truth => (true, "any"),
        };
        if !taken {
            return Err(Error::dtype(op, format!("wrong dtype, expected {expected}, got {dtype}")));
        }
        Ok(match self {
            Class::Float | Class::Wide | Class::Inexact if kind == Kind::Int => DType::F32,
            Class::Truth => DType::Bool,
            _ => dtype,
        })
    }
}

/// A formula compiled as a loop: blocks of equal length in, parameters, one block out.
pub type Block<C, O> = fn(&[&[C]], &[f64], &mut [O]);

/// What comes out of a kernel that computes in `C`.
pub trait Yields {
    type Of<C: Compute>;
}
/// Values of the compute type itself.
pub struct Same;
/// Values of its real type.
pub struct Real;
/// Truth values.
pub struct Truth;
impl Yields for Same {
    type Of<C: Compute> = C;
}
impl Yields for Real {
    type Of<C: Compute> = C::Real;
}
impl Yields for Truth {
    type Of<C: Compute> = bool;
}

/// The kernels of a formula.
pub enum Kernels {
    Values(Blocks<Same>),
    Reals(Blocks<Real>),
    Truths(Blocks<Truth>),
}

impl std::fmt::Debug for Kernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kernels::Values(_) => "Values",
            Kernels::Reals(_) => "Reals",
            Kernels::Truths(_) => "Truths",
        })
    }
}

macro_rules! compute_types {
    ($($field:ident: $t:ty => $real:ty),*) => {
        /// One kernel per compute type; those outside the row's class are missing.
        pub struct Blocks<Y: Yields> { $(pub $field: Option<Block<$t, Y::Of<$t>>>),* }

        impl<Y: Yields> Blocks<Y> {
            pub const NONE: Self = Blocks { $($field: None),* };
        }

        $(impl Compute for $t {
            type Real = $real;
            fn pick<Y: Yields>(blocks: &Blocks<Y>) -> Option<Block<$t, Y::Of<$t>>> {
                blocks.$field
            }
        })*
    };
}

/// A type kernels compute in: every element type but the halves, which compute in f32. It converts to all others.
#[rustfmt::skip]
pub trait Compute:
    Element + ScalarElement + Convert<bool>
    + Convert<i8> + Convert<i16> + Convert<i32> + Convert<i64> + Convert<u8> + Convert<u16> + Convert<u32> + Convert<u64>
    + Convert<f32> + Convert<f64> + Convert<Complex32> + Convert<Complex64>
{
    /// The type of the parts of a complex number; itself otherwise.
    type Real: Compute;

    fn pick<Y: Yields>(blocks: &Blocks<Y>) -> Option<Block<Self, Y::Of<Self>>>;
}

compute_types!(bool: bool => bool, i8: i8 => i8, i16: i16 => i16, i32: i32 => i32, i64: i64 => i64,
               u8: u8 => u8, u16: u16 => u16, u32: u32 => u32, u64: u64 => u64, f32: f32 => f32, f64: f64 => f64,
               c64: Complex32 => f32, c128: Complex64 => f64);
