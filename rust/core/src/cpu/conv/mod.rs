//! Convolution in up to three dimensions: output, gradient of the image (a transposed convolution) and gradient of the
//! weights, over images `[n, g, c, d, h, w]`, outputs `[n, g, o, d, h, w]` and weights `[g, o, c, d, h, w]`.

mod band;
mod correlate;
mod depthwise;
mod geometry;
mod kernel;
mod pointwise;
pub mod pool;
mod scatter;
mod sweep;
mod table;
mod weights;
mod window;

pub use geometry::{Axes3, Geometry, Problem, output_size};

use super::gemm::Entry;
use crate::error::{Error, Result};
use correlate::{Correlation, correlate};
use table::Float;

/// Which side of `y = w * x` is computed from the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// From image and weights, with an optional bias: a convolution.
    Forward,
    /// From output and weights, with an optional bias: a transposed convolution.
    Data,
    /// From image and output.
    Weights,
}

/// An element type that every way of convolving computes in.
pub trait Real: Float + Entry {}
impl Real for f32 {}
impl Real for f64 {}

/// `inputs` are the operands of the pass; the output holds arbitrary values before.
pub fn run<T: Real>(op: &str, pass: Pass, problem: &Problem, inputs: &[&[T]], out: &mut [T]) -> Result<()> {
    let [image, output, weights] = problem.sizes();
    let (sizes, room) = match pass {
        Pass::Forward => ([image, weights], output),
        Pass::Data => ([output, weights], image),
        Pass::Weights => ([image, output], weights),
    };
    let &[a, b, ref rest @ ..] = inputs else {
        return Err(Error::internal(op, "expected two operands"));
    };
    let bias = rest.first().copied();
    let channels = problem.groups * if pass == Pass::Forward { problem.outputs } else { problem.inputs };
    if [a.len(), b.len()] != sizes || out.len() != room || bias.is_some_and(|bias| bias.len() != channels) {
        return Err(Error::internal(op, "operands do not fit the sizes of the convolution"));
    }
    if out.is_empty() {
        return Ok(());
    }
    let pointwise = problem.geometry.is_pointwise() && !problem.is_depthwise();
    match pass {
        Pass::Weights if problem.is_depthwise() => depthwise::weights(op, problem, [a, b], out),
        Pass::Forward if pointwise => pointwise::forward(op, problem, [a, b], bias, out),
        Pass::Data if pointwise => pointwise::data(op, problem, [a, b], bias, out),
        Pass::Forward | Pass::Data => correlated(op, pass, problem, [a, b], bias, out),
        Pass::Weights => weights::gradient(op, problem, [a, b], out),
    }
}

/// The passes that correlate with the weights; for the image's side inputs and outputs change places.
fn correlated<T: Float>(
    op: &str,
    pass: Pass,
    problem: &Problem,
    [source, weights]: [&[T]; 2],
    bias: Option<&[T]>,
    out: &mut [T],
) -> Result<()> {
    let Problem { batch, groups, inputs, outputs, geometry } = *problem;
    let (taps, filter) = (geometry.taps(), inputs * geometry.taps());
    let (axes, [rows, row_step], [channels, channel_step]) = match pass {
        Pass::Data => (geometry.backward(), [inputs, taps], [outputs, filter]),
        _ => (geometry.forward(), [outputs, filter], [inputs, taps]),
    };
    let x = Correlation { axes, batch, groups, rows, channels, source, weights, row_step, channel_step, bias };
    if problem.is_depthwise() { depthwise::correlate(op, &x, out) } else { correlate(op, &x, out) }
}

#[cfg(all(test, target_os = "linux"))]
mod differential;
