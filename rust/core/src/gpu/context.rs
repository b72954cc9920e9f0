//! The GPUs of this machine: listed and opened on first use, one context each, alive until the process ends.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::buffer::Pool;
use super::pipeline::Pipelines;
use super::stream::Stream;
use crate::cpu::pool;
use crate::{Error, Result};

/// What a user sees of a GPU before opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    pub name: String,
    /// "discrete", "integrated", "virtual", "software" or "other".
    pub kind: &'static str,
    /// "vulkan", "metal" or "dx12".
    pub backend: String,
    pub driver: String,
}

impl std::fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {}, {})", self.name, self.kind, self.backend, self.driver)
    }
}

/// One opened GPU: the handles of wgpu and the machinery that every kernel shares.
pub(crate) struct Context {
    pub(super) index: usize,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    /// All run-time checks of the shaders are on (`FERROGRAD_GPU_CHECKED=1`).
    pub(super) checked: bool,
    /// Arithmetic operations that fit into one submission before a watchdog may reset the device.
    pub(super) work_per_submit: f64,
    pub(super) pool: Mutex<Pool>,
    pub(super) pipelines: Mutex<Pipelines>,
    pub(super) stream: Mutex<Stream>,
    fault: Arc<Fault>,
}

/// What wgpu reported outside of any call of ours; read at the next call instead of panicking.
#[derive(Default)]
struct Fault {
    raised: AtomicBool,
    lost: OnceLock<String>,
    error: Mutex<Option<String>>,
}

struct Slot {
    adapter: wgpu::Adapter,
    info: DeviceInfo,
    context: OnceLock<Result<Context>>,
}

static SLOTS: OnceLock<Vec<Slot>> = OnceLock::new();

/// The process that touched the GPU first; GPU contexts do not survive a fork.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Locks without ever panicking: our critical sections leave no half-made state behind.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// True in a forked child of the process that uses the GPU: its locks and handles must not be touched.
pub(super) fn is_forked_child() -> bool {
    let owner = OWNER.load(Ordering::Relaxed);
    owner != 0 && owner != std::process::id()
}

fn claim() -> Result<()> {
    let me = std::process::id();
    match OWNER.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed) {
        Err(owner) if owner != me => Err(Error::device(
            "gpu",
            "this process was forked from one that uses the GPU, expected a process started afresh (spawn)",
        )),
        _ => Ok(()),
    }
}

fn slots() -> Result<&'static [Slot]> {
    claim()?;
    Ok(SLOTS.get_or_init(list_adapters))
}

fn list_adapters() -> Vec<Slot> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    let backends = descriptor.backends;
    let instance = wgpu::Instance::new(descriptor);
    let mut found = pollster::block_on(instance.enumerate_adapters(backends));
    // A stable sort keeps the driver's own order between equals.
    found.sort_by_key(|adapter| rank(&adapter.get_info()));
    let mut slots: Vec<Slot> = Vec::new();
    for adapter in found {
        let info = adapter.get_info();
        let seen = |slot: &Slot| {
            let other = slot.adapter.get_info();
            other.backend != info.backend && (other.vendor, other.device) == (info.vendor, info.device)
        };
        if !slots.iter().any(seen) {
            slots.push(Slot { info: describe(&info), adapter, context: OnceLock::new() });
        }
    }
    slots
}

/// Fast devices first, software last; Vulkan and Metal before DX12, which lists the same cards again.
fn rank(info: &wgpu::AdapterInfo) -> (u8, bool) {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    (kind, info.backend == wgpu::Backend::Dx12)
}

fn describe(info: &wgpu::AdapterInfo) -> DeviceInfo {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Other => "other",
        wgpu::DeviceType::Cpu => "software",
    };
    let driver = format!("{} {}", info.driver, info.driver_info).trim().to_string();
    DeviceInfo { name: info.name.clone(), kind, backend: info.backend.to_str().to_string(), driver }
}

/// The GPUs of this machine in the order of their indices; empty without a driver.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    Ok(slots()?.iter().map(|slot| slot.info.clone()).collect())
}

/// Whether `x.to("gpu")` can work in this process.
pub fn is_available() -> bool {
    slots().is_ok_and(|slots| !slots.is_empty())
}

