//! The vocabulary of formulas: branch-free scalar functions that vectorise inside `leveled!` loops.
//!
//! `fma` and `plain` compile the same files with and without fused multiply-add, so that a formula written with bare
//! names works after `use math::f32::*` at every level. Within a level results are the same bits everywhere; across
//! levels they agree within the error each function documents (0.5 to 2.5 units in the last place).

/// Horner's scheme from the constant term up, with the `mul_add` in scope.
macro_rules! polynomial {
    ($x:expr; $c:expr) => { $c };
    ($x:expr; $c:expr, $($rest:expr),+) => { mul_add(polynomial!($x; $($rest),+), $x, $c) };
}

mod basic;
pub mod complex;
pub mod fma;
pub mod plain;
use basic::basic;

#[cfg(test)]
mod tests;
