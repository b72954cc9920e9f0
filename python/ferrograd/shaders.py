"""The shipped shaders through another host: wgpu-py runs each file as it is and NumPy says what must come out.

``python -m ferrograd.shaders list`` names the files, ``python -m ferrograd.shaders run softmax`` runs one,
``python -m ferrograd.shaders run`` all of them. Another host program and another shader compiler, with all run-time
checks on, see what the engine's own tests cannot. Needs ``pip install ferrograd[shaders]``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferrograd import _core

Array = NDArray[Any]

_IMMEDIATE = "var<immediate> params"
_BUFFER = "@group(1) @binding(0) var<storage, read> params"
_GROUP = 256


def sources() -> dict[str, str]:
    """The text of every shader file, by name."""
    return dict(sorted(_core._shaders().items()))


def run(
    text: str, inputs: list[Array], output: tuple[tuple[int, ...], Any], params: Array, groups: int, entry: str
) -> Array:
    """Runs one entry point: the output is bound first, the inputs behind it, the parameters as a storage buffer.

    Raises ImportError without wgpu-py, and whatever it reports about the shader.
    """
    wgpu, device = _device()
    module = device.create_shader_module(code=text.replace(_IMMEDIATE, _BUFFER))
    pipeline = device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": entry})
    shape, dtype = output
    usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC
    size = max(4, -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // 4) * 4)
    buffers = [device.create_buffer(size=size, usage=usage)]
    buffers += [device.create_buffer_with_data(data=np.ascontiguousarray(x), usage=usage) for x in inputs]
    parameters = device.create_buffer_with_data(data=params, usage=usage)
    encoder = device.create_command_encoder()
    compute = encoder.begin_compute_pass()
    compute.set_pipeline(pipeline)
    for index, bound in enumerate([buffers, [parameters]]):
        entries = [{"binding": n, "resource": {"buffer": buffer}} for n, buffer in enumerate(bound)]
        group = device.create_bind_group(layout=pipeline.get_bind_group_layout(index), entries=entries)
        compute.set_bind_group(index, group)
    compute.dispatch_workgroups(groups)
    compute.end()
    device.queue.submit([encoder.finish()])
    raw = np.frombuffer(device.queue.read_buffer(buffers[0]), dtype)
    return raw[: int(np.prod(shape))].reshape(shape)


_opened: list[Any] = []


def _device() -> Any:
    """The module wgpu and one device, opened the first time."""
    if not _opened:
        try:
            import wgpu
        except ImportError as error:
            raise ImportError(
                "ferrograd.shaders needs wgpu, install it with: pip install 'ferrograd[shaders]'"
            ) from error
        adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
        _opened.append((wgpu, adapter.request_device_sync()))
    return _opened[0]


@dataclass(frozen=True)
class Case:
    """One entry point of a file, its reference, and the band of agreement."""

    shader: str
    entry: str
    call: Callable[[str], tuple[Array, Array]]
    rtol: float = 2e-6


def _words(*values: int | float) -> Array:
    """A parameter block: floats keep their bits."""
    return np.array([np.float32(v).view(np.uint32) if isinstance(v, float) else v for v in values], np.uint32)


def _numbers(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def _copied(entry: str, extra: int) -> Callable[[str], tuple[Array, Array]]:
    def call(text: str) -> tuple[Array, Array]:
        x = _numbers(5000)
        params = _words(x.size, *[0] * extra)
        return run(text, [x], (x.shape, np.float32), params, -(-x.size // 1024), entry), x

    return call


def _reduced(entry: str, inner: int) -> Callable[[str], tuple[Array, Array]]:
    def call(text: str) -> tuple[Array, Array]:
        x = np.round(_numbers(7, 1000, inner) * 4)  # small integers: every order of adding gives the same sum
        params = _words(7, 1000, inner, 1, 1000, 0, 1000.0)
        groups = 7 if inner == 1 else -(-7 * inner // _GROUP)
        return run(text, [x], ((7, inner), np.float32), params, groups, entry), x.sum(axis=1)

    return call


def _softmax(text: str) -> tuple[Array, Array]:
    x = _numbers(9, 700) * 10
    got = run(text, [x], (x.shape, np.float32), _words(9, 700, 0, 0, 0), 9, "softmax_rows")
    e = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    return got, e / e.sum(axis=1, keepdims=True)


def _softmax_backward(text: str) -> tuple[Array, Array]:
    e = np.exp(_numbers(9, 700))
    y, dy = e / e.sum(axis=1, keepdims=True), _numbers(9, 700)
    got = run(text, [y, dy], (y.shape, np.float32), _words(9, 700, 0, 0, 0), 9, "softmax_rows_backward")
    return got, y * (dy - (y * dy).astype(np.float64).sum(axis=1, keepdims=True))


def _logsumexp_backward(text: str) -> tuple[Array, Array]:
    x, dy = _numbers(9, 700), _numbers(9)
    y = np.log(np.exp(x.astype(np.float64)).sum(axis=1)).astype(np.float32)
    got = run(text, [y, dy, x], (x.shape, np.float32), _words(9, 700, 0, 0, 0), 9, "logsumexp_rows_backward")
    return got, dy[:, None] * np.exp(x - y[:, None])


def _scanned(text: str) -> tuple[Array, Array]:
    x = np.round(_numbers(5, 40, 3) * 4)
    return run(text, [x], (x.shape, np.float32), _words(5, 40, 3, 0), 1, "scan_lines"), np.cumsum(x, axis=1)


def _multiplied(entry: str, m: int, n: int) -> Callable[[str], tuple[Array, Array]]:
    def call(text: str) -> tuple[Array, Array]:
        k = 90
        a, b = np.round(_numbers(2, m, k) * 4), np.round(_numbers(2, k, n) * 4)
        batch = (1, 1, 2, 0, 0, m * k, 0, 0, k * n)
        params = _words(m, n, k, 2, k, 1, n, 1, 0, 0, 0, *batch)
        tiles = {"matmul_tiles": -(-m // 64) * -(-n // 64), "matmul_dots": m * n, "matmul_columns": -(-m * n // 64)}
        return run(text, [a, b], ((2, m, n), np.float32), params, 2 * tiles[entry], entry), a @ b

    return call


CASES = [
    Case("copy", "copy_elements", _copied("copy_elements", 0), rtol=0),
    Case("elementwise", "elementwise", _copied("elementwise", 4), rtol=0),
    Case("reduce", "reduce_rows", _reduced("reduce_rows", 1), rtol=0),
    Case("reduce", "reduce_columns", _reduced("reduce_columns", 300), rtol=0),
    Case("softmax", "softmax_rows", _softmax, rtol=2e-5),  # alone it uses the coarser built-in exp
    Case("softmax", "softmax_rows_backward", _softmax_backward, rtol=2e-5),
    Case("softmax", "logsumexp_rows_backward", _logsumexp_backward, rtol=2e-5),
    Case("scan", "scan_lines", _scanned, rtol=0),
    Case("matmul", "matmul_tiles", _multiplied("matmul_tiles", 70, 65), rtol=0),
    Case("matmul", "matmul_dots", _multiplied("matmul_dots", 5, 1), rtol=0),
    Case("matmul", "matmul_columns", _multiplied("matmul_columns", 1, 130), rtol=0),
]


def check(case: Case) -> float:
    """Runs a case and returns the largest error; an AssertionError says where the results differ."""
    got, wanted = case.call(sources()[case.shader])
    np.testing.assert_allclose(got, wanted, rtol=case.rtol, atol=case.rtol, err_msg=f"{case.shader}: {case.entry}")
    return float(np.max(np.abs(got - wanted), initial=0.0))


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ferrograd.shaders", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=["list", "run"])
    parser.add_argument("name", nargs="?", help="one shader; all of them if left out")
    options = parser.parse_args(arguments)
    if options.name is not None and options.name not in sources():
        parser.error(f"no such shader, expected one of {', '.join(sources())}, got {options.name}")
    chosen = [case for case in CASES if options.name in (None, case.shader)]
    if options.command == "list":
        for name, text in sources().items():
            entries = [case.entry for case in CASES if case.shader == name]
            print(f"{name:<12} {len(text.splitlines()):4} lines  {', '.join(entries) or 'library'}")
        return 0
    for case in chosen:
        print(f"{case.shader:<12} {case.entry:<24} largest error {check(case):.1e}")
    if not chosen:
        print(f"{options.name} is a library of functions: nothing to run by itself")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
