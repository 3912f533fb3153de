"""memory: peak of the whole process tree beyond what it is before, sampled by a process of its own.

PSS where the system has it (Linux): pages that processes share are counted once. Else USS: private pages only.
Sampling costs the measured processes time, so it never runs together with a timing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bench.probes import Found, Probed, Scene

SCHEDULERS = None
PINNED = True
OF_WORKLOADS = True

GAP = 0.003  # seconds between two samples; a sample of a large process takes about as long


@dataclass
class Peak:
    """before and peak: bytes of the tree. kind: "pss" or "uss". Filled in when the block ends."""

    before: int = 0
    peak: int = 0
    kind: str = ""

    @property
    def beyond(self) -> int:
        """Bytes that the peak lies above the idle tree."""
        return max(0, self.peak - self.before)


@contextmanager
def peak_memory(pid: int) -> Iterator[Peak]:
    """Measure the peak memory of process `pid` and all its descendants while the block runs."""
    found = Peak()
    sampler = subprocess.Popen(
        [sys.executable, "-P", "-m", "bench.probes.memory", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert sampler.stdout is not None
        sampler.stdout.readline()  # it has seen the idle tree
        yield found
    finally:
        answer, _ = sampler.communicate()  # closes its standard input, which is the sign to stop
    before, peak, found.kind = answer.split()
    found.before, found.peak = int(before), int(peak)


def tree_bytes(pid: int, without: int) -> tuple[int, str]:
    """Return memory of the tree below and with `pid`, without one process, in bytes, and the kind of figure."""
    import psutil

    total, kind = 0, "uss"
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        if process.pid == without:
            continue
        try:
            memory = process.memory_full_info()
        except psutil.Error:
            continue  # ended between two looks
        kind = "pss" if hasattr(memory, "pss") else "uss"
        total += memory.pss if kind == "pss" else memory.uss
    return total, kind


def _ask_peak(scene: Scene) -> Found:
    with peak_memory(os.getpid()) as found:
        scene.compute()
    scene.settle()
    return {"before": found.before, "peak": found.peak, "kind": found.kind}


ASKS = {"memory peak": _ask_peak}


def measure(probed: Probed) -> Found:
    """Return bytes of the process tree: idle, at the peak of one compute, and the kind of figure."""
    return probed.ask("memory peak")


def format(found: Mapping[str, Found]) -> Iterator[str]:
    """Yield what a person should know."""
    from bench import units

    for scheduler, peak in found.items():
        beyond = units.size(max(0, peak["peak"] - peak["before"]))
        yield f"memory under {scheduler}: {beyond} more at the peak than idle ({units.size(peak['before'])})"


def _sample(pid: int) -> None:
    """Be the sampler: look until standard input closes, then print `before peak kind`."""
    import threading

    stop = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    before, kind = tree_bytes(pid, without=os.getpid())
    peak = before
    print(flush=True)
    while not stop.is_set():
        peak = max(peak, tree_bytes(pid, without=os.getpid())[0])
        time.sleep(GAP)
    print(before, peak, kind, flush=True)


if __name__ == "__main__":
    _sample(int(sys.argv[1]))
