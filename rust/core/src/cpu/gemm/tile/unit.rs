//! What a tile unit can do, in the terms of Intel's AMX; `amx` does it, and `model` says what it means.

/// Rows of a tile register, and bytes of each of them.
pub const ROWS: usize = 16;
pub const ROW: usize = 64;
pub const TILE: usize = ROWS * ROW;

/// The eight tile registers of one thread. What is left on the thread when it is dropped is not defined.
///
/// A register holds 16 rows of 16 sums, 16 rows of 64 bytes of a left operand, or of a right operand 16 groups of rows
/// as deep as 4 bytes: the elements of a column that belong to one group lie side by side.
///
/// # Safety
/// Pointers must be valid for 16 rows of 64 bytes, `step` bytes apart.
pub trait Unit {
    /// Makes the registers ready for use on this thread.
    ///
    /// # Safety
    /// The machine must have the unit, and the process be allowed to use it.
    unsafe fn configure() -> Self;
    unsafe fn zero<const C: usize>(&mut self);
    unsafe fn load<const T: usize>(&mut self, from: *const u8, step: usize);
    unsafe fn store<const T: usize>(&mut self, to: *mut u8, step: usize);
    /// `C += A B` in f32, of pairs of bf16. The three registers must be different ones, here as below.
    unsafe fn dot_bf16<const C: usize, const A: usize, const B: usize>(&mut self);
    /// `C += A B` in i32, of groups of four i8.
    unsafe fn dot_i8<const C: usize, const A: usize, const B: usize>(&mut self);
}
