//! One recorder per device: dispatches and copies go into one open encoder and are submitted in batches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::buffer::Buffer;
use super::context::{Context, lock};
use super::pipeline::{Pipeline, RING_SLOT};
use super::staging::Staging;
use crate::{Error, Result};

/// Commands per submission: enough to hide its cost, few enough to start the device early.
const BATCH: u32 = 48;
/// The largest piece of an upload that is staged at once.
const UPLOAD_PIECE: usize = 8 << 20;

pub(super) struct Stream {
    // The pass ends before its encoder: fields drop in this order.
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: Option<wgpu::CommandEncoder>,
    commands: u32,
    work: f64,
    /// Parameter blocks of this batch, one slot each, written to `ring` just before the submission.
    blocks: Vec<u8>,
    ring: Option<(wgpu::Buffer, wgpu::BindGroup)>,
    staging: Staging,
}

/// One dispatch, ready to be recorded.
pub(super) struct Dispatch<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) buffers: &'a wgpu::BindGroup,
    pub(super) params: &'a [u8],
    pub(super) ring: bool,
    pub(super) groups: usize,
    /// Estimated arithmetic operations.
    pub(super) work: f64,
}

impl Stream {
    pub(super) fn new(device: &wgpu::Device) -> Stream {
        Stream {
            pass: None,
            encoder: None,
            commands: 0,
            work: 0.0,
            blocks: Vec::new(),
            ring: None,
            staging: Staging::new(device.clone()),
        }
    }

    fn encoder(&mut self, device: &wgpu::Device) -> &mut wgpu::CommandEncoder {
        self.pass = None;
        self.encoder.get_or_insert_with(|| device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default()))
    }

    fn pass(&mut self, device: &wgpu::Device) -> &mut wgpu::ComputePass<'static> {
        let encoder = self
            .encoder
            .get_or_insert_with(|| device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default()));
        self.pass.get_or_insert_with(|| {
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime()
        })
    }

    fn open_ring(&mut self, context: &Context) {
        if self.ring.is_some() {
            return;
        }
        let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("parameter ring"),
            size: u64::from(BATCH) * RING_SLOT,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let slot = wgpu::BufferBinding { buffer: &buffer, offset: 0, size: wgpu::BufferSize::new(RING_SLOT) };
        let group = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("parameter ring"),
            layout: &lock(&context.pipelines).ring,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(slot) }],
        });
        self.ring = Some((buffer, group));
    }

    fn dispatch(&mut self, context: &Context, dispatch: &Dispatch, (x, y): (u32, u32)) {
        if dispatch.ring {
            self.open_ring(context);
            let offset = self.blocks.len();
            self.blocks.extend_from_slice(dispatch.params);
            self.blocks.resize(offset + RING_SLOT as usize, 0);
            let group = self.ring.as_ref().map(|(_, group)| group.clone());
            self.pass(&context.device).set_bind_group(1, group.as_ref(), &[offset as u32]);
        }
        let pass = self.pass(&context.device);
        pass.set_pipeline(&dispatch.pipeline.raw);
        pass.set_bind_group(0, dispatch.buffers, &[]);
        if !dispatch.ring && !dispatch.params.is_empty() {
            pass.set_immediates(0, dispatch.params);
        }
        pass.dispatch_workgroups(x, y, 1);
        self.commands += 1;
        self.work += dispatch.work;
    }

    /// Hands everything recorded so far to the device.
    fn submit(&mut self, context: &Context) -> Result<()> {
        self.pass = None;
        self.commands = 0;
        self.work = 0.0;
        let Some(encoder) = self.encoder.take() else { return context.check() };
        if let Some((ring, _)) = self.ring.as_ref().filter(|_| !self.blocks.is_empty()) {
            // Runs after the previous submission and before this one, so one ring serves them all.
            context.queue.write_buffer(ring, 0, &self.blocks);
            self.blocks.clear();
        }
        self.staging.close();
        context.queue.submit([encoder.finish()]);
        self.staging.recall();
        context.check()
    }
}

