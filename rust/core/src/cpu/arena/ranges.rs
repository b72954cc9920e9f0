//! Free memory for large blocks: ranges of slabs, the tightest fit first, neighbours joined again. Blocks of one size so
//! serve those of another, and the memory held stays near the most that was ever needed at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr::NonNull;

type Address = NonNull<u8>;

/// A range is fresh until it is handed out: zeros that the system has yet to provide.
#[derive(Clone, Copy)]
struct Range {
    bytes: usize,
    fresh: bool,
}

pub(super) struct Ranges {
    free: BTreeMap<Address, Range>,
    /// The free ranges by size: those in use before, and the fresh ones.
    by_size: [BTreeSet<(usize, Address)>; 2],
    /// Where each slab begins, and its size: ranges do not join across.
    slabs: BTreeMap<Address, usize>,
    /// Bytes in free ranges that are not fresh.
    pub(super) cached: usize,
}

/// What `Ranges::release` asks of the system.
pub(super) struct System {
    pub(super) unmap: fn(Address, usize),
    /// Gives the pages back but keeps the addresses, whose bytes are zeros then; false where that cannot be done.
    pub(super) discard: fn(Address, usize) -> bool,
}

fn end(address: Address, bytes: usize) -> Address {
    address.map_addr(|address| address.saturating_add(bytes))
}

impl Ranges {
    pub(super) const fn new() -> Ranges {
        Ranges { free: BTreeMap::new(), by_size: [BTreeSet::new(), BTreeSet::new()], slabs: BTreeMap::new(), cached: 0 }
    }

    pub(super) fn add_slab(&mut self, address: Address, bytes: usize) {
        self.slabs.insert(address, bytes);
        self.insert(address, Range { bytes, fresh: true });
    }

    /// The tightest free range of one kind, cut to size.
    pub(super) fn take(&mut self, bytes: usize, fresh: bool) -> Option<Address> {
        let first = (bytes, Address::dangling().map_addr(|_| std::num::NonZero::<usize>::MIN));
        let &(room, address) = self.by_size[usize::from(fresh)].range(first..).next()?;
        self.remove(address);
        if room > bytes {
            self.insert(end(address, bytes), Range { bytes: room - bytes, fresh });
        }
        Some(address)
    }

    /// Takes back what `take` handed out.
    pub(super) fn give(&mut self, address: Address, bytes: usize) {
        self.insert(address, Range { bytes, fresh: false });
    }

    /// Gives at least `wanted` cached bytes back to the system if there are so many; returns how many were.
    pub(super) fn release(&mut self, wanted: usize, system: &System) -> usize {
        let before = self.cached;
        let mut slab = self.slabs.first_key_value().map(|(&address, &bytes)| (address, bytes));
        while let Some((address, bytes)) = slab
            && before - self.cached < wanted
        {
            self.release_slab(address, bytes, system);
            slab = self.slabs.range(end(address, bytes)..).next().map(|(&address, &bytes)| (address, bytes));
        }
        before - self.cached
    }

    fn release_slab(&mut self, slab: Address, bytes: usize, system: &System) {
        let ranges: Vec<(Address, Range)> =
            self.free.range(slab..end(slab, bytes)).map(|(&address, &range)| (address, range)).collect();
        if ranges.iter().map(|(_, range)| range.bytes).sum::<usize>() == bytes {
            for (address, _) in ranges {
                self.remove(address);
            }
            self.slabs.remove(&slab);
            return (system.unmap)(slab, bytes);
        }
        for (address, range) in ranges {
            if !range.fresh && (system.discard)(address, range.bytes) {
                self.remove(address);
                self.insert(address, Range { bytes: range.bytes, fresh: true });
            }
        }
    }

    /// Adds a range, joined with free neighbours of its kind.
    fn insert(&mut self, mut address: Address, mut range: Range) {
        let after = end(address, range.bytes);
        let joins = |found: &Range| found.fresh == range.fresh;
        if !self.slabs.contains_key(&after) && self.free.get(&after).is_some_and(joins) {
            range.bytes += self.remove(after);
        }
        if !self.slabs.contains_key(&address)
            && let Some((&before, found)) = self.free.range(..address).next_back()
            && found.fresh == range.fresh
            && end(before, found.bytes) == address
        {
            range.bytes += self.remove(before);
            address = before;
        }
        self.cached += if range.fresh { 0 } else { range.bytes };
        self.by_size[usize::from(range.fresh)].insert((range.bytes, address));
        self.free.insert(address, range);
    }

