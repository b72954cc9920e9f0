//! Which numbers the tile unit may multiply: it takes denormals for zeros, and parts of huge numbers overflow.

/// The least and the greatest magnitude in a block, zeros apart, as bits of an f32; NaN is the greatest of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    pub low: u32,
    pub high: u32,
}

/// Down to here all three parts of a number are normal numbers.
const LEAST: f32 = 1e-30;
/// Below this, what is flushed to zero could be seen in the last place of a product.
const LEAST_PRODUCT: f64 = 1.3e-29;
/// Above it rounding to bf16 could make an infinity.
const GREATEST: f32 = 1e38;

impl Extent {
    /// That of zeros alone.
    pub const ZEROS: Extent = Extent { low: u32::MAX, high: 0 };

    /// That of both blocks together.
    pub fn merged(self, other: Extent) -> Extent {
        Extent { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Whether products of two such blocks, `depth` long, are right on the tile unit: no part is flushed or overflows.
    pub fn suits(self, other: Extent, depth: usize) -> bool {
        let (low, high) = (f32::from_bits(self.low), f32::from_bits(self.high));
        let (other_low, other_high) = (f32::from_bits(other.low), f32::from_bits(other.high));
        if !(high <= GREATEST && other_high <= GREATEST) {
            return false;
        }
        if high == 0.0 || other_high == 0.0 {
            return true;
        }
        low >= LEAST
            && other_low >= LEAST
            && f64::from(low) * f64::from(other_low) >= LEAST_PRODUCT
            && f64::from(high) * f64::from(other_high) * depth as f64 <= f64::from(GREATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(low: f32, high: f32) -> Extent {
        Extent { low: low.to_bits(), high: high.to_bits() }
    }

    #[test]
    fn extremes_do_not_suit() {
        let usual = extent(1e-8, 1e4);
        assert!(usual.suits(usual, 512) && Extent::ZEROS.suits(usual, 512) && usual.suits(Extent::ZEROS, 512));
        assert!(extent(1e-12, 1e12).suits(extent(1e-12, 1e12), 512));
        for odd in [extent(1.0, f32::NAN), extent(1.0, f32::INFINITY), extent(1.0, 3e38), extent(1e-39, 1.0)] {
            assert!(!odd.suits(usual, 512) && !usual.suits(odd, 512));
        }
        assert!(!extent(1.0, f32::NAN).suits(Extent::ZEROS, 512));
        assert!(!extent(1e-20, 1.0).suits(extent(1e-20, 1.0), 512));
        assert!(!extent(1.0, 1e20).suits(extent(1.0, 1e20), 512));
    }
}
