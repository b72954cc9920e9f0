"""What there is on the GPU side. Nothing here opens a device before it is asked."""

from __future__ import annotations

from ferrograd import _core


def devices() -> list[str]:
    """The adapters, in the order of "gpu:0", "gpu:1", ..."""
    return _core._gpu_devices()


def is_available() -> bool:
    """Whether any adapter is there; without a Vulkan, Metal or DirectX 12 driver the answer is no."""
    return bool(devices())


def memory_stats(device: int = 0) -> dict[str, int]:
    """Bytes live, cached, at the peak and allowed, and how many buffers were allocated and reused."""
    return _core._gpu_memory_stats(device)


def synchronize(device: int = 0) -> None:
    """Waits until everything recorded so far is done."""
    _core._gpu_synchronize(device)


def empty_cache(device: int = 0) -> None:
    """Gives unused memory back to the driver."""
    _core._gpu_empty_cache(device)
