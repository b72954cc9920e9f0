//! The array API's Fourier extension; `ferrograd.fft` drops the prefix.

use crate::rows;
use crate::table::Row;
use crate::table::args::Ints;
use ferrograd_core::ops::fft::{self, Norm};
use ferrograd_core::{DType, Device, Tensor};

fn list(ints: &Option<Ints>) -> Option<&[i64]> {
    ints.as_ref().map(|i| i.0.as_slice())
}

pub const TRANSFORMS: &[Row] = rows! {
    /// The discrete Fourier transform along an axis.
    fft_fft [x: Tensor] () {n: Option<i64> = None, axis: i64 = -1, norm: String = String::from("backward")} -> Tensor
        = fft::fft(&x, n, axis, Norm::from_name("fft", &norm)?);
    /// The inverse of fft.
    fft_ifft [x: Tensor] () {n: Option<i64> = None, axis: i64 = -1, norm: String = String::from("backward")} -> Tensor
        = fft::ifft(&x, n, axis, Norm::from_name("ifft", &norm)?);
    /// The Fourier transform of real values: the half of the spectrum that says all.
    fft_rfft [x: Tensor] () {n: Option<i64> = None, axis: i64 = -1, norm: String = String::from("backward")} -> Tensor
        = fft::rfft(&x, n, axis, Norm::from_name("rfft", &norm)?);
    /// The inverse of rfft: real values from half a spectrum.
    fft_irfft [x: Tensor] () {n: Option<i64> = None, axis: i64 = -1, norm: String = String::from("backward")} -> Tensor
        = fft::irfft(&x, n, axis, Norm::from_name("irfft", &norm)?);
    /// The transform of a signal with Hermitian symmetry: real values.
    fft_hfft [x: Tensor] () {n: Option<i64> = None, axis: i64 = -1, norm: String = String::from("backward")} -> Tensor
        = fft::hfft(&x, n, axis, Norm::from_name("hfft", &norm)?);
    /// The inverse of hfft.
    fft_ihfft [x: Tensor] () {n: Option<i64> = None, axis: i64 = -1, norm: String = String::from("backward")} -> Tensor
        = fft::ihfft(&x, n, axis, Norm::from_name("ihfft", &norm)?);
    /// The Fourier transform along several axes.
    fft_fftn [x: Tensor] () {s: Option<Ints> = None, axes: Option<Ints> = None, norm: String = String::from("backward")} -> Tensor
        = fft::fftn(&x, list(&s), list(&axes), Norm::from_name("fftn", &norm)?);
    /// The inverse of fftn.
    fft_ifftn [x: Tensor] () {s: Option<Ints> = None, axes: Option<Ints> = None, norm: String = String::from("backward")} -> Tensor
        = fft::ifftn(&x, list(&s), list(&axes), Norm::from_name("ifftn", &norm)?);
    /// The Fourier transform of real values along several axes.
    fft_rfftn [x: Tensor] () {s: Option<Ints> = None, axes: Option<Ints> = None, norm: String = String::from("backward")} -> Tensor
        = fft::rfftn(&x, list(&s), list(&axes), Norm::from_name("rfftn", &norm)?);
    /// The inverse of rfftn.
    fft_irfftn [x: Tensor] () {s: Option<Ints> = None, axes: Option<Ints> = None, norm: String = String::from("backward")} -> Tensor
        = fft::irfftn(&x, list(&s), list(&axes), Norm::from_name("irfftn", &norm)?);
    /// Frequencies of the bins of an n-point transform of samples d apart.
    fft_fftfreq [n: i64] () {d: f64 = 1.0, dtype: DType = DType::F32, device: Device = Device::Cpu} -> Tensor = fft::fftfreq(n, d, dtype, device);
    /// Frequencies of the bins of rfft.
    fft_rfftfreq [n: i64] () {d: f64 = 1.0, dtype: DType = DType::F32, device: Device = Device::Cpu} -> Tensor = fft::rfftfreq(n, d, dtype, device);
    /// The zero frequency moved to the middle.
    fft_fftshift [x: Tensor] () {axes: Option<Ints> = None} -> Tensor = fft::fftshift(&x, list(&axes));
    /// The inverse of fftshift.
    fft_ifftshift [x: Tensor] () {axes: Option<Ints> = None} -> Tensor = fft::ifftshift(&x, list(&axes));
};
