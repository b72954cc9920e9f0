//! The part of the source that some output positions see, copied into scratch with zeros around it.

use super::geometry::{Axes3, Axis};
use super::kernel::{Fill, OUTSIDE, Run, Span};
use super::table::Float;
use crate::cpu::parts::even;
use crate::cpu::scratch::Scratch;
use crate::error::Result;
use std::ops::Range;

/// Output positions of some images: a box whose positions follow each other in the output plane.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub first_image: usize,
    pub images: usize,
    pub start: Axes3,
    pub size: Axes3,
}

impl Part {
    /// Cuts all positions of a batch into parts of about `target` positions: bands of a plane, or whole planes of
    /// several images.
    pub fn cut(outputs: Axes3, batch: usize, target: usize) -> Parts {
        let mut size = outputs;
        for a in 0..3 {
            let inner: usize = outputs[a + 1..].iter().product();
            size[a] = even(outputs[a], (target / inner.max(1)).max(1));
            if size[a] > 1 {
                break;
            }
        }
        let plane: usize = outputs.iter().product();
        let images = if size == outputs { even(batch, (target / plane.max(1)).max(1)) } else { 1 };
        Parts { outputs, size, images, batch }
    }

    pub fn positions(&self) -> usize {
        self.images * self.size.iter().product::<usize>()
    }
}

/// How a batch is cut into parts.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    outputs: Axes3,
    size: Axes3,
    images: usize,
    batch: usize,
}

impl Parts {
    fn along(&self) -> Axes3 {
        std::array::from_fn(|a| self.outputs[a].div_ceil(self.size[a]))
    }

    pub fn count(&self) -> usize {
        self.batch.div_ceil(self.images) * self.along().iter().product::<usize>()
    }

    /// Bands in order, with all images of one before the next.
    pub fn get(&self, index: usize) -> Part {
        let [_, height, width] = self.along();
        let bundles = self.batch.div_ceil(self.images);
        let (bundle, band) = (index % bundles, index / bundles);
        let at = [band / (height * width), band / width % height, band % width];
        let start: Axes3 = std::array::from_fn(|a| at[a] * self.size[a]);
        let first_image = bundle * self.images;
        Part {
            first_image,
            images: self.images.min(self.batch - first_image),
            start,
            size: std::array::from_fn(|a| self.size[a].min(self.outputs[a] - start[a])),
        }
    }

    /// Positions of the largest part.
    pub fn largest(&self) -> usize {
        self.get(0).positions()
    }
}

/// How the source of a part lies in scratch, image after image and channel after channel. Planes and rows are sorted by
/// phase of the step, so that what a tap sees of neighbouring output rows follows each other.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    part: Part,
    /// Channels of one image held at once.
    pub channels: usize,
    /// Planes and rows of a phase, and phases.
    lines: [usize; 2],
    phases: [usize; 2],
    /// Where taps lie further apart than the part is large, each has lines of its own: from one tap to the next, else 0.
    apart: [usize; 2],
    /// Elements of a row, from one output to the next in it.
    width: usize,
    across: usize,
    /// Whether what a tap sees of neighbouring outputs lies side by side.
    dense: bool,
    /// Every row once for each of the columns' shifts, which are multiples of a unit, or just once.
    copies: usize,
    unit: usize,
}

impl Window {
    /// A window in which what a tap sees of neighbouring outputs lies side by side: it repeats elements.
    pub fn dense(axes: &[Axis; 3], part: Part) -> Window {
        let (width, unit) = (part.size[2], axes[2].unit);
        let copies = axes[2].extent / unit + 1;
        Window { width, across: 1, dense: true, copies, unit, ..Window::plain(axes, part) }
    }

    /// A window that holds every element once.
    pub fn plain(axes: &[Axis; 3], part: Part) -> Window {
        // A single tap sees only every `step`-th element; several together see all.
        let phases: Axes3 = std::array::from_fn(|a| if axes[a].kernel > 1 { axes[a].step } else { 1 });
        let across = phases[2];
        let apart = [0, 1].map(|a| if axes[a].step == 1 && axes[a].unit > part.size[a] { axes[a].unit } else { 0 });
        Window {
            part,
            channels: 1,
            lines: [0, 1].map(|a| match apart[a] {
                0 => part.size[a] + axes[a].extent / axes[a].step,
                unit => part.size[a] * (axes[a].extent / unit + 1),
            }),
            apart,
            phases: [phases[0], phases[1]],
            width: (part.size[2].max(1) - 1) * across + axes[2].extent + 1,
            across,
            dense: false,
            copies: 1,
            unit: 1,
        }
    }

    /// Rows of one plane, and of all planes.
    fn rows(&self) -> [usize; 2] {
        let [planes, rows] = [0, 1].map(|a| self.lines[a] * self.phases[a]);
        [rows, planes * rows]
    }

    /// Whether the window looks the same for another part.
    pub fn suits(&self, part: &Part) -> bool {
        let Part { images, start, size, .. } = self.part;
        (images, start, size) == (part.images, part.start, part.size)
    }

    /// From row to row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Elements of a channel of one image.
    pub fn plane(&self) -> usize {
        self.copies * self.rows()[1] * self.width
    }

    /// Elements of all images.
    pub fn len(&self) -> usize {
        self.part.images * self.channels * self.plane()
    }

