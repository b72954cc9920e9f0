//! Reductions on the device, in one call or, for long axes, by parts in several.

use super::{Axes, Geometry, Reduction, arrange};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::gpu::{Element, Launch, MATH, Source};
use crate::shape::{Layout, Shape};
use crate::storage::{Output, Storage};
use crate::tensor::Tensor;
use std::sync::Arc;

/// Elements of one part: 64 for each of the lanes that share a row, or a column of one thread.
const ROW_PART: usize = 256 * 64;
const COLUMN_PART: usize = 512;
/// Rows up to this length are left to one thread each.
const SHORT_ROW: usize = 64;
const WIDTH: usize = 256;

/// What is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    Value(Reduction),
    /// The place of the first largest or smallest element, a NaN being one.
    Place {
        highest: bool,
    },
}

/// Folds the axes of `x` into `out`.
pub fn reduce(kernel: &'static str, fold: Fold, x: &Tensor, axes: &Axes, out: &mut Output) -> Result<()> {
    if fold == Fold::Value(Reduction::Mean) && !x.dtype().is_float() {
        let message = format!("wrong dtype, expected a floating-point type, got {}", x.dtype());
        return Err(Error::dtype(kernel, message));
    }
    let (mut x, mut geometry) = arrange(&x.detach(), axes)?;
    let kernels = Kernels { kernel, fold, element: Element::of(kernel, x.dtype())?, count: geometry.n };
    let mut first = true;
    loop {
        let part = if geometry.inner == 1 && geometry.n > SHORT_ROW { ROW_PART } else { COLUMN_PART };
        let parts = geometry.n.div_ceil(part).max(1);
        if parts == 1 {
            return kernels.call(&x, geometry, (1, geometry.n), first, true, out);
        }
        let shape: Shape = [geometry.outer, parts, geometry.inner, kernels.acc().1].as_slice().into();
        let (dtype, device) = (kernels.acc().0, x.device());
        let bytes = shape.iter().product::<usize>() * device.element_size(kernel, dtype)?;
        let mut partial = Output { storage: Storage::new(device, bytes)?, shape, dtype };
        kernels.call(&x, geometry, (parts, part), first, false, &mut partial)?;
        let layout = Layout::contiguous(&partial.shape);
        x = Tensor::from_storage(Arc::new(partial.storage), layout, dtype)?;
        (geometry.n, first) = (parts, false);
    }
}

/// The kernels of one reduction.
struct Kernels {
    kernel: &'static str,
    fold: Fold,
    element: Element,
    /// Elements of one result.
    count: usize,
}

impl Kernels {
    fn call(
        &self,
        x: &Tensor,
        geometry: Geometry,
        (parts, length): (usize, usize),
        first: bool,
        last: bool,
        out: &mut Output,
    ) -> Result<()> {
        let Geometry { outer, n, inner } = geometry;
        let by_rows = inner == 1 && n > SHORT_ROW;
        let (entry, groups) = match by_rows {
            true => ("reduce_rows", outer * parts),
            false => ("reduce_columns", (outer * parts * inner).div_ceil(WIDTH)),
        };
        let numbers = [outer, n, inner, parts, length, x.layout().offset].map(|number| number as u32);
        let target = Element::of(self.kernel, out.dtype)?;
        let variant = u64::from(by_rows) << 2 | u64::from(first) << 1 | u64::from(last);
        Launch::new(self.kernel, out)?.input(x)?.params(&numbers).params(&[self.count as f32]).variant(variant).run(
            groups,
            || {
                let acc = self.acc_type();
                let source = Source::new(include_str!("reduce.wgsl")).entry(entry);
                source
                    .alias("In", if first { self.element.wgsl() } else { acc })
                    .alias("Acc", acc)
                    .alias("Out", if last { target.wgsl() } else { acc })
                    .section("fold", &self.section(first, last))
                    .library(MATH)
            },
        )
    }

