//! The channels of a contiguous (N, C, L) array: each has a run of L elements for every sample.

use std::marker::PhantomData;

/// Runs of one channel, which nobody else may use meanwhile.
pub struct ChannelMut<'a, T> {
    first: *mut T,
    samples: usize,
    step: usize,
    length: usize,
    array: PhantomData<&'a mut [T]>,
}

// SAFETY: a channel is a mutable borrow of its elements, which are no other channel's.
unsafe impl<T: Send> Send for ChannelMut<'_, T> {}

impl<T> ChannelMut<'_, T> {
    /// The run of every sample.
    pub fn runs(&mut self) -> impl Iterator<Item = &mut [T]> {
        // SAFETY: the run lies inside the array, apart from those of other samples and other channels.
        (0..self.samples).map(|i| unsafe { std::slice::from_raw_parts_mut(self.first.add(i * self.step), self.length) })
    }
}

/// The channels of an array, each to be written by itself; what is left behind the last whole sample is nobody's.
pub fn channels_mut<T: Send>(
    array: &mut [T],
    channels: usize,
    length: usize,
) -> impl ExactSizeIterator<Item = ChannelMut<'_, T>> + Send {
    struct Base<T>(*mut T);
    // SAFETY: only the channels made from it are used, and those are apart.
    unsafe impl<T: Send> Send for Base<T> {}
    impl<T> Base<T> {
        fn channel(&self, at: usize) -> *mut T {
            self.0.wrapping_add(at)
        }
    }
    let step = channels * length;
    let samples = array.len().checked_div(step).unwrap_or(0);
    let base = Base(array.as_mut_ptr());
    (0..channels).map(move |c| ChannelMut {
        first: base.channel(c * length),
        samples,
        step,
        length,
        array: PhantomData,
    })
}

/// The runs of channel `c`, to be read.
pub fn channel<T>(array: &[T], c: usize, channels: usize, length: usize) -> Vec<&[T]> {
    array.chunks(length).skip(c).step_by(channels).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::parts::for_each_item;

    #[test]
    fn channels_are_apart_and_cover_the_array() {
        for [samples, channels, length] in [[3, 4, 5], [1, 1, 1], [2, 3, 1], [0, 4, 2], [4, 0, 2], [1, 7, 16]] {
            let mut array = vec![usize::MAX; samples * channels * length];
            for_each_item(channels_mut(&mut array, channels, length).enumerate(), |(c, mut channel)| {
                assert_eq!(channel.runs().count(), samples);
                channel.runs().for_each(|run| run.fill(c));
                Ok(())
            })
            .unwrap();
            assert!(array.iter().enumerate().all(|(i, &c)| c == i / length % channels));
            for c in 0..channels {
                assert!(channel(&array, c, channels, length).into_iter().flatten().all(|&x| x == c));
            }
        }
    }
}
