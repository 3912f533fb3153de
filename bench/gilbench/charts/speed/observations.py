"""Every observation as a dot: what the medians and their intervals are made of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.explain import selected, series
from gilbench.explain.grouping import grouped
from gilbench.results.summary import CaseSummary, Summary

# Inches.
PITCH: Final = 0.085  # height of one case
GAP: Final = 0.085  # between workloads
LEAST: Final = 0.2  # height of a workload's name
PANEL: Final = 0.52  # a panel's title and axis
PALE: Final = 0.45  # opacity of cases with fewer than the most workers

DOT: Final[dict[str, Any]] = {
    "color": "black",
    "markersize": 2.8,
    "markeredgecolor": "white",
    "markeredgewidth": 0.4,
    "linestyle": "none",
}


@dataclass(frozen=True)
class Group:
    """One workload at one size, with its cases."""

    label: str
    cases: Sequence[CaseSummary]

    @property
    def height(self) -> float:
        """The height that it needs, in inches."""
        return max(LEAST, len(self.cases) * PITCH) + GAP

    @property
    def most(self) -> int:
        """The largest number of workers."""
        return max(case.case.parallelism for case in self.cases)


def draw(summaries: Sequence[Summary]) -> Figure:
    """How do single observations scatter around the median of each case?"""
    panels = [(summary, family, groups) for summary in summaries for family, groups in families(summary).items()]
    if not panels:
        raise NothingToDraw("this result has no timed case: run `gilbench run`")
    heights = [sum(group.height for group in groups) + PANEL for _, _, groups in panels]
    cases = [case for _, _, groups in panels for group in groups for case in group.cases]
    reading = intervals.reading(case.estimate for case in cases)
    figure = style.page(
        style.messages(summaries, message),
        summaries,
        sum(heights) + 0.25,
        notes=[f"{reading} Small dot: one process. Paler: fewer than the most workers. Each family has its own axis."],
        legend=[
            *style.legend_for(series.name_of(case.case) for case in cases),
            Line2D([], [], marker="o", label="one process", **DOT),
        ],
    )
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    for index, (summary, family, groups) in enumerate(panels):
        axes = figure.add_subplot(grid[index, 0])
        _panel(axes, groups)
        title = style.plain(family.replace("_", " "))
        axes.set_title(f"{title} · {style.plain(summary.name)}" if len(summaries) > 1 else title)
    axes.set_xlabel("seconds per compute (log scale)")
    return figure


def families(summary: Summary) -> dict[str, list[Group]]:
    """Return family -> its workloads at each size, with cases in the order of the legend, fewest workers first."""
    found: dict[str, list[Group]] = {}
    for family, members in grouped(selected.timed(summary), lambda case: case.family).items():
        sizes = grouped(members, lambda case: (case.case.workload, case.case.size))
        several = {workload for workload, _ in sizes if sum(other == workload for other, _ in sizes) > 1}
        for (workload, size), cases in sizes.items():
            order = style.series_order(series.name_of(case.case) for case in cases)
            ranked = sorted(cases, key=lambda c: (order.index(series.name_of(c.case)), c.case.parallelism, c.case.name))
            label = f"{style.plain(workload)}, {style.plain(size)}" if workload in several else style.plain(workload)
            found.setdefault(family, []).append(Group(label, ranked))
    return found


def message(summary: Summary) -> str:
    """Return how precisely the medians are known: an interval from a/x to a*x counts as ±(x - 1)."""
    cases = selected.timed(summary)
    estimates = [case.estimate for case in cases]
    widths = [math.sqrt(e.high / e.low) - 1 for e in estimates if not intervals.open_below(e) and math.isfinite(e.high)]
    if not widths:
        return f"No interval is known for any of {units.count(len(cases), 'median')}"
    unknown = len(cases) - len(widths)
    rest = f"; {unknown:,} {'has' if unknown == 1 else 'have'} no interval" if unknown else ""
    half, worst = _percent(statistics.median(widths)), _percent(max(widths))
    return f"Half of {units.count(len(widths), 'median')} are known within {half}, all within {worst}{rest}"


def _percent(width: float) -> str:
    return f"±{100 * width:,.{0 if width >= 0.1 else 1}f}{style.NO_BREAK}%"


def _panel(axes: Axes, groups: Sequence[Group]) -> None:
    """Draw one family: the cases of each workload one below the other, with dots, median and interval."""
    cases = [case for group in groups for case in group.cases]
    seen = [value for case in cases for value in case.observations if value > 0]
    scales.unit_axis(axes, "x", *scales.log_limits([c.estimate for c in cases], include=seen), units.seconds, ticks=8)
    down = 0.0
    middles, places = [], []
    for index, group in enumerate(groups):
        middles.append(down + group.height / 2)
        if index % 2 == 0:
            axes.axhspan(down, down + group.height, color=style.BAND, linewidth=0, zorder=0)
        for row, case in enumerate(group.cases):
            y = middles[-1] + (row - (len(group.cases) - 1) / 2) * PITCH
            places.append(
                (case, y, 1 if case.case.parallelism == group.most or case.case.scheduler == "sync" else PALE)
            )
        down += group.height
    _cases(axes, places)
    axes.set_ylim(down, 0)
    axes.set_yticks(middles, [group.label for group in groups])
    axes.tick_params(axis="y", length=0)


def _cases(axes: Axes, places: Sequence[tuple[CaseSummary, float, float]]) -> None:
    """Draw cases, each at its y and with its opacity: medians with intervals, and every observation on top."""
    for (name, opacity), same in grouped(places, lambda place: (series.name_of(place[0].case), place[2])).items():
        estimates = [case.estimate for case, _, _ in same]
        across, up = [estimate.value for estimate in estimates], [y for _, y, _ in same]
        look = style.style_of(name)
        intervals.draw(axes, across, up, estimates, look, size=5, label=style.plain(name), opacity=opacity)
    dots = [(value, y) for case, y, _ in places for value in case.observations if value > 0]
    axes.plot([value for value, _ in dots], [y for _, y in dots], "o", zorder=4, **DOT)
