//! Planes one at a time: what the taps see of a band of a plane, lined up in the first-level cache.

use super::geometry::Axis;
use super::table::Float;
use super::window::{Filler, Part, Parts, Window};
use crate::cpu::scratch::Scratch;
use crate::error::Result;

/// Elements of a window, and of an output that is made in scratch.
const BAND: usize = 6 * 1024;

/// A band of a plane, held for several planes at once: what was just written cannot be read at full speed.
pub struct Band<T: Float> {
    pub part: Part,
    pub window: Window,
    filler: Filler,
    /// Two registers follow the last plane.
    pub source: Scratch<T>,
    /// Elements of a plane's window.
    pub each: usize,
    /// Planes that it is held for.
    pub held: usize,
}

impl<T: Float> Band<T> {
    /// For some multiple of so many channels.
    pub fn new(op: &str, axes: &[Axis; 3], channels: usize, part: Part) -> Result<Band<T>> {
        let window = window(axes, part);
        let each = window.len();
        let held = (BAND / (each * channels)).max(1) * channels;
        let filler = Filler::new(op, axes, &window)?;
        let source = Scratch::new(op, held * each + 2 * T::kernels().lanes)?;
        Ok(Band { part, window, filler, source, each, held })
    }

    /// Copies what the band sees of some planes.
    pub fn fill<'a>(&mut self, planes: impl Iterator<Item = &'a [T]>) {
        for (i, plane) in planes.enumerate() {
            self.filler.fill(plane, &mut self.source[i * self.each..]);
        }
    }

    /// The same with a number instead of the zeros around the image.
    pub fn fill_around<'a>(&mut self, planes: impl Iterator<Item = &'a [T]>, outside: T) {
        for (i, plane) in planes.enumerate() {
            let to = &mut self.source[i * self.each..];
            self.filler.fill(plane, to);
            self.filler.for_each_outside(|place| to[place].fill(outside));
        }
    }

    /// Calls `body` with lines of outputs: where they begin in the window and among the positions of the band, how many
    /// they are, how long, and from one to the next on both sides.
    pub fn for_each_lines(&self, mut body: impl FnMut([usize; 2], [usize; 2], [usize; 2])) {
        let [depth, height, width] = self.part.size;
        let positions = height * width;
        for first in (0..depth).map(|z| z * positions) {
            let (from, _, together) = self.window.run(first, positions);
            if together < positions {
                body([from, first], [height, width], [self.window.width(), width]);
                continue;
            }
            // All positions in a row: lines of any length.
            let length = 2 * T::kernels().lanes;
            let whole = positions - positions % length;
            body([from, first], [whole / length, length], [length, length]);
            body([from + whole, first + whole], [1, positions - whole], [length, length]);
        }
    }
}

/// A window in which what a tap sees of neighbouring outputs lies side by side.
fn window(axes: &[Axis; 3], part: Part) -> Window {
    let columns = &axes[2];
    let close = columns.unit == 1 && columns.step.min(columns.kernel) <= 1;
    if close { Window::plain(axes, part) } else { Window::dense(axes, part) }
}

/// Bands of a plane, of which so many channels and phases are held at once.
pub fn bands(axes: &[Axis; 3], channels: usize, phases: usize) -> Parts {
    let size = axes.map(|axis| axis.outputs);
    let positions: usize = size.iter().product();
    let whole = window(axes, Part { first_image: 0, images: 1, start: [0; 3], size }).len();
    let most = whole.saturating_mul(channels).max(positions.saturating_mul(phases)).max(1);
    Part::cut(size, 1, (BAND as u128 * positions as u128 / most as u128).max(1) as usize)
}
