"""GIL: how much of the time it is held against what threads gain, under the bound that it sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.charts import NothingToDraw
from bench.charts import _axes as axis
from bench.charts import _data as data
from bench.charts import _style as style
from bench.probes import Probing
from bench.probes.gil import MANY_SWITCHES
from bench.summary import CaseSummary, Estimate, Summary

FAR: Final = 0.85  # of the bound: what lies under that is labelled with why
HEIGHT: Final = 4.6  # inches of one panel
TOUCH: Final = (0.14, 0.16)  # inches around a mark that a label keeps free
UPWARDS: Final = (0.0, 0.14, -0.14, 0.28, -0.28, 0.42, -0.42)  # inches; where a name may stand beside its mark
SPOTS: Final = tuple((right, up) for up in UPWARDS for right in (0.09, -0.09))


@dataclass(frozen=True)
class Dot:
    """One workload. held: fraction with its interval. speedup: on threads, with its interval. why: if far under the bound."""

    name: str
    held: Estimate
    speedup: Estimate
    workers: int
    why: str = ""

    @property
    def bound(self) -> float:
        """The most that threads can gain: min(n, 1 / held)."""
        return bound(self.held.value, self.workers)


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
            "Mark: a workload, with 95 % intervals. Line: the bound min(n, 1 / held). "
            f"Triangles gain less than {FAR:.0%} of it:",
            *(f"{why}: {names}." for why, names in reasons([dot for _, dots in found for dot in dots]).items()),
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
        far = case.speedup.value < FAR * dot.bound
        found.append(Dot(dot.name, held, case.speedup, dot.workers, reason(probing, case, summary)) if far else dot)
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
    other = [
        one
        for one in summary.timed
        if one.case.workload == case.case.workload
        and one.case.size == case.case.size
        and one.case.scheduler == "processes"
        and one.case.parallelism == case.case.parallelism
        and one.speedup is not None
    ]
    if other and case.speedup is not None and other[0].speedup is not None:
        if not data.apart(other[0].speedup, case.speedup):
            return "processes gain no more: memory, or small tasks"
        return "not the GIL alone: processes gain more"
    return "not known"


def reasons(dots: Sequence[Dot]) -> dict[str, str]:
    """Return why -> the names of the workloads far under the bound."""
    groups = data.grouped([dot for dot in dots if dot.why], lambda dot: dot.why)
    return {style.sentence(why): style.listed([dot.name for dot in group]) for why, group in groups.items()}


def message(dots: Sequence[Dot]) -> str:
    """Return the title: how many workloads gain what the GIL lets them, and what stays under."""
    under = [dot for dot in dots if dot.why]
    close = len(dots) - len(under)
    text = f"threads gain what the GIL lets them on {close} of {style.count(len(dots), 'workload')}"
    if under:
        worst = min(under, key=lambda dot: dot.speedup.value / dot.bound)
        text += f"; {worst.name} gets {worst.speedup.value:.2f}x of {worst.bound:.2f}x"
    return style.sentence(text)


def _panel(axes: Axes, dots: Sequence[Dot]) -> None:
    workers = max(dot.workers for dot in dots)
    held = np.linspace(0.001, 1.05, 400)
    for n in sorted({dot.workers for dot in dots}):
        axes.plot(held, np.minimum(n, 1 / held), color="black", linewidth=1.2, zorder=1)
    axes.axhline(1, color=style.PALE, linewidth=1, zorder=0)
    top = max([workers * 1.15, *(dot.speedup.value * 1.1 for dot in dots)])
    axes.set_xlim(-0.04, 1.12)
    axes.set_ylim(0, top * 1.05)
    axes.set_ylabel(f"speed-up over sync on {workers} threads (x)")
    axes.grid(True, color=style.PALE, linewidth=0.6)
    look = style.style_of("threads")
    for dot in dots:
        colour = style.ALARM if dot.why else look.colour
        axes.plot([dot.held.low, dot.held.high], [dot.speedup.value] * 2, color=colour, linewidth=1, alpha=0.7)
        marks = style.Style(colour, "v" if dot.why else look.marker, "")
        axis.marks(axes, [dot.held.value], [dot.speedup.value], [dot.speedup], marks, vertical=True)
    _labels(axes, dots, top * 1.05)


def _labels(axes: Axes, dots: Sequence[Dot], top: float) -> None:
    """Name the dots where there is room, those with a reason first. A name that finds none is left out."""
    width, height = (style.WIDTH - 1.0) / 1.16, (HEIGHT - 0.6) / top
    at = {id(dot): ((dot.held.value + 0.04) * width, dot.speedup.value * height) for dot in dots}
    taken = [(x - TOUCH[0] / 2, y - TOUCH[1] / 2, x + TOUCH[0] / 2, y + TOUCH[1] / 2) for x, y in at.values()]
    for dot in sorted(dots, key=lambda dot: (not dot.why, dot.speedup.value)):
        wide = style.text_width(dot.name)
        x, y = at[id(dot)]
        for right, up in SPOTS:
            left = x + right if right > 0 else x + right - wide
            box = (left, y + up - 0.07, left + wide, y + up + 0.07)
            inside = left > 0 and left + wide < width * 1.15 and 0.07 < y + up < HEIGHT - 0.7
            if inside and all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken):
                taken.append(box)
                colour = style.ALARM if dot.why else style.GREY
                axes.text(left / width - 0.04, (y + up) / height, dot.name, va="center", color=colour)
                break