    /// From an output's first element to what a tap sees, whose shifts above the smallest are given.
    pub fn tap(&self, [z, y, x]: Axes3) -> usize {
        let line = |a: usize, shift: usize| match self.apart[a] {
            0 => shift % self.phases[a] * self.lines[a] + shift / self.phases[a],
            unit => shift / unit * self.part.size[a],
        };
        let [rows, all] = self.rows();
        let (copy, x) = if self.dense { (x / self.unit, 0) } else { (0, x) };
        (copy * all + line(0, z) * rows + line(1, y)) * self.width + x
    }

    /// Of the positions `first..first + count`, those that lie evenly from the first on: where they begin, from one to
    /// the next, and how many.
    #[inline(always)]
    pub fn run(&self, first: usize, count: usize) -> (usize, usize, usize) {
        let [depth, height, width] = self.part.size;
        let length = if self.dense { height * width } else { width };
        let (line, at) = (first / length, first % length);
        let (image, z, y) = match self.dense {
            true => (line / depth, line % depth, 0),
            false => (line / (depth * height), line / height % depth, line % height),
        };
        let row = z * self.rows()[0] + y;
        let from = image * self.channels * self.plane() + row * self.width + at * self.across;
        (from, self.across, count.min(length - at))
    }

    /// Runs that make up `count` positions in a row of so many registers; returns how many there are.
    pub fn runs(&self, first: usize, count: usize, registers: usize, lanes: usize, runs: &mut [Run]) -> usize {
        let (mut done, mut used) = (0, 0);
        while done < count {
            let (from, _, length) = self.run(first + done, count - done);
            runs[used] = Run { from, to: done, registers: length.div_ceil(lanes) };
            (done, used) = (done + length, used + 1);
        }
        // The last one fills the row with what happens to follow: numbers that no output uses.
        if let Some(last) = runs[..used].last_mut() {
            last.registers = (registers * lanes - last.to).div_ceil(lanes);
        }
        used
    }
}

/// Which elements of the source a window holds.
pub struct Filler {
    rows: Scratch<usize>,
    spans: Scratch<Span>,
    pitch: usize,
    width: usize,
    source: usize,
}

impl Filler {
    pub fn new(op: &str, axes: &[Axis; 3], window: &Window) -> Result<Filler> {
        let start: [isize; 3] = std::array::from_fn(|a| (window.part.start[a] * axes[a].step) as isize + axes[a].low);
        // Where a line of planes or rows lies in the source.
        let inside = |a: usize, line: usize| {
            let above = match window.apart[a] {
                0 => line / window.lines[a] + line % window.lines[a] * axes[a].step,
                unit => line / window.part.size[a] * unit + line % window.part.size[a],
            };
            let place = start[a] + above as isize;
            usize::try_from(place).ok().filter(|&place| place < axes[a].source)
        };
        let [height, all] = window.rows();
        let mut rows = Scratch::<usize>::new(op, all)?;
        for (z, rows) in rows.chunks_exact_mut(height).enumerate() {
            let plane = inside(0, z);
            for (y, row) in rows.iter_mut().enumerate() {
                let place = plane.zip(inside(1, y)).map(|(z, y)| (z * axes[1].source + y) * axes[2].source);
                *row = place.unwrap_or(OUTSIDE);
            }
        }
        let pitch = axes[2].step / window.across;
        let mut spans = Scratch::<Span>::new(op, window.copies)?;
        for (copy, span) in spans.iter_mut().enumerate() {
            let first = start[2] + (copy * window.unit) as isize;
            let lo = first.min(0).unsigned_abs().div_ceil(pitch);
            let hi = (axes[2].source as isize - first).max(0).unsigned_abs().div_ceil(pitch).min(window.width);
            let lo = lo.min(hi);
            let from = (first + (lo * pitch) as isize).max(0).unsigned_abs();
            *span = Span { from, start: lo, count: hi - lo };
        }
        let source = axes.iter().map(|axis| axis.source).product();
        Ok(Filler { rows, spans, pitch, width: window.width, source })
    }

    /// Copies a plane of the source to a plane of the window, which two registers follow.
    pub fn fill<T: Float>(&self, x: &[T], to: &mut [T]) {
        let kernels = T::kernels();
        let room = self.rows.len() * self.spans.len() * self.width + 2 * kernels.lanes;
        assert!(x.len() == self.source && to.len() >= room, "a window is larger than its scratch");
        let (from, to) = (x.as_ptr(), to.as_mut_ptr());
        let plane = Fill { from, rows: &self.rows, spans: &self.spans, pitch: self.pitch, width: self.width, to };
        // SAFETY: `new` found the spans inside the source, whose size and the room for the window were just checked.
        unsafe { (kernels.fill)(&plane) };
    }

    /// Calls `body` with the places of the window that lie outside the source.
    pub fn for_each_outside(&self, mut body: impl FnMut(Range<usize>)) {
        let starts = (0..).step_by(self.width);
        for ((span, &row), start) in
            self.spans.iter().flat_map(|span| self.rows.iter().map(move |row| (span, row))).zip(starts)
        {
            let count = if row == OUTSIDE { 0 } else { span.count };
            body(start..start + span.start);
            body(start + span.start + count..start + self.width);
        }
    }
}
