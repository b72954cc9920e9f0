//! Products on a tile unit (Intel's AMX), where the machine has one: bf16, i8, and f32 as sums of bf16 parts.
//!
//! Three parts of 8 bits hold a float32, and six of their nine products its place; the sums are kept in f32, so that
//! the error is below that of a chain of f32 operations. Numbers that would be flushed or overflow are found while
//! parts are made, and multiplied in f32 as anywhere else. The order of every sum follows from the shapes alone.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub mod amx;
pub mod engine;
mod extent;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub mod floats;
#[cfg(test)]
mod model;
pub mod multiply;
pub mod source;
#[cfg(test)]
mod tests;
mod unit;