    /// The type values are compared or added in.
    fn value_type(&self) -> &'static str {
        match self.element {
            Element::F32 | Element::F16 => "f32",
            Element::I32 => "i32",
            // Sums of truth values are integers, everything else about them fits their stored form.
            Element::Bool if matches!(self.fold, Fold::Value(Reduction::Sum | Reduction::Prod)) => "i32",
            Element::U32 | Element::Bool => "u32",
        }
    }

    fn acc_type(&self) -> &'static str {
        match self.fold {
            Fold::Value(Reduction::Any | Reduction::All) => "u32",
            Fold::Value(Reduction::CountNonzero) => "i32",
            Fold::Value(_) => self.value_type(),
            // The bits of the value, and its place.
            Fold::Place { .. } => "vec2<u32>",
        }
    }

    /// How partial results are stored: a dtype, and how many of it make one.
    fn acc(&self) -> (DType, usize) {
        match self.acc_type() {
            "f32" => (DType::F32, 1),
            "i32" => (DType::I32, 1),
            "u32" => (DType::U32, 1),
            _ => (DType::U32, 2),
        }
    }

    /// The section `fold` of the shader.
    fn section(&self, first: bool, last: bool) -> String {
        let acc = self.acc_type();
        let (identity, load, merge, finish) = match self.fold {
            Fold::Value(kind) => self.value_fold(kind),
            Fold::Place { highest } => self.place_fold(highest),
        };
        let load = if first { load } else { "x".to_string() };
        let finish = if last { finish } else { "acc".to_string() };
        format!(
            "fn identity() -> {acc} {{ return {identity}; }}
fn load(x: In, place: u32) -> Acc {{ return {load}; }}
fn merge(a: Acc, b: Acc) -> Acc {{ return {merge}; }}
fn finish(acc: Acc) -> Out {{ return {finish}; }}"
        )
    }

    fn value_fold(&self, kind: Reduction) -> (String, String, String, String) {
        let (lowest, highest) = self.ends();
        let float = self.value_type() == "f32";
        let is_true = format!("x != {}(0)", self.element.wgsl());
        // WGSL's != is false on NaN.
        let is_true = if float { "!(f32(x) == 0.0)".to_string() } else { is_true };
        let (identity, load, merge, finish) = match kind {
            Reduction::Sum => ("Acc(0)", "Acc(x)", "a + b", "Out(acc)"),
            Reduction::Prod => ("Acc(1)", "Acc(x)", "a * b", "Out(acc)"),
            Reduction::Mean => ("Acc(0)", "Acc(x)", "a + b", "Out(acc / params.count)"),
            Reduction::Max => (lowest, "Acc(x)", if float { "maximum(a, b)" } else { "max(a, b)" }, "Out(acc)"),
            Reduction::Min => (highest, "Acc(x)", if float { "minimum(a, b)" } else { "min(a, b)" }, "Out(acc)"),
            Reduction::Any => ("0u", "select(0u, 1u, TRUE)", "a | b", "acc"),
            Reduction::All => ("1u", "select(0u, 1u, TRUE)", "a & b", "acc"),
            Reduction::CountNonzero => ("0", "select(0, 1, TRUE)", "a + b", "acc"),
        };
        (identity.to_string(), load.replace("TRUE", &is_true), merge.to_string(), finish.to_string())
    }

    /// The smallest and the largest value.
    fn ends(&self) -> (&'static str, &'static str) {
        match self.value_type() {
            "f32" => ("-infinity()", "infinity()"),
            "i32" => ("-2147483647 - 1", "2147483647"),
            _ => ("0u", "4294967295u"),
        }
    }

    /// An empty lane has no place; of equal values the first one counts, and a NaN beats every number.
    fn place_fold(&self, highest: bool) -> (String, String, String, String) {
        let t = self.value_type();
        let (a, b) = (format!("bitcast<{t}>(a.x)"), format!("bitcast<{t}>(b.x)"));
        let order = if highest { ">" } else { "<" };
        let nan = |x: &str| if t == "f32" { format!("is_nan({x})") } else { "false".to_string() };
        let beats =
            format!("(({b} {order} {a}) && !{nan_a}) || ({nan_b} && !{nan_a})", nan_a = nan(&a), nan_b = nan(&b));
        let ties = format!("({b} == {a} || ({} && {})) && b.y < a.y", nan(&a), nan(&b));
        let merge = format!("select(a, b, b.y != 0xffffffffu && (a.y == 0xffffffffu || {beats} || ({ties})))");
        let load = format!("vec2(bitcast<u32>({t}(x)), place)");
        ("vec2(0u, 0xffffffffu)".to_string(), load, merge, "Out(acc.y)".to_string())
    }
}
