"""What the probes say of a target. Everything else is decided from these facts. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gilbench.advice.thresholds import ENTRY, SAMPLE
from gilbench.stats import Estimate


@dataclass(frozen=True)
class Facts:
    """What the probes say of the target, run one task after the other. Times are in seconds.

    tasks: executed in one compute. task_seconds: of the median task. longest_seconds: of the longest. seconds: of all tasks.
    compute_seconds: of one compute. cpu_over_wall: CPU time within tasks over `seconds`. result_bytes: of one task's result,
    pickled. object_text: whether tasks handle text in columns of Python objects. held: fraction of wall time for which the GIL
    is held; None where unknown, and then `gil` says why. gil: "enabled", "disabled" or that reason. items: of the user's
    function; None where the target makes its own tasks. taken: how many of the items race. switches: of the GIL on threads,
    per second; None where it was not asked for.
    """

    tasks: int
    task_seconds: float
    longest_seconds: float
    seconds: float
    compute_seconds: float
    cpu_over_wall: float
    result_bytes: float
    object_text: bool = False
    held: Estimate | None = None
    gil: str = "enabled"
    items: int | None = None
    taken: int | None = None
    switches: float | None = None

    @property
    def busy(self) -> float:
        """The fraction of the time that a task keeps a CPU busy; below 1 where it waits, for a disk or an answer, say."""
        return max(self.cpu_over_wall, 1e-7) if self.cpu_over_wall < ENTRY.waits else 1.0

    @property
    def inner_threads(self) -> bool:
        """Whether tasks start threads of their own (BLAS, say), which keep more than one CPU busy."""
        return self.cpu_over_wall > ENTRY.inner_threads

    @property
    def gil_is_the_limit(self) -> bool:
        """Whether the GIL bounds what threads can gain. With large results they gain by memory as well."""
        return self.gil == "enabled" and self.result_bytes < ENTRY.large_result


def of_items(facts: Facts, items: int) -> Facts:
    """Return the facts of as many items as race, from the facts of a few.

    Every CPU gets the same number of items, unless all items race.
    """
    each = facts.seconds / facts.tasks
    wanted = max(2 * facts.tasks, SAMPLE.seconds / max(each, 1e-7))
    stretched = min(wanted * min(SAMPLE.waiting, 1 / facts.busy), SAMPLE.longest_seconds / max(each, 1e-7))
    even = max(1, facts.tasks // 2)  # twice as many as there are CPUs: four are probed for each
    taken = min(items, even * math.ceil(max(wanted, stretched) / even))
    more = taken / facts.tasks
    return replace(
        facts,
        tasks=taken,
        seconds=facts.seconds * more,
        compute_seconds=facts.compute_seconds * more,
        items=items,
        taken=taken,
    )
