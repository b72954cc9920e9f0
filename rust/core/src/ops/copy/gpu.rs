//! Strided to strided copies on the device.

use crate::dtype::DType;
use crate::error::Result;
use crate::gpu::{Launch, Positions, Source};
use crate::plan::Plan;
use crate::shape::Layout;
use crate::storage::Output;
use crate::tensor::Tensor;

/// Elements of one workgroup of `copy.wgsl`.
const GROUP: usize = 1024;

/// Writes `from` into the places of `to` that `region` describes.
pub fn copy(from: &Tensor, to: &Output, region: &Layout) -> Result<()> {
    // Words are moved as words: no float instruction may touch a NaN or a subnormal.
    let word = if from.dtype() == DType::F16 { "f16" } else { "u32" };
    let plan = Plan::new("copy", [region, from.layout()], [to.numel(), from.capacity()?])?;
    for part in Positions::new(&plan).launches() {
        Launch::new("copy", to)?.input(from)?.params(&part.block([0; 4])).run(part.count().div_ceil(GROUP), || {
            let file = Source::new(include_str!("copy.wgsl"));
            file.alias("Elem", word).section("positions", &Positions::section(part.operands()))
        })?;
    }
    Ok(())
}
