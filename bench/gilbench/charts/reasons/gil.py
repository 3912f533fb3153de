"""GIL: how much of the time it is held against what threads gain, under the bound that it sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import axes as axis
from gilbench.charts.drawing import style as style
from gilbench.explain import series as data
from gilbench.probes.gil_probe import MANY_SWITCHES
from gilbench.results.observations import Probing
from gilbench.results.summary import CaseSummary, Estimate, Summary

FAR: Final = 0.85  # of the bound: what lies under that is labelled with why
HEIGHT: Final = 4.6  # inches of one panel
TOUCH: Final = (0.14, 0.16)  # inches around a mark that a label keeps free
UPWARDS: Final = (0.0, 0.14, -0.14, 0.28, -0.28, 0.42, -0.42)  # inches; where a name may stand beside its mark
SPOTS: Final = tuple((right, up) for up in UPWARDS for right in (0.09, -0.09))
FARTHER: Final = 5.0  # what an inch away from its mark weighs for a name, where crossing a line weighs 1
LEADER: Final = 0.2  # inches between a mark and its name, above which a line joins them
Box = tuple[float, float, float, float]  # left, low, right, high, in inches


@dataclass(frozen=True)
class Dot:
    """One workload. held: fraction with its interval. speedup: on threads, with its interval. why: if surely under the bound."""

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
        """Whether it lies far under the bound, and its whole interval under the lowest that the bound may be."""
        low = self.speedup.value < FAR * self.bound
        return low and self.speedup.high < bound(self.held.high, self.workers)

    @property
    def unclear(self) -> bool:
        """Whether chance alone may have put it where it is: far under the bound but not surely so, or a single process."""
        low = self.speedup.value < FAR * self.bound
        return not self.under and (low or axis.alone(self.speedup))


def draw(summaries: Sequence[Summary]) -> Figure:
    """Does the GIL explain what threads gain?"""
    found = [(summary, dots) for summary in summaries if (dots := dots_of(summary))]
    if not found:
        raise NothingToDraw(
            "this result has no probes of the GIL beside timings on threads: run `gilbench run --probe`"
        )
    figure = style.page(
        style.messages([summary for summary, _ in found], lambda summary: message(dots_of(summary))),
        [summary for summary, _ in found],
        len(found) * HEIGHT + 0.4,
        notes=[
            *_notes([dot for _, dots in found for dot in dots]),
        ],
    )
    grid = figure.add_gridspec(len(found), 1)
    for index, (summary, dots) in enumerate(found):
        axes = figure.add_subplot(grid[index, 0])
        _panel(axes, dots)
        if len(found) > 1:
            axes.set_title(style.plain(summary.name))
    axes.set_xlabel("GIL held, one task after the other (fraction of the time)")
    return figure


def dots_of(summary: Summary) -> list[Dot]:
    """Return a dot for each workload that was probed and timed on threads at the same size."""
    widest = {
        (case.case.workload, case.case.size): case
        for case in data.at_most_workers(data.timed(summary))
        if case.case.scheduler == "threads" and case.case.pinned and case.case.threads > 1 and data.usable(case.speedup)
    }
    found = []
    for probing in summary.probes:
        gil, case = probing.found.get("gil", {}).get("sync"), widest.get((probing.workload, probing.size))
        if gil is None or case is None or case.speedup is None:
            continue
        held = Estimate(float(gil["held"]), float(gil["low"]), float(gil["high"]), 2)
        dot = Dot(style.plain(probing.workload, 30), held, case.speedup, case.case.parallelism)
        found.append(replace(dot, why=reason(probing, case, summary)) if dot.under else dot)
    return found


def bound(held: float, workers: int) -> float:
    """Return min(n, 1 / held): while one thread holds the GIL, all others wait for it."""
    return min(float(workers), 1 / held) if held > 0 else float(workers)


def reason(probing: Probing, case: CaseSummary, summary: Summary) -> str:
    """Return why threads gain less than the GIL would let them, as far as the probes and the other cases tell."""
    threads: Mapping[str, Any] = probing.found.get("gil", {}).get("threads", {})
    rate = float(threads.get("switches_per_second", 0))
    if rate > MANY_SWITCHES:
        return f"{rate:,.0f} GIL switches a second"
    culprits = probing.found.get("inner_threads", {}).get("sync", {}).get("culprits")
    if culprits and not case.case.pinned:
        return f"inner threads of its own: {style.plain(style.listed(list(map(str, culprits))))}"
    processes = on_processes(case, summary)
    if processes is None or case.speedup is None:
        return "not known"
    if processes.value > case.speedup.value and data.apart(processes, case.speedup):
        return "not the GIL alone: processes gain more"
    return "processes gain no more: memory, data to move, or small tasks"


def on_processes(case: CaseSummary, summary: Summary) -> Estimate | None:
    """Return the speed-up of the same work on as many processes, which share no GIL; None where it was not measured."""
    return next(
        (
            one.speedup
            for one in summary.timed
            if one.case.workload == case.case.workload
            and one.case.size == case.case.size
            and one.case.scheduler == "processes"
            and one.case.parallelism == case.case.parallelism
            and one.speedup is not None
        ),
        None,
    )


def reasons(dots: Sequence[Dot]) -> dict[str, str]:
    """Return why -> the names of the workloads far under the bound."""
    groups = data.grouped([dot for dot in dots if dot.why], lambda dot: dot.why)
    return {style.sentence(why): style.listed([dot.name for dot in group]) for why, group in groups.items()}


def message(dots: Sequence[Dot]) -> str:
    """Return the title: how many workloads gain what the GIL lets them, and what stays under."""
    under = [dot for dot in dots if dot.why]
    unclear = sum(dot.unclear for dot in dots)
    close = len(dots) - len(under) - unclear
    text = f"threads gain what the GIL lets them on {close} of {style.count(len(dots), 'workload')}"
    if unclear:
        text += f"; {unclear} {'is' if unclear == 1 else 'are'} unclear"
    if under:
        worst = min(under, key=lambda dot: dot.speedup.value / dot.bound)
        text += f"; {worst.name} gets {worst.speedup.value:.2f}x of {worst.bound:.2f}x"
    return style.sentence(text)


def _notes(dots: Sequence[Dot]) -> Iterator[str]:
    """Yield how to read the chart, and why the triangles stay under the line."""
    text = "Mark: a workload, with 95 % intervals. Line: the bound min(n, 1 / held)."
    if any(dot.unclear for dot in dots):
        text += " Grey: too few or too noisy processes to be sure."
    text += f" {axis.ALONE}" if any(axis.alone(dot.speedup) for dot in dots) else ""
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
        colour = _colour(dot, look.colour)
        axes.plot([dot.held.low, dot.held.high], [dot.speedup.value] * 2, color=colour, linewidth=1, alpha=0.7)
        marks = style.Style(colour, "v" if dot.why else look.marker, "")
        axis.marks(axes, [dot.held.value], [dot.speedup.value], [dot.speedup], marks, vertical=True)
    _labels(axes, dots, top * 1.05)


def _colour(dot: Dot, otherwise: str) -> str:
    return style.ALARM if dot.why else style.GREY if dot.unclear else otherwise


def _labels(axes: Axes, dots: Sequence[Dot], top: float) -> None:
    """Name the dots where there is room, those with a reason first. A name that finds none is left out."""
    width, height = (style.WIDTH - 1.0) / 1.16, (HEIGHT - 0.6) / top
    halo = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}  # an outline would make paths of text
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
            colour = _colour(dot, style.GREY)
            axes.text(box[0] / width - 0.04, middle / height, dot.name, va="center", color=colour, bbox=halo)
            if abs(middle - y) > LEADER:  # a line says whose name it is
                end = box[0] if box[0] > x else box[2]
                across = [dot.held.value, end / width - 0.04]
                axes.plot(across, [dot.speedup.value, middle / height], color=colour, linewidth=0.6, zorder=2)


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


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
