//! Integer products, which wrap around: rows of a panel times factors, added up.

use super::entry::{Block, DEPTH, Entry, PANEL, begin, panels, typed_mut};
use crate::cpu::arena;
use crate::cpu::level::leveled;
use crate::error::Result;

macro_rules! by_wrapping_loop {
    ($($t:ty, $add_products:ident);*) => {$(
        leveled! {
            /// Adds each row of the panel, as long as `out`, times its factor.
            fn $add_products(factors: &[$t], panel: &[$t], out: &mut [$t]) {
                for (&factor, row) in factors.iter().zip(panel.chunks(out.len())) {
                    for (out, &b) in out.iter_mut().zip(row) {
                        *out = out.wrapping_add(factor.wrapping_mul(b));
                    }
                }
            }
        }

        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                let (columns, depth) = (x.size[1].min(PANEL), x.size[2].min(DEPTH));
                let mut scratch = arena::Block::new(size_of::<$t>() * depth * columns)?;
                // SAFETY: the caller's promise.
                let keep = unsafe { begin(&x) };
                let (panel, mut factors) = (typed_mut::<$t>(&mut scratch), [0; DEPTH]);
                let ((c, c_row), (a, a_row, a_column), (b, b_row, b_column)) = (x.c, x.a, x.b);
                for ([i, j, p], [m, n, k]) in panels(x.size) {
                    let (i, j, p) = (i as isize, j as isize, p as isize);
                    // SAFETY: panels lie inside the block the caller vouches for.
                    unsafe {
                        let first = b.offset(p * b_row + j * b_column);
                        for (at, to) in panel.iter_mut().take(k * n).enumerate() {
                            *to = *first.offset((at / n) as isize * b_row + (at % n) as isize * b_column);
                        }
                        for row in i..i + m as isize {
                            for (at, factor) in factors.iter_mut().take(k).enumerate() {
                                *factor = *a.offset(row * a_row + (p + at as isize) * a_column);
                            }
                            let out = std::slice::from_raw_parts_mut(c.offset(row * c_row + j), n);
                            if p == 0 && !keep {
                                out.fill(0);
                            }
                            $add_products(&factors[..k], panel, out);
                        }
                    }
                }
                Ok(())
            }
        }
    )*};
}
by_wrapping_loop! {
    i8, add_i8; i16, add_i16; i32, add_i32; i64, add_i64;
    u8, add_u8; u16, add_u16; u32, add_u32; u64, add_u64
}
