//! The normal distribution's quantile function, and the truncated normal law that is drawn by inverting it.

use crate::cpu::math;
use crate::error::{Error, Result};
use std::f64::consts::SQRT_2;

/// A normal law between two bounds: probabilities run evenly over `[start, start + span]`.
#[derive(Debug, Clone, Copy)]
pub struct Truncated {
    mean: f64,
    scale: f64,
    start: f64,
    span: f64,
    low: f64,
    high: f64,
}

impl Truncated {
    pub fn new(op: &str, mean: f64, std: f64, low: f64, high: f64) -> Result<Truncated> {
        if low.is_nan() || high.is_nan() || low > high {
            return Err(Error::value(op, format!("expected low <= high, got {low} and {high}")));
        }
        if std == 0.0 {
            let law = Truncated { mean, scale: 0.0, start: 0.5, span: 0.0, low, high };
            return Ok(law);
        }
        // The lower tail keeps its precision, the upper one does not: work on the mirror image above the mean.
        let mirrored = low > mean;
        let (from, to) = if mirrored { (mean - high, mean - low) } else { (low - mean, high - mean) };
        let cdf = |x: f64| 0.5 * (1.0 + math::plain::f64::erf(x / std / SQRT_2));
        let (start, end) = (cdf(from), cdf(to));
        if end - start < 1e-12 && low < high {
            let message =
                format!("the bounds hold no probability, expected some within 7 std of {mean}, got {low} and {high}");
            return Err(Error::value(op, message));
        }
        Ok(Truncated { mean, scale: if mirrored { -std } else { std }, start, span: end - start, low, high })
    }

    /// The value at which `u` of the probability lies below.
    pub fn at(&self, u: f64) -> f64 {
        if self.scale == 0.0 {
            return self.mean.clamp(self.low, self.high);
        }
        (self.mean + self.scale * quantile(self.start + u * self.span)).clamp(self.low, self.high)
    }
}

fn polynomial(x: f64, coefficients: [f64; 8]) -> f64 {
    coefficients.into_iter().rfold(0.0, |sum, c| sum * x + c)
}

/// Wichura's algorithm AS 241 (1988), about 16 digits.
pub fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(r, CENTRE[0]) / polynomial(r, CENTRE[1]);
    }
    let tail = (-p.min(1.0 - p).ln()).sqrt();
    let value = match tail {
        _ if tail.is_infinite() => f64::INFINITY,
        _ if tail <= 5.0 => polynomial(tail - 1.6, MIDDLE[0]) / polynomial(tail - 1.6, MIDDLE[1]),
        _ => polynomial(tail - 5.0, FAR[0]) / polynomial(tail - 5.0, FAR[1]),
    };
    value.copysign(q)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const MIDDLE: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_104,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let known =
            [(0.975, 1.959_963_984_540_054), (0.001, -3.090_232_306_167_813_5), (1e-20, -9.262_340_089_798_408)];
        for (p, x) in known {
            assert!((quantile(p) - x).abs() < 1e-13, "{p}");
        }
        assert_eq!(quantile(0.5), 0.0);
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn a_truncated_law_stays_inside_its_bounds() {
        let law = Truncated::new("t", 1.0, 2.0, 4.0, 5.0).unwrap();
        assert!((law.at(0.0) - 5.0).abs() < 1e-9 && (law.at(1.0) - 4.0).abs() < 1e-9);
        assert!(Truncated::new("t", 0.0, 1.0, 30.0, 31.0).is_err());
        assert!(Truncated::new("t", 0.0, 1.0, 2.0, 1.0).is_err());
        assert_eq!(Truncated::new("t", 3.0, 0.0, 0.0, 1.0).unwrap().at(0.3), 1.0);
    }
}
