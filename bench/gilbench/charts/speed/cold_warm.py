"""Cold against warm: what the first result costs, and every later one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import axes as axis
from gilbench.charts.drawing import style as style
from gilbench.explain import series as data
from gilbench.results.summary import Estimate, Summary

# Inches.
PITCH: Final = 0.075  # one workload
LEAST: Final = 0.3
MOST: Final = 0.95

WARM: Final = style.Style(style.GREY, "o", "")


@dataclass(frozen=True)
class Pair:
    """One workload on one scheduler. cold: seconds to open the scheduler and compute once. warm: seconds per compute."""

    cold: Estimate
    warm: Estimate

    @property
    def ratio(self) -> float:
        """The first result in units of later ones."""
        return self.cold.value / self.warm.value


Table = dict[str, list[Pair]]


def draw(summaries: Sequence[Summary]) -> Figure:
    """How much longer does the first result take than the next, on a scheduler that has yet to start?"""
    shown = [(summary, table) for summary in summaries if (table := pairs(summary))]
    if not shown:
        raise NothingToDraw("this result has no cases with an opening time: run `gilbench run`")
    found = [pair for _, table in shown for group in table.values() for pair in group]
    estimates = [estimate for pair in found for estimate in (pair.cold, pair.warm)]
    limits = axis.log_limits(estimates)
    heights = [sum(map(_height, table.values())) + 0.35 for _, table in shown]
    figure = style.page(
        style.messages(summaries, lambda summary: message(pairs(summary))),
        summaries,
        sum(heights) + 0.3,
        notes=[
            "Grey: warm, every later compute. Coloured: cold, opening the scheduler and the first compute. "
            f"A line joins the two of one workload. {axis.reading(estimates)}"
        ],
    )
    grid = figure.add_gridspec(len(shown), 1, height_ratios=heights)
    for index, (summary, table) in enumerate(shown):
        axes = figure.add_subplot(grid[index, 0])
        axis.unit_axis(axes, "x", *limits, units.seconds, ticks=8)
        _panel(axes, table)
        if len(summaries) > 1:
            axes.set_title(style.plain(summary.name))
    axes.set_xlabel("seconds (log scale)")
    return figure


def pairs(summary: Summary) -> Table:
    """Return series -> a pair for each workload, slowest first, at the main size and most workers."""
    cases = data.at_most_workers(data.at_main_size(data.timed(summary)))
    found: Table = {}
    for case in cases:
        if case.opening is not None and case.first is not None and case.case.pinned:
            pair = Pair(data.total(case.opening, case.first), case.estimate)
            if data.usable(pair.cold):
                found.setdefault(data.series(case.case), []).append(pair)
    if any(name.startswith("distributed") and name != data.SINGLE for name in found):
        found.pop(data.SINGLE, None)
    return {name: sorted(found[name], key=lambda pair: -pair.warm.value) for name in style.series_order(found)}


def message(table: Table) -> str:
    """Return the first result in units of later ones: the median over workloads, for the dearest start and the pools."""
    ratios = {name: ratio_of(group) for name, group in table.items() if name != "sync"}
    if not ratios:
        return "no cases with an opening time"
    dearest = max(ratios, key=lambda name: ratios[name])
    chosen = [name for name in dict.fromkeys([dearest, "processes", "threads"]) if name in ratios]
    parts = [f"{style.tick(units.digits(ratios[name]))} on {style.plain(name)}" for name in chosen]
    parts[0] = parts[0].replace(" on ", " warm computes on ", 1)
    return f"The first result takes as long as {style.listed(parts)}"


def ratio_of(group: Sequence[Pair]) -> float:
    """Return cold over warm: the median over workloads."""
    return statistics.median(pair.ratio for pair in group)


def _height(group: Sequence[Pair]) -> float:
    return min(MOST, max(LEAST, (len(group) + 1) * PITCH))


def _panel(axes: Axes, table: Table) -> None:
    """Draw one result: a band per scheduler, in it a line from warm to cold for every workload."""
    down = 0.0
    middles = []
    for index, (name, group) in enumerate(table.items()):
        height = _height(group)
        middles.append(down + height / 2)
        if index % 2 == 0:
            axes.axhspan(down, down + height, color=style.BAND, linewidth=0, zorder=0)
        up = [down + height * (row + 1) / (len(group) + 1) for row in range(len(group))]
        look = style.style_of(name)
        cold, warm = [pair.cold for pair in group], [pair.warm for pair in group]
        axes.hlines(up, [e.value for e in warm], [e.value for e in cold], color=style.PALE, linewidth=1.0, zorder=1)
        axis.marks(axes, [e.value for e in warm], up, warm, WARM, size=3, label=f"{style.plain(name)}, warm")
        axis.marks(axes, [e.value for e in cold], up, cold, look, size=4.5, label=f"{style.plain(name)}, cold")
        text = units.times(ratio_of(group))
        axes.text(1.015, middles[-1], text, transform=axes.get_yaxis_transform(), va="center")
        down += height
    axes.text(1.015, 1.01, "cold / warm", transform=axes.transAxes, va="bottom", color=style.GREY)
    axes.set_ylim(down, 0)
    axes.set_yticks(middles, [style.plain(name) for name in table])
    axes.tick_params(axis="y", length=0)
