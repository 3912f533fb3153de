"""Scaling: how the speed-up over sync grows with the number of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilbench.charts import NothingToDraw
from gilbench.charts.drawing import intervals, scales, style
from gilbench.charts.table import SERIES, Table
from gilbench.explain import selected, series
from gilbench.explain.grouping import grouped
from gilbench.results.summary import CaseSummary, Summary
from gilbench.stats import Estimate

COLUMNS: Final = 3
PANEL: Final = 2.35  # inches high
APART: Final = 0.05  # of a doubling: the distance between curves that would hide each other

# series -> its cases, from the fewest workers to the most
Curves = Mapping[str, Sequence[CaseSummary]]


def draw(summaries: Sequence[Summary]) -> Figure:
    """Does every added worker make it faster, and where does that stop?"""
    found = [workloads(summary) for summary in summaries]
    labels = list(dict.fromkeys(label for panels in found for label in panels))
    if not labels:
        raise NothingToDraw(
            "this result has no workload at several numbers of workers: run `gilbench run python_loops` on more than one CPU"
        )
    curves = [(name, curve) for panels in found for curves in panels.values() for name, curve in curves.items()]
    names = style.series_order(name for name, _ in curves)
    cases = [case for _, curve in curves for case in curve]
    counts = sorted({case.case.parallelism for case in cases})
    limits = scales.log_limits(_speedups(cases), include=(1, counts[-1]), pad=1.2)
    # The same workload of several results side by side.
    places = [(label, index) for label in labels for index in range(len(found))]
    columns = len(found) if len(found) > 1 else min(COLUMNS, len(labels))
    rows = -(-len(places) // columns)
    figure = style.page(
        style.messages(summaries, message),
        summaries,
        rows * PANEL + 0.2,
        notes=[intervals.reading(_speedups(cases))],
        legend=_legend(names),
        width=max(style.WIDTH, 2.6 * columns),
    )
    grid = figure.add_gridspec(rows, columns)
    for place, (label, index) in enumerate(places):
        if label in found[index]:
            axes = figure.add_subplot(grid[place // columns, place % columns])
            scales.ratio_axis(axes, "y", *limits, ticks=5)
            _ideal(axes, counts, selected.cpus(summaries[index]))
            _panel(axes, found[index][label], counts, names)
            title = label + (f" · {summaries[index].name}" if len(found) > 1 else "")
            axes.set_title(style.fitted(style.plain(title), 0.8 * figure.get_figwidth() / columns, weight="bold"))
            axes.set_ylabel("speed-up over sync (x)" if place % columns == 0 else "")
    return figure


def workloads(summary: Summary) -> dict[str, Curves]:
    """Return workload -> its curves, for every workload with a curve over more than one number of workers."""
    cases = selected.at_main_size([case for case in selected.timed(summary) if selected.usable(case.speedup)])
    found: dict[str, Curves] = {}
    for (workload, pinned), group in grouped(cases, lambda c: (c.case.workload, c.case.pinned)).items():
        named = grouped([case for case in group if case.case.scheduler != "sync"], lambda c: series.name_of(c.case))
        single = named.pop(series.SINGLE, [])  # every shape of distributed starts from one thread in one process
        curves = {
            name: _curve([*(single if name.startswith("distributed") else []), *curve]) for name, curve in named.items()
        }
        curves = {name: curve for name, curve in curves.items() if len({_workers(case) for case in curve}) > 1}
        if curves:
            found[workload if pinned else f"{workload} (inner threads on)"] = curves
    return found


def _curve(cases: Sequence[CaseSummary]) -> list[CaseSummary]:
    """Return one case for each number of workers, in ascending order."""
    groups = grouped(cases, _workers)
    return [case for workers in sorted(groups) for case in selected.at_most_workers(groups[workers])[:1]]


def tabulate(summary: Summary) -> Table:
    """Return the speed-up with each number of workers."""
    rows = [
        (workload, name, case.case.parallelism, case.speedup)
        for workload, curves in workloads(summary).items()
        for name, curve in curves.items()
        for case in curve
    ]
    return Table((*SERIES, ("workers", "count"), ("speed-up", "ratio")), tuple(rows))


def message(summary: Summary) -> str:
    """Return the title: on how many workloads each kind gains from more workers."""
    found = workloads(summary)
    parts: list[str] = []
    for kind, name in (("threads", "threads"), ("processes", "processes"), ("mix", "a mix")):
        mine = [
            [curve for curve in curves.values() if series.kind_of(curve[-1].case) == kind] for curves in found.values()
        ]
        gains = [any(gains_more(curve) for curve in curves) for curves in mine if curves]
        if gains:
            verb, noun = ("", "") if parts else (" gain", " workload" if len(gains) == 1 else " workloads")
            parts.append(f"{name}{verb} on {sum(gains)} of {len(gains)}{noun}")
    if not parts:
        return "nothing measured at several numbers of workers"
    return f"With more workers, {', '.join(parts)}"


def gains_more(curve: Sequence[CaseSummary]) -> bool:
    """Return whether the most workers are certainly faster than the fewest, with intervals that do not overlap."""
    first, last = curve[0].speedup, curve[-1].speedup
    return first is not None and last is not None and last.low > first.high


def _workers(case: CaseSummary) -> int:
    return case.case.parallelism


def _speedups(cases: Sequence[CaseSummary]) -> list[Estimate]:
    return [case.speedup for case in cases if case.speedup is not None]


def _panel(axes: Axes, curves: Curves, counts: Sequence[int], names: Sequence[str]) -> None:
    """Draw one workload. Curves are shifted a little, so that none hides another at the same number of workers."""
    edge = 2 ** (0.14 + APART * len(names) / 2)
    axes.set_xscale("log", base=2)
    axes.set_xlim(counts[0] / edge, counts[-1] * edge)
    scales.fixed(axes.xaxis, counts, [str(count) for count in counts])
    axes.set_xlabel("workers (processes x threads)")
    for index, name in enumerate(names):
        shift = 2 ** ((index - (len(names) - 1) / 2) * APART)
        cases = curves.get(name, ())
        across = [_workers(case) * shift for case in cases]
        speedups = _speedups(cases)
        look, label = style.style_of(name), style.plain(name)
        intervals.draw(axes, across, [s.value for s in speedups], speedups, look, vertical=True, line="-", label=label)


def _ideal(axes: Axes, counts: Sequence[int], cpus: float) -> None:
    """Draw sync, and the ideal: as many times as fast as there are workers, until they have to share the CPUs."""
    axes.axhline(1, color="black", linewidth=1.0, zorder=1)
    across = sorted({*counts, min(max(cpus, counts[0]), counts[-1])})
    axes.plot(across, [min(count, cpus) for count in across], color="black", linewidth=1.0, dashes=(4, 3), zorder=1)


def _legend(names: Sequence[str]) -> list[Line2D]:
    return [
        *style.legend_for(names, line=True),
        Line2D([], [], color="black", linewidth=1.0, label="sync = 1x"),
        Line2D([], [], color="black", linewidth=1.0, dashes=(4, 3), label="ideal: one per CPU"),
    ]
