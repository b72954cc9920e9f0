"""A good citizen of its process: import, Ctrl-C, fork, threads, exit, memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import ferrograd as fg
from harness.interpreter import python


def test_import_starts_no_thread_and_opens_no_device() -> None:
    code = """
import numpy, os
def files():
    descriptors = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return {os.readlink(path) for path in descriptors if os.path.exists(path)}
threads, before = len(os.listdir("/proc/self/task")), files()
import ferrograd
started, opened = len(os.listdir("/proc/self/task")) - threads, sorted(files() - before)
print(started, opened, "vulkan" in open("/proc/self/maps").read())
"""
    assert python(code) == "0 [] False"


def test_import_is_quick_and_small() -> None:
    code = """
import numpy, time
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
memory, start = resident(), time.perf_counter()
import ferrograd
print(time.perf_counter() - start, (resident() - memory) / 2**20)
"""
    measured = [tuple(map(float, python(code).split())) for _ in range(5)]
    # The promise is 30 ms on an idle machine; the machine that runs tests is not idle.
    assert min(seconds for seconds, _ in measured) < 0.15
    assert min(megabytes for _, megabytes in measured) < 20


def test_denormals_are_zeros_for_ops_alone_and_only_when_asked() -> None:
    code = """
import numpy as np, ferrograd as fg
tiny = fg.full(1 << 20, 1e-40)
kept = lambda: bool((tiny * 1.0).max() > 0)
print(kept(), fg.set_flush_denormal(True), kept(), np.float32(1e-38) / np.float32(1e3) != 0)
print((tiny.reshape(1024, 1024) @ fg.ones((1024, 1024))).max().item() == 0, fg.set_flush_denormal(False), kept())
"""
    assert python(code).split() == ["True", "True", "False", "True", "True", "True", "True"]


def test_import_changes_no_signal_handler_and_no_environment() -> None:
    code = """
import numpy, os, signal
before = dict(os.environ), [signal.getsignal(s) for s in signal.valid_signals()]
import ferrograd as fg
fg.sum(fg.matmul(fg.ones((300, 300)), fg.ones((300, 300))))
assert before == (dict(os.environ), [signal.getsignal(s) for s in signal.valid_signals()])
import numpy as np
assert np.float32(1e-38) / np.float32(1e3) != 0, "flush-to-zero mode was set"
print("unchanged")
"""
    assert python(code) == "unchanged"


LONG_CALLS = {
    "matmul": "x = fg.ones((3000, 3000))\nwhile True: fg.matmul(x, x)",
    "one long call": "x = fg.ones((12000, 12000))\nstarted()\nfg.matmul(x, x)",
    "sort": "x = fg.rand((60_000_000,))\nstarted()\nfg.sort(x)",
}


@pytest.mark.parametrize("name", LONG_CALLS)
def test_ctrl_c_ends_a_long_call_and_leaves_the_state_intact(name: str) -> None:
    code = f"""
import ferrograd as fg, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background inherits SIGINT ignored
def started(): print("started", flush=True)
started() if "started" not in {LONG_CALLS[name]!r} else None
try:
    exec({LONG_CALLS[name]!r})
except KeyboardInterrupt:
    print("interrupted", time.time(), float(fg.sum(fg.ones(1000))), flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "started"
        time.sleep(0.3)
        sent = time.time()
        child.send_signal(signal.SIGINT)
        said, moment, total = child.communicate(timeout=60)[0].split()
    finally:
        child.kill()
    assert said == "interrupted"
    assert float(total) == 1000.0
    # The promise is half a second; two test processes share the cores here.
    assert float(moment) - sent < 2.0


def test_fork_works_after_the_pool_has_run() -> None:
    code = """
import os, warnings
import ferrograd as fg
warnings.simplefilter("ignore")
x = fg.ones((400, 400))
expected = float(fg.sum(x @ x))
pid = os.fork()
if pid == 0:
    os._exit(0 if float(fg.sum(x @ x)) == expected else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), float(fg.sum(x @ x)) == expected)
"""
    assert python(code) == "0 True"


def test_eight_threads_share_tensors() -> None:
    x = fg.asarray(np.random.default_rng(0).normal(size=(200, 200)))
    w = fg.tensor(np.ones((200, 200)), requires_grad=True)
    expected = float(fg.sum(fg.tanh(x @ x)))

    def work(_: int) -> float:
        for _ in range(10):
            total = float(fg.sum(fg.tanh(x @ x)))
            fg.sum(w * x).backward()
        return total

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(8))) == {expected}
    np.testing.assert_allclose(np.asarray(w.grad), 80 * np.asarray(x), rtol=1e-12)


def test_the_interpreter_lock_is_released_in_long_work() -> None:
    x = fg.ones((1500, 1500))
    ticks, stop = [], threading.Event()

    def tick() -> None:
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.002)

    watcher = threading.Thread(target=tick)
    watcher.start()
    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.5:
        fg.matmul(x, x)
    stop.set()
    watcher.join()
    assert len(ticks) > 20


def test_exit_does_not_hang_with_work_in_another_thread() -> None:
    code = """
import threading, ferrograd as fg
x = fg.ones((500, 500))
def forever():
    while True: fg.matmul(x, x)
threading.Thread(target=forever, daemon=True).start()
print("bye")
"""
    assert python(code) == "bye"


def test_exceptions_do_not_leak() -> None:
    import resource

    x = fg.ones((100, 100))
    for step in range(10_000):
        with pytest.raises(fg.ShapeError):
            x @ x[:50]
        if step == 1000:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096


def test_thread_count_is_honoured_and_checked() -> None:
    before = fg.get_num_threads()
    try:
        fg.set_num_threads(1)
        assert fg.get_num_threads() == 1
        for bad in (0, -1, 2**40):
            with pytest.raises((ValueError, OverflowError)):
                fg.set_num_threads(bad)
    finally:
        fg.set_num_threads(before)


def test_a_wrong_cpu_level_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import ferrograd as fg; fg.exp(fg.ones(3))"],
        env={**os.environ, "FERROGRAD_CPU_LEVEL": "pentium"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "FERROGRAD_CPU_LEVEL" in done.stderr


def test_large_allocations_fail_with_an_error() -> None:
    with pytest.raises(fg.OutOfMemoryError, match=r"bytes|GiB"):
        fg.ones((2**45,))
    assert float(fg.sum(fg.ones(10))) == 10.0
