"""Every case as a card: its figures, its observations drawn small, and what the probes found."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gilbench import units
from gilbench.explain.grouping import grouped
from gilbench.report.page import probe_lines, tables
from gilbench.report.page.probe_lines import Lanes, ProbeLine
from gilbench.results.records import Probing
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate
from gilbench.targets.builtin import all_workloads

WIDE: Final = 600  # units across a strip of observations


@dataclass(frozen=True)
class Strip:
    """Places from 0 to WIDE: the dots of single processes, their median and its interval. ends: labels of both ends."""

    dots: tuple[float, ...]
    low: float
    high: float
    middle: float
    ends: tuple[str, str]


@dataclass(frozen=True)
class CaseCard:
    """One case. anchor: unique in the page. why: what the probes found under its scheduler. lanes: its timeline, if any."""

    anchor: str
    about: CaseSummary
    why: tuple[ProbeLine, ...]
    lanes: Lanes | None

    @property
    def unit(self) -> str:
        """The unit of its estimate: "second" or "byte"."""
        return "byte" if self.about.case.measure == "memory" else "second"

    @property
    def shape(self) -> str:
        """Its workers: `2 processes of 1 thread`."""
        case = self.about.case
        threads = units.count(case.threads, "thread")
        return threads if case.workers == 1 else f"{case.workers} processes of {threads}"

    @property
    def title(self) -> str:
        """Its scheduler and workers."""
        return f"{self.about.case.scheduler}, {self.shape}" if self.about.case.scheduler != "sync" else "sync"

    @property
    def gain(self) -> Estimate | None:
        """Its speed-up over sync; None for sync itself, and without a sync case to compare with."""
        return None if self.about.case == self.about.case.baseline else self.about.speedup

    @property
    def look(self) -> str:
        """Return "fast" or "slow" if that is beyond doubt, else "even"."""
        if self.gain is None:
            return "even"
        return "fast" if self.gain.low > 1 else "slow" if self.gain.high < 1 else "even"

    @cached_property
    def strip(self) -> Strip:
        """Its observations, drawn small."""
        return _strip(self.about, self.unit)

    @property
    def values(self) -> list[tuple[int, str]]:
        """Each observation: its round and its median."""
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
class WorkloadCards:
    """All cases of one workload. says: what the workload does. why: what the probes found."""

    anchor: str
    name: str
    family: str
    says: str
    cases: tuple[CaseCard, ...]
    why: tuple[ProbeLine, ...]


def cards_of(summary: Summary, number: int) -> Iterator[WorkloadCards]:
    """Yield the cards of each workload of a result. number: of the result within the page."""
    probings: dict[str, list[Probing]] = grouped(summary.probes, lambda probing: probing.workload)
    for index, (name, cases) in enumerate(grouped(summary.compared, lambda case: case.case.workload).items()):
        mine = probings.get(name, [])
        workload = all_workloads().get(name)
        yield WorkloadCards(
            anchor=f"work-{number}-{index}",
            name=name,
            family=cases[0].family,
            says=workload.summary if workload else "",
            cases=tuple(_card(f"case-{number}-{index}-{place}", case, mine) for place, case in enumerate(cases)),
            why=tuple(line for probing in mine for line in probe_lines.of_probing(probing)),
        )


def _card(anchor: str, about: CaseSummary, probings: list[Probing]) -> CaseCard:
    why = tuple(probe_lines.of_case(probings, about.case))
    return CaseCard(anchor, about, why, probe_lines.lanes_of(probings, about.case))


def _strip(case: CaseSummary, unit: str) -> Strip:
    """Return the observations on an axis just long enough for them and, within reason, for their interval."""
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
