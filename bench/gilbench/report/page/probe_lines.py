"""What the probes found, as lines and small timelines for the page. A result file may hold findings in any shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gilbench import units
from gilbench.cases.case import Case
from gilbench.explain.grouping import grouped
from gilbench.probes import Probe, all_probes
from gilbench.results.records import MALFORMED_FINDING, Probing

WIDE: Final = 600  # units across a small timeline
LANE: Final = 12  # units of one thread in it
APART: Final = 2  # units between two threads
FINE: Final = 400  # steps across a small timeline; shorter tasks are not drawn separately

UNREADABLE: Final = "the finding in this result cannot be read"

ProbeLine = tuple[str, str]  # the name of a probe, and what it found


@dataclass(frozen=True)
class Lanes:
    """A small timeline. paths: an SVG path for each lane, from top to bottom. height: in units. says: what it shows."""

    paths: tuple[str, ...]
    height: int
    says: str


def of_probing(probing: Probing) -> Iterator[ProbeLine]:
    """Yield what each probe found, and why others found nothing."""
    for name, probe in all_probes().items():
        title = name.replace("_", " ")
        yield from ((title, line) for line in _lines(probe, probing.found.get(name) or {}))
        reasons = probing.reasons.get(name, {})
        for reason, schedulers in grouped(reasons, reasons.__getitem__).items():
            yield title, f"unavailable under {', '.join(schedulers)}: {reason}"


def of_case(probings: Sequence[Probing], case: Case) -> Iterator[ProbeLine]:
    """Yield what the probes found under the scheduler of a case."""
    for probing in probings:
        if probing.size == case.size and case.pinned:
            mine = {
                name: {case.scheduler: found[case.scheduler]}
                for name, found in probing.found.items()
                if case.scheduler in found
            }
            yield from of_probing(replace(probing, found=mine, reasons={}))


def lanes_of(probings: Sequence[Probing], case: Case) -> Lanes | None:
    """Return the timeline of a compute under the scheduler of a case; None if there is none that can be read."""
    if not case.pinned or case.measure != "time":
        return None
    for probing in probings:
        found = probing.found.get("timeline", {}).get(case.scheduler)
        if found is not None and probing.size == case.size and (lanes := _lanes(found, case.parallelism)):
            return lanes
    return None


def _lines(probe: Probe, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines in which a probe states its finding, or a single line that says that it is malformed."""
    try:
        return list(probe.format(found))
    except MALFORMED_FINDING:
        return [UNREADABLE]


def _lanes(found: Mapping[str, Any], workers: int) -> Lanes | None:
    """Return what the timeline probe found as lanes; None if it is malformed or of another number of workers."""
    from gilbench.charts.drawing.task_bars import bars
    from gilbench.probes.timeline_probe import Timeline

    try:
        timeline = Timeline.of(found)
        if timeline is None or timeline.workers != workers:
            return None
        step = WIDE / timeline.seconds
        drawn = [bars(lane, timeline.seconds / FINE) for lane in timeline.lanes.values()]
        corners = [[(bar.start * step, max(1.0, (bar.end - bar.start) * step)) for bar in lane] for lane in drawn]
        busy = f"{timeline.busy:.0%}"
        seconds = units.seconds(timeline.seconds)
    except MALFORMED_FINDING:
        return None
    paths = tuple(
        "".join(f"M{left:.1f} {APART + row * LANE}h{width:.1f}v{LANE - APART}H{left:.1f}z" for left, width in lane)
        for row, lane in enumerate(corners)
    )
    says = f"{len(timeline.tasks)} tasks in {seconds}, {busy} of it inside tasks"
    return Lanes(paths, len(paths) * LANE + APART, says)
