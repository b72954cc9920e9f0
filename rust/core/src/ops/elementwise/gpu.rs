//! The device's loop for declared rows, casts and choices: operands of any strides, numbers as parameters.

use super::row::{Class, Formula, Kernels};
use super::{Elementwise, Operand, Part};
use crate::dtype::{DType, f16};
use crate::error::{Error, Result};
use crate::gpu::{Element, Launch, MATH, Positions, Source};
use crate::ops::copy;
use crate::plan::Plan;
use crate::scalar::Scalar;
use crate::storage::Output;
use crate::tensor::Tensor;
use smallvec::SmallVec;

const INT: &str = include_str!("int.wgsl");
/// Elements of one workgroup of `elementwise.wgsl`.
const GROUP: usize = 1024;
/// Names of the operands' aliases and buffers in `elementwise.wgsl`.
const BUFFERS: [(&str, &str); 4] = [("A", "a"), ("B", "b"), ("C", "c"), ("D", "d")];

/// Runs one formula of a row.
pub fn run(op: &Elementwise, slots: &[Operand], out: &Output) -> Result<()> {
    let (row, formula) = (op.row, op.formula());
    let gradient = [row.operands, &["y", "dy"]].concat();
    let reads = |i: usize| formula.reads >> i & 1 == 1;
    let (names, operands): (SmallVec<[&str; 4]>, SmallVec<[Operand; 4]>) = gradient
        .iter()
        .zip(slots)
        .enumerate()
        .filter(|(i, _)| reads(*i))
        .map(|(_, (name, slot))| (*name, *slot))
        .unzip();
    let element = match slots.iter().find_map(Operand::tensor) {
        Some(x) => computed(row.class, formula, Element::of(row.name, x.dtype())?),
        None => return Err(Error::internal(row.name, "expected a tensor")),
    };
    let part = match op.part {
        Part::Value => 0,
        Part::Gradient(operand) => 1 + operand as u64,
    };
    // Which operand is the number decides which tensor is bound where.
    let number = op.number.map_or(0, |(at, _)| 1 + at as u64);
    // The bits of a bool stay 0 or 1 when they are inverted.
    let truth = out.dtype == DType::Bool && !matches!(formula.kernels, Kernels::Truths(_));
    let variant = u64::from(truth) << 16 | part << 8 | number;
    let call = Call { kernel: row.name, variant, element, library: library(element) };
    call.launch(&operands, &op.parameters, out, |arguments, constants| {
        let parameters = row.parameters.iter().map(|(name, _)| *name);
        let text = formula_text(
            formula,
            element,
            &[&names[..], &parameters.collect::<Vec<_>>()].concat(),
            &[arguments, constants].concat(),
        );
        if truth { text.replace("return Y(formula(", "return 1u & Y(formula(") } else { text }
    })
}

/// The type a formula computes in. Negation is the same on both kinds of integers, but WGSL has it on signed ones only.
fn computed(class: Class, formula: &Formula, element: Element) -> Element {
    match element {
        Element::U32 if formula.text.starts_with('-') => Element::I32,
        // Bits of a bool are those of a u32 that is 0 or 1.
        Element::Bool if class != Class::Truth => Element::U32,
        other => other,
    }
}

fn library(element: Element) -> String {
    match element {
        Element::F32 | Element::F16 => MATH.to_string(),
        Element::Bool => String::new(),
        Element::I32 | Element::U32 => INT.replace("alias Int = i32;", &format!("alias Int = {};", element.wgsl())),
    }
}

/// The formula as a function, and its call with the operands of one element.
fn formula_text(formula: &Formula, element: Element, names: &[&str], arguments: &[String]) -> String {
    let t = element.computed();
    let declared: Vec<String> = names.iter().map(|name| format!("{name}: {t}")).collect();
    // WGSL's != is false on NaN.
    let text = match formula.text.split_once(" != ") {
        Some((a, b)) => format!("!({a} == {b})"),
        None => formula.text.to_string(),
    };
    let (returned, value) = match formula.kernels {
        Kernels::Values(_) | Kernels::Reals(_) => (t, "Y(formula(ARGUMENTS))"),
        Kernels::Truths(_) => ("bool", "select(0u, 1u, formula(ARGUMENTS))"),
    };
    let value = value.replace("ARGUMENTS", &arguments.join(", "));
    format!(
        "fn formula({}) -> {returned} {{ return {text}; }}\nfn element(at: Positions) -> Y {{ return {value}; }}",
        declared.join(", ")
    )
}

