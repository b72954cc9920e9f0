//! The declaration macro: a table of rows becomes constants, kernels, methods, documentation and a list of names.
//!
//! ```text
//! /// What it does.
//! name(operands; parameter = default) [Class] = formula; grad(names it reads) = formula;
//! ```
//! Without a class a row is for real floating point. A gradient is written for each operand, in their order; it may
//! read the operands, the result and the result's gradient. Formulas use operators, numbers and the functions of
//! `cpu::math` only, so that Rust, WGSL and tensor expressions all understand them.

/// `rows! { Table values (y, dy) rows }`; instead of `values`, `reals` for rows that
/// make complex numbers real, `truths` for those that yield bool.
macro_rules! rows {
    ($Table:ident $yields:ident $result:tt $(
        $(#[doc = $doc:literal])+
        $name:ident $args:tt $([$class:ident])? = $f:expr;
        $($grad:ident $reads:tt = $g:expr;)*
    )*) => {
        #[allow(unused_imports)]
        use $crate::ops::declare::{blocks, class, derivative, formula, function, method, operands, parameters, value};
        #[allow(unused_imports)]
        use $crate::ops::elementwise::{Derivative, Formula, Kernels, Row, expression::Expr, row};
        use $crate::{Result, Tensor};

        /// The rows of this table, by name.
        #[derive(Debug)]
        pub struct $Table;

        #[allow(non_upper_case_globals)]
        impl $Table {
            $($(#[doc = $doc])+
            pub const $name: &'static Row = &Row {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                operands: operands!($args),
                parameters: parameters!($args),
                class: class!($($class)?),
                value: value!($yields $args [$($class)?] $f),
                gradients: &[$(derivative!($args $result $reads $g)),*],
            };)*

            pub const ALL: &'static [&'static Row] = &[$(Self::$name),*];
        }

        impl Tensor {
            $(method! { $Table $(#[doc = $doc])+ $name $args })*
        }

        /// The rows as functions of tensor expressions.
        pub mod expression {
            use super::{$Table, Expr, function};
            $(function! { $Table $(#[doc = $doc])+ $name $args })*
        }
    };
}

macro_rules! operands {
    (($($x:ident),+ $(; $($rest:tt)*)?)) => { &[$(stringify!($x)),+] };
}

macro_rules! parameters {
    (($($x:ident),+ $(; $($p:ident = $default:expr),+)?)) => { &[$($((stringify!($p), $default)),+)?] };
}

macro_rules! class {
    () => {
        $crate::ops::elementwise::Class::Float
    };
    ($class:ident) => {
        $crate::ops::elementwise::Class::$class
    };
}

/// A method of `Tensor`.
macro_rules! method {
    ($Table:ident $(#[$doc:meta])+ $name:ident ($a:ident $(; $($p:ident = $default:expr),+)?)) => {
        $(#[$doc])+
        pub fn $name(&self $($(, $p: f64)+)?) -> Result<Tensor> {
            $crate::ops::elementwise::of_one($Table::$name, self, &[$($($p),+)?])
        }
    };
    ($Table:ident $(#[$doc:meta])+ $name:ident ($a:ident, $b:ident)) => {
        $(#[$doc])+
        pub fn $name(&self, other: &Tensor) -> Result<Tensor> {
            $crate::ops::elementwise::of_two($Table::$name, self, other)
        }
    };
}

/// A function of tensor expressions.
macro_rules! function {
    ($Table:ident $(#[$doc:meta])+ $name:ident ($($x:ident),+ $(; $($p:ident = $default:expr),+)?)) => {
        $(#[$doc])+
        pub fn $name($($x: impl Into<Expr>,)+ $($($p: f64),+)?) -> Expr {
            Expr::call($Table::$name, &[$($x.into()),+], &[$($($p),+)?])
        }
    };
}

/// The forward formula.
macro_rules! value {
    ($yields:ident ($($x:ident),+ $(; $($p:ident = $default:expr),+)?) $class:tt $f:expr) => {
        formula!($yields ($($x),+) ($($($p),+)?) ($($x),+) $class $f)
    };
}

/// The gradient with respect to one operand: its formula over operands, result and the result's gradient.
macro_rules! derivative {
    (($($x:ident),+ $(; $($p:ident = $default:expr),+)?) ($y:ident, $dy:ident) $reads:tt $g:expr) => {
        Derivative {
            formula: formula!(values ($($x,)+ $y, $dy) ($($($p),+)?) $reads [Float] $g),
            expression: |slots, parameters| {
                #[allow(unused_imports)]
                use $crate::ops::elementwise::expression::vocabulary::*;
                #[allow(unused_variables)]
                let ([$($x,)+ $y, $dy], &[$($($p),+)?]) = (slots, parameters) else {
                    return Expr::Failed($crate::Error::internal("gradient", "wrong number of operands"));
                };
                Expr::from($g)
            },
        }
    };
}

macro_rules! formula {
    ($yields:ident $slots:tt $p:tt $reads:tt [] $f:expr) => { formula!($yields $slots $p $reads [Float] $f) };
    (values $slots:tt $p:tt $reads:tt [$class:ident] $f:expr) => {
        formula!(@ $slots $reads $f, Kernels::Values(blocks!($class values $slots $p $f)))
    };
    (reals $slots:tt $p:tt $reads:tt [$class:ident] $f:expr) => {
        formula!(@ $slots $reads $f, Kernels::Reals(blocks!($class reals $slots $p $f)))
    };
    (truths $slots:tt $p:tt $reads:tt [$class:ident] $f:expr) => {
        formula!(@ $slots $reads $f, Kernels::Truths(blocks!($class truths $slots $p $f)))
    };
    (@ ($($slot:ident),+) ($($read:ident),*) $f:expr, $kernels:expr) => {{
        const SLOTS: &[&str] = &[$(stringify!($slot)),+];
        Formula {
            text: stringify!($f),
            slots: SLOTS.len(),
            reads: row::reads(SLOTS, &[$(stringify!($read)),*]),
            kernels: $kernels,
        }
    }};
}

/// The kernels of a formula for the types of a class.
macro_rules! blocks {
    (Float $($rest:tt)*) => { blocks!(@ [f32 f64] $($rest)*) };
    (Wide $($rest:tt)*) => { blocks!(@ [f32 f64] $($rest)*) };
    (Inexact $($rest:tt)*) => { blocks!(@ [f32 f64 c64 c128] $($rest)*) };
    (Real $($rest:tt)*) => { blocks!(@ [i8 i16 i32 i64 u8 u16 u32 u64 f32 f64] $($rest)*) };
    (Numeric $($rest:tt)*) => { blocks!(@ [i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 c64 c128] $($rest)*) };
    (Integer $($rest:tt)*) => { blocks!(@ [i8 i16 i32 i64 u8 u16 u32 u64] $($rest)*) };
    (Bits $($rest:tt)*) => { blocks!(@ [bool i8 i16 i32 i64 u8 u16 u32 u64] $($rest)*) };
    (Ordered $($rest:tt)*) => { blocks!(@ [bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64] $($rest)*) };
    (Any $($rest:tt)*) => { blocks!(@ [bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 c64 c128] $($rest)*) };
    (Truth $($rest:tt)*) => { blocks!(@ [bool] $($rest)*) };
    (@ [$($t:ident)*] $yields:ident $slots:tt $p:tt $f:expr) => {{
        #[allow(clippy::needless_update)]
        const BLOCKS: row::Blocks<$crate::ops::declare::yields!($yields)> =
            row::Blocks { $($t: Some($crate::ops::declare::block!($t $yields $slots $p $f)),)* ..row::Blocks::NONE };
        BLOCKS
    }};
}

macro_rules! yields {
    (values) => {
        row::Same
    };
    (reals) => {
        row::Real
    };
    (truths) => {
        row::Truth
    };
}

/// One kernel: a loop over a block, compiled for every CPU level. Its vocabulary depends on the type.
macro_rules! block {
    (f32 $($rest:tt)*) => { $crate::ops::declare::block!(@ f32 [use math::f32::*; use vocabulary::f32::*;] $($rest)*) };
    (f64 $($rest:tt)*) => { $crate::ops::declare::block!(@ f64 [use math::f64::*; use vocabulary::f64::*;] $($rest)*) };
    (c64 $($rest:tt)*) => { $crate::ops::declare::block!(@ $crate::dtype::Complex32 [use vocabulary::complex::*;] $($rest)*) };
    (c128 $($rest:tt)*) => { $crate::ops::declare::block!(@ $crate::dtype::Complex64 [use vocabulary::complex::*;] $($rest)*) };
    (bool $($rest:tt)*) => { $crate::ops::declare::block!(@ bool [use vocabulary::boolean::*;] $($rest)*) };
    ($int:ident $($rest:tt)*) => { $crate::ops::declare::block!(@ $int [use vocabulary::int::*;] $($rest)*) };
    (@ $t:ty [$($vocabulary:tt)*] values $slots:tt $p:tt $f:expr) => {
        $crate::ops::declare::block!(@ $t, $t, value [$($vocabulary)*] $slots $p $f)
    };
    (@ $t:ty [$($vocabulary:tt)*] reals $slots:tt $p:tt $f:expr) => {
        $crate::ops::declare::block!(@ $t, <$t as $crate::ops::elementwise::Compute>::Real, real_value [$($vocabulary)*] $slots $p $f)
    };
    (@ $t:ty [$($vocabulary:tt)*] truths $slots:tt $p:tt $f:expr) => {
        $crate::ops::declare::block!(@ $t, bool, std::convert::identity [$($vocabulary)*] $slots $p $f)
    };
    (@ $t:ty, $out:ty, $value:path [$($vocabulary:tt)*] ($($slot:ident),+) ($($p:ident),*) $f:expr) => {
        |operands, parameters, out| {
            $crate::cpu::level::leveled! {
                #[allow(unused_variables, unused_imports, clippy::excessive_precision, clippy::unnecessary_cast)]
                fn each($($slot: &[$t],)+ parameters: &[f64], out: &mut [$out]) {
                    use $crate::ops::elementwise::vocabulary;
                    $($vocabulary)*
                    let [$($p),*] = *parameters else { return };
                    $(let $p = $p as $t;)*
                    let n = out.len();
                    $(let $slot = &$slot[..n];)+
                    for i in 0..n {
                        $(let $slot = lane($slot[i]);)+
                        out[i] = $value($f);
                    }
                }
            }
            if let [$($slot),+] = operands {
                each($($slot,)+ parameters, out)
            }
        }
    };
}

pub(crate) use {
    block, blocks, class, derivative, formula, function, method, operands, parameters, rows, value, yields,
};
