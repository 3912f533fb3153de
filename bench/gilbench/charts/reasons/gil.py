"""GIL: how much of the time it is held, against what threads gain under the bound that this sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import stats, units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, style
from gilbench.charts.table import Table
from gilbench.explain import selected
from gilbench.explain.grouping import grouped
from gilbench.probes.gil_probe import MANY_SWITCHES
from gilbench.results.records import Probing
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate

PROBE: Final = "gil"
FAR: Final = 0.85  # of the bound: a workload below this is shown with the reason
HEIGHT: Final = 4.6  # inches of one panel
TOUCH: Final = (0.14, 0.16)  # inches around a mark that labels keep free
UPWARDS: Final = (0.0, 0.14, -0.14, 0.28, -0.28, 0.42, -0.42)  # inches: where a name may stand beside its mark
SPOTS: Final = tuple((right, up) for up in UPWARDS for right in (0.09, -0.09))
FARTHER: Final = 5.0  # penalty per inch between a name and its mark; crossing a line costs 1
LEADER: Final = 0.2  # inches between a mark and its name from which a line joins them
Box = tuple[float, float, float, float]  # left, low, right, high, in inches


@dataclass(frozen=True)
class Dot:
    """One workload.

    held: fraction of the time that the GIL is held, with its interval. speedup: on threads, with its interval.
    why: the reason if the workload certainly lies below the bound, else empty.
    """

    name: str
    held: Estimate
    speedup: Estimate
    workers: int
    why: str = ""

    @property
    def bound(self) -> float:
        """The most that threads can gain: min(n, 1 / held)."""
        return bound(self.held.value, self.workers)

    @property
    def under(self) -> bool:
        """Whether it lies far below the bound, and its whole interval below the lowest value the bound may have."""
        low = self.speedup.value < FAR * self.bound
        return low and self.speedup.high < bound(self.held.high, self.workers)

    @property
    def unclear(self) -> bool:
        """Whether chance alone may explain its place: far below the bound but not certainly, or from a single process."""
        low = self.speedup.value < FAR * self.bound
        return not self.under and (low or intervals.alone(self.speedup))


def draw(summaries: Sequence[Summary]) -> Figure:
    """Does the GIL explain what threads gain?"""
    found = [(summary, dots) for summary in summaries if (dots := dots_of(summary))]
    if not found:
        raise NothingToDraw("this result has no GIL probes with timings on threads: run `gilbench run --probe`")
    figure = style.page(
        style.messages([summary for summary, _ in found], lambda summary: message(dots_of(summary))),
        [summary for summary, _ in found],
        len(found) * HEIGHT + 0.4,
        notes=list(_notes([dot for _, dots in found for dot in dots])),
    )
    panels = style.panels(figure, [summary for summary, _ in found], named=len(found) > 1)
    for axes, (_, dots) in zip(panels, found, strict=True):
        _panel(axes, dots)
    axes.set_xlabel("GIL held, one task after another (fraction of the time)")
    return figure


def dots_of(summary: Summary) -> list[Dot]:
    """Return a dot for each workload that was both probed and timed on threads, at the same size."""
    widest = {
        (case.case.workload, case.case.size): case
        for case in selected.at_most_workers(selected.timed(summary))
        if case.case.scheduler == "threads"
        and case.case.pinned
        and case.case.threads > 1
        and selected.usable(case.speedup)
    }
    found = []
    for probing in summary.probes:
        gil, case = probing.found.get(PROBE, {}).get("sync"), widest.get((probing.workload, probing.size))
        if gil is None or case is None or case.speedup is None:
            continue
        held = Estimate(float(gil["held"]), float(gil["low"]), float(gil["high"]), 2)
        dot = Dot(style.plain(probing.workload, 30), held, case.speedup, case.case.parallelism)
        found.append(replace(dot, why=reason(probing, case, summary)) if dot.under else dot)
    return found


def tabulate(summary: Summary) -> Table:
    """Return how much of the time the GIL is held, and the speed-up on threads."""
    rows = [(dot.name, dot.held.value, dot.speedup, dot.bound, dot.why) for dot in dots_of(summary)]
    return Table(
        (
            ("workload", "text"),
            ("GIL held", "share"),
            ("speed-up", "ratio"),
            ("bound", "ratio"),
            ("why less", "text"),
        ),
        tuple(rows),
    )


def bound(held: float, workers: int) -> float:
    """Return min(n, 1 / held), because all other threads wait while one holds the GIL."""
    return min(float(workers), 1 / held) if held > 0 else float(workers)


def reason(probing: Probing, case: CaseSummary, summary: Summary) -> str:
    """Return why threads gain less than the GIL allows, as far as the probes and the other cases show."""
    threads: Mapping[str, Any] = probing.found.get(PROBE, {}).get("threads", {})
    rate = float(threads.get("switches_per_second", 0))
    if rate > MANY_SWITCHES:
        return f"{rate:,.0f} GIL switches a second"
    culprits = probing.found.get("inner_threads", {}).get("sync", {}).get("culprits")
    if culprits and not case.case.pinned:
        return f"its own inner threads: {style.plain(units.listed(list(map(str, culprits))))}"
    processes = on_processes(case, summary)
    if processes is None or case.speedup is None:
        return "unknown"
    if processes.value > case.speedup.value and stats.apart(processes, case.speedup):
        return "not the GIL alone: processes gain more"
    return "processes gain no more: memory, data transfer or small tasks"


def on_processes(case: CaseSummary, summary: Summary) -> Estimate | None:
    """Return the speed-up of the same work on as many processes, which share no GIL; None if it was not measured."""
    return next(
        (
            other.speedup
            for other in summary.timed
            if other.case.workload == case.case.workload
            and other.case.size == case.case.size
            and other.case.scheduler == "processes"
            and other.case.parallelism == case.case.parallelism
            and other.speedup is not None
        ),
        None,
    )


def reasons(dots: Sequence[Dot]) -> dict[str, str]:
    """Return reason -> the names of the workloads that are far below the bound because of it."""
    groups = grouped([dot for dot in dots if dot.why], lambda dot: dot.why)
    return {style.sentence(why): units.listed([dot.name for dot in group]) for why, group in groups.items()}


def message(dots: Sequence[Dot]) -> str:
    """Return the title: how many workloads gain what the GIL allows, and which one falls short most."""
    under = [dot for dot in dots if dot.why]
    unclear = sum(dot.unclear for dot in dots)
    close = len(dots) - len(under) - unclear
    text = f"threads gain what the GIL allows on {close} of {units.count(len(dots), 'workload')}"
    if unclear:
        text += f"; {unclear} {'is' if unclear == 1 else 'are'} unclear"
    if under:
        worst = min(under, key=lambda dot: dot.speedup.value / dot.bound)
        text += f"; {worst.name} gets {worst.speedup.value:.2f}x of {worst.bound:.2f}x"
    return style.sentence(text)


def _notes(dots: Sequence[Dot]) -> Iterator[str]:
    """Yield how to read the chart, and why the triangles stay below the line."""
    text = "Mark: a workload with its 95 % intervals. Line: the bound min(n, 1 / held)."
    if any(dot.unclear for dot in dots):
        text += " Gray: too few processes or too much noise to be sure."
    text += f" {intervals.ALONE}" if any(intervals.alone(dot.speedup) for dot in dots) else ""
    under = reasons(dots)
    if under:
        text += f" Triangles gain less than {FAR:.0%} of it:"
    yield text
    yield from (f"{why}: {names}." for why, names in under.items())


def _panel(axes: Axes, dots: Sequence[Dot]) -> None:
    workers = max(dot.workers for dot in dots)
    held = np.linspace(0.001, 1.05, 400)
    for n in sorted({dot.workers for dot in dots}):
        axes.plot(held, np.minimum(n, 1 / held), color="black", linewidth=1.2, zorder=1)
    axes.axhline(1, color=style.PALE, linewidth=1, zorder=0)
    top = max([workers * 1.15, *(min(dot.speedup.high, dot.speedup.value * 1.4) * 1.05 for dot in dots)])
    axes.set_xlim(-0.04, 1.12)
    axes.set_ylim(0, top * 1.05)
    axes.set_ylabel(f"speed-up over sync on {workers} threads (x)")
    axes.grid(True, color=style.PALE, linewidth=0.6)
    look = style.style_of("threads")
    for dot in dots:
        color = _color(dot, look.color)
        axes.plot([dot.held.low, dot.held.high], [dot.speedup.value] * 2, color=color, linewidth=1, alpha=0.7)
        mark = style.Style(color, "v" if dot.why else look.marker, "")
        intervals.draw(axes, [dot.held.value], [dot.speedup.value], [dot.speedup], mark, vertical=True)
    _labels(axes, dots, top * 1.05)


def _color(dot: Dot, otherwise: str) -> str:
    return style.ALARM if dot.why else style.GRAY if dot.unclear else otherwise


def _labels(axes: Axes, dots: Sequence[Dot], top: float) -> None:
    """Name the dots where there is room, those with a reason first. A name without room is left out."""
    width, height = (style.WIDTH - 1.0) / 1.16, (HEIGHT - 0.6) / top
    # An outline would turn text into paths.
    halo = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
    at = {id(dot): ((dot.held.value + 0.04) * width, dot.speedup.value * height) for dot in dots}
    taken = [(x - TOUCH[0] / 2, y - TOUCH[1] / 2, x + TOUCH[0] / 2, y + TOUCH[1] / 2) for x, y in at.values()]
    lines = [[box] for dot in dots for box in _intervals(dot, at[id(dot)], width, height)]
    lines += [_curve(n, width, height) for n in {dot.workers for dot in dots}]
    for dot in sorted(dots, key=lambda dot: (not dot.why, dot.speedup.value)):
        wide = style.text_width(dot.name)
        x, y = at[id(dot)]
        found = []
        for right, up in SPOTS:
            left = x + right if right > 0 else x + right - wide
            box = (left, y + up - 0.07, left + wide, y + up + 0.07)
            inside = left > 0 and left + wide < width * 1.15 and 0.07 < y + up < HEIGHT - 0.7
            if inside and not any(_meet(box, other) for other in taken):
                crossed = sum(any(_meet(box, part) for part in line) for line in lines)
                found.append((crossed + FARTHER * abs(up), box))
        if found:
            _, box = min(found)
            taken.append(box)
            middle = (box[1] + box[3]) / 2
            color = _color(dot, style.GRAY)
            axes.text(box[0] / width - 0.04, middle / height, dot.name, va="center", color=color, bbox=halo)
            if abs(middle - y) > LEADER:  # a line shows which mark the name belongs to
                end = box[0] if box[0] > x else box[2]
                across = [dot.held.value, end / width - 0.04]
                axes.plot(across, [dot.speedup.value, middle / height], color=color, linewidth=0.6, zorder=2)


def _curve(workers: int, width: float, height: float) -> list[Box]:
    """Return the bound as boxes, in inches."""
    held = [number / 100 for number in range(1, 106)]
    return [
        ((x + 0.04) * width, bound(x, workers) * height, (x + 0.05) * width, bound(x, workers) * height) for x in held
    ]


def _intervals(dot: Dot, at: tuple[float, float], width: float, height: float) -> list[Box]:
    """Return the boxes of a dot's two intervals, in inches."""
    x, y = at
    across = ((dot.held.low + 0.04) * width, y - 0.01, (dot.held.high + 0.04) * width, y + 0.01)
    up = (x - 0.01, dot.speedup.low * height, x + 0.01, dot.speedup.high * height)
    return [across, up]


def _meet(first: Box, second: Box) -> bool:
    """Return whether two boxes overlap."""
    across = first[0] <= second[2] and second[0] <= first[2]
    return across and first[1] <= second[3] and second[1] <= first[3]