/// Converts as the CPU does: fractions dropped, ends saturating, NaN zero.
pub fn cast(x: &Tensor, out: &Output) -> Result<()> {
    let (from, to) = (Element::of("astype", x.dtype())?, Element::of("astype", out.dtype)?);
    let integer = matches!(to, Element::I32 | Element::U32) && matches!(from, Element::F32 | Element::F16);
    let call = Call { kernel: "astype", variant: to as u64, element: from, library: MATH.to_string() };
    call.launch(&[Operand::Tensor(x)], &[], out, |arguments, _| {
        let x = &arguments[0];
        let value = match (from, to) {
            (Element::Bool, _) => format!("select(Y(0), Y(1), {x})"),
            (_, Element::Bool) => format!("select(1u, 0u, {x} == {}(0))", from.computed()),
            _ if integer => format!("to_{}({x})", to.wgsl()),
            _ => format!("Y({x})"),
        };
        format!("fn element(at: Positions) -> Y {{ return {value}; }}")
    })
}

/// `a` where the condition holds, else `b`.
pub fn select(condition: &Operand, a: &Operand, b: &Operand, out: &Output) -> Result<()> {
    let element = Element::of("where", out.dtype)?;
    let is_number = |operand: &Operand| u64::from(operand.tensor().is_none());
    let variant = is_number(a) << 1 | is_number(b);
    let call = Call { kernel: "where", variant, element, library: String::new() };
    call.launch(&[*condition, *a, *b], &[], out, |arguments, _| {
        let chosen = format!("select({}, {}, bool({}))", arguments[2], arguments[1], arguments[0]);
        let value = if element == Element::Bool { format!("select(0u, 1u, {chosen})") } else { format!("Y({chosen})") };
        format!("fn element(at: Positions) -> Y {{ return {value}; }}")
    })
}

/// One variant of `elementwise.wgsl`.
struct Call {
    kernel: &'static str,
    variant: u64,
    /// The type computed in, which numbers are given in.
    element: Element,
    library: String,
}

impl Call {
    /// Launches with the section `formula` that `text` makes from the WGSL of the operands and of the parameters.
    fn launch(
        &self,
        operands: &[Operand],
        parameters: &[f64],
        out: &Output,
        text: impl FnOnce(&[String], &[String]) -> String,
    ) -> Result<()> {
        let tensors: SmallVec<[&Tensor; 4]> = operands.iter().filter_map(Operand::tensor).collect();
        let positions = match tensors[..] {
            [] => Positions::flat(out.numel()),
            [a] => plan(self.kernel, [a])?,
            [a, b] => plan(self.kernel, [a, b])?,
            [a, b, c] => plan(self.kernel, [a, b, c])?,
            [a, b, c, d] => plan(self.kernel, [a, b, c, d])?,
            _ => return Err(Error::internal(self.kernel, "too many operands")),
        };
        if positions.fits() {
            return self.record(operands, &tensors, &positions, parameters, out, text);
        }
        // More dimensions than the shader walks: copies merge into one.
        let copies = tensors.iter().map(|x| copy::copied(&x.detach())).collect::<Result<SmallVec<[Tensor; 4]>>>()?;
        let copies: SmallVec<[&Tensor; 4]> = copies.iter().collect();
        self.record(operands, &copies, &Positions::flat(out.numel()), parameters, out, text)
    }

