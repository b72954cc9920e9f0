//! Convolution, pooling and resampling.

use crate::rows;
use crate::table::args::{Floats, Ints, OptionalInts, WordOrInts};
use crate::table::{Returned, Row};
use ferrograd_core::ops::pool::Regular;
use ferrograd_core::ops::{conv, interpolate, pool};
use ferrograd_core::{Result, Tensor};
use pyo3::prelude::*;

#[allow(clippy::too_many_arguments)]
fn convolve(
    spatial: usize,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: &Ints,
    padding: &WordOrInts,
    dilation: &Ints,
    groups: i64,
) -> Result<Tensor> {
    let padding = match padding {
        WordOrInts::Word(word) => conv::Padding::named(["conv1d", "conv2d", "conv3d"][spatial - 1], word)?,
        WordOrInts::Ints(sizes) => conv::Padding::Each(sizes),
    };
    conv::conv(spatial, x, weight, bias, &conv::Options { stride: &stride.0, padding, dilation: &dilation.0, groups })
}

/// The result of a maximum, with or without the places.
struct MaybeIndices([Tensor; 2], bool);

impl Returned for MaybeIndices {
    const HINT: &'static str = "Any";
    fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let MaybeIndices([values, indices], both) = self;
        if both { (values, indices).into_python(py) } else { values.into_python(py) }
    }
}

fn max_pool(
    spatial: usize,
    x: &Tensor,
    kernel: &Ints,
    stride: &Option<Ints>,
    padding: &Ints,
    dilation: &Ints,
    ceil_mode: bool,
) -> Result<[Tensor; 2]> {
    let stride = stride.as_ref().map(|s| s.0.as_slice());
    let options = Regular {
        kernel: &kernel.0,
        stride,
        padding: &padding.0,
        dilation: &dilation.0,
        ceil_mode,
        count_include_pad: true,
    };
    pool::max_pool(spatial, x, &options)
}

#[allow(clippy::too_many_arguments)]
fn avg_pool(
    spatial: usize,
    x: &Tensor,
    kernel: &Ints,
    stride: &Option<Ints>,
    padding: &Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: Option<i64>,
) -> Result<Tensor> {
    let stride = stride.as_ref().map(|s| s.0.as_slice());
    let options =
        Regular { kernel: &kernel.0, stride, padding: &padding.0, dilation: &[1], ceil_mode, count_include_pad };
    pool::avg_pool(spatial, x, &options, divisor)
}

pub const CONVOLUTIONS: &[Row] = rows! {
    /// Convolution over 1 spatial axes: x (N, C, ...), weight (O, C / groups, ...), bias (O,); unbatched x as well.
    ///
    /// padding is numbers, "same" or "valid". Raises ShapeError or ValueError where sizes do not fit.
    conv1d [] (x: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = Ints(vec![1]), padding: WordOrInts = WordOrInts::Ints(vec![0]), dilation: Ints = Ints(vec![1]), groups: i64 = 1) {} -> Tensor
        = convolve(1, &x, &weight, bias.as_ref(), &stride, &padding, &dilation, groups);
    /// The adjoint of conv1d: x (N, C, ...), weight (C, O / groups, ...), bias (O,).
    conv_transpose1d [] (x: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = Ints(vec![1]), padding: Ints = Ints(vec![0]), output_padding: Ints = Ints(vec![0]), groups: i64 = 1, dilation: Ints = Ints(vec![1])) {} -> Tensor
        = {
            let options = conv::Options { stride: &stride.0, padding: conv::Padding::Each(&padding.0), dilation: &dilation.0, groups };
            conv::conv_transpose(1, &x, &weight, bias.as_ref(), &options, &output_padding.0)
        };
    /// Convolution over 2 spatial axes: x (N, C, ...), weight (O, C / groups, ...), bias (O,); unbatched x as well.
    ///
    /// padding is numbers, "same" or "valid". Raises ShapeError or ValueError where sizes do not fit.
    conv2d [] (x: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = Ints(vec![1]), padding: WordOrInts = WordOrInts::Ints(vec![0]), dilation: Ints = Ints(vec![1]), groups: i64 = 1) {} -> Tensor
        = convolve(2, &x, &weight, bias.as_ref(), &stride, &padding, &dilation, groups);
    /// The adjoint of conv2d: x (N, C, ...), weight (C, O / groups, ...), bias (O,).
    conv_transpose2d [] (x: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = Ints(vec![1]), padding: Ints = Ints(vec![0]), output_padding: Ints = Ints(vec![0]), groups: i64 = 1, dilation: Ints = Ints(vec![1])) {} -> Tensor
        = {
            let options = conv::Options { stride: &stride.0, padding: conv::Padding::Each(&padding.0), dilation: &dilation.0, groups };
            conv::conv_transpose(2, &x, &weight, bias.as_ref(), &options, &output_padding.0)
        };
    /// Convolution over 3 spatial axes: x (N, C, ...), weight (O, C / groups, ...), bias (O,); unbatched x as well.
    ///
    /// padding is numbers, "same" or "valid". Raises ShapeError or ValueError where sizes do not fit.
    conv3d [] (x: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = Ints(vec![1]), padding: WordOrInts = WordOrInts::Ints(vec![0]), dilation: Ints = Ints(vec![1]), groups: i64 = 1) {} -> Tensor
        = convolve(3, &x, &weight, bias.as_ref(), &stride, &padding, &dilation, groups);
    /// The adjoint of conv3d: x (N, C, ...), weight (C, O / groups, ...), bias (O,).
    conv_transpose3d [] (x: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = Ints(vec![1]), padding: Ints = Ints(vec![0]), output_padding: Ints = Ints(vec![0]), groups: i64 = 1, dilation: Ints = Ints(vec![1])) {} -> Tensor
        = {
            let options = conv::Options { stride: &stride.0, padding: conv::Padding::Each(&padding.0), dilation: &dilation.0, groups };
            conv::conv_transpose(3, &x, &weight, bias.as_ref(), &options, &output_padding.0)
        };
};

