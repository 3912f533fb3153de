"""What the page shows: summaries and verdicts -> plain objects that the template prints. Pure, but for the charts drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from gilbench import units
from gilbench.cases.case import Case
from gilbench.explain import findings
from gilbench.explain import series as data
from gilbench.explain import tutorial as claims
from gilbench.explain.findings import Statement, several
from gilbench.explain.repeat import command
from gilbench.explain.tutorial import HOLDS
from gilbench.machine import Value
from gilbench.probes import all_probes
from gilbench.report.columns import verdict_row
from gilbench.report.page import tables
from gilbench.report.page.pictures import Picture
from gilbench.report.page.tables import Table
from gilbench.results.observations import Probing
from gilbench.results.summary import CaseSummary, FailedCase, Summary
from gilbench.results.verdicts import Verdicts, ordered
from gilbench.stats import Estimate
from gilbench.targets.builtin import all_workloads

WIDE: Final = 600  # units across a small picture
LANE: Final = 12  # units of one thread in a small timeline
APART: Final = 2  # units between two of them
FINE: Final = 400  # steps over a small timeline, below which tasks are not drawn apart
BEST: Final = {"serial": "sync", "mix": "a mix", "either": "either", "unclear": "unclear"}
VERSIONS: Final = ("dask", "distributed", "pandas", "numpy", "pyarrow", "loky")
SETTING: Final = ("Machine", "Python", "Packages")  # the facts that tell results apart
MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)


Said = tuple[str, str]  # a probe's name, and what it found


@dataclass(frozen=True)
class Strip:
    """Where the dots of single processes, their median and its interval stand, from 0 to WIDE; and both ends, in words."""

    dots: tuple[float, ...]
    low: float
    high: float
    middle: float
    ends: tuple[str, str]


@dataclass(frozen=True)
class Lanes:
    """A small timeline. paths: an SVG path for each lane, top to bottom. height: units. says: in words, what it shows."""

    paths: tuple[str, ...]
    height: int
    says: str


@dataclass(frozen=True)
class Shown:
    """One case. anchor: unique in the page. why: what the probes found under its scheduler."""

    anchor: str
    about: CaseSummary
    why: tuple[Said, ...]
    lanes: Lanes | None

    @property
    def unit(self) -> str:
        """What its estimate is in."""
        return "byte" if self.about.case.measure == "memory" else "second"

    @property
    def shape(self) -> str:
        """Its workers in words: `2 processes of 1 thread`."""
        case = self.about.case
        threads = several(case.threads, "thread")
        return threads if case.workers == 1 else f"{case.workers} processes of {threads}"

    @property
    def title(self) -> str:
        """Its scheduler and workers."""
        return f"{self.about.case.scheduler}, {self.shape}" if self.about.case.scheduler != "sync" else "sync"

    @property
    def gain(self) -> Estimate | None:
        """Its speed-up over sync; None for sync itself, and where there is none to compare with."""
        return None if self.about.case == self.about.case.baseline else self.about.speedup

    @property
    def look(self) -> str:
        """Return "fast" or "slow" where it is so beyond doubt, else "even"."""
        if self.gain is None:
            return "even"
        return "fast" if self.gain.low > 1 else "slow" if self.gain.high < 1 else "even"

    @cached_property
    def strip(self) -> Strip:
        """Its observations, drawn small."""
        return _strip(self.about, self.unit)

    @property
    def values(self) -> list[tuple[int, str]]:
        """Each observation: its round, and its median."""
        rounds = self.about.rounds or range(len(self.about.observations))
        pairs = zip(rounds, self.about.observations, strict=False)
        return [(round_, tables.show(value, self.unit)) for round_, value in pairs]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """All other figures, with their names."""
        about, found = self.about, [("median", units.estimate(self.about.estimate, self.unit))]
        if self.gain:
            found.append(("speed-up over sync", units.estimate(self.gain, "ratio")))
        for name, figure in (
            ("opening", about.opening),
            ("first compute", about.first),
            ("building the graph", about.build),
        ):
            if figure and figure.value > 0:
                found.append((name, units.estimate(figure, "second")))
        used = f" on {about.workers_used} of {about.case.parallelism} workers" if about.workers_used else ""
        found.append(("tasks", f"{about.tasks:,}{used}"))
        if about.ran_on not in ("", "unknown"):
            found.append(("ran on", about.ran_on))
        if about.moved_bytes:
            rate = f", {units.size(about.moved_bytes / about.estimate.value)}/s" if self.unit == "second" else ""
            found.append(("data to move", units.size(about.moved_bytes) + rate))
        found.append(("inner threads", "pinned to one" if about.case.pinned else "as users get them"))
        found.append(("measuring stopped by", about.stop))
        return found


@dataclass(frozen=True)
class Line:
    """One row of the matrix. cells: series -> its cases. failed: series -> the reasons. best: who wins, in a word."""

    family: str
    workload: str
    size: str
    workers: int
    pinned: bool
    baseline: Shown | None
    cells: Mapping[str, Sequence[Shown]]
    failed: Mapping[str, Sequence[FailedCase]]
    best: str

    @property
    def key(self) -> tuple[str, str, bool, int]:
        """What the row is of."""
        return self.workload, self.size, self.pinned, self.workers


@dataclass(frozen=True)
class Work:
    """All cases of one workload. says: what it does. why: what the probes found."""

    anchor: str
    name: str
    family: str
    says: str
    cases: tuple[Shown, ...]
    why: tuple[Said, ...]


@dataclass(frozen=True)
class Result:
    """One result of the page. answer: in one sentence. facts: label -> what was measured where with what."""

    number: int
    summary: Summary
    answer: str
    statements: tuple[Statement, ...]
    claims: tuple[claims.Finding, ...]
    facts: Mapping[str, str]
    works: tuple[Work, ...]
    lines: tuple[Line, ...]
    repeat: str

    @property
    def shown(self) -> dict[Case, Shown]:
        """case -> as it is shown."""
        return {one.about.case: one for work in self.works for one in work.cases}


@dataclass(frozen=True)
class Check:
    """The verdicts of one check, worst first."""

    number: int
    verdicts: Verdicts
    statements: tuple[Statement, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Drawn:
    """One chart. asks: its question. table: the same in figures."""

    picture: Picture
    asks: str
    table: Table | None


@dataclass(frozen=True)
class Both:
    """What two or more results measured alike: a case, and its figures in each (None where one lacks it)."""

    name: str
    cells: tuple[Shown | None, ...]


def result_of(summary: Summary, number: int) -> Result:
    """Return a result with all that the page says of it."""
    from gilbench.charts.speed.speedup import message

    works = tuple(_works(summary, number))
    shown = {one.about.case: one for work in works for one in work.cases}
    return Result(
        number=number,
        summary=summary,
        answer=message(data.rows(summary)).replace(r"\$", "$"),
        statements=tuple(findings.of_summary(summary)),
        claims=claims.decide(summary),
        facts=dict(_facts(summary)),
        works=works,
        lines=tuple(_lines(summary, shown)),
        repeat=command(summary),
    )


def check_of(verdicts: Verdicts, number: int) -> Check:
    """Return a check with all that the page says of it."""
    rows = tuple((line.kind, verdict_row(line, verdicts.of)) for line in ordered(verdicts.lines))
    return Check(number, verdicts, tuple(findings.of_verdicts(verdicts)), rows)


def pictures_of(summaries: Sequence[Summary], verdicts: Sequence[Verdicts]) -> tuple[list[Drawn], dict[str, str]]:
    """Return every chart that can be drawn, those of verdicts first, and chart -> why it is left out."""
    from gilbench.charts import RESULTS, VERDICTS, NothingToDraw, all_charts
    from gilbench.report.page.pictures import picture

    drawn, left_out = [], {}
    for of, what in ((VERDICTS, verdicts), (RESULTS, summaries)):
        for chart in all_charts(of).values() if what else ():
            try:
                figure = chart.draw(what)
            except NothingToDraw as reason:
                left_out[chart.name] = str(reason)
                continue
            table = tables.of_chart(chart.name, summaries) if of == RESULTS else None
            drawn.append(Drawn(picture(figure, chart.name), chart.answers, table))
    return drawn, left_out


def in_order(drawn: Sequence[Drawn], first: Iterable[str]) -> list[Drawn]:
    """Return the charts, those named first in their order of being named, then all others as they come."""
    names = list(dict.fromkeys([*first, *(one.picture.name for one in drawn)]))
    return sorted(drawn, key=lambda one: names.index(one.picture.name))


def side_by_side(results: Sequence[Result]) -> list[Both]:
    """Return every case that at least two results measured."""
    shown = [result.shown for result in results]
    cases = dict.fromkeys(case for mine in shown for case in mine)
    rows = [Both(case.name, tuple(mine.get(case) for mine in shown)) for case in cases]
    return [one for one in rows if sum(cell is not None for cell in one.cells) > 1]


def matrix_of(results: Sequence[Result]) -> list[tuple[Result, Line]]:
    """Return the rows of the matrix, each with its result: what several results measured alike stands together."""
    rows = [(result, line) for result in results for line in result.lines]
    return [row for same in data.grouped(rows, lambda row: row[1].key).values() for row in same]


def differing(results: Sequence[Result]) -> list[tuple[str, list[str], bool]]:
    """Return (label, the fact in each result, whether results differ in what they were measured on), as in the first."""
    labels = dict.fromkeys(label for result in results for label in result.facts)
    rows = [(label, [result.facts.get(label, "") for result in results]) for label in labels]
    return [(label, cells, label in SETTING and len(set(cells)) > 1) for label, cells in rows]


def holding(found: Iterable[claims.Finding]) -> int:
    """Return how many of the claims hold."""
    return sum(one.verdict == HOLDS for one in found)


# --- Of one result


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    machine, known = summary.machine, findings.noise(summary)
    workloads, schedulers = ({getattr(one.case, what) for one in summary.cases} for what in ("workload", "scheduler"))
    yield (
        "Measured",
        f"{several(known.cases, 'case')} of {several(len(workloads), 'workload')} under "
        f"{several(len(schedulers), 'scheduler')}, in {known.observations} fresh processes"
        + (f" (profile {summary.plan.profile.name})" if summary.plan else ""),
    )
    yield "Machine", ", ".join(_machine(machine))
    gil = machine.get("gil", "unknown")
    build = ", free-threaded build" if machine.get("python_build") == "free-threaded" else ""
    yield "Python", f"{machine.get('python_version', 'unknown')}{build}, GIL {gil}"
    found = [
        f"{name} {version}" for name in VERSIONS if (version := machine.get(f"{name}_version", "absent")) != "absent"
    ]
    yield "Packages", ", ".join(found) or "unknown"
    yield "Noise", _noise(known)
    if summary.failures:
        yield "Failed", f"{len(summary.failures)}: see what failed below"


def _machine(machine: Mapping[str, Value]) -> Iterator[str]:
    yield str(machine.get("cpu_model_name", "unknown CPU"))
    yield f"{machine.get('usable_cpus', '?')} usable CPUs"
    memory = machine.get("memory_bytes")
    if isinstance(memory, int | float) and memory > 0:
        yield f"{units.size(memory)} of memory"
    yield str(machine.get("system", "unknown system"))
    if machine.get("virtualised") == "yes":
        yield "a virtual machine"


def _noise(known: findings.Noise) -> str:
    parts = [
        f"half of the {what} are known to {findings.within(reach)} or better"
        for what, reach in (("medians", known.times), ("speed-ups", known.speedups))
        if math.isfinite(reach)
    ]
    if math.isfinite(known.spread):
        parts.append(f"two processes with the same case lie {known.spread:.0%} apart")
    return "; ".join(parts) or "one process for each case: nothing is known of it"


def _works(summary: Summary, number: int) -> Iterator[Work]:
    probings: dict[str, list[Probing]] = data.grouped(summary.probes, lambda probing: probing.workload)
    for index, (name, cases) in enumerate(data.grouped(summary.cases, lambda case: case.case.workload).items()):
        mine = probings.get(name, [])
        known = all_workloads().get(name)
        yield Work(
            anchor=f"work-{number}-{index}",
            name=name,
            family=cases[0].family,
            says=known.summary if known else "",
            cases=tuple(
                Shown(f"case-{number}-{index}-{place}", case, tuple(_under(mine, case.case)), _lanes(mine, case.case))
                for place, case in enumerate(cases)
            ),
            why=tuple(line for probing in mine for line in said(probing)),
        )


def said(probing: Probing) -> Iterator[Said]:
    """Yield what probes found, in words, and why others found nothing. A file may hold them in any shape."""
    for name, probe in all_probes().items():
        found, reasons = probing.found.get(name), probing.reasons.get(name, {})
        try:
            yield from [(name.replace("_", " "), line) for line in probe.format(found or {})]
        except MALFORMED:
            yield name.replace("_", " "), "what the result holds of it cannot be read"
        for reason, under in data.grouped(reasons, reasons.__getitem__).items():
            yield name.replace("_", " "), f"unavailable under {', '.join(under)}: {reason}"


def _under(probings: Sequence[Probing], case: Case) -> Iterator[Said]:
    """Yield what the probes found under the case's scheduler."""
    for probing in probings:
        if probing.size == case.size and case.pinned:
            mine = {
                name: {case.scheduler: found[case.scheduler]}
                for name, found in probing.found.items()
                if case.scheduler in found
            }
            yield from said(replace(probing, found=mine, reasons={}))


