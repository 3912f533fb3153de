"""The matrix of speed-ups: a row for each workload, size and number of workers, a column for each series."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gilbench.cases.case import Case
from gilbench.explain import series, winners
from gilbench.explain.grouping import grouped
from gilbench.report.page.case_cards import CaseCard
from gilbench.results.summary import CaseSummary, FailedCase, Summary

BEST: Final = {"serial": "sync", "mix": "a mix"}  # kinds that the page calls by another name


@dataclass(frozen=True)
class MatrixRow:
    """One row. cells: series -> its cases. failed: series -> its failures. best: who wins, or "" without a speed-up."""

    family: str
    workload: str
    size: str
    workers: int
    pinned: bool
    baseline: CaseCard | None
    cells: Mapping[str, Sequence[CaseCard]]
    failed: Mapping[str, Sequence[FailedCase]]
    best: str

    @property
    def key(self) -> tuple[str, str, bool, int]:
        """What the row is about."""
        return self.workload, self.size, self.pinned, self.workers


def rows_of(summary: Summary, cards: Mapping[Case, CaseCard]) -> Iterator[MatrixRow]:
    """Yield the rows of a result. cards: case -> its card.

    Among the rows of a workload, the number of workers that most schedulers were measured with comes first.
    """
    failures = grouped(
        [failure for failure in summary.failures if failure.case.measure == "time"],
        lambda failure: (failure.case.workload, failure.case.size),
    )
    cases = [case for case in summary.compared if case.case.measure == "time"]
    groups = grouped(cases, lambda case: (case.case.workload, case.case.size))
    impossible = winners.impossible_cases(summary)
    for key in dict.fromkeys((*groups, *failures)):
        rows = _rows(summary, impossible, groups.get(key, []), failures.get(key, []), cards)
        yield from sorted(rows, key=lambda row: (-sum(map(len, row.cells.values())), -row.workers))


def _rows(
    summary: Summary,
    impossible: Collection[Case],
    cases: Sequence[CaseSummary],
    failures: Sequence[FailedCase],
    cards: Mapping[Case, CaseCard],
) -> Iterator[MatrixRow]:
    """Yield the rows of one workload at one size, with at least one case or failure."""
    baseline = next((case.case for case in cases if case.case == case.case.baseline), None)
    others = [case for case in cases if case.case != baseline]
    first = cases[0].case if cases else failures[0].case
    measured = [case.case for case in others] + [failure.case for failure in failures]
    for pinned, workers in dict.fromkeys((case.pinned, case.parallelism) for case in measured) or [(True, 1)]:
        mine = [case for case in others if (case.case.pinned, case.case.parallelism) == (pinned, workers)]
        failed = [
            failure for failure in failures if (failure.case.pinned, failure.case.parallelism) == (pinned, workers)
        ]
        yield MatrixRow(
            family=cases[0].family if cases else "",
            workload=first.workload,
            size=first.size,
            workers=workers,
            pinned=pinned,
            baseline=cards[baseline] if baseline else None,
            cells=grouped([cards[case.case] for case in mine], lambda card: series.name_of(card.about.case)),
            failed=grouped(failed, lambda failure: series.name_of(failure.case)),
            best=_best(summary, impossible, mine, failed),
        )


def _best(
    summary: Summary, impossible: Collection[Case], cases: Sequence[CaseSummary], failures: Sequence[FailedCase]
) -> str:
    """Return who wins among cases with equally many workers."""
    fastest = {series.name_of(case.case): case for case in cases if case.speedup}
    if not fastest:
        return ""
    failed = {series.name_of(failure.case): failure for failure in failures}
    winner = winners.contest(summary, fastest, failed, impossible).winner
    return BEST.get(winner, winner)
