//! Convolution in one to three dimensions and its transpose. The three passes (output, image, weights) are each other's
//! gradients, so derivatives of any order exist.

use super::spatial::{batched, expect_float, joined, named, per_axis, sizes};
use super::{Op, Spec, Specs, apply1, cast, copy, reduce};
use crate::autograd::{Gradient, Grads, Saved, Saves, only};
use crate::cpu::conv::{self as kernels, Geometry, Pass, Problem, output_size};
use crate::dispatch;
use crate::error::{Error, Result};
use crate::shape;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::{SmallVec, smallvec};

#[derive(Debug, Clone, Copy)]
struct Convolution {
    pass: Pass,
    /// Axes of an image; the geometry always has three.
    spatial: usize,
    problem: Problem,
}

impl Convolution {
    fn run(&self, pass: Pass, inputs: [&Tensor; 2]) -> Result<Tensor> {
        let inputs = copy::all_contiguous(&inputs)?;
        apply1(Convolution { pass, ..*self }, &[&inputs[0], &inputs[1]])
    }
}

impl Gradient for Convolution {
    fn name(&self) -> &'static str {
        let names = match self.pass {
            Pass::Forward => ["conv1d", "conv2d", "conv3d"],
            Pass::Data => ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"],
            Pass::Weights => ["conv1d_weights", "conv2d_weights", "conv3d_weights"],
        };
        named(names, self.spatial)
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b11)
    }
    fn backward(&self, saved: &Saved, dy: &[Option<Tensor>]) -> Result<Grads> {
        let (a, b, dy) = (saved.input(0)?, saved.input(1)?, only(dy)?);
        // From (image, weights), (output, weights) or (image, output) to what `dy` is not.
        let (first, second) = match self.pass {
            Pass::Forward => ((Pass::Data, [dy, b]), (Pass::Weights, [a, dy])),
            Pass::Data => ((Pass::Forward, [dy, b]), (Pass::Weights, [dy, a])),
            Pass::Weights => ((Pass::Data, [b, dy]), (Pass::Forward, [a, dy])),
        };
        let mut grads: Grads = SmallVec::new();
        for (i, (pass, inputs)) in [first, second].into_iter().enumerate() {
            grads.push(saved.needs(i).then(|| self.run(pass, inputs)).transpose()?);
        }
        if saved.len() == 3 {
            let axes: SmallVec<[i64; 4]> = (0..dy.rank() as i64).filter(|&axis| axis != 1).collect();
            grads.push(saved.needs(2).then(|| reduce::sum(dy, Some(&axes), None, false)).transpose()?);
        }
        Ok(grads)
    }
}

impl Op for Convolution {
    fn outputs(&self, inputs: &[&Tensor]) -> Result<Specs> {
        let Problem { batch, groups, inputs: channels, outputs: filters, geometry } = self.problem;
        let shape = match self.pass {
            Pass::Forward => joined(&[batch, groups * filters], geometry.output, self.spatial),
            Pass::Data => joined(&[batch, groups * channels], geometry.image, self.spatial),
            Pass::Weights => joined(&[groups * filters, channels], geometry.kernel, self.spatial),
        };
        Ok(smallvec![Spec { shape, dtype: inputs[0].dtype() }])
    }
    fn cpu(&self, inputs: &[&Tensor], outputs: &mut [Output]) -> Result<()> {
        dispatch!(inputs[0].dtype(), self.name(), [wide], T => {
            let slices = inputs.iter().map(|x| x.slice::<T>()).collect::<Result<SmallVec<[&[T]; 3]>>>()?;
            kernels::run(self.name(), self.pass, &self.problem, &slices, outputs[0].slice_mut()?)
        })
    }
    fn flops(&self, _: &[&Tensor], _: &[Tensor]) -> u64 {
        let Problem { batch, groups, inputs, outputs, geometry } = self.problem;
        let sizes = [batch, groups, inputs, outputs].into_iter().chain(geometry.output).chain(geometry.kernel);
        sizes.fold(2, |flops, size| flops.saturating_mul(size as u64))
    }
}