def _lines(summary: Summary, shown: Mapping[Case, Shown]) -> Iterator[Line]:
    """Yield the rows of the matrix: of each workload, size and number of workers that can run at once.

    Of one workload the number of workers that most schedulers were measured with comes first.
    """
    failures = data.grouped(
        [one for one in summary.failures if one.case.measure == "time"], lambda one: (one.case.workload, one.case.size)
    )
    cases = [case for case in summary.cases if case.case.measure == "time"]
    groups = data.grouped(cases, lambda case: (case.case.workload, case.case.size))
    for key in dict.fromkeys((*groups, *failures)):
        lines = _lines_of(groups.get(key, []), failures.get(key, []), shown)
        yield from sorted(lines, key=lambda line: (-sum(map(len, line.cells.values())), -line.workers))


def _lines_of(
    cases: Sequence[CaseSummary], failures: Sequence[FailedCase], shown: Mapping[Case, Shown]
) -> Iterator[Line]:
    """Yield the rows of one workload at one size, which has a case or a failure."""
    baseline = next((case.case for case in cases if case.case == case.case.baseline), None)
    others = [case for case in cases if case.case != baseline]
    first = cases[0].case if cases else failures[0].case
    measured = [case.case for case in others] + [one.case for one in failures]
    keys = dict.fromkeys((case.pinned, case.parallelism) for case in measured)
    for key in keys or [(True, 1)]:
        mine = [case for case in others if (case.case.pinned, case.case.parallelism) == key]
        broken = [one for one in failures if (one.case.pinned, one.case.parallelism) == key]
        cells = data.grouped([shown[case.case] for case in mine], lambda one: data.series(one.about.case))
        yield Line(
            family=cases[0].family if cases else "",
            workload=first.workload,
            size=first.size,
            workers=key[1],
            pinned=key[0],
            baseline=shown[baseline] if baseline else None,
            cells=cells,
            failed=data.grouped(broken, lambda one: data.series(one.case)),
            best=_best(mine, broken),
        )


