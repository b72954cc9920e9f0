//! The CPU's machinery: memory, threads, feature levels and vector math. It knows no op.

#[allow(unsafe_code)]
pub mod arena;
#[allow(unsafe_code)]
pub mod channels;
#[allow(unsafe_code)]
pub mod conv;
#[allow(unsafe_code)]
pub mod gemm;
#[allow(unsafe_code)]
pub mod level;
pub mod limits;
pub mod math;
pub mod parts;
#[allow(unsafe_code)]
pub mod pool;
pub mod precision;
pub mod roof;
pub mod rows;
pub mod scratch;
#[allow(unsafe_code)]
pub mod stream;

use crate::Result;

/// Checks the environment variables the CPU engine obeys, so that a mistyped one is reported at import.
pub fn init() -> Result<()> {
    arena::check_environment()?;
    level::check_environment()?;
    pool::check_environment()
}
