//! Keys: unsigned integers in the order of the elements, so that every sort and search compares integers.

use crate::dtype::{Complex32, Complex64, Element, bf16, f16};

/// Elements that can be brought into an order. Zeros of both signs are equal; NaN is the largest.
pub trait SortKey: Element {
    type Key: Copy + Ord + Send + Sync + 'static;
    /// The key of NaN, which no number has.
    const LAST: Self::Key;
    fn key(self) -> Self::Key;
    /// Keys in the opposite order.
    fn descending(key: Self::Key) -> Self::Key;
}

macro_rules! sort_keys {
    ($($t:ty: $key:ty, $x:ident => $to:expr;)*) => {
        $(impl SortKey for $t {
            type Key = $key;
            const LAST: $key = <$key>::MAX;
            #[inline(always)]
            fn key(self) -> $key { let $x = self; $to }
            #[inline(always)]
            fn descending(key: $key) -> $key {
                Self::LAST - key
            }
        })*
    };
}
sort_keys! {
    bool: u32, x => x as u32;
    i8: u32, x => (x as i32 - i8::MIN as i32) as u32;
    i16: u32, x => (x as i32 - i16::MIN as i32) as u32;
    i32: u64, x => (x as i64 - i32::MIN as i64) as u64;
    i64: u128, x => (x as i128 - i64::MIN as i128) as u128;
    u8: u32, x => x as u32;
    u16: u32, x => x as u32;
    u32: u64, x => x as u64;
    u64: u128, x => x as u128;
    f16: u32, x => float_key32(x.to_f32());
    bf16: u32, x => float_key32(x.to_f32());
    f32: u32, x => float_key32(x);
    f64: u64, x => float_key64(x);
    Complex32: u64, x => if x.re.is_nan() || x.im.is_nan() { u64::MAX } else {
        (float_key32(x.re) as u64) << 32 | float_key32(x.im) as u64
    };
    Complex64: u128, x => if x.re.is_nan() || x.im.is_nan() { u128::MAX } else {
        (float_key64(x.re) as u128) << 64 | float_key64(x.im) as u128
    };
}

/// Bits of positive numbers ascend; those of negative ones descend and are turned round.
#[inline(always)]
fn float_key32(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    let ordered = bits ^ (((bits as i32 >> 31) as u32) | 1 << 31);
    if x.is_nan() { u32::MAX } else { ordered }
}

#[inline(always)]
fn float_key64(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    let ordered = bits ^ (((bits as i64 >> 63) as u64) | 1 << 63);
    if x.is_nan() { u64::MAX } else { ordered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_numbers() {
        let ascending = [f32::NEG_INFINITY, f32::MIN, -1.0, -1e-45, 0.0, 1e-45, 1.0, f32::MAX, f32::INFINITY, f32::NAN];
        assert!(ascending.windows(2).all(|w| w[0].key() < w[1].key()));
        let numbers = &ascending[..9];
        assert!(numbers.windows(2).all(|w| f32::descending(w[0].key()) > f32::descending(w[1].key())));
        assert!(numbers.iter().all(|x| f32::descending(x.key()) > f32::descending(f32::NAN.key())));
        assert_eq!((-0.0f32).key(), 0.0f32.key());
        assert!(i64::MIN.key() < (-1i64).key() && (-1i64).key() < i64::MAX.key() && i64::MAX.key() < i64::LAST);
        assert!(u64::descending(u64::MAX.key()) < u64::descending(0u64.key()));
    }
}
