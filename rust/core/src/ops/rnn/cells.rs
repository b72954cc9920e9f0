//! The formulas of the cells, one row of the batch at a time: gates become activations where they stand.

use crate::cpu::gemm::Entry;
use crate::cpu::level::leveled;
use crate::cpu::rows::Wide;
use bytemuck::Pod;

/// Blocks of a row, each as long as the hidden state.
fn blocks<T, const N: usize>(row: &[T]) -> [&[T]; N] {
    let width = row.len() / N;
    std::array::from_fn(|i| &row[i * width..][..width])
}

fn blocks_mut<T, const N: usize>(row: &mut [T]) -> [&mut [T]; N] {
    let width = row.len() / N;
    let mut rest = row;
    std::array::from_fn(|_| rest.split_off_mut(..width).unwrap_or_default())
}

pub trait Real: Entry + Wide + Pod {
    /// Gates i, f, g, o: `c = f c + i g`, `h = o tanh(c)`.
    fn lstm(gates: &mut [Self], c: &mut [Self], h: &mut [Self]);
    /// Gates r, z, n of the input and of the hidden state: `n = tanh(n + r n')`, `h = n + z (h - n)`.
    fn gru(gates: &mut [Self], hidden: &[Self], h: &mut [Self]);
    fn tanh(gates: &[Self], h: &mut [Self]);
    fn relu(gates: &[Self], h: &mut [Self]);

    /// Gradients of the gates from those of `h` and `c`, which become the direct parts of the step before.
    fn lstm_back(gates: &[Self], states: [&[Self]; 2], dh: &mut [Self], dc: &mut [Self], deltas: &mut [Self]);
    /// The fourth block of `deltas` is the gradient of the candidate's hidden part, `candidate`.
    fn gru_back(gates: &[Self], candidate: &[Self], before: &[Self], dh: &mut [Self], deltas: &mut [Self]);
    fn tanh_back(y: &[Self], dh: &mut [Self], deltas: &mut [Self]);
    fn relu_back(y: &[Self], dh: &mut [Self], deltas: &mut [Self]);

    fn add_to(sum: &mut [Self], row: &[Self]);
    /// For sums over many rows.
    fn tally(sums: &mut [f64], row: &[Self]);
}

