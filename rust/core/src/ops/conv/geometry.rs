//! Where a convolution's taps fall: sizes of the image and of the output, and the runs of elements that one tap connects.

use crate::error::{Error, Result};
use crate::ops::spatial::Axes3;
use std::ops::Range;

/// Sizes and steps along the three spatial axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub image: Axes3,
    pub kernel: Axes3,
    pub output: Axes3,
    pub stride: Axes3,
    /// Zeros in front of the image; those behind follow from the output size.
    pub before: Axes3,
    pub dilation: Axes3,
}

/// Output positions that one tap connects with image elements: `count` of them, side by side in the output row and
/// `stride` apart in the image.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub tap: usize,
    /// Relative to the first position of the block.
    pub position: usize,
    /// In the image plane.
    pub pixel: usize,
    pub count: usize,
}

impl Geometry {
    pub fn taps(&self) -> usize {
        self.kernel.iter().product()
    }
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }
    pub fn positions(&self) -> usize {
        self.output.iter().product()
    }

    /// Step of the pixels of a run.
    pub fn step(&self) -> usize {
        self.stride[2]
    }

    /// Every output position sees exactly the pixel of the same index.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1; 3] && self.stride == [1; 3] && self.before == [0; 3] && self.image == self.output
    }

    /// Whether some tap falls outside the image.
    pub fn is_padded(&self) -> bool {
        (0..3).any(|a| {
            let last = (self.output[a].max(1) - 1) * self.stride[a] + (self.kernel[a] - 1) * self.dilation[a];
            self.before[a] > 0 || last >= self.image[a]
        })
    }

    /// The outputs `lo..hi` on an axis whose tap `k` falls inside the image.
    fn inside(&self, axis: usize, k: usize) -> Range<usize> {
        let (shift, stride) = (k * self.dilation[axis], self.stride[axis]);
        let before = self.before[axis];
        let lo = before.saturating_sub(shift).div_ceil(stride);
        let hi = (self.image[axis] + before).saturating_sub(shift).div_ceil(stride);
        lo..hi.min(self.output[axis])
    }

    /// All runs of a block of output positions, tap by tap.
    pub fn runs(&self, op: &str, block: Range<usize>) -> Result<Vec<Run>> {
        let width = self.output[2];
        let mut runs: Vec<Run> = Vec::new();
        if block.is_empty() {
            return Ok(runs);
        }
        let rows = block.start / width..(block.end - 1) / width + 1;
        let full = |_| Error::memory(op, "cannot hold the table of kernel taps");
        runs.try_reserve(self.taps().saturating_mul(rows.len())).map_err(full)?;
        for tap in 0..self.taps() {
            let [_, kh, kw] = self.kernel;
            let k = [tap / (kh * kw), tap / kw % kh, tap % kw];
            let inside: [Range<usize>; 3] = std::array::from_fn(|a| self.inside(a, k[a]));
            let pixel_at = |a: usize, o: usize| o * self.stride[a] + k[a] * self.dilation[a] - self.before[a];
            for row in rows.clone() {
                let (d, h) = (row / self.output[1], row % self.output[1]);
                let first = (row * width).max(block.start) - row * width;
                let last = ((row + 1) * width).min(block.end) - row * width;
                let (lo, hi) = (first.max(inside[2].start), last.min(inside[2].end));
                if !inside[0].contains(&d) || !inside[1].contains(&h) || lo >= hi {
                    continue;
                }
                let line = pixel_at(0, d) * self.image[1] + pixel_at(1, h);
                let pixel = line * self.image[2] + pixel_at(2, lo);
                runs.push(Run { tap, position: row * width + lo - block.start, pixel, count: hi - lo });
            }
        }
        Ok(runs)
    }
}

/// Size of the output along one axis, or `None` where the kernel does not fit.
pub fn output_size(image: usize, padding: usize, kernel: usize, stride: usize, dilation: usize) -> Option<usize> {
    let reach = (kernel.checked_sub(1)?).checked_mul(dilation)?.checked_add(1)?;
    Some(image.checked_add(padding)?.checked_sub(reach)? / stride + 1)
}
