"""Moving data: how the time grows with the bytes that have to reach or leave the tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench import stats, units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.charts.table import SERIES, Table
from gilbench.explain import copying, selected, series
from gilbench.explain.grouping import grouped
from gilbench.results.summary import CaseSummary, Summary

COLUMNS: Final = 3
PANEL: Final = 3.3  # inches high
GUIDES: Final = {0.001: "1 MB/s", 0.1: "100 MB/s", 10.0: "10 GB/s"}  # in GB/s

# series -> its cases, from the fewest bytes to the most
Curves = Mapping[str, Sequence[CaseSummary]]
Limits = tuple[float, float]


def draw(summaries: Sequence[Summary]) -> Figure:
    """What does it cost to move data to and from tasks?"""
    found = [workloads(summary) for summary in summaries]
    labels = list(dict.fromkeys(label for panels in found for label in panels))
    if not labels:
        raise NothingToDraw("this result has no cases that move data: run `gilbench run moving_data`")
    curves = [(name, curve) for panels in found for curves in panels.values() for name, curve in curves.items()]
    cases = [case for _, curve in curves for case in curve]
    sizes = [case.moved_bytes for case in cases]
    across = (min(sizes) / 2, max(sizes) * 2)
    up = scales.log_limits([case.estimate for case in cases], pad=1.4)
    # One result: its workloads in rows of three. Several: one row per result, so that readers can compare down a column.
    columns = len(labels) if len(found) > 1 else 2 if len(labels) == 4 else min(COLUMNS, len(labels))
    rows = -(-len(labels) * len(found) // columns)
    figure = style.page(
        style.messages(summaries, message),
        summaries,
        rows * PANEL + 0.1,
        notes=[
            f"{intervals.reading(case.estimate for case in cases)} Each scheduler is shown with its most workers.",
            *costs(summaries),
        ],
        legend=_legend([name for name, _ in curves]),
        width=max(style.WIDTH, 2.6 * columns),
    )
    grid = figure.add_gridspec(rows, columns)
    for place, (index, label) in enumerate((index, label) for index in range(len(found)) for label in labels):
        if label in found[index]:
            axes = figure.add_subplot(grid[place // columns, place % columns])
            _panel(axes, found[index][label], across, up)
            title = label + (f" · {summaries[index].name}" if len(found) > 1 else "")
            axes.set_title(style.fitted(style.plain(title), 0.8 * figure.get_figwidth() / columns, weight="bold"))
            axes.set_ylabel("seconds per compute (log scale)" if place % columns == 0 else "")
    return figure


def costs(summaries: Sequence[Summary]) -> list[str]:
    """Return a note for each result on what copying costs beyond threads: a fixed time and a rate; none with few sizes."""
    notes = []
    for summary in summaries:
        found = [
            f"{style.plain(workload)} {units.seconds(cost.fixed.value)} + bytes / ({style.tick(units.size(cost.rate.value))}/s)"
            for workload in workloads(summary)
            if (cost := copying.cost(summary, workload, "processes"))
        ]
        of = f"{style.plain(summary.name)}: " if len(summaries) > 1 else ""
        if found:
            notes.append(f"{of}What processes add to threads, fitted over sizes: {', '.join(found)}.")
    return notes


def workloads(summary: Summary) -> dict[str, Curves]:
    """Return workload -> its curves over all measured sizes."""
    cases = selected.at_most_workers(case for case in selected.timed(summary) if case.moved_bytes > 0)
    return {
        workload: {
            name: sorted(curve, key=lambda case: case.moved_bytes)
            for name, curve in grouped(group, lambda case: series.name_of(case.case)).items()
        }
        for workload, group in grouped(cases, lambda case: case.case.workload).items()
    }


def tabulate(summary: Summary) -> Table:
    """Return the time that moving data takes."""
    rows = [
        (workload, name, float(case.moved_bytes), case.estimate)
        for workload, curves in workloads(summary).items()
        for name, curve in curves.items()
        for case in curve
    ]
    return Table((*SERIES, ("moved", "byte"), ("time", "second")), tuple(rows))


def message(summary: Summary) -> str:
    """Return how much longer the most bytes take on processes than on threads, for the workload with the largest difference."""
    found = []
    for workload, curves in workloads(summary).items():
        if "threads" in curves and "processes" in curves:
            threads, processes = curves["threads"][-1], curves["processes"][-1]
            if threads.moved_bytes == processes.moved_bytes and stats.apart(threads.estimate, processes.estimate):
                found.append((processes.estimate.value / threads.estimate.value, workload, threads, processes))
    if not found:
        return "Moving data: no clear difference between threads and processes"
    ratio, workload, threads, processes = max(found, key=lambda item: max(item[0], 1 / item[0]))
    pair = [("processes", processes), ("threads", threads)]
    (slow, slow_case), (fast, fast_case) = pair if ratio > 1 else reversed(pair)
    bytes_ = style.tick(units.size(slow_case.moved_bytes))
    times = [units.seconds(case.estimate.value) for case in (slow_case, fast_case)]
    much = units.times(max(ratio, 1 / ratio))
    return f"{style.plain(workload)}: {bytes_} take {much} as long on {slow} ({times[0]}) as on {fast} ({times[1]})"


def _panel(axes: Axes, curves: Curves, across: Limits, up: Limits) -> None:
    """Draw one workload, over lines of equal rate."""
    sizes = sorted({case.moved_bytes for curve in curves.values() for case in curve})
    scales.size_axis(axes, *across, sizes, units.size)
    scales.unit_axis(axes, "y", *up, units.seconds, ticks=8)
    axes.set_xlabel("moved per compute (bytes)")
    for rate in GUIDES:
        _guide(axes, rate, across, up)
    for name in style.series_order(curves):
        cases = curves[name]
        estimates = [case.estimate for case in cases]
        look, label = style.style_of(name), style.plain(name)
        moved, times = [case.moved_bytes for case in cases], [estimate.value for estimate in estimates]
        intervals.draw(axes, moved, times, estimates, look, vertical=True, line="-", label=label)


def _guide(axes: Axes, rate: float, across: Limits, up: Limits) -> None:
    """Draw a line of equal rate in GB/s, labeled where it enters at the bottom or, failing that, where it leaves at the top."""
    left, right = max(across[0], up[0] * rate * 1e9), min(across[1], up[1] * rate * 1e9)
    if right < left * 4:  # the line would only cut a corner
        return
    times = [size / (rate * 1e9) for size in (left, right)]
    axes.plot([left, right], times, color="#8c8c8c", linewidth=0.9, linestyle=":", zorder=1)
    if left > across[0]:
        where, place = (left, times[0]), {"xytext": (5, 1), "va": "bottom", "ha": "left"}
    else:
        where, place = (right, times[1]), {"xytext": (-5, -1), "va": "top", "ha": "right"}
    axes.annotate(GUIDES[rate], where, textcoords="offset points", color=style.GRAY, **place)  # type: ignore[arg-type]


def _legend(names: Sequence[str]) -> list[Line2D]:
    return [
        *style.legend_for(names, line=True),
        Line2D([], [], color="#8c8c8c", linewidth=0.9, linestyle=":", label="equal rate"),
    ]
