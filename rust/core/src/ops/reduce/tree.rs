//! A fixed binary tree of merges: the error of a sum grows with the logarithm of its length, and the shape of the
//! tree depends on the number of blocks alone, so that any split into runs of 2^k blocks gives the same bits.

use smallvec::SmallVec;

/// Merges arrays of `width` accumulators as they come, like a binary counter carries.
pub struct Tree<A, M> {
    width: usize,
    count: usize,
    /// Finished subtrees, largest first.
    stack: SmallVec<[A; 40]>,
    merge: M,
}

impl<A: Copy, M: Fn(A, A) -> A> Tree<A, M> {
    pub fn new(width: usize, merge: M) -> Tree<A, M> {
        Tree { width, count: 0, stack: SmallVec::new(), merge }
    }

    pub fn push(&mut self, values: &[A]) {
        self.stack.extend_from_slice(values);
        (0..self.count.trailing_ones()).for_each(|_| self.merge_top());
        self.count += 1;
    }

    fn merge_top(&mut self) {
        let at = self.stack.len() - self.width;
        let (rest, top) = self.stack.split_at_mut(at);
        let below = &mut rest[at - self.width..];
        for i in 0..self.width {
            below[i] = (self.merge)(below[i], top[i]);
        }
        self.stack.truncate(at);
    }

    /// Writes the merge of everything pushed; leaves `out` alone when nothing was.
    pub fn finish(mut self, out: &mut [A]) {
        while self.stack.len() > self.width {
            self.merge_top();
        }
        if self.count > 0 {
            out.copy_from_slice(&self.stack);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_power_of_two_give_the_same_bits() {
        let values: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
        let total = |parts: &[f32]| {
            let mut tree = Tree::new(1, |a: f32, b: f32| a + b);
            parts.iter().for_each(|p| tree.push(&[*p]));
            let mut out = [0.0];
            tree.finish(&mut out);
            out[0]
        };
        let by_64: Vec<f32> = values.chunks(64).map(total).collect();
        assert_eq!(total(&values), total(&by_64));
    }
}
