"""Which kind of scheduler wins each workload: processes, threads, a mix of both, or sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from gilbench.explain import selected, series
from gilbench.explain.grouping import grouped
from gilbench.results.summary import CaseSummary, FailedCase, Summary

T = TypeVar("T")


@dataclass(frozen=True)
class Contest:
    """The speed-ups of one workload in one result.

    label: the workload, with "(inner threads on)" where they are not pinned. fastest: series -> the case with the most
    workers. failed: series -> why the case with the most workers gave no timing.
    """

    family: str
    label: str
    fastest: Mapping[str, CaseSummary]
    failed: Mapping[str, FailedCase]

    @property
    def ends(self) -> dict[str, tuple[float, float]]:
        """Kind -> the highest lower end and the highest upper end among its intervals. Sync over sync is 1.

        dask's default is left out because it is one of the others under another name.
        """
        entrants = [
            (series.kind_of(case.case), case) for case in self.fastest.values() if case.case.scheduler != "default"
        ]
        ends = {
            kind: (max(speedup.low for speedup in speedups), max(speedup.high for speedup in speedups))
            for kind, group in grouped(entrants, lambda entrant: entrant[0]).items()
            if (speedups := [case.speedup for _, case in group if case.speedup is not None])
        }
        return {"serial": (1.0, 1.0), **ends}

    @property
    def winner(self) -> str:
        """The kind that wins, "either" if none does but every kind that may be the best beats sync, or else "unclear".

        A kind wins if one of its intervals lies above every interval of every other kind, and no other kind failed. Nothing
        wins on a machine that was busy with something else.
        """
        if any(case.disturbed for case in self.fastest.values()):
            return "unclear"
        ends = self.ends
        best = max(ends, key=lambda kind: ends[kind][0])
        rivals = {kind for kind, (_, high) in ends.items() if high >= ends[best][0]} | {best}
        if {series.kind_of(failure.case) for failure in self.failed.values()} - set(ends):
            return "unclear"
        if rivals == {best}:
            return best
        return "either" if all(kind != "serial" and ends[kind][0] > 1 for kind in rivals) else "unclear"


def contests(summary: Summary) -> list[Contest]:
    """Return one contest for each workload with a speed-up, in the order measured. Sync is the baseline, not a series."""
    cases = selected.at_main_size(selected.timed(summary))
    main = selected.main_sizes(cases)
    drawn = [case for case in cases if selected.usable(case.speedup) and case.case != case.case.baseline]
    failed_cases = [failure for failure in summary.failures if failure.case.level == summary.level]
    failures = grouped(failed_cases, lambda failure: (failure.case.workload, failure.case.pinned))
    found = []
    for (workload, pinned), group in grouped(drawn, lambda case: (case.case.workload, case.case.pinned)).items():
        best = {series.name_of(case.case): case for case in selected.at_most_workers(group)}
        failed: dict[str, FailedCase] = {}
        for failure in failures.get((workload, pinned), []):
            case, name = failure.case, series.name_of(failure.case)
            at_least = best[name].case.parallelism if name in best else 0
            if case.measure == "time" and case.size == main[workload] and case.parallelism > at_least:
                failed[name] = failure
        label = workload if pinned else f"{workload} (inner threads on)"
        fastest = {name: case for name, case in best.items() if name not in failed}
        found.append(Contest(group[0].family, label, _without_single(fastest), _without_single(failed)))
    return found


def _without_single(named: Mapping[str, T]) -> dict[str, T]:
    """Drop distributed with one thread in one process if there are larger clusters, for which it is the starting point."""
    larger = any(name.startswith("distributed") and name != series.SINGLE for name in named)
    return {name: item for name, item in named.items() if name != series.SINGLE or not larger}
