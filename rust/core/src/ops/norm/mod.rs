//! Normalisation: layer, RMS, group, instance and batch norm. Half types compute in f32.

mod batch;
mod batch_cpu;
mod channels;
mod finish;
mod formula;
mod rows;
mod rows_cpu;

pub use batch::{BatchNormed, batch_norm};
pub use finish::Finish;

use super::{cast, create, movement};
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::shape::display;
use crate::tensor::Tensor;
use channels::affine;
use formula::mean_to;
use rows::normalize_rows;

fn check_float(op: &str, x: &Tensor) -> Result<()> {
    match x.dtype().kind() {
        Kind::Float => Ok(()),
        _ => Err(Error::dtype(op, format!("expected a real floating-point type, got {}", x.dtype()))),
    }
}

fn check_eps(op: &str, eps: f64) -> Result<()> {
    if eps.is_finite() && eps >= 0.0 {
        return Ok(());
    }
    Err(Error::value(op, format!("expected a finite eps >= 0, got {eps}")))
}

/// A parameter in the type a kernel computes in, or a constant where there is none.
fn parameter(op: &str, what: &str, p: Option<&Tensor>, shape: &[usize], absent: f64, x: &Tensor) -> Result<Tensor> {
    match p {
        None => create::full(shape, Scalar::Float(absent), x.dtype(), x.device()),
        Some(p) if p.shape() == shape => cast::astype(p, x.dtype()),
        Some(p) => {
            let (want, got) = (display(shape), display(p.shape()));
            Err(Error::shape(op, format!("expected {what} of shape {want}, got {got}")))
        }
    }
}

/// Layer norm and RMS norm: the axes at the end, as rows; with a residual, the sums as well.
fn trailing(
    op: &'static str,
    x: &Tensor,
    residual: Option<&Tensor>,
    normalized: &[usize],
    [weight, bias]: [Option<&Tensor>; 2],
    eps: f64,
    centred: bool,
) -> Result<(Tensor, Option<Tensor>)> {
    check_float(op, x)?;
    check_eps(op, eps)?;
    if normalized.is_empty() || !x.shape().ends_with(normalized) {
        let (want, got) = (display(normalized), display(x.shape()));
        return Err(Error::shape(op, format!("expected an input that ends in shape {want}, got {got}")));
    }
    let wide = cast::astype(x, x.dtype().compute())?;
    let n: usize = normalized.iter().product();
    let outer: usize = x.shape()[..x.rank() - normalized.len()].iter().product();
    let flat = |what, p, absent| movement::reshape(&parameter(op, what, p, normalized, absent, &wide)?, &[n]);
    let (weight, bias) = (flat("weight", weight, 1.0)?, flat("bias", bias, 0.0)?);
    let rows = |x: &Tensor| movement::reshape(x, &[outer, n]);
    let residual = Finish { residual, relu: false }.residual_for(op, &wide)?.map(|r| rows(&r)).transpose()?;
    let (y, sum) = normalize_rows(op, [&rows(&wide)?, &weight, &bias], residual.as_ref(), eps, centred)?;
    let whole = |y: &Tensor| cast::astype(&movement::reshape(y, x.shape())?, x.dtype());
    Ok((whole(&y)?, sum.map(|sum| whole(&sum)).transpose()?))
}

/// `(x - mean) / sqrt(var + eps) * weight + bias` over the last axes, which have shape `normalized`.
pub fn layer_norm(
    x: &Tensor,
    normalized: &[usize],
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    Ok(trailing("layer_norm", x, None, normalized, [weight, bias], eps, true)?.0)
}

