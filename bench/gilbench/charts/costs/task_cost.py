"""Cost per task: how long a scheduler takes for a task that does next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import stats, units
from gilbench.cases.case import Case
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.charts.table import Table
from gilbench.explain import selected, series
from gilbench.results.summary import Summary
from gilbench.stats import Estimate

WORKLOAD: Final = "tiny_tasks"
ROW: Final = 0.27  # inches

Costs = dict[Case, Estimate]


def draw(summaries: Sequence[Summary]) -> Figure:
    """What does each scheduler cost per task?"""
    tables = [costs(summary) for summary in summaries]
    found = [cost for table in tables for cost in table.values()]
    if not found:
        raise NothingToDraw(f"this result has no {WORKLOAD} cases: run `gilbench run {WORKLOAD}`")
    limits = scales.log_limits([*found], pad=1.25)
    heights = [len(table) * ROW + (0.3 if len(tables) > 1 else 0.1) for table in tables if table]
    figure = style.page(
        style.messages(summaries, lambda summary: message(costs(summary))),
        summaries,
        sum(heights) + 0.5,
        notes=[
            f"{intervals.reading(found)} Each name ends with processes x threads per process. The task itself is included."
        ],
    )
    shown = [(summary, table) for summary, table in zip(summaries, tables, strict=True) if table]
    panels = style.panels(figure, [summary for summary, _ in shown], heights, named=len(summaries) > 1)
    for axes, (_, table) in zip(panels, shown, strict=True):
        scales.unit_axis(axes, "x", *limits, units.seconds, ticks=9)
        _panel(axes, table)
    axes.set_xlabel("time per task (µs, log scale)")
    return figure


def costs(summary: Summary) -> Costs:
    """Return case -> seconds per task, cheapest first, at the main size of the workload."""
    cases = [case for case in selected.timed(summary) if case.case.workload == WORKLOAD and case.tasks > 0]
    per_task = {case.case: stats.scaled(case.estimate, 1 / case.tasks) for case in selected.at_main_size(cases)}
    return dict(sorted(per_task.items(), key=lambda item: item[1].value))


def tabulate(summary: Summary) -> Table:
    """Return the time per task."""
    rows = [(case.scheduler, case.shape, cost) for case, cost in costs(summary).items()]
    return Table((("scheduler", "text"), ("workers", "text"), ("time per task", "second")), tuple(rows))


def message(table: Costs) -> str:
    """Return the cheapest and the most expensive case, and the factor between them."""
    if not table:
        return f"no {WORKLOAD} cases"
    (cheap, least), *_, (expensive, most) = [*table.items(), *list(table.items())[-1:]]
    start = f"A task costs {units.seconds(least.value)} on {style.case_name(cheap)}"
    if len(table) == 1:
        return start
    if not stats.apart(least, most):
        return f"{start}; no scheduler is certainly more expensive"
    much = f"{units.times(most.value / least.value)} as much ({units.seconds(most.value)})"
    return f"{start}, {much} on {style.case_name(expensive)}"


def _panel(axes: Axes, table: Costs) -> None:
    """Draw one result: a row per case, its cost written beside its interval."""
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_yticks(range(len(table)), [style.case_name(case) for case in table])
    axes.tick_params(axis="y", length=0)
    for row, (case, cost) in enumerate(table.items()):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color=style.BAND, linewidth=0, zorder=0)
        look = style.style_of(series.name_of(case))
        intervals.draw(axes, [cost.value], [row], [cost], look, size=7, label=style.case_name(case))
        axes.text(1.015, row, units.seconds(cost.value), transform=axes.get_yaxis_transform(), va="center")
