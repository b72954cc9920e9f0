//! Which input samples make an output sample, and with which weights.

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
    pub samples: Vec<usize>,
    pub weights: Vec<f64>,
}

impl Taps {
    /// `step` is the distance of output samples in input samples; by default the sizes' ratio.
    pub fn new(op: &str, mode: Mode, input: usize, output: usize, step: Option<f64>, corners: bool) -> Result<Taps> {
        let width = match mode {
            Mode::Nearest | Mode::NearestExact => 1,
            Mode::Linear => 2,
            Mode::Cubic => 4,
        };
        let (mut samples, mut weights) = (Vec::new(), Vec::new());
        let count = output.checked_mul(width);
        let reserved = count.filter(|&n| samples.try_reserve_exact(n).is_ok() && weights.try_reserve_exact(n).is_ok());
        if reserved.is_none() {
            return Err(Error::memory(op, format!("cannot hold the weights of {output} samples")));
        }
        let step = match corners {
            true => (input - 1) as f64 / (output.max(2) - 1) as f64,
            false => step.unwrap_or(input as f64 / output as f64),
        };
        let clamp = |i: f64| i.clamp(0.0, (input - 1) as f64) as usize;
        for o in 0..output {
            let centre = if corners { o as f64 * step } else { (o as f64 + 0.5) * step - 0.5 };
            match mode {
                Mode::Nearest => {
                    samples.push(clamp((o as f64 * step).floor()));
                    weights.push(1.0);
                }
                Mode::NearestExact => {
                    samples.push(clamp(((o as f64 + 0.5) * step).floor()));
                    weights.push(1.0);
                }
                Mode::Linear => {
                    let (first, t) = (centre.max(0.0).floor(), centre.max(0.0).fract());
                    samples.extend([clamp(first), clamp(first + 1.0)]);
                    weights.extend([1.0 - t, t]);
                }
                Mode::Cubic => {
                    let (first, t) = (centre.floor(), centre - centre.floor());
                    samples.extend([-1.0, 0.0, 1.0, 2.0].map(|k| clamp(first + k)));
                    weights.extend([t + 1.0, t, 1.0 - t, 2.0 - t].map(cubic));
                }
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
