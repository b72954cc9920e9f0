"""The GPU as a citizen of the process: forks, limits, memory, errors, and a training step like the CPU's."""

from __future__ import annotations

import numpy as np
import pytest

import ferrograd as fg
from harness.interpreter import python

needs_gpu = pytest.mark.skipif(
    not fg.gpu.is_available(),
    reason="no GPU adapter found (apt-get install mesa-vulkan-drivers libvulkan1 gives a software one)",
)


def test_without_a_driver_the_error_says_what_is_missing() -> None:
    code = """
import ferrograd as fg
print(fg.gpu.is_available(), fg.gpu.devices())
try:
    fg.ones(2).to("gpu")
except fg.DeviceError as error:
    print(error)
"""
    # No driver is found under a manifest that does not exist.
    first, message = python(code, VK_DRIVER_FILES="/nonexistent", VK_ICD_FILENAMES="/nonexistent").splitlines()
    assert first == "False []"
    assert message.startswith("gpu: no GPU found, expected")


@needs_gpu
def test_a_missing_device_is_named() -> None:
    with pytest.raises(fg.DeviceError, match=r"no such device, expected gpu:0 to gpu:.*, got gpu:99"):
        fg.ones(2).to("gpu:99")


@needs_gpu
def test_a_forked_child_gets_an_error_and_the_parent_goes_on() -> None:
    code = """
import os, ferrograd as fg
x = fg.ones(3).to("gpu")
child = os.fork()
if child == 0:
    try:
        x + x
    except fg.DeviceError as error:
        print(error, flush=True)
    assert not fg.gpu.is_available()
    del x
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print((x + x).to("cpu").numpy().tolist())
"""
    message, values = python(code).splitlines()
    assert "forked" in message
    assert values == "[2.0, 2.0, 2.0]"


@needs_gpu
@pytest.mark.parametrize("dtype", ["float64", "int64", "complex64", "bfloat16", "uint8"])
def test_types_that_shaders_lack_are_refused_by_name(dtype: str) -> None:
    with pytest.raises(fg.DTypeError, match=f"to: wrong dtype for the gpu, expected bool, .*, got {dtype}"):
        fg.ones(2, dtype=getattr(fg, dtype)).to("gpu")


@needs_gpu
def test_memory_is_reused_and_given_back() -> None:
    x = fg.ones((300, 301)).to("gpu")
    for _ in range(5):
        x = x * 1.5
    before = fg.gpu.memory_stats()
    for _ in range(50):
        x = x * 0.5
    after = fg.gpu.memory_stats()
    assert after["allocations"] == before["allocations"]
    assert after["reused"] >= before["reused"] + 50
    fg.gpu.empty_cache()
    assert fg.gpu.memory_stats()["cached"] == 0
    assert x.to("cpu").shape == (300, 301)


@needs_gpu
def test_operands_on_two_devices_are_refused() -> None:
    with pytest.raises(fg.DeviceError, match="different devices"):
        fg.ones(2) + fg.ones(2).to("gpu")


@needs_gpu
def test_a_training_run_follows_the_cpu() -> None:
    random = np.random.default_rng(0)
    data = {
        name: random.normal(size=shape).astype(np.float32)
        for name, shape in {"x": (32, 10), "w1": (16, 10), "b1": (16,), "w2": (4, 16), "y": (32, 4)}.items()
    }

    def run(device: str) -> list[float]:
        tensors = {name: fg.asarray(values).to(device) for name, values in data.items()}
        parameters = {name: tensors[name] for name in ("w1", "b1", "w2")}
        losses = []
        for _ in range(20):
            for tensor in parameters.values():
                tensor.requires_grad = True
            hidden = fg.nn.functional.gelu(tensors["x"] @ parameters["w1"].T + parameters["b1"])
            log_probabilities = fg.log_softmax(hidden @ parameters["w2"].T, axis=-1)
            target = fg.softmax(tensors["y"], axis=-1)
            loss = -fg.mean(fg.sum(target * log_probabilities, axis=-1))
            loss.backward()
            losses.append(float(loss))
            with fg.no_grad():
                parameters = {name: (each - each.grad * 0.5).detach() for name, each in parameters.items()}
        return losses

    cpu, gpu = run("cpu"), run("gpu")
    # Rounding differences grow from step to step; twenty steps stay well inside this.
    np.testing.assert_allclose(gpu, cpu, rtol=2e-4)
    assert gpu[-1] < gpu[0]
