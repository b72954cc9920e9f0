//! The grammar of einsum: operands separated by commas, letters for axes, one ellipsis each, an optional output.

use crate::error::{Error, Result};
use std::fmt;

/// The name of an axis: a letter, or an axis of the ellipsis counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    Ellipsis(std::cmp::Reverse<usize>),
    Letter(char),
}

pub type Labels = Vec<Label>;

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Letter(c) => write!(f, "'{c}'"),
            Label::Ellipsis(_) => f.write_str("an axis of '...'"),
        }
    }
}

/// The labels of every operand and of the output.
#[derive(Debug, PartialEq, Eq)]
pub struct Subscripts {
    pub inputs: Vec<Labels>,
    pub output: Labels,
}

/// Letters of one term, and where its ellipsis stands among them.
struct Raw {
    letters: Vec<char>,
    ellipsis: Option<usize>,
}

fn error(equation: &str, message: impl fmt::Display) -> Error {
    Error::value("einsum", format!("{message} in {equation:?}"))
}

impl Raw {
    fn parse(equation: &str, term: &str) -> Result<Raw> {
        let (mut letters, mut ellipsis, mut rest) = (Vec::new(), None, term.chars());
        while let Some(c) = rest.next() {
            match c {
                c if c.is_whitespace() => {}
                c if c.is_ascii_alphabetic() => letters.push(c),
                '.' => {
                    if rest.next() != Some('.') || rest.next() != Some('.') {
                        return Err(error(equation, "expected '...', got a lone '.'"));
                    }
                    if ellipsis.replace(letters.len()).is_some() {
                        return Err(error(equation, "expected at most one '...' for an operand, got two"));
                    }
                }
                c => return Err(error(equation, format!("expected letters, '...', ',' and '->', got {c:?}"))),
            }
        }
        Ok(Raw { letters, ellipsis })
    }

    /// Labels, with the ellipsis standing for `count` axes.
    fn labels(&self, count: usize) -> Labels {
        let mut labels: Labels = self.letters.iter().map(|&c| Label::Letter(c)).collect();
        if let Some(at) = self.ellipsis {
            labels.splice(at..at, (0..count).rev().map(|i| Label::Ellipsis(std::cmp::Reverse(i))));
        }
        labels
    }
}

impl Subscripts {
    /// Parses an equation for operands with these numbers of axes.
    pub fn parse(equation: &str, ranks: &[usize]) -> Result<Subscripts> {
        let mut sides = equation.split("->");
        let (left, right) = (sides.next().unwrap_or(""), sides.next());
        if sides.next().is_some() {
            return Err(error(equation, "expected at most one '->', got more"));
        }
        let terms: Vec<Raw> = left.split(',').map(|term| Raw::parse(equation, term)).collect::<Result<_>>()?;
        if terms.len() != ranks.len() {
            let message = format!("expected as many operands as terms, got {} and {}", ranks.len(), terms.len());
            return Err(error(equation, message));
        }
        let (mut inputs, mut widest) = (Vec::new(), 0);
        for (i, (term, &rank)) in terms.iter().zip(ranks).enumerate() {
            let named = term.letters.len();
            let fits = if term.ellipsis.is_some() { named <= rank } else { named == rank };
            if !fits {
                let message = format!("operand {i} does not fit its term, expected {named} axes, got {rank}");
                return Err(error(equation, message));
            }
            widest = if term.ellipsis.is_some() { widest.max(rank - named) } else { widest };
            inputs.push(term.labels(rank - named));
        }
        let output = match right {
            Some(right) => Self::explicit(equation, &Raw::parse(equation, right)?.labels(widest), &inputs)?,
            None => Self::implicit(&inputs),
        };
        Ok(Subscripts { inputs, output })
    }

    fn explicit(equation: &str, output: &[Label], inputs: &[Labels]) -> Result<Labels> {
        for (i, label) in output.iter().enumerate() {
            if output[..i].contains(label) {
                return Err(error(equation, format!("expected output labels once each, got {label} twice")));
            }
            if !inputs.iter().any(|labels| labels.contains(label)) {
                return Err(error(equation, format!("expected output labels that an operand has, got {label}")));
            }
        }
        Ok(output.to_vec())
    }

    /// The ellipsis first, then the letters that occur once, in alphabetical order.
    fn implicit(inputs: &[Labels]) -> Labels {
        let mut all: Labels = inputs.concat();
        all.sort_unstable();
        let count = |label: &Label| all.iter().filter(|l| *l == label).count();
        let once = |label: &&Label| matches!(label, Label::Ellipsis(_)) || count(label) == 1;
        let mut output: Labels = all.iter().filter(once).copied().collect();
        output.dedup();
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(labels: &[Label]) -> String {
        let one = |l: &Label| match l {
            Label::Letter(c) => c.to_string(),
            Label::Ellipsis(i) => i.0.to_string(),
        };
        labels.iter().map(one).collect()
    }

    #[test]
    fn equations_are_understood() {
        let parse = |equation, ranks: &[usize]| Subscripts::parse(equation, ranks).map(|s| text(&s.output));
        assert_eq!(parse("ij,jk", &[2, 2]), Ok("ik".into()));
        assert_eq!(parse("ba", &[2]), Ok("ab".into()));
        assert_eq!(parse(" i j -> j i ", &[2]), Ok("ji".into()));
        assert_eq!(parse("...ij,...jk", &[4, 3]), Ok("10ik".into()));
        assert_eq!(parse("i...->...", &[3]), Ok("10".into()));
        assert_eq!(parse("ii", &[2]), Ok("".into()));
        assert_eq!(parse("", &[0]), Ok("".into()));
    }

    #[test]
    fn bad_equations_are_errors() {
        for (equation, ranks) in [
            ("ij,jk", &[2][..]),
            ("ij", &[3]),
            ("i->j", &[1]),
            ("i->ii", &[1]),
            ("i->i->i", &[1]),
            ("i..", &[2]),
            ("......", &[2]),
            ("i$", &[1]),
            ("i-i", &[1]),
            ("...ij", &[1]),
            ("é", &[1]),
        ] {
            assert!(Subscripts::parse(equation, ranks).is_err(), "{equation}");
        }
    }
}
