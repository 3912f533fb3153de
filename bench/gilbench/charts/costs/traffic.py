"""Traffic: how many bytes each scheduler moves to tasks and back in one compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilbench import units
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import scales, style
from gilbench.charts.table import SERIES, Table
from gilbench.results.summary import Summary

PROBE: Final = "traffic"
ROW: Final = 0.3  # inches
MUCH: Final = 2**20  # bytes in one compute that the title counts as much
Moved = Mapping[str, Mapping[str, float]]  # workload -> scheduler -> bytes to and from tasks in one compute


def draw(summaries: Sequence[Summary]) -> Figure:
    """How many bytes does each scheduler move to tasks and back?"""
    found = [(summary, moved) for summary in summaries if (moved := moved_of(summary))]
    if not found:
        raise NothingToDraw(
            "this result has no probes of traffic between processes: run `gilbench run --probe`, also under processes"
        )
    figures = [value for _, moved in found for row in moved.values() for value in row.values()]
    heights = [len(moved) * ROW + (0.3 if len(found) > 1 else 0.1) for _, moved in found]
    schedulers = {name for _, moved in found for row in moved.values() for name in row}
    figure = style.page(
        style.messages([summary for summary, _ in found], lambda summary: message(moved_of(summary))),
        [summary for summary, _ in found],
        sum(heights) + 0.5,
        notes=[
            "Bytes pickled in one compute: to tasks (also from worker to worker) and back. Sync and threads move none."
        ],
        legend=style.legend_for(schedulers),
    )
    low, high = min(figures) / 1.5, max(figures) * 1.5
    ticks = [2.0**power for power in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
    panels = style.panels(figure, [summary for summary, _ in found], heights, named=len(found) > 1)
    for axes, (_, moved) in zip(panels, found, strict=True):
        scales.size_axis(axes, low, high, ticks, units.size)
        _panel(axes, moved)
    axes.set_xlabel("moved in one compute, log scale (bytes)")
    return figure


def moved_of(summary: Summary) -> Moved:
    """Return what every probed workload moves, starting with the one that moves most."""
    moved = {}
    for probing in summary.probes:
        row = {
            scheduler: float(sum(found.get(key, 0) for key in ("to_tasks_bytes", "from_tasks_bytes")))
            for scheduler, found in probing.found.get(PROBE, {}).items()
        }
        row = {scheduler: value for scheduler, value in row.items() if value > 0}
        if row:
            moved[probing.workload] = row
    return dict(sorted(moved.items(), key=lambda item: -max(item[1].values())))


def tabulate(summary: Summary) -> Table:
    """Return the bytes moved in one compute."""
    rows = [
        (workload, scheduler, value) for workload, row in moved_of(summary).items() for scheduler, value in row.items()
    ]
    return Table((*SERIES, ("moved", "byte")), tuple(rows))


def message(moved: Moved) -> str:
    """Return the title: how many workloads move much, and which moves most."""
    most = next(iter(moved))
    scheduler = max(moved[most], key=lambda name: moved[most][name])
    much = sum(max(row.values()) > MUCH for row in moved.values())
    share = f"{much} of {units.count(len(moved), 'workload')} move" if much else "no workload moves"
    return style.sentence(
        f"{share} more than {style.tick(units.size(MUCH))} in one compute; "
        f"{style.plain(most, 30)} moves {units.size(moved[most][scheduler])} under {style.plain(scheduler, 30)}"
    )


def _panel(axes: Axes, moved: Moved) -> None:
    axes.set_ylim(len(moved) - 0.4, -0.6)
    axes.set_yticks(range(len(moved)), [style.plain(workload) for workload in moved])
    axes.tick_params(axis="y", length=0)
    for index, row in enumerate(moved.values()):
        if index % 2 == 0:
            axes.axhspan(index - 0.5, index + 0.5, color=style.BAND, linewidth=0, zorder=0)
        for scheduler, value in row.items():
            look = style.style_of(scheduler)
            axes.plot(
                [value], [index], color=look.color, marker=look.marker, markersize=6, linestyle="none", alpha=0.85
            )
