//! Sorting rows of contiguous memory by (key, place): ties keep their order, so every sort here is stable.

use super::key::SortKey;
use crate::cpu::parts::for_each_item;
use crate::cpu::pool;
use crate::dtype::Element;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Elements per task.
const GRAIN: usize = 8 * 1024;

/// The order asked for, and how many of the first elements are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub descending: bool,
    pub count: usize,
}

/// Pairs of key and place, in memory whose size was asked for politely.
pub fn keyed<T: SortKey>(op: &str, row: &[T]) -> Result<Vec<(T::Key, usize)>> {
    let mut pairs = Vec::new();
    pairs.try_reserve_exact(row.len()).map_err(|_| Error::memory(op, format!("no memory to sort {}", row.len())))?;
    for (part, elements) in row.chunks(LONG).enumerate() {
        pool::check_interrupt()?;
        pairs.extend(elements.iter().enumerate().map(|(i, x)| (x.key(), part * LONG + i)));
    }
    Ok(pairs)
}

/// Sorts each row of `n`, writing the first `wanted.count` values and their places.
pub fn sort_rows<T: SortKey>(
    op: &str,
    x: &[T],
    n: usize,
    wanted: Wanted,
    values: &mut [T],
    places: &mut [i64],
) -> Result<()> {
    let k = wanted.count;
    if places.is_empty() {
        return Ok(());
    }
    let rows = (GRAIN / n.max(1)).max(1);
    if n > LONG {
        // Each long row is itself the work of all threads.
        for (row, places) in x.chunks_exact(n).zip(places.chunks_mut(k)) {
            places.iter_mut().zip(order_row(op, row, wanted)?).for_each(|(out, (_, i))| *out = i as i64);
        }
        return fill_values(x, n, k, places, values);
    }
    let out_of_memory = AtomicBool::new(false);
    pool::for_each_chunk(places, rows * k, |task, places| {
        for (i, places) in places.chunks_mut(k).enumerate() {
            match order_row(op, &x[(task * rows + i) * n..][..n], wanted) {
                Ok(pairs) => places.iter_mut().zip(pairs).for_each(|(out, (_, i))| *out = i as i64),
                Err(_) => out_of_memory.store(true, Ordering::Relaxed),
            }
        }
    })?;
    if out_of_memory.into_inner() {
        return Err(Error::memory(op, format!("no memory to sort rows of {n}")));
    }
    fill_values(x, n, k, places, values)
}

/// The values at the places found.
fn fill_values<T: Element>(x: &[T], n: usize, k: usize, places: &[i64], values: &mut [T]) -> Result<()> {
    pool::for_each_chunk(values, GRAIN, |task, values| {
        let start = task * GRAIN;
        for (i, out) in values.iter_mut().enumerate() {
            *out = x[(start + i) / k * n + places[start + i] as usize];
        }
    })
}

fn order_row<T: SortKey>(op: &str, row: &[T], wanted: Wanted) -> Result<Vec<(T::Key, usize)>> {
    let mut pairs = keyed(op, row)?;
    if wanted.descending {
        pairs.iter_mut().for_each(|(key, _)| *key = T::descending(*key));
    }
    if wanted.count < pairs.len() {
        if wanted.count > 0 {
            pairs.select_nth_unstable(wanted.count - 1);
        }
        pairs.truncate(wanted.count);
    }
    sort_pairs(op, pairs)
}

/// Rows longer than this are sorted in buckets, so that threads share them and Ctrl-C ends them.
const LONG: usize = 1 << 20;
/// Buckets of a long row, chosen by a sample of its elements.
const BUCKETS: usize = 512;

/// Sorts pairs, no two of which are equal.
fn sort_pairs<K: Copy + Ord + Send + Sync>(op: &str, mut pairs: Vec<(K, usize)>) -> Result<Vec<(K, usize)>> {
    if pairs.len() <= LONG {
        pairs.sort_unstable();
        return Ok(pairs);
    }
    let mut sample: Vec<(K, usize)> = pairs.iter().step_by(pairs.len() / (BUCKETS * 16)).copied().collect();
    sample.sort_unstable();
    let limits: Vec<(K, usize)> = sample.chunks(16).skip(1).map(|part| part[0]).collect();
    let bucket = |pair: &(K, usize)| limits.partition_point(|limit| limit <= pair);
    let mut sizes = vec![0usize; limits.len() + 1];
    for part in pairs.chunks(LONG) {
        pool::check_interrupt()?;
        part.iter().for_each(|pair| sizes[bucket(pair)] += 1);
    }
    let mut next = Vec::with_capacity(sizes.len());
    sizes.iter().fold(0, |start, size| {
        next.push(start);
        start + size
    });
    let mut sorted = Vec::new();
    sorted.try_reserve_exact(pairs.len()).map_err(|_| Error::memory(op, "no memory for the sorted row"))?;
    for part in pairs.chunks(LONG) {
        pool::check_interrupt()?;
        sorted.extend_from_slice(part);
    }
    for part in pairs.chunks(LONG) {
        pool::check_interrupt()?;
        for pair in part {
            let place = &mut next[bucket(pair)];
            sorted[*place] = *pair;
            *place += 1;
        }
    }
    let mut rest = sorted.as_mut_slice();
    let mut parts: Vec<&mut [(K, usize)]> = Vec::with_capacity(sizes.len());
    for size in sizes {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(size);
        parts.push(part);
        rest = after;
    }
    for_each_item(parts.into_iter(), |part| {
        part.sort_unstable();
        Ok(())
    })?;
    Ok(sorted)
}

/// For each value the place in the sorted `row` where it belongs: before (`right`: behind) its equals.
pub fn search<T: SortKey>(row: &[T], values: &[T], right: bool, out: &mut [i64]) -> Result<()> {
    pool::for_each_chunk(out, GRAIN, |task, out| {
        for (out, value) in out.iter_mut().zip(&values[task * GRAIN..]) {
            let key = value.key();
            *out = row.partition_point(|x| if right { x.key() <= key } else { x.key() < key }) as i64;
        }
    })
}

/// Whether each value is one of `keys`, which are sorted; NaN never is.
pub fn contains<T: SortKey>(keys: &[(T::Key, usize)], values: &[T], invert: bool, out: &mut [bool]) -> Result<()> {
    pool::for_each_chunk(out, GRAIN, |task, out| {
        for (out, value) in out.iter_mut().zip(&values[task * GRAIN..]) {
            let key = value.key();
            let found = key != T::LAST && keys.binary_search_by(|(k, _)| k.cmp(&key)).is_ok();
            *out = found != invert;
        }
    })
}
