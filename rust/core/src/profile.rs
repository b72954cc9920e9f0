//! What ops cost, counted while somebody asks. Off, an op pays one relaxed load.

use crate::device::Device;
use crate::error::Result;
use crate::gpu;
use crate::tensor::Tensor;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The calls of one op, on all threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    pub calls: u64,
    /// Without the ops that were called inside.
    pub time: Duration,
    /// Elements of the operands times their size, whatever their strides.
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Multiplications and additions of matrix products and what is made of them; other ops wait for memory.
    pub flops: u64,
}

/// What one call works on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub flops: u64,
}

static ON: AtomicBool = AtomicBool::new(false);
static COSTS: Mutex<BTreeMap<&'static str, Cost>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// Time spent so far in ops that the op now running has called.
    static INSIDE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn costs() -> MutexGuard<'static, BTreeMap<&'static str, Cost>> {
    COSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts counting from zero; false if it had been started before.
pub fn start() -> bool {
    let mut costs = costs();
    if ON.swap(true, Relaxed) {
        return false;
    }
    costs.clear();
    true
}

/// Stops counting and hands out the costs by op.
pub fn stop() -> BTreeMap<&'static str, Cost> {
    ON.store(false, Relaxed);
    std::mem::take(&mut costs())
}

pub fn is_on() -> bool {
    ON.load(Relaxed)
}

/// Runs `work`, and counts it under `name` while profiling is on.
#[inline]
pub fn observe<R>(name: &'static str, size: impl FnOnce(&R) -> Work, work: impl FnOnce() -> Result<R>) -> Result<R> {
    if is_on() { counted(name, size, work) } else { work() }
}

#[cold]
fn counted<R>(name: &'static str, size: impl FnOnce(&R) -> Work, work: impl FnOnce() -> Result<R>) -> Result<R> {
    let outer = INSIDE.replace(Duration::ZERO);
    let start = Instant::now();
    let result = work();
    let elapsed = start.elapsed();
    let inside = INSIDE.replace(outer + elapsed);
    if let Ok(result) = &result {
        let Work { bytes_in, bytes_out, flops } = size(result);
        let mut costs = costs();
        let cost = costs.entry(name).or_default();
        cost.calls += 1;
        cost.time += elapsed.saturating_sub(inside);
        cost.bytes_in += bytes_in;
        cost.bytes_out += bytes_out;
        cost.flops += flops;
    }
    result
}

/// While profiling is on, waits for what was recorded on the device, so that its time is counted where it belongs.
pub fn settle(device: Device) -> Result<()> {
    match device {
        Device::Gpu(number) if is_on() => gpu::synchronize(number),
        _ => Ok(()),
    }
}

/// Bytes of these tensors' elements.
pub fn bytes<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> u64 {
    tensors.into_iter().map(|x| (x.numel() * x.dtype().size()) as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_inside_belongs_to_the_inner_op() {
        let nap = Duration::from_millis(30);
        let rest = || {
            std::thread::sleep(nap);
            Ok(())
        };
        let sized = |bytes_in, bytes_out| move |_: &()| Work { bytes_in, bytes_out, flops: 5 };
        let work = || observe("test_inner", sized(3, 4), rest).and_then(|()| observe("test_inner", sized(3, 4), rest));
        assert!(observe("test_off", sized(1, 1), work).is_ok());
        assert!(start() && !start());
        assert!(observe("test_outer", sized(1, 2), work).is_ok());
        let costs = stop();
        let (inner, outer) = (costs["test_inner"], costs["test_outer"]);
        assert!(!costs.contains_key("test_off"));
        assert_eq!((inner.calls, inner.bytes_in, inner.bytes_out, inner.flops), (2, 6, 8, 10));
        assert_eq!((outer.calls, outer.bytes_in, outer.bytes_out), (1, 1, 2));
        assert!(inner.time >= 2 * nap && outer.time < inner.time);
        // Ops of other tests may end after the stop; this one's are gone.
        assert!(!stop().contains_key("test_inner"));
    }
}
