//! Typed temporary memory from the arena: unlike a `Vec` it refuses what the machine cannot give instead of touching it.

use super::arena::Block;
use crate::{Error, Result};
use bytemuck::Pod;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A list of fixed length that lives in an arena block.
#[derive(Debug)]
pub struct Scratch<T> {
    block: Block,
    elements: PhantomData<T>,
}

impl<T: Pod> Scratch<T> {
    /// `count` elements with arbitrary values.
    pub fn new(op: &str, count: usize) -> Result<Scratch<T>> {
        Ok(Scratch { block: Block::new(bytes::<T>(op, count)?)?, elements: PhantomData })
    }

    /// `count` zeros.
    pub fn zeroed(op: &str, count: usize) -> Result<Scratch<T>> {
        Ok(Scratch { block: Block::zeroed(bytes::<T>(op, count)?)?, elements: PhantomData })
    }
}

fn bytes<T>(op: &str, count: usize) -> Result<usize> {
    let bytes = count.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= isize::MAX as usize);
    bytes.ok_or_else(|| Error::memory(op, format!("cannot hold {count} temporary elements")))
}

impl<T: Pod> Deref for Scratch<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(self.block.as_bytes())
    }
}

impl<T: Pod> DerefMut for Scratch<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(self.block.as_bytes_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_is_a_slice_and_refuses_the_impossible() {
        let mut list = Scratch::<[u64; 2]>::zeroed("t", 5).unwrap();
        list[4] = [1, 2];
        assert_eq!((list.len(), list[0], list[4]), (5, [0; 2], [1, 2]));
        assert!(Scratch::<u64>::new("t", 0).unwrap().is_empty());
        assert!(matches!(Scratch::<u64>::new("t", usize::MAX / 2), Err(Error::Memory(_))));
        assert!(Scratch::<u64>::new("t", 1 << 50).is_err());
    }
}
