//! Work in parts: how large they are, and items of an iterator in parallel, each handled by one thread, any of which may fail.

use super::pool::parallel_for;
use crate::{Error, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Size of the fewest parts of at most `most` that make up `total`, as even as possible.
pub fn even(total: usize, most: usize) -> usize {
    total.div_ceil(total.div_ceil(most).max(1)).max(1)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `body` once with every item; threads draw items in order. The first error found is returned.
///
/// Zipping `chunks_mut` of several outputs gives each task its own part of all of them without unsafe code.
pub fn for_each_item<I>(items: I, body: impl Fn(I::Item) -> Result<()> + Sync) -> Result<()>
where
    I: ExactSizeIterator + Send,
{
    let count = items.len();
    let items = Mutex::new(items);
    let failed: Mutex<Option<Error>> = Mutex::new(None);
    parallel_for(count, &|_| {
        let item = lock(&items).next();
        if let Some(Err(error)) = item.map(&body) {
            lock(&failed).get_or_insert(error);
        }
    })?;
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_handled_once() {
        let (mut a, mut b) = (vec![0u32; 1000], vec![0u64; 2000]);
        for_each_item(a.chunks_mut(7).zip(b.chunks_mut(14)).enumerate(), |(i, (a, b))| {
            a.fill(i as u32);
            b.iter_mut().for_each(|b| *b += i as u64);
            Ok(())
        })
        .unwrap();
        assert!(a.iter().enumerate().all(|(i, &a)| a as usize == i / 7));
        assert!(b.iter().enumerate().all(|(i, &b)| b as usize == i / 14));
    }

    #[test]
    fn an_error_comes_out() {
        let outcome = for_each_item(0..100, |i| if i == 42 { Err(Error::value("t", "42")) } else { Ok(()) });
        assert_eq!(outcome, Err(Error::value("t", "42")));
    }
}
