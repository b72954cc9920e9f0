//! Creation functions of the array API.

use crate::rows;
use crate::table::Row;
use crate::table::args::{Diagonal, Sizes};
use ferrograd_core::ops::create;
use ferrograd_core::{DType, Device, Error, Result, Scalar, Tensor};

/// The dtype of a range of these numbers: the wanted one, else that of their highest kind.
fn range_dtype(wanted: Option<DType>, numbers: &[Scalar]) -> DType {
    let highest = || numbers.iter().map(|s| s.default_dtype()).max_by_key(|d| d.kind()).unwrap_or(DType::F32);
    wanted.unwrap_or_else(highest)
}

fn arange(start: Scalar, stop: Option<Scalar>, step: Scalar, dtype: Option<DType>, device: Device) -> Result<Tensor> {
    let (start, stop) = match stop {
        Some(stop) => (start, stop),
        None => (Scalar::Int(0), start),
    };
    let dtype = range_dtype(dtype, &[start, stop, step]);
    if !matches!(dtype.kind(), ferrograd_core::dtype::Kind::Int | ferrograd_core::dtype::Kind::Float) {
        return Err(Error::dtype("arange", format!("expected a real numeric dtype, got {dtype}")));
    }
    create::arange(start, stop, step, dtype, device)
}

fn linspace(
    start: Scalar,
    stop: Scalar,
    num: usize,
    dtype: Option<DType>,
    device: Device,
    endpoint: bool,
) -> Result<Tensor> {
    let natural = if range_dtype(None, &[start, stop]).is_complex() { DType::C64 } else { DType::F32 };
    create::linspace(start, stop, num, endpoint, dtype.unwrap_or(natural), device)
}

fn full(shape: &[usize], value: Scalar, dtype: Option<DType>, device: Device) -> Result<Tensor> {
    create::full(shape, value, dtype.unwrap_or(value.default_dtype()), device)
}

/// The dtype and device of a `*_like` function.
fn like(x: &Tensor, dtype: Option<DType>, device: Option<Device>) -> (DType, Device) {
    (dtype.unwrap_or(x.dtype()), device.unwrap_or(x.device()))
}

fn full_like(x: &Tensor, value: Scalar, dtype: Option<DType>, device: Option<Device>) -> Result<Tensor> {
    let (dtype, device) = like(x, dtype, device);
    create::full(x.shape(), value, dtype, device)
}

pub const FUNCTIONS: &[Row] = rows! {
    /// Evenly spaced values from start up to but without stop. One argument is the stop.
    ///
    /// Raises ValueError for a zero step or values outside the dtype.
    arange [start: Scalar] (stop: Option<Scalar> = None, step: Scalar = Scalar::Int(1))
        {dtype: Option<DType> = None, device: Device = Device::Cpu} -> Tensor = arange(start, stop, step, dtype, device);
    /// Memory of this shape; the values are zeros, so that nothing undefined can be read.
    empty [] (shape: Sizes) {dtype: DType = DType::F32, device: Device = Device::Cpu} -> Tensor
        = create::empty(&shape.0, dtype, device);
    /// Ones on diagonal k of an n_rows by n_cols matrix.
    eye [n_rows: usize, n_cols: Option<usize> = None] () {k: Diagonal = Diagonal(0), dtype: DType = DType::F32, device: Device = Device::Cpu} -> Tensor
        = create::eye(n_rows, n_cols.unwrap_or(n_rows), k.0, dtype, device);
    /// A tensor of one value; without dtype the value's own kind decides.
    full [] (shape: Sizes, fill_value: Scalar) {dtype: Option<DType> = None, device: Device = Device::Cpu} -> Tensor
        = full(&shape.0, fill_value, dtype, device);
    /// num evenly spaced values from start to stop.
    linspace [start: Scalar, stop: Scalar] (num: usize) {dtype: Option<DType> = None, device: Device = Device::Cpu, endpoint: bool = true} -> Tensor
        = linspace(start, stop, num, dtype, device, endpoint);
    /// A tensor of ones.
    ones [] (shape: Sizes) {dtype: DType = DType::F32, device: Device = Device::Cpu} -> Tensor
        = create::ones(&shape.0, dtype, device);
    /// A tensor of zeros.
    zeros [] (shape: Sizes) {dtype: DType = DType::F32, device: Device = Device::Cpu} -> Tensor
        = create::zeros(&shape.0, dtype, device);
    /// Memory like that of x; the values are zeros.
    empty_like [x: Tensor] () {dtype: Option<DType> = None, device: Option<Device> = None} -> Tensor
        = { let (dtype, device) = like(&x, dtype, device); create::empty(x.shape(), dtype, device) };
    /// One value in the shape of x.
    full_like [x: Tensor] (fill_value: Scalar) {dtype: Option<DType> = None, device: Option<Device> = None} -> Tensor
        = full_like(&x, fill_value, dtype, device);
    /// Ones in the shape of x.
    ones_like [x: Tensor] () {dtype: Option<DType> = None, device: Option<Device> = None} -> Tensor
        = full_like(&x, Scalar::Int(1), dtype, device);
    /// Zeros in the shape of x.
    zeros_like [x: Tensor] () {dtype: Option<DType> = None, device: Option<Device> = None} -> Tensor
        = full_like(&x, Scalar::Int(0), dtype, device);
};

pub const METHODS: &[Row] = rows! {
    /// The lower triangle of the last two axes, at and below diagonal k; zeros elsewhere.
    tril [x: Tensor] () {k: Diagonal = Diagonal(0)} -> Tensor = create::tril(&x, k.0);
    /// The upper triangle of the last two axes, at and above diagonal k; zeros elsewhere.
    triu [x: Tensor] () {k: Diagonal = Diagonal(0)} -> Tensor = create::triu(&x, k.0);
};
