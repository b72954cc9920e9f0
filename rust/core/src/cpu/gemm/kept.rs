//! Operands that stay the same from product to product, such as weights: rearranged once and kept in panels.

use super::packed::{Filling, Matrix, Packed};
use super::table::Real;
use crate::cpu::{limits, pool};
use crate::error::Result;
use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The part of the machine's memory that all kept panels together may take.
const SHARE: usize = 4;
/// Bytes of all kept panels.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Panels made of some memory, to be forgotten when it is written. They are kept from the second use in a row on:
/// weights in training change after the first, and would only be stored twice.
#[derive(Default)]
pub struct Kept(Mutex<Option<Box<State>>>);

#[derive(Default)]
struct State {
    /// Nothing may be kept: the memory can change unseen.
    shared: bool,
    asked: Option<Key>,
    full: Option<(Key, Arc<dyn Any + Send + Sync>)>,
}

/// Which elements of the memory panels are made of, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    element: TypeId,
    first: isize,
    steps: (isize, isize),
    size: (usize, usize),
    cut: Cut,
}

/// Rows of a depth block and columns of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub depth: usize,
    pub width: usize,
}

/// Bytes of `HELD`, given back when dropped.
struct Share(usize);

impl Share {
    fn take(bytes: usize) -> Option<Share> {
        let share = Share(bytes);
        let before = HELD.fetch_add(bytes, Relaxed);
        (before.saturating_add(bytes) <= limits::total() / SHARE).then_some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0, Relaxed);
    }
}

/// The panels of a whole right operand.
pub struct Panels<T> {
    pub packed: Packed<T>,
    _share: Share,
}

impl Kept {
    fn state(&self) -> MutexGuard<'_, Option<Box<State>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory is about to change.
    pub fn forget(&mut self) {
        if let Some(state) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            (state.asked, state.full) = (None, None);
        }
    }

    /// From now on the memory may change unseen.
    pub fn never(&self) {
        *self.state() = Some(Box::new(State { shared: true, ..State::default() }));
    }

    /// What is kept for a key, and whether the same was asked for last.
    fn ask(&self, key: Key) -> (Option<Arc<dyn Any + Send + Sync>>, bool) {
        let mut state = self.state();
        let state = state.get_or_insert_default();
        let full = state.full.as_ref().filter(|(full, _)| *full == key).map(|(_, panels)| panels.clone());
        (full, !state.shared && state.asked.replace(key) == Some(key))
    }

    /// The panels of a `k x n` operand that begins at an element of the memory; None where they are not kept.
    ///
    /// # Safety
    /// `from` must hold so many rows and columns.
    pub unsafe fn panels<T: Real>(
        &self,
        size: (usize, usize),
        first: isize,
        from: Matrix<T>,
        cut: Cut,
    ) -> Result<Option<Arc<Panels<T>>>> {
        let key = Key { element: TypeId::of::<T>(), first, steps: (from.1, from.2), size, cut };
        let (found, asked) = self.ask(key);
        if found.is_some() || !asked {
            return Ok(found.and_then(|panels| panels.downcast().ok()));
        }
        let bytes = size.0.saturating_mul(size.1.next_multiple_of(cut.width)).saturating_mul(size_of::<T>());
        let filling = || Filling::<T>::new(from, size.0, size.1, cut.depth, cut.width).ok();
        let Some((share, filling)) = Share::take(bytes).and_then(|share| Some((share, filling()?))) else {
            return Ok(None);
        };
        pool::parallel_for(filling.tasks(), &|task| filling.run(task))?;
        let panels = Arc::new(Panels { packed: filling.to, _share: share });
        if let Some(state) = self.state().as_mut().filter(|state| !state.shared) {
            state.full = Some((key, panels.clone()));
        }
        Ok(Some(panels))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Matrix, Start, product};
    use super::*;
    use crate::cpu::level::{Level, at_level};
    use crate::shape::Layout;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.0 - 1.0).collect()
    }

    /// `a b` with `b` contiguous, or its transpose where `transposed`.
    fn multiply(a: &[f32], b: &[f32], [m, n, k]: [usize; 3], transposed: bool, kept: Option<&Kept>) -> Vec<f32> {
        let steps = if transposed { [1, k as isize] } else { [n as isize, 1] };
        let la = Layout { shape: [m, k][..].into(), strides: [k as isize, 1][..].into(), offset: 0 };
        let lb = Layout { shape: [k, n][..].into(), strides: steps[..].into(), offset: 0 };
        let (a, b) = (Matrix::new("t", a, &la).unwrap(), Matrix::new("t", b, &lb).unwrap());
        let b = match kept {
            Some(kept) => b.kept_in(kept),
            None => b,
        };
        let mut c = vec![f32::NAN; m * n];
        product("t", &a, &b, Start::Zero, &mut c).unwrap();
        c
    }

    fn is_full(kept: &Kept) -> bool {
        kept.state().as_ref().is_some_and(|state| state.full.is_some())
    }

    #[test]
    fn kept_panels_give_the_same_bits() {
        for &level in Level::ALL {
            for (size @ [m, n, k], transposed) in
                [([17, 40, 30], true), ([33, 130, 500], true), ([300, 300, 401], true), ([65, 257, 500], false)]
            {
                let (a, b, kept) = (values(m * k, 1), values(k * n, 2), Kept::default());
                at_level(level, || {
                    let want = multiply(&a, &b, size, transposed, None);
                    for round in 0..3 {
                        assert_eq!(multiply(&a, &b, size, transposed, Some(&kept)), want, "{size:?}");
                        assert_eq!(is_full(&kept), round > 0, "{size:?}");
                    }
                });
            }
        }
    }

    #[test]
    fn written_memory_is_rearranged_again() {
        let size @ [m, n, k] = [40, 70, 90];
        let (a, mut b, mut kept) = (values(m * k, 1), values(k * n, 2), Kept::default());
        for seed in 2..5 {
            b = values(b.len(), seed);
            kept.forget();
            for _ in 0..3 {
                assert_eq!(multiply(&a, &b, size, true, Some(&kept)), multiply(&a, &b, size, true, None));
            }
            assert!(is_full(&kept));
        }
    }

    #[test]
    fn other_uses_in_between_keep_nothing() {
        let ([m, n, k], kept) = ([60, 150, 150], Kept::default());
        let (a, b) = (values(m * k, 1), values(k * n, 2));
        for round in 0..6 {
            let transposed = round % 2 == 0;
            let got = multiply(&a, &b, [m, n, k], transposed, Some(&kept));
            assert_eq!(got, multiply(&a, &b, [m, n, k], transposed, None));
            assert!(!is_full(&kept));
        }
    }

    #[test]
    fn memory_that_changes_unseen_is_not_kept() {
        let ([m, n, k], kept) = ([40, 70, 90], Kept::default());
        let (a, mut b) = (values(m * k, 1), values(k * n, 2));
        multiply(&a, &b, [m, n, k], true, Some(&kept));
        multiply(&a, &b, [m, n, k], true, Some(&kept));
        kept.never();
        b[0] = 5.0;
        for _ in 0..3 {
            assert_eq!(multiply(&a, &b, [m, n, k], true, Some(&kept)), multiply(&a, &b, [m, n, k], true, None));
        }
        assert!(!is_full(&kept));
    }

    #[test]
    fn no_more_than_a_share_of_memory_is_taken() {
        assert!(Share::take(limits::total()).is_none());
        assert!(Share::take(1 << 10).is_some());
    }
}