pub const POOLS: &[Row] = rows! {
    /// The largest element of each window, over 1 spatial axes; with return_indices also where it is.
    max_pool1d [] (x: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = Ints(vec![0]), dilation: Ints = Ints(vec![1]), ceil_mode: bool = false, return_indices: bool = false) {} -> MaybeIndices
        = max_pool(1, &x, &kernel_size, &stride, &padding, &dilation, ceil_mode).map(|p| MaybeIndices(p, return_indices));
    /// The mean of each window, over 1 spatial axes.
    avg_pool1d [] (x: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = Ints(vec![0]), ceil_mode: bool = false, count_include_pad: bool = true, divisor_override: Option<i64> = None) {} -> Tensor
        = avg_pool(1, &x, &kernel_size, &stride, &padding, ceil_mode, count_include_pad, divisor_override);
    /// The mean of windows chosen so that the result has output_size; None keeps an axis.
    adaptive_avg_pool1d [] (x: Tensor, output_size: OptionalInts) {} -> Tensor = pool::adaptive_avg_pool(1, &x, &output_size.0);
    /// The largest element of windows chosen so that the result has output_size; None keeps an axis.
    adaptive_max_pool1d [] (x: Tensor, output_size: OptionalInts, return_indices: bool = false) {} -> MaybeIndices
        = pool::adaptive_max_pool(1, &x, &output_size.0).map(|p| MaybeIndices(p, return_indices));
    /// The largest element of each window, over 2 spatial axes; with return_indices also where it is.
    max_pool2d [] (x: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = Ints(vec![0]), dilation: Ints = Ints(vec![1]), ceil_mode: bool = false, return_indices: bool = false) {} -> MaybeIndices
        = max_pool(2, &x, &kernel_size, &stride, &padding, &dilation, ceil_mode).map(|p| MaybeIndices(p, return_indices));
    /// The mean of each window, over 2 spatial axes.
    avg_pool2d [] (x: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = Ints(vec![0]), ceil_mode: bool = false, count_include_pad: bool = true, divisor_override: Option<i64> = None) {} -> Tensor
        = avg_pool(2, &x, &kernel_size, &stride, &padding, ceil_mode, count_include_pad, divisor_override);
    /// The mean of windows chosen so that the result has output_size; None keeps an axis.
    adaptive_avg_pool2d [] (x: Tensor, output_size: OptionalInts) {} -> Tensor = pool::adaptive_avg_pool(2, &x, &output_size.0);
    /// The largest element of windows chosen so that the result has output_size; None keeps an axis.
    adaptive_max_pool2d [] (x: Tensor, output_size: OptionalInts, return_indices: bool = false) {} -> MaybeIndices
        = pool::adaptive_max_pool(2, &x, &output_size.0).map(|p| MaybeIndices(p, return_indices));
    /// The largest element of each window, over 3 spatial axes; with return_indices also where it is.
    max_pool3d [] (x: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = Ints(vec![0]), dilation: Ints = Ints(vec![1]), ceil_mode: bool = false, return_indices: bool = false) {} -> MaybeIndices
        = max_pool(3, &x, &kernel_size, &stride, &padding, &dilation, ceil_mode).map(|p| MaybeIndices(p, return_indices));
    /// The mean of each window, over 3 spatial axes.
    avg_pool3d [] (x: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = Ints(vec![0]), ceil_mode: bool = false, count_include_pad: bool = true, divisor_override: Option<i64> = None) {} -> Tensor
        = avg_pool(3, &x, &kernel_size, &stride, &padding, ceil_mode, count_include_pad, divisor_override);
    /// The mean of windows chosen so that the result has output_size; None keeps an axis.
    adaptive_avg_pool3d [] (x: Tensor, output_size: OptionalInts) {} -> Tensor = pool::adaptive_avg_pool(3, &x, &output_size.0);
    /// The largest element of windows chosen so that the result has output_size; None keeps an axis.
    adaptive_max_pool3d [] (x: Tensor, output_size: OptionalInts, return_indices: bool = false) {} -> MaybeIndices
        = pool::adaptive_max_pool(3, &x, &output_size.0).map(|p| MaybeIndices(p, return_indices));
};

pub const RESAMPLING: &[Row] = rows! {
    /// x (N, C, ...) resampled to size or by scale_factor; mode "nearest", "linear", "bilinear", "bicubic", "trilinear".
    interpolate [] (x: Tensor, size: Option<Ints> = None, scale_factor: Option<Floats> = None, mode: String = String::from("nearest"), align_corners: bool = false, recompute_scale_factor: bool = false) {} -> Tensor
        = interpolate::interpolate(&x, &interpolate::Options {
            size: size.as_ref().map(|s| s.0.as_slice()),
            scale_factor: scale_factor.as_ref().map(|s| s.0.as_slice()),
            mode: &mode,
            align_corners,
            recompute_scale_factor,
        });
};
