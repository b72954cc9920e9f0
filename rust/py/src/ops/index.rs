//! Gathering and scattering by index, joining and splitting, padding.

use crate::rows;
use crate::table::Row;
use crate::table::args::{Arg, FromPython, Ints, Operand};
use ferrograd_core::ops::{index, join, movement, pad};
use ferrograd_core::{Error, Result, Scalar, Tensor};

fn references(tensors: &[Tensor]) -> Vec<&Tensor> {
    tensors.iter().collect()
}

/// The counts of `repeat` as a tensor: an int for all elements, or one an element.
fn repeat(x: &Tensor, repeats: Operand, axis: Option<i64>) -> Result<Tensor> {
    let repeats = match repeats {
        Operand::Tensor(t) => t,
        Operand::Weak(Scalar::Int(n)) => {
            Tensor::scalar(i64::try_from(n).map_err(|_| Error::value("repeat", "count out of range"))?)?
        }
        Operand::Weak(_) => return Err(Error::dtype("repeat", "expected integer counts")),
    };
    index::repeat(x, &repeats, axis)
}

/// A size for all parts, or one size a part.
enum Sections {
    Each(i64),
    Sizes(Vec<i64>),
}

impl FromPython for Sections {
    const HINT: &'static str = "int | Sequence[int]";
    fn from_python(arg: &Arg<'_, '_>) -> pyo3::PyResult<Sections> {
        i64::from_python(arg).map(Sections::Each).or_else(|_| Ints::from_python(arg).map(|i| Sections::Sizes(i.0)))
    }
}

impl Sections {
    fn split(&self, x: &Tensor, axis: i64) -> Result<Vec<Tensor>> {
        match self {
            Sections::Each(size) => join::split(x, *size, axis),
            Sections::Sizes(sizes) => join::split_sizes(x, sizes, axis),
        }
    }
}

pub const STANDARD: &[Row] = rows! {
    /// Each element (or slice along axis) repeated so many times.
    repeat [x: Tensor, repeats: Operand] () {axis: Option<i64> = None} -> Tensor = repeat(&x, repeats, axis);
    /// Elements shifted along the axes, coming in again at the other end.
    roll [x: Tensor] (shift: Ints) {axis: Option<Ints> = None} -> Tensor = index::roll(&x, &shift.0, axis.as_ref().map(|a| a.0.as_slice()));
    /// Slices along an axis, in the order of a 1-d index.
    take [x: Tensor, indices: Tensor] () {axis: Option<i64> = None} -> Tensor = index::take(&x, &indices, axis);
    /// One element per index along an axis; the other axes are walked together.
    take_along_axis [x: Tensor, indices: Tensor] () {axis: i64 = -1} -> Tensor = index::take_along_axis(&x, &indices, axis);
    /// The tensor laid side by side so many times along each axis.
    tile [x: Tensor, repetitions: Ints] () {} -> Tensor = index::tile(&x, &repetitions.0);
    /// The slices along an axis as separate tensors.
    unstack [x: Tensor] () {axis: i64 = 0} -> Vec<Tensor> = join::unstack(&x, axis);
};

pub const FUNCTIONS: &[Row] = rows! {
    /// Tensors joined along an axis that is there; axis=None flattens them first.
    _concat [arrays: Vec<Tensor>] (axis: Option<i64>) {} -> Tensor = join::concat(&references(&arrays), axis);
    /// Tensors of one shape joined along a new axis.
    stack [arrays: Vec<Tensor>] () {axis: i64 = 0} -> Tensor = join::stack(&references(&arrays), axis);
};

pub const NETWORK: &[Row] = rows! {
    /// count parts of nearly equal size along an axis.
    chunk [] (x: Tensor, chunks: i64, axis: i64 = 0) {} -> Vec<Tensor> = join::chunk(&x, chunks, axis);
    /// One element of x per index along axis: out[i][j] = x[index[i][j]][j] for axis 0.
    gather [] (x: Tensor, axis: i64, index: Tensor) {} -> Tensor = index::gather(&x, axis, &index);
    /// x with the slices of src added at the places of a 1-d index.
    index_add [] (x: Tensor, axis: i64, index: Tensor, src: Tensor) {} -> Tensor = index::index_add(&x, axis, &index, &src);
    /// Slices along an axis, in the order of a 1-d index.
    index_select [] (x: Tensor, axis: i64, index: Tensor) {} -> Tensor = index::index_select(&x, axis, &index);
    /// A 1 in the place of each class, in a new last axis; num_classes=-1 counts them.
    one_hot [] (x: Tensor, num_classes: i64 = -1) {} -> Tensor = index::one_hot(&x, num_classes);
    /// x widened at the ends of its last axes: pairs (before, after), the last axis first.
    ///
    /// mode is "constant", "reflect", "replicate" or "circular".
    pad [] (x: Tensor, pad: Ints, mode: String = String::from("constant"), value: Option<Scalar> = None) {} -> Tensor = {
        let mode = pad::Mode::parse(&mode, value.unwrap_or(Scalar::Int(0)))?;
        pad::pad(&x, &pad.0, mode)
    };
    /// x with the elements of src written where index says, along axis; where several meet, the last one wins.
    scatter [] (x: Tensor, axis: i64, index: Tensor, src: Operand) {} -> Tensor = {
        let src = match src {
            Operand::Tensor(t) => t,
            number => movement::broadcast_to(&number.beside(&x)?, index.shape())?,
        };
        index::scatter(&x, axis, &index, &src)
    };
    /// x with the elements of src added where index says, along axis.
    scatter_add [] (x: Tensor, axis: i64, index: Tensor, src: Tensor) {} -> Tensor = index::scatter_add(&x, axis, &index, &src);
    /// One slice along an axis.
    select [] (x: Tensor, axis: i64, index: i64) {} -> Tensor = {
        let axis = ferrograd_core::shape::normalize_axis("select", axis, x.rank())?;
        let i = ferrograd_core::shape::normalize_axis("select", index, x.shape()[axis])?;
        join::select(&x, axis, i)
    };
    /// Parts of a size, or of the sizes given, along an axis.
    split [] (x: Tensor, split_size_or_sections: Sections, axis: i64 = 0) {} -> Vec<Tensor> = split_size_or_sections.split(&x, axis);
    /// The slices along an axis as separate tensors.
    unbind [] (x: Tensor, axis: i64 = 0) {} -> Vec<Tensor> = join::unstack(&x, axis);
};

pub const LOOKUPS: &[Row] = rows! {
    /// Rows of weight (num, width) by integer index; those at padding_idx get no gradient.
    embedding [] (input: Tensor, weight: Tensor, padding_idx: Option<i64> = None) {} -> Tensor = index::embedding(&input, &weight, padding_idx);
};
