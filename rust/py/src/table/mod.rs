//! The table of bound functions. A row is one Rust signature; from it come the Python function, the method, argument
//! checking, the docs and the stub. `call.rs` is the one trampoline behind all of them.

pub mod args;
pub mod call;
pub mod stub;

use crate::tensor::PyTensor;
use args::Args;
use ferrograd_core::Tensor;
use ferrograd_core::ops::elementwise;
use pyo3::prelude::*;

/// How a parameter may be passed, as in Python's own signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    PositionalOnly,
    Either,
    KeywordOnly,
}

pub struct Param {
    pub name: &'static str,
    pub hint: &'static str,
    /// Rust text of the default; `None` when the argument is required.
    pub default: Option<&'static str>,
    pub pass: Pass,
    /// Several numbers in its place are one list: `x.reshape(2, 3)`, `zeros(2, 3)`.
    pub variadic: bool,
    pub optional: bool,
}

/// What a row runs: a body of its own, or a declared elementwise op of the core.
pub enum Call {
    Body(fn(&mut Args<'_, '_>) -> PyResult<Py<PyAny>>),
    Elementwise(&'static elementwise::Row),
}

pub struct Row {
    pub name: &'static str,
    pub doc: &'static [&'static str],
    pub params: &'static [Param],
    pub returns: &'static str,
    pub call: Call,
}

impl Row {
    /// The name without the underscore that keeps Rust's keywords apart.
    pub fn python_name(&self) -> &'static str {
        self.name.strip_suffix('_').unwrap_or(self.name)
    }

    /// Whether several positional numbers mean one list: in a method, or where nothing else is taken by position.
    pub fn spreads(&self, method: bool) -> bool {
        let by_position = self.params.iter().filter(|p| p.pass != Pass::KeywordOnly).count();
        self.params.get(method as usize).is_some_and(|p| p.variadic) && (method || by_position == 1)
    }

    /// The name users know, for messages: `_einsum` is the inner half of `einsum`.
    pub fn title(&self) -> &'static str {
        self.name.trim_matches('_')
    }
}

/// Rows that are exposed in the same way.
pub struct Group {
    pub rows: &'static [Row],
    /// Also a method of Tensor (the first parameter is the tensor).
    pub method: bool,
    /// Accepts PyTorch's spellings (`dim`, `keepdim`, `input`) as a function, too; methods always do.
    pub torch_names: bool,
    /// Part of the top-level namespace; otherwise only its own module (`nn.functional`, `linalg`, `fft`) shows it.
    pub top: bool,
}

/// What a row's body may return.
pub trait Returned {
    const HINT: &'static str;
    fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>>;
}

impl Returned for Tensor {
    const HINT: &'static str = "Tensor";
    fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, PyTensor::new(self))?.into_any())
    }
}

macro_rules! returned {
    ($($t:ty => $hint:literal),*) => {
        $(impl Returned for $t {
            const HINT: &'static str = $hint;
            fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
                Ok(self.into_pyobject(py)?.to_owned().into_any().unbind())
            }
        })*
    };
}
returned!(bool => "builtins.bool", i64 => "int", f64 => "float", String => "str", () => "None");

impl Returned for Vec<Tensor> {
    const HINT: &'static str = "tuple[Tensor, ...]";
    fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let items = self.into_iter().map(|t| t.into_python(py)).collect::<PyResult<Vec<_>>>()?;
        Ok(pyo3::types::PyTuple::new(py, items)?.into_any().unbind())
    }
}

macro_rules! returned_tuple {
    ($hint:literal, $($t:ident $i:tt),*) => {
        impl<$($t: Returned),*> Returned for ($($t,)*) {
            const HINT: &'static str = $hint;
            fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
                Ok(pyo3::types::PyTuple::new(py, [$(self.$i.into_python(py)?),*])?.into_any().unbind())
            }
        }
    };
}
returned_tuple!("tuple[Tensor, Tensor]", A 0, B 1);
returned_tuple!("tuple[Tensor, Tensor, Tensor]", A 0, B 1, C 2);
returned_tuple!("tuple[Tensor, Tensor, Tensor, Tensor]", A 0, B 1, C 2, D 3);

/// Rows, written as Rust functions: `name [positional-only] (either) {keyword-only} -> Return = body;`
///
/// The body runs without the interpreter lock. Types convert through `args::FromPython`.
#[macro_export]
macro_rules! rows {
    ($($(#[doc = $doc:literal])* $name:ident
        [$($p:ident: $pt:ty $(= $pd:expr)?),* $(,)?]
        ($($n:ident: $nt:ty $(= $nd:expr)?),* $(,)?)
        {$($k:ident: $kt:ty $(= $kd:expr)?),* $(,)?}
        -> $ret:ty = $body:expr;)*) => {
        &[$($crate::table::Row {
            name: stringify!($name),
            doc: &[$($doc),*],
            params: &[
                $($crate::rows!(@param $p, $pt, PositionalOnly $(, $pd)?),)*
                $($crate::rows!(@param $n, $nt, Either $(, $nd)?),)*
                $($crate::rows!(@param $k, $kt, KeywordOnly $(, $kd)?),)*
            ],
            returns: <$ret as $crate::table::Returned>::HINT,
            call: $crate::table::Call::Body(|args| {
                $(let $p: $pt = $crate::rows!(@take args, $pt $(, $pd)?);)*
                $(let $n: $nt = $crate::rows!(@take args, $nt $(, $nd)?);)*
                $(let $k: $kt = $crate::rows!(@take args, $kt $(, $kd)?);)*
                args.run::<$ret>(move || $body)
            }),
        }),*]
    };
    (@param $name:ident, $t:ty, $pass:ident $(, $default:expr)?) => {
        $crate::table::Param {
            name: stringify!($name),
            hint: <$t as $crate::table::args::FromPython>::HINT,
            default: $crate::rows!(@text $($default)?),
            pass: $crate::table::Pass::$pass,
            variadic: <$t as $crate::table::args::FromPython>::VARIADIC,
            optional: <$t as $crate::table::args::FromPython>::OPTIONAL,
        }
    };
    (@text) => { None };
    (@text $default:expr) => { Some(stringify!($default)) };
    (@take $args:ident, $t:ty) => { $args.required::<$t>()? };
    (@take $args:ident, $t:ty, $default:expr) => { match $args.optional::<$t>()? { Some(v) => v, None => $default } };
}