/// Folds a count of workgroups into two dimensions; shaders unfold it as `x + y * num_workgroups.x`.
fn fold(groups: usize, limit: u32) -> Result<(u32, u32)> {
    let limit = limit as usize;
    let rows = groups.div_ceil(limit).max(1);
    let columns = groups.div_ceil(rows);
    match (u32::try_from(columns), u32::try_from(rows)) {
        (Ok(columns), Ok(rows)) if rows as usize <= limit => Ok((columns, rows)),
        _ => Err(Error::internal("gpu", format!("a grid of {groups} workgroups does not fit"))),
    }
}

impl Context {
    pub(super) fn record(&self, dispatch: &Dispatch) -> Result<()> {
        self.check()?;
        let grid = fold(dispatch.groups, self.limits.max_compute_workgroups_per_dimension)?;
        let mut stream = lock(&self.stream);
        stream.dispatch(self, dispatch, grid);
        if stream.commands >= BATCH || stream.work >= self.work_per_submit { stream.submit(self) } else { Ok(()) }
    }

    /// Copies host bytes into `target` from byte `offset` on, in recording order; both are multiples of four.
    pub(crate) fn write(&self, target: &Buffer, offset: u64, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let mut at = offset;
        for piece in bytes.chunks(UPLOAD_PIECE) {
            let mut stream = lock(&self.stream);
            let (staged, from, length) = self.guarded("gpu upload", || stream.staging.stage(piece))??;
            stream.encoder(&self.device).copy_buffer_to_buffer(&staged, from, target.raw(), at, length);
            stream.commands += 1;
            at += piece.len() as u64;
            if stream.commands >= BATCH || stream.staging.is_heavy() {
                stream.submit(self)?;
                drop(stream);
                // Large uploads wait for their staging memory instead of piling it up.
                if bytes.len() > UPLOAD_PIECE {
                    self.finish()?;
                }
            }
        }
        Ok(())
    }

    /// Copies `source` from byte `offset` on to the host, after everything recorded before.
    pub(crate) fn read(&self, source: &Buffer, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.check()?;
        let mut at = offset;
        for piece in bytes.chunks_mut(UPLOAD_PIECE) {
            self.read_piece(source, at, piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    fn read_piece(&self, source: &Buffer, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let skipped = offset % 4;
        let length = (skipped + bytes.len() as u64).next_multiple_of(4);
        let landing = {
            let mut stream = lock(&self.stream);
            let landing = self.guarded("gpu download", || stream.staging.landing(length))?;
            let encoder = stream.encoder(&self.device);
            encoder.copy_buffer_to_buffer(source.raw(), offset - skipped, &landing, 0, length);
            stream.submit(self)?;
            landing
        };
        let outcome = Arc::new(OnceLock::new());
        let reported = outcome.clone();
        landing.slice(..length).map_async(wgpu::MapMode::Read, move |result| {
            let _reported_once = reported.set(result);
        });
        self.wait_until(|| outcome.get().is_some())?;
        if let Some(Err(error)) = outcome.get() {
            return Err(Error::device(&self.name(), format!("the result cannot be read: {error}")));
        }
        let view = landing.slice(..length).get_mapped_range().map_err(|e| Error::internal(&self.name(), e))?;
        let start = skipped as usize;
        bytes.copy_from_slice(&view[start..start + bytes.len()]);
        drop(view);
        landing.unmap();
        lock(&self.stream).staging.keep_landing(landing);
        Ok(())
    }

    /// Waits until the device has done everything recorded so far.
    pub(crate) fn synchronize(&self) -> Result<()> {
        lock(&self.stream).submit(self)?;
        self.finish()
    }

    /// Waits for everything submitted so far.
    fn finish(&self) -> Result<()> {
        let done = Arc::new(AtomicBool::new(false));
        let reported = done.clone();
        self.queue.on_submitted_work_done(move || reported.store(true, Ordering::Release));
        self.wait_until(|| done.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_fold_covers_every_group() {
        for groups in [1, 2, 65_535, 65_536, 65_537, 131_071, 10_000_000, 4_294_000_000] {
            let (x, y) = fold(groups, 65_535).unwrap();
            let covered = x as usize * y as usize;
            assert!(x <= 65_535 && covered >= groups && covered - groups < y as usize, "{groups} -> {x} x {y}");
        }
        assert!(fold(usize::MAX, 65_535).is_err());
    }
}