    fn record(
        &self,
        operands: &[Operand],
        tensors: &[&Tensor],
        positions: &Positions,
        parameters: &[f64],
        out: &Output,
        text: impl FnOnce(&[String], &[String]) -> String,
    ) -> Result<()> {
        let mut constants: SmallVec<[u32; 4]> = parameters.iter().map(|&x| (x as f32).to_bits()).collect();
        constants.extend(operands.iter().filter_map(|operand| match operand {
            Operand::Number(value) => Some(bits(*value, self.element)),
            Operand::Tensor(_) => None,
        }));
        constants.resize(4, 0);
        let constants = [constants[0], constants[1], constants[2], constants[3]];
        let strided = !positions.is_contiguous();
        let variant = self.variant << 1 | u64::from(strided);
        let mut launch = Launch::new(self.kernel, out)?.variant(variant);
        for x in tensors {
            launch = launch.input(x)?;
        }
        let launch = match strided {
            true => launch.params(&positions.block(constants)),
            false => launch.params(&[positions.count() as u32]).params(&constants),
        };
        let stored = |dtype| Element::of(self.kernel, dtype).map(|element| self.computed_as(element));
        let (target, sources) =
            (stored(out.dtype)?, tensors.iter().map(|x| stored(x.dtype())).collect::<Result<Vec<_>>>()?);
        launch.run(positions.count().div_ceil(GROUP), || {
            let (arguments, numbers) = self.arguments(operands, &sources, parameters.len());
            let source = Source::new(include_str!("elementwise.wgsl")).alias("Y", target.wgsl());
            let typed = BUFFERS
                .iter()
                .zip(&sources)
                .fold(source, |source, ((alias, _), element)| source.alias(alias, element.wgsl()));
            let typed = if strided { typed.section("positions", &Positions::section(sources.len())) } else { typed };
            typed.section("formula", &text(&arguments, &numbers)).library(&self.library)
        })
    }

    /// How an operand's bits are seen where the formula computes in another type of the same bits.
    fn computed_as(&self, stored: Element) -> Element {
        match (stored, self.element) {
            (Element::U32, Element::I32) => Element::I32,
            (Element::Bool, Element::U32) => Element::U32,
            _ => stored,
        }
    }

    /// The WGSL of each operand of one element, and of each parameter.
    fn arguments(&self, operands: &[Operand], sources: &[Element], parameters: usize) -> (Vec<String>, Vec<String>) {
        let constant = |i: usize| {
            let bits = format!("params.constants[{i}]");
            match self.element.computed() {
                "bool" => format!("({bits} != 0u)"),
                "u32" => bits,
                t => format!("bitcast<{t}>({bits})"),
            }
        };
        let (mut tensors, mut numbers) = (BUFFERS.iter().zip(sources).enumerate(), parameters..);
        let argument = |operand: &Operand| match operand {
            Operand::Number(_) => numbers.next().map(constant),
            Operand::Tensor(_) => tensors.next().map(|(i, ((_, buffer), element))| {
                let stored = format!("{buffer}[at[{i}]]");
                match element {
                    Element::Bool => format!("({stored} != 0u)"),
                    Element::F16 => format!("f32({stored})"),
                    _ => stored,
                }
            }),
        };
        (operands.iter().filter_map(argument).collect(), (0..parameters).map(constant).collect())
    }
}

/// A number as the bits of the type it is given in; like on the CPU it takes the precision of the stored type first.
fn bits(value: Scalar, element: Element) -> u32 {
    match element {
        Element::F32 => (value.to_f64() as f32).to_bits(),
        Element::F16 => f16::from_f64(value.to_f64()).to_f32().to_bits(),
        Element::I32 => value.to_i128() as i32 as u32,
        Element::U32 => value.to_i128() as u32,
        Element::Bool => u32::from(value.to_bool()),
    }
}

fn plan<const N: usize>(op: &str, tensors: [&Tensor; N]) -> Result<Positions> {
    let mut lengths = [0; N];
    for (length, x) in lengths.iter_mut().zip(tensors) {
        *length = x.capacity()?;
    }
    Ok(Positions::new(&Plan::new(op, tensors.map(Tensor::layout), lengths)?))
}
