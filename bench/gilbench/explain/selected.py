"""The cases that tables and charts show: timed ones, at the size that represents a workload, with the most workers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from gilbench.explain import series
from gilbench.explain.grouping import grouped
from gilbench.results.records import Probing
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate
from gilbench.targets.workload import SIZES


def usable(estimate: Estimate | None) -> bool:
    """Return whether an estimate can be placed on a logarithmic axis."""
    return estimate is not None and math.isfinite(estimate.value) and estimate.value > 0


def timed(summary: Summary) -> list[CaseSummary]:
    """Return the timed cases with a usable estimate."""
    return [case for case in summary.timed if usable(case.estimate)]


def cpus(summary: Summary) -> float:
    """Return the number of CPUs that the workers shared; infinity if the result does not say."""
    found = summary.machine.get("usable_cpus")
    return found if isinstance(found, int | float) and found >= 1 else math.inf


def size_order(size: str) -> int:
    """Return a sort key that orders sizes from small to large, with unknown ones first."""
    return SIZES.index(size) if size in SIZES else -1


def gil_held(probing: Probing) -> tuple[float, float, float] | None:
    """Return the share of the time that a workload holds the GIL, and its interval: (held, low, high), from 0 to 1.

    None if it was not probed, or if the finding is malformed.
    """
    found = probing.found.get("gil", {}).get("sync", {})
    held, low, high = (found.get(key) for key in ("held", "low", "high"))
    if isinstance(held, int | float) and isinstance(low, int | float) and isinstance(high, int | float):
        return held, low, high
    return None


def main_sizes(cases: Sequence[CaseSummary]) -> dict[str, str]:
    """Return workload -> the size that represents it: the most common one in the result, or else its largest."""
    by_workload = grouped(cases, lambda case: case.case.workload)
    count = Counter(size for mine in by_workload.values() for size in {case.case.size for case in mine})
    return {
        workload: max({case.case.size for case in mine}, key=lambda size: (count[size], size_order(size)))
        for workload, mine in by_workload.items()
    }


def at_main_size(cases: Sequence[CaseSummary]) -> list[CaseSummary]:
    """Return the cases at the main size of their workload, so that each workload is shown and counted once."""
    main = main_sizes(cases)
    return [case for case in cases if case.case.size == main[case.case.workload]]


def at_most_workers(cases: Iterable[CaseSummary]) -> list[CaseSummary]:
    """Return, for each workload, size, pinning and series, the case that can run the most tasks at once.

    Among mixes of processes and threads that can run equally many, it is the squarest, then the one with more processes.
    """
    groups = grouped(
        cases, lambda case: (case.case.workload, case.case.size, case.case.pinned, series.name_of(case.case))
    )
    return [max(group, key=_most_workers) for group in groups.values()]


def _most_workers(summary: CaseSummary) -> tuple[int, int, int]:
    case = summary.case
    return case.parallelism, -abs(case.workers - case.threads), case.workers
