//! Formulas as tensor expressions: the same text, but every operation is recorded and can be differentiated again.

use super::{Operand, Row, call};
use crate::error::{Error, Result};
use crate::ops::{create, movement, select};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The functions of formulas, over expressions.
pub mod vocabulary {
    use super::{Expr, choose};
    pub use crate::ops::activation::expression::*;
    pub use crate::ops::binary::expression::*;
    pub use crate::ops::compare::expression as compare;
    pub use crate::ops::complex::expression::*;
    pub use crate::ops::unary::expression::*;

    macro_rules! choices {
        ($($name:ident => $test:ident),*) => { $(
            pub fn $name(x: impl Into<Expr>, y: impl Into<Expr>, a: impl Into<Expr>, b: impl Into<Expr>) -> Expr {
                choose(compare::$test(x, y), a.into(), b.into())
            }
        )* };
    }
    choices!(if_gt => greater, if_ge => greater_equal, if_lt => less, if_le => less_equal, if_eq => equal);
}

/// A value under construction; the first error ends it.
#[derive(Debug, Clone)]
pub enum Expr {
    Tensor(Tensor),
    Number(f64),
    Failed(Error),
}

impl From<f64> for Expr {
    fn from(x: f64) -> Expr {
        Expr::Number(x)
    }
}
impl From<&Expr> for Expr {
    fn from(x: &Expr) -> Expr {
        x.clone()
    }
}
impl From<&Operand<'_>> for Expr {
    fn from(x: &Operand) -> Expr {
        match x {
            Operand::Tensor(x) => Expr::Tensor((*x).clone()),
            Operand::Number(x) => Expr::Number(x.to_f64()),
        }
    }
}
impl From<Result<Tensor>> for Expr {
    fn from(x: Result<Tensor>) -> Expr {
        x.map_or_else(Expr::Failed, Expr::Tensor)
    }
}

impl Expr {
    /// `row` applied to expressions.
    pub fn call(row: &'static Row, operands: &[Expr], parameters: &[f64]) -> Expr {
        if let Some(failed) = operands.iter().find(|x| matches!(x, Expr::Failed(_))) {
            return failed.clone();
        }
        let numbers = operands.iter().map(|x| if let Expr::Number(x) = x { Some([*x]) } else { None });
        if let Some(numbers) = numbers.collect::<Option<SmallVec<[[f64; 1]; 4]>>>() {
            return number(row, &numbers, parameters);
        }
        let operands: SmallVec<[Operand; 4]> = operands.iter().filter_map(Expr::operand).collect();
        call(row, &operands, parameters).into()
    }

    fn operand(&self) -> Option<Operand<'_>> {
        match self {
            Expr::Tensor(x) => Some(Operand::Tensor(x)),
            Expr::Number(x) => Some(Operand::Number(Scalar::Float(*x))),
            Expr::Failed(_) => None,
        }
    }

    /// The value as a tensor of the shape and dtype of `like`.
    pub fn into_tensor_like(self, like: &Tensor) -> Result<Tensor> {
        match self {
            Expr::Tensor(x) => movement::broadcast_to(&x, like.shape()),
            Expr::Number(x) => create::full_like(like, Scalar::Float(x)),
            Expr::Failed(error) => Err(error),
        }
    }
}

/// A row of numbers only: its kernel for f64, on one element.
fn number(row: &Row, operands: &[[f64; 1]], parameters: &[f64]) -> Expr {
    let operands: SmallVec<[&[f64]; 4]> = operands.iter().map(|x| x.as_slice()).collect();
    let (mut value, mut truth) = ([0.0], [false]);
    match &row.value.kernels {
        super::Kernels::Values(blocks) => blocks.f64.map(|block| block(&operands, parameters, &mut value)),
        super::Kernels::Reals(blocks) => blocks.f64.map(|block| block(&operands, parameters, &mut value)),
        super::Kernels::Truths(blocks) => blocks.f64.map(|block| {
            block(&operands, parameters, &mut truth);
            value[0] = truth[0] as u8 as f64;
        }),
    };
    Expr::Number(value[0])
}

/// `a` where `test` holds, else `b`.
fn choose(test: Expr, a: Expr, b: Expr) -> Expr {
    if let Some(failed) = [&test, &a, &b].into_iter().find(|x| matches!(x, Expr::Failed(_))) {
        return failed.clone();
    }
    match (&test, a.operand(), b.operand()) {
        (Expr::Number(test), _, _) => {
            if *test != 0.0 {
                a
            } else {
                b
            }
        }
        (Expr::Tensor(test), Some(a), Some(b)) => select::choose(test, a, b).into(),
        _ => test,
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident $row:ident;)*) => { $(
        operators!(@ $operator $method $row: Expr, Expr; Expr, &Expr; &Expr, Expr; &Expr, &Expr; Expr, f64; &Expr, f64; f64, Expr; f64, &Expr);
    )* };
    (@ $operator:ident $method:ident $row:ident: $($a:ty, $b:ty);*) => { $(
        impl $operator<$b> for $a {
            type Output = Expr;
            fn $method(self, other: $b) -> Expr {
                vocabulary::$row(self, other)
            }
        }
    )* };
}
operators! { Add add add; Sub sub subtract; Mul mul multiply; Div div divide; }

impl Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        vocabulary::negative(self)
    }
}
impl Neg for &Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        vocabulary::negative(self)
    }
}
