//! Docs and type stubs, both written from the rows.

use super::call::table;
use super::{Param, Pass, Row};

/// A default as Python writes it: the literal inside Rust's wrappers; a dtype or device stands for "not given".
fn python_default(text: &str) -> String {
    let text = text.replace(' ', "");
    let inner = text.rsplit_once('(').map_or(text.as_str(), |(_, inner)| inner.trim_end_matches(')'));
    let inner = inner.trim_start_matches("vec![").trim_end_matches(']');
    match inner {
        "false" => "False".into(),
        "true" => "True".into(),
        _ if inner.contains("::") => "None".into(),
        _ if inner.contains(',') => format!("({inner})"),
        _ => inner.into(),
    }
}

/// A parameter with its annotation and default.
fn declared(p: &Param) -> String {
    let default = p.default.map(python_default);
    let none = if p.optional || default.as_deref() == Some("None") { " | None" } else { "" };
    format!("{}: {}{none}{}", p.name, p.hint, default.map_or(String::new(), |d| format!(" = {d}")))
}

/// A parameter as `inspect.signature` reads it.
fn plain(p: &Param) -> String {
    p.default.map_or(p.name.into(), |d| format!("{}={}", p.name, python_default(d)))
}

/// With `spread`, more sizes may follow the first parameter.
fn parameters(params: &[Param], spread: bool, typed: bool) -> String {
    let more = match (spread, typed) {
        (false, _) => "*",
        (true, false) => "*more",
        (true, true) => "*more: int",
    };
    let mut out: Vec<String> = Vec::new();
    for (i, p) in params.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| params[i].pass);
        if p.pass == Pass::KeywordOnly && before != Some(Pass::KeywordOnly) {
            out.push(more.into());
        }
        out.push(if typed { declared(p) } else { plain(p) });
        let next = params.get(i + 1).map(|n| n.pass);
        if p.pass == Pass::PositionalOnly && next != Some(Pass::PositionalOnly) {
            out.push("/".into());
        }
    }
    out.join(", ")
}

/// The text behind `help()`; its first line is what `inspect.signature` reads.
pub fn docstring(row: &Row) -> String {
    format!("{}({})\n--\n\n{}", row.python_name(), parameters(row.params, row.spreads(false), false), doc(row))
}

pub fn method_docstring(row: &Row) -> String {
    let rest = parameters(&row.params[1..], false, false);
    let next_is_positional = row.params.get(1).is_some_and(|p| p.pass == Pass::PositionalOnly);
    let start = match (rest.is_empty(), next_is_positional) {
        (true, _) => "$self, /",
        (false, true) => "$self, ",
        (false, false) => "$self, /, ",
    };
    format!("{}({start}{rest})\n--\n\n{}", row.python_name(), doc(row))
}

fn doc(row: &Row) -> String {
    row.doc.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn indented(row: &Row, by: &str) -> String {
    format!("{by}\"\"\"{}\"\"\"\n", doc(row).replace('\n', &format!("\n{by}")))
}

/// Stub text of all functions of the table.
pub fn functions() -> String {
    let one = |b: &super::call::BoundRow| {
        let (name, params) = (b.row.python_name(), parameters(b.row.params, b.row.spreads(false), true));
        format!("def {name}({params}) -> {}:\n{}\n", b.row.returns, indented(b.row, "    "))
    };
    table().iter().map(one).collect()
}

/// Stub text of the methods that the table gives Tensor. PyTorch's `dim` and `keepdim` are accepted everywhere.
pub fn methods() -> String {
    let one = |b: &super::call::BoundRow| {
        // Methods take keyword-only arguments by position, too.
        let rest: String = b.row.params[1..].iter().map(|p| format!(", {}", declared(p))).collect();
        format!("    def {}(self{rest}, **torch_names: Any) -> {}: ...\n", b.row.python_name(), b.row.returns)
    };
    table().iter().filter(|b| b.method).map(one).collect()
}

/// The whole stub: the hand-written head, Tensor's class with the table's methods, and the functions.
pub fn module() -> String {
    include_str!("stub_head.pyi").replace("    # METHODS\n", &methods()) + &functions()
}
