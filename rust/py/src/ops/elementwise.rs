//! Declared elementwise ops: their rows in the core already say everything, nothing is written twice.

use crate::rows;
use crate::table::args::Operand;
use crate::table::{Call, Param, Pass, Row};
use ferrograd_core::ops::activation::{self, Activation};
use ferrograd_core::ops::binary::Binary;
use ferrograd_core::ops::compare::Compare;
use ferrograd_core::ops::complex::Complex;
use ferrograd_core::ops::unary::Unary;
use ferrograd_core::ops::{cast, elementwise, select};
use ferrograd_core::{DType, Error, Result, Tensor};

/// Standard names in the core's tables of arithmetic, mathematics and comparison.
pub fn standard() -> &'static [Row] {
    leak(
        [Unary::ALL, Complex::ALL, Binary::ALL, Compare::ALL]
            .concat()
            .into_iter()
            .filter(|r| !HIDDEN.contains(&r.name)),
        Pass::PositionalOnly,
    )
}

/// Activation functions, with their constants as arguments.
pub fn activations() -> &'static [Row] {
    leak(Activation::ALL.iter().copied().filter(|r| !HIDDEN.contains(&r.name)), Pass::Either)
}

/// Halves of ops that are bound as one.
const HIDDEN: &[&str] = &["clamp_min", "clamp_max", "gelu", "gelu_tanh", "prelu"];

/// Rows live as long as the process; they are made once, at import.
fn leak(rows: impl Iterator<Item = &'static elementwise::Row>, pass: Pass) -> &'static [Row] {
    Vec::leak(rows.map(|row| bound(row, pass)).collect())
}

fn bound(row: &'static elementwise::Row, pass: Pass) -> Row {
    let names: &[&'static str] = if row.arity() == 1 { &["x"] } else { &["x1", "x2"] };
    let operand = |&name: &&'static str| Param {
        name,
        hint: if row.arity() == 1 { "Tensor" } else { "Tensor | complex" },
        default: None,
        pass,
        variadic: false,
        optional: false,
    };
    let constant = |&(name, value): &(&'static str, f64)| Param {
        name,
        hint: "float",
        default: Some(String::leak(format!("{value:?}"))),
        pass: Pass::Either,
        variadic: false,
        optional: false,
    };
    let params = names.iter().map(operand).chain(row.parameters.iter().map(constant)).collect();
    Row {
        name: row.name,
        doc: Vec::leak(documentation(row)),
        params: Vec::leak(params),
        returns: "Tensor",
        call: Call::Elementwise(row),
    }
}

/// The row's text, and the formula that is computed.
fn documentation(row: &'static elementwise::Row) -> Vec<&'static str> {
    let formula: &str =
        String::leak(format!("Computes {}.", row.value.text.split_whitespace().collect::<Vec<_>>().join(" ")));
    row.doc.trim_end().lines().chain(["", formula]).collect()
}

fn gelu(x: &Tensor, approximate: &str) -> Result<Tensor> {
    match approximate {
        "none" => x.gelu(),
        "tanh" => x.gelu_tanh(),
        _ => {
            Err(Error::value("gelu", format!("unknown approximation, expected 'none' or 'tanh', got {approximate:?}")))
        }
    }
}

pub const CHOICES: &[Row] = rows! {
    /// x kept between two bounds, each a number, a tensor or None; the dtype stays.
    clip [x: Tensor] (min: Option<Operand> = None, max: Option<Operand> = None) {} -> Tensor
        = select::clip(&x, min.as_ref().map(Operand::core), max.as_ref().map(Operand::core));
    /// x with value where the mask holds.
    masked_fill [x: Tensor, mask: Tensor] (value: Operand) {} -> Tensor = select::masked_fill(&x, &mask, value.core());
    _astype [x: Tensor, dtype: DType] () {} -> Tensor = cast::astype(&x, dtype);
};

pub const FUNCTIONS: &[Row] = rows! {
    /// x1 where the condition holds, else x2; broadcast against each other.
    where_ [condition: Tensor, x1: Operand, x2: Operand] () {} -> Tensor = select::choose(&condition, x1.core(), x2.core());
};

pub const ACTIVATIONS: &[Row] = rows! {
    /// Gaussian error linear unit, exact (approximate="none") or by tanh.
    gelu [] (x: Tensor, approximate: String = String::from("none")) {} -> Tensor = gelu(&x, &approximate);    /// x above zero, else weight * x: one weight, or one for each channel (axis 1).
    prelu [] (x: Tensor, weight: Tensor) {} -> Tensor = activation::prelu(&x, &weight);
};