macro_rules! real {
    ($($t:ident in $rows:ident),*) => {$(
        /// Blocks come as arguments of their own: the compiler then knows that they do not overlap.
        mod $rows {
            use super::*;

            leveled! {
                pub fn lstm(i: &mut [$t], f: &mut [$t], g: &mut [$t], o: &mut [$t], c: &mut [$t], h: &mut [$t]) {
                    use math::$t::*;
                    for ((((i, f), g), o), (c, h)) in i.iter_mut().zip(f).zip(g).zip(o).zip(c.iter_mut().zip(h)) {
                        (*i, *f, *g, *o) = (sigmoid(*i), sigmoid(*f), tanh(*g), sigmoid(*o));
                        *c = *f * *c + *i * *g;
                        *h = *o * tanh(*c);
                    }
                }

                pub fn lstm_back(
                    i: &[$t], f: &[$t], g: &[$t], o: &[$t], before: &[$t], c: &[$t], dh: &mut [$t], dc: &mut [$t],
                    di: &mut [$t], df: &mut [$t], dg: &mut [$t], do_: &mut [$t],
                ) {
                    use math::$t::*;
                    let gates = i.iter().zip(f).zip(g.iter().zip(o));
                    let states = before.iter().zip(c).zip(dh.iter_mut().zip(dc));
                    let deltas = di.iter_mut().zip(df).zip(dg.iter_mut().zip(do_));
                    for ((((&i, &f), (&g, &o)), ((&before, &c), (dh, dc))), ((di, df), (dg, do_))) in gates.zip(states).zip(deltas) {
                        let s = tanh(c);
                        let inner = *dc + *dh * o * (1.0 - s * s);
                        *di = inner * g * i * (1.0 - i);
                        *df = inner * before * f * (1.0 - f);
                        *dg = inner * i * (1.0 - g * g);
                        *do_ = *dh * s * o * (1.0 - o);
                        *dc = inner * f;
                        *dh = 0.0;
                    }
                }

                pub fn gru(r: &mut [$t], z: &mut [$t], n: &mut [$t], hr: &[$t], hz: &[$t], hn: &[$t], h: &mut [$t]) {
                    use math::$t::*;
                    let own = r.iter_mut().zip(z).zip(n);
                    let hidden = hr.iter().zip(hz).zip(hn);
                    for ((((r, z), n), ((&hr, &hz), &hn)), h) in own.zip(hidden).zip(h) {
                        (*r, *z) = (sigmoid(*r + hr), sigmoid(*z + hz));
                        *n = tanh(*n + *r * hn);
                        *h = *n + *z * (*h - *n);
                    }
                }

                pub fn gru_back(
                    r: &[$t], z: &[$t], n: &[$t], candidate: &[$t], before: &[$t], dh: &mut [$t],
                    dr: &mut [$t], dz: &mut [$t], dn: &mut [$t], du: &mut [$t],
                ) {
                    let gates = r.iter().zip(z).zip(n.iter().zip(candidate));
                    let states = before.iter().zip(dh);
                    let deltas = dr.iter_mut().zip(dz).zip(dn.iter_mut().zip(du));
                    for ((((&r, &z), (&n, &candidate)), (&before, dh)), ((dr, dz), (dn, du))) in gates.zip(states).zip(deltas) {
                        let inner = *dh * (1.0 - z) * (1.0 - n * n);
                        *dr = inner * candidate * r * (1.0 - r);
                        *dz = *dh * (before - n) * z * (1.0 - z);
                        *dn = inner;
                        *du = inner * r;
                        *dh *= z;
                    }
                }

                pub fn tanh_row(gates: &[$t], h: &mut [$t]) {
                    h.iter_mut().zip(gates).for_each(|(h, &x)| *h = math::$t::tanh(x));
                }

                pub fn relu_row(gates: &[$t], h: &mut [$t]) {
                    h.iter_mut().zip(gates).for_each(|(h, &x)| *h = math::$t::maximum(x, 0.0));
                }

                pub fn tanh_back(y: &[$t], dh: &mut [$t], deltas: &mut [$t]) {
                    for ((delta, dh), &y) in deltas.iter_mut().zip(dh).zip(y) {
                        *delta = *dh * (1.0 - y * y);
                        *dh = 0.0;
                    }
                }

                pub fn relu_back(y: &[$t], dh: &mut [$t], deltas: &mut [$t]) {
                    for ((delta, dh), &y) in deltas.iter_mut().zip(dh).zip(y) {
                        *delta = if y > 0.0 { *dh } else { 0.0 };
                        *dh = 0.0;
                    }
                }

                pub fn add_to(sum: &mut [$t], row: &[$t]) {
                    sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
                }

                pub fn tally(sums: &mut [f64], row: &[$t]) {
                    sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x as f64);
                }
            }
        }

        impl Real for $t {
            fn lstm(gates: &mut [$t], c: &mut [$t], h: &mut [$t]) {
                let [i, f, g, o] = blocks_mut(gates);
                $rows::lstm(i, f, g, o, c, h)
            }
            fn gru(gates: &mut [$t], hidden: &[$t], h: &mut [$t]) {
                let ([r, z, n], [hr, hz, hn]) = (blocks_mut(gates), blocks(hidden));
                $rows::gru(r, z, n, hr, hz, hn, h)
            }
            fn tanh(gates: &[$t], h: &mut [$t]) {
                $rows::tanh_row(gates, h)
            }
            fn relu(gates: &[$t], h: &mut [$t]) {
                $rows::relu_row(gates, h)
            }
            fn lstm_back(gates: &[$t], states: [&[$t]; 2], dh: &mut [$t], dc: &mut [$t], deltas: &mut [$t]) {
                let ([i, f, g, o], [di, df, dg, do_]) = (blocks(gates), blocks_mut(deltas));
                $rows::lstm_back(i, f, g, o, states[0], states[1], dh, dc, di, df, dg, do_)
            }
            fn gru_back(gates: &[$t], candidate: &[$t], before: &[$t], dh: &mut [$t], deltas: &mut [$t]) {
                let ([r, z, n], [dr, dz, dn, du]) = (blocks(gates), blocks_mut(deltas));
                $rows::gru_back(r, z, n, candidate, before, dh, dr, dz, dn, du)
            }
            fn tanh_back(y: &[$t], dh: &mut [$t], deltas: &mut [$t]) {
                $rows::tanh_back(y, dh, deltas)
            }
            fn relu_back(y: &[$t], dh: &mut [$t], deltas: &mut [$t]) {
                $rows::relu_back(y, dh, deltas)
            }
            fn add_to(sum: &mut [$t], row: &[$t]) {
                $rows::add_to(sum, row)
            }
            fn tally(sums: &mut [f64], row: &[$t]) {
                $rows::tally(sums, row)
            }
        }
    )*};
}
real!(f32 in single, f64 in double);
