//! What an optimizer is here: the names of its numbers and states, and what a step does to one element.
//!
//! `rules!` makes the whole of it from one declaration; the formula is compiled for f32 and f64, once per CPU level.

use super::cpu::Kernel;
use crate::error::{Error, Result};

/// How many states a rule may have.
pub const STATES: usize = 3;
/// Room for the numbers of a rule, the shared ones and those worked out from them included.
pub const ROOM: usize = 24;
/// Numbers that every rule takes, with the values that change nothing; see `rules!`.
const SHARED: [(&str, f64); 4] = [("scale", 1.0), ("weight_decay", 0.0), ("l1_decay", 0.0), ("shrink", 1.0)];

/// The shared numbers, the rule's own and those worked out from them, in this order.
pub type Numbers = [f64; ROOM];

/// One optimizer. States are named as in PyTorch.
#[derive(Debug)]
pub struct Rule {
    pub name: &'static str,
    pub numbers: &'static [&'static str],
    pub states: &'static [&'static str],
    /// How many of the states, from the first on, must be kept.
    pub required: usize,
    /// Works out what does not depend on the element.
    pub(super) derive: fn(&mut Numbers),
    pub(super) f32: Kernel<f32>,
    pub(super) f64: Kernel<f64>,
}

impl Rule {
    /// The rule of that name.
    pub fn find(name: &str) -> Result<&'static Rule> {
        super::FAMILIES.iter().copied().flatten().find(|rule| rule.name == name).ok_or_else(|| {
            let names: Vec<&str> = super::FAMILIES.iter().copied().flatten().map(|rule| rule.name).collect();
            Error::value("fused_step", format!("unknown rule, expected one of {}, got {name:?}", names.join(", ")))
        })
    }

    /// Numbers given by name, in their places; those of `SHARED` may be left out.
    pub(super) fn prepare(&self, given: &[(impl AsRef<str>, f64)]) -> Result<Numbers> {
        let mut numbers = [f64::NAN; ROOM];
        let mut found = [false; ROOM];
        let names = || SHARED.iter().map(|(name, _)| *name).chain(self.numbers.iter().copied());
        for (i, (_, value)) in SHARED.iter().enumerate() {
            (numbers[i], found[i]) = (*value, true);
        }
        for (name, value) in given {
            let place = names().position(|known| known == name.as_ref()).ok_or_else(|| {
                let expected = names().collect::<Vec<_>>().join(", ");
                Error::value(self.name, format!("unknown number, expected some of {expected}, got {}", name.as_ref()))
            })?;
            (numbers[place], found[place]) = (*value, true);
        }
        if let Some((missing, _)) = names().zip(found).find(|(_, found)| !found) {
            return Err(Error::value(self.name, format!("the number {missing} is missing")));
        }
        (self.derive)(&mut numbers);
        Ok(numbers)
    }
}

/// Declares the rules of a family: `name(numbers) [states] [optional states] { derived = value; } p, g => { formula }`.
///
/// In the formula `p`, `g` and the states are this element's, ready to be changed. `g` is the gradient times `scale`
/// plus `weight_decay p + l1_decay sign(p)`, and `p` is the parameter times `shrink` (decoupled decay).
/// A state that is not kept reads 0. Numbers and what is derived from them are f64 there, elements' type here.
macro_rules! rules {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident($($number:ident),*) [$($state:ident),*] [$($optional:ident),*] { $($derived:ident = $value:expr;)* }
        $p:ident, $g:ident => $update:block
    )*) => {
        pub const RULES: &[$crate::ops::optim::Rule] = &[$({
            $(#[doc = $doc])*
            const RULE: $crate::ops::optim::Rule = $crate::ops::optim::Rule {
                name: stringify!($name),
                numbers: &[$(stringify!($number)),*],
                states: &[$(stringify!($state),)* $(stringify!($optional)),*],
                required: rules!(@count $($state),*),
                derive: |numbers| {
                    #[allow(unused_variables)]
                    let [_, _, _, _, $($number,)* ..] = *numbers;
                    $(let $derived: f64 = $value;)*
                    let derived: &[f64] = &[$($derived),*];
                    let start = 4 + rules!(@count $($number),*);
                    numbers[start..start + derived.len()].copy_from_slice(derived);
                },
                f32: rules!(@kernel f32, [$($number,)* $($derived),*], [$($state),*], [$($optional),*], $p, $g, $update),
                f64: rules!(@kernel f64, [$($number,)* $($derived),*], [$($state),*], [$($optional),*], $p, $g, $update),
            };
            RULE
        }),*];
    };
    (@count $($name:ident),*) => {{ const NAMES: &[&str] = &[$(stringify!($name)),*]; NAMES.len() }};
    (@kernel $t:ident, [$($number:ident),* $(,)?], [$($state:ident),*], [$($optional:ident),*], $p:ident, $g:ident, $update:block) => {{
        $crate::cpu::level::leveled! {
            fn kernel(
                numbers: &$crate::ops::optim::rule::Numbers,
                p: &mut [$t],
                g: &[$t],
                states: [&mut [$t]; $crate::ops::optim::rule::STATES],
            ) {
                // A function, which unlike a closure can be made part of every loop that calls it.
                #[inline(always)]
                #[allow(unused_assignments, unused_variables)]
                fn update(
                    numbers: [$t; $crate::ops::optim::rule::ROOM],
                    p: $t,
                    g: $t,
                    states: [$t; $crate::ops::optim::rule::STATES],
                ) -> ($t, [$t; $crate::ops::optim::rule::STATES]) {
                    let [scale, decay, l1, shrink, $($number,)* ..] = numbers;
                    let $g = g * scale + decay * p + l1 * sign(p);
                    #[allow(unused_mut)]
                    let mut $p = shrink * p;
                    let [$(mut $state,)* $(mut $optional,)* ..] = states;
                    $update;
                    ($p, rules!(@all $($state,)* $($optional),*))
                }
                use math::$t::*;
                const REQUIRED: usize = rules!(@count $($state),*);
                const ALL: usize = REQUIRED + rules!(@count $($optional),*);
                let numbers = numbers.map(|number| number as $t);
                $crate::ops::optim::walk::walk::<$t, REQUIRED, ALL>(numbers, p, g, states, update);
            }
        }
        kernel
    }};
    (@all) => { [0.0; 3] };
    (@all $a:ident $(,)?) => { [$a, 0.0, 0.0] };
    (@all $a:ident, $b:ident $(,)?) => { [$a, $b, 0.0] };
    (@all $a:ident, $b:ident, $c:ident $(,)?) => { [$a, $b, $c] };
}
pub(super) use rules;
