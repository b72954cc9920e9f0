"""Peak memory of two steps of a workload, in a process of its own: `peak.py FRAMEWORK THREADS WORKLOAD`.

Prints the bytes above what the framework holds after its import.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from frameworks import FRAMEWORKS
from workloads import WORKLOADS


def status(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024


def main() -> None:
    framework, threads, name = sys.argv[1:]
    library = FRAMEWORKS[framework](int(threads))
    before = status("VmRSS")
    step = WORKLOADS[name].bodies[framework](library)
    for _ in range(2):
        step()
    print(status("VmHWM") - before)


if __name__ == "__main__":
    main()