/// Zeros around the image: numbers for each axis, as many as keep the size, or none.
#[derive(Debug, Clone)]
pub enum Padding<'a> {
    Each(&'a [i64]),
    Same,
    Valid,
}

impl Padding<'_> {
    /// "same" or "valid".
    pub fn named(op: &str, name: &str) -> Result<Padding<'static>> {
        match name {
            "same" => Ok(Padding::Same),
            "valid" => Ok(Padding::Valid),
            _ => Err(Error::value(op, format!("unknown padding, expected 'same', 'valid' or numbers, got {name:?}"))),
        }
    }
}

/// Steps of a convolution, each one number or one an axis.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    pub stride: &'a [i64],
    pub padding: Padding<'a>,
    pub dilation: &'a [i64],
    pub groups: i64,
}

fn check_operands(op: &str, spatial: usize, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<()> {
    expect_float(op, x)?;
    for (what, t) in [("weight", Some(w)), ("bias", bias)] {
        if let Some(t) = t.filter(|t| t.dtype() != x.dtype()) {
            return Err(Error::dtype(
                op,
                format!("{what} differs from the input, expected {}, got {}", x.dtype(), t.dtype()),
            ));
        }
    }
    if w.rank() != spatial + 2 {
        let message = format!("expected a weight of {} axes, got shape {}", spatial + 2, shape::display(w.shape()));
        return Err(Error::shape(op, message));
    }
    for (what, sizes) in [("input", &x.shape()[1..]), ("weight", w.shape())] {
        if sizes.contains(&0) {
            let whole = if what == "input" { x.shape() } else { w.shape() };
            return Err(Error::shape(
                op,
                format!("expected an {what} without empty axes, got {}", shape::display(whole)),
            ));
        }
    }
    Ok(())
}

fn check_bias(op: &str, bias: Option<&Tensor>, channels: usize) -> Result<()> {
    match bias.filter(|b| b.shape() != [channels]) {
        None => Ok(()),
        Some(b) => {
            Err(Error::shape(op, format!("expected a bias of shape ({channels},), got {}", shape::display(b.shape()))))
        }
    }
}

fn check_groups(op: &str, groups: i64, channels: &[(&str, usize)]) -> Result<usize> {
    let n = usize::try_from(groups).unwrap_or(0);
    if n == 0 {
        return Err(Error::value(op, format!("expected at least one group, got {groups}")));
    }
    match channels.iter().find(|(_, count)| count % n != 0) {
        None => Ok(n),
        Some((what, count)) => Err(Error::value(op, format!("{count} {what} channels do not divide into {n} groups"))),
    }
}

/// Runs in the type that the kernels compute in.
fn launch(
    pass: Pass,
    spatial: usize,
    problem: Problem,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
) -> Result<[Tensor; 1]> {
    let wide = |t: &Tensor| copy::contiguous(&cast::astype(t, t.dtype().compute())?);
    let mut operands: SmallVec<[Tensor; 3]> = smallvec![wide(x)?, wide(w)?];
    if let Some(bias) = bias {
        operands.push(wide(bias)?);
    }
    let operands: SmallVec<[&Tensor; 3]> = operands.iter().collect();
    Ok([cast::astype(&apply1(Convolution { pass, spatial, problem }, &operands)?, x.dtype())?])
}

/// Cross-correlation of `(N, C, ...)` with weights `(O, C / groups, ...)` over `spatial` axes; the batch axis may be absent.
pub fn conv(spatial: usize, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, options: &Options) -> Result<Tensor> {
    let op = named(["conv1d", "conv2d", "conv3d"], spatial);
    let [y] = batched(op, x, spatial, |x| {
        check_operands(op, spatial, x, w, bias)?;
        let (channels, filters) = (x.shape()[1], w.shape()[0]);
        let groups = check_groups(op, options.groups, &[("input", channels), ("output", filters)])?;
        check_bias(op, bias, filters)?;
        if w.shape()[1] * groups != channels {
            let message = format!("expected a weight for {} channels a group, got {}", channels / groups, w.shape()[1]);
            return Err(Error::shape(op, message));
        }
        let (image, kernel) = (sizes(x.shape(), spatial), sizes(w.shape(), spatial));
        let stride = per_axis(op, "stride", options.stride, spatial, 1, 1)?;
        let dilation = per_axis(op, "dilation", options.dilation, spatial, 1, 1)?;
        let (before, around) = match options.padding {
            Padding::Valid => ([0; 3], [0; 3]),
            Padding::Each(values) => {
                let each = per_axis(op, "padding", values, spatial, 0, 0)?;
                (each, each.map(|p| 2 * p))
            }
            Padding::Same if stride != [1; 3] => {
                return Err(Error::value(op, format!("padding 'same' needs stride 1, got {:?}", options.stride)));
            }
            Padding::Same => {
                let around: [usize; 3] = std::array::from_fn(|a| dilation[a].saturating_mul(kernel[a] - 1));
                (around.map(|p| p / 2), around)
            }
        };
        let mut output = [1; 3];
        for a in 0..3 {
            let size = output_size(image[a], around[a], kernel[a], stride[a], dilation[a]);
            output[a] = size.ok_or_else(|| {
                let padded = image[a].saturating_add(around[a]);
                Error::shape(
                    op,
                    format!(
                        "a kernel of {} (dilation {}) does not fit the padded input of {padded}",
                        kernel[a], dilation[a]
                    ),
                )
            })?;
        }
        let geometry = Geometry { image, kernel, output, stride, before, dilation };
        let (inputs, outputs) = (channels / groups, filters / groups);
        let problem = Problem { batch: x.shape()[0], groups, inputs, outputs, geometry };
        launch(Pass::Forward, spatial, problem, x, w, bias)
    })?;
    Ok(y)
}

/// The transpose (gradient of the image) of a convolution: `(N, C, ...)` with weights `(C, O / groups, ...)`. Padding is
/// taken away from the result, `output_padding` added at its end.
pub fn conv_transpose(
    spatial: usize,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    options: &Options,
    output_padding: &[i64],
) -> Result<Tensor> {
    let op = named(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"], spatial);
    let Padding::Each(padding) = options.padding else {
        return Err(Error::value(op, "expected padding as numbers"));
    };
    let [y] = batched(op, x, spatial, |x| {
        check_operands(op, spatial, x, w, bias)?;
        let channels = x.shape()[1];
        let groups = check_groups(op, options.groups, &[("input", channels)])?;
        if w.shape()[0] != channels {
            return Err(Error::shape(op, format!("expected a weight for {channels} channels, got {}", w.shape()[0])));
        }
        let inputs = w.shape()[1];
        check_bias(op, bias, inputs.saturating_mul(groups))?;
        let (output, kernel) = (sizes(x.shape(), spatial), sizes(w.shape(), spatial));
        let stride = per_axis(op, "stride", options.stride, spatial, 1, 1)?;
        let dilation = per_axis(op, "dilation", options.dilation, spatial, 1, 1)?;
        let before = per_axis(op, "padding", padding, spatial, 0, 0)?;
        let extra = per_axis(op, "output_padding", output_padding, spatial, 0, 0)?;
        let mut image = [1; 3];
        for a in 0..3 {
            if extra[a] > 0 && extra[a] >= stride[a].max(dilation[a]) {
                let message = format!("expected output_padding below stride or dilation, got {}", extra[a]);
                return Err(Error::value(op, message));
            }
            let reach = |n: usize, step: usize| n.checked_mul(step);
            let full = reach(output[a] - 1, stride[a])
                .zip(reach(kernel[a] - 1, dilation[a]))
                .and_then(|(x, k)| x.checked_add(k)?.checked_add(extra[a] + 1));
            let size = full.and_then(|full| full.checked_sub(2 * before[a])).filter(|&size| size > 0);
            image[a] = size.ok_or_else(|| {
                let got = full.map_or("too many".into(), |full| full.to_string());
                Error::shape(op, format!("nothing is left of {got} elements after padding {} on both sides", before[a]))
            })?;
        }
        let geometry = Geometry { image, kernel, output, stride, before, dilation };
        let problem = Problem { batch: x.shape()[0], groups, inputs, outputs: channels / groups, geometry };
        launch(Pass::Data, spatial, problem, x, w, bias)
    })?;
    Ok(y)
}

#[cfg(test)]
mod tests;
