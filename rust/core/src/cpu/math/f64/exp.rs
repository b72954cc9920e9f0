//! The exponential and the functions made of it.

use super::mul_add;
use std::f64::consts::LOG2_E;

/// Adding it rounds a small number to an integer, whose bits are then the low bits of the sum.
const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// ln 2 in two parts; multiples of the first are exact.
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 2^n for n from -1022 to 1023; anything, without a trap, for others.
#[inline(always)]
pub(super) fn power_of_two(n: u64) -> f64 {
    f64::from_bits(n.wrapping_add(1023) << 52)
}

/// NaN stays NaN.
#[inline(always)]
fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// The integer in a number that MAGIC was added to, in two's complement.
#[inline(always)]
fn integer(shifted: f64) -> u64 {
    shifted.to_bits().wrapping_sub(MAGIC.to_bits())
}

/// (n, e^r - 1) with x = n ln 2 + r and |r| at most half of ln 2.
#[inline(always)]
fn reduced(x: f64) -> (u64, f64) {
    let shifted = mul_add(x, LOG2_E, MAGIC);
    let whole = shifted - MAGIC;
    let r = mul_add(whole, -LN2_LOW, mul_add(whole, -LN2_HIGH, x));
    let p = polynomial!(r; 0.5, 0.166_666_666_666_666_77, 0.041_666_666_666_666_7, 0.008_333_333_333_321_615,
        0.001_388_888_888_886_684, 0.000_198_412_698_861_587_74, 2.480_158_736_055_138_6e-5, 2.755_724_418_169_993e-6,
        2.755_724_276_327_12e-7, 2.510_904_496_421_749_8e-8, 2.092_444_233_662_204e-9);
    (integer(shifted), mul_add(r * r, p, r))
}

/// 1 unit in the last place.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let x = clamp(x, -746.0, 710.0);
    let (n, part) = reduced(x);
    // Two factors, so that results below the normal range are rounded once; vectors have no signed shift to halve n.
    let half = integer(mul_add(x, 0.5 * LOG2_E, MAGIC));
    (1.0 + part) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// e^x - 1 without cancellation: 2^n (e^r - 1) + (2^n - 1), halved until the end so that 2^n does not overflow early.
#[inline(always)]
pub fn expm1(x: f64) -> f64 {
    let (n, part) = reduced(clamp(x, -38.0, 710.0));
    let half = power_of_two(n.wrapping_sub(1));
    let y = 2.0 * mul_add(half, part, half - 0.5);
    if x.abs() < 2.0f64.powi(-54) { x } else { y }
}

/// 1 / (1 + e^-x), precise down to the smallest results. 2 units in the last place.
#[inline(always)]
pub fn sigmoid(x: f64) -> f64 {
    let e = exp(-x.abs());
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

/// 2 units in the last place.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let a = x.abs();
    let t = expm1(2.0 * if a > 22.0 { 22.0 } else { a });
    let small = a < 0.55;
    let q = (if small { t } else { 2.0 }) / (t + 2.0);
    (if small { q } else { 1.0 - q }).copysign(x)
}

/// The error function. 1 unit in the last place.
#[inline(always)]
pub fn erf(x: f64) -> f64 {
    let a = x.abs();
    let z = x * x;
    let small = polynomial!(z; 0.128_379_167_095_512_6, -0.376_126_389_031_837_5, 0.112_837_916_709_548_85,
        -0.026_866_170_645_077_868, 0.005_223_977_624_828_366, -0.000_854_832_698_142_241, 0.000_120_553_311_328_601_27,
        -1.492_559_577_026_78e-5, 1.646_100_845_251_551_2e-6, -1.635_039_600_491_360_1e-7, 1.466_032_755_313_030_9e-8,
        -1.137_495_222_554_698_6e-9, 5.960_680_912_453_443e-11);
    // log erfc a, from 1 to 6; beyond, erf is one.
    let a = if a > 6.0 { 6.0 } else { a };
    let tail = polynomial!(a; -4.331_549_039_549_016_4e-8, -1.128_378_823_679_567, -0.636_620_827_207_547_3,
        -0.102_771_671_291_025_5, 0.019_132_408_902_618_525, 0.000_191_179_533_176_308_72, -0.001_655_984_972_495_220_5,
        0.000_528_593_370_366_464_2, 4.484_527_479_630_836e-5, -0.000_128_048_986_416_500_4, 7.518_470_291_653_345e-5,
        -2.934_773_256_764_402_7e-5, 8.774_989_570_944_367e-6, -2.101_428_103_047_931_4e-6, 4.093_285_524_272_683_7e-7,
        -6.498_225_018_302_656e-8, 8.352_535_044_119_198e-9, -8.569_108_316_308_524e-10, 6.854_129_746_667_1e-11,
        -4.118_574_667_994_701e-12, 1.748_315_493_832_745_4e-13, -4.672_611_946_015_766e-15, 5.910_668_910_010_283e-17);
    let large = 1.0 - exp(tail);
    if a > 1.0 { large.copysign(x) } else { mul_add(small, x, x) }
}
