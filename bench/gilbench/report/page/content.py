"""What the page shows: summaries and verdicts -> plain objects that the template prints. Pure, apart from drawing charts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gilbench import units
from gilbench.cases.case import Case
from gilbench.charts.table import Table
from gilbench.explain import findings, tutorial, winners
from gilbench.explain.findings import Finding, Noise
from gilbench.explain.grouping import grouped
from gilbench.explain.repeat import command
from gilbench.machine import Value
from gilbench.report.columns import verdict_row
from gilbench.report.page.case_cards import CaseCard, WorkloadCards, cards_of
from gilbench.report.page.matrix import MatrixRow, rows_of
from gilbench.report.page.pictures import Picture
from gilbench.results.summary import Summary
from gilbench.results.verdicts import Verdicts, ordered
from gilbench.stats import Estimate

VERSIONS: Final = ("dask", "distributed", "pandas", "numpy", "pyarrow", "loky")
SETTING: Final = ("Machine", "Python", "Packages")  # the facts in which results are compared


@dataclass(frozen=True)
class Result:
    """One result of the page.

    answer: in one sentence. facts: label -> what was measured, where and with what. rows: of the matrix. repeat: the
    command that measures it again.
    """

    number: int
    summary: Summary
    answer: str
    findings: tuple[Finding, ...]
    claims: tuple[tutorial.DecidedClaim, ...]
    facts: Mapping[str, str]
    workloads: tuple[WorkloadCards, ...]
    rows: tuple[MatrixRow, ...]
    repeat: str

    @property
    def cards(self) -> dict[Case, CaseCard]:
        """case -> its card."""
        return _by_case(self.workloads)


@dataclass(frozen=True)
class Check:
    """The verdicts of one check. rows: (kind, cells) of each case, the worst first."""

    number: int
    verdicts: Verdicts
    findings: tuple[Finding, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class DrawnChart:
    """One chart. asks: the question it answers. of: "results" or "verdicts". table: the same in figures, if it has one."""

    picture: Picture
    asks: str
    of: str
    table: Table | None


@dataclass(frozen=True)
class SharedCase:
    """A case that at least two results measured. cells: its card in each result, or None."""

    name: str
    cells: tuple[CaseCard | None, ...]


def result_of(summary: Summary, number: int) -> Result:
    """Return a result with everything that the page says about it. number: its place in the page."""
    from gilbench.charts.speed.speedup import message

    workloads = tuple(cards_of(summary, number))
    return Result(
        number=number,
        summary=summary,
        answer=message(winners.contests(summary)).replace(r"\$", "$"),
        findings=tuple(findings.of_summary(summary)),
        claims=tutorial.decide(summary),
        facts=dict(_facts(summary)),
        workloads=workloads,
        rows=tuple(rows_of(summary, _by_case(workloads))),
        repeat=command(summary),
    )


def check_of(verdicts: Verdicts, number: int) -> Check:
    """Return a check with everything that the page says about it. number: its place in the page."""
    rows = tuple((line.kind, verdict_row(line, verdicts.of)) for line in ordered(verdicts.lines))
    return Check(number, verdicts, tuple(findings.of_verdicts(verdicts)), rows)


def charts_of(summaries: Sequence[Summary], verdicts: Sequence[Verdicts]) -> tuple[list[DrawnChart], dict[str, str]]:
    """Return every chart that can be drawn, those of verdicts first, and chart -> why it was left out."""
    from gilbench.charts import RESULTS, VERDICTS, NothingToDraw, all_charts
    from gilbench.report.page.pictures import picture

    drawn, left_out = [], {}
    for of, data in ((VERDICTS, verdicts), (RESULTS, summaries)):
        for chart in all_charts(of).values() if data else ():
            try:
                figure = chart.draw(data)
            except NothingToDraw as reason:
                left_out[chart.name] = str(reason)
                continue
            table = chart.table(summaries) if of == RESULTS else None
            drawn.append(DrawnChart(picture(figure, chart.name), chart.answers, of, table))
    return drawn, left_out


def in_order(drawn: Sequence[DrawnChart], first: Iterable[str]) -> list[DrawnChart]:
    """Return the charts: first those named in `first`, in that order, then all others as they come."""
    names = list(dict.fromkeys([*first, *(chart.picture.name for chart in drawn)]))
    return sorted(drawn, key=lambda chart: names.index(chart.picture.name))


def side_by_side(results: Sequence[Result]) -> list[SharedCase]:
    """Return every case that at least two results measured."""
    all_cards = [result.cards for result in results]
    cases = dict.fromkeys(case for cards in all_cards for case in cards)
    shared = [SharedCase(case.name, tuple(cards.get(case) for cards in all_cards)) for case in cases]
    return [case for case in shared if sum(cell is not None for cell in case.cells) > 1]


def matrix_of(results: Sequence[Result]) -> list[tuple[Result, MatrixRow]]:
    """Return the rows of the matrix, each with its result. Rows about the same work are next to each other."""
    rows = [(result, row) for result in results for row in result.rows]
    return [pair for same in grouped(rows, lambda pair: pair[1].key).values() for pair in same]


def differing(results: Sequence[Result]) -> list[tuple[str, list[str], bool]]:
    """Return (label, the fact in each result, whether the results differ in it) for each fact.

    Only facts about machine and software can differ: what was measured is different in any case.
    """
    labels = dict.fromkeys(label for result in results for label in result.facts)
    rows = [(label, [result.facts.get(label, "") for result in results]) for label in labels]
    return [(label, cells, label in SETTING and len(set(cells)) > 1) for label, cells in rows]


def holding(claims: Iterable[tutorial.DecidedClaim]) -> int:
    """Return how many of the claims hold."""
    return sum(claim.verdict == tutorial.HOLDS for claim in claims)


def interval(figure: Estimate | None) -> str:
    """Return the interval of a ratio in few letters; "" for None."""
    return units.interval(figure, "ratio").replace("interval unknown", "no interval") if figure else ""


def _by_case(workloads: Iterable[WorkloadCards]) -> dict[Case, CaseCard]:
    return {card.about.case: card for workload in workloads for card in workload.cases}


# --- What was measured, where and with what


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    machine, known = summary.machine, findings.noise(summary)
    workloads = {case.case.workload for case in summary.cases}
    schedulers = {case.case.scheduler for case in summary.cases}
    yield (
        "Measured",
        f"{units.count(known.cases, 'case')} of {units.count(len(workloads), 'workload')} under "
        f"{units.count(len(schedulers), 'scheduler')}, in {known.observations} fresh processes"
        + (f" (profile {summary.plan.profile.name})" if summary.plan else ""),
    )
    yield "Machine", ", ".join(_machine(machine))
    gil = machine.get("gil", "unknown")
    build = ", free-threaded build" if machine.get("python_build") == "free-threaded" else ""
    yield "Python", f"{machine.get('python_version', 'unknown')}{build}, GIL {gil}"
    packages = [
        f"{name} {version}" for name in VERSIONS if (version := machine.get(f"{name}_version", "absent")) != "absent"
    ]
    yield "Packages", ", ".join(packages) or "unknown"
    yield "Noise", _noise(known)
    if summary.failures:
        yield "Failed", f"{units.count(len(summary.failures), 'case')}, listed below"


def _machine(machine: Mapping[str, Value]) -> Iterator[str]:
    yield str(machine.get("cpu_model_name", "unknown CPU"))
    yield f"{machine.get('usable_cpus', '?')} usable CPUs"
    memory = machine.get("memory_bytes")
    if isinstance(memory, int | float) and memory > 0:
        yield f"{units.size(memory)} of memory"
    yield str(machine.get("system", "unknown system"))
    if machine.get("virtualised") == "yes":
        yield "a virtual machine"


def _noise(known: Noise) -> str:
    parts = [
        f"half of the {what} are known to {findings.within(reach)} or better"
        for what, reach in (("medians", known.times), ("speed-ups", known.speedups))
        if math.isfinite(reach)
    ]
    if math.isfinite(known.spread):
        parts.append(f"two processes with the same case differ by {known.spread:.0%}")
    return "; ".join(parts) or "unknown, because each case was measured by a single process"
