"""What the charts take out of summaries: series, kinds, one case per series, and who wins. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from gilbench.cases.case import Case
from gilbench.results.summary import CaseSummary, Estimate, FailedCase, Summary
from gilbench.targets.workload import SIZES

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

SINGLE: Final = "distributed 1x1"


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Return key -> items with that key, both in the order of first appearance."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def series(case: Case) -> str:
    """Return the scheduler as charts tell them apart: distributed in one process is another thing than in many."""
    if case.scheduler != "distributed":
        return case.scheduler
    if case.workers > 1 and case.threads > 1:
        return "distributed mix"
    return "distributed 1xN" if case.threads > 1 else "distributed Nx1" if case.workers > 1 else SINGLE


def kind(case: Case) -> str:
    """Return what runs the tasks at once: "serial", "threads", "processes" or "mix" (processes of several threads)."""
    if case.scheduler == "sync":
        return "serial"
    if case.workers > 1 and case.threads > 1:
        return "mix"
    return "threads" if case.threads > 1 or case.scheduler == "threads" else "processes"


def usable(estimate: Estimate | None) -> bool:
    """Tell whether an estimate can stand on a logarithmic axis."""
    return estimate is not None and math.isfinite(estimate.value) and estimate.value > 0


def timed(summary: Summary) -> list[CaseSummary]:
    """Return the timed cases with a usable estimate."""
    return [case for case in summary.timed if usable(case.estimate)]


def cpus(summary: Summary) -> float:
    """Return the CPUs that the result's workers had to share; infinite where the fingerprint does not say."""
    found = summary.machine.get("usable_cpus")
    return found if isinstance(found, int | float) and found >= 1 else math.inf


def size_order(size: str) -> int:
    """Return a key that puts sizes from small to large; unknown ones first."""
    return SIZES.index(size) if size in SIZES else -1


def main_sizes(cases: Sequence[CaseSummary]) -> dict[str, str]:
    """Return workload -> the one size that stands for it: the commonest of the whole result, else its largest."""
    sizes = grouped(cases, lambda case: case.case.workload)
    count = Counter(size for mine in sizes.values() for size in {case.case.size for case in mine})
    return {
        workload: max({case.case.size for case in mine}, key=lambda size: (count[size], size_order(size)))
        for workload, mine in sizes.items()
    }


def at_main_size(cases: Sequence[CaseSummary]) -> list[CaseSummary]:
    """Return the cases at the size that stands for their workload, so that each workload is shown and counted once."""
    main = main_sizes(cases)
    return [case for case in cases if case.case.size == main[case.case.workload]]


def at_most_workers(cases: Iterable[CaseSummary]) -> list[CaseSummary]:
    """Return, for each workload, size, pinning and series, the case that can run most tasks at once.

    Of several mixes of processes and threads that run as many: the squarest, and then that of more processes.
    """
    groups = grouped(cases, lambda c: (c.case.workload, c.case.size, c.case.pinned, series(c.case)))
    return [max(group, key=_most_workers) for group in groups.values()]


def _most_workers(summary: CaseSummary) -> tuple[int, int, int]:
    case = summary.case
    return case.parallelism, -abs(case.workers - case.threads), case.workers


@dataclass(frozen=True)
class Row:
    """One workload's speed-ups in one result.

    label: workload, and "inner threads on" where they are not pinned. fastest: series -> the case at most workers.
    failed: series -> why the case at most workers gave no timing.
    """

    family: str
    label: str
    fastest: Mapping[str, CaseSummary]
    failed: Mapping[str, FailedCase]

    @property
    def contest(self) -> dict[str, tuple[float, float]]:
        """Kind -> the highest lower and the highest upper end of its speed-ups' intervals. Sync over sync is 1.

        dask's default is left out: it is one of the others under another name.
        """
        entrants = [(kind(case.case), case) for case in self.fastest.values() if case.case.scheduler != "default"]
        ends = {
            name: (max(speedup.low for speedup in found), max(speedup.high for speedup in found))
            for name, group in grouped(entrants, lambda entrant: entrant[0]).items()
            if (found := [case.speedup for _, case in group if case.speedup is not None])
        }
        return {"serial": (1.0, 1.0), **ends}

    @property
    def verdict(self) -> str:
        """The kind that wins, "either" (none does, but all that may be best beat sync) or "unclear".

        A kind wins where one of its intervals lies above every interval of every other kind, and none failed.
        """
        contest = self.contest
        best = max(contest, key=lambda name: contest[name][0])
        rivals = {name for name, (_, high) in contest.items() if high >= contest[best][0]} | {best}
        failed = {kind(failure.case) for failure in self.failed.values()} - set(contest)
        if failed:
            return "unclear"
        if rivals == {best}:
            return best
        return "either" if all(name != "serial" and contest[name][0] > 1 for name in rivals) else "unclear"


def rows(summary: Summary) -> list[Row]:
    """Return one Row for each workload with a speed-up, in the order measured. Sync, the base, is no series of it."""
    cases = at_main_size(timed(summary))
    main = main_sizes(cases)
    drawn = [case for case in cases if usable(case.speedup) and case.case != case.case.baseline]
    failures = grouped(summary.failures, lambda failure: (failure.case.workload, failure.case.pinned))
    found = []
    for (workload, pinned), group in grouped(drawn, lambda case: (case.case.workload, case.case.pinned)).items():
        best = {series(case.case): case for case in at_most_workers(group)}
        failed: dict[str, FailedCase] = {}
        for failure in failures.get((workload, pinned), []):
            case, name = failure.case, series(failure.case)
            at_least = best[name].case.parallelism if name in best else 0
            if case.measure == "time" and case.size == main[workload] and case.parallelism > at_least:
                failed[name] = failure
        label = workload if pinned else f"{workload} (inner threads on)"
        fastest = {name: case for name, case in best.items() if name not in failed}
        found.append(Row(group[0].family, label, _but_single(fastest), _but_single(failed)))
    return found


def _but_single(named: Mapping[str, T]) -> dict[str, T]:
    """Drop distributed with one thread in one process where there is more of it: that is the start of the others."""
    more = any(name.startswith("distributed") and name != SINGLE for name in named)
    return {name: item for name, item in named.items() if name != SINGLE or not more}


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """Return the estimate in another unit."""
    return Estimate(estimate.value * factor, estimate.low * factor, estimate.high * factor, estimate.n)


def total(first: Estimate, second: Estimate) -> Estimate:
    """Return first + second, measured in the same processes, with the widest interval that both allow."""
    n = min(first.n, second.n)
    return Estimate(first.value + second.value, first.low + second.low, first.high + second.high, n)


def apart(one: Estimate, other: Estimate) -> bool:
    """Tell whether two intervals do not overlap."""
    return one.low > other.high or other.low > one.high
