//! How rules run: tensors are cut into parts, and all parts of a group go through one parallel region. A part goes
//! through its kernel in place, halves by way of f32.

use super::rule::{Numbers, Rule, STATES};
use crate::cpu::parts::for_each_item;
use crate::cpu::stream;
use crate::dtype::{Element, bf16, f16};
use crate::error::{Error, Result};

/// Elements per task.
const GRAIN: usize = 16 * 1024;
/// Halves per block: as f32 all arrays together stay in the first-level cache.
const BLOCK: usize = 256;

/// How many rows ahead of the one that is changed are fetched.
const AHEAD: usize = 8;

/// A rule's loop over the same places of a parameter, its gradient and the states.
pub type Kernel<T> = fn(&Numbers, &mut [T], &[T], [&mut [T]; STATES]);

/// The same places of a parameter, its gradient and its states; a state that is not kept is empty.
pub struct Part<'a, T> {
    p: &'a mut [T],
    g: &'a [T],
    states: [&'a mut [T]; STATES],
}

/// Adds a tensor's parts to the list.
pub fn cut<'a, T: Element>(
    parts: &mut Vec<Part<'a, T>>,
    p: &'a mut [T],
    g: &'a [T],
    states: [&'a mut [T]; STATES],
) -> Result<()> {
    let full = |_| Error::memory("optimizer", "cannot list the parts of the parameters");
    parts.try_reserve(p.len().div_ceil(GRAIN)).map_err(full)?;
    let mut states = states.map(|state| state.chunks_mut(GRAIN));
    for (p, g) in p.chunks_mut(GRAIN).zip(g.chunks(GRAIN)) {
        let states = states.each_mut().map(|chunks| chunks.next().unwrap_or_default());
        parts.push(Part { p, g, states });
    }
    Ok(())
}

/// Applies the rule to every part; little work stays on the calling thread.
pub fn run<T: Stepped>(rule: &Rule, numbers: &Numbers, parts: Vec<Part<'_, T>>) -> Result<()> {
    let total: usize = parts.iter().map(|part| part.p.len()).sum();
    if total <= GRAIN {
        parts.into_iter().for_each(|part| T::step(rule, numbers, part));
        return Ok(());
    }
    for_each_item(parts.into_iter(), |part| {
        T::step(rule, numbers, part);
        Ok(())
    })
}

/// Applies the rule to the rows of a tensor that `index` names, rising; `g` has only these.
pub fn run_rows<'a, T: Stepped>(
    rule: &Rule,
    numbers: &Numbers,
    index: &[i64],
    mut p: &'a mut [T],
    g: &[T],
    mut states: [&'a mut [T]; STATES],
) -> Result<()> {
    if g.is_empty() {
        return Ok(());
    }
    let width = g.len() / index.len();
    let each = (GRAIN / width).max(1);
    let mut done = 0;
    let tasks = index.chunks(each).zip(g.chunks(each * width)).map(|(index, g)| {
        let (first, end) = (index[0] as usize, index[index.len() - 1] as usize + 1);
        let cut = |rest: &mut &'a mut [T]| match std::mem::take(rest) {
            [] => Default::default(),
            rows => {
                let (span, after) = rows[(first - done) * width..].split_at_mut((end - first) * width);
                *rest = after;
                span
            }
        };
        let spans = (cut(&mut p), states.each_mut().map(cut));
        done = end;
        (index, g, spans)
    });
    for_each_item(tasks, |(index, g, (p, mut states))| {
        let place = |row: i64| (row - index[0]) as usize * width..(row - index[0] + 1) as usize * width;
        for (i, g) in g.chunks(width).enumerate() {
            let at = place(index[i]);
            if let Some(&row) = index.get(i + AHEAD) {
                let kept = states.iter().filter_map(|state| state.get(place(row)));
                std::iter::once(&p[place(row)]).chain(kept).for_each(stream::fetch);
            }
            let states = states.each_mut().map(|state| state.get_mut(at.clone()).unwrap_or_default());
            T::step(rule, numbers, Part { p: &mut p[at], g, states });
        }
        Ok(())
    })
}

/// A type that parameters have.
pub trait Stepped: Element {
    fn step(rule: &Rule, numbers: &Numbers, part: Part<'_, Self>);
}

impl Stepped for f32 {
    fn step(rule: &Rule, numbers: &Numbers, Part { p, g, states }: Part<'_, f32>) {
        (rule.f32)(numbers, p, g, states);
    }
}

impl Stepped for f64 {
    fn step(rule: &Rule, numbers: &Numbers, Part { p, g, states }: Part<'_, f64>) {
        (rule.f64)(numbers, p, g, states);
    }
}

/// Halves pass through f32, a block at a time.
macro_rules! narrow {
    ($($t:ident),*) => { $(
        impl Stepped for $t {
            fn step(rule: &Rule, numbers: &Numbers, Part { p, g, states }: Part<'_, $t>) {
                let [mut wide_p, mut wide_g] = [[0f32; BLOCK]; 2];
                let mut wide_states = [[0f32; BLOCK]; STATES];
                let mut states = states.map(|state| state.chunks_mut(BLOCK));
                for (p, g) in p.chunks_mut(BLOCK).zip(g.chunks(BLOCK)) {
                    let mut states = states.each_mut().map(|chunks| chunks.next().unwrap_or_default());
                    widen(p, &mut wide_p);
                    widen(g, &mut wide_g);
                    states.iter().zip(&mut wide_states).for_each(|(state, wide)| widen(state, wide));
                    let mut lengths = states.iter().map(|state| state.len());
                    let views = wide_states.each_mut().map(|wide| &mut wide[..lengths.next().unwrap_or(0)]);
                    (rule.f32)(numbers, &mut wide_p[..p.len()], &wide_g[..p.len()], views);
                    narrow(&wide_p, p);
                    states.iter_mut().zip(&wide_states).for_each(|(state, wide)| narrow(wide, state));
                }

                fn widen(x: &[$t], wide: &mut [f32; BLOCK]) {
                    wide.iter_mut().zip(x).for_each(|(wide, x)| *wide = x.to_f32());
                }
                fn narrow(wide: &[f32; BLOCK], x: &mut [$t]) {
                    x.iter_mut().zip(wide).for_each(|(x, &wide)| *x = $t::from_f32(wide));
                }
            }
        }
    )* };
}
narrow!(f16, bf16);
