//! The vocabulary for machines with fused multiply-add.

#[allow(clippy::excessive_precision)] // coefficients stand as their sources print them
#[path = "f32/mod.rs"]
pub mod f32;
#[allow(clippy::excessive_precision)]
#[path = "f64/mod.rs"]
pub mod f64;

#[inline(always)]
fn mul_add32(x: f32, y: f32, z: f32) -> f32 {
    x.mul_add(y, z)
}

#[inline(always)]
fn mul_add64(x: f64, y: f64, z: f64) -> f64 {
    x.mul_add(y, z)
}

/// The nearest integer, for any size of x.
#[inline(always)]
fn round64(x: f64) -> f64 {
    x.round_ties_even()
}
