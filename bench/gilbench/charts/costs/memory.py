"""Memory: what threads share and processes copy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import stats, units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, style
from gilbench.charts.table import SERIES, Table
from gilbench.explain import selected, series
from gilbench.explain.grouping import grouped
from gilbench.results.summary import CaseSummary, Summary

ROW: Final = 0.3  # inches
MIB: Final = 2.0**20


def draw(summaries: Sequence[Summary]) -> Figure:
    """How much memory does each scheduler need at its peak, beyond what it needs when idle?"""
    panels = [(summary, workload, cases) for summary in summaries for workload, cases in peaks(summary).items()]
    if not panels:
        raise NothingToDraw("this result has no memory cases: run `gilbench run shared_array`")
    heights = [len(cases) * ROW + 0.75 for _, _, cases in panels]
    estimates = [stats.scaled(case.estimate, 1 / MIB) for _, _, cases in panels for case in cases]
    ends = [estimate.high if math.isfinite(estimate.high) else estimate.value for estimate in estimates]
    most = max(*ends, *(estimate.value for estimate in estimates), 1e-9)
    figure = style.page(
        style.messages(summaries, message),
        summaries,
        sum(heights),
        notes=[
            f"{intervals.reading(estimates)} Peak of the whole process tree. Each name ends with processes x threads per process."
        ],
    )
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    for index, (summary, workload, cases) in enumerate(panels):
        axes = figure.add_subplot(grid[index, 0])
        axes.set_xlim(0, most * 1.05)
        _panel(axes, cases)
        title = style.plain(workload)
        axes.set_title(f"{title} · {style.plain(summary.name)}" if len(summaries) > 1 else title)
        axes.set_xlabel("peak memory beyond the idle scheduler (MiB)")
    return figure


def peaks(summary: Summary) -> dict[str, list[CaseSummary]]:
    """Return workload -> its memory cases with the most workers, in the order of the legend."""
    usable = [case for case in summary.memory if math.isfinite(case.estimate.value)]
    cases = selected.at_most_workers(selected.at_main_size(usable))
    order = style.series_order(series.name_of(case.case) for case in cases)
    cases.sort(key=lambda case: order.index(series.name_of(case.case)))
    groups = grouped(cases, lambda case: case.case.workload)
    return {
        workload: [case for case in group if series.name_of(case.case) != series.SINGLE or len(group) == 1]
        for workload, group in groups.items()
    }


def tabulate(summary: Summary) -> Table:
    """Return the peak memory."""
    rows = [
        (workload, series.name_of(case.case), case.case.shape, case.estimate)
        for workload, cases in peaks(summary).items()
        for case in cases
    ]
    return Table((*SERIES, ("workers", "text"), ("peak", "byte")), tuple(rows))


def message(summary: Summary) -> str:
    """Return how many times as much memory processes need as threads, for the workload with the largest factor."""
    found = []
    for workload, cases in peaks(summary).items():
        named = {series.name_of(case.case): case.estimate for case in cases}
        if "threads" in named and "processes" in named and named["threads"].value > 0:
            found.append((named["processes"].value / named["threads"].value, workload, named))
    if not found:
        return "Peak memory of each scheduler"
    ratio, workload, named = max(found, key=lambda item: item[0])
    threads, processes = named["threads"], named["processes"]
    if not stats.apart(threads, processes):
        return f"{style.plain(workload)}: no clear difference in memory between threads and processes"
    return (
        f"{style.plain(workload)}: processes need {units.times(ratio)} the memory of threads "
        f"({units.size(processes.value)} against {units.size(threads.value)})"
    )


def _panel(axes: Axes, cases: Sequence[CaseSummary]) -> None:
    """Draw one workload: a bar per scheduler, hatched so that it can be recognized without colors."""
    axes.set_ylim(len(cases) - 0.4, -0.6)
    names = [case.case.scheduler + (f" {case.case.shape}" if case.case.scheduler != "sync" else "") for case in cases]
    axes.set_yticks(range(len(cases)), [style.plain(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x", color=style.PALE, linewidth=0.6)
    for row, (case, name) in enumerate(zip(cases, names, strict=True)):
        look = style.style_of(series.name_of(case.case))
        peak = stats.scaled(case.estimate, 1 / MIB)
        edge = "white" if case.case.scheduler != "sync" else style.GRAY
        axes.barh(row, peak.value, 0.62, color=look.color, alpha=0.75, hatch=look.hatch, edgecolor=edge, linewidth=0)
        intervals.draw(
            axes, [peak.value], [row], [peak], style.Style("black", "|", ""), size=7, label=style.plain(name)
        )
        text = units.size(case.estimate.value)
        axes.text(1.015, row, text, transform=axes.get_yaxis_transform(), va="center")
