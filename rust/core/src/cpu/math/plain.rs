//! The vocabulary for machines without fused multiply-add, where the fused form would be a slow library call.

#[allow(clippy::duplicate_mod, clippy::excessive_precision)] // on purpose: the same formulas, another `mul_add`
#[path = "f32/mod.rs"]
pub mod f32;
#[allow(clippy::duplicate_mod, clippy::excessive_precision)]
#[path = "f64/mod.rs"]
pub mod f64;

#[inline(always)]
fn mul_add32(x: f32, y: f32, z: f32) -> f32 {
    x * y + z
}

#[inline(always)]
fn mul_add64(x: f64, y: f64, z: f64) -> f64 {
    x * y + z
}

/// The nearest integer, for any size of x: SSE2 has no instruction for it.
#[inline(always)]
fn round64(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    if x.abs() < 2_251_799_813_685_248.0 { (x + MAGIC) - MAGIC } else { x }
}
