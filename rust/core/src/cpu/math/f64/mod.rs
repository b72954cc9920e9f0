//! Double precision. What is not vectorised here rests on the standard library, alike at every level.

mod exp;
mod log;
mod rest;

use super::mul_add64 as mul_add;
pub use exp::{erf, exp, expm1, sigmoid, tanh};
pub use log::{log, log1p};
pub use rest::{
    acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, exp2, hypot, log2, log10, logaddexp, pow, sin, sinh, tan,
};

crate::cpu::math::basic!(f64);
