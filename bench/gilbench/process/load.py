"""What else the machine was doing: CPU time of other programs, time stolen from a virtual machine, and pressure.

Linux only: elsewhere nothing is known, and nothing is said. Sources: proc(5) for /proc/stat, and the kernel's
Documentation/accounting/psi.rst for /proc/pressure.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
BUSY = ("user", "nice", "system", "irq", "softirq")  # columns of /proc/stat in which a CPU works
COLUMNS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


@dataclass
class Load:
    """What others took while something was measured; None where it is not known.

    others: CPUs that programs beside the measured process tree kept busy, on average. stolen: CPUs that the host gave to
    other guests. pressure: fraction of the time in which some task waited for a CPU. seconds: how long was watched.
    """

    others: float | None = None
    stolen: float | None = None
    pressure: float | None = None
    seconds: float = 0.0

    def as_metadata(self) -> dict[str, float]:
        """Return what is known, for the metadata of an observation."""
        known = {"others_cpus": self.others, "stolen_cpus": self.stolen, "cpu_pressure": self.pressure}
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True)
class Reading:
    """Counters at one moment, in seconds since the machine started; `tree` of the measured processes."""

    moment: float
    busy: float
    stolen: float
    tree: float
    waited: float | None


@contextlib.contextmanager
def watched(pid: int | None = None) -> Iterator[Load]:
    """Watch while the block runs; the Load is filled in when it ends. pid: the tree that is measured; by default ours.

    Processes of the tree that end during the block count as far as their parents wait for them.
    """
    found, root = Load(), os.getpid() if pid is None else pid
    before = read(root)
    try:
        yield found
    finally:
        after = read(root)
        if before and after:
            fill(found, before, after)


def fill(found: Load, before: Reading, after: Reading) -> None:
    """Fill in what happened between two readings."""
    found.seconds = after.moment - before.moment
    if found.seconds <= 0:
        return
    ours = max(0.0, after.tree - before.tree)
    found.others = max(0.0, (after.busy - before.busy) - ours) / found.seconds
    found.stolen = max(0.0, after.stolen - before.stolen) / found.seconds
    if before.waited is not None and after.waited is not None:
        found.pressure = min(1.0, max(0.0, after.waited - before.waited) / found.seconds)


def read(pid: int) -> Reading | None:
    """Return the counters of this moment, or None where the system has none."""
    try:
        words = (PROC / "stat").read_text().split("\n", 1)[0].split()
        ticks = os.sysconf("SC_CLK_TCK")
        counts = dict(zip(COLUMNS, (int(word) / ticks for word in words[1:]), strict=False))
        busy = sum(counts[name] for name in BUSY)
        return Reading(time.monotonic(), busy, counts.get("steal", 0.0), tree_seconds(pid), _waited())
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def tree_seconds(pid: int) -> float:
    """Return CPU seconds of a process and all below it, with those of their children that have ended."""
    import psutil

    total = 0.0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += sum(process.cpu_times()[:4])  # user, system, and of children that were waited for
    return total


def _waited() -> float | None:
    """Return seconds in which some task waited for a CPU, or None where the kernel does not count them."""
    try:
        for word in (PROC / "pressure" / "cpu").read_text().split("\n", 1)[0].split():
            if word.startswith("total="):
                return int(word.removeprefix("total=")) / 1e6
    except (OSError, ValueError):
        pass
    return None