def _best(cases: Sequence[CaseSummary], failures: Sequence[FailedCase]) -> str:
    fastest = {data.series(case.case): case for case in cases if case.speedup}
    if not fastest:
        return ""
    verdict = data.Row("", "", fastest, {data.series(one.case): one for one in failures}).verdict
    return BEST.get(verdict, verdict)


# --- Small pictures


def _strip(case: CaseSummary, unit: str) -> Strip:
    """Return the observations on an axis just long enough for them and, within reason, their interval."""
    figure, values = case.estimate, case.observations or (case.estimate.value,)
    low = max(min(*values, figure.value, figure.low if figure.low > 0 else math.inf), min(values) / 2)
    high = min(max(*values, figure.value, figure.high if math.isfinite(figure.high) else 0.0), max(values) * 2)
    room = 0.0 if high > low else abs(high) * 0.04 or 1.0
    left, right = low - room, high + room

    def at(value: float) -> float:
        return round(WIDE * min(max((value - left) / (right - left), 0.0), 1.0), 1)

    return Strip(
        dots=tuple(map(at, values)),
        low=at(figure.low) if figure.low > 0 else 0.0,
        high=at(figure.high) if math.isfinite(figure.high) else float(WIDE),
        middle=at(figure.value),
        ends=(tables.show(low, unit), tables.show(high, unit)),
    )


