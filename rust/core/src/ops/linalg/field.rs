//! The element types decompositions run in, and the loop over the matrices of a batch.

use crate::cpu::parts::for_each_item;
use crate::dtype::{Complex32, Complex64, Element};
use crate::error::{Error, Result};
use faer::linalg::evd::EvdError;
use faer::linalg::solvers::Eigen;
use faer::traits::{ComplexField, RealField};
use faer::{Mat, MatRef};
use std::borrow::Cow;

/// A real or complex type of single or double precision.
pub trait Field: Element + ComplexField<Real = Self::Part> {
    /// The type of its magnitude.
    type Part: Element + RealField;
    /// The complex type of the same precision.
    type Full: Field;

    fn widen(self) -> Complex64;
    fn narrow(value: Complex64) -> Self;
    fn part(value: f64) -> Self::Part;

    /// Eigenvalues and eigenvectors, of any square matrix.
    fn eigen(a: MatRef<Self>) -> std::result::Result<(Vec<Self::Full>, Mat<Self::Full>), EvdError>;
}

macro_rules! fields {
    ($($t:ty, $part:ty, $full:ty, $x:ident => $widen:expr, $c:ident => $narrow:expr, $eigen:path;)*) => {$(
        impl Field for $t {
            type Part = $part;
            type Full = $full;
            #[inline(always)]
            fn widen(self) -> Complex64 {
                let $x = self;
                $widen
            }
            #[inline(always)]
            fn narrow($c: Complex64) -> Self {
                $narrow
            }
            #[inline(always)]
            fn part(value: f64) -> $part {
                value as $part
            }
            fn eigen(a: MatRef<Self>) -> std::result::Result<(Vec<$full>, Mat<$full>), EvdError> {
                let eigen: Eigen<$part> = $eigen(a)?;
                Ok((eigen.S().column_vector().iter().copied().collect(), eigen.U().to_owned()))
            }
        }
    )*};
}
fields! {
    f32, f32, Complex32, x => Complex64::new(x as f64, 0.0), c => c.re as f32, Eigen::new_from_real;
    f64, f64, Complex64, x => Complex64::new(x, 0.0), c => c.re, Eigen::new_from_real;
    Complex32, f32, Complex32, x => Complex64::new(x.re as f64, x.im as f64),
        c => Complex32::new(c.re as f32, c.im as f32), Eigen::new;
    Complex64, f64, Complex64, x => x, c => c, Eigen::new;
}

/// Runs the expression with `T` bound to the field of a dtype that `operand` let through.
macro_rules! in_field {
    ($dtype:expr, $op:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::dtype::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::dtype::DType::F64 => {
                type $T = f64;
                $body
            }
            $crate::dtype::DType::C64 => {
                type $T = $crate::dtype::Complex32;
                $body
            }
            $crate::dtype::DType::C128 => {
                type $T = $crate::dtype::Complex64;
                $body
            }
            other => Err($crate::Error::internal($op, format!("no decomposition in {other}"))),
        }
    };
}
pub(super) use in_field;

/// `count` consecutive parts of `size` elements; parts of no elements are parts too.
pub fn parts<T: Send>(slice: &mut [T], size: usize, count: usize) -> impl ExactSizeIterator<Item = &mut [T]> + Send {
    let mut rest = slice;
    (0..count).map(move |_| {
        let (part, tail) = std::mem::take(&mut rest).split_at_mut(size);
        rest = tail;
        part
    })
}

/// Calls `kernel` with every input matrix of `size` elements and its item of `outputs`.
pub fn each_matrix<T: Field, O: Send>(
    x: &[T],
    size: usize,
    outputs: impl ExactSizeIterator<Item = O> + Send,
    kernel: impl Fn(&[T], O) -> Result<()> + Sync,
) -> Result<()> {
    for_each_item(outputs.enumerate(), |(i, out)| kernel(&x[i * size..][..size], out))
}

pub fn is_finite<T: Field>(x: &[T]) -> bool {
    x.iter().all(|&x| x.widen().is_finite())
}

/// Decompositions iterate until they converge, which infinities and NaN prevent.
pub fn check_finite<T: Field>(op: &str, x: &[T]) -> Result<()> {
    if is_finite(x) {
        return Ok(());
    }
    Err(Error::value(op, "expected finite elements, got infinity or NaN"))
}

/// A finite matrix brought near one by a power of two, so that squares of its elements neither overflow nor vanish.
pub struct Scaled<'a, T: Clone> {
    elements: Cow<'a, [T]>,
    columns: usize,
    scale: f64,
}

/// Largest elements between this and its inverse are left as they are.
const LARGE: f64 = (1u64 << 30) as f64;

impl<'a, T: Field> Scaled<'a, T> {
    pub fn new(op: &str, elements: &'a [T], columns: usize) -> Result<Scaled<'a, T>> {
        check_finite(op, elements)?;
        let largest = elements.iter().map(|x| x.widen()).fold(0.0, |max: f64, x| max.max(x.re.abs()).max(x.im.abs()));
        if largest == 0.0 || (1.0 / LARGE..LARGE).contains(&largest) {
            return Ok(Scaled { elements: Cow::Borrowed(elements), columns, scale: 1.0 });
        }
        // The inverse of a power of two in this range is a number as well.
        let scale = largest.log2().floor().clamp(-1000.0, 1000.0).exp2();
        let mut scaled = Vec::new();
        let full = |_| Error::memory(op, "no room for a scaled copy of the matrix");
        scaled.try_reserve_exact(elements.len()).map_err(full)?;
        scaled.extend(elements.iter().map(|x| T::narrow(x.widen() / scale)));
        Ok(Scaled { elements: Cow::Owned(scaled), columns, scale })
    }

    pub fn matrix(&self) -> MatRef<'_, T> {
        matrix(&self.elements, self.elements.len() / self.columns, self.columns)
    }

    /// What a singular value or eigenvalue of the scaled matrix is for the matrix given.
    pub fn value<V: Field>(&self, value: V) -> V {
        V::narrow(value.widen() * self.scale)
    }

    /// The same for an element of the inverse.
    pub fn inverse(&self, value: Complex64) -> Complex64 {
        value / self.scale
    }
}

pub fn fill_nan<T: Field>(out: &mut [T]) {
    out.fill(T::narrow(Complex64::new(f64::NAN, 0.0)));
}

/// Writes a matrix row by row.
pub fn store<T: Element>(from: MatRef<T>, out: &mut [T]) {
    let columns = from.ncols();
    for (at, out) in out.iter_mut().enumerate() {
        *out = from[(at / columns, at % columns)];
    }
}

/// Writes the conjugate transpose of a matrix row by row.
pub fn store_adjoint<T: Field>(from: MatRef<T>, out: &mut [T]) {
    let columns = from.nrows();
    for (at, out) in out.iter_mut().enumerate() {
        *out = T::narrow(from[(at % columns, at / columns)].widen().conj());
    }
}

/// Writes an identity matrix of `n` columns.
pub fn store_identity<T: Field>(out: &mut [T], n: usize) {
    for (at, out) in out.iter_mut().enumerate() {
        *out = T::narrow(Complex64::new(f64::from(u8::from(at / n == at % n)), 0.0));
    }
}

/// A matrix given row by row.
pub fn matrix<T: Field>(x: &[T], rows: usize, columns: usize) -> MatRef<'_, T> {
    MatRef::from_row_major_slice(x, rows, columns)
}