/// `x + residual` and its layer norm, in one pass forward and one back.
pub fn add_layer_norm(
    x: &Tensor,
    residual: &Tensor,
    normalized: &[usize],
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<(Tensor, Tensor)> {
    sum_first(trailing("add_layer_norm", x, Some(residual), normalized, [weight, bias], eps, true)?)
}

/// `x / sqrt(mean(x * x) + eps) * weight` over the last axes; `eps` defaults to the machine epsilon of the dtype.
pub fn rms_norm(x: &Tensor, normalized: &[usize], weight: Option<&Tensor>, eps: Option<f64>) -> Result<Tensor> {
    let eps = eps.unwrap_or(epsilon(x.dtype()));
    Ok(trailing("rms_norm", x, None, normalized, [weight, None], eps, false)?.0)
}

/// `x + residual` and its RMS norm, in one pass forward and one back.
pub fn add_rms_norm(
    x: &Tensor,
    residual: &Tensor,
    normalized: &[usize],
    weight: Option<&Tensor>,
    eps: Option<f64>,
) -> Result<(Tensor, Tensor)> {
    let eps = eps.unwrap_or(epsilon(x.dtype()));
    sum_first(trailing("add_rms_norm", x, Some(residual), normalized, [weight, None], eps, false)?)
}

fn sum_first((normalized, sum): (Tensor, Option<Tensor>)) -> Result<(Tensor, Tensor)> {
    Ok((sum.ok_or_else(|| Error::internal("norm", "op without sums"))?, normalized))
}

/// The step from one to the next larger number.
fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        DType::F64 => f64::EPSILON,
        _ => f32::EPSILON as f64,
    }
}

/// Channels (axis 1) in `groups` groups of neighbours, each normalised with all it holds of one sample; then
/// `weight` and `bias` for each channel.
pub fn group_norm(x: &Tensor, groups: i64, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    let op = "group_norm";
    let &[samples, channels, ..] = x.shape() else {
        return Err(Error::shape(op, format!("expected an input (N, C, ...), got shape {}", display(x.shape()))));
    };
    let groups = usize::try_from(groups).ok().filter(|&g| g > 0 && channels % g == 0).ok_or_else(|| {
        Error::value(op, format!("expected a number of groups that divides {channels} channels, got {groups}"))
    })?;
    per_sample(op, x, samples * groups, weight, bias, eps)
}

/// Rows of one sample each, then an affine map for each channel.
fn per_sample(
    op: &'static str,
    x: &Tensor,
    rows: usize,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    check_float(op, x)?;
    check_eps(op, eps)?;
    let wide = cast::astype(x, x.dtype().compute())?;
    let n = x.numel() / rows.max(1);
    let plain = |absent| parameter(op, "weight", None, &[n], absent, &wide);
    let flat = movement::reshape(&wide, &[rows, n])?;
    let (y, _) = normalize_rows(op, [&flat, &plain(1.0)?, &plain(0.0)?], None, eps, true)?;
    let y = affine(op, &movement::reshape(&y, x.shape())?, None, weight, bias, Finish::default())?;
    cast::astype(&y, x.dtype())
}

/// Running statistics, which training moves and evaluation uses.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    pub mean: &'a Tensor,
    pub var: &'a Tensor,
    /// Weight of the newest batch.
    pub momentum: f64,
}

/// Each channel of each sample normalised by itself, or by the running statistics when `use_input_stats` is false.
pub fn instance_norm(
    x: &Tensor,
    running: Option<Running>,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    use_input_stats: bool,
    eps: f64,
) -> Result<BatchNormed> {
    let op = "instance_norm";
    let &[samples, channels, ref places @ ..] = x.shape() else {
        return Err(Error::shape(op, format!("expected an input (N, C, ...), got shape {}", display(x.shape()))));
    };
    if !use_input_stats {
        return batch_norm(x, running, weight, bias, false, eps, Finish::default());
    }
    let count: usize = places.iter().product();
    if count <= 1 && x.numel() > 0 {
        let message = format!("expected more than one value for each channel, got shape {}", display(x.shape()));
        return Err(Error::value(op, message));
    }
    let output = per_sample(op, x, samples * channels, weight, bias, eps)?;
    let running = running.map(|running| {
        let flat = movement::reshape(&x.detach(), &[samples, channels, count])?;
        let mean = mean_to(&flat, &[samples, channels, 1])?;
        let over_samples = |x: &Tensor| movement::reshape(&mean_to(x, &[1, channels, 1])?, &[channels]);
        let spread = over_samples(&flat.subtract(&mean)?.square()?)?;
        batch::moved(op, running, &over_samples(&mean)?, &spread, count)
    });
    Ok(BatchNormed { output, running: running.transpose()? })
}

#[cfg(test)]
mod tests;
