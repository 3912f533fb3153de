"""Cold against warm: what the first result costs, and what every later one costs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import stats, units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.charts.table import SERIES, Table
from gilbench.explain import selected, series
from gilbench.results.summary import Summary
from gilbench.stats import Estimate

# Inches.
PITCH: Final = 0.075  # one workload
LEAST: Final = 0.3
MOST: Final = 0.95

WARM: Final = style.Style(style.GRAY, "o", "")


@dataclass(frozen=True)
class Pair:
    """One workload on one scheduler. cold: seconds to open the scheduler and compute once. warm: seconds per later compute."""

    cold: Estimate
    warm: Estimate

    @property
    def ratio(self) -> float:
        """How many later results take as long as the first one."""
        return self.cold.value / self.warm.value


Pairs = Mapping[str, list[Pair]]  # series -> a pair for each workload


def draw(summaries: Sequence[Summary]) -> Figure:
    """How much longer does the first result take than later ones, on a scheduler that has yet to start?"""
    shown = [(summary, table) for summary in summaries if (table := pairs(summary))]
    if not shown:
        raise NothingToDraw("this result has no cases with an opening time: run `gilbench run`")
    found = [pair for _, table in shown for group in table.values() for pair in group]
    estimates = [estimate for pair in found for estimate in (pair.cold, pair.warm)]
    limits = scales.log_limits(estimates)
    heights = [sum(map(_height, table.values())) + 0.35 for _, table in shown]
    figure = style.page(
        style.messages(summaries, lambda summary: message(pairs(summary))),
        summaries,
        sum(heights) + 0.3,
        notes=[
            "Gray: warm, every later compute. Colored: cold, opening the scheduler and computing once. "
            f"A line joins the two for each workload. {intervals.reading(estimates)}"
        ],
    )
    panels = style.panels(figure, [summary for summary, _ in shown], heights, named=len(summaries) > 1)
    for axes, (_, table) in zip(panels, shown, strict=True):
        scales.unit_axis(axes, "x", *limits, units.seconds, ticks=8)
        _panel(axes, table)
    axes.set_xlabel("seconds (log scale)")
    return figure


def pairs(summary: Summary) -> Pairs:
    """Return series -> a pair for each workload, slowest first, at its main size and with the most workers."""
    cases = selected.at_most_workers(selected.at_main_size(selected.timed(summary)))
    found: dict[str, list[Pair]] = {}
    for case in cases:
        if case.opening is not None and case.first is not None and case.case.pinned:
            pair = Pair(stats.total(case.opening, case.first), case.estimate)
            if selected.usable(pair.cold):
                found.setdefault(series.name_of(case.case), []).append(pair)
    if any(name.startswith("distributed") and name != series.SINGLE for name in found):
        found.pop(series.SINGLE, None)
    return {name: sorted(found[name], key=lambda pair: -pair.warm.value) for name in style.series_order(found)}


def tabulate(summary: Summary) -> Table:
    """Return the times of opening, of the first compute and of every later one."""
    rows = [
        (case.case.workload, series.name_of(case.case), case.opening, case.first, case.estimate)
        for case in selected.at_most_workers(selected.at_main_size(selected.timed(summary)))
        if case.opening and case.first
    ]
    return Table(
        (*SERIES, ("opening", "second"), ("first compute", "second"), ("every later one", "second")), tuple(rows)
    )


def message(table: Pairs) -> str:
    """Return cold over warm, the median over workloads, for the slowest start and for the pools."""
    ratios = {name: ratio_of(group) for name, group in table.items() if name != "sync"}
    if not ratios:
        return "no cases with an opening time"
    slowest = max(ratios, key=lambda name: ratios[name])
    chosen = [name for name in dict.fromkeys([slowest, "processes", "threads"]) if name in ratios]
    parts = [f"{style.tick(units.digits(ratios[name]))} on {style.plain(name)}" for name in chosen]
    parts[0] = parts[0].replace(" on ", " warm computes on ", 1)
    return f"The first result takes as long as {units.listed(parts)}"


def ratio_of(group: Sequence[Pair]) -> float:
    """Return cold over warm: the median over workloads."""
    return statistics.median(pair.ratio for pair in group)


def _height(group: Sequence[Pair]) -> float:
    return min(MOST, max(LEAST, (len(group) + 1) * PITCH))


def _panel(axes: Axes, table: Pairs) -> None:
    """Draw one result: a band per scheduler, with a line from warm to cold for every workload."""
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
        intervals.draw(axes, [e.value for e in warm], up, warm, WARM, size=3, label=f"{style.plain(name)}, warm")
        intervals.draw(axes, [e.value for e in cold], up, cold, look, size=4.5, label=f"{style.plain(name)}, cold")
        text = units.times(ratio_of(group))
        axes.text(1.015, middles[-1], text, transform=axes.get_yaxis_transform(), va="center")
        down += height
    axes.text(1.015, 1.01, "cold / warm", transform=axes.transAxes, va="bottom", color=style.GRAY)
    axes.set_ylim(down, 0)
    axes.set_yticks(middles, [style.plain(name) for name in table])
    axes.tick_params(axis="y", length=0)