/// The opened context of `gpu:index`.
pub(crate) fn context(index: usize) -> Result<&'static Context> {
    let slots = slots()?;
    let Some(slot) = slots.get(index) else {
        return Err(Error::device("gpu", missing(slots.len(), index)));
    };
    slot.context.get_or_init(|| Context::open(index, &slot.adapter)).as_ref().map_err(Clone::clone)
}

fn missing(count: usize, index: usize) -> String {
    match count {
        0 => "no GPU found, expected a Vulkan, Metal or DirectX 12 driver (on Linux the Vulkan loader libvulkan.so.1)"
            .to_string(),
        n => format!("no such device, expected gpu:0 to gpu:{}, got gpu:{index}", n - 1),
    }
}

impl Context {
    fn open(index: usize, adapter: &wgpu::Adapter) -> Result<Context> {
        let wanted = wgpu::Features::SHADER_F16 | wgpu::Features::IMMEDIATES | wgpu::Features::SUBGROUP;
        let features = adapter.features() & wanted;
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("ferrograd"),
            required_features: features,
            required_limits: limits.clone(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|e| Error::device(&format!("gpu:{index}"), format!("cannot be opened: {e}")))?;
        let fault = Arc::new(Fault::default());
        let (on_error, on_loss) = (fault.clone(), fault.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&on_error.error).get_or_insert(error.to_string());
            on_error.raised.store(true, Ordering::Release);
        }));
        device.set_device_lost_callback(move |reason, message| {
            let _first_reason_wins = on_loss.lost.set(format!("{reason:?} {message}").trim().to_string());
            on_loss.raised.store(true, Ordering::Release);
        });
        let software = adapter.get_info().device_type == wgpu::DeviceType::Cpu;
        let context = Context {
            index,
            checked: std::env::var("FERROGRAD_GPU_CHECKED").is_ok_and(|value| value == "1"),
            work_per_submit: if software { 1e9 } else { 2e11 },
            pool: Mutex::new(Pool::new(&limits)),
            pipelines: Mutex::new(Pipelines::new(&device)),
            stream: Mutex::new(Stream::new(&device)),
            limits,
            device,
            queue,
            fault,
        };
        context.check()?;
        Ok(context)
    }

    /// The name that messages use.
    pub(super) fn name(&self) -> String {
        format!("gpu:{}", self.index)
    }

    pub(super) fn supports_f16(&self) -> bool {
        self.device.features().contains(wgpu::Features::SHADER_F16)
    }

    /// Fails if the device was lost, or with the first error that no call has reported yet.
    pub(super) fn check(&self) -> Result<()> {
        claim()?;
        if !self.fault.raised.load(Ordering::Acquire) {
            return Ok(());
        }
        if let Some(reason) = self.fault.lost.get() {
            return Err(Error::device(&self.name(), format!("the device was lost ({reason}), restart the process")));
        }
        self.fault.raised.store(false, Ordering::Release);
        match lock(&self.fault.error).take() {
            Some(message) => Err(Error::internal(&self.name(), message)),
            None => Ok(()),
        }
    }

    /// Runs `make` and turns the errors of wgpu inside it into ours: `Memory` for exhaustion, else `Internal`.
    pub(super) fn guarded<T>(&self, what: &str, make: impl FnOnce() -> T) -> Result<T> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let made = make();
        let wrong = pollster::block_on(validation.pop());
        let wrong = pollster::block_on(internal.pop()).or(wrong);
        if let Some(error) = pollster::block_on(memory.pop()) {
            return Err(Error::memory(what, error));
        }
        self.check()?;
        match wrong {
            Some(error) => Err(Error::internal(what, error)),
            None => Ok(made),
        }
    }

    /// Polls the device until `done`; holds no lock. Blocking waits of wgpu are not used: they assert when several
    /// threads poll, and could be neither interrupted nor see a lost device.
    pub(super) fn wait_until(&self, done: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        loop {
            self.device.poll(wgpu::PollType::Poll).map_err(|e| Error::internal(&self.name(), e))?;
            if done() {
                return self.check();
            }
            self.check()?;
            pool::check_interrupt()?;
            // Short waits stay short, long ones leave the processor to others.
            let waited = start.elapsed();
            match waited < Duration::from_micros(100) {
                true => std::thread::yield_now(),
                false => std::thread::sleep((waited / 10).min(Duration::from_millis(1))),
            }
        }
    }
}