def _lanes(probings: Sequence[Probing], case: Case) -> Lanes | None:
    """Return the timeline of the compute under the case's scheduler; None where it was not probed."""
    from gilbench.charts.reasons.timeline import bars
    from gilbench.probes.timeline_probe import Timeline

    for probing in probings:
        found = probing.found.get("timeline", {}).get(case.scheduler)
        if found is None or probing.size != case.size or not case.pinned or case.measure != "time":
            continue
        try:
            timeline = Timeline.of(found)
            if timeline is None or timeline.workers != case.parallelism:
                continue
            step = WIDE / timeline.seconds
            lanes = [bars(lane, timeline.seconds / FINE) for lane in timeline.lanes.values()]
            paths = tuple(
                "".join(
                    f"M{bar.start * step:.1f} {APART + top * LANE}h{max(1.0, (bar.end - bar.start) * step):.1f}v{LANE - APART}"
                    f"H{bar.start * step:.1f}z"
                    for bar in lane
                )
                for top, lane in enumerate(lanes)
            )
        except MALFORMED:
            continue
        says = (
            f"{len(timeline.tasks)} tasks in {units.seconds(timeline.seconds)}, {timeline.busy:.0%} of it inside tasks"
        )
        return Lanes(paths, len(paths) * LANE + APART, says)
    return None


def interval(figure: Estimate | None) -> str:
    """Return an interval of a ratio, in few letters."""
    return units.interval(figure, "ratio").replace("interval unknown", "no interval") if figure else ""
