//! Single precision. Functions without a better way are computed in double precision and rounded once (`wide`).

mod exp;
mod log;
mod trig;
mod wide;

use super::mul_add32 as mul_add;
pub use exp::{erf, exp, exp2, expm1, sigmoid, tanh};
pub use log::{log, log1p, log2, log10};
pub use trig::{cos, sin, tan};
pub use wide::{acos, acosh, asin, asinh, atan, atan2, atanh, cosh, hypot, logaddexp, pow, sinh};

crate::cpu::math::basic!(f32);
