//! Complex products as real ones of twice the depth, panel by panel:
//! `re c = [re a, -im a] [re b; im b]` and `im c = [im a, re a] [re b; im b]`.

use super::entry::{Block, Entry, PANEL, begin, typed_mut};
use super::real;
use crate::cpu::arena;
use crate::dtype::{Complex32, Complex64};
use crate::error::Result;

/// Complex columns of a panel of `a`: with both parts it is as deep as a real one.
const DEPTH: usize = 256;

macro_rules! by_parts {
    ($($t:ty: $part:ty),*) => {$(
        impl Entry for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            unsafe fn multiply(x: Block<Self>) -> Result<()> {
                let [m, n, k] = x.size;
                let (rows, columns, depth) = (m.min(PANEL), n.min(PANEL), k.min(DEPTH));
                let elements = 4 * rows * depth + 2 * depth * columns + 2 * rows * columns;
                let mut scratch = arena::Block::new(size_of::<$part>() * elements)?;
                let (left, rest) = typed_mut::<$part>(&mut scratch).split_at_mut(4 * rows * depth);
                let (right, output) = rest.split_at_mut(2 * depth * columns);
                let ((c, c_row), (a, a_row, a_column), (b, b_row, b_column)) = (x.c, x.a, x.b);
                // SAFETY: the caller's promise.
                let keep = unsafe { begin(&x) };
                for i in (0..m).step_by(PANEL) {
                    for j in (0..n).step_by(PANEL) {
                        let (rows, columns) = (PANEL.min(m - i), PANEL.min(n - j));
                        let (re, im) = output.split_at_mut(rows * columns);
                        for p in (0..k).step_by(DEPTH) {
                            let depth = DEPTH.min(k - p);
                            let (left_re, left_im) = left.split_at_mut(2 * rows * depth);
                            for (at, (re, im)) in left_re.chunks_mut(2 * depth).zip(left_im.chunks_mut(2 * depth)).take(rows).enumerate() {
                                for q in 0..depth {
                                    // SAFETY: an element of `a` inside the block.
                                    let z = unsafe { *a.offset((i + at) as isize * a_row + (p + q) as isize * a_column) };
                                    (re[q], re[depth + q]) = (z.re, -z.im);
                                    (im[q], im[depth + q]) = (z.im, z.re);
                                }
                            }
                            let (right_re, right_im) = right.split_at_mut(depth * columns);
                            for (at, (re, im)) in right_re.iter_mut().zip(right_im).enumerate() {
                                let (q, s) = ((p + at / columns) as isize, (j + at % columns) as isize);
                                // SAFETY: an element of `b` inside the block.
                                let z = unsafe { *b.offset(q * b_row + s * b_column) };
                                (*re, *im) = (z.re, z.im);
                            }
                            for (left, sum) in [(&*left_re, &mut *re), (&*left_im, &mut *im)] {
                                let to = sum.as_mut_ptr();
                                let block = Block {
                                    size: [rows, columns, 2 * depth],
                                    c: (to, columns as isize),
                                    from: (if p > 0 { to.cast_const() } else { std::ptr::null() }, columns as isize),
                                    a: (left.as_ptr(), 2 * depth as isize, 1),
                                    b: (right.as_ptr(), columns as isize, 1),
                                };
                                // SAFETY: the panels just filled, and sums of their size.
                                unsafe { real::multiply(block, None)? };
                            }
                        }
                        for (at, (&re, &im)) in re.iter().zip(&*im).enumerate() {
                            let (row, column) = ((i + at / columns) as isize, (j + at % columns) as isize);
                            // SAFETY: an element of `c` inside the block.
                            let to = unsafe { &mut *c.offset(row * c_row + column) };
                            let product = <$t>::new(re, im);
                            *to = if keep { *to + product } else { product };
                        }
                    }
                }
                Ok(())
            }
        }
    )*};
}
by_parts!(Complex32: f32, Complex64: f64);
