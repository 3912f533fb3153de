"""Peak memory of a process tree beyond what it holds while idle, sampled by a process of its own.

    python -m gilbench.process.peak_memory PID

PSS where the system has it (Linux): pages that processes share are counted once, and how much is shared is reported. Else
USS: private pages only. Sampling slows the measured processes down, so it never runs together with a timing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gilbench.errors import Unavailable

GAP = 0.003  # seconds between two samples; a sample of a large process takes about as long


@dataclass
class Peak:
    """The memory of a process tree, filled in when the block ends.

    before, peak: bytes. shared: bytes of the peak in pages that other processes use too; 0 where the kind counts none. kind:
    "pss" or "uss".
    """

    before: int = 0
    peak: int = 0
    shared: int = 0
    kind: str = ""

    @property
    def beyond(self) -> int:
        """Bytes of the peak beyond what the idle tree held."""
        return max(0, self.peak - self.before)


@contextmanager
def peak_memory(pid: int) -> Iterator[Peak]:
    """Measure the peak memory of process `pid` and all its descendants while the block runs. Raises Unavailable."""
    found = Peak()
    sampler = subprocess.Popen(
        [sys.executable, "-P", "-m", "gilbench.process.peak_memory", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Where the measured process dies, an error of its sampler must not be taken for the last line that the process printed.
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert sampler.stdout is not None
        sampler.stdout.readline()  # it has seen the idle tree
        yield found
    finally:
        answer, _ = sampler.communicate()  # closes its standard input, which tells it to stop
    try:
        before, peak, shared, found.kind = answer.split()
    except ValueError:
        raise Unavailable("the process that samples memory died") from None
    found.before, found.peak, found.shared = int(before), int(peak), int(shared)


def tree_bytes(pid: int, without: int) -> tuple[int, int, str]:
    """Return the memory of `pid` and its descendants except process `without`: bytes, bytes shared, kind of figure."""
    import psutil

    total, shared, kind = 0, 0, "uss"
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        if process.pid == without:
            continue
        try:
            memory = process.memory_full_info()
        except psutil.Error:
            continue  # it has ended
        kind = "pss" if hasattr(memory, "pss") else "uss"
        total += memory.pss if kind == "pss" else memory.uss
        shared += memory.pss - memory.uss if kind == "pss" else 0
    return total, max(0, shared), kind


def _sample(pid: int) -> None:
    """Act as the sampler: sample until standard input closes, then print `before peak shared kind`."""
    import threading

    stop = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    before, shared, kind = tree_bytes(pid, without=os.getpid())
    peak = before
    print(flush=True)
    while not stop.is_set():
        peak, shared, _ = max((peak, shared, kind), tree_bytes(pid, without=os.getpid()))
        time.sleep(GAP)
    print(before, peak, shared, kind, flush=True)


if __name__ == "__main__":
    _sample(int(sys.argv[1]))