    /// Forgets a free range; its size.
    fn remove(&mut self, address: Address) -> usize {
        let Some(range) = self.free.remove(&address) else { return 0 };
        self.by_size[usize::from(range.fresh)].remove(&(range.bytes, address));
        self.cached -= if range.fresh { 0 } else { range.bytes };
        range.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLAB: usize = 1 << 20;

    fn at(address: usize) -> Address {
        Address::dangling().map_addr(|_| std::num::NonZero::new(address).unwrap())
    }

    #[test]
    fn parts_join_again_and_the_tightest_range_is_taken() {
        let mut ranges = Ranges::new();
        ranges.add_slab(at(SLAB), SLAB);
        assert_eq!(ranges.take(4096, false), None);
        let blocks: Vec<Address> = [3, 1, 2, 4].map(|n| ranges.take(n * 4096, true).unwrap()).to_vec();
        assert_eq!(blocks, [at(SLAB), at(SLAB + 3 * 4096), at(SLAB + 4 * 4096), at(SLAB + 6 * 4096)]);
        ranges.give(blocks[0], 3 * 4096);
        ranges.give(blocks[2], 2 * 4096);
        assert_eq!(ranges.take(2 * 4096, false), Some(blocks[2]));
        ranges.give(blocks[2], 2 * 4096);
        assert_eq!(ranges.take(6 * 4096, false), None);
        ranges.give(blocks[1], 4096);
        assert_eq!(ranges.cached, 6 * 4096);
        assert_eq!(ranges.take(6 * 4096, false), Some(blocks[0]));
        assert_eq!(ranges.cached, 0);
    }

    #[test]
    fn slabs_do_not_join_and_free_ones_are_unmapped() {
        let mut ranges = Ranges::new();
        ranges.add_slab(at(SLAB), SLAB);
        ranges.add_slab(at(2 * SLAB), SLAB);
        assert_eq!(ranges.take(SLAB + 1, true), None);
        let (first, second) = (ranges.take(SLAB, true).unwrap(), ranges.take(SLAB, true).unwrap());
        ranges.give(first, SLAB);
        ranges.give(second, SLAB);
        assert_eq!(ranges.take(SLAB + 1, false), None);
        let kept = ranges.take(4096, false).unwrap();
        let system =
            System { unmap: |address, bytes| assert_eq!((address, bytes), (at(2 * SLAB), SLAB)), discard: |_, _| true };
        assert_eq!(ranges.release(usize::MAX, &system), 2 * SLAB - 4096);
        assert_eq!((kept, ranges.cached, ranges.slabs.len()), (first, 0, 1));
        ranges.give(kept, 4096);
        assert_eq!(ranges.take(SLAB, true), None);
    }

    /// Random use against a map of every byte's owner.
    #[test]
    fn blocks_never_overlap() {
        let mut ranges = Ranges::new();
        ranges.add_slab(at(SLAB), SLAB);
        let (mut state, mut live) = (1u64, Vec::<(usize, usize)>::new());
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (state >> 33) as usize;
            if random % 2 == 0 || live.is_empty() {
                let bytes = (1 + random % 40) * 4096;
                let Some(block) = ranges.take(bytes, false).or_else(|| ranges.take(bytes, true)) else { continue };
                let start = block.addr().get();
                assert!(start >= SLAB && start + bytes <= 2 * SLAB);
                assert!(live.iter().all(|&(other, size)| start + bytes <= other || other + size <= start));
                live.push((start, bytes));
            } else {
                let (start, bytes) = live.swap_remove(random / 2 % live.len());
                ranges.give(at(start), bytes);
            }
        }
        live.drain(..).for_each(|(start, bytes)| ranges.give(at(start), bytes));
        assert!(ranges.free.len() <= 2 && ranges.free.values().map(|range| range.bytes).sum::<usize>() == SLAB);
    }
}
