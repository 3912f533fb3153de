"""Granularity: how efficiently each scheduler runs tasks of any length, and where half of the efficiency is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench import units
from gilbench.cases.case import Case
from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import scales, style
from gilbench.charts.table import Table
from gilbench.explain import series
from gilbench.explain.grouping import grouped
from gilbench.probes.granularity_probe import HALF, LONGEST, SHORTEST, metg_text
from gilbench.results.summary import Summary

PROBE: Final = "granularity"
COLUMNS: Final = 2
PANEL: Final = 2.35  # inches high
LINE: Final = 0.1  # of a panel's height, in the list beside it
MEANINGS: Final[Mapping[str, str]] = {
    "trivial": "no dependencies",
    "stencil_1d": "on neighbors",
    "tree": "two into one",
    "all_to_all": "on the whole step before",
}

Found = dict[str, Any]  # as returned by gilbench.probes.granularity_probe.described
Panels = Mapping[str, Mapping[str, Found]]  # pattern -> series -> what was found


def draw(summaries: Sequence[Summary]) -> Figure:
    """How short can tasks be before a scheduler loses more than half of the efficiency?"""
    found = [panels(summary) for summary in summaries]
    patterns = list(dict.fromkeys(pattern for panel in found for pattern in panel))
    if not patterns:
        raise NothingToDraw(f"this result has no {PROBE} probe: run `gilbench run --probe`")
    # The same pattern of several results side by side.
    places = [(pattern, index) for pattern in patterns for index in range(len(found))]
    columns = len(found) if len(found) > 1 else min(COLUMNS, len(patterns))
    rows = -(-len(places) // columns)
    figure = style.page(
        style.messages(summaries, message),
        summaries,
        rows * PANEL + 0.2,
        notes=[
            "Efficiency: time the tasks alone would take on all workers / time of the compute, the fastest of several.",
            "Large mark and list: the shortest tasks that keep half of it (METG), and the nearest lengths tried.",
        ],
        legend=_legend(found),
        width=max(style.WIDTH, 3.9 * len(found)),
    )
    grid = figure.add_gridspec(rows, columns)
    for place, (pattern, index) in enumerate(places):
        if pattern not in found[index]:
            continue
        axes = figure.add_subplot(grid[place // columns, place % columns])
        _panel(axes, found[index][pattern])
        more = f" · {summaries[index].name}" if len(found) > 1 else f" · {MEANINGS.get(pattern, '')}"
        width = 0.75 * figure.get_figwidth() / columns
        axes.set_title(style.fitted(style.plain(pattern + more), width, style.TEXT + 0.5, "bold"))
        axes.set_ylabel("efficiency (x)" if place % columns == 0 else "")
    return figure


def panels(summary: Summary) -> Panels:
    """Return what the probe found, with each scheduler under the name of its series, in the order of the legend."""
    found: dict[str, dict[str, Found]] = {}
    for probing in summary.probes:
        for scheduler, patterns in probing.found.get(PROBE, {}).items():
            for pattern, curve in patterns.items():
                case = Case(probing.workload, probing.size, scheduler, curve["processes"], curve["threads"])
                found.setdefault(pattern, {})[series.name_of(case)] = curve
    return {pattern: {name: panel[name] for name in style.series_order(panel)} for pattern, panel in found.items()}


def tabulate(summary: Summary) -> Table:
    """Return the shortest tasks that keep half of the efficiency."""
    rows = [
        (pattern, name, curve["metg"], f"{curve['bound']} all that was tried" if curve.get("bound") else "")
        for pattern, panel in panels(summary).items()
        for name, curve in panel.items()
    ]
    return Table(
        (("pattern", "text"), ("scheduler", "text"), ("shortest task", "second"), ("bound", "text")), tuple(rows)
    )


def message(summary: Summary) -> str:
    """Return the range of METG over all patterns for each scheduler, starting with the one that copes with the shortest tasks."""
    curves: dict[str, list[Found]] = {}
    for panel in panels(summary).values():
        for name, curve in panel.items():
            curves.setdefault(name, []).append(curve)
    if not curves:
        return f"no {PROBE} probe"
    order = sorted(curves, key=lambda name: sorted(_place(curve) for curve in curves[name]))
    same = grouped(order, lambda name: metg_text(curves[name]))
    parts = [f"{length} on {units.listed([style.plain(name) for name in names])}" for length, names in same.items()]
    return f"Half of the efficiency is left at tasks of {', '.join(parts)}"


def _place(found: Found) -> float:
    """Return the place of a METG on the axis, in seconds: one of its ends if it lies beyond every length tried."""
    if bound := found.get("bound"):
        return SHORTEST if bound == "below" else LONGEST
    return float(found["metg"])


def _panel(axes: Axes, found: Mapping[str, Found]) -> None:
    """Draw one pattern: a curve for each scheduler with its METG on the line at one half, and a list beside it."""
    scales.unit_axis(axes, "x", SHORTEST / 1.25, LONGEST * 1.25, units.seconds, ticks=5)
    axes.set_xlabel("length of one task (seconds, log scale)")
    highest = max((curve["best"] for curve in found.values()), default=1.0)
    axes.set_ylim(0, 1.08 * max(1.0, highest))
    scales.fixed(axes.yaxis, [0, 0.25, HALF, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.axhline(HALF, color="black", linewidth=1.0, dashes=(4, 3), zorder=1)
    axes.axhline(1, color="black", linewidth=1.0, zorder=1)
    for name, curve in found.items():
        _curve(axes, name, curve)
    _list(axes, found)


def _curve(axes: Axes, name: str, found: Found) -> None:
    look, metg = style.style_of(name), found["metg"]
    across, up = zip(*found["points"], strict=True)
    axes.plot(across, up, color=look.color, marker=look.marker, markersize=3, linewidth=1.2, alpha=0.8, zorder=2)
    if metg is None:
        return
    low, high = found["between"]
    reach = [[metg - low], [high - metg]]
    label = style.plain(name)
    axes.errorbar([metg], [HALF], xerr=reach, fmt="none", ecolor=look.color, capsize=4, zorder=3, label=label)
    edge = look.color if look.marker in "|_" else "white"
    axes.plot([metg], [HALF], color=look.color, marker=look.marker, markersize=7, markeredgecolor=edge, zorder=4)


def _list(axes: Axes, found: Mapping[str, Found]) -> None:
    """List each METG beside the panel, shortest first. On the line itself, some would hide others."""
    beside: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    axes.text(1.03, 1, "keeps half at", va="top", color=style.GRAY, **beside)
    for row, name in enumerate(sorted(found, key=lambda name: _place(found[name])), start=1):
        look, y = style.style_of(name), 1 - (row + 0.45) * LINE
        axes.plot([1.06], [y], color=look.color, marker=look.marker, markersize=6, **beside)
        text = metg_text([found[name]]).replace("less than", "<").replace("more than", ">")
        axes.text(1.1, y, text, va="center_baseline", **beside)


def _legend(found: Sequence[Panels]) -> list[Line2D]:
    names = {name for patterns in found for panel in patterns.values() for name in panel}
    return [
        *style.legend_for(names, line=True),
        Line2D([], [], color="black", linewidth=1.0, dashes=(4, 3), label="half"),
        Line2D([], [], color="black", linewidth=1.0, label="ideal = 1x"),
    ]
