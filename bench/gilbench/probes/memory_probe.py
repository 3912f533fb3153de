"""memory: peak of the whole process tree beyond what it holds while idle, sampled by a process of its own.

PSS where the system has it (Linux): pages that processes share are counted once, and how much is shared is reported. Else
USS: private pages only. Sampling slows the measured processes down, so it never runs together with a timing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from gilbench import units
from gilbench.probes import Found, Probed, Scene
from gilbench.process.peak_memory import peak_memory

SCHEDULERS = None
PINNED = True
OF_WORKLOADS = True


# --- In the probed process


def peak_of_compute(scene: Scene) -> Found:
    """Compute once; return bytes of the process tree before and at the peak, how many of these are shared, and the kind."""
    with peak_memory(os.getpid()) as found:
        scene.compute()
    scene.settle()
    return {"before": found.before, "peak": found.peak, "shared": found.shared, "kind": found.kind}


# --- In the parent


def examine(probed: Probed) -> Found:
    """Return bytes of the process tree: idle, at the peak of one compute, and shared then; and the kind of figure."""
    return probed.ask(peak_of_compute)


def format(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a person should know."""
    for scheduler, peak in found.items():
        beyond = units.size(max(0, peak["peak"] - peak["before"]))
        shared = f", {units.size(peak['shared'])} of the peak is shared" if peak["kind"] == "pss" else ""
        yield f"{scheduler}: one compute takes {beyond} beyond the {units.size(peak['before'])} that it holds idle{shared}"
