//! Host-visible buffers that uploads and downloads pass through, recycled once the device is done with them.

use std::sync::{Arc, Mutex};

use super::context::lock;
use crate::{Error, Result};

/// Small uploads share chunks of this size.
const CHUNK: u64 = 1 << 20;
/// Staging memory kept for reuse, and recorded before a submission is due.
const KEEP: u64 = 32 << 20;

pub(super) struct Staging {
    device: wgpu::Device,
    /// Mapped, partly filled: buffer and bytes used.
    open: Vec<(wgpu::Buffer, u64)>,
    /// Unmapped, in use by the batch that is being submitted.
    closed: Vec<wgpu::Buffer>,
    /// Mapped again after their batch; the device's callback puts them here.
    free: Arc<Mutex<Vec<wgpu::Buffer>>>,
    /// Unmapped read-back buffers.
    landings: Vec<wgpu::Buffer>,
}

impl Staging {
    pub(super) fn new(device: wgpu::Device) -> Staging {
        Staging { device, open: Vec::new(), closed: Vec::new(), free: Arc::default(), landings: Vec::new() }
    }

    /// Puts the bytes into staging memory: the buffer, where they start in it, and their padded length.
    pub(super) fn stage(&mut self, bytes: &[u8]) -> Result<(wgpu::Buffer, u64, u64)> {
        let length = (bytes.len() as u64).next_multiple_of(wgpu::MAP_ALIGNMENT);
        let fits = |(buffer, used): &(wgpu::Buffer, u64)| buffer.size() - used >= length;
        let place = match self.open.iter().position(fits) {
            Some(place) => place,
            None => {
                self.open.push((self.mapped(length), 0));
                self.open.len() - 1
            }
        };
        let (buffer, used) = &mut self.open[place];
        let start = *used;
        let padded = (bytes.len() as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT);
        let mut view =
            buffer.slice(start..start + padded).get_mapped_range_mut().map_err(|e| Error::internal("gpu upload", e))?;
        view.slice(..bytes.len()).copy_from_slice(bytes);
        *used += length;
        Ok((buffer.clone(), start, padded))
    }

    fn mapped(&self, length: u64) -> wgpu::Buffer {
        let mut free = lock(&self.free);
        match free.iter().position(|buffer| buffer.size() >= length) {
            Some(at) => free.swap_remove(at),
            None => self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("upload"),
                size: length.max(CHUNK),
                usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: true,
            }),
        }
    }

    /// Whether so much is staged that it should be submitted.
    pub(super) fn is_heavy(&self) -> bool {
        self.open.iter().map(|(_, used)| used).sum::<u64>() >= KEEP
    }

    /// Before a submission: mapped buffers may not be used by the device.
    pub(super) fn close(&mut self) {
        for (buffer, _) in self.open.drain(..) {
            buffer.unmap();
            self.closed.push(buffer);
        }
    }

    /// After a submission: maps the buffers again as soon as the device is done with them.
    pub(super) fn recall(&mut self) {
        for buffer in self.closed.drain(..) {
            let (free, kept) = (self.free.clone(), buffer.clone());
            buffer.slice(..).map_async(wgpu::MapMode::Write, move |result| {
                let mut free = lock(&free);
                let held: u64 = free.iter().map(wgpu::Buffer::size).sum();
                if result.is_ok() && held + kept.size() <= KEEP {
                    free.push(kept);
                }
            });
        }
    }

    /// An unmapped buffer that the device can copy `length` bytes into and the host can read.
    pub(super) fn landing(&mut self, length: u64) -> wgpu::Buffer {
        match self.landings.iter().position(|buffer| buffer.size() >= length) {
            Some(at) => self.landings.swap_remove(at),
            None => self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("download"),
                size: length.next_power_of_two().max(1 << 16),
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
        }
    }

    pub(super) fn keep_landing(&mut self, buffer: wgpu::Buffer) {
        let held: u64 = self.landings.iter().map(wgpu::Buffer::size).sum();
        if held + buffer.size() <= KEEP {
            self.landings.push(buffer);
        }
    }
}
