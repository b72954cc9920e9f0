//! Which input samples make an output sample, and with which weights.

use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The sample at or before the place of the output sample.
    Nearest,
    /// The sample whose centre is nearest.
    NearestExact,
    Linear,
    Cubic,
}

impl Mode {
    /// Names say the number of axes: linear, bilinear and trilinear are the same along each.
    pub fn named(op: &str, name: &str, spatial: usize) -> Result<Mode> {
        let (mode, axes) = match name {
            "nearest" => (Mode::Nearest, spatial),
            "nearest-exact" => (Mode::NearestExact, spatial),
            "linear" => (Mode::Linear, 1),
            "bilinear" => (Mode::Linear, 2),
            "trilinear" => (Mode::Linear, 3),
            "bicubic" => (Mode::Cubic, 2),
            _ => {
                let known = "'nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear' or 'area'";
                return Err(Error::value(op, format!("unknown mode, expected {known}, got {name:?}")));
            }
        };
        match axes == spatial {
            true => Ok(mode),
            false => Err(Error::value(op, format!("mode {name:?} is for {axes} spatial axes, got {spatial}"))),
        }
    }

    pub fn is_nearest(self) -> bool {
        matches!(self, Mode::Nearest | Mode::NearestExact)
    }
}

/// The sharpness of the cubic kernel that image libraries agree on (Keys, 1981).
const SHARPNESS: f64 = -0.75;

/// A sparse matrix with `width` entries a row: input samples and their weights.
#[derive(Debug)]
pub struct Taps {
    pub input: usize,
    pub width: usize,
    pub samples: Scratch<usize>,
    pub weights: Scratch<f64>,
}

impl Taps {
    /// `step` is the distance of output samples in input samples; by default the sizes' ratio.
    pub fn new(op: &str, mode: Mode, input: usize, output: usize, step: Option<f64>, corners: bool) -> Result<Taps> {
        let width = match mode {
            Mode::Nearest | Mode::NearestExact => 1,
            Mode::Linear => 2,
            Mode::Cubic => 4,
        };
        let count = output.saturating_mul(width);
        let (mut samples, mut weights) = (Scratch::new(op, count)?, Scratch::new(op, count)?);
        let step = match corners {
            true => (input - 1) as f64 / (output.max(2) - 1) as f64,
            false => step.unwrap_or(input as f64 / output as f64),
        };
        let clamp = |i: f64| i.clamp(0.0, (input - 1) as f64) as usize;
        let rows = samples.chunks_mut(width).zip(weights.chunks_mut(width));
        for (o, (samples, weights)) in rows.enumerate() {
            let o = o as f64;
            let centre = if corners { o * step } else { (o + 0.5) * step - 0.5 };
            let (first, t) = match mode {
                Mode::Nearest => ((o * step).floor(), 0.0),
                Mode::NearestExact => (((o + 0.5) * step).floor(), 0.0),
                Mode::Linear => (centre.max(0.0).floor(), centre.max(0.0).fract()),
                Mode::Cubic => (centre.floor() - 1.0, centre - centre.floor()),
            };
            for (k, (sample, weight)) in samples.iter_mut().zip(weights).enumerate() {
                *sample = clamp(first + k as f64);
                *weight = match mode {
                    Mode::Nearest | Mode::NearestExact => 1.0,
                    Mode::Linear => {
                        if k == 0 {
                            1.0 - t
                        } else {
                            t
                        }
                    }
                    Mode::Cubic => cubic((t + 1.0 - k as f64).abs()),
                };
            }
        }
        Ok(Taps { input, width, samples, weights })
    }

    pub fn output(&self) -> usize {
        self.samples.len() / self.width
    }

    /// Whether every output sample is the input sample of the same index.
    pub fn is_identity(&self) -> bool {
        let heavy = |row: &[usize], weights: &[f64], o: usize| {
            row.iter().zip(weights).all(|(&i, &w)| w == 0.0 || (i == o && w == 1.0))
        };
        let rows = self.samples.chunks(self.width).zip(self.weights.chunks(self.width));
        self.input == self.output() && rows.enumerate().all(|(o, (row, weights))| heavy(row, weights, o))
    }
}

/// The cubic convolution kernel at distance `d` in `[0, 2]`.
fn cubic(d: f64) -> f64 {
    const A: f64 = SHARPNESS;
    if d <= 1.0 { ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0 } else { ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A }
}
