"""Which kind of scheduler wins each workload: processes, threads, a mix of both, or sync. Table, charts, page and findings
take it from here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from gilbench.cases.case import Case
from gilbench.explain import chains, selected, series
from gilbench.explain.grouping import grouped
from gilbench.results.summary import CaseSummary, FailedCase, Summary
from gilbench.schedulers import SERIAL
from gilbench.stats import Estimate

T = TypeVar("T")

MARGIN: Final = 1.05  # times: what lies within it whole, with its interval, counts as no difference

# Outcomes that are not a kind.
SAME: Final = "no difference"
EITHER: Final = "either"
UNDECIDED: Final = "undecided"


@dataclass(frozen=True)
class Contest:
    """The speed-ups of one workload in one result.

    label: the workload, with "(inner threads on)" where they are not pinned. fastest: series -> the case with the most
    workers. failed: series -> why the case with the most workers gave no timing. best: the kind with the shortest time. duels:
    every other kind -> how many times as fast as its fastest case the best one is, round by round. at_fault: cases whose
    workers seem to bring more than they can (see gilbench.explain.chains).
    """

    family: str
    label: str
    fastest: Mapping[str, CaseSummary]
    failed: Mapping[str, FailedCase]
    best: str
    duels: Mapping[str, Estimate]
    at_fault: tuple[Case, ...] = ()

    @property
    def kinds(self) -> set[str]:
        """The kinds that were measured, "serial" among them."""
        return {self.best, *self.duels}

    @property
    def winner(self) -> str:
        """The outcome: the kind that wins, or SAME, EITHER or UNDECIDED.

        A kind wins if it is faster than every other one for certain, and no other kind failed. SAME: those that it does not
        beat take as long as it does, within MARGIN, for certain. EITHER: that is not certain, but all of them beat sync.
        Nothing wins on a machine that was busy with something else, or by more than its workers can bring.
        """
        if self.at_fault or any(case.disturbed for case in self.fastest.values()):
            return UNDECIDED
        if {series.kind_of(failure.case) for failure in self.failed.values()} - self.kinds:
            return UNDECIDED
        rivals = {kind: duel for kind, duel in self.duels.items() if not duel.low > 1}
        if not rivals:
            return self.best
        if all(duel.low > 1 / MARGIN and duel.high < MARGIN for duel in rivals.values()):
            return SAME
        return EITHER if all(map(self._beats_sync, {self.best, *rivals})) else UNDECIDED

    def _beats_sync(self, kind: str) -> bool:
        mine = [case.speedup for case in entrants(self.fastest.values()) if series.kind_of(case.case) == kind]
        return any(speedup is not None and speedup.low > 1 for speedup in mine)


def entrants(cases: Iterable[CaseSummary]) -> list[CaseSummary]:
    """Return the cases that take part: those with a speed-up, without dask's default, which is one of the others."""
    return [case for case in cases if case.case.scheduler != "default" and case.speedup is not None]


def impossible_cases(summary: Summary) -> set[Case]:
    """Return the cases whose workers seem to bring more than they can."""
    return {chain.case for chain in chains.chains(summary) if chain.impossible}


def contest(
    summary: Summary,
    fastest: Mapping[str, CaseSummary],
    failed: Mapping[str, FailedCase],
    impossible: Collection[Case],
    family: str = "",
    label: str = "",
) -> Contest:
    """Return the contest between these cases of a result and their baseline, sync. impossible: see impossible_cases."""
    at_fault = tuple(case.case for case in fastest.values() if case.case in impossible)
    by_kind = grouped(entrants(fastest.values()), lambda case: series.kind_of(case.case))
    champions = {kind: max(mine, key=_speed) for kind, mine in by_kind.items()}
    best = max(champions, key=lambda kind: _speed(champions[kind]), default=SERIAL)
    if not champions or _speed(champions[best]) < 1:
        duels = {kind: _inverse(case.speedup) for kind, case in champions.items() if case.speedup is not None}
        return Contest(family, label, fastest, failed, SERIAL, duels, at_fault)
    first = champions[best]
    duels = {kind: summary.ratio(case, first) for kind, case in champions.items() if kind != best}
    assert first.speedup is not None
    return Contest(family, label, fastest, failed, best, {SERIAL: first.speedup, **duels}, at_fault)


def _speed(case: CaseSummary) -> float:
    return case.speedup.value if case.speedup else 0.0


def _inverse(speedup: Estimate) -> Estimate:
    low = 1 / speedup.high if speedup.high else 0.0
    high = 1 / speedup.low if speedup.low else float("inf")
    return Estimate(1 / speedup.value, low, high, speedup.n)


def contests(summary: Summary) -> list[Contest]:
    """Return one contest for each workload with a speed-up, in the order measured. Sync is the baseline, not a series."""
    cases = selected.at_main_size(selected.timed(summary))
    main = selected.main_sizes(cases)
    drawn = [case for case in cases if selected.usable(case.speedup) and case.case != case.case.baseline]
    failed_cases = [failure for failure in summary.failures if failure.case.level == summary.level]
    impossible = impossible_cases(summary)
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
        fastest = _without_single({name: case for name, case in best.items() if name not in failed})
        found.append(contest(summary, fastest, _without_single(failed), impossible, group[0].family, label))
    return found


def _without_single(named: Mapping[str, T]) -> dict[str, T]:
    """Drop distributed with one thread in one process if there are larger clusters, for which it is the starting point."""
    larger = any(name.startswith("distributed") and name != series.SINGLE for name in named)
    return {name: item for name, item in named.items() if name != series.SINGLE or not larger}
